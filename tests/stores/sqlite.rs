//! SQLite: in a file, and in memory.

use login_manager::SqliteStore;
use sqlx::sqlite::SqlitePoolOptions;

use crate::{
    Store,
    sql::{Kind, Opening},
    sql_contract::contract,
};

pub(crate) fn store() -> Store {
    contract("sqlite", Kind::Sqlite, Opening::default())
}

pub(crate) fn in_memory() -> Store {
    Store::new("sqlite_in_memory", || async {
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            // A caller that gives up during the test takes the connection along, and the database with it.
            .test_before_acquire(false)
            .connect("sqlite::memory:")
            .await?;
        let store = SqliteStore::new(pool);
        store.migrate().await?;
        Ok(store)
    })
}
