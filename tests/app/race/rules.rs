//! The rules for concurrent requests of one browser, each tested by the interleaving that needs it.

use std::time::Duration;

use http::Method;
use login_manager::{auth::AnonymousReason, event::EventKind};
use tokio::time::sleep;

use crate::support::{
    browser::{Answer, Browser},
    faulty_store::{
        Call::{Create, Delete, Load, Update},
        Fault::Fails,
        When::{After, Before},
    },
    routes::every_verb,
    world::{REMEMBER, SESSION, World},
};

const RETRIED: Duration = Duration::from_secs(100);

async fn world(start: &str) -> World {
    let mut world = World::with(every_verb, |manager| manager);
    assert_eq!(world.browser.post(start).await.status, 200);
    world.events.take();
    world
}

async fn who(browser: &mut Browser) -> String {
    browser.get("/who").await.body
}

/// A browser that has only this cookie.
fn bearer(world: &World, name: &str, value: &str) -> Browser {
    let mut browser = world.browser.another();
    browser.plant(name, value);
    browser
}

/// The browser was closed and comes back: its session cookie is gone.
async fn come_back(world: &mut World) -> Answer {
    world.browser.forget(SESSION);
    world.browser.get("/who").await
}

// Rule 1: a session is ended at the version that was judged.

#[tokio::test]
async fn login_survives_the_end_of_the_session_it_wrote_over() {
    let mut world = world("/login/alice").await;
    let gate = world.store.gate(Load, After);
    let late = world.browser.start(Method::GET, "/who");
    gate.reached().await;
    assert_eq!(world.browser.post("/stamp").await.body, "alice");
    gate.open();
    let (_, late) = late.await.unwrap();
    assert_eq!(
        late.body, "nobody",
        "it was judged again, and shows the old secret"
    );
    assert_eq!(late.set_cookies(), [""; 0]);
    assert_eq!(who(&mut world.browser).await, "alice");
    assert_eq!(world.events.take(), [EventKind::LoggedIn]);
}

#[tokio::test]
async fn login_survives_a_theft_alarm_that_it_overtakes() {
    let mut world = world("/remember/alice").await;
    let copied = world.browser.cookie("-remember").unwrap();
    come_back(&mut world).await;
    assert_eq!(who(&mut world.browser).await, "alice");
    world.let_grace_pass();
    world.events.take();
    let gate = world.store.gate(Load, After);
    let thief = bearer(&world, REMEMBER, &copied).start(Method::GET, "/who");
    gate.reached().await;
    assert_eq!(world.browser.post("/login/alice").await.body, "alice");
    gate.open();
    let (_, thief) = thief.await.unwrap();
    assert_eq!(thief.body, "nobody");
    assert_eq!(thief.set_cookies(), [""; 0]);
    assert!(!world.events.take().contains(&EventKind::RememberTheft));
    assert_eq!(who(&mut world.browser).await, "alice");
    world.browser.forget(SESSION);
    assert_eq!(who(&mut world.browser).await, "alice");
}

// Rule 2: a late request never acts as a new visitor.

#[tokio::test]
async fn previous_secret_joins_within_the_grace_only() {
    let mut world = world("/login/alice").await;
    let mut late = world.browser.clone();
    assert_eq!(world.browser.post("/rotate").await.status, 200);
    assert_eq!(late.get("/how").await.body, "alice stale");
    assert_eq!(late.post("/put/a/1").await.status, 200);
    assert_eq!(world.browser.get("/get/a").await.body, "1");
    for verb in ["/rotate", "/confirm"] {
        let answer = late.post(verb).await;
        assert_eq!(answer.status, 409, "{verb}");
        assert_eq!(answer.set_cookies(), [""; 0], "{verb}");
    }
    world.let_grace_pass();
    assert_eq!(who(&mut late).await, "nobody");
    assert_eq!(who(&mut world.browser).await, "alice");
}

#[tokio::test]
async fn secret_from_before_a_login_creates_no_session() {
    for start in ["/put/cart/apples", "/login/bob"] {
        let mut world = world(start).await;
        let mut late = world.browser.clone();
        world.browser.post("/login/alice").await;
        let records = world.store.inner.records();
        world.events.take();
        let answer = late.post("/put/a/1").await;
        assert_eq!(answer.set_cookies(), [""; 0], "{start}");
        assert_eq!(world.events.take(), [EventKind::DataDropped], "{start}");
        assert_eq!(world.store.inner.records(), records, "{start}");
        let why = late.get("/why").await.body;
        assert_eq!(
            why,
            format!("{:?}", Some(AnonymousReason::SessionReplaced)),
            "{start}"
        );
        assert_eq!(world.browser.get("/get/a").await.body, "", "{start}");
    }
}

#[tokio::test]
async fn late_login_of_another_user_ends_the_old_session() {
    let mut world = world("/login/alice").await;
    let mut late = world.browser.clone();
    world.browser.post("/rotate").await;
    let token = world.token();
    assert_eq!(late.post("/login/bob").await.body, "bob");
    for mut old in [world.browser.clone(), bearer(&world, SESSION, &token)] {
        assert_eq!(who(&mut old).await, "nobody");
    }
    assert_eq!(who(&mut late).await, "bob");
}

#[tokio::test]
async fn late_login_of_the_same_user_keeps_the_data() {
    let mut world = world("/login/alice").await;
    world.browser.post("/put/a/1").await;
    let mut late = world.browser.clone();
    world.browser.post("/login/alice").await;
    assert_eq!(late.post("/login/alice").await.body, "alice");
    for browser in [&mut world.browser, &mut late] {
        assert_eq!(browser.get("/get/a").await.body, "1");
    }
}

#[tokio::test]
async fn late_request_joins_a_restore_and_does_not_restore_again() {
    let mut world = world("/remember/alice").await;
    world.browser.forget(SESSION);
    world.browser.post("/put/cart/apples").await;
    let mut late = world.browser.clone();
    assert_eq!(who(&mut world.browser).await, "alice");
    let answer = late.get("/who").await;
    assert_eq!((&*answer.body, answer.set_cookies()), ("alice", vec![]));

    // The anonymous session's secret, and a remember cookie that could be exchanged.
    let remember = world.browser.cookie("-remember").unwrap();
    late.plant(REMEMBER, &remember);
    let answer = late.get("/who").await;
    assert_eq!((&*answer.body, answer.set_cookies()), ("nobody", vec![]));
    assert_eq!(who(&mut world.browser).await, "alice");
}

// Rule 3: a browser has at most two records, and a login ends the one that it does not write.

#[tokio::test(start_paused = true)]
async fn login_ends_the_session_of_the_remember_cookie() {
    for login in ["/login/alice", "/login/bob", "/remember/bob"] {
        for delete_fails in [false, true] {
            let case = format!("{login}, {delete_fails}");
            let mut world = world("/remember/zoe").await;
            let remember = world.browser.cookie("-remember").unwrap();
            world.browser.forget_cookies();
            world.browser.post("/login/alice").await;
            world.browser.plant(REMEMBER, &remember);
            if delete_fails {
                world.store.fail_once(Delete, Fails);
            }
            assert_eq!(world.browser.post(login).await.status, 200, "{case}");
            sleep(RETRIED).await;
            let mut zoe = bearer(&world, REMEMBER, &remember);
            assert_eq!(who(&mut zoe).await, "nobody", "{case}");
            assert_eq!(world.live_sessions(), 1, "{case}");
        }
    }
}

#[tokio::test]
async fn late_login_ends_the_session_of_its_remember_cookie() {
    let mut world = world("/remember/alice").await;
    let mut late = world.browser.clone();
    world.browser.post("/rotate").await;
    assert_eq!(late.post("/login/alice").await.body, "alice");
    assert_eq!(world.live_sessions(), 1);
    assert_eq!(who(&mut late).await, "alice");
}

#[tokio::test]
async fn login_leaves_a_login_in_the_remember_cookies_session_alone() {
    let mut world = world("/remember/alice").await;
    world.browser.forget(SESSION);
    let gate = world.store.gate(Create, Before);
    let login = world.browser.start(Method::POST, "/login/alice");
    gate.reached().await;
    // Restores and logs in over the restored session.
    let (mut other, answer) = world.browser.start(Method::POST, "/stamp").await.unwrap();
    assert_eq!(answer.body, "alice");
    gate.open();
    assert_eq!(login.await.unwrap().1.status, 200);
    assert_eq!(who(&mut other).await, "alice");
}

#[tokio::test]
async fn login_whose_session_was_logged_out_is_not_remembered() {
    for (login, remembered) in [("/login/alice", false), ("/remember/alice", true)] {
        let world = world("/remember/alice").await;
        let gate = world.store.gate(Update, Before);
        let held = world.browser.start(Method::POST, login);
        gate.reached().await;
        world.browser.clone().post("/logout").await;
        gate.open();
        let (mut browser, _) = held.await.unwrap();
        assert_eq!(who(&mut browser).await, "alice", "{login}");
        assert_eq!(browser.cookie("-remember").is_some(), remembered, "{login}");
    }
}

// Rule 4, on unknown outcomes, has a module of its own: `unknown_outcomes`.

// Rule 5: a retried deletion checks the secrets again.

#[tokio::test(start_paused = true)]
async fn retried_logout_leaves_a_session_with_new_secrets_alone() {
    let mut world = world("/login/alice").await;
    let mut tab = world.browser.clone();
    world.store.fail_once(Delete, Fails);
    assert_eq!(world.browser.post("/logout").await.status, 503);
    assert_eq!(tab.post("/login/alice").await.body, "alice");
    assert_eq!(tab.post("/rotate").await.status, 200);
    sleep(RETRIED).await;
    assert_eq!(who(&mut tab).await, "alice");
}

// Logout: the secrets that it accepts, and the outcome that it reports.

#[tokio::test]
async fn logout_accepts_a_previous_secret_or_token_of_the_series() {
    let mut world = world("/login/alice").await;
    let mut late = world.browser.clone();
    world.browser.post("/rotate").await;
    assert_eq!(late.post("/logout").await.status, 200);
    assert!(world.store.inner.is_empty());

    world.browser.post("/remember/alice").await;
    let used = world.browser.cookie("-remember").unwrap();
    come_back(&mut world).await;
    who(&mut world.browser).await;
    world.let_grace_pass();
    let mut bearer = bearer(&world, REMEMBER, &used);
    assert_eq!(bearer.post("/logout").await.status, 200);
    assert!(world.store.inner.is_empty());
}

#[tokio::test]
async fn logout_that_opens_no_live_session_is_incomplete() {
    let mut world = world("/login/alice").await;
    let token = world.token();
    for cookie in [
        format!("{}{}", &token[..24], "A".repeat(40)),
        ["A", "B", "C", "D", "E", "F", "G", "H", "I"]
            .map(|value| value.repeat(64))
            .join(&format!("; {SESSION}=")),
    ] {
        let mut stranger = bearer(&world, SESSION, &cookie);
        let answer = stranger.post("/logout").await;
        assert_eq!(answer.status, 409);
        assert!(stranger.cookie_names().is_empty());
        assert!(world.events.take().contains(&EventKind::LogoutIncomplete));
        assert_eq!(who(&mut world.browser).await, "alice");
    }
}

// Rule 7: of concurrent logins beyond the limit the newest stay.

#[tokio::test]
async fn concurrent_logins_do_not_end_each_other_beyond_the_limit() {
    for limit in [1, 2] {
        let world = World::with(every_verb, |manager| manager.with_max_sessions(limit));
        let gate = world.store.gate(Create, After);
        let first = world.browser.start(Method::POST, "/login/alice");
        gate.reached().await;
        // In the same millisecond: the clock is not moved.
        let mut later = Vec::new();
        for _ in 0..limit {
            let mut browser = world.browser.clone();
            browser.post("/login/alice").await;
            later.push(browser);
        }
        gate.open();
        let (mut first, answer) = first.await.unwrap();
        assert_eq!(answer.status, 200, "{limit}");
        assert_eq!(who(&mut first).await, "nobody", "{limit}");
        for browser in &mut later {
            assert_eq!(who(browser).await, "alice", "{limit}");
        }
    }
}

// Rule 8: a value is taken once, and data is bounded after merging.

#[tokio::test]
async fn of_two_concurrent_takes_one_gets_the_value() {
    let mut world = world("/login/alice").await;
    world.browser.post("/put/code/1").await;
    let gate = world.store.gate(Update, Before);
    let first = world.browser.start(Method::POST, "/take/code");
    gate.reached().await;
    assert_eq!(world.browser.post("/take/code").await.body, "1");
    gate.open();
    let (_, first) = first.await.unwrap();
    assert_eq!((first.status.as_u16(), &*first.body), (200, ""));
}

#[tokio::test]
async fn take_beside_a_logout_gets_no_value() {
    let world = world("/login/alice").await;
    world.browser.clone().post("/put/code/1").await;
    let gate = world.store.gate(Update, Before);
    let take = world.browser.start(Method::POST, "/take/code");
    gate.reached().await;
    world.browser.clone().post("/logout").await;
    gate.open();
    assert_eq!(take.await.unwrap().1.body, "");
}

#[tokio::test]
async fn data_is_bounded_after_merging() {
    let mut world = world("/login/alice").await;
    let big = "x".repeat(40_000);
    let gate = world.store.gate(Update, Before);
    let first = world.browser.start(Method::POST, &format!("/put/a/{big}"));
    gate.reached().await;
    let second = world.browser.post(&format!("/put/b/{big}")).await;
    assert_eq!(second.status, 200);
    gate.open();
    assert_eq!(first.await.unwrap().1.status, 413);
    assert_eq!(world.browser.get("/get/a").await.body, "");
    assert_eq!(world.browser.get("/get/b").await.body, big);
}
