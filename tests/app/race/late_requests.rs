//! Requests in flight when their session ends.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use axum::{extract::Path, routing::post};
use login_manager::{Session, event::EventKind};
use tokio::sync::Notify;

use crate::support::{
    browser::{Answer, Browser},
    faulty_store::{Call, When},
    settle,
    world::{HOUR, World, routes},
};

#[tokio::test]
async fn logout_completes_when_the_client_hangs_up() {
    for call in [Call::Load, Call::Delete] {
        let mut world = World::new();
        world.browser.post("/login/alice").await;
        let token = world.token();
        let gate = world.store.gate(call, When::Before);
        let mut browser = world.browser.clone();
        let request = tokio::spawn(async move { browser.post("/logout").await });
        gate.reached().await;
        request.abort();
        assert!(request.await.unwrap_err().is_cancelled());
        gate.open();
        settle().await;
        assert_eq!(world.who_has(&token).await, "nobody", "{call:?}");
        assert!(world.store.inner.is_empty(), "{call:?}");
    }
}

#[tokio::test]
async fn late_write_revives_no_ended_session() {
    for end in ["/logout", "/login/alice", "/login/bob"] {
        let mut world = World::new();
        world.browser.post("/login/alice").await;
        let token = world.token();
        let gate = world.store.gate(Call::Update, When::Before);
        let mut late = world.browser.clone();
        let late = tokio::spawn(async move { late.post("/put/cart/apples").await });
        gate.reached().await;
        world.browser.post(end).await;
        let records = world.store.inner.records();
        gate.open();
        let answer = late.await.unwrap();
        assert_eq!(answer.status, 200, "the answer stands after {end}");
        assert_eq!(answer.set_cookies(), [""; 0], "{end}");
        assert_eq!(world.store.inner.records(), records, "{end}");
        world.let_grace_pass();
        assert_eq!(world.who_has(&token).await, "nobody", "{end}");
        assert!(world.events.take().contains(&EventKind::DataDropped));
    }
}

#[tokio::test]
async fn late_touch_revives_no_session_ended_by_logout() {
    let mut world = World::new();
    world.browser.post("/login/alice").await;
    let token = world.token();
    world.clock.advance(12 * HOUR);
    let gate = world.store.gate(Call::Touch, When::Before);
    assert_eq!(world.browser.get("/who").await.body, "alice");
    gate.reached().await;
    world.browser.post("/logout").await;
    gate.open();
    settle().await;
    assert_eq!(world.who_has(&token).await, "nobody");
    assert!(world.store.inner.is_empty());
}

#[tokio::test]
async fn hundred_late_handlers_revive_no_session_ended_by_logout() {
    let (arrived, go_on) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counted, awaited) = (Arc::clone(&arrived), Arc::clone(&go_on));
    let slow = async move |session: Session, Path(key): Path<String>| {
        let _: Option<String> = session.get(&key).await?;
        let signal = awaited.notified();
        counted.fetch_add(1, SeqCst);
        signal.await;
        session.insert(&key, "late").await
    };
    let mut world = World::with(
        |accounts| routes(accounts).route("/slow/{key}", post(slow)),
        |manager| manager,
    );
    world.browser.post("/login/alice").await;
    let token = world.token();
    let writers: Vec<_> = (0..100)
        .map(|writer| {
            let mut browser = world.browser.clone();
            tokio::spawn(async move { browser.post(&format!("/slow/{writer}")).await })
        })
        .collect();
    while arrived.load(SeqCst) < 100 {
        tokio::task::yield_now().await;
    }
    world.browser.post("/logout").await;
    go_on.notify_waiters();
    for writer in writers {
        let answer = writer.await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), answer.set_cookies().len()),
            (200, 0)
        );
    }
    assert!(world.store.inner.is_empty());
    assert_eq!(world.who_has(&token).await, "nobody");
}

#[tokio::test]
async fn login_beside_logout_works_and_ends_the_old_session() {
    // The same user's login is an update, another user's a new record.
    for (verb, user, call) in [
        ("/login/alice", "alice", Call::Update),
        ("/login/bob", "bob", Call::Create),
    ] {
        let ((answer, mut browser), world, token) = beside_a_logout(verb, call).await;
        assert_eq!(answer.status, 200, "{verb}");
        assert_eq!(browser.get("/who").await.body, user, "{verb}");
        assert_eq!(world.live_sessions(), 1, "{verb}");
        assert_eq!(world.who_has(&token).await, "nobody", "{verb}");
    }
}

#[tokio::test]
async fn rotation_beside_logout_is_gone_and_sends_no_cookie() {
    for verb in ["/confirm", "/rotate"] {
        let ((answer, _), world, token) = beside_a_logout(verb, Call::Update).await;
        assert_eq!(answer.status, 409, "{verb}");
        assert_eq!(answer.set_cookies(), [""; 0], "{verb}");
        assert!(world.store.inner.is_empty(), "{verb}");
        assert_eq!(world.who_has(&token).await, "nobody", "{verb}");
    }
}

/// Holds the verb before its write until a logout of the same session is done.
async fn beside_a_logout(verb: &'static str, call: Call) -> ((Answer, Browser), World, String) {
    let mut world = World::new();
    world.browser.post("/login/alice").await;
    let token = world.token();
    let gate = world.store.gate(call, When::Before);
    let mut browser = world.browser.clone();
    let held = tokio::spawn(async move { (browser.post(verb).await, browser) });
    gate.reached().await;
    assert_eq!(world.browser.post("/logout").await.status, 200);
    gate.open();
    (held.await.unwrap(), world, token)
}
