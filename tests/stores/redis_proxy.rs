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
    redis_world::{EVERYTHING, NOW, OWNER, record},
    trial_on_redis,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial_on_redis(
        "a_proxy_that_looks_at_the_first_key",
        a_proxy_that_looks_at_the_first_key,
    )]
}

#[derive(Clone)]
struct FirstKey([MultiplexedConnection; 2]);

impl ConnectionLike for FirstKey {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        let last = *keys(cmd)[0].last().unwrap();
        self.0[usize::from(last % 2)].req_packed_command(cmd)
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
    let connect = async |server: &RedisServer| {
        let client = redis::Client::open(server.url()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    };
    let store = RedisStore::new(FirstKey([
        connect(&servers[0]).await,
        connect(&servers[1]).await,
    ]));
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
    assert_eq!(deleted, there.len() as u64);
    for key in there {
        assert_eq!(store.load(&key).await.unwrap(), None);
    }
}
