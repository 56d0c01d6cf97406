//! The address of a place, and connections to it.

use std::{
    env, fmt,
    net::{SocketAddr, ToSocketAddrs as _},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use login_manager::{RedisStore, SessionStore};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use sqlx::{
    Connection as _,
    mysql::{MySqlConnectOptions, MySqlPoolOptions},
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::time::timeout;
use url::Url;

use crate::{place::Kind, sql::Pool};

/// The address of a place. Its text can be passed to another process.
#[derive(Clone, Debug)]
pub struct Address {
    pub kind: Kind,
    pub url: String,
    pub name: String,
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
            Kind::Redis => 6379,
        });
        let mut addresses = (url.host_str().unwrap(), port).to_socket_addrs().unwrap();
        addresses.find(SocketAddr::is_ipv4).unwrap()
    }

    /// The same place, over another port of this machine than the server's.
    pub fn through(&self, port: u16) -> Self {
        let mut url: Url = self.url.parse().unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(port)).unwrap();
        Self {
            url: url.into(),
            ..self.clone()
        }
    }

    /// It connects when it is first used.
    pub fn open(&self, way: &Way) -> Opened {
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
                Opened::Pool(Pool::Sqlite(pool!(SqlitePoolOptions, options)))
            }
            Kind::Postgres => {
                let options: PgConnectOptions = self.url.parse().unwrap();
                let mut options = options
                    .options([("search_path", &self.name)])
                    .application_name(&self.name);
                if let Some(port) = way.port {
                    options = options.host("127.0.0.1").port(port);
                }
                Opened::Pool(Pool::Postgres(pool!(PgPoolOptions, options)))
            }
            Kind::MySql => {
                let options: MySqlConnectOptions = self.url.parse().unwrap();
                let mut options = options.database(&self.name);
                if let Some(port) = way.port {
                    options = options.host("127.0.0.1").port(port);
                }
                Opened::Pool(Pool::MySql(pool!(MySqlPoolOptions, options)))
            }
            Kind::Redis => {
                let address = way.port.map(|port| self.through(port));
                let Self { url, .. } = address.as_ref().unwrap_or(self);
                let config = ConnectionManagerConfig::new()
                    .set_number_of_retries(1)
                    .set_connection_timeout(Some(way.patience))
                    .set_response_timeout(Some(way.patience));
                let client = redis::Client::open(&**url).unwrap();
                let connection = ConnectionManager::new_lazy_with_config(client, config);
                let store = RedisStore::new(connection.unwrap());
                Opened::Redis(store.with_prefix(&self.name).unwrap())
            }
        }
    }
}

/// A store and its connections.
pub enum Opened {
    Pool(Pool),
    /// One connection for all calls.
    Redis(RedisStore),
}

impl Opened {
    pub fn store(&self) -> Arc<dyn SessionStore> {
        match self {
            Self::Pool(pool) => pool.store().shared(),
            Self::Redis(store) => Arc::new(store.clone()),
        }
    }

    /// How many connections it has.
    pub fn size(&self) -> u32 {
        match self {
            Self::Pool(Pool::Sqlite(pool)) => pool.size(),
            Self::Pool(Pool::Postgres(pool)) => pool.size(),
            Self::Pool(Pool::MySql(pool)) => pool.size(),
            Self::Redis(_) => 1,
        }
    }

    /// The number of idle connections.
    pub fn idle(&self) -> usize {
        match self {
            Self::Pool(Pool::Sqlite(pool)) => pool.num_idle(),
            Self::Pool(Pool::Postgres(pool)) => pool.num_idle(),
            Self::Pool(Pool::MySql(pool)) => pool.num_idle(),
            Self::Redis(_) => 1,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
