//! A user skips the second factor in a browser that they trust.

use login_manager::manager::KnownBrowsers;

use super::{BROWSER, more_routes, world};
use crate::support::{
    faulty_store::{Call, Fault},
    world::{DAY, World},
};

#[tokio::test]
async fn browser_is_trusted_for_30_days() {
    let mut world = world();
    assert_eq!(
        world.browser.post("/trust").await.body,
        "false",
        "anonymous"
    );
    world.browser.post("/stale/alice").await;
    assert_eq!(
        world.browser.post("/trust").await.body,
        "false",
        "not fresh"
    );
    world.browser.post("/login/alice").await;
    assert_eq!(world.browser.get("/trusts/alice").await.body, "false");
    assert_eq!(world.browser.post("/trust").await.body, "true");
    world.browser.post("/logout").await;
    world.clock.advance(29 * DAY);
    assert_eq!(world.browser.get("/trusts/alice").await.body, "true");
    assert_eq!(world.browser.get("/trusts/bob").await.body, "false");
    assert_eq!(
        world.browser.another().get("/trusts/alice").await.body,
        "false"
    );
    world.browser.post("/login/alice").await;
    world.clock.advance(DAY);
    let trusted = world.browser.get("/trusts/alice").await.body;
    assert_eq!(trusted, "false", "a login doesn't extend it");
    assert_eq!(world.browser.get("/knows/alice").await.body, "true");
}

#[tokio::test]
async fn changed_stamp_ends_the_trust() {
    let mut world = world();
    world.browser.post("/both/alice").await;
    assert_eq!(world.browser.get("/trusts/alice").await.body, "true");
    world.accounts.change(1, |alice| alice.stamp.push('+'));
    assert_eq!(world.browser.get("/trusts/alice").await.body, "false");
    world.accounts.change(1, |alice| alice.stamp.clear());
    assert_eq!(world.browser.get("/trusts/alice").await.body, "false");
    assert_eq!(world.browser.post("/both/alice").await.body, "true");
    assert_eq!(
        world.browser.get("/trusts/alice").await.body,
        "true",
        "no stamp"
    );
}

/// The attacker plants their own browser cookie, with which the victim logs in.
#[tokio::test]
async fn planted_cookie_is_not_trusted() {
    let mut world = world();
    let mut attacker = world.browser.another();
    attacker.post("/login/bob").await;
    let planted = attacker.cookie(BROWSER).unwrap();
    world.browser.plant(BROWSER, &planted);
    world.browser.post("/both/alice").await;
    assert_eq!(world.browser.get("/trusts/alice").await.body, "true");
    assert_ne!(world.browser.cookie(BROWSER).unwrap(), planted);
    attacker.post("/logout").await;
    assert_eq!(attacker.get("/trusts/alice").await.body, "false");
    assert_eq!(attacker.get("/knows/alice").await.body, "false");
    assert_eq!(attacker.get("/knows/bob").await.body, "true");
}

#[tokio::test]
async fn browser_is_not_trusted_unless_the_store_accepts_it() {
    let mut world = world();
    world.browser.post("/login/alice").await;
    let before = world.browser.cookie(BROWSER).unwrap();
    world.store.fail_once(Call::Create, Fault::Fails);
    assert_eq!(world.browser.post("/trust").await.status, 503);
    assert_eq!(world.browser.cookie(BROWSER).unwrap(), before);
    assert_eq!(world.browser.get("/trusts/alice").await.body, "false");
    world.browser.post("/trust").await;
    world.store.fail(Call::LoadFresh, Fault::Fails);
    let answer = world.browser.get("/trusts/alice").await;
    assert_eq!(answer.status, 503, "the second factor is not skipped");
}

/// The trusted browser takes the place of itself.
#[tokio::test]
async fn trust_makes_no_other_browser_unknown() {
    let mut world = World::with(more_routes, |manager| {
        manager.with_known_browsers(KnownBrowsers::new().max_browsers(2))
    });
    let mut other = world.browser.another();
    other.post("/login/alice").await;
    world.clock.advance(DAY);
    world.browser.post("/login/alice").await;
    for _ in 0..3 {
        assert_eq!(world.browser.post("/trust").await.body, "true");
        assert_eq!(other.get("/knows/alice").await.body, "true");
    }
    // A third one does.
    let mut third = world.browser.another();
    third.post("/both/alice").await;
    assert_eq!(other.get("/knows/alice").await.body, "false");
    assert_eq!(world.browser.get("/knows/alice").await.body, "true");
    assert_eq!(third.get("/trusts/alice").await.body, "true");
}

#[tokio::test]
async fn later_login_keeps_the_trust() {
    let mut world = world();
    world.browser.post("/both/alice").await;
    world.browser.post("/logout").await;
    world.browser.post("/login/alice").await;
    assert_eq!(world.browser.get("/trusts/alice").await.body, "true");
}

#[tokio::test]
async fn trust_by_a_clock_far_ahead_does_not_count() {
    let mut world = world();
    world.clock.advance(100 * DAY);
    world.browser.post("/both/alice").await;
    assert_eq!(world.browser.get("/trusts/alice").await.body, "true");
    world.clock.turn_back(100 * DAY);
    assert_eq!(world.browser.get("/trusts/alice").await.body, "false");
}
