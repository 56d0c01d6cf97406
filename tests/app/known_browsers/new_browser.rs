//! A login in a browser that the user has never used emits an event.

use login_manager::{event::EventKind, manager::KnownBrowsers};

use super::{BROWSER, more_routes, world};
use crate::support::world::{DAY, World};

#[tokio::test]
async fn first_login_in_a_browser_emits_new_browser() {
    let mut world = world();
    world.browser.post("/login/alice").await;
    assert_eq!(
        world.events.take(),
        [EventKind::LoggedIn, EventKind::NewBrowser]
    );
    world.browser.post("/logout").await;
    world.browser.post("/login/alice").await;
    assert_eq!(
        world.events.take(),
        [EventKind::LoggedOut, EventKind::LoggedIn]
    );
    world.browser.post("/confirm").await;
    world.events.take();

    let mut other = world.browser.another();
    other.post("/login/alice").await;
    let events = world.events.take_of(EventKind::NewBrowser);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].user_id(), Some("1"));
    assert!(events[0].session_id().is_some());
}

#[tokio::test]
async fn each_user_of_a_browser_is_new_once() {
    let mut world = world();
    for (user, is_new) in [("alice", 1), ("bob", 1), ("alice", 0), ("bob", 0)] {
        world.browser.post(&format!("/login/{user}")).await;
        let new = world.events.take_of(EventKind::NewBrowser).len();
        assert_eq!(new, is_new, "{user}");
    }
}

#[tokio::test]
async fn browser_is_known_for_a_year_after_the_last_login() {
    let mut world = world();
    world.browser.post("/login/alice").await;
    world.clock.advance(364 * DAY);
    world.browser.post("/login/alice").await;
    world.clock.advance(364 * DAY);
    assert_eq!(world.browser.get("/knows/alice").await.body, "true");
    world.clock.advance(DAY);
    assert_eq!(world.browser.get("/knows/alice").await.body, "false");
}

#[tokio::test]
async fn browsers_used_longest_ago_are_forgotten() {
    let mut world = World::with(more_routes, |manager| {
        manager.with_known_browsers(KnownBrowsers::new().max_browsers(3))
    });
    let mut browsers = Vec::new();
    for _ in 0..3 {
        let mut browser = world.browser.another();
        browser.post("/login/alice").await;
        browsers.push(browser);
        world.clock.advance(DAY);
    }
    browsers[0].post("/login/alice").await;
    world.clock.advance(DAY);
    world.browser.post("/login/alice").await;
    browsers.push(world.browser.clone());
    let mut known = Vec::new();
    for browser in &mut browsers {
        known.push(browser.get("/knows/alice").await.body == "true");
    }
    assert_eq!(known, [true, false, true, true]);
}

#[tokio::test]
async fn forget_browsers_forgets_those_of_one_user() {
    let mut world = world();
    world.browser.post("/login/bob").await;
    world.browser.post("/both/alice").await;
    world.browser.post("/login/bob").await;
    world.browser.post("/login/alice").await;
    world.manager.forget_browsers(&1).await.unwrap();
    assert_eq!(
        world.browser.get("/who").await.body,
        "alice",
        "sessions stay"
    );
    assert_eq!(world.browser.get("/knows/alice").await.body, "false");
    assert_eq!(world.browser.get("/trusts/alice").await.body, "false");
    assert_eq!(world.browser.get("/knows/bob").await.body, "true");
    assert!(world.browser.cookie(BROWSER).is_some());
}
