//! Requests that are still under way when a session ends, and clients that don't wait for the answer.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use axum::{extract::Path, routing::post};
use login_manager::{EventKind, Session};
use tokio::sync::Notify;

use crate::{
    faulty_store::{Call, When},
    world::{HOUR, World, routes},
};

#[tokio::test]
async fn p4_a_logout_is_carried_out_when_the_client_hangs_up() {
    for call in [Call::Load, Call::Delete, Call::DeleteAll] {
        let mut world = World::new();
        world.browser.post("/login/alice").await;
        let token = world.token();
        let gate = world.store.gate(call, When::Before);
        let mut browser = world.browser.clone();
        let request = tokio::spawn(async move { browser.post("/logout").await });
        // A logout need not use each of these calls; those that it uses are no place to lose it.
        tokio::select! {
            () = gate.reached() => {}
            () = idle() => continue,
        }
        request.abort();
        assert!(request.await.unwrap_err().is_cancelled());
        gate.open();
        idle().await;
        assert_eq!(world.who_has(&token).await, "nobody", "{call:?}");
        assert!(world.store.inner.is_empty(), "{call:?}");
    }
}

/// Waits until nothing that is under way can go on by itself.
async fn idle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn b6_a_late_writer_does_not_bring_back_what_a_logout_or_a_renewal_ended() {
    for end in [
        "/logout",
        "/renew",
        "/confirm",
        "/login/alice",
        "/login/bob",
    ] {
        let mut world = World::new();
        world.browser.post("/login/alice").await;
        let token = world.token();
        let gate = world.store.gate(Call::Update, When::Before);
        let mut late = world.browser.clone();
        let late = tokio::spawn(async move { late.post("/put/cart/apples").await });
        gate.reached().await;
        world.browser.post(end).await;
        let records = world.store.inner.len();
        gate.open();
        let answer = late.await.unwrap();
        assert_eq!(answer.status, 200, "the answer stands after {end}");
        assert_eq!(answer.set_cookies(), [""; 0], "{end}");
        assert_eq!(world.store.inner.len(), records, "{end}");
        assert_eq!(world.who_has(&token).await, "nobody", "{end}");
        assert!(world.events.take().contains(&EventKind::DataDropped));
    }
}

#[tokio::test]
async fn b6_a_late_touch_does_not_bring_back_what_a_logout_ended() {
    let mut world = World::new();
    world.browser.post("/login/alice").await;
    let token = world.token();
    world.clock.advance(12 * HOUR);
    let gate = world.store.gate(Call::Touch, When::Before);
    assert_eq!(world.browser.get("/who").await.body, "alice");
    gate.reached().await;
    world.browser.post("/logout").await;
    gate.open();
    idle().await;
    assert_eq!(world.who_has(&token).await, "nobody");
    assert!(world.store.inner.is_empty());
}

#[tokio::test]
async fn b6_a_hundred_late_writers_do_not_bring_back_what_a_logout_ended() {
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
async fn p13_a_login_beside_a_logout_sets_no_cookie_for_a_session_that_is_dead() {
    for verb in ["/login/alice", "/login/bob"] {
        beside_a_logout(verb).await;
    }
}

#[tokio::test]
async fn p10_a_confirmation_or_renewal_beside_a_logout_brings_nobody_back() {
    for verb in ["/confirm", "/renew"] {
        beside_a_logout(verb).await;
    }
}

/// Holds the verb at each of its writes until a logout of the same session is done. Each must look to its client as if
/// one had come after the other.
async fn beside_a_logout(verb: &'static str) {
    let ends_the_old = if verb == "/login/bob" {
        Call::DeleteAll
    } else {
        Call::Delete
    };
    let moments = [
        (Call::Create, When::After),
        (ends_the_old, When::Before),
        (ends_the_old, When::After),
    ];
    for (call, when) in moments {
        let mut world = World::new();
        world.browser.post("/login/alice").await;
        let gate = world.store.gate(call, when);
        let mut browser = world.browser.clone();
        let held = tokio::spawn(async move { (browser.post(verb).await, browser) });
        gate.reached().await;
        assert_eq!(world.browser.post("/logout").await.status, 200);
        gate.open();
        let (answer, mut browser) = held.await.unwrap();
        let described = format!("{verb}, {call:?} {when:?}");
        let login = verb.starts_with("/login");
        if login || (call, when) == (Call::Delete, When::After) {
            // A login stands by itself; and who ended the old session first left the logout nothing to end.
            assert_eq!(answer.status, 200, "{described}");
            assert_ne!(browser.get("/who").await.body, "nobody", "{described}");
        } else {
            assert_eq!(answer.status, 409, "{described}");
            assert_eq!(answer.set_cookies(), [""; 0], "{described}");
            assert!(world.store.inner.is_empty(), "{described}");
        }
        assert!(world.store.inner.len() <= 1, "{described}");
    }
}
