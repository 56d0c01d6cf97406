//! A Redis server of the test's own, and a store on it.

use std::sync::Arc;

use login_manager::{
    RedisStore, SessionStore as _,
    store::{CreateOutcome, Outcome, Page, SessionId, SessionRecord},
};
use redis::{FromRedisValue, ToRedisArgs, aio::MultiplexedConnection};
use sha2::{Digest as _, Sha256};

use crate::{redis_server::RedisServer, redis_wire::Wire};

pub(crate) const HOUR: i64 = 60 * 60 * 1000;
pub(crate) const NOW: i64 = 1_800_000_000_000;
pub(crate) const OWNER: &str = "app/alice";
pub(crate) const EVERYTHING: Page = Page {
    after: None,
    limit: usize::MAX,
};

/// No more arguments of a command.
pub(crate) const NONE: &[&str] = &[];

pub(crate) struct World {
    pub(crate) server: RedisServer,
    pub(crate) wire: Wire,
    pub(crate) store: RedisStore,
    /// Past the store, to look at the keys and to change them.
    pub(crate) redis: MultiplexedConnection,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::on(RedisServer::start()).await
    }

    /// On a cluster, where each command has one key.
    pub(crate) async fn with_single_keys() -> Self {
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

    /// Loads the scripts and lets the store learn about the server, so that commands can be
    /// counted.
    pub(crate) async fn warm_up(&self) {
        let bob = "app/bob";
        let [first, other] = [251, 250].map(|number| record(number).of(bob));
        let (id, end) = (first.id, first.ends + HOUR);
        self.create(&first).await;
        self.create(&other).await;
        let longer = SessionRecord { ends: end, ..first };
        let updated = self.store.update(longer, NOW).await;
        assert_eq!(updated.unwrap(), Outcome::Done);
        let touched = self.store.touch(&id, NOW, NOW + HOUR).await;
        assert_eq!(touched.unwrap(), Outcome::Done);
        let listed = self.store.list(bob, EVERYTHING, NOW).await.unwrap();
        assert_eq!(listed.len(), 2);
        let deleted = self.store.delete(&id, None).await;
        assert_eq!(deleted.unwrap(), Outcome::Done);
        let deleted = self.store.delete_all(bob, None).await;
        assert_eq!(deleted.unwrap(), 1);
        self.wire.take_sent();
    }

    pub(crate) async fn create(&self, record: &SessionRecord) {
        let created = self.store.create(record.clone()).await.unwrap();
        assert_eq!(created, CreateOutcome::Done);
    }

    pub(crate) async fn load(&self, id: SessionId) -> Option<SessionRecord> {
        self.store.load(&id).await.unwrap()
    }

    pub(crate) async fn update(&self, record: &SessionRecord) -> Outcome {
        self.store.update(record.clone(), NOW).await.unwrap()
    }

    pub(crate) async fn touch(&self, id: SessionId, now: i64, expires: i64) -> Outcome {
        self.store.touch(&id, now, expires).await.unwrap()
    }

    pub(crate) async fn delete(&self, id: SessionId, version: Option<u64>) -> Outcome {
        self.store.delete(&id, version).await.unwrap()
    }

    pub(crate) async fn delete_all(&self) -> u64 {
        self.store.delete_all(OWNER, None).await.unwrap()
    }

    pub(crate) async fn listed(&self) -> Vec<SessionId> {
        let list = self.store.list(OWNER, EVERYTHING, NOW).await.unwrap();
        list.iter().map(|record| record.id).collect()
    }

    /// A command past the store.
    pub(crate) async fn redis<T: FromRedisValue>(
        &self,
        name: &str,
        key: impl ToRedisArgs,
        rest: impl ToRedisArgs,
    ) -> T {
        let mut command = redis::cmd(name);
        command.arg(key).arg(rest);
        command.query_async(&mut self.redis.clone()).await.unwrap()
    }

    /// How long a key still lives.
    pub(crate) async fn lives(&self, key: &[u8]) -> i64 {
        self.redis("PTTL", key, NONE).await
    }

    /// Adds an entry to the index by hand: made so long ago, and with a limit so far from now.
    pub(crate) async fn add_entry(&self, record: &SessionRecord, age: i64, limit: i64) {
        self.add_entries([record.clone()], age, limit).await;
    }

    pub(crate) async fn add_entries(
        &self,
        records: impl IntoIterator<Item = SessionRecord>,
        age: i64,
        limit: i64,
    ) {
        let now = self.clock().await;
        let seconds = |at: i64| (at / 1000).to_be_bytes()[3..].to_vec();
        let stamp = [seconds(now - age), seconds(now + limit)].concat();
        let entry = |record: SessionRecord| (0, [&record.id.as_bytes()[..], &stamp].concat());
        let entries: Vec<_> = records.into_iter().map(entry).collect();
        let _: i64 = self.redis("ZADD", index_key(OWNER), entries).await;
    }

    /// The server's clock.
    pub(crate) async fn clock(&self) -> i64 {
        let (seconds, _): (i64, i64) = self.redis("TIME", NONE, NONE).await;
        seconds * 1000
    }

    pub(crate) async fn keys(&self) -> Vec<Vec<u8>> {
        let mut keys: Vec<Vec<u8>> = self.redis("KEYS", "*", NONE).await;
        keys.sort();
        keys
    }

    /// The ids on the owner's index.
    pub(crate) async fn index(&self) -> Vec<SessionId> {
        let entries = self.entries().await;
        let ids = entries.iter().map(|entry| entry[..16].try_into().unwrap());
        ids.map(SessionId::from_bytes).collect()
    }

    /// How long the only entry on the owner's index protects its record.
    pub(crate) async fn limit(&self) -> i64 {
        let [entry] = &self.entries().await[..] else {
            panic!("one entry")
        };
        let mut limit = [0; 8];
        limit[3..].copy_from_slice(&entry[21..]);
        i64::from_be_bytes(limit) * 1000 - self.clock().await
    }

    async fn entries(&self) -> Vec<Vec<u8>> {
        self.redis("ZRANGE", index_key(OWNER), (0, -1)).await
    }
}

pub(crate) fn id(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

pub(crate) fn record(number: u8) -> SessionRecord {
    SessionRecord {
        id: id(number),
        owner: Some(OWNER.into()),
        version: 0,
        created: NOW,
        touched: NOW,
        expires: NOW + HOUR,
        ends: NOW + 10 * HOUR,
        payload: Arc::from(*b"payload"),
    }
}

/// A record like [`record`], for tests that need more than 256.
pub(crate) fn one_of_many(number: u32) -> SessionRecord {
    let mut id = [0; 16];
    // In another order than that of the numbers.
    id[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_be_bytes());
    let id = SessionId::from_bytes(id);
    SessionRecord { id, ..record(1) }
}

pub(crate) trait Of {
    fn of(self, owner: &str) -> Self;
}

impl Of for SessionRecord {
    fn of(self, owner: &str) -> Self {
        let owner = Some(owner.into());
        Self { owner, ..self }
    }
}

pub(crate) fn record_key(id: SessionId) -> Vec<u8> {
    [b"login:r:", &id.as_bytes()[..]].concat()
}

pub(crate) fn index_key(owner: &str) -> Vec<u8> {
    [b"login:o:", &Sha256::digest(owner)[..16]].concat()
}
