//! Replaces that meet one another, a logout everywhere, and themselves.

use libtest_mimic::Trial;
use login_manager::{
    RedisStore, SessionStore as _,
    store::{Outcome, Record, Replaced, Which},
};
use tokio::task::JoinSet;

use crate::{
    redis_replace::{both_worlds, replace},
    redis_wire::Wire,
    redis_world::{EVERYTHING, NOW, OWNER, Of as _, World, index_key, record, record_key},
    trial_on_redis,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial_on_redis(
            "a_repeated_replace_counts_once",
            a_repeated_replace_counts_once,
        ),
        trial_on_redis(
            "a_repeated_replace_revives_nothing",
            a_repeated_replace_revives_nothing,
        ),
        trial_on_redis(
            "a_repeated_replace_clears_the_other_owners_index",
            a_repeated_replace_clears_the_other_owners_index,
        ),
        trial_on_redis("of_64_replaces_one_is_done", of_64_replaces_one_is_done),
        trial_on_redis(
            "delete_all_catches_a_chain_of_replaces",
            delete_all_catches_a_chain_of_replaces,
        ),
        trial_on_redis(
            "delete_all_leaves_nothing_to_replace",
            delete_all_leaves_nothing_to_replace,
        ),
    ]
}

async fn a_repeated_replace_counts_once() {
    for world in both_worlds().await {
        world.wire.repeat();
        world.create(&record(1)).await;
        for (old, new) in [(1, 2), (2, 3)] {
            let replaced = replace(&world.store, &record(old), &record(new)).await;
            assert_eq!(replaced.unwrap(), Replaced::Done);
            assert_eq!(world.listed().await, [record(new).key]);
            assert_eq!(world.index().await.len(), 1);
        }
        let replaced = replace(&world.store, &record(1), &record(4)).await;
        assert_eq!(replaced.unwrap(), Replaced::Gone);
        assert_eq!(world.index().await, [[3; 32]]);
    }
}

/// It was made and the answer lost; before the command comes again, what it made is deleted, and keys are used again.
async fn a_repeated_replace_revives_nothing() {
    let family = record(1).family;
    for which in [None, Some(Which::All), Some(Which::Except(family))] {
        for used_again in [None, Some(record(1)), Some(record(2))] {
            let world = World::new().await;
            world.warm_up().await;
            world.create(&record(1)).await;
            let gate = world.wire.lose_after(0);
            let store = world.store.clone();
            let replacing =
                tokio::spawn(async move { replace(&store, &record(1), &record(2)).await });
            gate.reached().await;
            assert_eq!(world.listed().await, [record(2).key]);
            match which {
                Some(which) => assert_eq!(world.store.delete_all(OWNER, which).await.unwrap(), 1),
                None => {
                    let deleted = world.store.delete(&record(2).key, Some(0)).await;
                    assert_eq!(deleted.unwrap(), Outcome::Done);
                }
            }
            if let Some(again) = &used_again {
                world.create(again).await;
            }
            gate.open();
            assert_eq!(replacing.await.unwrap().unwrap(), Replaced::Done);
            let left: Vec<_> = used_again.iter().map(|record| record.key).collect();
            assert_eq!(world.listed().await, left);
            assert_eq!(world.index().await.len(), left.len());
        }
    }
}

/// The entry goes by a second command, which the one that lost its answer never sent.
async fn a_repeated_replace_clears_the_other_owners_index() {
    let world = World::new().await;
    world.warm_up().await;
    let bobs = record(1).of("app/bob");
    world.create(&bobs).await;
    let gate = world.wire.lose_after(0);
    let store = world.store.clone();
    let replacing = tokio::spawn(async move { replace(&store, &bobs, &record(2)).await });
    gate.reached().await;
    assert_eq!(world.listed().await, [record(2).key]);
    // It leads to nothing.
    let list = world.store.list("app/bob", EVERYTHING, NOW).await;
    assert_eq!(list.unwrap(), []);
    gate.open();
    assert_eq!(replacing.await.unwrap().unwrap(), Replaced::Done);
    let mut left = [index_key(OWNER), record_key(&record(2))];
    left.sort();
    assert_eq!(world.keys().await, left);
}

/// Also where one half of them goes by steps, as nodes do that have taken the server for a cluster.
async fn of_64_replaces_one_is_done() {
    let [one, steps] = both_worlds().await;
    let wire = Wire::to(&one.server.url()).await;
    wire.refuse(Some("CROSSSLOT"));
    let other = RedisStore::new(wire);
    for (world, stores) in [
        (&one, [&one.store, &one.store]),
        (&steps, [&steps.store, &steps.store]),
        (&one, [&one.store, &other]),
    ] {
        for round in 0..4 {
            let old = record(100 + round);
            world.create(&old).await;
            let mut racers = JoinSet::new();
            for number in 0..64 {
                let (store, old) = (stores[usize::from(number) % 2].clone(), old.clone());
                racers.spawn(async move { (number, replace(&store, &old, &record(number)).await) });
            }
            let mut winners = Vec::new();
            for (number, replaced) in racers.join_all().await {
                match replaced.unwrap() {
                    Replaced::Done => winners.push(number),
                    outcome => assert_eq!(outcome, Replaced::Gone),
                }
            }
            assert_eq!(winners.len(), 1, "{winners:?}");
            assert_eq!(world.listed().await, [record(winners[0]).key]);
            assert_eq!(world.index().await, [[winners[0]; 32]]);
            assert_eq!(world.store.delete_all(OWNER, Which::All).await.unwrap(), 1);
            assert_eq!(world.keys().await, [] as [String; 0]);
        }
    }
}

/// In a cluster. It moves on each time between the reading of the index and the record's end, as often as it is run after.
async fn delete_all_catches_a_chain_of_replaces() {
    let family = record(1).family;
    let of_the_family = |number| Record {
        family,
        ..record(number)
    };
    for which in [Which::All, Which::Only(family)] {
        for (last, caught) in [(1, 1), (2, 1), (15, 1), (16, 0)] {
            let world = World::in_steps().await;
            world.warm_up().await;
            world.create(&of_the_family(0)).await;
            let mut gate = world.wire.gate_after(1);
            let store = world.store.clone();
            let deleting =
                tokio::spawn(async move { store.delete_all(OWNER, which).await.unwrap() });
            for number in 0..last {
                gate.reached().await;
                let (old, new) = (of_the_family(number), of_the_family(number + 1));
                let replaced = replace(&world.store, &old, &new).await;
                assert_eq!(replaced.unwrap(), Replaced::Done);
                let next = world
                    .wire
                    .gate_after(if number + 1 < last { 1 } else { 1000 });
                gate.open();
                gate = next;
            }
            assert_eq!(deleting.await.unwrap(), caught, "after {last} renewals");
            assert_eq!(world.listed().await.len() as u64, 1 - caught);
            assert_eq!(world.index().await.len() as u64, 1 - caught);
        }
    }
}

async fn delete_all_leaves_nothing_to_replace() {
    let world = World::new().await;
    world.warm_up().await;
    world.create(&record(1)).await;
    let gate = world.wire.gate_after(0);
    let store = world.store.clone();
    let replacing = tokio::spawn(async move { replace(&store, &record(1), &record(2)).await });
    gate.reached().await;
    assert_eq!(world.store.delete_all(OWNER, Which::All).await.unwrap(), 1);
    gate.open();
    assert_eq!(replacing.await.unwrap().unwrap(), Replaced::Gone);
    assert_eq!(world.keys().await, [] as [String; 0]);
}
