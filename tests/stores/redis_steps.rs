//! Servers that run no script of several keys: clusters, proxies, accounts with rights to some.

use libtest_mimic::Trial;
use login_manager::{
    RedisStore, SessionStore as _, StoreError,
    store::{Created, Replaced, Which},
};
use redis::cluster::ClusterClient;

use crate::{
    redis_wire::Wire,
    redis_world::{OWNER, Of as _, World, nobodys, record},
    trial_on_redis,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial_on_redis("a_cluster_is_asked_once", a_cluster_is_asked_once),
        trial_on_redis("a_cluster_client_asks_once", a_cluster_client_asks_once),
        trial_on_redis(
            "a_server_that_becomes_a_cluster",
            a_server_that_becomes_a_cluster,
        ),
        trial_on_redis(
            "a_refusal_in_other_words_is_asked_again",
            a_refusal_in_other_words_is_asked_again,
        ),
        trial_on_redis(
            "a_refusal_of_everything_is_an_error",
            a_refusal_of_everything_is_an_error,
        ),
        trial_on_redis(
            "steps_after_a_script_that_was_run",
            steps_after_a_script_that_was_run,
        ),
        trial_on_redis(
            "an_account_with_rights_to_one_key_at_a_time",
            an_account_with_rights_to_one_key_at_a_time,
        ),
    ]
}

/// What a cluster says to keys of two slots.
const CROSSSLOT: &str = "CROSSSLOT Keys in request don't hash to the same slot";

async fn a_cluster_is_asked_once() {
    // By the first create or the first replace, whichever comes.
    for replaces in [false, true] {
        let world = World::in_steps().await;
        world.warm_up().await;
        let store = RedisStore::new(world.wire.clone());
        let clone = store.clone().with_prefix("login:").unwrap();
        let mut sent = Vec::new();
        for (store, number) in [(&store, 1), (&store, 2), (&clone, 3)] {
            if replaces {
                world.create(&nobodys(100 + number)).await;
                world.wire.take_sent();
                let old = nobodys(100 + number).key;
                let replaced = store.replace(&old, 0, record(number)).await;
                assert_eq!(replaced.unwrap(), Replaced::Done);
            } else {
                let created = store.create(record(number)).await;
                assert_eq!(created.unwrap(), Created::Done);
            }
            sent.push(world.wire.take_sent());
        }
        assert_eq!(sent, if replaces { [4, 3, 3] } else { [3, 2, 2] });
        assert_eq!(
            world.listed().await,
            [1, 2, 3].map(|number| record(number).key)
        );
    }
}

async fn a_cluster_client_asks_once() {
    let world = World::in_steps().await;
    let client = ClusterClient::new([world.server.url()]).unwrap();
    let store = RedisStore::new(client.get_async_connection().await.unwrap());
    for number in [1, 2, 3] {
        let created = store.create(record(number)).await;
        assert_eq!(created.unwrap(), Created::Done);
        let old = record(number).key;
        let replaced = store.replace(&old, 0, record(number + 100)).await;
        assert_eq!(replaced.unwrap(), Replaced::Done);
    }
    let errors: String = world.redis(&["INFO", "errorstats"]).await;
    assert!(
        errors.contains("errorstat_CROSSSLOT:count=1\r\n"),
        "{errors}"
    );
    assert_eq!(store.delete_all(OWNER, Which::All).await.unwrap(), 3);
}

async fn a_server_that_becomes_a_cluster() {
    // It may be moving one of the keys when it is asked first.
    for refusal in [
        CROSSSLOT,
        "TRYAGAIN Multiple keys request during rehashing of slot",
    ] {
        let world = World::new().await;
        world.warm_up().await;
        world.create(&record(1)).await;
        let other = record(9).of("app/bob");
        world.create(&other).await;
        assert_eq!(world.wire.take_sent(), 2);
        world.wire.refuse(Some(refusal));
        world.create(&record(2)).await;
        let replaced = world.store.replace(&record(1).key, 0, record(3)).await;
        assert_eq!(replaced.unwrap(), Replaced::Done);
        assert_eq!(world.listed().await, [record(2).key, record(3).key]);
        // And back: what was learnt stays, and holds.
        world.wire.refuse(None);
        world.wire.take_sent();
        world.create(&record(4)).await;
        assert_eq!(world.wire.take_sent(), 2);
        assert_eq!(world.store.delete_all(OWNER, Which::All).await.unwrap(), 3);
        assert_eq!(world.keys().await.len(), 2, "the other's");
    }
}

async fn a_refusal_in_other_words_is_asked_again() {
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
            // The refusal, and a script that the server has seen before it was one of one key.
            assert!(world.wire.take_sent() >= 3, "{refusal}");
        }
        let replaced = world.store.replace(&record(1).key, 0, record(3)).await;
        assert_eq!(replaced.unwrap(), Replaced::Done);
        assert_eq!(world.listed().await, [record(2).key, record(3).key]);
        assert_eq!(world.store.delete_all(OWNER, Which::All).await.unwrap(), 2);
        assert_eq!(world.keys().await, [] as [String; 0]);
        world.wire.refuse(None);
        world.wire.take_sent();
        world.create(&record(4)).await;
        assert_eq!(world.wire.take_sent(), 1, "{refusal}");
    }
}

/// Where the steps would hear the same, they aren't taken.
async fn a_refusal_of_everything_is_an_error() {
    let world = World::new().await;
    world.warm_up().await;
    world.create(&record(1)).await;
    world.wire.take_sent();
    for code in [
        "OOM",
        "LOADING",
        "READONLY",
        "MISCONF",
        "BUSY",
        "WRONGTYPE",
        "NOAUTH",
    ] {
        world.wire.refuse(Some(code));
        for error in [
            world.store.create(record(2)).await.map(|_: Created| ()),
            world
                .store
                .replace(&record(1).key, 0, record(2))
                .await
                .map(|_: Replaced| ()),
            world.store.delete_all(OWNER, Which::All).await.map(|_| ()),
        ] {
            let error = error.unwrap_err();
            // So the log says it.
            assert!(error.is::<StoreError>());
            let error = error.to_string();
            assert_eq!(error, format!("redis: the server answered {code}"));
        }
        assert_eq!(world.wire.take_sent(), 3, "{code}");
    }
    world.wire.refuse(None);
    world.create(&record(2)).await;
    assert_eq!(world.wire.take_sent(), 1);
}

/// A proxy that loses the answer and says so in an error of its own. Both ways know the work of this one call.
async fn steps_after_a_script_that_was_run() {
    for is_lost in [false, true] {
        let world = World::new().await;
        world.warm_up().await;
        let refuse_late = async |call: u8| {
            let gate = world.wire.lose_after(0);
            let store = world.store.clone();
            let calling = tokio::spawn(async move {
                if call == 0 {
                    assert_eq!(store.create(record(1)).await.unwrap(), Created::Done);
                } else {
                    let replaced = store.replace(&record(1).key, 0, record(2)).await;
                    assert_eq!(replaced.unwrap(), Replaced::Done);
                }
            });
            gate.reached().await;
            if call == 1 && is_lost {
                assert_eq!(world.store.delete_all(OWNER, Which::All).await.unwrap(), 1);
            }
            world.wire.refuse(Some("ERR upstream failure"));
            gate.open();
            calling.await.unwrap();
            world.wire.refuse(None);
        };
        refuse_late(0).await;
        assert_eq!(world.listed().await, [record(1).key]);
        assert_eq!(world.index().await.len(), 1);
        refuse_late(1).await;
        if is_lost {
            assert_eq!(world.listed().await, []);
        } else {
            assert_eq!(world.listed().await, [record(2).key]);
            assert_eq!(world.index().await.len(), 1);
        }
    }
}

/// Each script of one key is within one of its two sets of rights, and no script of both.
async fn an_account_with_rights_to_one_key_at_a_time() {
    let world = World::new().await;
    let rights = [
        "ACL",
        "SETUSER",
        "shop",
        "on",
        "nopass",
        "~login:r:*",
        "+@all",
    ];
    let _: () = world
        .redis(&[&rights[..], &["(~login:o:* +@all)"]].concat())
        .await;
    let url = world.server.url().replace("redis://", "redis://shop:any@");
    let wire = Wire::to(&url).await;
    let store = RedisStore::new(wire.clone());
    assert_eq!(store.create(record(1)).await.unwrap(), Created::Done);
    wire.take_sent();
    assert_eq!(store.create(record(2)).await.unwrap(), Created::Done);
    assert_eq!(wire.take_sent(), 3);
    let replaced = store.replace(&record(1).key, 0, record(3)).await;
    assert_eq!(replaced.unwrap(), Replaced::Done);
    assert_eq!(world.listed().await, [record(2).key, record(3).key]);
    // Rights to too little are an error, and nothing comes of it.
    let _: () = world
        .redis(&["ACL", "SETUSER", "shop", "clearselectors"])
        .await;
    let before = world.keys().await;
    for error in [
        store.create(record(4)).await.map(|_: Created| ()),
        store
            .replace(&record(2).key, 0, record(4))
            .await
            .map(|_: Replaced| ()),
    ] {
        let error = error.unwrap_err().to_string();
        assert!(error.contains("NOPERM"), "{error}");
    }
    assert_eq!(world.keys().await, before);
    let _: () = world
        .redis(&["ACL", "SETUSER", "shop", "(~login:o:* +@all)"])
        .await;
    assert_eq!(store.delete_all(OWNER, Which::All).await.unwrap(), 2);
    assert_eq!(world.keys().await, [] as [String; 0]);
}
