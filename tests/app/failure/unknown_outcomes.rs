//! Store calls that fail before or after they took effect, or take effect later: the result of the
//! verb is true and stays true.

use std::time::Duration;

use axum::{Router, extract::Path, routing::post};
use http::Method;
use login_manager::{Error, Session};
use tokio::time::{Instant, sleep};

use crate::support::{
    faulty_store::{
        Call::{self, Create, Delete, Load, Update},
        Fault::{DoesAndFails, DoesLater, Fails, Hangs},
        When::Before,
    },
    routes::with_sessions,
    world::{Accounts, REMEMBER, SESSION, World},
};

/// Retries and late writes are over by then.
const A_WHILE: Duration = Duration::from_secs(100);

async fn world(start: &str) -> World {
    let mut world = World::with(app, |manager| manager);
    assert_eq!(world.browser.post(start).await.status, 200);
    world.browser.post("/put/a/1").await;
    world.store.take_calls();
    world
}

fn app(accounts: &Accounts) -> Router {
    let take = |session: Session, Path(key): Path<String>| async move {
        let value = session.take::<String>(&key).await?;
        Ok::<_, Error>(value.unwrap_or_default())
    };
    with_sessions(accounts).route("/take/{key}", post(take))
}

#[tokio::test(start_paused = true)]
async fn write_whose_response_was_lost_has_succeeded() {
    for verb in [
        "/rotate",
        "/confirm",
        "/login/alice",
        "/remember/alice",
        "/put/b/2",
        "/take/a",
    ] {
        let mut world = world("/login/alice").await;
        world.store.fail_once(Update, DoesAndFails);
        let answer = world.browser.post(verb).await;
        assert_eq!(answer.status, 200, "{verb}");
        assert!(!world.store.is_still_to_fail(), "{verb}");
        sleep(A_WHILE).await;
        world.let_grace_pass();
        assert_eq!(world.browser.get("/who").await.body, "alice", "{verb}");
        match verb {
            "/put/b/2" => assert_eq!(world.browser.get("/get/b").await.body, "2"),
            "/take/a" => {
                assert_eq!(answer.body, "1");
                assert_eq!(world.browser.get("/get/a").await.body, "");
            }
            _ => assert_eq!(world.browser.get("/get/a").await.body, "1", "{verb}"),
        }
    }
}

/// The failed write may be under way still: it must not take effect after the error was returned.
#[tokio::test(start_paused = true)]
async fn write_that_failed_does_not_take_effect_later() {
    for verb in ["/rotate", "/confirm", "/login/alice", "/put/b/2", "/take/a"] {
        for fault in [Fails, Hangs, DoesLater] {
            let case = format!("{verb}, {fault:?}");
            let mut world = world("/login/alice").await;
            let token = world.token();
            world.store.fail_once(Update, fault);
            let answer = world.browser.post(verb).await;
            assert_eq!((answer.status.as_u16(), &*answer.body), (503, ""), "{case}");
            assert_eq!(answer.set_cookies(), [""; 0], "{case}");
            sleep(A_WHILE).await;
            world.let_grace_pass();
            assert_eq!(world.who_has(&token).await, "alice", "{case}");
            assert_eq!(world.browser.get("/get/a").await.body, "1", "{case}");
            assert_eq!(world.browser.get("/get/b").await.body, "", "{case}");
            assert_eq!(world.store.inner.len(), 1, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn restore_of_unknown_outcome_raises_no_theft_alarm() {
    for fault in [Fails, Hangs, DoesLater, DoesAndFails] {
        let mut world = world("/remember/alice").await;
        world.browser.forget(SESSION);
        world.store.fail_once(Update, fault);
        let first = world.browser.get("/who").await;
        let expected = if fault == DoesAndFails { 200 } else { 503 };
        assert_eq!(first.status, expected, "{fault:?}");
        sleep(A_WHILE).await;
        for _ in 0..3 {
            world.let_grace_pass();
            // The browser was closed: its session cookie is gone.
            let remember = world.browser.cookie("-remember").unwrap();
            world.browser.forget_cookies();
            world.browser.plant(REMEMBER, &remember);
            assert_eq!(world.browser.get("/who").await.body, "alice", "{fault:?}");
            assert_eq!(world.browser.get("/who").await.body, "alice", "{fault:?}");
        }
        assert_eq!(world.store.inner.len(), 1, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn login_that_failed_leaves_no_record_behind() {
    for start in ["/put/cart/apples", "/login/bob"] {
        for fault in [Fails, Hangs, DoesLater] {
            let case = format!("{start}, {fault:?}");
            let mut world = world(start).await;
            let before = world.store.inner.records();
            world.store.fail_once(Create, fault);
            let answer = world.browser.post("/remember/alice").await;
            assert_eq!(answer.status, 503, "{case}");
            assert_eq!(answer.set_cookies(), [""; 0], "{case}");
            sleep(A_WHILE).await;
            assert_eq!(world.store.inner.records(), before, "{case}");
        }
    }
}

/// The login succeeds, and the old session is ended in the background.
#[tokio::test(start_paused = true)]
async fn login_ends_the_old_session_even_if_closing_fails() {
    for (start, verb) in [
        ("/put/cart/apples", "/login/alice"),
        ("/login/bob", "/remember/alice"),
        ("/remember/bob", "/login/alice"),
    ] {
        for fault in [Fails, Hangs, DoesLater, DoesAndFails] {
            let case = format!("{start}, {verb}, {fault:?}");
            let mut world = world(start).await;
            let old = world.browser.clone();
            world.store.fail_once(Update, fault);
            let answer = world.browser.post(verb).await;
            assert_eq!(answer.status, 200, "{case}");
            sleep(A_WHILE).await;
            assert_eq!(world.browser.get("/who").await.body, "alice", "{case}");
            assert_eq!(world.live_sessions(), 1, "{case}");
            let token = old.cookie("-session").unwrap();
            assert_eq!(world.who_has(&token).await, "nobody", "{case}");
            if let Some(remember) = old.cookie("-remember") {
                let mut only = world.browser.another();
                only.plant(REMEMBER, &remember);
                assert_eq!(only.get("/who").await.body, "nobody", "{case}");
            }
        }
    }
}

/// The store does not answer the login in time, and another tab has rotated the session meanwhile.
#[tokio::test(start_paused = true)]
async fn login_outranks_a_rotation_beside_it() {
    for (start, call) in [
        ("/put/cart/apples", Create),
        ("/login/bob", Create),
        ("/login/alice", Update),
    ] {
        for login in ["/login/alice", "/remember/alice"] {
            let case = format!("{start}, {login}");
            let world = world(start).await;
            let gate = world.store.gate(call, Before);
            let login = world.browser.start(Method::POST, login);
            gate.reached().await;
            let rotated = world.browser.clone().post("/rotate").await;
            assert_eq!(rotated.status, 200, "{case}");
            gate.open();
            let (mut browser, answer) = login.await.unwrap();
            assert_eq!(answer.status, 200, "{case}");
            sleep(A_WHILE).await;
            world.let_grace_pass();
            assert_eq!(browser.get("/who").await.body, "alice", "{case}");
            assert_eq!(world.live_sessions(), 1, "{case}");
            if browser.cookie("remember").is_some() {
                browser.forget(SESSION);
                assert_eq!(browser.get("/who").await.body, "alice", "{case}");
            }
        }
    }
}

/// Each store call takes a third of the deadline, and nothing fails.
#[tokio::test(start_paused = true)]
async fn slow_store_revives_no_session_that_a_logout_ended() {
    for verb in ["/rotate", "/confirm", "/put/b/2"] {
        let world = world("/login/alice").await;
        world.store.be_slow(Duration::from_millis(700));
        let logout = world.browser.start(Method::POST, "/logout");
        sleep(Duration::from_millis(100)).await;
        let late = world.browser.start(Method::POST, verb);
        assert_eq!(logout.await.unwrap().1.status, 200, "{verb}");
        let (mut browser, answer) = late.await.unwrap();
        assert_eq!(answer.set_cookies(), [""; 0], "{verb}");
        sleep(A_WHILE).await;
        assert!(world.store.inner.is_empty(), "{verb}");
        assert_eq!(browser.get("/who").await.body, "nobody", "{verb}");
    }
}

#[tokio::test(start_paused = true)]
async fn record_written_after_logout_everywhere_is_deleted() {
    let mut world = world("/put/cart/apples").await;
    let mut elsewhere = world.browser.another();
    elsewhere.post("/login/alice").await;
    world.store.fail_once(Create, DoesLater);
    let login = world.browser.start(Method::POST, "/login/alice");
    sleep(Duration::from_millis(2500)).await;
    assert_eq!(elsewhere.post("/everywhere").await.status, 200);
    let (browser, answer) = login.await.unwrap();
    assert_eq!(answer.status, 503);
    world.browser = browser;
    sleep(A_WHILE).await;
    assert_eq!(world.manager.sessions_of(&1).await.unwrap().len(), 0);
    assert_eq!(world.browser.get("/get/cart").await.body, "apples");
}

#[tokio::test(start_paused = true)]
async fn failed_logout_is_completed_in_the_background() {
    for call in [Load, Delete] {
        for fault in [Fails, Hangs, DoesLater, DoesAndFails] {
            let case = format!("{call:?}, {fault:?}");
            let mut world = world("/remember/alice").await;
            world.store.fail_once(call, fault);
            let answer = world.browser.post("/logout").await;
            assert_eq!(answer.status, 503, "{case}");
            assert!(world.browser.cookie_names().is_empty(), "{case}");
            sleep(A_WHILE).await;
            assert!(world.store.inner.is_empty(), "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn verb_gives_up_after_two_deadlines_if_the_store_hangs() {
    let deadlines = Duration::from_millis(4050);
    let cases: [(&str, &str, Call, u16); 6] = [
        ("/login/alice", "/rotate", Update, 503),
        ("/login/alice", "/confirm", Update, 503),
        ("/login/alice", "/remember/alice", Update, 503),
        ("/put/cart/apples", "/login/alice", Create, 503),
        // The new session is there, and the old one is ended later.
        ("/put/cart/apples", "/login/alice", Update, 200),
        ("/login/bob", "/remember/alice", Update, 200),
    ];
    for (start, verb, call, status) in cases {
        let world = world(start).await;
        let gate = world.store.gate(call, Before);
        let begin = Instant::now();
        world.store.fail_once(call, Hangs);
        let verbing = world.browser.start(Method::POST, verb);
        gate.reached().await;
        world.store.fail_all(Hangs);
        gate.open();
        let (_, answer) = verbing.await.unwrap();
        let (case, took) = (format!("{start}, {verb}, {call:?}"), begin.elapsed());
        assert!(took <= deadlines, "{case}: {took:?}");
        assert_eq!(answer.status, status, "{case}");
    }
}
