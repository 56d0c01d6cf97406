//! Calls that meet on a Redis server, in the order in which they harm most.

use std::{sync::Arc, time::Duration};

use libtest_mimic::Trial;
use login_manager::{
    SessionStore as _,
    store::{Created, Outcome, Record, Which},
};
use tokio::{task::yield_now, time::timeout};

use crate::{
    redis_replace::both_worlds,
    redis_world::{EVERYTHING, NOW, OWNER, Of as _, World, one_of_many, record, record_key},
    trial_on_redis,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial_on_redis("delete_all_meets_a_create", delete_all_meets_a_create),
        trial_on_redis("a_create_meets_delete_all", a_create_meets_delete_all),
        trial_on_redis(
            "delete_all_catches_a_renewal_within_its_first_pass",
            delete_all_catches_a_renewal_within_its_first_pass,
        ),
        trial_on_redis(
            "delete_all_catches_two_renewals_within_two_passes",
            delete_all_catches_two_renewals_within_two_passes,
        ),
        trial_on_redis("delete_all_ends_some_day", delete_all_ends_some_day),
        trial_on_redis(
            "a_key_that_is_used_again_stays_listed",
            a_key_that_is_used_again_stays_listed,
        ),
        trial_on_redis(
            "a_dropped_create_is_no_record",
            a_dropped_create_is_no_record,
        ),
        trial_on_redis("a_dropped_delete_all_goes_on", a_dropped_delete_all_goes_on),
        trial_on_redis(
            "an_entry_leads_to_no_other_owner",
            an_entry_leads_to_no_other_owner,
        ),
        trial_on_redis(
            "a_repeated_create_revives_nothing",
            a_repeated_create_revives_nothing,
        ),
        trial_on_redis(
            "a_repeated_command_counts_once",
            a_repeated_command_counts_once,
        ),
    ]
}

/// All of `delete_all` happens between the two writes of a `create`.
async fn delete_all_meets_a_create() {
    let world = World::in_steps().await;
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
    // After the index was read; after the record is gone and before its entry is; after both.
    for commands in [1, 2, 3] {
        let world = World::in_steps().await;
        world.warm_up().await;
        world.create(&record(1)).await;
        let gate = world.wire.gate_after(commands);
        let store = world.store.clone();
        let deleting =
            tokio::spawn(async move { store.delete_all(OWNER, Which::All).await.unwrap() });
        gate.reached().await;
        world.create(&record(2)).await;
        gate.open();
        assert_eq!(deleting.await.unwrap(), 2);
        assert_eq!(world.listed().await, []);
        assert_eq!(world.index().await.len(), 0);
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

/// The index was read, then the session is renewed, then its old record is asked to go.
async fn delete_all_catches_a_renewal_within_its_first_pass() {
    let family = record(1).family;
    for which in [Which::All, Which::Only(family)] {
        let world = World::in_steps().await;
        world.warm_up().await;
        let next = Record {
            family,
            ..record(2)
        };
        world.create(&record(1)).await;
        let gate = world.wire.gate_after(1);
        let store = world.store.clone();
        let deleting = tokio::spawn(async move { store.delete_all(OWNER, which).await.unwrap() });
        gate.reached().await;
        world.create(&next).await;
        let deleted = world.store.delete(&record(1).key, Some(0)).await;
        assert_eq!(deleted.unwrap(), Outcome::Done);
        gate.open();
        assert_eq!(deleting.await.unwrap(), 1, "the one that took its place");
        assert_eq!(world.store.load(&next.key).await.unwrap(), None);
        assert_eq!(world.index().await.len(), 0);
    }
}

/// The second pass shows nothing new and finds nothing, and yet a session goes on.
async fn delete_all_catches_two_renewals_within_two_passes() {
    let world = World::in_steps().await;
    world.warm_up().await;
    let family = record(1).family;
    let of_the_family = |number| Record {
        family,
        ..record(number)
    };
    // They go in the order of their keys: the successor is asked for before the one whose place it takes.
    world.create(&of_the_family(9)).await;
    let gate = world.wire.gate_after(1);
    let store = world.store.clone();
    let next = of_the_family(1);
    let creating = tokio::spawn(async move { store.create(next).await.unwrap() });
    gate.reached().await;
    // On the index, and not there yet.
    let asked = world.wire.gate_after(2);
    let store = world.store.clone();
    let deleting = tokio::spawn(async move { store.delete_all(OWNER, Which::All).await.unwrap() });
    asked.reached().await;
    // Behind the one that was asked for.
    assert_eq!(world.store.load(&record(1).key).await.unwrap(), None);
    gate.open();
    assert_eq!(creating.await.unwrap(), Created::Done);
    let delete = async |number| world.store.delete(&record(number).key, Some(0)).await;
    assert_eq!(delete(9).await.unwrap(), Outcome::Done);
    let second = world.wire.gate_after(1);
    asked.open();
    second.reached().await;
    world.create(&of_the_family(2)).await;
    assert_eq!(delete(1).await.unwrap(), Outcome::Done);
    second.open();
    assert_eq!(deleting.await.unwrap(), 1, "the last of three");
    assert_eq!(world.listed().await, []);
    assert_eq!(world.index().await.len(), 0);
}

/// A create that hangs between its two writes leaves an entry that leads to nothing. It is asked for three times.
async fn delete_all_ends_some_day() {
    let world = World::in_steps().await;
    world.warm_up().await;
    let gate = world.wire.gate_after(1);
    let store = world.store.clone();
    let creating = tokio::spawn(async move { store.create(record(1)).await.unwrap() });
    gate.reached().await;
    world.wire.take_sent();
    assert_eq!(world.store.delete_all(OWNER, Which::All).await.unwrap(), 0);
    assert_eq!(world.wire.take_sent(), 6);
    creating.abort();
}

/// A key is used again while its last record is being taken off the index.
async fn a_key_that_is_used_again_stays_listed() {
    for all in [false, true] {
        let world = World::in_steps().await;
        world.warm_up().await;
        world.create(&record(1)).await;
        let gate = world.wire.gate_after(1 + usize::from(all));
        let store = world.store.clone();
        let deleting = tokio::spawn(async move {
            if all {
                assert_eq!(store.delete_all(OWNER, Which::All).await.unwrap(), 2);
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
        if all {
            // It came while its owner was being logged out everywhere.
            assert_eq!(world.listed().await, []);
            assert_eq!(world.index().await.len(), 0);
        } else {
            assert_eq!(world.listed().await, [record(1).key]);
            assert_eq!(world.index().await, [[1; 32]]);
        }
    }
    // Two creates of one key: the first is between its two writes while the second is made and revoked.
    let world = World::in_steps().await;
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
    let world = World::in_steps().await;
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

/// Of more records than go at a time: the connection hangs in the second batch when the caller goes away.
async fn a_dropped_delete_all_goes_on() {
    let [one, steps] = both_worlds().await;
    for (world, records, commands) in [(one, 1100, 1), (steps, 200, 80)] {
        world.warm_up().await;
        for number in 0..records {
            world.create(&one_of_many(number)).await;
        }
        let gate = world.wire.gate_after(commands);
        tokio::select! {
            _ = world.store.delete_all(OWNER, Which::All) => panic!("it waits at the gate"),
            () = gate.reached() => {}
        }
        assert_ne!(world.listed().await, []);
        gate.open();
        let emptied = async {
            while !world.index().await.is_empty() {
                yield_now().await;
            }
        };
        let patience = Duration::from_secs(60);
        timeout(patience, emptied)
            .await
            .expect("the index is emptied");
        assert_eq!(world.listed().await, []);
    }
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
    world.enlist(&record(1).of("app/bob"), 0, 1).await;
    let list = world.store.list("app/bob", EVERYTHING, NOW).await.unwrap();
    assert_eq!(list, []);
    let deleted = world.store.delete_all("app/bob", Which::All).await;
    assert_eq!(deleted.unwrap(), 0);
    assert_eq!(world.listed().await, [record(1).key]);
}

async fn a_repeated_command_counts_once() {
    for world in [World::new().await, World::in_steps().await] {
        world.wire.repeat();
        repeats(&world).await;
    }
}

async fn repeats(world: &World) {
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
    let delete = async |version| world.store.delete(&key, version).await.unwrap();
    assert_eq!(delete(Some(1)).await, Outcome::Conflict);
    assert_eq!(delete(Some(2)).await, Outcome::Done);
    assert_eq!(delete(Some(2)).await, Outcome::Gone);
    assert_eq!(delete(None).await, Outcome::Gone);
    assert_eq!(world.store.load(&key).await.unwrap(), None);
    assert_eq!(update(2).await.unwrap(), Outcome::Gone);
    world.create(&record(1)).await;
    assert_eq!(world.store.delete_all(OWNER, Which::All).await.unwrap(), 1);
    assert_eq!(world.store.delete_all(OWNER, Which::All).await.unwrap(), 0);
    assert_eq!(world.store.load(&key).await.unwrap(), None);
    assert_eq!(world.index().await.len(), 0);
}

/// The record was made and the answer lost; before the command comes again, the record is deleted.
async fn a_repeated_create_revives_nothing() {
    for all in [false, true] {
        for (in_steps, is_used_again) in
            [(false, false), (false, true), (true, false), (true, true)]
        {
            let world = match in_steps {
                false => World::new().await,
                true => World::in_steps().await,
            };
            world.warm_up().await;
            let gate = world.wire.lose_after(usize::from(in_steps));
            let store = world.store.clone();
            let creating = tokio::spawn(async move { store.create(record(1)).await.unwrap() });
            gate.reached().await;
            assert_eq!(world.listed().await, [record(1).key]);
            if all {
                assert_eq!(world.store.delete_all(OWNER, Which::All).await.unwrap(), 1);
            } else {
                let deleted = world.store.delete(&record(1).key, None).await;
                assert_eq!(deleted.unwrap(), Outcome::Done);
            }
            let lives = world.lives(&record_key(&record(1))).await;
            assert!((1..=60_000).contains(&lives), "{lives}");
            if is_used_again {
                world.create(&record(1)).await;
            }
            gate.open();
            let created = creating.await.unwrap();
            if is_used_again {
                assert_eq!(created, Created::Exists);
                assert_eq!(world.listed().await, [record(1).key]);
                assert_eq!(world.index().await, [[1; 32]]);
                assert!(world.lives(&record_key(&record(1))).await > 60_000);
            } else {
                assert_eq!(created, Created::Done);
                assert_eq!(world.store.load(&record(1).key).await.unwrap(), None);
                assert_eq!(world.listed().await, []);
                assert_eq!(world.index().await.len(), 0);
            }
        }
    }
}
