//! A `delete_all` that is one script: on one server, and where an account or a cluster doesn't let it through.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use libtest_mimic::Trial;
use login_manager::{
    RedisStore, SessionStore as _, StoreError,
    store::{Created, Family, Record, RecordKey, Replaced, Which},
};
use redis::cluster::ClusterClient;
use tokio::task::JoinSet;

use crate::{
    redis_replace::replace,
    redis_server::RedisServer,
    redis_wire::Wire,
    redis_world::{
        EVERYTHING, HOUR, NOW, OWNER, Of as _, World, index_key, one_of_many, record, record_key,
    },
    trial_on_redis,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial_on_redis("p16_no_chain_gets_away", no_chain_gets_away),
        trial_on_redis("a_thousand_go_at_one_go", a_thousand_go_at_one_go),
        trial_on_redis("what_leads_nowhere_is_no_end", what_leads_nowhere_is_no_end),
        trial_on_redis("a_foreign_record_is_left", a_foreign_record_is_left),
        trial_on_redis("the_others_go_first", the_others_go_first),
        trial_on_redis("of_two_delete_alls", of_two_delete_alls),
        trial_on_redis(
            "a_repeated_delete_all_counts_once",
            a_repeated_delete_all_counts_once,
        ),
        trial_on_redis(
            "an_account_with_rights_to_some_records",
            an_account_with_rights_to_some_records,
        ),
        trial_on_redis(
            "a_cluster_keeps_its_keys_apart",
            a_cluster_keeps_its_keys_apart,
        ),
    ]
}

async fn delete_all(world: &World, which: Which) -> u64 {
    world.store.delete_all(OWNER, which).await.unwrap()
}

/// Sessions that are renewed as fast as it goes, each over a connection of its own.
async fn no_chain_gets_away() {
    let world = World::new().await;
    world.warm_up().await;
    let family = Family::from_bytes([250; 16]);
    let others = Family::from_bytes([251; 16]);
    for which in [Which::All, Which::Only(family), Which::Except(others)] {
        for number in 0..150 {
            let idle = one_of_many(1000 + number);
            world.create(&Record { family, ..idle }).await;
        }
        let is_over = Arc::new(AtomicBool::new(false));
        let mut chains = JoinSet::new();
        for number in 0..8 {
            let store = RedisStore::new(Wire::to(&world.server.url()).await);
            let is_over = Arc::clone(&is_over);
            let mut session = Record {
                family,
                ..record(number)
            };
            world.create(&session).await;
            chains.spawn(async move {
                loop {
                    let is_late = is_over.load(Ordering::SeqCst);
                    let mut key = *session.key.as_bytes();
                    let steps = u64::from_be_bytes(*key.last_chunk().unwrap());
                    *key.last_chunk_mut().unwrap() = steps.wrapping_add(1).to_be_bytes();
                    let next = Record {
                        key: RecordKey::from_bytes(key),
                        ..session.clone()
                    };
                    match replace(&store, &session, &next).await.unwrap() {
                        Replaced::Done => assert!(!is_late, "it goes on after the logout"),
                        Replaced::Gone => return,
                        odd => panic!("{odd:?}"),
                    }
                    session = next;
                }
            });
        }
        world.wire.take_sent();
        assert_eq!(delete_all(&world, which).await, 158);
        assert_eq!(world.wire.take_sent(), 1);
        is_over.store(true, Ordering::SeqCst);
        chains.join_all().await;
        assert_eq!(world.keys().await, [] as [String; 0]);
    }
}

async fn a_thousand_go_at_one_go() {
    let world = World::new().await;
    world.warm_up().await;
    let [mine, other] = [1, 2].map(|number| Family::from_bytes([number; 16]));
    for number in 0..2500 {
        let family = if number % 5 < 2 { mine } else { other };
        let record = one_of_many(number);
        world.create(&Record { family, ..record }).await;
    }
    world.wire.take_sent();
    for (which, deleted, commands) in [
        (Which::Only(mine), 1000, 1),
        (Which::Only(mine), 0, 1),
        (Which::Except(other), 0, 1),
        (Which::Except(mine), 1500, 2),
        (Which::All, 0, 1),
    ] {
        let before = world.index().await.len() as u64;
        assert_eq!(delete_all(&world, which).await, deleted, "{which:?}");
        assert_eq!(world.wire.take_sent(), commands, "{which:?}");
        assert_eq!(world.index().await.len() as u64, before - deleted);
        assert_eq!(world.listed().await.len() as u64, before - deleted);
        world.wire.take_sent();
    }
    assert_eq!(world.keys().await, [] as [String; 0]);
    for number in 0..2001 {
        world.create(&one_of_many(number)).await;
    }
    assert_eq!(delete_all(&world, Which::All).await, 2001);
    assert_eq!(world.keys().await, [] as [String; 0]);
}

/// So many entries whose records have idled out that the script stops looking before it comes to those that are alive.
async fn what_leads_nowhere_is_no_end() {
    let world = World::new().await;
    let ninety_days = 90 * 24 * HOUR;
    let limit = world.clock().await - HOUR - 1000 + ninety_days;
    for number in 0..5100 {
        world.enlist(&one_of_many(number), ninety_days, limit).await;
    }
    for number in 5100..5110 {
        world.create(&one_of_many(number)).await;
    }
    assert_eq!(delete_all(&world, Which::All).await, 10);
    assert_eq!(world.keys().await, [] as [String; 0]);
}

/// Somebody else's under a key that is listed, and one of the same owner's that a call has made which isn't the entry's.
async fn a_foreign_record_is_left() {
    let world = World::new().await;
    let limit = world.clock().await + HOUR;
    world.create(&record(1).of("app/bob")).await;
    world.enlist(&record(1), HOUR, limit).await;
    world.create(&record(2)).await;
    world.enlist(&record(2), HOUR, limit).await;
    world.create(&record(3)).await;
    for deleted in [2, 0] {
        assert_eq!(delete_all(&world, Which::All).await, deleted);
        // The claims may be of creates on their way.
        assert_eq!(world.index().await, [[1; 32], [2; 32]]);
    }
    let bobs = world.store.load(&record(1).key).await.unwrap();
    assert_eq!(bobs, Some(record(1).of("app/bob")));
}

/// Something among them that can't be deleted is an error, and keeps none of the others.
async fn the_others_go_first() {
    let world = World::new().await;
    for number in 0..200 {
        world.create(&record(number)).await;
    }
    let _: () = world
        .redis(&["SET", &record_key(&record(7)), "secret"])
        .await;
    for _ in 0..2 {
        let error = world.store.delete_all(OWNER, Which::All).await.unwrap_err();
        assert!(error.is::<StoreError>());
        assert_eq!(error.to_string(), "redis: the server answered WRONGTYPE");
        assert_eq!(world.index().await, [[7; 32]]);
    }
    let _: i64 = world.redis(&["DEL", &record_key(&record(7))]).await;
    world.create(&record(8)).await;
    assert_eq!(delete_all(&world, Which::All).await, 1);
    assert_eq!(world.listed().await, []);
}

async fn of_two_delete_alls() {
    let world = World::new().await;
    world.warm_up().await;
    let family = Family::from_bytes([1; 16]);
    for which in [Which::All, Which::Only(family)] {
        for number in 0..3000 {
            let record = one_of_many(number);
            world.create(&Record { family, ..record }).await;
        }
        let mut both = JoinSet::new();
        for which in [Which::All, which] {
            let store = RedisStore::new(Wire::to(&world.server.url()).await);
            both.spawn(async move { store.delete_all(OWNER, which).await.unwrap() });
        }
        assert_eq!(both.join_all().await.iter().sum::<u64>(), 3000);
        assert_eq!(world.keys().await, [] as [String; 0]);
    }
}

/// The answer got lost. Before the command comes again, somebody logs in, and another one logs everything out.
async fn a_repeated_delete_all_counts_once() {
    for records in [0, 5, 1000, 1005] {
        for another in [false, true] {
            let world = World::new().await;
            world.warm_up().await;
            for number in 0..records {
                world.create(&one_of_many(number)).await;
            }
            let gate = world.wire.lose_after(0);
            let store = world.store.clone();
            let deleting =
                tokio::spawn(async move { store.delete_all(OWNER, Which::All).await.unwrap() });
            gate.reached().await;
            let left = u64::from(records).saturating_sub(1000);
            assert_eq!(world.listed().await.len() as u64, left);
            if another {
                assert_eq!(delete_all(&world, Which::All).await, left);
            }
            world.create(&record(201)).await;
            gate.open();
            let deleted = deleting.await.unwrap();
            match (records, another) {
                // There was nothing to remember.
                (0, _) => assert_eq!(deleted, 1),
                (5 | 1000, false) => {
                    assert_eq!(deleted, u64::from(records));
                    assert_eq!(world.listed().await, [record(201).key]);
                }
                (1005, false) => assert_eq!(deleted, 1006, "the new one comes with the rest"),
                // Only the last one is remembered: where that is another's, this one does its work anew.
                (5 | 1000, true) => assert_eq!(deleted, u64::from(records)),
                _ => assert_eq!(deleted, 1),
            }
        }
    }
}

/// What the script may not read is asked for by its key, and then it is an error.
async fn an_account_with_rights_to_some_records() {
    let world = World::new().await;
    let some = format!("~{}*", &record_key(&record(0x11))[..9]);
    let rights = [
        "ACL",
        "SETUSER",
        "shop",
        "on",
        "nopass",
        "~login:o:*",
        &some,
        &format!("~{}", note_key(OWNER)),
        "+@all",
    ];
    let _: () = world.redis(&rights).await;
    let url = world.server.url().replace("redis://", "redis://shop:any@");
    let store = RedisStore::new(Wire::to(&url).await);
    for number in [0x11, 0x12, 0x21, 0x13] {
        world.create(&record(number)).await;
    }
    let error = store.delete_all(OWNER, Which::All).await.unwrap_err();
    assert_eq!(error.to_string(), "redis: the server answered NOPERM");
    assert_eq!(world.listed().await, [record(0x21).key]);
    let _: () = world.redis(&["ACL", "SETUSER", "shop", "allkeys"]).await;
    assert_eq!(store.delete_all(OWNER, Which::All).await.unwrap(), 1);
    assert_eq!(world.keys().await, [] as [String; 0]);
}

/// They differ in one letter, and that always makes the same difference to the sum that says where a key is. So every cluster
/// refuses the script before it has done anything.
async fn a_cluster_keeps_its_keys_apart() {
    let owners = (0..500).map(|number| format!("app/{number}"));
    let apart: HashSet<_> = owners
        .map(|owner| slot(&index_key(&owner)) ^ slot(&note_key(&owner)))
        .collect();
    assert_eq!(apart.len(), 1);
    assert!(!apart.contains(&0));

    let nodes = RedisServer::start_cluster_of::<3>();
    let client = ClusterClient::new([nodes[0].url()]).unwrap();
    let store = RedisStore::new(client.get_async_connection().await.unwrap());
    for number in 0..30 {
        let created = store.create(record(number)).await;
        assert_eq!(created.unwrap(), Created::Done);
    }
    // One that hasn't learnt yet that it is a cluster.
    let store = RedisStore::new(client.get_async_connection().await.unwrap());
    assert_eq!(store.delete_all(OWNER, Which::All).await.unwrap(), 30);
    let list = store.list(OWNER, EVERYTHING, NOW).await.unwrap();
    assert_eq!(list, []);
}

/// Where it is noted what the script did.
fn note_key(owner: &str) -> String {
    index_key(owner).replace(":o:", ":r:")
}

/// Where a cluster keeps a key: CRC16 in the variant of XMODEM.
fn slot(key: &str) -> u16 {
    let mut crc = 0_u16;
    for byte in key.bytes() {
        crc ^= u16::from(byte) << 8;
        for _ in 0..8 {
            crc = (crc << 1) ^ if crc & 0x8000 == 0 { 0 } else { 0x1021 };
        }
    }
    crc % 16384
}
