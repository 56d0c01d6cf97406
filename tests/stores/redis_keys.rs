//! What the Redis store keeps under which keys, for how long, and in which order it writes them.

use std::sync::Arc;

use libtest_mimic::Trial;
use login_manager::{
    RedisStore, SessionStore as _,
    store::{Created, Family, Outcome, Page, Record, RecordKey, Which},
};
use redis::{AsyncTypedCommands as _, FromRedisValue, aio::MultiplexedConnection};
use sha2::{Digest as _, Sha256};

use crate::{redis_server::RedisServer, redis_wire::Wire, trial_on_redis};

const HOUR: i64 = 60 * 60 * 1000;
const NOW: i64 = 1_800_000_000_000;
const OWNER: &str = "app/alice";
const EVERYTHING: Page = Page {
    after: None,
    limit: usize::MAX,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial_on_redis("nothing_stays_for_ever", nothing_stays_for_ever),
        trial_on_redis("the_time_to_live_is_a_length", the_time_to_live_is_a_length),
        trial_on_redis(
            "the_times_farthest_off_are_exact",
            the_times_farthest_off_are_exact,
        ),
        trial_on_redis("a_login_clears_dead_entries", a_login_clears_dead_entries),
        trial_on_redis("a_load_is_one_command", a_load_is_one_command),
        trial_on_redis("delete_all_meets_a_create", delete_all_meets_a_create),
        trial_on_redis("a_create_meets_delete_all", a_create_meets_delete_all),
        trial_on_redis(
            "a_key_that_is_used_again_stays_listed",
            a_key_that_is_used_again_stays_listed,
        ),
        trial_on_redis(
            "a_dropped_create_is_no_record",
            a_dropped_create_is_no_record,
        ),
        trial_on_redis(
            "an_entry_leads_to_no_other_owner",
            an_entry_leads_to_no_other_owner,
        ),
        trial_on_redis(
            "a_repeated_command_counts_once",
            a_repeated_command_counts_once,
        ),
        trial_on_redis("many_sessions_of_one_owner", many_sessions_of_one_owner),
        trial_on_redis(
            "prefixes_keep_applications_apart",
            prefixes_keep_applications_apart,
        ),
    ]
}

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
        let server = RedisServer::start();
        let wire = Wire::to(&server.url()).await;
        let client = redis::Client::open(server.url()).unwrap();
        Self {
            store: RedisStore::new(wire.clone()),
            wire,
            redis: client.get_multiplexed_async_connection().await.unwrap(),
            server,
        }
    }

    /// Makes the server know the scripts, so that commands can be counted.
    async fn warm_up(&self) {
        let other = record(250).of("app/nobody else");
        self.create(&other).await;
        let _ = self
            .store
            .update(&other.key, 0, Arc::from([]), NOW)
            .await
            .unwrap();
        let _ = self.store.touch(&other.key, NOW, NOW + HOUR).await.unwrap();
        let revoked = self.store.delete_all("app/nobody else", Which::All).await;
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

    async fn listed(&self) -> Vec<RecordKey> {
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
    async fn lives(&self, key: &str) -> i64 {
        self.redis(&["PTTL", key]).await
    }

    /// The keys of the entries, the marks behind them cut off.
    async fn index(&self) -> Vec<[u8; 32]> {
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

trait Of {
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

/// Between two times to live, give or take what the test itself takes.
#[track_caller]
fn assert_about(lives: i64, promised: i64) {
    assert!(
        (promised - 60_000..=promised).contains(&lives),
        "{lives} is not {promised}"
    );
}

async fn nothing_stays_for_ever() {
    let world = World::new().await;
    let alice = record(1);
    let (key, index) = (record_key(&alice), index_key(OWNER));
    world.create(&alice).await;
    // An hour longer than needed, the index two.
    assert_about(world.lives(&key).await, 2 * HOUR);
    assert_about(world.lives(&index).await, 12 * HOUR);

    let touched = world
        .store
        .touch(&alice.key, NOW + HOUR / 2, NOW + 5 * HOUR);
    assert_eq!(touched.await.unwrap(), Outcome::Done);
    assert_about(world.lives(&key).await, 5 * HOUR + HOUR / 2);
    let updated = world
        .store
        .update(&alice.key, 0, Arc::from([1]), NOW + HOUR);
    assert_eq!(updated.await.unwrap(), Outcome::Done);
    assert_about(world.lives(&key).await, 5 * HOUR + HOUR / 2);
    // Not back, not even where a clock that is ahead says that little is left.
    let touched = world
        .store
        .touch(&alice.key, NOW + 4 * HOUR, NOW + 5 * HOUR);
    assert_eq!(touched.await.unwrap(), Outcome::Done);
    assert_about(world.lives(&key).await, 5 * HOUR + HOUR / 2);
    // Never beyond the record's end, whatever a clock says that is behind.
    let touched = world.store.touch(&alice.key, NOW - 90 * HOUR, i64::MAX);
    assert_eq!(touched.await.unwrap(), Outcome::Done);
    assert_about(world.lives(&key).await, 11 * HOUR);

    // Another session prolongs the index, never shortens it.
    for (number, hours, lives) in [(2, 3, 12), (3, 20, 22)] {
        let ends = NOW + hours * HOUR;
        world
            .create(&Record {
                ends,
                ..record(number)
            })
            .await;
        assert_about(world.lives(&index).await, lives * HOUR);
    }

    let nobodys = Record {
        owner: None,
        ..record(4)
    };
    world.create(&nobodys).await;
    assert_about(world.lives(&record_key(&nobodys)).await, 2 * HOUR);
    let touched = world.store.touch(&nobodys.key, NOW, i64::MAX).await;
    assert_eq!(touched.unwrap(), Outcome::Done);
    assert_about(world.lives(&record_key(&nobodys)).await, 11 * HOUR);

    let keys: Vec<String> = world.redis(&["KEYS", "*"]).await;
    for key in keys {
        assert!(world.lives(&key).await > 0, "{key} stays for ever");
    }
}

/// The callers' clock and the server's may be decades apart.
async fn the_time_to_live_is_a_length() {
    let world = World::new().await;
    for (number, now) in [(1, 0), (2, -NOW), (3, 3 * NOW)] {
        let far = Record {
            created: now,
            touched: now,
            expires: now + HOUR,
            ends: now + 10 * HOUR,
            ..record(number)
        };
        world.create(&far).await;
        assert_about(world.lives(&record_key(&far)).await, 2 * HOUR);
        assert_eq!(world.store.load(&far.key).await.unwrap(), Some(far.clone()));
        let list = world.store.list(OWNER, EVERYTHING, now).await.unwrap();
        assert!(list.contains(&far));
        let touched = world.store.touch(&far.key, now + HOUR - 1, now + 3 * HOUR);
        assert_eq!(touched.await.unwrap(), Outcome::Done);
        assert_about(world.lives(&record_key(&far)).await, 3 * HOUR + 1);
    }
}

async fn the_times_farthest_off_are_exact() {
    let world = World::new().await;
    let far = Record {
        created: i64::MIN,
        touched: i64::MIN,
        expires: i64::MAX - 3,
        ends: i64::MAX - 1,
        version: u64::MAX - 2,
        ..record(1)
    };
    world.create(&far).await;
    assert_eq!(world.store.load(&far.key).await.unwrap(), Some(far.clone()));
    let update = |version, now| world.store.update(&far.key, version, Arc::from([]), now);
    // Neighbours that are the same number to a double.
    assert_eq!(update(u64::MAX - 1, 0).await.unwrap(), Outcome::Conflict);
    assert_eq!(update(u64::MAX - 3, 0).await.unwrap(), Outcome::Conflict);
    assert_eq!(
        update(u64::MAX - 2, i64::MAX - 3).await.unwrap(),
        Outcome::Gone
    );
    assert_eq!(
        update(u64::MAX - 2, i64::MAX - 4).await.unwrap(),
        Outcome::Done
    );
    let touch = |now, expires| world.store.touch(&far.key, now, expires);
    assert_eq!(touch(i64::MAX - 3, 0).await.unwrap(), Outcome::Gone);
    for (now, expires, becomes) in [
        (i64::MIN, i64::MIN, i64::MAX - 3),
        (-1, i64::MAX - 4, i64::MAX - 3),
        (0, i64::MAX - 2, i64::MAX - 2),
        (i64::MAX - 4, i64::MAX, i64::MAX - 1),
    ] {
        assert_eq!(touch(now, expires).await.unwrap(), Outcome::Done);
        let found = world.store.load(&far.key).await.unwrap().unwrap();
        assert_eq!((found.touched, found.expires), (now, becomes));
    }
    assert_eq!(
        world.store.delete(&far.key, Some(u64::MAX)).await.unwrap(),
        Outcome::Conflict
    );
    assert_eq!(
        world
            .store
            .delete(&far.key, Some(u64::MAX - 1))
            .await
            .unwrap(),
        Outcome::Done
    );
    assert_eq!(world.index().await.len(), 0);
}

async fn a_login_clears_dead_entries() {
    let world = World::new().await;
    let (index, now) = (index_key(OWNER), server_clock(&world).await);
    // What is left when Redis has dropped the records of sessions that idled out.
    for number in 1..=150_u8 {
        let mut add = redis::cmd("ZADD");
        let gone = now - 2 * HOUR - i64::from(number);
        add.arg(&index).arg(gone).arg(&[number; 32]);
        add.exec_async(&mut world.redis.clone()).await.unwrap();
    }
    // Past its time, but by less than two servers' clocks may differ.
    let mut add = redis::cmd("ZADD");
    add.arg(&index).arg(now - HOUR / 2).arg(&[200_u8; 32]);
    add.exec_async(&mut world.redis.clone()).await.unwrap();

    world.create(&record(201)).await;
    assert_eq!(world.index().await.len(), 52, "a hundred at a time");
    world.create(&record(202)).await;
    assert_eq!(world.index().await, [[200; 32], [201; 32], [202; 32]]);
    // Neither a list nor a logout everywhere takes an entry away whose record may be on its way.
    assert_eq!(world.listed().await.len(), 2);
    assert_eq!(world.store.delete_all(OWNER, Which::All).await.unwrap(), 2);
    assert_eq!(world.index().await, [[200; 32]]);
}

async fn server_clock(world: &World) -> i64 {
    let (seconds, _): (i64, i64) = world.redis(&["TIME"]).await;
    seconds * 1000
}

async fn a_load_is_one_command() {
    let world = World::new().await;
    world.warm_up().await;
    let (alice, key) = (record(1), record(1).key);
    world.create(&alice).await;
    assert_eq!(world.wire.take_sent(), 2, "create");
    world
        .create(&Record {
            owner: None,
            ..record(2)
        })
        .await;
    assert_eq!(world.wire.take_sent(), 1, "create of nobody's");
    world.store.load(&key).await.unwrap().unwrap();
    assert_eq!(world.wire.take_sent(), 1, "load");
    let _ = world
        .store
        .update(&key, 0, Arc::from([]), NOW)
        .await
        .unwrap();
    assert_eq!(world.wire.take_sent(), 1, "update");
    let _ = world.store.touch(&key, NOW, NOW).await.unwrap();
    assert_eq!(world.wire.take_sent(), 1, "touch");
    world.listed().await;
    assert_eq!(world.wire.take_sent(), 2, "list of one");
    assert_eq!(world.store.delete_expired(NOW, 1).await.unwrap(), 0);
    assert_eq!(world.wire.take_sent(), 0, "delete_expired");
    let _ = world.store.delete(&key, None).await.unwrap();
    assert_eq!(world.wire.take_sent(), 2, "delete");
}

/// All of `delete_all` happens between the two writes of a `create`.
async fn delete_all_meets_a_create() {
    let world = World::new().await;
    world.warm_up().await;
    let gate = world.wire.gate_after(1);
    let store = world.store.clone();
    let creating = tokio::spawn(async move { store.create(record(1)).await.unwrap() });
    gate.reached().await;
    assert_eq!(world.store.delete_all(OWNER, Which::All).await.unwrap(), 0);
    assert_eq!(world.listed().await, []);
    gate.open();
    assert_eq!(creating.await.unwrap(), Created::Done);
    assert_eq!(
        world.listed().await,
        [record(1).key],
        "alive, so it is listed"
    );
    assert_eq!(world.store.delete_all(OWNER, Which::All).await.unwrap(), 1);
    assert_eq!(world.index().await.len(), 0);
}

/// All of a `create` happens within a `delete_all`, or a `delete`, of another session of the owner's.
async fn a_create_meets_delete_all() {
    // After the index was read; after the record is gone and before its entry is.
    for commands in [1, 2] {
        let world = World::new().await;
        world.warm_up().await;
        world.create(&record(1)).await;
        let gate = world.wire.gate_after(commands);
        let store = world.store.clone();
        let deleting =
            tokio::spawn(async move { store.delete_all(OWNER, Which::All).await.unwrap() });
        gate.reached().await;
        world.create(&record(2)).await;
        gate.open();
        assert_eq!(deleting.await.unwrap(), 1);
        assert_eq!(world.listed().await, [record(2).key]);
        assert_eq!(world.index().await, [[2; 32]]);
    }
    let world = World::new().await;
    world.warm_up().await;
    world.create(&record(1)).await;
    let gate = world.wire.gate_after(1);
    let store = world.store.clone();
    let deleting = tokio::spawn(async move { store.delete(&record(1).key, None).await.unwrap() });
    gate.reached().await;
    world.create(&record(2)).await;
    assert_eq!(world.listed().await, [record(2).key]);
    gate.open();
    assert_eq!(deleting.await.unwrap(), Outcome::Done);
    assert_eq!(world.index().await, [[2; 32]]);
}

/// A key is used again while its last record is being taken off the index.
async fn a_key_that_is_used_again_stays_listed() {
    for all in [false, true] {
        let world = World::new().await;
        world.warm_up().await;
        world.create(&record(1)).await;
        let gate = world.wire.gate_after(1 + usize::from(all));
        let store = world.store.clone();
        let deleting = tokio::spawn(async move {
            if all {
                assert_eq!(store.delete_all(OWNER, Which::All).await.unwrap(), 1);
            } else {
                let deleted = store.delete(&record(1).key, None).await;
                assert_eq!(deleted.unwrap(), Outcome::Done);
            }
        });
        gate.reached().await;
        world.create(&record(1)).await;
        assert_eq!(world.listed().await, [record(1).key], "once");
        gate.open();
        deleting.await.unwrap();
        assert_eq!(world.listed().await, [record(1).key]);
        assert_eq!(world.index().await, [[1; 32]]);
    }
    // Two creates of one key: the first is between its two writes while the second is made and revoked.
    let world = World::new().await;
    world.warm_up().await;
    let gate = world.wire.gate_after(1);
    let store = world.store.clone();
    let creating = tokio::spawn(async move { store.create(record(1)).await.unwrap() });
    gate.reached().await;
    world.create(&record(1)).await;
    assert_eq!(world.listed().await, [record(1).key], "once");
    assert_eq!(world.store.delete_all(OWNER, Which::All).await.unwrap(), 1);
    gate.open();
    assert_eq!(creating.await.unwrap(), Created::Done);
    assert_eq!(world.listed().await, [record(1).key]);
}

async fn a_dropped_create_is_no_record() {
    let world = World::new().await;
    world.warm_up().await;
    let gate = world.wire.gate_after(1);
    let create = world.store.create(record(1));
    tokio::select! {
        _ = create => panic!("it waits at the gate"),
        () = gate.reached() => {}
    }
    assert_eq!(world.index().await, [[1; 32]]);
    assert_eq!(world.store.load(&record(1).key).await.unwrap(), None);
    assert_eq!(world.listed().await, []);
    world.create(&record(1)).await;
    assert_eq!(world.listed().await, [record(1).key]);
}

async fn an_entry_leads_to_no_other_owner() {
    let world = World::new().await;
    world.create(&record(1)).await;
    let other = record(1).of("app/bob");
    assert_eq!(world.store.create(other).await.unwrap(), Created::Exists);
    let list = world.store.list("app/bob", EVERYTHING, NOW).await.unwrap();
    assert_eq!(list, []);
    assert_eq!(
        world.store.delete_all("app/bob", Which::All).await.unwrap(),
        0
    );
    // A create that came too late takes its entry back.
    assert_eq!(
        world.store.create(record(1)).await.unwrap(),
        Created::Exists
    );
    assert_eq!(world.index().await, [[1; 32]]);
    let left: Vec<String> = world.redis(&["KEYS", "*"]).await;
    assert_eq!(left.len(), 2, "{left:?}");
    // One that died before it could.
    let mut add = redis::cmd("ZADD");
    add.arg(index_key("app/bob")).arg(1).arg(&[1_u8; 48]);
    add.exec_async(&mut world.redis.clone()).await.unwrap();
    let list = world.store.list("app/bob", EVERYTHING, NOW).await.unwrap();
    assert_eq!(list, []);
    let deleted = world.store.delete_all("app/bob", Which::All).await;
    assert_eq!(deleted.unwrap(), 0);
    assert_eq!(world.listed().await, [record(1).key]);
}

async fn a_repeated_command_counts_once() {
    let world = World::new().await;
    world.wire.repeat();
    let key = record(1).key;
    world.create(&record(1)).await;
    assert_eq!(
        world.store.create(record(1)).await.unwrap(),
        Created::Exists
    );
    let update = |version| world.store.update(&key, version, Arc::from(*b"same"), NOW);
    assert_eq!(update(0).await.unwrap(), Outcome::Done);
    assert_eq!(update(0).await.unwrap(), Outcome::Conflict);
    assert_eq!(update(1).await.unwrap(), Outcome::Done);
    assert_eq!(world.store.load(&key).await.unwrap().unwrap().version, 2);
    assert_eq!(
        world.store.touch(&key, NOW, NOW).await.unwrap(),
        Outcome::Done
    );
    // Nothing is left that could remember it.
    assert_eq!(world.store.delete(&key, None).await.unwrap(), Outcome::Gone);
    assert_eq!(world.store.load(&key).await.unwrap(), None);
}

async fn many_sessions_of_one_owner() {
    let world = World::new().await;
    let mut keys = Vec::new();
    for number in 0..500_u32 {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_be_bytes());
        keys.push(RecordKey::from_bytes(key));
        let family = Family::from_bytes([(number % 5) as u8; 16]);
        let key = RecordKey::from_bytes(key);
        world
            .create(&Record {
                key,
                family,
                ..record(1)
            })
            .await;
    }
    keys.sort();
    assert_eq!(world.listed().await, keys);
    let mut paged = Vec::new();
    loop {
        let page = Page {
            after: paged.last().copied(),
            limit: 70,
        };
        let list = world.store.list(OWNER, page, NOW).await.unwrap();
        paged.extend(list.iter().map(|record| record.key));
        if list.len() < 70 {
            break;
        }
    }
    assert_eq!(paged, keys);
    let delete = |which| world.store.delete_all(OWNER, which);
    assert_eq!(
        delete(Which::Only(Family::from_bytes([3; 16])))
            .await
            .unwrap(),
        100
    );
    assert_eq!(
        delete(Which::Except(Family::from_bytes([1; 16])))
            .await
            .unwrap(),
        300
    );
    assert_eq!(world.index().await.len(), 100);
    assert_eq!(delete(Which::All).await.unwrap(), 100);
    assert!(!world.redis.clone().exists(index_key(OWNER)).await.unwrap());
}

async fn prefixes_keep_applications_apart() {
    let world = World::new().await;
    world.create(&record(1)).await;
    for prefix in ["login:o:", "l", "login", "a/b.c-d_e:"] {
        let other = world.store.clone().with_prefix(prefix).unwrap();
        assert_eq!(other.load(&record(1).key).await.unwrap(), None);
        assert_eq!(other.create(record(1)).await.unwrap(), Created::Done);
        assert_eq!(other.delete_all(OWNER, Which::All).await.unwrap(), 1);
    }
    assert_eq!(world.listed().await, [record(1).key]);
    for refused in ["", "{a}", "a*", "a b", "a\n", "é", &"a".repeat(65)] {
        let error = world.store.clone().with_prefix(refused).unwrap_err();
        assert!(error.to_string().contains("with_prefix"), "{error}");
    }
    let debug = format!("{:?}", world.store);
    assert_eq!(debug, r#"RedisStore { prefix: "login:", .. }"#);
}
