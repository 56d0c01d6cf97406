//! Concurrent calls on a Redis server, in the orders that could do harm.

use libtest_mimic::Trial;
use login_manager::{
    SessionStore as _,
    store::{CreateOutcome, Outcome, SessionRecord},
};

use crate::{
    redis_world::{HOUR, NOW, OWNER, Of as _, World, id, record},
    trial_on_redis,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial_on_redis(
            "delete_all_between_entry_and_record",
            delete_all_between_entry_and_record,
        ),
        trial_on_redis("create_within_a_delete_all", create_within_a_delete_all),
        trial_on_redis("create_within_a_delete", create_within_a_delete),
        trial_on_redis(
            "delete_all_within_a_raised_end",
            delete_all_within_a_raised_end,
        ),
        trial_on_redis(
            "dropped_create_leaves_no_record",
            dropped_create_leaves_no_record,
        ),
        trial_on_redis("late_record_is_not_written", late_record_is_not_written),
        trial_on_redis(
            "existing_record_keeps_its_entry",
            existing_record_keeps_its_entry,
        ),
        trial_on_redis(
            "commands_sent_twice_count_once",
            commands_sent_twice_count_once,
        ),
        trial_on_redis(
            "create_sent_twice_stays_listed",
            create_sent_twice_stays_listed,
        ),
        trial_on_redis("late_changes_revive_nothing", late_changes_revive_nothing),
    ]
}

/// The whole `delete_all` runs between the two commands of a `create`.
async fn delete_all_between_entry_and_record() {
    let world = World::with_single_keys().await;
    world.warm_up().await;
    let gate = world.wire.gate_after(1);
    let store = world.store.clone();
    let creating = tokio::spawn(async move { store.create(record(1)).await.unwrap() });
    gate.reached().await;
    assert_eq!(world.delete_all().await, 0);
    assert_eq!(world.listed().await, []);
    gate.open();
    assert_eq!(creating.await.unwrap(), CreateOutcome::Done);
    assert_eq!(world.listed().await, [id(1)], "a live record is listed");
    assert_eq!(world.delete_all().await, 1);
    assert_eq!(world.listed().await, []);
}

/// The whole `create` runs within a `delete_all` of the same owner.
async fn create_within_a_delete_all() {
    // After the script; after the record is deleted; after the index is pruned, which ends it.
    for commands in [1, 2] {
        let world = World::with_single_keys().await;
        world.warm_up().await;
        world.create(&record(1)).await;
        // As if on another node: the script finds nothing.
        let gate = world.wire.gate_after(commands);
        let store = world.store.clone();
        world.add_entry(&record(0), 0, HOUR).await;
        let deleting = tokio::spawn(async move { store.delete_all(OWNER, None).await.unwrap() });
        gate.reached().await;
        world.create(&record(2)).await;
        gate.open();
        assert_eq!(deleting.await.unwrap(), 1);
        assert_eq!(world.listed().await, [id(2)], "alive, so it is listed");
        assert_eq!(world.load(id(1)).await, None);
        assert_eq!(world.delete_all().await, 1);
    }
}

async fn create_within_a_delete() {
    let world = World::with_single_keys().await;
    world.warm_up().await;
    world.create(&record(1)).await;
    world.create(&record(2)).await;
    assert_eq!(world.delete(id(1), None).await, Outcome::Done);
    assert_eq!(world.index().await, [id(2)]);
}

/// The record is deleted between the commands of an `update` that raises its end.
async fn delete_all_within_a_raised_end() {
    for commands in [1, 2] {
        let world = World::with_single_keys().await;
        world.warm_up().await;
        world.create(&record(1)).await;
        let gate = world.wire.gate_after(commands);
        let store = world.store.clone();
        let longer = SessionRecord {
            ends: NOW + 90 * HOUR,
            ..record(1)
        };
        let updating = tokio::spawn(async move { store.update(longer, NOW).await.unwrap() });
        gate.reached().await;
        assert_eq!(world.listed().await, [id(1)]);
        assert_eq!(world.delete_all().await, 1);
        gate.open();
        assert_eq!(updating.await.unwrap(), Outcome::Gone);
        assert_eq!(world.load(id(1)).await, None);
        assert_eq!(world.listed().await, []);
    }
}

async fn dropped_create_leaves_no_record() {
    let world = World::with_single_keys().await;
    world.warm_up().await;
    let gate = world.wire.gate_after(1);
    let create = world.store.create(record(1));
    tokio::select! {
        _ = create => panic!("it waits at the gate"),
        () = gate.reached() => {}
    }
    assert_eq!(world.index().await, [id(1)]);
    assert_eq!(world.load(id(1)).await, None);
    assert_eq!(world.listed().await, []);
    world.create(&record(1)).await;
    assert_eq!(world.listed().await, [id(1)]);
}

/// A process that was suspended between the two commands. Its entry may have been pruned meanwhile.
async fn late_record_is_not_written() {
    let world = World::with_single_keys().await;
    world.warm_up().await;
    let gate = world.wire.gate_after(1);
    world.wire.age_entries(HOUR + 2000);
    let store = world.store.clone();
    let creating = tokio::spawn(async move { store.create(record(1)).await });
    gate.reached().await;
    gate.open();
    let error = creating.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("not written in time"), "{error}");
    assert_eq!(world.load(id(1)).await, None);
}

async fn existing_record_keeps_its_entry() {
    for world in [World::new().await, World::with_single_keys().await] {
        let create = async |record| world.store.create(record).await.unwrap();
        world.create(&record(1)).await;
        let bobs = record(1).of("app/bob");
        assert_eq!(create(bobs).await, CreateOutcome::Exists);
        assert_eq!(world.store.delete_all("app/bob", None).await.unwrap(), 0);
        // One that would end earlier.
        let shorter = SessionRecord {
            ends: NOW + HOUR,
            ..record(1)
        };
        assert_eq!(create(shorter).await, CreateOutcome::Exists);
        assert!(world.limit().await > 10 * HOUR);
        assert_eq!(world.load(id(1)).await, Some(record(1)));
        assert_eq!(world.listed().await, [id(1)]);
    }
}

/// As by a cluster client that lost the first reply.
async fn commands_sent_twice_count_once() {
    for world in [World::new().await, World::with_single_keys().await] {
        world.wire.repeat();
        world.create(&record(1)).await;
        let again = world.store.create(record(1)).await.unwrap();
        assert_eq!(again, CreateOutcome::Exists);
        let update = async |version| {
            let record = SessionRecord {
                version,
                ..record(1)
            };
            world.update(&record).await
        };
        assert_eq!(update(0).await, Outcome::Done);
        assert_eq!(update(0).await, Outcome::Conflict);
        assert_eq!(update(1).await, Outcome::Done);
        assert_eq!(world.load(id(1)).await.unwrap().version, 2);
        assert_eq!(world.touch(id(1), NOW, NOW).await, Outcome::Done);
        assert_eq!(world.delete(id(1), Some(1)).await, Outcome::Conflict);
        // It is gone, whichever of the two did it.
        assert_eq!(world.delete(id(1), Some(2)).await, Outcome::Gone);
        assert_eq!(world.load(id(1)).await, None);
        assert_eq!(update(2).await, Outcome::Gone);
        world.create(&record(2)).await;
        let _ = world.delete_all().await;
        assert_eq!(world.load(id(2)).await, None);
        assert_eq!(world.listed().await, []);
    }
}

/// The record is written, the reply is lost, the record is deleted, and the command is sent again.
/// To its caller the `create` runs until then, so the record may be there. But not without its
/// entry.
async fn create_sent_twice_stays_listed() {
    for (world, commands) in [
        (World::new().await, 0),
        (World::with_single_keys().await, 1),
    ] {
        world.warm_up().await;
        let gate = world.wire.lose_after(commands);
        let store = world.store.clone();
        let creating = tokio::spawn(async move { store.create(record(1)).await.unwrap() });
        gate.reached().await;
        assert_eq!(world.listed().await, [id(1)]);
        assert_eq!(world.delete_all().await, 1);
        assert_eq!(world.load(id(1)).await, None);
        assert_eq!(world.listed().await, []);
        gate.open();
        assert_eq!(creating.await.unwrap(), CreateOutcome::Done);
        assert_eq!(world.load(id(1)).await, Some(record(1)));
        assert_eq!(world.listed().await, [id(1)]);
        assert_eq!(world.delete_all().await, 1);
        assert_eq!(world.listed().await, []);
    }
}

/// An `update` or `touch` whose reply was lost is sent again after the record was deleted.
async fn late_changes_revive_nothing() {
    for world in [World::new().await, World::with_single_keys().await] {
        world.warm_up().await;
        for all in [false, true] {
            for touches in [false, true] {
                world.create(&record(1)).await;
                let gate = world.wire.lose_after(0);
                let store = world.store.clone();
                let changing = tokio::spawn(async move {
                    match touches {
                        false => store.update(record(1), NOW).await.unwrap(),
                        true => store.touch(&id(1), NOW, NOW + HOUR).await.unwrap(),
                    }
                });
                gate.reached().await;
                if all {
                    assert_eq!(world.delete_all().await, 1);
                } else {
                    assert_eq!(world.delete(id(1), None).await, Outcome::Done);
                }
                gate.open();
                assert_eq!(changing.await.unwrap(), Outcome::Gone);
                assert_eq!(world.load(id(1)).await, None);
            }
        }
    }
}
