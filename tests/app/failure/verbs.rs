//! The store fails at each call of each verb: the verb returns an error, and the old session is
//! kept.

use std::time::Duration;

use axum::{Router, extract::Path, routing::post};
use login_manager::{Auth, Error, event::EventKind};
use tokio::time::{Instant, sleep};

use crate::support::{
    browser::{Answer, Browser},
    events::Events,
    faulty_store::{
        Call::{self, Create, Delete, DeleteAll, Load, LoadFresh, Update},
        Fault::{self, DoesAndFails, Fails, Hangs},
        FaultyStore,
    },
    world::{Account, Accounts, SESSION, World, routes},
};

const CALLS: [Call; 4] = [Load, Create, Update, Delete];
const FAULTS: [Fault; 3] = [Fails, DoesAndFails, Hangs];

/// The first request of a browser, and its current user afterwards.
const STARTS: [(&str, &str); 4] = [
    ("/", "nobody"),
    ("/put/cart/apples", "nobody"),
    ("/login/alice", "alice"),
    ("/login/bob", "bob"),
];

async fn start_at(start: &str) -> (World, Events) {
    let events = Events::default();
    let mut world = World::with(routes, |manager| events.watch(manager));
    world.browser.post(start).await;
    if start.starts_with("/login") {
        world.browser.post("/put/cart/apples").await;
    }
    world.store.take_calls();
    events.take();
    (world, events)
}

async fn assert_is_still(mut browser: Browser, start: &str, user: &str, case: &str) {
    assert_eq!(browser.get("/who").await.body, user, "{case}");
    let cart = if start == "/" { "" } else { "apples" };
    assert_eq!(browser.get("/get/cart").await.body, cart, "{case}");
}

fn assert_failed(answer: &Answer, fault: Fault, case: &str) {
    let case = format!("{case}, {fault:?}");
    assert_eq!(answer.status, 503, "{case}");
    assert!(answer.header("retry-after").is_some(), "{case}");
    assert_eq!(answer.body, "", "{case}");
}

#[tokio::test(start_paused = true)]
async fn verb_that_the_store_fails_leaves_everything_as_it_was() {
    let mut failed = 0;
    for (start, user) in STARTS {
        for verb in ["/login/alice", "/rotate", "/confirm", "/put/b/2"] {
            for call in CALLS {
                for fault in [Fails, Hangs] {
                    let case = format!("{start}, {verb}: {call:?} {fault:?}");
                    let (mut world, _) = start_at(start).await;
                    let before = world.store.inner.len();
                    world.store.fail_once(call, fault);
                    let answer = world.browser.post(verb).await;
                    // A login succeeds even if the old session can't be closed right away.
                    let closes = verb.starts_with("/login") && user != "alice" && call == Update;
                    if world.store.is_still_to_fail() || closes {
                        assert_eq!(answer.status, 200, "{case}");
                        continue;
                    }
                    failed += 1;
                    assert_failed(&answer, fault, &case);
                    assert!(answer.set_cookies().is_empty(), "{case}");
                    assert_eq!(world.store.inner.len(), before, "{case}");
                    assert_is_still(world.browser.clone(), start, user, &case).await;
                    // Every verb may be repeated.
                    assert_eq!(world.browser.post(verb).await.status, 200, "{case}");
                    let user = if verb.starts_with("/login") {
                        "alice"
                    } else {
                        user
                    };
                    assert_eq!(world.browser.get("/who").await.body, user, "{case}");
                }
            }
        }
    }
    assert!(failed > 30, "{failed}");
}

/// A store that goes down in the middle: nothing can be rolled back either.
#[tokio::test(start_paused = true)]
async fn store_that_stays_down_leaves_the_old_session_whole() {
    for (start, user) in STARTS {
        for verb in ["/login/alice", "/rotate", "/confirm"] {
            for call in CALLS {
                for fault in [Fails, Hangs] {
                    let case = format!("{start}, {verb}: {call:?} {fault:?}");
                    let (mut world, _) = start_at(start).await;
                    world.store.fail(call, fault);
                    let answer = world.browser.post(verb).await;
                    if answer.status == 200 {
                        continue;
                    }
                    assert_failed(&answer, fault, &case);
                    assert!(answer.set_cookies().is_empty(), "{case}");
                    world.store.heal();
                    assert_is_still(world.browser.clone(), start, user, &case).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn login_of_unknown_outcome_is_whole_or_undone() {
    for (start, user) in STARTS {
        for call in CALLS {
            let case = format!("{start}: {call:?}");
            let (mut world, _) = start_at(start).await;
            world.store.fail_once(call, DoesAndFails);
            let answer = world.browser.post("/login/alice").await;
            if world.store.is_still_to_fail() {
                continue;
            }
            if answer.status == 200 {
                assert_eq!(world.browser.get("/who").await.body, "alice", "{case}");
            } else {
                assert_failed(&answer, DoesAndFails, &case);
                assert!(answer.set_cookies().is_empty(), "{case}");
                assert_is_still(world.browser.clone(), start, user, &case).await;
            }
            assert_eq!(
                world.browser.post("/login/alice").await.body,
                "alice",
                "{case}"
            );
            assert_eq!(world.browser.get("/who").await.body, "alice", "{case}");
            assert_eq!(world.live_sessions(), 1, "{case}");
        }
    }
}

#[tokio::test]
async fn rotation_of_unknown_outcome_is_settled() {
    for verb in ["/rotate", "/confirm"] {
        let (mut world, _) = start_at("/login/alice").await;
        let token = world.token();
        world.store.fail_once(Update, DoesAndFails);
        assert_eq!(world.browser.post(verb).await.status, 200, "{verb}");
        assert_ne!(world.token(), token, "{verb}");
        world.let_grace_pass();
        assert_eq!(world.browser.get("/who").await.body, "alice", "{verb}");
        assert_eq!(world.store.inner.len(), 1, "{verb}");
    }
}

#[tokio::test(start_paused = true)]
async fn logout_that_the_store_fails_is_an_error_and_clears_cookies() {
    let mut failed = 0;
    for (start, user) in STARTS {
        for call in CALLS {
            for fault in FAULTS {
                let case = format!("{start}: {call:?} {fault:?}");
                let (mut world, events) = start_at(start).await;
                let token = world.browser.cookie("session");
                world.store.fail(call, fault);
                let answer = world.browser.post("/logout").await;
                assert_eq!(answer.set_cookies().len(), 2, "{case}");
                assert!(world.browser.cookie_names().is_empty(), "{case}");
                world.store.heal();
                if answer.status != 200 {
                    failed += 1;
                    assert_failed(&answer, fault, &case);
                    assert!(
                        events.take().contains(&EventKind::LogoutIncomplete),
                        "{case}"
                    );
                    world.browser.plant(SESSION, &token.clone().unwrap());
                    let who = world.browser.get("/who").await.body;
                    assert!(who == user || who == "nobody", "{case}");
                    assert_eq!(world.browser.post("/logout").await.body, "bye", "{case}");
                }
                assert!(world.store.inner.is_empty(), "{case}");
                if let Some(token) = token {
                    world.browser.plant(SESSION, &token);
                }
                assert_eq!(world.browser.get("/who").await.body, "nobody", "{case}");
            }
        }
    }
    assert!(failed > 15, "{failed}");
}

#[tokio::test(start_paused = true)]
async fn logout_needs_no_loader_and_is_retried_if_reading_fails() {
    let (mut world, _) = start_at("/login/alice").await;
    world.accounts.fail(true);
    assert_eq!(world.browser.post("/logout").await.body, "bye");
    assert!(world.store.inner.is_empty());

    let (mut world, _) = start_at("/login/alice").await;
    world.store.fail_once(Load, Fails);
    assert_eq!(world.browser.post("/logout").await.status, 503);
    sleep(Duration::from_secs(100)).await;
    assert!(world.store.inner.is_empty());
}

/// Resolves the user, breaks the store, runs a verb, repairs the store and returns the current
/// user.
fn attempt(accounts: &Accounts, store: FaultyStore, call: Call, fault: Fault) -> Router {
    let accounts = accounts.clone();
    let attempt = move |auth: Auth<Account>, Path(verb): Path<String>| async move {
        let _before = auth.user().await?;
        store.fail(call, fault);
        let done = match &*verb {
            "logout" => auth.logout().await,
            "rotate" => auth.rotate().await,
            "confirm" => auth.confirm().await.map(drop),
            name => auth.login(accounts.by_name(name).unwrap()).await.map(drop),
        };
        store.heal();
        let user = auth
            .user()
            .await?
            .map_or("nobody".into(), |user| user.name.clone());
        let cart = auth
            .session()
            .get::<String>("cart")
            .await?
            .unwrap_or_default();
        Ok::<_, Error>(format!("{} {user} {cart}", done.is_ok()))
    };
    Router::new().route("/attempt/{verb}", post(attempt))
}

#[tokio::test(start_paused = true)]
async fn failed_verb_changes_nothing_within_the_request() {
    let mut failed = 0;
    for (start, user) in STARTS {
        for verb in ["bob", "alice", "rotate", "confirm", "logout"] {
            for call in [Create, Update, Delete, DeleteAll] {
                for fault in FAULTS {
                    let case = format!("{start}, {verb}: {call:?} {fault:?}");
                    let (mut world, _) = start_at(start).await;
                    let app = attempt(&world.accounts, world.store.clone(), call, fault)
                        .layer(world.manager.clone());
                    let request = world
                        .browser
                        .request(http::Method::POST, &format!("/attempt/{verb}"));
                    let answer = crate::support::browser::send(&app, request).await;
                    if answer.body.starts_with("true") {
                        continue;
                    }
                    failed += 1;
                    let cart = if start == "/" { "" } else { "apples" };
                    if verb == "logout" {
                        // The browser forgets its cookies all the same, so the rest of the request
                        // is anonymous.
                        assert_eq!(answer.body, "false nobody ", "{case}");
                        world.browser.receive(&answer);
                        assert!(world.browser.cookie_names().is_empty(), "{case}");
                    } else {
                        assert_eq!(answer.body, format!("false {user} {cart}"), "{case}");
                        assert!(answer.set_cookies().is_empty(), "{case}");
                    }
                }
            }
        }
    }
    assert!(failed > 20, "{failed}");
}

#[tokio::test(start_paused = true)]
async fn verb_on_a_store_that_hangs_gives_up_at_the_deadline() {
    for (start, _) in STARTS {
        for verb in ["/login/alice", "/logout", "/rotate", "/confirm"] {
            let (mut world, _) = start_at(start).await;
            world.store.fail_all(Hangs);
            let begin = Instant::now();
            let answer = world.browser.post(verb).await;
            let calls = world.store.take_calls().len() as u32;
            let case = format!("{start}, {verb}: {:?}", begin.elapsed());
            // A write whose outcome is unknown is followed by one look at the record.
            assert!(calls <= 2, "{case}");
            let deadlines = Duration::from_secs(2) * calls;
            assert!(
                begin.elapsed() <= deadlines + Duration::from_millis(50),
                "{case}"
            );
            assert_eq!(
                answer.status.as_u16(),
                if calls > 0 { 503 } else { 200 },
                "{case}"
            );
        }
    }
}

#[tokio::test]
async fn store_that_knows_every_new_id_fails_the_login() {
    let (mut world, _) = start_at("/put/cart/apples").await;
    let before = world.store.inner.records();
    world.store.knows_every_key();
    let answer = world.browser.post("/login/alice").await;
    assert_failed(&answer, Fails, "exists");
    assert!(answer.set_cookies().is_empty());
    assert_eq!(world.store.inner.records(), before);
    // The load afterwards tells a store that repeated the call itself from a broken one.
    assert_eq!(world.store.take_calls(), [Load, Create, LoadFresh]);
}
