//! Session protection: a session presented by a different-looking client.

use http::header::USER_AGENT;
use login_manager::{LoginManager, event::EventKind, manager::SessionProtection};

use crate::support::{
    browser::Browser,
    events::Events,
    world::{Account, REMEMBER, World, routes},
};

const OTHER: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Other/1.0";

fn world(
    configure: impl FnOnce(LoginManager<Account>) -> LoginManager<Account>,
) -> (World, Events) {
    let world = World::with(routes, configure);
    let events = world.events.clone();
    (world, events)
}

fn protected(events: &Events) -> usize {
    events.count(EventKind::ClientChanged)
}

fn looks_like(browser: &mut Browser, user_agent: &str) {
    browser
        .headers
        .insert(USER_AGENT, user_agent.parse().unwrap());
}

#[tokio::test]
async fn basic_protection_only_makes_another_client_not_fresh() {
    let (
        World {
            mut browser, store, ..
        },
        events,
    ) = world(|manager| manager);
    browser.post("/login/alice").await;
    let mut thief = browser.clone();
    looks_like(&mut thief, OTHER);
    store.take_calls();
    assert_eq!(thief.get("/how").await.body, "alice stale");
    assert_eq!(protected(&events), 1);
    assert_eq!(store.take_calls().len(), 1, "nothing is written");
    assert_eq!(
        browser.get("/how").await.body,
        "alice fresh",
        "its owner doesn't notice"
    );
    thief.post("/confirm").await;
    assert_eq!(
        thief.get("/how").await.body,
        "alice fresh",
        "who proves it is known by the new looks"
    );
}

#[tokio::test]
async fn strong_protection_ends_the_session_and_the_remember_cookie() {
    let (
        World {
            mut browser, store, ..
        },
        events,
    ) = world(|manager| manager.with_session_protection(SessionProtection::Strong));
    browser.post("/remember/alice").await;
    let mut thief = browser.clone();
    looks_like(&mut thief, OTHER);
    assert_eq!(thief.get("/why").await.body, "Some(ClientChanged)");
    assert!(thief.cookie_names().is_empty());
    assert_eq!(protected(&events), 1);
    assert!(store.inner.is_empty());
    assert_eq!(browser.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn no_protection_compares_nothing() {
    let (World { mut browser, .. }, events) =
        world(|manager| manager.with_session_protection(SessionProtection::Off));
    browser.post("/login/alice").await;
    looks_like(&mut browser, OTHER);
    assert_eq!(browser.get("/how").await.body, "alice fresh");
    assert_eq!(protected(&events), 0);
}

#[tokio::test]
async fn client_is_compared_only_if_its_digest_is_stored() {
    for protection in [SessionProtection::Basic, SessionProtection::Strong] {
        let (World { mut browser, .. }, events) =
            world(|manager| manager.with_session_protection(protection));
        browser.post("/put/cart/apples").await;
        looks_like(&mut browser, OTHER);
        assert_eq!(
            browser.get("/get/cart").await.body,
            "apples",
            "an anonymous session has no looks"
        );
        browser.headers.remove(USER_AGENT);
        browser.post("/login/alice").await;
        looks_like(&mut browser, OTHER);
        assert_eq!(
            browser.get("/how").await.body,
            "alice fresh",
            "none were stored"
        );
        assert_eq!(protected(&events), 0);
    }
}

#[tokio::test]
async fn restored_session_is_protected() {
    let (World { mut browser, .. }, events) =
        world(|manager| manager.with_session_protection(SessionProtection::Strong));
    browser.post("/remember/alice").await;
    let remember = browser.cookie("remember").unwrap();
    browser.forget_cookies();
    browser.plant(REMEMBER, &remember);
    assert_eq!(browser.get("/who").await.body, "alice");
    assert_eq!(
        browser.get("/who").await.body,
        "alice",
        "its own client is not taken for another"
    );
    looks_like(&mut browser, OTHER);
    assert_eq!(browser.get("/who").await.body, "nobody");
    assert_eq!(protected(&events), 1);
}

#[tokio::test]
async fn browser_update_is_the_same_client_and_digest_can_differ() {
    let (World { mut browser, .. }, _) = world(|manager| manager);
    looks_like(&mut browser, "Mozilla/5.0 (X11; Linux x86_64) Test/1.0");
    browser.post("/login/alice").await;
    looks_like(&mut browser, "Mozilla/5.0 (X11; Linux x86_64) Test/2.17");
    assert_eq!(browser.get("/how").await.body, "alice fresh");

    let (World { mut browser, .. }, _) = world(|manager| {
        manager.with_fingerprint(|head| Some(head.headers.get("x-real-ip")?.as_bytes().to_vec()))
    });
    browser
        .headers
        .insert("x-real-ip", "192.0.2.1".parse().unwrap());
    browser.post("/login/alice").await;
    looks_like(&mut browser, OTHER);
    assert_eq!(browser.get("/how").await.body, "alice fresh");
    browser
        .headers
        .insert("x-real-ip", "192.0.2.2".parse().unwrap());
    assert_eq!(browser.get("/how").await.body, "alice stale");
}
