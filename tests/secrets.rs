//! No secret is ever logged: the verbs of an application with every fault of its store, under a
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

#[path = "app/support/mod.rs"]
mod support;

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use login_manager::{Passwords, store::SessionStore, tokens::Purpose};
use tower_http::catch_panic::CatchPanicLayer;

use crate::support::{
    faulty_store::{Call, Fault},
    world::{World, routes},
};

const RESET: Purpose = Purpose::reset();

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

/// The secrets in the value of a cookie, in every form in which they could be printed. The id in
/// front of them is not a secret: 16 bytes, which the first 22 characters hold.
fn secrets_in(cookie: &str) -> Vec<String> {
    let bytes = Base64UrlUnpadded::decode_vec(cookie).unwrap();
    let mut forms = vec![cookie.to_owned(), cookie[22..].to_owned()];
    for secret in bytes[16..].chunks(32) {
        let hex = |byte: &u8| format!("{byte:02x}");
        let list = format!("{secret:?}");
        forms.extend([
            Base64UrlUnpadded::encode_string(secret),
            secret.iter().map(hex).collect(),
            list.trim_matches(['[', ']']).to_owned(),
        ]);
    }
    forms
}

#[tokio::test]
async fn no_secret_is_ever_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone());
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    let events = Log::default();
    let mut seen = events.clone();
    let mut secrets = Vec::new();

    let world = World::with(routes, |manager| {
        let events = seen.clone();
        manager
            .with_login_page("/login")
            .with_on_event(move |event| {
                writeln!(events.clone(), "{event:?}").unwrap();
            })
    });
    let World {
        browser,
        store,
        accounts,
        manager,
        ..
    } = world;
    // Panics of a store are the application's to catch.
    let app = browser.app().layer(CatchPanicLayer::new());
    let mut browser = browser.moved_to(app);
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

    // Every verb, with every call of the store failing in every way.
    for fault in [
        None,
        Some(Fault::Fails),
        Some(Fault::DoesAndFails),
        Some(Fault::Panics),
    ] {
        for call in [
            Call::Create,
            Call::Load,
            Call::LoadFresh,
            Call::Update,
            Call::Touch,
            Call::Delete,
            Call::List,
            Call::DeleteAll,
        ] {
            browser.post("/remember/alice").await;
            for cookie in ["session", "remember"] {
                secrets.extend(secrets_in(&browser.cookie(cookie).unwrap()));
            }
            if let Some(fault) = fault {
                store.fail(call, fault);
            }
            for uri in [
                "/put/name/canary-data",
                "/login/bob",
                "/confirm",
                "/rotate",
                "/logout",
            ] {
                browser.post(uri).await;
                if let Some(cookie) = browser.cookie("session") {
                    secrets.extend(secrets_in(&cookie));
                }
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
    // Tokens, redeemed, refused and not sent.
    let (alice, tokens) = (accounts.get(1).unwrap(), manager.tokens());
    for fault in [None, Some(Fault::Fails), Some(Fault::DoesAndFails)] {
        let issue = tokens.issue(&alice, RESET).for_address("canary-address");
        let token = issue.carry("canary-carried").await.unwrap().unwrap();
        secrets.extend(secrets_in(token.text()));
        if let Some(fault) = fault {
            store.fail(Call::Update, fault);
        }
        let peeked = tokens.peek(token.text(), RESET).await;
        let redeemed = tokens.redeem(token.text(), RESET).await;
        let again = tokens.redeem(token.text(), RESET).await;
        writeln!(seen, "{token:?} {peeked:?} {redeemed:?} {again:?}").unwrap();
        store.heal();
        tokens.withdraw(&alice, RESET).await.unwrap();
    }
    let no_mail = async |_, _| Err::<(), _>("canary-mail-server");
    tokens.send(Some(alice), RESET, no_mail);
    support::settle().await;

    secrets.extend([
        "canary-address".into(),
        "canary-carried".into(),
        "canary-mail-server".into(),
        "canary-data".into(),
        "canary-query".into(),
        "canary-malformed-cookie".into(),
    ]);
    writeln!(seen, "{manager:?} {browser:?}", browser = store.inner).unwrap();
    for record in store.inner.records() {
        writeln!(seen, "{:?}", record.id).unwrap();
    }

    // An error keeps its cause and does not print it.
    store.fail(Call::Load, Fault::Fails);
    let cause = store.load(&store.inner.records()[0].id).await.unwrap_err();
    secrets.push(cause.to_string());

    let written = log.text() + &events.text();
    assert!(
        ["LoggedIn", "StoreFailed", "TokenRefused", "TokenNotSent"]
            .iter()
            .all(|kind| written.contains(kind)),
        "the log is empty: {written}"
    );
    for secret in secrets {
        assert!(secret.len() > 8, "{secret:?} would be found anywhere");
        assert!(!written.contains(&secret), "{secret:?} is in the log");
    }
}

/// `Secret` cannot be compared at all, and `Digest`, its only comparable form, compares with
/// `ct_eq`.
#[test]
fn secrets_are_compared_in_constant_time() {
    let tokens = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/store/token.rs");
    let tokens = std::fs::read_to_string(tokens).unwrap();
    let derived = |name: &str| {
        let (before, _) = tokens.split_once(&format!("struct {name}")).unwrap();
        let (_, derived) = before.rsplit_once("#[derive(").unwrap();
        derived.split_once(')').unwrap().0
    };
    assert_eq!(derived("Secret("), "Clone");
    assert_eq!(derived("SessionToken {"), "Clone, Debug");
    assert_eq!(derived("RememberToken {"), "Clone, Debug");
    assert_eq!(derived("Digest("), "Clone, Copy, Eq");
    assert_eq!(tokens.matches("impl PartialEq for").count(), 1);
    let (_, comparison) = tokens.split_once("impl PartialEq for Digest {").unwrap();
    let (comparison, _) = comparison.split_once("\n}").unwrap();
    assert!(
        comparison.contains("self.0.ct_eq(&other.0)"),
        "{comparison}"
    );
}
