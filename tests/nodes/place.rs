//! A place for sessions that nobody else uses, and ways to get there.

use std::{
    env, fmt,
    net::{SocketAddr, ToSocketAddrs as _},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use login_manager::{
    RedisStore, SessionStore,
    store::{Page, Record},
};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use sqlx::{
    Connection as _, MySqlConnection, PgConnection,
    mysql::{MySqlConnectOptions, MySqlPoolOptions},
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::time::timeout;
use url::Url;

use crate::sql::{Database, Kind as SqlKind, Opening, Pool, random_text};

/// A kind of store that can be shared by several processes. A new one is added here, and wherever the compiler then asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
    MySql,
    Redis,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Sqlite, Self::Postgres, Self::MySql, Self::Redis];
    /// Those with a network in between.
    pub const SERVERS: [Self; 3] = [Self::Postgres, Self::MySql, Self::Redis];
    /// Those with a pool of connections over it.
    pub const POOLS: [Self; 2] = [Self::Postgres, Self::MySql];

    pub fn name(self) -> &'static str {
        self.sql().map_or("redis", SqlKind::name)
    }

    fn sql(self) -> Option<SqlKind> {
        match self {
            Self::Sqlite => Some(SqlKind::Sqlite),
            Self::Postgres => Some(SqlKind::Postgres),
            Self::MySql => Some(SqlKind::MySql),
            Self::Redis => None,
        }
    }

    /// Where its server is, or why nobody knows. A file needs none.
    pub fn url(self) -> Result<String, String> {
        let url = |name| env::var(name).map_err(|_| format!("{name} isn't set"));
        match self {
            Self::Sqlite => Ok(String::new()),
            Self::Postgres => url("POSTGRES_URL"),
            Self::MySql => url("MYSQL_URL"),
            Self::Redis => url("REDIS_URL"),
        }
    }
}

/// A file, a schema, a database or a prefix of keys. What is in it goes when this is dropped.
pub struct Place {
    pub address: Address,
    /// Looks into the store past all that a trial puts in the way.
    pub store: Arc<dyn SessionStore>,
    _removed: Removed,
}

enum Removed {
    Tables(Database),
    Keys(Address),
}

impl Place {
    pub async fn make(kind: Kind) -> Self {
        let url = kind.url().unwrap();
        let Some(sql) = kind.sql() else {
            let name = format!("login-manager-test:{}:", &random_text()[..16]);
            let address = Address { kind, url, name };
            return Self {
                store: address.open(&Way::default()).store(),
                _removed: Removed::Keys(address.clone()),
                address,
            };
        };
        let database = sql.database().unwrap();
        let opening = Opening {
            connections: Some(1),
            ..Opening::default()
        };
        let store = database.pool(opening).await.unwrap().store();
        store.migrate().await.unwrap();
        let name = database.schema().to_owned();
        Self {
            address: Address { kind, url, name },
            store: store.shared(),
            _removed: Removed::Tables(database),
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

    /// How many connections the server has by its own account, [`store`](Self::store)'s apart. Redis doesn't know what they are
    /// for, but from which ports they come.
    pub async fn connections(&self, ports: &[u16]) -> u32 {
        let Address { kind, url, name } = &self.address;
        let count: i64 = match kind {
            Kind::Sqlite => panic!("a file knows of no connections"),
            Kind::Redis => {
                let client = redis::Client::open(&**url).unwrap();
                let mut connection = client.get_multiplexed_async_connection().await.unwrap();
                let mut list = redis::cmd("CLIENT");
                let list: String = list.arg("LIST").query_async(&mut connection).await.unwrap();
                let is_ours = |line: &&str| {
                    let from = |port: &u16| line.contains(&format!(" addr=127.0.0.1:{port} "));
                    ports.iter().any(from)
                };
                list.lines().filter(is_ours).count().try_into().unwrap()
            }
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
            Kind::Redis => 6379,
        });
        let mut addresses = (url.host_str().unwrap(), port).to_socket_addrs().unwrap();
        addresses.find(SocketAddr::is_ipv4).unwrap()
    }

    /// Of the folder, the schema or the database.
    pub fn name(&self) -> &str {
        &self.name
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
                let mut url: Url = self.url.parse().unwrap();
                if let Some(port) = way.port {
                    url.set_host(Some("127.0.0.1")).unwrap();
                    url.set_port(Some(port)).unwrap();
                }
                let config = ConnectionManagerConfig::new()
                    .set_number_of_retries(1)
                    .set_connection_timeout(Some(way.patience))
                    .set_response_timeout(Some(way.patience));
                let client = redis::Client::open(url).unwrap();
                let connection = ConnectionManager::new_lazy_with_config(client, config);
                let store = RedisStore::new(connection.unwrap());
                Opened::Redis(store.with_prefix(&self.name).unwrap())
            }
        }
    }
}

/// A store, and what it reaches its server by.
pub enum Opened {
    Pool(Pool),
    /// One connection carries all that is asked.
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

    /// How many of them are in nobody's hands.
    pub fn idle(&self) -> usize {
        match self {
            Self::Pool(Pool::Sqlite(pool)) => pool.num_idle(),
            Self::Pool(Pool::Postgres(pool)) => pool.num_idle(),
            Self::Pool(Pool::MySql(pool)) => pool.num_idle(),
            Self::Redis(_) => 1,
        }
    }
}

impl Drop for Removed {
    fn drop(&mut self) {
        let Self::Keys(address) = self else { return };
        let Ok(mut server) =
            redis::Client::open(&*address.url).and_then(|url| url.get_connection())
        else {
            return;
        };
        let pattern = format!("{}*", address.name);
        let mut scan = redis::cmd("SCAN");
        scan.cursor_arg(0)
            .arg(&["MATCH", &pattern, "COUNT", "10000"]);
        let keys = scan.iter::<Vec<u8>>(&mut server);
        let keys: Vec<_> = keys.into_iter().flatten().flatten().collect();
        for key in keys {
            let _gone = redis::cmd("UNLINK").arg(key).exec(&mut server);
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
