//! Remembered logins and restores that are interrupted between their store calls.

use std::time::Duration;

use http::Method;
use tokio::time::sleep;

use crate::support::{
    faulty_store::{
        Call::{Create, Update},
        Fault::{DoesAndFails, DoesLater, Fails, Hangs},
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

#[tokio::test]
async fn login_beside_a_logout_is_remembered_as_it_says() {
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
            let live = world.manager.sessions_of(&1).await.unwrap();
            assert_eq!(live.len(), 1, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn failed_login_leaves_no_remembered_session_behind() {
    for fault in [Fails, Hangs, DoesLater, DoesAndFails] {
        let world = World::new();
        world.store.fail_all(fault);
        let login = world.browser.start(Method::POST, "/remember/alice");
        let (browser, answer) = login.await.unwrap();
        assert_eq!(answer.status, 503, "{fault:?}");
        assert!(browser.cookie_names().is_empty(), "{fault:?}");
        world.store.heal();
        sleep(Duration::from_secs(100)).await;
        assert!(world.store.inner.is_empty(), "{fault:?}");
    }
}

/// The record of the remember cookie can't be deleted at once: the login succeeds, and the deletion
/// is retried.
#[tokio::test(start_paused = true)]
async fn login_succeeds_if_ending_the_old_session_fails() {
    for (verb, user) in [("/remember/alice", 1), ("/login/bob", 2)] {
        for fault in [Fails, DoesAndFails] {
            let mut world = world("remembered").await;
            let mut copy = world.browser.clone();
            world.store.fail_once(Update, fault);
            assert_eq!(world.browser.post(verb).await.status, 200, "{verb}");
            sleep(Duration::from_secs(100)).await;
            assert_eq!(copy.get("/who").await.body, "nobody", "{verb}");
            let live = world.manager.sessions_of(&user).await.unwrap();
            assert_eq!(live.len(), 1, "{verb}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn restore_ends_the_anonymous_session_even_if_the_store_fails() {
    for fault in [Fails, DoesAndFails] {
        let mut world = world("remembered with a cart").await;
        let old = world.token();
        // The first update restores, the second one closes.
        let restored = world.store.gate(Update, After);
        let request = world.browser.start(Method::GET, "/who");
        restored.reached().await;
        world.store.fail_once(Update, fault);
        restored.open();
        let (browser, answer) = request.await.unwrap();
        assert_eq!(answer.body, "alice", "{fault:?}");
        world.browser = browser;
        sleep(Duration::from_secs(100)).await;
        world.clock.advance(Duration::from_secs(31));
        let mut thief = world.browser.another();
        thief.plant(SESSION, &old);
        assert_eq!(thief.get("/get/cart").await.body, "", "{fault:?}");
        assert_eq!(world.browser.get("/get/cart").await.body, "apples");
    }
}
