//! Nothing secret is ever written down: a whole life of an application, with everything going wrong that can, under a
//! subscriber that keeps every line of every level.
#![allow(unreachable_pub, reason = "there is no outside to a test crate")]
#![allow(dead_code, reason = "the helpers are those of all application tests")]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails shall say so at once"
)]

#[path = "app/browser.rs"]
mod browser;
#[path = "app/faulty_store.rs"]
mod faulty_store;
#[path = "app/world.rs"]
mod world;

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use faulty_store::{Call, Fault};
use login_manager::{Passwords, store::SessionStore};
use sha2::{Digest, Sha256};
use world::World;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn l2_no_secret_is_ever_written_down() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone());
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    let events = Log::default();
    let mut seen = events.clone();
    let mut secrets = Vec::new();

    let world = World::with(world::routes, |manager| {
        let events = seen.clone();
        manager
            .with_login_view("/login")
            .unwrap()
            .with_on_event(move |event| {
                writeln!(events.clone(), "{event:?}").unwrap();
            })
    });
    let World {
        mut browser,
        store,
        accounts,
        manager,
        ..
    } = world;
    secrets.push(accounts.get(1).unwrap().stamp);

    // Passwords, good, bad and unreadable.
    let passwords = Passwords::default();
    let hash = passwords.hash("canary-password").await.unwrap();
    let _ = passwords.verify("canary-password", Some(&hash)).await;
    let _ = passwords
        .verify("canary-password", Some("canary-stored-rubbish"))
        .await;
    let too_long = "canary-password".repeat(1000);
    let _ = passwords.verify(too_long.clone(), Some(&hash)).await;
    let refused = passwords.hash(too_long).await.unwrap_err();
    writeln!(seen, "{passwords:?} {refused} {refused:?}").unwrap();
    secrets.extend([
        hash.clone(),
        hash.rsplit('$').next().unwrap().into(),
        "canary-password".into(),
        "canary-stored-rubbish".into(),
    ]);

    // Each way in which a request can go, with each call of the store going wrong.
    for fault in [
        None,
        Some(Fault::Fails),
        Some(Fault::DoesAndFails),
        Some(Fault::Panics),
    ] {
        for call in [
            Call::Create,
            Call::Load,
            Call::Update,
            Call::Delete,
            Call::DeleteAll,
        ] {
            browser.post("/remember/alice").await;
            let token = browser.cookie("session").unwrap();
            let key: [u8; 32] = store
                .inner
                .records()
                .first()
                .unwrap()
                .key
                .as_bytes()
                .to_owned();
            let remember = browser.cookie("remember").unwrap();
            secrets.extend(remember.split('.').map(str::to_owned));
            secrets.extend([hex(&key), hex(&Sha256::digest(token.as_bytes())), token]);
            if let Some(fault) = fault {
                store.fail(call, fault);
            }
            for uri in [
                "/put/name/canary-data",
                "/login/bob",
                "/confirm",
                "/renew",
                "/logout",
            ] {
                browser.post(uri).await;
            }
            for uri in ["/me", "/who?token=canary-query", "/why", "/get/name"] {
                browser.get(uri).await;
            }
            accounts.fail(true);
            browser.get("/who").await;
            accounts.fail(false);
            store.heal();
            browser.plant("__Host-account-session", "canary-malformed-cookie");
            browser.get("/who").await;
            browser.forget_cookies();
        }
    }
    secrets.extend([
        "canary-data".into(),
        "canary-query".into(),
        "canary-malformed-cookie".into(),
    ]);
    writeln!(seen, "{manager:?} {browser:?}", browser = store.inner).unwrap();
    for record in store.inner.records() {
        // A record's Debug may show its owner, never its key.
        writeln!(seen, "{:?}", record.key).unwrap();
    }

    // An error keeps what a store said, and doesn't repeat it.
    store.fail(Call::Load, Fault::Fails);
    let cause = store.load(&store.inner.records()[0].key).await.unwrap_err();
    secrets.push(cause.to_string());

    let written = log.text() + &events.text();
    assert!(
        written.contains("LoggedIn") && written.contains("StoreFailed"),
        "the log is empty: {written}"
    );
    for secret in secrets {
        assert!(secret.len() > 8, "{secret:?} would be found anywhere");
        assert!(!written.contains(&secret), "{secret:?} is in the log");
    }
}

/// Tokens can't be compared at all, since nothing derives it for them; digests of secrets and stamps are by `ct_eq`.
#[test]
fn a9_nothing_secret_is_compared_with_equals() {
    let read = |file: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../src")
            .join(file);
        let text = std::fs::read_to_string(path).unwrap();
        text.split("#[cfg(test)]").next().unwrap().to_owned()
    };
    let tokens = read("store/token.rs");
    for secret in ["struct Token(", "struct RememberToken {"] {
        let (before, _) = tokens.split_once(secret).expect(secret);
        let derived = before.rsplit_once("#[derive(").unwrap().1;
        assert!(derived.starts_with("Clone)]"), "{secret} {derived}");
    }
    assert!(!tokens.contains("impl PartialEq"));
    let mut compared = 0;
    for file in [
        "remember/series.rs",
        "remember/mod.rs",
        "remember/restore.rs",
        "identity/user.rs",
        "store/token.rs",
    ] {
        let text = read(file);
        compared += text.matches(".ct_eq(").count();
        for (line, operator) in text
            .lines()
            .flat_map(|line| [" == ", " != "].map(|operator| (line, operator)))
        {
            let Some((left, right)) = line.split_once(operator) else {
                continue;
            };
            let sides = [
                left.rsplit(['.', ' ']).next(),
                right.split(['.', ' ']).next(),
            ];
            for side in sides.into_iter().flatten() {
                let secret = ["secret", "stamp", "current", "before", "digest"];
                assert!(
                    !secret.iter().any(|word| side.contains(word)),
                    "{file}: {line}"
                );
            }
        }
    }
    assert!(compared >= 3, "{compared}");
}
