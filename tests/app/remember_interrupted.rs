//! A login that is to be remembered, and what comes between its series and its session.

use std::time::Duration;

use http::Method;
use tokio::time::sleep;

use crate::{
    faulty_store::{
        Call::{Create, Delete},
        Fault::{Fails, Hangs},
        When::{After, Before},
    },
    world::{HOUR, SESSION, World, routes},
};

async fn world(start: &str) -> World {
    let mut world = World::with(routes, |manager| manager.with_deadline(HOUR));
    if start.contains("remembered") {
        world.browser.post("/remember/alice").await;
        world.browser.forget(SESSION);
    }
    if start.contains("cart") {
        world.browser.post("/put/cart/apples").await;
    }
    world
}

/// The new series is of the same family as the old one, so a logout that finds it ends it.
#[tokio::test]
async fn fault_19_a_login_that_a_logout_overtakes_is_remembered_as_it_says() {
    for start in ["remembered", "remembered with a cart"] {
        for when in [Before, After] {
            let case = format!("{start}, {when:?}");
            let world = world(start).await;
            let gate = world.store.gate(Create, when);
            let login = world.browser.start(Method::POST, "/remember/alice");
            gate.reached().await;
            let logout = world.browser.clone().post("/logout").await;
            assert_eq!(logout.status, 200, "{case}");
            gate.open();
            let (mut browser, answer) = login.await.unwrap();
            assert_eq!(answer.status, 200, "{case}");
            assert_eq!(browser.get("/who").await.body, "alice", "{case}");
            browser.forget(SESSION);
            assert_eq!(browser.get("/who").await.body, "alice", "{case}");
            let families = world.store.inner.records();
            assert!(families.iter().all(|it| it.family == families[0].family));
        }
    }
}

/// The series was written, and the store goes down before the session is.
#[tokio::test(start_paused = true)]
async fn b22_a_login_that_fails_leaves_no_remembered_device_when_the_store_is_back() {
    for fault in [Fails, Hangs] {
        let world = World::new();
        let gate = world.store.gate(Create, After);
        let login = world.browser.start(Method::POST, "/remember/alice");
        gate.reached().await;
        world.store.fail_all(fault);
        gate.open();
        let (browser, answer) = login.await.unwrap();
        assert_eq!(answer.status, 503, "{fault:?}");
        assert!(browser.cookie_names().is_empty(), "{fault:?}");
        world.store.heal();
        sleep(Duration::from_secs(100)).await;
        assert!(world.store.inner.is_empty(), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn fault_19_a_login_beside_a_logout_is_in_where_a_deletion_fails() {
    let world = world("remembered").await;
    let gate = world.store.gate(Create, After); // the series
    let deletion = world.store.gate(Delete, Before); // of the old series
    let login = world.browser.start(Method::POST, "/remember/alice");
    gate.reached().await;
    gate.open();
    world.store.fail_once(Delete, Fails);
    deletion.reached().await;
    assert_eq!(world.browser.clone().post("/logout").await.status, 200);
    deletion.open();
    let (mut browser, answer) = login.await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(browser.get("/who").await.body, "alice");
}

#[tokio::test(start_paused = true)]
async fn fault_19_a_login_whose_replacement_is_unclear_beside_a_logout_is_remembered() {
    let mut world = world("").await;
    world.browser.post("/login/alice").await;
    let gate = world.store.gate(Create, After); // the series
    let login = world.browser.start(Method::POST, "/remember/alice");
    gate.reached().await;
    assert_eq!(world.browser.clone().post("/logout").await.status, 200);
    world.store.fail_once(Delete, Fails);
    gate.open();
    let (mut browser, answer) = login.await.unwrap();
    assert_eq!(answer.status, 200);
    browser.forget(SESSION);
    assert_eq!(browser.get("/who").await.body, "alice");
}

#[tokio::test(start_paused = true)]
async fn b2_a_restore_ends_the_visitors_session_though_its_deletion_fails_once() {
    let mut world = world("remembered with a cart").await;
    let old = world.token();
    world.store.fail_once(Delete, Fails);
    assert_eq!(world.browser.get("/who").await.body, "alice");
    sleep(Duration::from_secs(100)).await;
    let mut thief = world.browser.another();
    thief.plant(SESSION, &old);
    assert_eq!(thief.get("/get/cart").await.body, "");
}
