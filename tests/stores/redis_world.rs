//! A Redis server that is nobody else's, and a store on it.

use std::sync::Arc;

use login_manager::{
    RedisStore, SessionStore as _,
    store::{Created, Family, Outcome, Page, Record, RecordKey, Replaced, Which},
};
use redis::{FromRedisValue, aio::MultiplexedConnection};
use sha2::{Digest as _, Sha256};

use crate::{redis_server::RedisServer, redis_wire::Wire};

pub(crate) const HOUR: i64 = 60 * 60 * 1000;
pub(crate) const NOW: i64 = 1_800_000_000_000;
pub(crate) const OWNER: &str = "app/alice";
pub(crate) const EVERYTHING: Page = Page {
    after: None,
    limit: usize::MAX,
};

/// A server that is nobody else's, and a store on it.
pub(crate) struct World {
    pub(crate) server: RedisServer,
    pub(crate) wire: Wire,
    pub(crate) store: RedisStore,
    /// Past the store, for a look at the keys and for changing them.
    pub(crate) redis: MultiplexedConnection,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::on(RedisServer::start()).await
    }

    /// On a cluster, where what takes two keys takes two steps.
    pub(crate) async fn in_steps() -> Self {
        Self::on(RedisServer::start_cluster()).await
    }

    async fn on(server: RedisServer) -> Self {
        let wire = Wire::to(&server.url()).await;
        let client = redis::Client::open(server.url()).unwrap();
        Self {
            store: RedisStore::new(wire.clone()),
            wire,
            redis: client.get_multiplexed_async_connection().await.unwrap(),
            server,
        }
    }

    /// Makes the server know the scripts and the store know the server, so that commands can be counted.
    pub(crate) async fn warm_up(&self) {
        let [first, other] = [251, 250].map(|number| record(number).of("app/nobody else"));
        self.create(&first).await;
        let replaced = self.store.replace(&first.key, 0, other.clone()).await;
        assert_eq!(replaced.unwrap(), Replaced::Done);
        let _ = self
            .store
            .update(&other.key, 0, Arc::from([]), NOW)
            .await
            .unwrap();
        let _ = self.store.touch(&other.key, NOW, NOW + HOUR).await.unwrap();
        let nobody = "app/nobody else";
        let listed = self.store.list(nobody, EVERYTHING, NOW).await.unwrap();
        assert_eq!(listed.len(), 1);
        let revoked = self.store.delete_all(nobody, Which::All).await;
        assert_eq!(revoked.unwrap(), 1);
        assert_eq!(
            self.store.delete(&other.key, None).await.unwrap(),
            Outcome::Gone
        );
        self.wire.take_sent();
    }

    pub(crate) async fn create(&self, record: &Record) {
        let created = self.store.create(record.clone()).await.unwrap();
        assert_eq!(created, Created::Done);
    }

    pub(crate) async fn listed(&self) -> Vec<RecordKey> {
        let list = self.store.list(OWNER, EVERYTHING, NOW).await.unwrap();
        list.iter().map(|record| record.key).collect()
    }

    /// A command that the store knows nothing of.
    pub(crate) async fn redis<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut self.redis.clone()).await.unwrap()
    }

    /// How long a key still lives.
    pub(crate) async fn lives(&self, key: &str) -> i64 {
        self.redis(&["PTTL", key]).await
    }

    /// Puts an entry on the index by hand, for a record that was to last so long at most and is gone at `limit`.
    pub(crate) async fn enlist(&self, record: &Record, longest: i64, limit: i64) {
        let key = record.key.as_bytes();
        let family = record.family.as_bytes();
        let mark = [0; 8];
        let entry = [&key[..], family, &mark, &longest.to_be_bytes()].concat();
        let mut add = redis::cmd("ZADD");
        let owner = record.owner.as_deref().unwrap();
        add.arg(index_key(owner)).arg(limit).arg(entry);
        add.exec_async(&mut self.redis.clone()).await.unwrap();
    }

    /// What the server's clock shows.
    pub(crate) async fn clock(&self) -> i64 {
        let (seconds, _): (i64, i64) = self.redis(&["TIME"]).await;
        seconds * 1000
    }

    /// All keys but the traces of deletions, which go within a minute.
    pub(crate) async fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        for key in self.redis::<Vec<String>>(&["KEYS", "*"]).await {
            let kind: String = self.redis(&["TYPE", &key]).await;
            if kind != "hash" || self.redis(&["HEXISTS", &key, "born"]).await {
                keys.push(key);
            }
        }
        keys.sort();
        keys
    }

    /// The keys of the entries, what is behind them cut off.
    pub(crate) async fn index(&self) -> Vec<[u8; 32]> {
        let index = index_key(OWNER);
        let mut command = redis::cmd("ZRANGE");
        command.arg(index).arg(0).arg(-1);
        let members = command.query_async(&mut self.redis.clone()).await;
        let members: Vec<Vec<u8>> = members.unwrap();
        let keys = members.iter().map(|member| *member.first_chunk().unwrap());
        let mut keys: Vec<_> = keys.collect();
        keys.sort();
        keys
    }
}

pub(crate) fn record(number: u8) -> Record {
    Record {
        key: RecordKey::from_bytes([number; 32]),
        family: Family::from_bytes([number; 16]),
        owner: Some(OWNER.into()),
        created: NOW,
        touched: NOW,
        expires: NOW + HOUR,
        ends: NOW + 10 * HOUR,
        version: 0,
        payload: Arc::from(*b"payload"),
    }
}

/// A record like [`record`], where 256 of them are too few.
pub(crate) fn one_of_many(number: u32) -> Record {
    let mut key = [0; 32];
    // In another order than that of the numbers.
    key[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_be_bytes());
    let key = RecordKey::from_bytes(key);
    Record { key, ..record(1) }
}

pub(crate) fn nobodys(number: u8) -> Record {
    Record {
        owner: None,
        ..record(number)
    }
}

pub(crate) trait Of {
    fn of(self, owner: &str) -> Self;
}

impl Of for Record {
    fn of(self, owner: &str) -> Self {
        let owner = Some(owner.into());
        Self { owner, ..self }
    }
}

pub(crate) fn record_key(record: &Record) -> String {
    format!("login:r:{}", hex(record.key.as_bytes()))
}

pub(crate) fn index_key(owner: &str) -> String {
    format!("login:o:{}", hex(&Sha256::digest(owner)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
