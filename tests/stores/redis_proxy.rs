//! A proxy over two servers that are no cluster, which runs a script where its first key is.

use libtest_mimic::Trial;
use login_manager::{
    RedisStore, SessionStore as _,
    store::{Created, Which},
};
use redis::{
    Cmd, Pipeline, RedisFuture, Value,
    aio::{ConnectionLike, MultiplexedConnection},
};

use crate::{
    redis_server::RedisServer,
    redis_wire::keys,
    redis_world::{EVERYTHING, NOW, OWNER, Of as _, index_key, record},
    trial_on_redis,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial_on_redis(
            "a_proxy_that_looks_at_the_first_key",
            a_proxy_that_looks_at_the_first_key,
        ),
        trial_on_redis(
            "a_proxy_that_asks_for_one_server",
            a_proxy_that_asks_for_one_server,
        ),
    ]
}

#[derive(Clone)]
struct Proxy {
    servers: [MultiplexedConnection; 2],
    /// Looks at all keys, and refuses a command for both servers.
    looks_at_all: bool,
}

impl Proxy {
    async fn before(servers: &[RedisServer; 2], looks_at_all: bool) -> Self {
        let connect = async |server: &RedisServer| {
            let client = redis::Client::open(server.url()).unwrap();
            client.get_multiplexed_async_connection().await.unwrap()
        };
        Self {
            servers: [connect(&servers[0]).await, connect(&servers[1]).await],
            looks_at_all,
        }
    }
}

/// The server of a key.
fn place(key: &[u8]) -> usize {
    usize::from(key.last().unwrap() % 2)
}

impl ConnectionLike for Proxy {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        let places: Vec<_> = keys(cmd).into_iter().map(place).collect();
        if self.looks_at_all && places.iter().any(|other| *other != places[0]) {
            let refusal = redis::parse_redis_value(b"-ERR keys of several servers\r\n");
            let refusal = refusal.and_then(Value::extract_error);
            return Box::pin(async { refusal });
        }
        self.servers[places[0]].req_packed_command(cmd)
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        _: &'a Pipeline,
        _: usize,
        _: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        panic!("a pipeline can't go to several servers")
    }

    fn get_db(&self) -> i64 {
        0
    }
}

/// Logins fail there. But no session is ever there that its owner's list lacks.
async fn a_proxy_that_looks_at_the_first_key() {
    let servers = [RedisServer::start(), RedisServer::start()];
    let store = RedisStore::new(Proxy::before(&servers, false).await);
    let mut there = Vec::new();
    for number in 1..100 {
        let (key, next) = (record(number).key, record(number + 100).key);
        assert_eq!(store.create(record(number)).await.unwrap(), Created::Done);
        if number % 2 == 0 {
            let next = record(number + 100);
            let _whatever = store.replace(&key, 0, next).await.unwrap();
        }
        for key in [key, next] {
            there.extend(store.load(&key).await.unwrap().map(|record| record.key));
        }
    }
    there.sort();
    assert!((1..99).contains(&there.len()), "{} are there", there.len());
    let list = store.list(OWNER, EVERYTHING, NOW).await.unwrap();
    let listed: Vec<_> = list.iter().map(|record| record.key).collect();
    assert_eq!(listed, there);
    let deleted = store.delete_all(OWNER, Which::All).await.unwrap();
    // What was written where nobody finds it goes, too.
    assert_eq!(deleted, 99);
    for key in there {
        assert_eq!(store.load(&key).await.unwrap(), None);
    }
}

/// There the script of a `delete_all` may run where half of the records are. None is forgotten, old or new.
async fn a_proxy_that_asks_for_one_server() {
    let servers = [RedisServer::start(), RedisServer::start()];
    let store = RedisStore::new(Proxy::before(&servers, true).await);
    let mut proxy = Proxy::before(&servers, false).await;
    // Of some owners the script's keys are on one server.
    for owner in (0..8).map(|number| format!("app/{number}")) {
        for number in 0..40 {
            let created = store.create(record(number).of(&owner)).await;
            assert_eq!(created.unwrap(), Created::Done);
        }
        // Made long ago, by their entries.
        let index = index_key(&owner);
        let mut read = redis::cmd("ZRANGE");
        read.arg(&index).arg(0).arg(-1);
        let entries: Vec<Vec<u8>> = read.query_async(&mut proxy).await.unwrap();
        assert_eq!(entries.len(), 40);
        for entry in entries.into_iter().step_by(2) {
            let mut age = redis::cmd("ZADD");
            age.arg(&index).arg(1).arg(entry);
            age.exec_async(&mut proxy).await.unwrap();
        }
        let deleted = store.delete_all(&owner, Which::All).await;
        assert_eq!(deleted.unwrap(), 40);
        for number in 0..40 {
            assert_eq!(store.load(&record(number).key).await.unwrap(), None);
        }
        let list = store.list(&owner, EVERYTHING, NOW).await.unwrap();
        assert_eq!(list, []);
    }
}
