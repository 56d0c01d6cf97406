//! The contract of the stores on sqlx.

use crate::{
    Store,
    sql::{Kind, Opening},
};

/// A store for the contract: all its checks in one table, each with a pool of its own.
pub(crate) fn contract(name: &'static str, kind: Kind, opening: Opening) -> Store {
    let database = match kind.database() {
        Ok(database) => database,
        Err(reason) => return Store::left_out(name, reason),
    };
    Store::new(name, move || {
        let (database, opening) = (database.clone(), opening.clone());
        async move {
            let store = database.pool(opening).await?.store();
            store.migrate().await?;
            Ok(store.shared())
        }
    })
}
