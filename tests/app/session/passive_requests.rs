//! Requests that read a session without extending it.

use login_manager::{LoginManager, login_required, manager::Timeouts};

use axum::{Router, routing::get};

use crate::support::{
    faulty_store::Call,
    world::{Account, Accounts, HOUR, MINUTE, World, routes},
};

fn polled(accounts: &Accounts) -> Router {
    let guarded = Router::new()
        .route("/poll/guarded", get(async || "news"))
        .route_layer(login_required::<Account>());
    Router::new()
        .nest("/poll", routes(accounts))
        .merge(guarded)
        .merge(routes(accounts))
}

fn passive(manager: LoginManager<Account>) -> LoginManager<Account> {
    manager
        .with_timeouts(Timeouts::new(15 * MINUTE, 12 * HOUR))
        .without_touch(|head| head.uri.path().starts_with("/poll"))
}

#[tokio::test]
async fn polling_does_not_keep_a_session_alive() {
    let mut world = World::with(polled, passive);
    world.browser.post("/login/alice").await;
    world.store.take_calls();
    for minute in 1..15 {
        world.clock.advance(MINUTE);
        assert_eq!(world.browser.get("/poll/guarded").await.body, "news");
        for page in ["/poll/who", "/poll/how", "/poll/get/key"] {
            assert_eq!(world.browser.get(page).await.status, 200, "{minute}");
        }
    }
    assert!(
        world
            .store
            .take_calls()
            .iter()
            .all(|call| *call == Call::Load)
    );
    world.clock.advance(MINUTE);
    let answer = world.browser.get("/poll/why").await;
    assert_eq!(answer.body, "Some(IdleTimeout)");
    assert!(world.store.inner.is_empty());
}

#[tokio::test]
async fn other_requests_keep_a_polled_session_alive() {
    let mut world = World::with(polled, passive);
    world.browser.post("/login/alice").await;
    for minute in 1..60 {
        world.clock.advance(MINUTE);
        assert_eq!(world.browser.get("/poll/who").await.body, "alice");
        if minute % 10 == 0 {
            assert_eq!(world.browser.get("/who").await.body, "alice");
        }
    }
    for _ in 0..6 {
        world.clock.advance(MINUTE);
        world.browser.get("/poll/who").await;
    }
    assert_eq!(world.browser.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn every_request_is_a_use_by_default() {
    let timeouts = Timeouts::new(15 * MINUTE, 12 * HOUR);
    let mut world = World::with(polled, |manager| manager.with_timeouts(timeouts));
    world.browser.post("/login/alice").await;
    for _ in 0..60 {
        world.clock.advance(MINUTE);
        assert_eq!(world.browser.get("/poll/who").await.body, "alice");
    }
}

#[tokio::test]
async fn poll_after_a_restore_is_no_use() {
    let mut world = World::with(polled, passive);
    world.browser.post("/remember/alice").await;
    world.clock.advance(HOUR);
    assert_eq!(world.browser.get("/who").await.body, "alice");
    let restored = world.store.inner.records()[0].touched;
    world.clock.advance(10 * MINUTE);
    assert_eq!(world.browser.get("/poll/who").await.body, "alice");
    assert_eq!(world.store.inner.records()[0].touched, restored);
    assert_eq!(world.browser.get("/who").await.body, "alice");
    assert_ne!(world.store.inner.records()[0].touched, restored);
}

#[tokio::test]
async fn verbs_of_a_passive_request_work() {
    let mut world = World::with(polled, passive);
    assert_eq!(world.browser.post("/poll/login/alice").await.body, "alice");
    world.browser.post("/poll/put/key/value").await;
    assert_eq!(world.browser.post("/poll/rotate").await.body, "rotated");
    assert_eq!(world.browser.get("/get/key").await.body, "value");
    assert_eq!(world.browser.post("/poll/logout").await.body, "bye");
    assert_eq!(world.browser.get("/who").await.body, "nobody");
}
