//! What the Redis store keeps under which keys, and for how long.

use std::sync::Arc;

use libtest_mimic::Trial;
use login_manager::{
    SessionStore as _,
    store::{Created, Family, Outcome, Page, Record, Which},
};
use redis::AsyncTypedCommands as _;

use crate::{
    redis_replace::both_worlds,
    redis_world::{
        EVERYTHING, HOUR, NOW, OWNER, World, index_key, one_of_many, record, record_key,
    },
    trial_on_redis,
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
        trial_on_redis("what_idled_out_is_struck", what_idled_out_is_struck),
        trial_on_redis("a_load_is_one_command", a_load_is_one_command),
        trial_on_redis(
            "a_logout_of_one_device_asks_for_no_others",
            a_logout_of_one_device_asks_for_no_others,
        ),
        trial_on_redis("many_sessions_of_one_owner", many_sessions_of_one_owner),
        trial_on_redis(
            "prefixes_keep_applications_apart",
            prefixes_keep_applications_apart,
        ),
    ]
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
    let now = world.clock().await;
    // What is left when Redis has dropped the records of sessions that idled out.
    for number in 1..=150_u8 {
        let gone = now - 2 * HOUR - i64::from(number);
        world.enlist(&record(number), 0, gone).await;
    }
    // Past its time, but by less than two servers' clocks may differ.
    world.enlist(&record(200), 0, now - HOUR / 2).await;

    world.create(&record(201)).await;
    assert_eq!(world.index().await.len(), 52, "a hundred at a time");
    world.create(&record(202)).await;
    assert_eq!(world.index().await, [[200; 32], [201; 32], [202; 32]]);
    // Neither a list nor a logout everywhere takes an entry away whose record may be on its way.
    assert_eq!(world.listed().await.len(), 2);
    assert_eq!(world.store.delete_all(OWNER, Which::All).await.unwrap(), 2);
    assert_eq!(world.index().await, [[200; 32]]);
}

/// An entry could stay for the ninety days that its record was allowed, and cost a question each time.
async fn what_idled_out_is_struck() {
    let family = record(250).family;
    for which in [None, Some(Which::All), Some(Which::Except(family))] {
        let world = World::new().await;
        let now = world.clock().await;
        let ninety_days = 90 * 24 * HOUR;
        // Made some seconds before the margin, and a minute after.
        for number in 1..=100 {
            let limit = now - HOUR - 1000 + ninety_days;
            world.enlist(&record(number), ninety_days, limit).await;
        }
        let limit = now - HOUR + 60_000 + ninety_days;
        world.enlist(&record(200), ninety_days, limit).await;
        world.create(&record(201)).await;
        // Two entries of one key, the older one of a create that came to nothing.
        let limit = now - HOUR - 1000 + ninety_days;
        world.enlist(&record(202), ninety_days, limit).await;
        world.create(&record(202)).await;
        assert_eq!(world.index().await.len(), 104);
        if let Some(which) = which {
            assert_eq!(world.store.delete_all(OWNER, which).await.unwrap(), 2);
            assert_eq!(world.index().await, [[200; 32]]);
        } else {
            assert_eq!(world.listed().await, [record(201).key, record(202).key]);
            let left = [[200; 32], [201; 32], [202; 32], [202; 32]];
            assert_eq!(world.index().await, left);
        }
    }
    // Old, and alive.
    let world = World::new().await;
    world.create(&record(1)).await;
    let entry: Vec<Vec<u8>> = world.redis(&["ZRANGE", &index_key(OWNER), "0", "-1"]).await;
    let mut make_old = redis::cmd("ZADD");
    make_old.arg(index_key(OWNER)).arg(1).arg(&entry);
    make_old.exec_async(&mut world.redis.clone()).await.unwrap();
    assert_eq!(world.listed().await, [record(1).key]);
    let deleted = world.store.delete_all(OWNER, Which::Only(family)).await;
    assert_eq!(deleted.unwrap(), 0);
    assert_eq!(world.index().await, [[1; 32]]);
    assert_eq!(world.store.delete_all(OWNER, Which::All).await.unwrap(), 1);
}

async fn a_logout_of_one_device_asks_for_no_others() {
    let [one, cluster] = both_worlds().await;
    let [many, many_in_a_cluster] = both_worlds().await;
    for (world, others, commands) in [
        (one, 0, [1, 1]),
        (many, 1000_u32, [1, 1]),
        // Read, delete, strike, read.
        (cluster, 0, [4, 1]),
        (many_in_a_cluster, 1000, [4, 1]),
    ] {
        world.warm_up().await;
        let limit = world.clock().await + 10 * HOUR;
        for number in 0..others {
            let other = one_of_many(number);
            world.enlist(&other, 10 * HOUR, limit).await;
        }
        let mine = Which::Only(record(2).family);
        world.create(&record(2)).await;
        world.wire.take_sent();
        assert_eq!(world.store.delete_all(OWNER, mine).await.unwrap(), 1);
        assert_eq!(world.wire.take_sent(), commands[0]);
        assert_eq!(world.store.delete_all(OWNER, mine).await.unwrap(), 0);
        assert_eq!(world.wire.take_sent(), commands[1]);
        let but_those = Which::Except(record(1).family);
        assert_eq!(world.store.delete_all(OWNER, but_those).await.unwrap(), 0);
        assert_eq!(world.wire.take_sent(), commands[1]);
    }
}

async fn a_load_is_one_command() {
    let world = World::new().await;
    world.warm_up().await;
    let (alice, key) = (record(1), record(1).key);
    world.create(&alice).await;
    assert_eq!(world.wire.take_sent(), 1, "create");
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

async fn many_sessions_of_one_owner() {
    let world = World::new().await;
    let mut keys = Vec::new();
    for number in 0..500_u32 {
        let family = Family::from_bytes([(number % 5) as u8; 16]);
        let record = Record {
            family,
            ..one_of_many(number)
        };
        keys.push(record.key);
        world.create(&record).await;
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
