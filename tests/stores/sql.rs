//! Databases to try the stores on sqlx on: a file, and a schema or a database of our own on a server.

use std::{
    env, fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use libtest_mimic::{Completion, Trial};
use login_manager::{
    BoxError, ConfigError, MySqlStore, PostgresStore, SessionStore, SqliteStore,
    store::{Family, Record, RecordKey},
};
use sha2::{Digest as _, Sha256};
use sqlx::{
    AssertSqlSafe, Connection as _, MySqlConnection, MySqlPool, PgConnection, PgPool, Row as _,
    SqlitePool,
    mysql::{MySqlConnectOptions, MySqlPoolOptions},
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};
use tokio::{runtime, sync::OnceCell};

use crate::Store;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    MySql,
}

/// A place for tables that nobody else uses. It goes when the last clone does.
#[derive(Clone)]
pub(crate) struct Database(Arc<Place>);

struct Place {
    kind: Kind,
    // The server's address.
    url: String,
    name: String,
    made: OnceCell<()>,
}

/// How a pool is opened.
#[derive(Clone, Default)]
pub(crate) struct Opening {
    pub(crate) connections: Option<u32>,
    pub(crate) patience: Option<Duration>,
    /// What each connection begins with.
    pub(crate) first: Option<&'static str>,
    /// Counts the steps of SQLite's machine, in tens.
    pub(crate) steps: Option<Arc<AtomicU64>>,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::MySql];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
        }
    }

    /// A database of this kind, or why there is none.
    pub(crate) fn database(self) -> Result<Database, String> {
        let url = |name| env::var(name).map_err(|_| format!("{name} isn't set"));
        let url = match self {
            Self::Sqlite => String::new(),
            Self::Postgres => url("POSTGRES_URL")?,
            Self::MySql => url("MYSQL_URL")?,
        };
        Ok(Database(Arc::new(Place {
            kind: self,
            url,
            name: format!("login_manager_{}", &random_text()[..16]),
            made: OnceCell::new(),
        })))
    }
}

impl Database {
    pub(crate) fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The name of the schema, or of the database where those are schemas.
    pub(crate) fn schema(&self) -> &str {
        &self.0.name
    }

    /// A pool of its own: another node of the application.
    pub(crate) async fn pool(&self, opening: Opening) -> Result<Pool, BoxError> {
        let place = &self.0;
        place.made.get_or_try_init(|| place.make()).await?;
        let connections = opening.connections.unwrap_or(10);
        let patience = opening.patience.unwrap_or(Duration::from_secs(30));
        let first = opening.first;
        Ok(match place.kind {
            Kind::Sqlite => {
                let options = SqliteConnectOptions::new()
                    .filename(place.folder().join("app.db"))
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal);
                let pool = SqlitePoolOptions::new()
                    .max_connections(connections)
                    .acquire_timeout(patience)
                    .after_connect(move |connection, _| {
                        let steps = opening.steps.clone();
                        Box::pin(async move {
                            if let Some(steps) = steps {
                                let count = move || {
                                    steps.fetch_add(1, Ordering::Relaxed);
                                    true
                                };
                                connection
                                    .lock_handle()
                                    .await?
                                    .set_progress_handler(10, count);
                            }
                            Ok(())
                        })
                    });
                Pool::Sqlite(pool.connect_with(options).await?)
            }
            Kind::Postgres => {
                let options: PgConnectOptions = place.url.parse()?;
                let options = options.options([("search_path", &place.name)]);
                let pool = PgPoolOptions::new()
                    .max_connections(connections)
                    .acquire_timeout(patience)
                    .after_connect(move |connection, _| {
                        Box::pin(async move {
                            if let Some(first) = first {
                                sqlx::raw_sql(first).execute(connection).await?;
                            }
                            Ok(())
                        })
                    });
                Pool::Postgres(pool.connect_with(options).await?)
            }
            Kind::MySql => {
                let options: MySqlConnectOptions = place.url.parse()?;
                let pool = MySqlPoolOptions::new()
                    .max_connections(connections)
                    .acquire_timeout(patience)
                    .after_connect(move |connection, _| {
                        Box::pin(async move {
                            if let Some(first) = first {
                                sqlx::raw_sql(first).execute(connection).await?;
                            }
                            Ok(())
                        })
                    });
                Pool::MySql(pool.connect_with(options.database(&place.name)).await?)
            }
        })
    }

    /// A store with its table, on a pool of its own.
    pub(crate) async fn store(&self) -> SqlStore {
        let store = self.pool(Opening::default()).await.unwrap().store();
        store.migrate().await.unwrap();
        store
    }
}

impl Place {
    fn folder(&self) -> PathBuf {
        env::temp_dir().join(&self.name)
    }

    async fn make(&self) -> Result<(), BoxError> {
        let name = &self.name;
        match self.kind {
            Kind::Sqlite => fs::create_dir(self.folder())?,
            Kind::Postgres => self.run(format!("CREATE SCHEMA {name}")).await?,
            Kind::MySql => self.run(format!("CREATE DATABASE {name}")).await?,
        }
        Ok(())
    }

    async fn remove(&self) -> Result<(), BoxError> {
        let name = &self.name;
        match self.kind {
            Kind::Sqlite => fs::remove_dir_all(self.folder())?,
            Kind::Postgres => self.run(format!("DROP SCHEMA {name} CASCADE")).await?,
            Kind::MySql => self.run(format!("DROP DATABASE {name}")).await?,
        }
        Ok(())
    }

    async fn run(&self, sql: String) -> Result<(), BoxError> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        if self.kind == Kind::Postgres {
            let mut connection = PgConnection::connect(&self.url).await?;
            sql.execute(&mut connection).await?;
        } else {
            let mut connection = MySqlConnection::connect(&self.url).await?;
            sql.execute(&mut connection).await?;
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.made.initialized() {
            return;
        }
        // Whoever drops it may be inside a runtime, where nothing may block.
        thread::scope(|scope| {
            let removed = scope.spawn(|| {
                let runtime = runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(self.remove())
            });
            if !matches!(removed.join(), Ok(Ok(()))) {
                eprintln!("{} is left behind", self.name);
            }
        });
    }
}

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

    /// What a query finds, the columns of text as text.
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

    pub(crate) async fn migrate(&self) -> Result<(), BoxError> {
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

    /// As the rest of the crate sees it.
    pub(crate) fn shared(&self) -> Arc<dyn SessionStore> {
        match self {
            Self::Sqlite(store) => Arc::new(store.clone()),
            Self::Postgres(store) => Arc::new(store.clone()),
            Self::MySql(store) => Arc::new(store.clone()),
        }
    }
}

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

/// When all of it takes place.
pub(crate) const NOW: i64 = 1_800_000_000_000;

/// A record that nobody else has, alive for a second.
pub(crate) fn record(owner: Option<&str>) -> Record {
    let family: [u8; 16] = random()[..16].try_into().unwrap();
    Record {
        key: RecordKey::from_bytes(random()),
        family: Family::from_bytes(family),
        owner: owner.map(Into::into),
        created: NOW - 10,
        touched: NOW - 5,
        expires: NOW + 1000,
        ends: NOW + 2000,
        version: 0,
        payload: Arc::from(*b"payload"),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn random_text() -> String {
    hex(&random())
}

/// Other bytes each time, in each process.
fn random() -> [u8; 32] {
    use std::hash::{BuildHasher as _, RandomState};

    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let seed = RandomState::new().hash_one(std::process::id());
    Sha256::digest([seed.to_le_bytes(), count.to_le_bytes()].concat()).into()
}
