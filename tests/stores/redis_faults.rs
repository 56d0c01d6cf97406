//! Redis as it shouldn't be: gone, full, forgetful, damaged, or no Redis at all.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use libtest_mimic::Trial;
use login_manager::{
    BoxError, RedisStore, SessionStore, StoreError,
    store::{Created, Outcome, Page, Replaced, Which},
};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::{sleep, timeout},
};

use crate::{
    redis_world::{NOW, OWNER, World, index_key, record, record_key},
    trial_on_redis,
};

const PAGE: Page = Page {
    after: None,
    limit: 10,
};
/// The manager's deadline.
const DEADLINE: Duration = Duration::from_secs(2);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial_on_redis(
            "a_server_that_forgot_its_scripts",
            a_server_that_forgot_its_scripts,
        ),
        trial_on_redis("fault_1_a_server_that_comes_back", a_server_that_comes_back),
        trial_on_redis(
            "fault_5_a_server_that_makes_no_sense",
            a_server_that_makes_no_sense,
        ),
        trial_on_redis(
            "fault_7_a_damaged_record_is_an_error",
            a_damaged_record_is_an_error,
        ),
        trial_on_redis("fault_33_a_full_server", a_full_server),
    ]
}

async fn a_server_that_forgot_its_scripts() {
    let world = World::new().await;
    let key = record(1).key;
    for version in 0..2 {
        let forget = || world.redis::<()>(&["SCRIPT", "FLUSH"]);
        forget().await;
        world.create(&record(1)).await;
        forget().await;
        let updated = world.store.update(&key, 0, Arc::from([1]), NOW).await;
        assert_eq!(updated.unwrap(), Outcome::Done);
        forget().await;
        let touched = world.store.touch(&key, NOW, NOW).await;
        assert_eq!(touched.unwrap(), Outcome::Done);
        forget().await;
        let replaced = world.store.replace(&key, 1, record(2)).await;
        assert_eq!(replaced.unwrap(), Replaced::Done);
        forget().await;
        if version == 0 {
            assert_eq!(
                world.store.delete(&record(2).key, Some(0)).await.unwrap(),
                Outcome::Done
            );
        } else {
            assert_eq!(world.store.delete_all(OWNER, Which::All).await.unwrap(), 1);
        }
    }
}

async fn a_server_that_comes_back() {
    let mut world = World::new().await;
    let client = redis::Client::open(world.server.url()).unwrap();
    // By default it tries for longer than the manager's deadline before it says so.
    let config = ConnectionManagerConfig::new().set_number_of_retries(1);
    let connection = ConnectionManager::new_with_config(client, config).await;
    let store = RedisStore::new(connection.unwrap());
    assert_eq!(store.create(record(1)).await.unwrap(), Created::Done);
    world.server.stop();
    for _ in 0..3 {
        for error in every_verb_fails(&store).await {
            assert!(error.starts_with("redis: "), "{error}");
            assert!(!error.contains("127.0.0.1"), "{error}");
        }
    }
    world.server.start_again();
    let began = Instant::now();
    while let Err(error) = store.load(&record(1).key).await {
        assert!(began.elapsed() < Duration::from_secs(30), "{error}");
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(store.load(&record(1).key).await.unwrap(), None);
    assert_eq!(store.create(record(1)).await.unwrap(), Created::Done);
    assert_eq!(store.delete_all(OWNER, Which::All).await.unwrap(), 1);
}

/// What each verb has to say, within the deadline.
async fn every_verb_fails(store: &dyn SessionStore) -> Vec<String> {
    let key = record(1).key;
    let verbs = [
        failure(store.create(record(1))).await,
        failure(store.load(&key)).await,
        failure(store.update(&key, 0, Arc::from([]), NOW)).await,
        failure(store.touch(&key, NOW, NOW)).await,
        failure(store.delete(&key, None)).await,
        failure(store.replace(&key, 0, record(2))).await,
        failure(store.list(OWNER, PAGE, NOW)).await,
        failure(store.delete_all(OWNER, Which::All)).await,
    ];
    verbs.into()
}

async fn failure<T>(call: impl Future<Output = Result<T, BoxError>>) -> String {
    let answer = timeout(DEADLINE, call).await.expect("an answer in time");
    let error = answer.map(|_| ()).expect_err("an error");
    assert!(error.is::<StoreError>(), "the log is to say it");
    // Nothing that a log prints, whichever way.
    format!("{error} {error:?}")
}

async fn a_server_that_makes_no_sense() {
    for answer in [
        // What real ones send, with the arguments of the command in it.
        &b"-ERR unknown command 'EVALSHA', with args beginning with: 'secret'\r\n"[..],
        b"-SOMETHING secret\r\n",
        b"-secret: it\r\n",
        b"$6\r\nsecret\r\n",
        b"+secret\r\n",
        b":7\r\n",
        b":-7\r\n",
        b"$-1\r\n",
        b"*-1\r\n",
        b"*0\r\n",
        b"*1\r\n$6\r\nsecret\r\n",
        b"*8\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n",
        b"*8\r\n+a\r\n+a\r\n+a\r\n+a\r\n+a\r\n+a\r\n+a\r\n+a\r\n",
        b"*2\r\n*1\r\n*1\r\n*1\r\n+a\r\n+a\r\n",
        b"*2147483647\r\n$6\r\nsecret\r\n",
        b"$2147483647\r\nsecret\r\n",
        b"$99999999999999999999\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret",
        b"\r\n\r\n\r\n",
        b"\x00\xff\xfe",
        b"%1\r\n+secret\r\n+secret\r\n",
        b"_\r\n",
        b"",
    ] {
        let (url, server) = pretend(answer).await;
        let client = redis::Client::open(url).unwrap();
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_response_timeout(Some(Duration::from_millis(200)));
        let store =
            RedisStore::new(ConnectionManager::new_lazy_with_config(client, config).unwrap());
        let text = String::from_utf8_lossy(answer);
        let key = record(1).key;
        // An answer of the right type can be believed: no hash, no members, nothing.
        let load = timeout(DEADLINE, store.load(&key)).await.expect("in time");
        assert!(!matches!(load, Ok(Some(_))), "{text:?}");
        let list = timeout(DEADLINE, store.list(OWNER, PAGE, NOW))
            .await
            .expect("in time");
        assert!(
            list.as_ref().is_ok_and(Vec::is_empty) || list.is_err(),
            "{text:?}"
        );
        for error in [load.err(), list.err()].into_iter().flatten() {
            let error = format!("{error} {error:?}");
            assert!(!error.contains("secret"), "{text:?}: {error}");
        }
        for error in [
            failure(store.create(record(1))).await,
            failure(store.update(&key, 0, Arc::from(*b"secret"), NOW)).await,
            failure(store.touch(&key, NOW, NOW)).await,
            failure(store.delete(&key, None)).await,
            failure(store.replace(&key, 0, record(2))).await,
            failure(store.delete_all(OWNER, Which::All)).await,
        ] {
            assert!(!error.contains("secret"), "{text:?}: {error}");
        }
        server.abort();
    }
}

/// A server that greets as Redis does and then answers everything with this.
async fn pretend(answer: &'static [u8]) -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut heard = [0; 4096];
                while let Ok(len @ 1..) = stream.read(&mut heard).await {
                    let text = String::from_utf8_lossy(&heard[..len]);
                    let greetings = text.matches("SETINFO").count();
                    let said = match greetings {
                        0 => stream.write_all(answer).await,
                        _ => {
                            stream
                                .write_all("+OK\r\n".repeat(greetings).as_bytes())
                                .await
                        }
                    };
                    if said.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (url, server)
}

async fn a_damaged_record_is_an_error() {
    let world = World::new().await;
    let (key, hash) = (record(1).key, record_key(&record(1)));
    for damage in [
        &["HDEL", &hash, "family"][..],
        &["HDEL", &hash, "expires"],
        &["HDEL", &hash, "version"],
        &["HDEL", &hash, "payload"],
        &["HSET", &hash, "family", "short"],
        &["HSET", &hash, "created", ""],
        &["HSET", &hash, "ends", "secret"],
        &["HSET", &hash, "expires", "1e9"],
        &["HSET", &hash, "version", "-1"],
        &["HSET", &hash, "version", "18446744073709551616"],
        &["HSET", &hash, "touched", "9223372036854775808"],
    ] {
        world.create(&record(1)).await;
        let _: redis::Value = world.redis(damage).await;
        for error in [
            failure(world.store.load(&key)).await,
            failure(world.store.list(OWNER, PAGE, NOW)).await,
        ] {
            assert!(error.contains("a record in redis"), "{damage:?}: {error}");
            assert!(!error.contains("secret"), "{damage:?}: {error}");
        }
        let _whatever = world.store.touch(&key, NOW, NOW).await;
        let _whatever = world.store.update(&key, 0, Arc::from([]), NOW).await;
        // It can be got rid of, both ways.
        assert_eq!(world.store.delete(&key, None).await.unwrap(), Outcome::Done);
        world.create(&record(1)).await;
        let _: redis::Value = world.redis(damage).await;
        assert_eq!(world.store.delete_all(OWNER, Which::All).await.unwrap(), 1);
    }

    // Something else under our keys.
    let _: () = world.redis(&["SET", &hash, "secret"]).await;
    for error in [
        failure(world.store.load(&key)).await,
        failure(world.store.touch(&key, NOW, NOW)).await,
        failure(world.store.update(&key, 0, Arc::from([]), NOW)).await,
    ] {
        assert!(!error.contains("secret"), "{error}");
    }
    let _: i64 = world
        .redis(&["ZADD", &index_key(OWNER), "1", "secret"])
        .await;
    let error = failure(world.store.list(OWNER, PAGE, NOW)).await;
    assert!(
        error.contains("none of ours") && !error.contains("secret"),
        "{error}"
    );
}

/// With `noeviction`, as the documentation asks for: logins fail, and those who are logged in stay so and can log out.
async fn a_full_server() {
    let world = World::new().await;
    world.create(&record(1)).await;
    let _: () = world
        .redis(&["CONFIG", "SET", "maxmemory-policy", "noeviction"])
        .await;
    let _: () = world.redis(&["CONFIG", "SET", "maxmemory", "1"]).await;
    for error in [
        failure(world.store.create(record(2))).await,
        failure(world.store.touch(&record(1).key, NOW, NOW)).await,
    ] {
        assert!(error.contains("OOM"), "{error}");
    }
    assert_eq!(world.store.load(&record(2).key).await.unwrap(), None);
    assert_eq!(
        world.store.load(&record(1).key).await.unwrap(),
        Some(record(1))
    );
    assert_eq!(
        world.store.list(OWNER, PAGE, NOW).await.unwrap(),
        [record(1)]
    );
    assert_eq!(
        world.store.delete(&record(1).key, None).await.unwrap(),
        Outcome::Done
    );
    for fill in ["0", "1"] {
        let _: () = world.redis(&["CONFIG", "SET", "maxmemory", fill]).await;
        if fill == "0" {
            world.create(&record(2)).await;
            world.create(&record(3)).await;
        }
    }
    // Nobody's end asks for room, not even where there is nothing to end.
    for deleted in [2, 0] {
        let revoked = world.store.delete_all(OWNER, Which::All).await;
        assert_eq!(revoked.unwrap(), deleted);
    }
    assert_eq!(world.keys().await, [] as [String; 0]);
}
