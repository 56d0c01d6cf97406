//! A `delete_all` that runs as a script: on one server, and if an account or a cluster does not let
//! it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use libtest_mimic::Trial;
use login_manager::{
    RedisStore, SessionStore as _,
    store::StoreError,
    store::{CreateOutcome, Outcome},
};
use redis::cluster::ClusterClient;
use tokio::task::JoinSet;

use crate::{
    redis_server::RedisServer,
    redis_wire::Wire,
    redis_world::{EVERYTHING, HOUR, NOW, OWNER, Of as _, World, id, one_of_many, record},
    trial_on_redis,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial_on_redis(
            "a_thousand_are_deleted_together",
            a_thousand_are_deleted_together,
        ),
        trial_on_redis(
            "entries_without_record_do_not_end_the_scan",
            entries_without_record_do_not_end_the_scan,
        ),
        trial_on_redis("records_of_other_owners_stay", records_of_other_owners_stay),
        trial_on_redis(
            "concurrent_delete_all_calls_count_once",
            concurrent_delete_all_calls_count_once,
        ),
        trial_on_redis("logins_beside_a_delete_all", logins_beside_a_delete_all),
        trial_on_redis("partial_rights_are_an_error", partial_rights_are_an_error),
        trial_on_redis("three_nodes_delete_all", three_nodes_delete_all),
        trial_on_redis("dropped_delete_all_runs_on", dropped_delete_all_runs_on),
    ]
}

async fn a_thousand_are_deleted_together() {
    let world = World::new().await;
    world.warm_up().await;
    for (records, commands) in [(0, 1), (1, 1), (998, 1), (1200, 2), (2500, 3)] {
        for except in [None, Some(id(7))] {
            for number in 0..records {
                world.create(&one_of_many(number)).await;
            }
            world.create(&record(7)).await;
            world.wire.take_sent();
            let deleted = world.store.delete_all(OWNER, except).await.unwrap();
            let stays = usize::from(except.is_some());
            assert_eq!(deleted as usize, records as usize + 1 - stays);
            assert_eq!(world.wire.take_sent(), commands, "{records} records");
            assert_eq!(world.index().await.len(), stays);
            assert_eq!(world.listed().await.len(), stays);
            assert_eq!(world.keys().await.len(), 2 * stays);
            let _ = world.delete_all().await;
        }
    }
}

async fn entries_without_record_do_not_end_the_scan() {
    let world = World::new().await;
    let gone = (0..3000).map(one_of_many);
    world.add_entries(gone, 0, HOUR).await;
    for number in 0..20 {
        world.create(&record(number)).await;
    }
    assert_eq!(world.listed().await.len(), 20);
    assert_eq!(world.delete_all().await, 20);
    assert_eq!(world.listed().await, []);
}

/// Entries that lead to another owner's record, whatever put them there.
async fn records_of_other_owners_stay() {
    for world in [World::new().await, World::with_single_keys().await] {
        let bobs = record(1).of("app/bob");
        world.create(&bobs).await;
        world.add_entry(&record(1), 0, HOUR).await;
        world.create(&record(2)).await;
        assert_eq!(world.listed().await, [id(2)]);
        for deleted in [1, 0] {
            assert_eq!(world.delete_all().await, deleted);
        }
        assert_eq!(world.load(id(1)).await, Some(bobs));
        assert_eq!(world.listed().await, []);
    }
}

async fn concurrent_delete_all_calls_count_once() {
    let world = World::new().await;
    world.warm_up().await;
    for number in 0..3000 {
        world.create(&one_of_many(number)).await;
    }
    let mut both = JoinSet::new();
    for _ in 0..2 {
        let store = RedisStore::new(Wire::to(&world.server.url()).await);
        both.spawn(async move { store.delete_all(OWNER, None).await.unwrap() });
    }
    assert_eq!(both.join_all().await.iter().sum::<u64>(), 3000);
    assert_eq!(world.keys().await.len(), 0);
}

/// What was acknowledged before is deleted, and a live record is always listed.
async fn logins_beside_a_delete_all() {
    for world in [World::new().await, World::with_single_keys().await] {
        world.warm_up().await;
        for round in 0..5 {
            let before: Vec<_> = (0..50).map(|n| one_of_many(round * 1000 + n)).collect();
            for record in &before {
                world.create(record).await;
            }
            let is_over = Arc::new(AtomicBool::new(false));
            let (store, stop) = (world.store.clone(), Arc::clone(&is_over));
            let logins = tokio::spawn(async move {
                let mut after = Vec::new();
                for number in 50..400 {
                    let record = one_of_many(round * 1000 + number);
                    let is_late = stop.load(Ordering::SeqCst);
                    let created = store.create(record.clone()).await.unwrap();
                    assert_eq!(created, CreateOutcome::Done);
                    if is_late {
                        after.push(record.id);
                        break;
                    }
                }
                after
            });
            let _ = world.delete_all().await;
            is_over.store(true, Ordering::SeqCst);
            let after = logins.await.unwrap();
            for record in before {
                assert_eq!(world.load(record.id).await, None);
            }
            let listed = world.listed().await;
            for number in 0..400 {
                let id = one_of_many(round * 1000 + number).id;
                assert_eq!(world.load(id).await.is_some(), listed.contains(&id));
            }
            assert!(after.iter().all(|id| listed.contains(id)));
            let _ = world.delete_all().await;
            assert_eq!(world.listed().await, []);
        }
    }
}

/// Records that the script may not read are deleted by their keys, and then it is an error.
async fn partial_rights_are_an_error() {
    let world = World::new().await;
    let some = format!("~login:r:{}*", char::from(0x11));
    let rights = ["~login:o:*", "~login:r:a", "~login:r:b", &some];
    let account = ["shop", "on", "nopass", "+@all"];
    let _: () = world.redis("ACL", "SETUSER", (&account, &rights)).await;
    let url = world.server.url().replace("redis://", "redis://shop:any@");
    let store = RedisStore::new(Wire::to(&url).await);
    for number in [0x11, 0x12, 0x21] {
        world.create(&record(number)).await;
    }
    let error = store.delete_all(OWNER, None).await.unwrap_err();
    assert_eq!(error.to_string(), "redis: the server answered NOPERM");
    assert!(error.is::<StoreError>());
    assert_eq!(world.listed().await, [id(0x12), id(0x21)]);
    let _: () = world.redis("ACL", "SETUSER", ("shop", "allkeys")).await;
    assert_eq!(store.delete_all(OWNER, None).await.unwrap(), 2);
    assert_eq!(world.keys().await.len(), 0);

    // Without rights to the index a logout is a logout, and the entry is pruned later.
    let rights = ("shop", "resetkeys", "~login:r:*");
    let _: () = world.redis("ACL", "SETUSER", rights).await;
    world.create(&record(1)).await;
    let deleted = store.delete(&id(1), None).await;
    assert_eq!(deleted.unwrap(), Outcome::Done);
    assert_eq!(world.load(id(1)).await, None);
    assert_eq!(world.listed().await, []);
}

async fn three_nodes_delete_all() {
    let nodes = RedisServer::start_cluster_of::<3>();
    let client = ClusterClient::new([nodes[0].url()]).unwrap();
    let connect = async || RedisStore::new(client.get_async_connection().await.unwrap());
    let store = connect().await;
    for owner in (0..5).map(|number| format!("app/{number}")) {
        for number in 0..200 {
            let created = store.create(record(number).of(&owner)).await;
            assert_eq!(created.unwrap(), CreateOutcome::Done);
        }
        // One that has not learned yet that it is a cluster.
        let fresh = connect().await;
        let list = fresh.list(&owner, EVERYTHING, NOW).await.unwrap();
        assert_eq!(list.len(), 200);
        let deleted = store.delete(&id(9), None).await.unwrap();
        assert_eq!(deleted, Outcome::Done);
        let deleted = connect().await.delete_all(&owner, Some(id(3))).await;
        assert_eq!(deleted.unwrap(), 198);
        let list = store.list(&owner, EVERYTHING, NOW).await.unwrap();
        assert_eq!(list, [record(3).of(&owner)]);
        assert_eq!(store.delete_all(&owner, None).await.unwrap(), 1);
        assert_eq!(store.delete_all(&owner, None).await.unwrap(), 0);
    }
}

/// More records than one command deletes: the connection hangs when the caller is dropped.
async fn dropped_delete_all_runs_on() {
    for (world, records) in [
        (World::new().await, 2100),
        (World::with_single_keys().await, 300),
    ] {
        world.warm_up().await;
        for number in 0..records {
            world.create(&one_of_many(number)).await;
        }
        let gate = world.wire.gate_after(1);
        tokio::select! {
            _ = world.store.delete_all(OWNER, None) => panic!("it waits at the gate"),
            () = gate.reached() => {}
        }
        gate.open();
        let deleted = async {
            while !world.listed().await.is_empty() {
                tokio::task::yield_now().await;
            }
        };
        let patience = std::time::Duration::from_secs(60);
        let deleted = tokio::time::timeout(patience, deleted).await;
        deleted.expect("all records are deleted");
    }
}
