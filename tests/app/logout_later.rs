//! A logout that the store failed is tried again in the background: whole, told of when it is done, within bounds, and without
//! harm to who logs in meanwhile.

use std::time::Duration;

use axum::{Router, extract::State, routing::post};
use login_manager::{Auth, Error, EventKind};
use tokio::{runtime::Handle, time::sleep};

use crate::{
    events::Events,
    faulty_store::{
        Call::{Delete, DeleteAll, Load},
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

/// The browser has forgotten its cookies, so nobody else can.
#[tokio::test(start_paused = true)]
async fn fault_4_a_logout_that_failed_is_tried_again_until_it_is_done() {
    for start in ["/login/alice", "/remember/alice"] {
        for call in [Load, DeleteAll] {
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
                let told = events.take();
                assert_eq!(told.last(), Some(&EventKind::LoggedOut), "{case}: {told:?}");
                world.store.take_calls();
                sleep(Duration::from_secs(600)).await;
                assert!(world.store.take_calls().is_empty(), "{case}: it is over");
            }
        }
    }
}

/// One that stays down is left alone in the end.
#[tokio::test(start_paused = true)]
async fn fault_4_a_logout_is_not_tried_again_for_ever() {
    let (mut world, events) = start_at("/login/alice").await;
    world.store.fail_all(Fails);
    assert_eq!(world.browser.post("/logout").await.status, 503);
    sleep(Duration::from_secs(600)).await;
    let failures = |told: Vec<EventKind>| {
        let failures = told.iter().filter(|kind| **kind == EventKind::StoreFailed);
        failures.count()
    };
    assert!((5..20).contains(&failures(events.take())));
    sleep(Duration::from_secs(600)).await;
    assert_eq!(failures(events.take()), 0);
}

/// Whoever has a copy of the session has renewed it, and the browser came back in by its remember cookie.
#[tokio::test(start_paused = true)]
async fn fault_4_a_logout_that_is_tried_again_ends_all_that_came_of_the_login() {
    for is_down in [false, true] {
        let (mut world, events) = start_at("/remember/alice").await;
        let mut thief = world.browser.another();
        thief.plant(SESSION, &world.token());
        assert_eq!(thief.post("/renew").await.status, 200);
        assert_eq!(world.browser.get("/who").await.body, "alice");
        if is_down {
            world.store.fail(DeleteAll, Fails);
            world.store.fail(Delete, Fails);
        }
        let status = world.browser.post("/logout").await.status;
        assert_eq!(status, if is_down { 503 } else { 200 });
        world.store.heal();
        sleep(A_WHILE).await;
        assert_eq!(thief.get("/who").await.body, "nobody", "down: {is_down}");
        assert!(world.store.inner.is_empty(), "down: {is_down}");
        let told = events.take_of(EventKind::LoggedOut);
        assert_eq!(told.len(), 1, "down: {is_down}");
    }
}

/// By then the session is under another key.
#[tokio::test(start_paused = true)]
async fn fault_4_no_renewal_escapes_a_logout_that_is_tried_again() {
    for verb in ["/renew", "/confirm"] {
        let (mut world, events) = start_at("/login/alice").await;
        let (mut tab, old) = (world.browser.clone(), world.token());
        world.store.fail(DeleteAll, Fails);
        assert_eq!(world.browser.post("/logout").await.status, 503);
        assert_eq!(tab.post(verb).await.status, 200, "{verb}");
        assert_ne!(tab.cookie("-session").unwrap(), old, "{verb}");
        world.store.heal();
        sleep(A_WHILE).await;
        assert_eq!(tab.get("/who").await.body, "nobody", "{verb}");
        assert!(world.store.inner.is_empty(), "{verb}");
        let told = events.take_of(EventKind::LoggedOut);
        assert_eq!(told.len(), 1, "{verb}");
    }
}

/// A logout that fails, on a store that is well again at once, and a login.
async fn log_out_and_in(
    State(store): State<FaultyStore>,
    auth: Auth<Account>,
) -> Result<(), Error> {
    store.fail(DeleteAll, Fails);
    let out = auth.logout().await;
    assert!(out.is_err());
    store.heal();
    auth.login(account(1, "alice")).remember(true).await?;
    Ok(())
}

/// It descends from nothing that is to end.
#[tokio::test(start_paused = true)]
async fn fault_4_a_login_after_a_logout_that_failed_outlives_its_end() {
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
        let told = events.take();
        assert!(told.contains(&EventKind::LogoutIncomplete), "{start}");
        assert_eq!(world.browser.get("/who").await.body, "alice", "{start}");
        let left = world.store.inner.records();
        assert_eq!(left.len(), 2, "{start}: a session and a series");
        assert!(left.iter().all(|new| new.family != old[0].family));
        world.browser.forget(SESSION);
        assert_eq!(
            world.browser.get("/how").await.body,
            "alice stale remembered"
        );
        assert_eq!(thief.get("/who").await.body, "nobody", "{start}");
    }
}

#[tokio::test(start_paused = true)]
async fn l1_of_a_made_up_cookie_no_logout_is_told() {
    for is_down in [false, true] {
        let (mut world, events) = start_at("/").await;
        world.browser.plant(SESSION, &"A".repeat(43));
        if is_down {
            world.store.fail(Load, Fails);
            world.store.fail(Delete, Fails);
        }
        let status = world.browser.post("/logout").await.status;
        assert_eq!(status, if is_down { 503 } else { 200 });
        world.store.heal();
        sleep(A_WHILE).await;
        let told = events.take_of(EventKind::LoggedOut);
        assert_eq!(told, [], "down: {is_down}");
    }
}

#[tokio::test(start_paused = true)]
async fn l1_a_logout_that_came_late_is_told_with_the_time_at_which_it_came() {
    let (mut world, events) = start_at("/login/alice").await;
    world.store.fail(DeleteAll, Fails);
    world.store.fail(Delete, Fails);
    let asked = world.clock.now();
    assert_eq!(world.browser.post("/logout").await.status, 503);
    sleep(Duration::from_secs(20)).await;
    world.clock.advance(Duration::from_secs(20));
    world.store.heal();
    sleep(A_WHILE).await;
    let told = events.take_of(EventKind::LoggedOut);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].at(), asked + Duration::from_secs(20));
    assert_eq!(told[0].user_id(), Some("1"));
}

/// Anybody can send a cookie and ask to be logged out.
#[tokio::test(start_paused = true)]
async fn fault_4_logouts_by_strangers_while_the_store_is_down_make_no_endless_work() {
    let (world, _) = start_at("/").await;
    world.store.fail_all(Fails);
    for i in 0..200 {
        let mut stranger = world.browser.another();
        stranger.plant(SESSION, &format!("{}{i:03}A", "A".repeat(39)));
        assert_eq!(stranger.post("/logout").await.status, 503);
    }
    let waiting = Handle::current().metrics().num_alive_tasks();
    assert!((1..100).contains(&waiting), "{waiting}");
    sleep(A_WHILE).await;
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
}

/// What was let go makes room again.
#[tokio::test(start_paused = true)]
async fn fault_4_after_very_many_failed_logouts_the_next_is_tried_again() {
    let (mut world, _) = start_at("/login/alice").await;
    world.store.fail_all(Fails);
    for _ in 0..200 {
        let mut stranger = world.browser.another();
        stranger.plant(SESSION, &"A".repeat(43));
        stranger.post("/logout").await;
    }
    sleep(A_WHILE).await;
    assert_eq!(world.browser.post("/logout").await.status, 503);
    world.store.heal();
    sleep(A_WHILE).await;
    assert!(world.store.inner.is_empty());
}
