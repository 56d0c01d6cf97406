//! A server that is down, full, restarted, damaged, or not Redis.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use login_manager::{
    BoxError, RedisStore, SessionStore,
    store::StoreError,
    store::{CreateOutcome, Outcome, Page, SessionRecord},
};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::{sleep, timeout},
};

use crate::{
    redis_world::{NONE, NOW, OWNER, World, id, index_key, record, record_key},
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
            "server_that_forgot_its_scripts",
            server_that_forgot_its_scripts,
        ),
        trial_on_redis("server_that_comes_back", server_that_comes_back),
        trial_on_redis("server_that_is_not_redis", server_that_is_not_redis),
        trial_on_redis("damaged_records_are_absent", damaged_records_are_absent),
        trial_on_redis("damaged_index_fails_once", damaged_index_fails_once),
        trial_on_redis("full_server_still_logs_out", full_server_still_logs_out),
    ]
}

async fn server_that_forgot_its_scripts() {
    for world in [World::new().await, World::with_single_keys().await] {
        let forget = || world.redis::<()>("SCRIPT", "FLUSH", NONE);
        for all in [false, true] {
            forget().await;
            world.create(&record(1)).await;
            forget().await;
            let longer = SessionRecord {
                ends: record(1).ends + 1,
                ..record(1)
            };
            assert_eq!(world.update(&longer).await, Outcome::Done);
            forget().await;
            assert_eq!(world.touch(id(1), NOW, NOW).await, Outcome::Done);
            forget().await;
            if all {
                assert_eq!(world.delete_all().await, 1);
            } else {
                assert_eq!(world.delete(id(1), Some(1)).await, Outcome::Done);
            }
            assert_eq!(world.listed().await, []);
        }
    }
}

async fn server_that_comes_back() {
    let mut world = World::new().await;
    let client = redis::Client::open(world.server.url()).unwrap();
    // By default it tries for longer than the manager's deadline before it says so.
    let config = ConnectionManagerConfig::new().set_number_of_retries(1);
    let connection = ConnectionManager::new_with_config(client, config).await;
    let store = RedisStore::new(connection.unwrap());
    assert_eq!(store.create(record(1)).await.unwrap(), CreateOutcome::Done);
    world.server.stop();
    for _ in 0..3 {
        for error in every_verb_fails(&store).await {
            assert!(error.starts_with("redis: "), "{error}");
            assert!(!error.contains("127.0.0.1"), "{error}");
        }
    }
    world.server.start_again();
    let began = Instant::now();
    while let Err(error) = store.load(&id(1)).await {
        assert!(began.elapsed() < Duration::from_secs(30), "{error}");
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(store.load(&id(1)).await.unwrap(), None);
    assert_eq!(store.create(record(1)).await.unwrap(), CreateOutcome::Done);
    assert_eq!(store.delete_all(OWNER, None).await.unwrap(), 1);
}

/// The error of each call, within the deadline.
async fn every_verb_fails(store: &dyn SessionStore) -> Vec<String> {
    let key = id(1);
    let verbs = [
        failure(store.create(record(1))).await,
        failure(store.load(&key)).await,
        failure(store.update(record(1), NOW)).await,
        failure(store.touch(&key, NOW, NOW)).await,
        failure(store.delete(&key, None)).await,
        failure(store.list(OWNER, PAGE, NOW)).await,
        failure(store.delete_all(OWNER, None)).await,
    ];
    verbs.into()
}

async fn failure<T>(call: impl Future<Output = Result<T, BoxError>>) -> String {
    let answer = timeout(DEADLINE, call).await.expect("an answer in time");
    let error = answer.map(|_| ()).expect_err("an error");
    assert!(error.is::<StoreError>(), "fit for a log");
    // All that a log may print.
    format!("{error} {error:?}")
}

async fn server_that_is_not_redis() {
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
        let key = id(1);
        // A reply of the right type is believed: no record, no entries.
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
            failure(store.update(record(1), NOW)).await,
            failure(store.touch(&key, NOW, NOW)).await,
            failure(store.delete(&key, None)).await,
            failure(store.delete_all(OWNER, None)).await,
        ] {
            assert!(!error.contains("secret"), "{text:?}: {error}");
        }
        server.abort();
    }
}

/// A server that accepts connections as Redis does and then sends this reply to every command.
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

/// It counts as absent and is deleted. Whatever the request was, the next one works.
async fn damaged_records_are_absent() {
    let world = World::new().await;
    let key = record_key(id(1));
    let damages: [(&str, &[&str]); 12] = [
        ("SET", &["secret"]),
        ("SET", &[""]),
        ("HSET", &["version", "secret"]),
        ("LPUSH", &["secret"]),
        ("ZADD", &["1", "secret"]),
        ("SETRANGE", &["0", "\0"]),
        ("SETRANGE", &["0", "secret"]),
        // The length of the owner.
        ("SETRANGE", &["70", "\u{1}"]),
        // The owner.
        ("SETRANGE", &["72", "\u{7f}"]),
        ("APPEND", &["more"]),
        ("DEL", &[]),
        ("EXPIRE", &["0"]),
    ];
    for (name, rest) in damages {
        for call in 0..7 {
            world.create(&record(1)).await;
            world.create(&record(2)).await;
            let is_new_type = !["SETRANGE", "APPEND"].contains(&name);
            if is_new_type {
                let _: i64 = world.redis("DEL", &key, NONE).await;
            }
            let _: redis::Value = world.redis(name, &key, rest).await;
            // What still is a record is one.
            let is_readable = matches!(
                (name, rest.first()),
                ("APPEND", _) | ("SETRANGE", Some(&"72"))
            );
            // Only a load reads the owner.
            let call = if rest.first() == Some(&"70") {
                call % 2
            } else {
                call
            };
            if !is_readable {
                match call {
                    0 => assert_eq!(world.load(id(1)).await, None, "{name} {rest:?}"),
                    1 => assert_eq!(world.listed().await, [id(2)]),
                    2 => assert_eq!(world.touch(id(1), NOW, NOW).await, Outcome::Gone),
                    3 => assert_eq!(world.delete(id(1), None).await, Outcome::Gone),
                    4 => assert_eq!(world.delete(id(1), Some(0)).await, Outcome::Gone),
                    5 => assert_eq!(world.update(&record(1)).await, Outcome::Gone),
                    _ => world.create(&record(1)).await,
                }
            }
            if call < 6 {
                assert_eq!(world.load(id(1)).await.is_some(), is_readable);
            }
            assert_eq!(world.load(id(2)).await, Some(record(2)));
            let _ = world.delete_all().await;
            assert_eq!(world.load(id(1)).await, None);
            assert_eq!(world.load(id(2)).await, None);
            let _: i64 = world.redis("DEL", &key, NONE).await;
        }
    }
}

/// One error, so that no `delete_all` returns `Ok` that may have missed records. Logins work on.
async fn damaged_index_fails_once() {
    let world = World::new().await;
    let index = index_key(OWNER);
    for call in 0..3 {
        world.create(&record(1)).await;
        let _: i64 = world.redis("DEL", &index, NONE).await;
        let _: () = world.redis("SET", &index, "secret").await;
        match call {
            0 => {
                let error = failure(world.store.list(OWNER, PAGE, NOW)).await;
                assert!(error.contains("WRONGTYPE"), "{error}");
                assert_eq!(world.listed().await, []);
            }
            1 => {
                let error = failure(world.store.delete_all(OWNER, None)).await;
                assert!(error.contains("WRONGTYPE"), "{error}");
                assert_eq!(world.delete_all().await, 0);
            }
            _ => {}
        }
        assert_eq!(world.load(id(1)).await, Some(record(1)));
        world.create(&record(2)).await;
        assert_eq!(world.listed().await, [id(2)]);
        for number in [1, 2] {
            assert_eq!(world.delete(id(number), None).await, Outcome::Done);
        }
        assert_eq!(world.keys().await.len(), 0);
    }
    // A member that is no entry.
    world.create(&record(1)).await;
    let _: i64 = world.redis("ZADD", &index, ("0", "secret")).await;
    assert_eq!(world.listed().await, [id(1)]);
    let _: i64 = world.redis("ZADD", &index, ("0", "s")).await;
    world.create(&record(b'r')).await;
    assert_eq!(world.delete_all().await, 2);
    assert_eq!(world.keys().await.len(), 0);
}

/// With `noeviction`, as the documentation says: logins fail, and existing sessions stay and can be
/// logged out.
async fn full_server_still_logs_out() {
    let world = World::new().await;
    world.create(&record(1)).await;
    let _: () = world
        .redis("CONFIG", "SET", ("maxmemory-policy", "noeviction"))
        .await;
    let _: () = world.redis("CONFIG", "SET", ("maxmemory", "1")).await;
    for error in [
        failure(world.store.create(record(2))).await,
        failure(world.store.touch(&id(1), NOW, NOW)).await,
    ] {
        assert!(error.contains("OOM"), "{error}");
    }
    assert_eq!(world.store.load(&id(2)).await.unwrap(), None);
    assert_eq!(world.store.load(&id(1)).await.unwrap(), Some(record(1)));
    assert_eq!(
        world.store.list(OWNER, PAGE, NOW).await.unwrap(),
        [record(1)]
    );
    assert_eq!(
        world.store.delete(&id(1), None).await.unwrap(),
        Outcome::Done
    );
    for fill in ["0", "1"] {
        let _: () = world.redis("CONFIG", "SET", ("maxmemory", fill)).await;
        if fill == "0" {
            world.create(&record(2)).await;
            world.create(&record(3)).await;
        }
    }
    // No deletion needs memory, not even if there is nothing to delete.
    for deleted in [2, 0] {
        let revoked = world.store.delete_all(OWNER, None).await;
        assert_eq!(revoked.unwrap(), deleted);
    }
    assert_eq!(world.keys().await.len(), 0);
}
