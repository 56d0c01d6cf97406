//! The stores on sqlx, for every database.
//!
//! ```sh
//! POSTGRES_URL=postgres://postgres@localhost MYSQL_URL=mysql://root@localhost cargo test --test stores
//! ```
//!
//! Each run creates a schema and a database of its own there, and drops them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use libtest_mimic::{Completion, Trial};
use login_manager::{
    ConfigError, MySqlStore, PostgresStore, SessionStore, SqliteStore,
    store::StoreError,
    store::{SessionId, SessionRecord},
};
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, MySqlPool, PgPool, Row as _, SqlitePool};
use tokio::runtime;

pub(crate) use crate::sql_database::{Database, Kind, Opening};

#[derive(Clone)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
    MySql(MySqlPool),
}

impl Pool {
    pub(crate) fn store(&self) -> SqlStore {
        match self.clone() {
            Self::Sqlite(pool) => SqlStore::Sqlite(SqliteStore::new(pool)),
            Self::Postgres(pool) => SqlStore::Postgres(PostgresStore::new(pool)),
            Self::MySql(pool) => SqlStore::MySql(MySqlStore::new(pool)),
        }
    }

    pub(crate) async fn run(&self, sql: impl Into<String>) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.into()));
        match self {
            Self::Sqlite(pool) => drop(sql.execute(pool).await.unwrap()),
            Self::Postgres(pool) => drop(sql.execute(pool).await.unwrap()),
            Self::MySql(pool) => drop(sql.execute(pool).await.unwrap()),
        }
    }

    /// The rows of a query as text.
    pub(crate) async fn texts(&self, sql: impl Into<String>) -> Vec<String> {
        macro_rules! texts {
            ($pool:expr) => {
                sqlx::raw_sql(AssertSqlSafe(sql.into()))
                    .fetch_all($pool)
                    .await
                    .unwrap()
                    .iter()
                    .map(|row| {
                        let texts = (0..row.len()).map(|at| row.get_unchecked(at));
                        texts.collect::<Vec<String>>().join(" ")
                    })
                    .collect()
            };
        }
        match self {
            Self::Sqlite(pool) => texts!(pool),
            Self::Postgres(pool) => texts!(pool),
            Self::MySql(pool) => texts!(pool),
        }
    }
}

pub(crate) enum SqlStore {
    Sqlite(SqliteStore),
    Postgres(PostgresStore),
    MySql(MySqlStore),
}

impl SqlStore {
    pub(crate) fn with_table(self, table: &str) -> Result<Self, ConfigError> {
        Ok(match self {
            Self::Sqlite(store) => Self::Sqlite(store.with_table(table)?),
            Self::Postgres(store) => Self::Postgres(store.with_table(table)?),
            Self::MySql(store) => Self::MySql(store.with_table(table)?),
        })
    }

    pub(crate) async fn migrate(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.migrate().await,
            Self::Postgres(store) => store.migrate().await,
            Self::MySql(store) => store.migrate().await,
        }
    }

    pub(crate) fn schema(&self) -> String {
        match self {
            Self::Sqlite(store) => store.schema(),
            Self::Postgres(store) => store.schema(),
            Self::MySql(store) => store.schema(),
        }
    }

    /// As the rest of the crate uses it.
    pub(crate) fn shared(&self) -> Arc<dyn SessionStore> {
        match self {
            Self::Sqlite(store) => Arc::new(store.clone()),
            Self::Postgres(store) => Arc::new(store.clone()),
            Self::MySql(store) => Arc::new(store.clone()),
        }
    }
}

/// One test on each kind of database, each with a database of its own.
pub(crate) fn on_each<F>(name: &'static str, test: fn(Database) -> F) -> Vec<Trial>
where
    F: Future<Output = ()> + 'static,
{
    on(&Kind::ALL, name, test)
}

pub(crate) fn on<F>(kinds: &[Kind], name: &'static str, test: fn(Database) -> F) -> Vec<Trial>
where
    F: Future<Output = ()> + 'static,
{
    let trial = |kind: &Kind| {
        let kind = *kind;
        Trial::ignorable_test(format!("{}::{name}", kind.name()), move || {
            let database = match kind.database() {
                Ok(database) => database,
                Err(reason) => return Ok(Completion::ignored_with(reason)),
            };
            let runtime = runtime::Builder::new_multi_thread()
                .worker_threads(4)
                .enable_all()
                .build()?;
            runtime.block_on(test(database));
            Ok(Completion::Completed)
        })
    };
    kinds.iter().map(trial).collect()
}

/// The time of all tests.
pub(crate) const NOW: i64 = 1_800_000_000_000;

/// A record of its own, live for a second.
pub(crate) fn record(owner: Option<&str>) -> SessionRecord {
    SessionRecord {
        id: SessionId::from_bytes(random()[..16].try_into().unwrap()),
        owner: owner.map(Into::into),
        version: 0,
        created: NOW - 10,
        touched: NOW - 5,
        expires: NOW + 1000,
        ends: NOW + 2000,
        payload: Arc::from(*b"payload"),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn random_text() -> String {
    hex(&random())
}

/// Different bytes each time, in each process.
fn random() -> [u8; 32] {
    use std::hash::{BuildHasher as _, RandomState};

    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let seed = RandomState::new().hash_one(std::process::id());
    Sha256::digest([seed.to_le_bytes(), count.to_le_bytes()].concat()).into()
}
