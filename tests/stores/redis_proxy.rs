//! A proxy in front of two servers that are no cluster, which runs a script where its first key is.

use libtest_mimic::Trial;
use login_manager::{
    RedisStore, SessionStore as _,
    store::{CreateOutcome, Outcome},
};
use redis::{
    Arg, Cmd, Pipeline, RedisFuture, Value,
    aio::{ConnectionLike, MultiplexedConnection},
};

use crate::{
    redis_server::RedisServer,
    redis_wire::keys,
    redis_world::{EVERYTHING, NOW, OWNER, Of as _, id, record},
    trial_on_redis,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial_on_redis(
            "proxy_that_looks_at_the_first_key",
            proxy_that_looks_at_the_first_key,
        ),
        trial_on_redis(
            "proxy_that_refuses_two_servers",
            proxy_that_refuses_two_servers,
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
        let keys = keys(cmd);
        if !self.looks_at_all && cmd.args_iter().next() == Some(Arg::Simple(b"MGET")) {
            // As every proxy does.
            let keys: Vec<_> = keys.into_iter().map(<[u8]>::to_vec).collect();
            return Box::pin(async move {
                let mut values = Vec::new();
                for key in keys {
                    let mut get = redis::cmd("GET");
                    get.arg(&key);
                    let server = &mut self.servers[place(&key)];
                    values.push(server.req_packed_command(&get).await?);
                }
                Ok(Value::Array(values))
            });
        }
        let places: Vec<_> = keys.into_iter().map(place).collect();
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

/// Logins fail there. But a live session is always on its owner's list.
async fn proxy_that_looks_at_the_first_key() {
    let servers = [RedisServer::start(), RedisServer::start()];
    let store = RedisStore::new(Proxy::before(&servers, false).await);
    let mut found = Vec::new();
    for number in 1..100 {
        let created = store.create(record(number)).await.unwrap();
        assert_eq!(created, CreateOutcome::Done);
        found.extend(
            store
                .load(&id(number))
                .await
                .unwrap()
                .map(|record| record.id),
        );
    }
    assert!((1..99).contains(&found.len()), "{} are there", found.len());
    let list = store.list(OWNER, EVERYTHING, NOW).await.unwrap();
    let listed: Vec<_> = list.iter().map(|record| record.id).collect();
    assert_eq!(listed, found);
    let deleted = store.delete_all(OWNER, None).await.unwrap();
    // What was written where it is not found, too.
    assert_eq!(deleted, 99);
    for id in found {
        assert_eq!(store.load(&id).await.unwrap(), None);
    }
}

/// There the script of a `delete_all` may run where half of the records are. All are deleted.
async fn proxy_that_refuses_two_servers() {
    let servers = [RedisServer::start(), RedisServer::start()];
    let store = RedisStore::new(Proxy::before(&servers, true).await);
    for owner in (0..8).map(|number| format!("app/{number}")) {
        for number in 0..40 {
            let created = store.create(record(number).of(&owner)).await;
            assert_eq!(created.unwrap(), CreateOutcome::Done);
        }
        let list = store.list(&owner, EVERYTHING, NOW).await.unwrap();
        assert_eq!(list.len(), 40);
        let updated = store.update(record(7).of(&owner), NOW).await;
        assert_eq!(updated.unwrap(), Outcome::Done);
        let deleted = store.delete(&id(8), None).await;
        assert_eq!(deleted.unwrap(), Outcome::Done);
        let deleted = store.delete_all(&owner, Some(id(9))).await;
        assert_eq!(deleted.unwrap(), 38);
        let list = store.list(&owner, EVERYTHING, NOW).await.unwrap();
        assert_eq!(list, [record(9).of(&owner)]);
        assert_eq!(store.delete_all(&owner, None).await.unwrap(), 1);
    }
}
