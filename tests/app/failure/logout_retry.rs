//! A logout that failed in the store is retried in the background, within bounds, and leaves a
//! login
//! of the meantime alone.

use std::time::Duration;

use axum::{Router, extract::State, routing::post};
use login_manager::{Auth, Error, event::EventKind};
use tokio::{runtime::Handle, time::sleep};

use crate::support::{
    events::Events,
    faulty_store::{
        Call::{Delete, Load},
        Fault::{Fails, Hangs},
        FaultyStore,
    },
    world::{Account, SESSION, World, account, routes},
};

/// Longer than it is tried.
const A_WHILE: Duration = Duration::from_secs(100);

async fn start_at(start: &str) -> (World, Events) {
    let events = Events::default();
    let mut world = World::with(routes, |manager| events.watch(manager));
    world.browser.post(start).await;
    events.take();
    (world, events)
}

/// The cookies are cleared, so the client cannot retry.
#[tokio::test(start_paused = true)]
async fn failed_logout_is_retried_until_it_succeeds() {
    for start in ["/login/alice", "/remember/alice"] {
        for call in [Load, Delete] {
            for fault in [Fails, Hangs] {
                let case = format!("{start}: {call:?} {fault:?}");
                let (mut world, events) = start_at(start).await;
                for failing in [call, Delete] {
                    world.store.fail(failing, fault);
                }
                assert_eq!(world.browser.post("/logout").await.status, 503, "{case}");
                assert!(world.browser.cookie_names().is_empty(), "{case}");
                sleep(Duration::from_secs(10)).await;
                assert!(!world.store.inner.is_empty(), "{case}");
                assert!(!events.take().contains(&EventKind::LoggedOut), "{case}");
                world.store.heal();
                sleep(Duration::from_secs(60)).await;
                assert!(world.store.inner.is_empty(), "{case}");
                let emitted = events.take();
                assert_eq!(
                    emitted.last(),
                    Some(&EventKind::LoggedOut),
                    "{case}: {emitted:?}"
                );
                world.store.take_calls();
                sleep(Duration::from_secs(600)).await;
                assert!(world.store.take_calls().is_empty(), "{case}: it is over");
            }
        }
    }
}

/// One that stays down is left alone in the end.
#[tokio::test(start_paused = true)]
async fn logout_retry_gives_up_after_a_minute() {
    let (mut world, events) = start_at("/login/alice").await;
    world.store.fail_all(Fails);
    assert_eq!(world.browser.post("/logout").await.status, 503);
    sleep(Duration::from_secs(600)).await;
    let failures = |emitted: Vec<EventKind>| {
        let failures = emitted
            .iter()
            .filter(|kind| **kind == EventKind::StoreFailed);
        failures.count()
    };
    assert!((5..20).contains(&failures(events.take())));
    sleep(Duration::from_secs(600)).await;
    assert_eq!(failures(events.take()), 0);
}

/// A thief has rotated the session, and the browser was restored by its remember cookie.
#[tokio::test(start_paused = true)]
async fn retried_logout_ends_a_session_rotated_by_a_thief() {
    for is_down in [false, true] {
        let (mut world, events) = start_at("/remember/alice").await;
        let mut thief = world.browser.another();
        thief.plant(SESSION, &world.token());
        assert_eq!(thief.post("/rotate").await.status, 200);
        assert_eq!(world.browser.get("/who").await.body, "alice");
        if is_down {
            world.store.fail(Delete, Fails);
        }
        let status = world.browser.post("/logout").await.status;
        assert_eq!(status, if is_down { 503 } else { 200 });
        world.store.heal();
        sleep(A_WHILE).await;
        assert_eq!(thief.get("/who").await.body, "nobody", "down: {is_down}");
        assert!(world.store.inner.is_empty(), "down: {is_down}");
        let emitted = events.take_of(EventKind::LoggedOut);
        assert_eq!(emitted.len(), 1, "down: {is_down}");
    }
}

/// By then the session is under another key.
#[tokio::test(start_paused = true)]
async fn retried_logout_ends_a_session_rotated_meanwhile() {
    for verb in ["/rotate", "/confirm"] {
        let (mut world, events) = start_at("/login/alice").await;
        let (mut tab, old) = (world.browser.clone(), world.token());
        world.store.fail(Delete, Fails);
        assert_eq!(world.browser.post("/logout").await.status, 503);
        assert_eq!(tab.post(verb).await.status, 200, "{verb}");
        assert_ne!(tab.cookie("-session").unwrap(), old, "{verb}");
        world.store.heal();
        sleep(A_WHILE).await;
        assert_eq!(tab.get("/who").await.body, "nobody", "{verb}");
        assert!(world.store.inner.is_empty(), "{verb}");
        let emitted = events.take_of(EventKind::LoggedOut);
        assert_eq!(emitted.len(), 1, "{verb}");
    }
}

/// A logout that fails, on a store that is well again at once, and a login.
async fn log_out_and_in(
    State(store): State<FaultyStore>,
    auth: Auth<Account>,
) -> Result<(), Error> {
    store.fail(Delete, Fails);
    let out = auth.logout().await;
    assert!(out.is_err());
    store.heal();
    auth.login(account(1, "alice")).remember(true).await?;
    Ok(())
}

/// It descends from nothing that is to end.
#[tokio::test(start_paused = true)]
async fn login_after_a_failed_logout_survives_the_retry() {
    for start in ["/login/alice", "/remember/alice"] {
        let (mut world, events) = start_at(start).await;
        let old = world.store.inner.records();
        let mut thief = world.browser.clone();
        let both = post(log_out_and_in).with_state(world.store.clone());
        let app = Router::new()
            .route("/both", both)
            .merge(routes(&world.accounts))
            .layer(world.manager.clone());
        world.browser = world.browser.moved_to(app);
        assert_eq!(world.browser.post("/both").await.status, 200, "{start}");
        sleep(A_WHILE).await;
        let emitted = events.take();
        assert!(emitted.contains(&EventKind::LogoutIncomplete), "{start}");
        assert_eq!(world.browser.get("/who").await.body, "alice", "{start}");
        let left = world.store.inner.records();
        assert_eq!(left.len(), 1, "{start}");
        assert!(left.iter().all(|new| new.id != old[0].id));
        world.browser.forget(SESSION);
        assert_eq!(
            world.browser.get("/how").await.body,
            "alice stale remembered"
        );
        assert_eq!(thief.get("/who").await.body, "nobody", "{start}");
    }
}

#[tokio::test(start_paused = true)]
async fn made_up_cookie_emits_no_logout_event() {
    for is_down in [false, true] {
        let (mut world, events) = start_at("/").await;
        world.browser.plant(SESSION, &"A".repeat(64));
        if is_down {
            world.store.fail(Load, Fails);
            world.store.fail(Delete, Fails);
        }
        let status = world.browser.post("/logout").await.status;
        assert_eq!(status, if is_down { 503 } else { 200 });
        world.store.heal();
        sleep(A_WHILE).await;
        let emitted = events.take_of(EventKind::LoggedOut);
        assert_eq!(emitted, [], "down: {is_down}");
    }
}

#[tokio::test(start_paused = true)]
async fn retried_logout_event_has_the_time_of_the_deletion() {
    let (mut world, events) = start_at("/login/alice").await;
    world.store.fail(Delete, Fails);
    let asked = world.clock.now();
    assert_eq!(world.browser.post("/logout").await.status, 503);
    sleep(Duration::from_secs(20)).await;
    world.clock.advance(Duration::from_secs(20));
    world.store.heal();
    sleep(A_WHILE).await;
    let emitted = events.take_of(EventKind::LoggedOut);
    assert_eq!(emitted.len(), 1);
    assert_eq!(emitted[0].at(), asked + Duration::from_secs(20));
    assert_eq!(emitted[0].user_id(), Some("1"));
}

/// Anybody can send a cookie and ask to be logged out.
#[tokio::test(start_paused = true)]
async fn made_up_logouts_during_an_outage_leave_no_tasks() {
    let (world, _) = start_at("/").await;
    world.store.fail_all(Fails);
    for i in 0..200 {
        let mut stranger = world.browser.another();
        stranger.plant(SESSION, &format!("{}{i:03}A", "A".repeat(60)));
        assert_eq!(stranger.post("/logout").await.status, 503);
    }
    let waiting = Handle::current().metrics().num_alive_tasks();
    assert!((1..100).contains(&waiting), "{waiting}");
    sleep(A_WHILE).await;
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
}

/// Deletions that were given up free their slots.
#[tokio::test(start_paused = true)]
async fn logout_is_retried_after_many_failed_ones() {
    let (mut world, _) = start_at("/login/alice").await;
    world.store.fail_all(Fails);
    for _ in 0..200 {
        let mut stranger = world.browser.another();
        stranger.plant(SESSION, &"A".repeat(64));
        stranger.post("/logout").await;
    }
    sleep(A_WHILE).await;
    assert_eq!(world.browser.post("/logout").await.status, 503);
    world.store.heal();
    sleep(A_WHILE).await;
    assert!(world.store.inner.is_empty());
}

/// Another logout fails half a minute later, so that there are short pauses again.
#[tokio::test(start_paused = true)]
async fn later_failed_logouts_take_no_tries_from_an_earlier_one() {
    let (mut world, events) = start_at("/login/alice").await;
    world.store.fail(Delete, Fails);
    assert_eq!(world.browser.post("/logout").await.status, 503);
    for _ in 0..6 {
        sleep(Duration::from_secs(8)).await;
        let mut other = world.browser.another();
        other.post("/login/bob").await;
        assert_eq!(other.post("/logout").await.status, 503);
    }
    events.take();
    world.store.heal();
    sleep(A_WHILE).await;
    assert_eq!(events.take_of(EventKind::LoggedOut).len(), 7);
    assert!(world.store.inner.is_empty());
}

/// The store is back right before the last try of the first logout, while another one is retried.
#[tokio::test(start_paused = true)]
async fn each_failed_logout_has_a_last_try_at_the_end_of_its_minute() {
    let (mut world, events) = start_at("/login/alice").await;
    world.store.fail(Delete, Fails);
    assert_eq!(world.browser.post("/logout").await.status, 503);
    sleep(Duration::from_secs(30)).await;
    let mut other = world.browser.another();
    other.post("/login/bob").await;
    assert_eq!(other.post("/logout").await.status, 503);
    sleep(Duration::from_millis(32_990)).await;
    events.take();
    world.store.heal();
    sleep(Duration::from_millis(20)).await;
    assert_eq!(events.take_of(EventKind::LoggedOut).len(), 2);
    assert!(world.store.inner.is_empty());
}
