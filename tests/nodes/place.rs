//! A place for the sessions of one trial.

use std::{env, sync::Arc};

use login_manager::{
    SessionStore,
    store::{Page, SessionRecord},
};
use sqlx::{Connection as _, MySqlConnection, PgConnection};

use crate::{
    address::{Address, Way},
    sql::{Database, Kind as SqlKind, Opening, random_text},
};

/// A kind of store that several processes can share. Add a new one here, and where the compiler
/// then fails.
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

    /// The URL of its server, or the reason that there is none. A file needs no server.
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

/// A file, a schema, a database or a prefix of keys. Its contents are deleted when it is dropped.
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
    pub async fn records(&self, id: i64) -> Vec<SessionRecord> {
        let page = Page {
            after: None,
            limit: 1000,
        };
        let owner = crate::app::owner(id);
        self.store.list(&owner, page, 0).await.unwrap()
    }

    /// How many connections the server has by its own account, [`store`](Self::store)'s apart.
    /// Redis doesn't know what they are for, but from which ports they come.
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
