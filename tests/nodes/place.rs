//! A place for sessions that nobody else uses, and ways to get there.

use std::{
    env,
    net::{SocketAddr, ToSocketAddrs as _},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use login_manager::{
    SessionStore,
    store::{Page, Record},
};
use sqlx::{
    Connection as _, MySqlConnection, PgConnection,
    mysql::{MySqlConnectOptions, MySqlPoolOptions},
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::time::timeout;
use url::Url;

use crate::sql::{Database, Kind as SqlKind, Opening, Pool};

/// A kind of store that can be shared by several processes. A new one is added here, and wherever the compiler then asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
    MySql,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::MySql];
    /// Those with a network in between.
    pub const SERVERS: [Self; 2] = [Self::Postgres, Self::MySql];

    pub fn name(self) -> &'static str {
        self.sql().name()
    }

    fn sql(self) -> SqlKind {
        match self {
            Self::Sqlite => SqlKind::Sqlite,
            Self::Postgres => SqlKind::Postgres,
            Self::MySql => SqlKind::MySql,
        }
    }

    /// Where its server is, or why nobody knows. A file needs none.
    pub fn url(self) -> Result<String, String> {
        let url = |name| env::var(name).map_err(|_| format!("{name} isn't set"));
        match self {
            Self::Sqlite => Ok(String::new()),
            Self::Postgres => url("POSTGRES_URL"),
            Self::MySql => url("MYSQL_URL"),
        }
    }
}

/// A file, a schema or a database with the table in it. It goes when this is dropped.
pub struct Place {
    pub address: Address,
    database: Database,
    /// Looks into the store past all that a trial puts in the way.
    pub store: Arc<dyn SessionStore>,
}

impl Place {
    pub async fn make(kind: Kind) -> Self {
        let database = kind.sql().database().unwrap();
        let opening = Opening {
            connections: Some(1),
            ..Opening::default()
        };
        let store = database.pool(opening).await.unwrap().store();
        store.migrate().await.unwrap();
        Self {
            address: Address {
                kind,
                url: kind.url().unwrap(),
                name: database.schema().to_owned(),
            },
            database,
            store: store.shared(),
        }
    }

    /// All that the store has of a user of [`app`](crate::app).
    pub async fn records(&self, id: i64) -> Vec<Record> {
        let page = Page {
            after: None,
            limit: 1000,
        };
        let owner = crate::app::owner(id);
        self.store.list(&owner, page, 0).await.unwrap()
    }

    /// How many connections the server has to this place, [`store`](Self::store)'s own apart.
    pub async fn connections(&self) -> u32 {
        let Address { kind, url, name } = &self.address;
        let count: i64 = match kind {
            Kind::Sqlite => panic!("a file knows of no connections"),
            Kind::Postgres => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                sqlx::query_scalar(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1",
                )
                .bind(name)
                .fetch_one(&mut connection)
                .await
                .unwrap()
            }
            Kind::MySql => {
                let mut connection = MySqlConnection::connect(url).await.unwrap();
                sqlx::query_scalar::<_, i64>(
                    "SELECT COUNT(*) - 1 FROM information_schema.processlist WHERE db = ?",
                )
                .bind(name)
                .fetch_one(&mut connection)
                .await
                .unwrap()
            }
        };
        count.try_into().unwrap()
    }
}

/// Where a place is. As text it is found by another process too.
#[derive(Clone, Debug)]
pub struct Address {
    pub kind: Kind,
    url: String,
    name: String,
}

/// How to get there.
#[derive(Clone, Debug)]
pub struct Way {
    /// Over another port of this machine than the server's.
    pub port: Option<u16>,
    pub connections: u32,
    pub patience: Duration,
    pub test_before_acquire: bool,
    /// How long a connection that is given back may take to show that it lives.
    pub release_within: Option<Duration>,
}

impl Default for Way {
    /// As the documentation of the stores has it.
    fn default() -> Self {
        Self {
            port: None,
            connections: 10,
            patience: Duration::from_secs(1),
            test_before_acquire: true,
            release_within: None,
        }
    }
}

impl Address {
    /// The server's.
    pub fn server(&self) -> SocketAddr {
        let url: Url = self.url.parse().unwrap();
        let port = url.port().unwrap_or(match self.kind {
            Kind::Sqlite => panic!("a file has no server"),
            Kind::Postgres => 5432,
            Kind::MySql => 3306,
        });
        let mut addresses = (url.host_str().unwrap(), port).to_socket_addrs().unwrap();
        addresses.find(SocketAddr::is_ipv4).unwrap()
    }

    /// A pool that hasn't connected yet.
    pub fn open(&self, way: &Way) -> Pool {
        let limit = way.release_within;
        macro_rules! pool {
            ($options:ty, $connect:expr) => {
                <$options>::new()
                    .max_connections(way.connections)
                    .acquire_timeout(way.patience)
                    .test_before_acquire(way.test_before_acquire)
                    .after_release(move |connection, _| {
                        Box::pin(async move {
                            match limit {
                                Some(limit) => Ok(timeout(limit, connection.ping()).await.is_ok()),
                                None => Ok(true),
                            }
                        })
                    })
                    .connect_lazy_with($connect)
            };
        }
        match self.kind {
            Kind::Sqlite => {
                let options = SqliteConnectOptions::new()
                    .filename(env::temp_dir().join(&self.name).join("app.db"))
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .busy_timeout(way.patience);
                Pool::Sqlite(pool!(SqlitePoolOptions, options))
            }
            Kind::Postgres => {
                let options: PgConnectOptions = self.url.parse().unwrap();
                let mut options = options
                    .options([("search_path", &self.name)])
                    .application_name(&self.name);
                if let Some(port) = way.port {
                    options = options.host("127.0.0.1").port(port);
                }
                Pool::Postgres(pool!(PgPoolOptions, options))
            }
            Kind::MySql => {
                let options: MySqlConnectOptions = self.url.parse().unwrap();
                let mut options = options.database(&self.name);
                if let Some(port) = way.port {
                    options = options.host("127.0.0.1").port(port);
                }
                Pool::MySql(pool!(MySqlPoolOptions, options))
            }
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.kind.name(), self.name, self.url)
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.splitn(3, ' ');
        let mut word = || words.next().ok_or_else(|| format!("{text:?} is no place"));
        let kind = word()?;
        let kind = Kind::ALL.into_iter().find(|known| known.name() == kind);
        Ok(Self {
            kind: kind.ok_or("no such kind")?,
            name: word()?.into(),
            url: word()?.into(),
        })
    }
}
