//! The keys of the Redis store, how long they live, and what a call costs.

use std::sync::Arc;

use libtest_mimic::Trial;
use login_manager::{
    SessionStore as _,
    store::{CreateOutcome, Outcome, Page, SessionRecord},
};

use crate::{
    redis_world::{
        EVERYTHING, HOUR, NONE, NOW, OWNER, Of as _, World, id, index_key, one_of_many, record,
        record_key,
    },
    trial_on_redis,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial_on_redis("every_key_expires", every_key_expires),
        trial_on_redis(
            "lifetimes_do_not_depend_on_clocks",
            lifetimes_do_not_depend_on_clocks,
        ),
        trial_on_redis("extreme_numbers_are_exact", extreme_numbers_are_exact),
        trial_on_redis(
            "index_outlives_an_end_that_is_raised",
            index_outlives_an_end_that_is_raised,
        ),
        trial_on_redis(
            "logins_remove_entries_past_their_limit",
            logins_remove_entries_past_their_limit,
        ),
        trial_on_redis(
            "settled_entries_without_record_are_pruned",
            settled_entries_without_record_are_pruned,
        ),
        trial_on_redis("calls_cost_one_round_trip", calls_cost_one_round_trip),
        trial_on_redis("scripts_run_few_commands", scripts_run_few_commands),
        trial_on_redis(
            "sessions_take_less_than_500_bytes",
            sessions_take_less_than_500_bytes,
        ),
        trial_on_redis("lists_take_linear_time", lists_take_linear_time),
        trial_on_redis(
            "deleting_any_leaves_other_applications_alone",
            deleting_any_leaves_other_applications_alone,
        ),
        trial_on_redis(
            "sessions_left_by_deleting_any_are_in_their_lists",
            sessions_left_by_deleting_any_are_in_their_lists,
        ),
        trial_on_redis(
            "deleting_any_is_refused_in_a_cluster",
            deleting_any_is_refused_in_a_cluster,
        ),
        trial_on_redis(
            "prefixes_keep_applications_apart",
            prefixes_keep_applications_apart,
        ),
    ]
}

/// Within a minute below a lifetime, which is what the test itself takes.
#[track_caller]
fn assert_about(lives: i64, expected: i64) {
    // A limit is rounded up to seconds.
    let accepted = expected - 60_000..=expected + 1000;
    assert!(accepted.contains(&lives), "{lives} is not {expected}");
}

async fn every_key_expires() {
    let world = World::new().await;
    let (key, index) = (record_key(id(1)), index_key(OWNER));
    world.create(&record(1)).await;
    // An hour longer than needed, the index two.
    assert_about(world.lives(&key).await, 2 * HOUR);
    assert_about(world.lives(&index).await, 12 * HOUR);

    let touch = |now, expires| world.touch(id(1), now, expires);
    assert_eq!(touch(NOW + HOUR / 2, NOW + 5 * HOUR).await, Outcome::Done);
    assert_about(world.lives(&key).await, 5 * HOUR + HOUR / 2);
    // Not back, even if a clock that is ahead says that little is left.
    assert_eq!(touch(NOW + 4 * HOUR, NOW + 5 * HOUR).await, Outcome::Done);
    assert_about(world.lives(&key).await, 5 * HOUR + HOUR / 2);
    // Never beyond the end, even if a clock is far behind.
    assert_eq!(touch(NOW - 90 * HOUR, i64::MAX).await, Outcome::Done);
    assert_about(world.lives(&key).await, 11 * HOUR);

    // An update sets what it says, also less.
    assert_eq!(world.update(&record(1)).await, Outcome::Done);
    assert_about(world.lives(&key).await, 2 * HOUR);

    // Another session prolongs the index, never shortens it.
    for (number, hours, lives) in [(2, 3, 12), (3, 20, 22)] {
        let ends = NOW + hours * HOUR;
        let other = SessionRecord {
            ends,
            ..record(number)
        };
        world.create(&other).await;
        assert_about(world.lives(&index).await, lives * HOUR);
    }

    let anonymous = SessionRecord {
        owner: None,
        ..record(4)
    };
    world.create(&anonymous).await;
    assert_about(world.lives(&record_key(id(4))).await, 2 * HOUR);
    assert_eq!(world.touch(id(4), NOW, i64::MAX).await, Outcome::Done);
    assert_about(world.lives(&record_key(id(4))).await, 11 * HOUR);
    let longer = SessionRecord {
        expires: NOW + 30 * HOUR,
        ends: NOW + 30 * HOUR,
        ..anonymous
    };
    assert_eq!(world.update(&longer).await, Outcome::Done);
    assert_about(world.lives(&record_key(id(4))).await, 31 * HOUR);

    let keys = world.keys().await;
    assert_eq!(keys.len(), 5);
    for key in keys {
        assert!(world.lives(&key).await > 0, "{key:?} stays for ever");
    }
}

/// The clocks of the callers and of the server may be decades apart.
async fn lifetimes_do_not_depend_on_clocks() {
    let world = World::new().await;
    for (number, now) in [(1, 0), (2, -NOW), (3, 3 * NOW)] {
        let far = SessionRecord {
            created: now,
            touched: now,
            expires: now + HOUR,
            ends: now + 10 * HOUR,
            ..record(number)
        };
        world.create(&far).await;
        assert_about(world.lives(&record_key(far.id)).await, 2 * HOUR);
        assert_eq!(world.load(far.id).await, Some(far.clone()));
        let list = world.store.list(OWNER, EVERYTHING, now).await.unwrap();
        assert!(list.contains(&far));
        let touched = world.touch(far.id, now + HOUR - 1, now + 3 * HOUR).await;
        assert_eq!(touched, Outcome::Done);
        assert_about(world.lives(&record_key(far.id)).await, 3 * HOUR + 1);
    }
}

/// Neighbours that are the same number to a double.
async fn extreme_numbers_are_exact() {
    let world = World::new().await;
    let far = SessionRecord {
        created: i64::MIN,
        touched: i64::MIN,
        expires: i64::MAX - 3,
        ends: i64::MAX - 1,
        version: u64::MAX - 2,
        ..record(1)
    };
    world.create(&far).await;
    assert_eq!(world.load(far.id).await, Some(far.clone()));
    let update = async |version, now| {
        let new = SessionRecord {
            version,
            ..far.clone()
        };
        world.store.update(new, now).await.unwrap()
    };
    assert_eq!(update(u64::MAX - 1, 0).await, Outcome::Conflict);
    assert_eq!(update(u64::MAX - 3, 0).await, Outcome::Conflict);
    assert_eq!(update(u64::MAX - 2, i64::MAX - 3).await, Outcome::Gone);
    assert_eq!(update(u64::MAX - 2, i64::MAX - 4).await, Outcome::Done);
    let touch = |now, expires| world.touch(far.id, now, expires);
    assert_eq!(touch(i64::MAX - 3, 0).await, Outcome::Gone);
    for (now, expires, becomes) in [
        (i64::MIN, i64::MIN, (i64::MIN, i64::MAX - 3)),
        (-1, i64::MAX - 4, (-1, i64::MAX - 3)),
        (-2, i64::MAX - 2, (-1, i64::MAX - 2)),
        (i64::MAX - 4, i64::MAX, (i64::MAX - 4, i64::MAX - 1)),
    ] {
        assert_eq!(touch(now, expires).await, Outcome::Done);
        let found = world.load(far.id).await.unwrap();
        assert_eq!((found.touched, found.expires), becomes);
    }
    let delete = |version| world.delete(far.id, Some(version));
    assert_eq!(delete(u64::MAX).await, Outcome::Conflict);
    assert_eq!(delete(u64::MAX - 1).await, Outcome::Done);
    assert_eq!(world.index().await, []);
}

/// A restored login ends later than the record did when it was created.
async fn index_outlives_an_end_that_is_raised() {
    for world in [World::new().await, World::with_single_keys().await] {
        world.warm_up().await;
        world.create(&record(1)).await;
        let longer = SessionRecord {
            expires: NOW + 48 * HOUR,
            ends: NOW + 90 * HOUR,
            ..record(1)
        };
        assert_eq!(world.update(&longer).await, Outcome::Done);
        assert_about(world.lives(&record_key(id(1))).await, 49 * HOUR);
        assert_about(world.lives(&index_key(OWNER)).await, 92 * HOUR);
        assert_eq!(world.touch(id(1), NOW, i64::MAX).await, Outcome::Done);
        assert_about(world.lives(&record_key(id(1))).await, 91 * HOUR);
        assert!(world.limit().await > 90 * HOUR);

        // Lowered, nothing is to be done: the entry may live longer.
        let shorter = SessionRecord {
            version: 1,
            ..record(1)
        };
        assert_eq!(world.update(&shorter).await, Outcome::Done);
        assert_about(world.lives(&record_key(id(1))).await, 2 * HOUR);
        assert_about(world.lives(&index_key(OWNER)).await, 92 * HOUR);
        assert_eq!(world.delete(id(1), None).await, Outcome::Done);
        assert_eq!(world.index().await, []);
    }
}

async fn logins_remove_entries_past_their_limit() {
    let world = World::new().await;
    // Left over when Redis removed the records of sessions that idled out.
    let gone = (0..100).map(one_of_many);
    world.add_entries(gone, 20 * HOUR, -2 * HOUR).await;
    // Past its limit, but by less than the clocks of two servers may differ.
    world.add_entry(&record(200), 20 * HOUR, -HOUR / 2).await;
    for number in 1000..1100 {
        world.create(&one_of_many(number)).await;
    }
    let index = world.index().await;
    assert!(index.len() <= 106, "{} entries", index.len());
    assert!(index.contains(&id(200)));
    assert_eq!(world.listed().await.len(), 100);
}

/// An entry could stay for the ninety days that its record may last, and cost a lookup in each
/// list.
async fn settled_entries_without_record_are_pruned() {
    for deletes in [false, true] {
        let world = World::new().await;
        // More than a script can pass to a command.
        let gone = (0..9000).map(one_of_many);
        world.add_entries(gone, 2 * HOUR + 2000, 90 * HOUR).await;
        // The record may be on its way.
        world
            .add_entry(&record(200), 2 * HOUR - 60_000, 90 * HOUR)
            .await;
        world.create(&record(201)).await;
        if deletes {
            assert_eq!(world.delete_all().await, 1);
            assert_eq!(world.index().await, [id(200)]);
        } else {
            assert_eq!(world.listed().await, [id(201)]);
            assert_eq!(world.index().await, [id(200), id(201)]);
        }
    }
    // Old, but its record is still there.
    let world = World::new().await;
    world.create(&record(1)).await;
    let _: i64 = world.redis("DEL", index_key(OWNER), NONE).await;
    world.add_entry(&record(1), 50 * HOUR, HOUR).await;
    assert_eq!(world.listed().await, [id(1)]);
    assert_eq!(world.index().await, [id(1)]);
    assert_eq!(world.delete_all().await, 1);
    assert_eq!(world.keys().await.len(), 0);
}

async fn calls_cost_one_round_trip() {
    let one = World::new().await;
    let cluster = World::with_single_keys().await;
    for (world, create, raise, list, delete) in [(one, 1, 1, 2, 1), (cluster, 2, 3, 2, 1)] {
        world.warm_up().await;
        let sent = || world.wire.take_sent();
        world.create(&record(1)).await;
        assert_eq!(sent(), create, "create");
        let anonymous = SessionRecord {
            owner: None,
            ..record(2)
        };
        world.create(&anonymous).await;
        assert_eq!(sent(), 1, "create of an anonymous session");
        world.load(id(1)).await.unwrap();
        assert_eq!(sent(), 1, "load");
        assert_eq!(world.touch(id(1), NOW, NOW).await, Outcome::Done);
        assert_eq!(sent(), 1, "touch");
        assert_eq!(world.update(&record(1)).await, Outcome::Done);
        assert_eq!(sent(), 1, "update");
        let longer = SessionRecord {
            version: 1,
            ends: NOW + 20 * HOUR,
            ..record(1)
        };
        assert_eq!(world.update(&longer).await, Outcome::Done);
        assert_eq!(sent(), raise, "update that raises the end");
        world.listed().await;
        assert_eq!(sent(), list, "list");
        assert_eq!(world.store.delete_expired(NOW, 1).await.unwrap(), 0);
        assert_eq!(sent(), 0, "delete_expired");
        assert_eq!(world.delete(id(1), None).await, Outcome::Done);
        assert_eq!(sent(), delete, "delete");
        for number in 3..=250 {
            world.create(&record(number)).await;
        }
        sent();
        assert_eq!(world.delete_all().await, 248);
        if delete == 1 && create == 1 {
            assert_eq!(sent(), 1, "delete_all");
        }
    }
}

/// Counted by the server: what runs in a script is what it costs.
async fn scripts_run_few_commands() {
    let world = World::new().await;
    world.warm_up().await;
    let commands = async || {
        let stats: String = world.redis("INFO", "commandstats", NONE).await;
        let calls = stats.lines().filter_map(|line| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            let calls: usize = rest.split(',').next()?.parse().ok()?;
            (name != "info").then_some(calls)
        });
        calls.sum::<usize>()
    };
    let mut before = commands().await;
    let mut since = async || {
        let now = commands().await;
        now - std::mem::replace(&mut before, now)
    };
    world.create(&record(1)).await;
    // EVALSHA, TIME, PTTL, ZADD, PEXPIREAT, SET.
    assert_eq!(since().await, 6, "login");
    world.create(&record(2)).await;
    // The same, ZRANGEBYLEX, and PEXPIREAT only in a new second.
    assert!((6..=7).contains(&since().await), "second login");
    world.load(id(1)).await.unwrap();
    // GET.
    assert_eq!(since().await, 1, "guarded request");
    assert_eq!(world.delete(id(1), None).await, Outcome::Done);
    // EVALSHA, GETRANGE, DEL, ZREMRANGEBYLEX.
    assert_eq!(since().await, 4, "logout");
    assert_eq!(world.touch(id(2), NOW, NOW).await, Outcome::Done);
    // EVALSHA, GETRANGE, SETRANGE, TIME, PTTL, and PEXPIREAT if it lives longer now.
    assert!((5..=6).contains(&since().await), "touch");
    assert_eq!(world.update(&record(2)).await, Outcome::Done);
    // EVALSHA, GETRANGE three times, TIME, SET.
    assert_eq!(since().await, 6, "update");
}

async fn sessions_take_less_than_500_bytes() {
    let world = World::new().await;
    for owners in [1_u32, 10, 100] {
        let mut bytes = 0;
        for number in 0..1000 {
            let session = SessionRecord {
                payload: Arc::from([b'p'; 163]),
                ..one_of_many(number)
            }
            .of(&format!("account/{}", number % owners));
            world.create(&session).await;
            bytes += world
                .redis::<usize>("MEMORY", "USAGE", record_key(session.id))
                .await;
        }
        for owner in 0..owners {
            let owner = format!("account/{owner}");
            let of_index = ("USAGE", index_key(&owner), "SAMPLES", 0);
            let mut command = redis::cmd("MEMORY");
            command.arg(of_index);
            let of_index: usize = command.query_async(&mut world.redis.clone()).await.unwrap();
            bytes += of_index;
            let _ = world.store.delete_all(&owner, None).await.unwrap();
        }
        let each = bytes / 1000;
        assert!(each <= 500, "{owners} owners: {each} bytes");
        assert_eq!(world.keys().await.len(), 0);
    }
}

/// Ten times the sessions are ten times the commands, whatever the page.
async fn lists_take_linear_time() {
    let world = World::new().await;
    world.warm_up().await;
    let mut ids = Vec::new();
    for number in 0..10_000 {
        ids.push(one_of_many(number).id);
        world.create(&one_of_many(number)).await;
        if [1000, 10_000].contains(&ids.len()) {
            world.wire.take_sent();
            let mut paged = Vec::new();
            loop {
                let page = Page {
                    after: paged.last().copied(),
                    limit: 100,
                };
                let list = world.store.list(OWNER, page, NOW).await.unwrap();
                paged.extend(list.iter().map(|record| record.id));
                if list.len() < page.limit {
                    break;
                }
            }
            // Each page once to its index and once to its records, and the empty page at the end.
            assert_eq!(world.wire.take_sent(), ids.len() / 50 + 1);
            let mut sorted = ids.clone();
            sorted.sort();
            assert_eq!(paged, sorted);
            assert_eq!(world.listed().await, sorted);
        }
    }
    world.wire.take_sent();
    let keep = ids[4321];
    let deleted = world.store.delete_all(OWNER, Some(keep)).await.unwrap();
    assert_eq!(deleted, 9999);
    assert!(world.wire.take_sent() <= 11);
    assert_eq!(world.listed().await, [keep]);
}

async fn deleting_any_leaves_other_applications_alone() {
    let world = World::new().await;
    let mut others = Vec::new();
    for prefix in ["log", "login:o:", "login:r:x"] {
        let other = world.store.clone().with_prefix(prefix).unwrap();
        assert_eq!(other.create(record(1)).await.unwrap(), CreateOutcome::Done);
        others.push(other);
    }
    let foreign = [
        "login:attempts:alice",
        "login:r:short",
        "login:r:much longer than an id",
    ];
    for key in foreign {
        let _: () = world.redis("SET", key, "1").await;
    }
    for number in 1..=30 {
        world.create(&record(number)).await;
    }
    let mut deleted = 0;
    for _ in 0..30 {
        deleted += world.store.delete_any(7).await.unwrap();
    }
    assert_eq!(deleted, 30);
    assert_eq!(world.listed().await, []);
    for other in others {
        assert!(other.load(&id(1)).await.unwrap().is_some());
        assert_eq!(other.delete_all(OWNER, None).await.unwrap(), 1);
    }
    for key in foreign {
        let kept: bool = world.redis("EXISTS", key, NONE).await;
        assert!(kept, "{key}");
    }
}

/// Also if it ended half-way, and for a login that happened meanwhile.
async fn sessions_left_by_deleting_any_are_in_their_lists() {
    let world = World::new().await;
    for number in 1..=200 {
        world.create(&record(number)).await;
    }
    let deleted = world.store.delete_any(10).await.unwrap();
    assert!((10..200).contains(&deleted), "{deleted}");
    world.create(&record(201)).await;
    let left = 201 - deleted;
    let all = Page {
        after: None,
        limit: 1000,
    };
    let listed = world.store.list(OWNER, all, NOW).await.unwrap();
    assert_eq!(listed.len() as u64, left);
    assert_eq!(world.delete_all().await, left);
}

async fn deleting_any_is_refused_in_a_cluster() {
    let world = World::with_single_keys().await;
    world.create(&record(1)).await;
    let error = world.store.delete_any(7).await.unwrap_err();
    assert!(error.to_string().contains("use another prefix"), "{error}");
    assert!(world.load(id(1)).await.is_some());
}

async fn prefixes_keep_applications_apart() {
    let world = World::new().await;
    world.create(&record(1)).await;
    for prefix in ["login:o:", "l", "login", "a/b.c-d_e:"] {
        let other = world.store.clone().with_prefix(prefix).unwrap();
        assert_eq!(other.load(&id(1)).await.unwrap(), None);
        let created = other.create(record(1)).await.unwrap();
        assert_eq!(created, CreateOutcome::Done);
        assert_eq!(other.delete_all(OWNER, None).await.unwrap(), 1);
    }
    assert_eq!(world.listed().await, [id(1)]);
    for refused in ["", "{a}", "a*", "a b", "a\n", "é", &"a".repeat(65)] {
        let error = world.store.clone().with_prefix(refused).unwrap_err();
        assert!(error.to_string().contains("with_prefix"), "{error}");
    }
    let debug = format!("{:?}", world.store);
    assert_eq!(debug, r#"RedisStore { prefix: "login:", .. }"#);
}
