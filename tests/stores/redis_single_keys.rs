//! Commands with one key each: when the store sends them, and what a refusal costs.

use libtest_mimic::Trial;
use login_manager::{
    RedisStore, SessionStore as _,
    store::StoreError,
    store::{CreateOutcome, Outcome, SessionRecord},
};
use redis::cluster::ClusterClient;

use crate::{
    redis_wire::Wire,
    redis_world::{HOUR, NONE, NOW, World, id, record},
    trial_on_redis,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial_on_redis("cluster_is_remembered", cluster_is_remembered),
        trial_on_redis(
            "cluster_client_is_refused_once",
            cluster_client_is_refused_once,
        ),
        trial_on_redis(
            "server_that_becomes_a_cluster",
            server_that_becomes_a_cluster,
        ),
        trial_on_redis(
            "other_refusals_are_not_remembered",
            other_refusals_are_not_remembered,
        ),
        trial_on_redis("other_errors_are_returned", other_errors_are_returned),
        trial_on_redis(
            "script_that_ran_before_the_refusal",
            script_that_ran_before_the_refusal,
        ),
        trial_on_redis("rights_to_one_key_at_a_time", rights_to_one_key_at_a_time),
    ]
}

/// What a cluster says to keys of two slots.
const CROSSSLOT: &str = "CROSSSLOT Keys in request don't hash to the same slot";

async fn cluster_is_remembered() {
    let world = World::with_single_keys().await;
    world.warm_up().await;
    let store = RedisStore::new(world.wire.clone());
    let clone = store.clone().with_prefix("login:").unwrap();
    let mut sent = Vec::new();
    for (store, number) in [(&store, 1), (&store, 2), (&clone, 3)] {
        let created = store.create(record(number)).await;
        assert_eq!(created.unwrap(), CreateOutcome::Done);
        sent.push(world.wire.take_sent());
    }
    assert_eq!(sent, [3, 2, 2]);
    assert_eq!(world.listed().await, [1, 2, 3].map(id));
}

async fn cluster_client_is_refused_once() {
    let world = World::with_single_keys().await;
    let client = ClusterClient::new([world.server.url()]).unwrap();
    let store = RedisStore::new(client.get_async_connection().await.unwrap());
    for number in [1, 2, 3] {
        let created = store.create(record(number)).await;
        assert_eq!(created.unwrap(), CreateOutcome::Done);
        let updated = store.update(record(number), NOW).await;
        assert_eq!(updated.unwrap(), Outcome::Done);
    }
    let errors: String = world.redis("INFO", "errorstats", NONE).await;
    assert!(
        errors.contains("errorstat_CROSSSLOT:count=1\r\n"),
        "{errors}"
    );
}

async fn server_that_becomes_a_cluster() {
    // It may be moving one of the keys at the first command.
    for refusal in [
        CROSSSLOT,
        "TRYAGAIN Multiple keys request during rehashing of slot",
    ] {
        let world = World::new().await;
        world.warm_up().await;
        world.create(&record(1)).await;
        assert_eq!(world.wire.take_sent(), 1);
        world.wire.refuse(Some(refusal));
        world.create(&record(2)).await;
        assert_eq!(world.update(&record(1)).await, Outcome::Done);
        assert_eq!(world.listed().await, [id(1), id(2)]);
        // And back: single keys are correct there, too.
        world.wire.refuse(None);
        world.wire.take_sent();
        world.create(&record(4)).await;
        assert_eq!(world.wire.take_sent(), 2);
        assert_eq!(world.delete_all().await, 3);
        assert_eq!(world.listed().await, []);
    }
}

async fn other_refusals_are_not_remembered() {
    for refusal in [
        "ERR 'EVALSHA' command keys must in same slot",
        "ERR Cross-slot queries are disabled",
        "NOPERM No permissions to access a key",
    ] {
        let world = World::new().await;
        world.warm_up().await;
        world.wire.refuse(Some(refusal));
        for number in [1, 2] {
            world.create(&record(number)).await;
            // The refusal, the entry, the record; at first also a script that the server does not
            // know.
            assert!(world.wire.take_sent() >= 3, "{refusal}");
        }
        let longer = SessionRecord {
            ends: NOW + 90 * HOUR,
            ..record(1)
        };
        assert_eq!(world.update(&longer).await, Outcome::Done);
        assert_eq!(world.listed().await, [id(1), id(2)]);
        assert_eq!(world.delete_all().await, 2);
        world.wire.refuse(None);
        world.wire.take_sent();
        world.create(&record(4)).await;
        assert_eq!(world.wire.take_sent(), 1, "{refusal}");
    }
}

/// If single keys would be refused as well, they are not sent.
async fn other_errors_are_returned() {
    let world = World::new().await;
    world.warm_up().await;
    world.create(&record(1)).await;
    world.create(&record(3)).await;
    world.wire.take_sent();
    for code in [
        "OOM",
        "LOADING",
        "READONLY",
        "MISCONF",
        "BUSY",
        "NOAUTH",
        "WRONGTYPE",
    ] {
        world.wire.refuse(Some(code));
        let created = world.store.create(record(2)).await;
        let updated = world.store.update(record(1), NOW).await;
        let errors = [
            created.map(|_: CreateOutcome| ()),
            updated.map(|_: Outcome| ()),
        ];
        for error in errors {
            let error = error.unwrap_err();
            assert!(error.is::<StoreError>(), "fit for a log");
            let error = error.to_string();
            assert_eq!(error, format!("redis: the server answered {code}"));
        }
        assert_eq!(world.wire.take_sent(), 2, "{code}");
    }
    world.wire.refuse(None);
    world.create(&record(2)).await;
    assert_eq!(world.wire.take_sent(), 1);
}

/// A proxy that loses the reply and returns an error of its own. Single keys recognize the write.
async fn script_that_ran_before_the_refusal() {
    let world = World::new().await;
    world.warm_up().await;
    let refused_late = async |updates: bool| {
        let gate = world.wire.lose_after(0);
        let store = world.store.clone();
        let calling = tokio::spawn(async move {
            if updates {
                let updated = store.update(record(1), NOW).await;
                assert_eq!(updated.unwrap(), Outcome::Done);
            } else {
                let created = store.create(record(1)).await;
                assert_eq!(created.unwrap(), CreateOutcome::Done);
            }
        });
        gate.reached().await;
        world.wire.refuse(Some("ERR upstream failure"));
        gate.open();
        calling.await.unwrap();
        world.wire.refuse(None);
    };
    refused_late(false).await;
    assert_eq!(world.listed().await, [id(1)]);
    assert_eq!(world.index().await, [id(1)]);
    refused_late(true).await;
    assert_eq!(world.load(id(1)).await.unwrap().version, 1);
    assert_eq!(world.index().await, [id(1)]);
}

/// Each script with one key is within one of two sets of rights, and none with both.
async fn rights_to_one_key_at_a_time() {
    let world = World::new().await;
    let set_rights = async |rights: &[&str]| {
        let _: () = world.redis("ACL", ("SETUSER", "shop"), rights).await;
    };
    set_rights(&["on", "nopass", "~login:r:*", "+@all", "(~login:o:* +@all)"]).await;
    let url = world.server.url().replace("redis://", "redis://shop:any@");
    let wire = Wire::to(&url).await;
    let store = RedisStore::new(wire.clone());
    let create = async |number| store.create(record(number)).await;
    assert_eq!(create(1).await.unwrap(), CreateOutcome::Done);
    wire.take_sent();
    assert_eq!(create(2).await.unwrap(), CreateOutcome::Done);
    assert_eq!(wire.take_sent(), 3);
    assert_eq!(world.listed().await, [id(1), id(2)]);
    // Too few rights are an error, and nothing is written.
    set_rights(&["clearselectors"]).await;
    let before = world.keys().await;
    let error = create(4).await.unwrap_err().to_string();
    assert!(error.contains("NOPERM"), "{error}");
    assert_eq!(world.keys().await, before);
    set_rights(&["(~login:o:* +@all)"]).await;
    let deleted = store.delete(&id(1), None).await;
    assert_eq!(deleted.unwrap(), Outcome::Done);
    assert_eq!(
        store
            .delete_all(crate::redis_world::OWNER, None)
            .await
            .unwrap(),
        1
    );
    assert_eq!(world.listed().await, []);
}
