//! One record in the place of another, on one server and in a cluster.

use std::{sync::Arc, time::Duration};

use libtest_mimic::Trial;
use login_manager::{
    BoxError, RedisStore, SessionStore as _,
    store::{Created, Outcome, Record, Replaced, Which},
};
use tokio::time::timeout;

use crate::{
    redis_world::{HOUR, NOW, OWNER, Of as _, World, index_key, nobodys, record, record_key},
    trial_on_redis,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial_on_redis("a_replace_is_one_command", a_replace_is_one_command),
        trial_on_redis("a_replace_leaves_nothing", a_replace_leaves_nothing),
        trial_on_redis(
            "a_replace_that_is_refused_changes_nothing",
            a_replace_that_is_refused_changes_nothing,
        ),
        trial_on_redis("fault_33_a_full_server_replaces_nothing", a_full_server),
        trial_on_redis(
            "fault_33_a_full_server_takes_a_whole_login_or_none",
            a_full_server_takes_a_whole_login_or_none,
        ),
        trial_on_redis("an_index_of_another_type", an_index_of_another_type),
    ]
}

pub(crate) async fn both_worlds() -> [World; 2] {
    [World::new().await, World::in_steps().await]
}

pub(crate) async fn replace(
    store: &RedisStore,
    old: &Record,
    new: &Record,
) -> Result<Replaced, BoxError> {
    let patience = Duration::from_secs(30);
    let replacing = store.replace(&old.key, old.version, new.clone());
    timeout(patience, replacing).await.expect("in time")
}

async fn a_replace_is_one_command() {
    let bobs = |number| record(number).of("app/bob");
    let [one, steps] = both_worlds().await;
    for (old, new, at_one_go, in_steps) in [
        // A login, on what was nobody's: enlist, create, delete.
        (nobodys(1), record(2), 1, 3),
        // A renewal. In steps the old entry goes by one of its own.
        (record(2), record(3), 1, 4),
        // Somebody else logs in.
        (record(3), bobs(4), 2, 4),
        (bobs(4), nobodys(5), 2, 3),
        (nobodys(5), nobodys(6), 1, 2),
    ] {
        for (world, commands) in [(&one, at_one_go), (&steps, in_steps)] {
            world.warm_up().await;
            if world.store.load(&old.key).await.unwrap().is_none() {
                world.create(&old).await;
            }
            world.wire.take_sent();
            let replaced = replace(&world.store, &old, &new).await.unwrap();
            let sent = world.wire.take_sent();
            assert_eq!((replaced, sent), (Replaced::Done, commands));
        }
    }
    for (version, outcome) in [(7, Replaced::Conflict), (0, Replaced::Gone)] {
        let old = Record {
            version,
            ..record(8)
        };
        if outcome == Replaced::Conflict {
            one.create(&record(8)).await;
        } else {
            let _ = one.store.delete(&old.key, None).await.unwrap();
        }
        one.wire.take_sent();
        assert_eq!(
            replace(&one.store, &old, &record(9)).await.unwrap(),
            outcome
        );
        assert_eq!(one.wire.take_sent(), 1, "{outcome:?}");
    }
}

async fn a_replace_leaves_nothing() {
    for world in both_worlds().await {
        let dead = Record {
            expires: NOW - 1,
            ends: NOW - 1,
            ..record(7)
        };
        // An expired one may go this way, too.
        for (old, new) in [
            (nobodys(1), record(2)),
            (record(3), record(4)),
            (record(5).of("app/bob"), record(6)),
            (dead, record(8)),
        ] {
            world.create(&old).await;
            let replaced = replace(&world.store, &old, &new).await;
            assert_eq!(replaced.unwrap(), Replaced::Done);
            assert_eq!(world.store.load(&old.key).await.unwrap(), None);
            let found = world.store.load(&new.key).await.unwrap();
            assert_eq!(found.as_ref(), Some(&new));
            assert_eq!(world.listed().await, [new.key]);
            assert_eq!(world.index().await, [*new.key.as_bytes()]);
            let mut left = [index_key(OWNER), record_key(&new)];
            left.sort();
            assert_eq!(world.keys().await, left);
            for key in left {
                assert!(world.lives(&key).await > 0, "{key} stays for ever");
            }
            assert_eq!(world.store.delete_all(OWNER, Which::All).await.unwrap(), 1);
            assert_eq!(world.keys().await, [] as [String; 0]);
        }
    }
}

async fn a_replace_that_is_refused_changes_nothing() {
    for world in both_worlds().await {
        let (old, new) = (record(1), record(2));
        world.create(&old).await;
        let as_it_was = async |when: &str| {
            let found = world.store.load(&old.key).await.unwrap();
            assert_eq!(found.as_ref(), Some(&old), "{when}");
            let found = world.store.load(&new.key).await.unwrap();
            assert_eq!(found, None, "{when}");
            assert_eq!(world.index().await, [[1; 32]], "{when}");
        };
        let stale = Record {
            version: 1,
            ..old.clone()
        };
        for (other, outcome) in [(&stale, Replaced::Conflict), (&record(9), Replaced::Gone)] {
            let replaced = replace(&world.store, other, &new).await.unwrap();
            assert_eq!(replaced, outcome);
            as_it_was(&format!("{outcome:?}")).await;
        }
        // One that was deleted a moment ago is none.
        world.create(&record(9)).await;
        assert_eq!(
            world.store.delete(&record(9).key, None).await.unwrap(),
            Outcome::Done
        );
        let replaced = replace(&world.store, &record(9), &new).await.unwrap();
        assert_eq!(replaced, Replaced::Gone);
        as_it_was("deleted").await;

        // Nothing is lost where the new key is taken, be it by the old one.
        world.create(&record(3)).await;
        for taken in [record(3), record(1)] {
            let replaced = replace(&world.store, &old, &taken).await;
            assert_eq!(replaced.unwrap(), Replaced::Exists);
            for record in [&old, &record(3)] {
                let found = world.store.load(&record.key).await.unwrap();
                assert_eq!(found.as_ref(), Some(record));
            }
            assert_eq!(world.index().await, [[1; 32], [3; 32]]);
        }
        // A key that was free again is free.
        assert_eq!(
            world.store.delete(&record(3).key, None).await.unwrap(),
            Outcome::Done
        );
        let replaced = replace(&world.store, &old, &record(3)).await;
        assert_eq!(replaced.unwrap(), Replaced::Done);
        assert_eq!(world.index().await, [[3; 32]]);
        assert!(world.lives(&record_key(&record(3))).await > HOUR);
    }
}

async fn a_full_server() {
    for world in both_worlds().await {
        world.warm_up().await;
        world.create(&record(1)).await;
        let before = world.keys().await;
        let _: () = world.redis(&["CONFIG", "SET", "maxmemory", "1"]).await;
        for new in [record(2), record(2).of("app/bob"), nobodys(2)] {
            let error = replace(&world.store, &record(1), &new).await.unwrap_err();
            assert!(error.to_string().contains("OOM"), "{error}");
            assert_eq!(world.keys().await, before);
            assert_eq!(world.listed().await, [record(1).key]);
            assert_eq!(world.index().await, [[1; 32]]);
        }
        let _: () = world.redis(&["CONFIG", "SET", "maxmemory", "0"]).await;
        let replaced = replace(&world.store, &record(1), &record(2)).await;
        assert_eq!(replaced.unwrap(), Replaced::Done);
    }
}

/// One that gives first, by clearing away dead entries, is let through to its end.
async fn a_full_server_takes_a_whole_login_or_none() {
    let world = World::new().await;
    world.warm_up().await;
    let _: () = world.redis(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let error = world.store.create(record(1)).await.unwrap_err();
    assert!(error.to_string().contains("OOM"), "{error}");
    assert_eq!(world.keys().await, [] as [String; 0]);

    let _: () = world.redis(&["CONFIG", "SET", "maxmemory", "0"]).await;
    world.enlist(&record(9), 0, 1).await;
    let _: () = world.redis(&["CONFIG", "SET", "maxmemory", "1"]).await;
    world.create(&record(1)).await;
    assert_eq!(world.listed().await, [record(1).key]);
    assert_eq!(world.index().await, [[1; 32]]);
    for key in world.keys().await {
        assert!(world.lives(&key).await > 0, "{key} stays for ever");
    }
}

/// What stops a script half-way stops it before the old record goes.
async fn an_index_of_another_type() {
    for world in both_worlds().await {
        let old = nobodys(1);
        world.create(&old).await;
        let _: () = world.redis(&["SET", &index_key(OWNER), "secret"]).await;
        for error in [
            world.store.create(record(2)).await.map(|_: Created| ()),
            replace(&world.store, &nobodys(1), &record(2))
                .await
                .map(|_| ()),
        ] {
            let error = error.unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        let updated = world.store.update(&old.key, 0, Arc::from([]), NOW);
        assert_eq!(updated.await.unwrap(), Outcome::Done);
        assert_eq!(world.store.load(&record(2).key).await.unwrap(), None);
    }
}
