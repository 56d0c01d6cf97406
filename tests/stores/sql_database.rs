//! A file, or a schema or a database on a server, for the duration of a test.

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

use login_manager::BoxError;
use sqlx::{
    AssertSqlSafe, Connection as _, MySqlConnection, PgConnection,
    mysql::{MySqlConnectOptions, MySqlPoolOptions},
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};
use tokio::{runtime, sync::OnceCell};

use crate::sql::{Pool, SqlStore, random_text};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    MySql,
}

/// A place for tables of one test. It is dropped with the last clone.
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
    /// Uses connections without a ping.
    pub(crate) untested: bool,
    /// The first statement of each connection.
    pub(crate) first: Option<&'static str>,
    /// Counts the steps of SQLite's virtual machine, in tens.
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

    /// A new pool, as of another node of the application.
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
                    .test_before_acquire(!opening.untested)
                    .after_connect(move |connection, _| {
                        let steps = opening.steps.clone();
                        Box::pin(async move {
                            if let Some(first) = first {
                                sqlx::raw_sql(first).execute(&mut *connection).await?;
                            }
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
                    .test_before_acquire(!opening.untested)
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
                    .test_before_acquire(!opening.untested)
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
        // It may be dropped inside a runtime, which must not block.
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
