//! The store fails at each call of each verb: the verb says so, and what was before is whole.

use std::time::Duration;

use axum::{Router, extract::Path, routing::post};
use login_manager::{Auth, Error, EventKind};
use tokio::time::Instant;

use crate::{
    browser::{Answer, Browser},
    events::Events,
    faulty_store::{
        Call::{self, Create, Delete, DeleteAll, Load, Replace, Update},
        Fault::{self, DoesAndFails, Fails, Hangs, Panics},
        FaultyStore,
    },
    world::{Account, Accounts, World, routes},
};

const COOKIE: &str = "__Host-account-session";
const CALLS: [Call; 6] = [Load, Create, Update, Delete, Replace, DeleteAll];
const FAULTS: [Fault; 4] = [Fails, DoesAndFails, Hangs, Panics];

/// Where a browser starts, and who it is then.
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
    let status = if fault == Panics { 500 } else { 503 };
    assert_eq!(answer.status.as_u16(), status, "{case}");
    assert_eq!(
        answer.header("retry-after").is_some(),
        status == 503,
        "{case}"
    );
    assert_eq!(answer.body, "", "{case}");
}

#[tokio::test(start_paused = true)]
async fn fault_3_a_login_renewal_or_save_that_the_store_fails_leaves_everything_as_it_was() {
    let mut failed = 0;
    for (start, user) in STARTS {
        for verb in ["/login/alice", "/renew", "/confirm", "/put/b/2"] {
            for call in CALLS {
                for fault in [Fails, Hangs, Panics] {
                    let case = format!("{start}, {verb}: {call:?} {fault:?}");
                    let (mut world, _) = start_at(start).await;
                    let before = world.store.inner.records();
                    world.store.fail_once(call, fault);
                    let answer = world.browser.post(verb).await;
                    if world.store.is_still_to_fail() {
                        assert_eq!(answer.status, 200, "{case}");
                        continue;
                    }
                    failed += 1;
                    assert_failed(&answer, fault, &case);
                    assert!(answer.set_cookies().is_empty(), "{case}");
                    assert_eq!(world.store.inner.records(), before, "{case}");
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
    assert!(failed > 60, "{failed}");
}

/// What a store does that goes down in the middle: nothing can be taken back either.
#[tokio::test(start_paused = true)]
async fn b22_a_store_that_stays_down_leaves_the_old_session_whole() {
    for (start, user) in STARTS {
        for verb in ["/login/alice", "/renew", "/confirm"] {
            for call in CALLS {
                for fault in [Fails, Hangs, Panics] {
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
async fn b22_a_login_whose_outcome_is_unknown_is_whole_or_undone() {
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
            assert_eq!(world.store.inner.len(), 1, "{case}");
        }
    }
}

/// A renewal can't tell its own deletion from a logout: it may end the session, but it never says that it is there.
#[tokio::test]
async fn fault_3_a_renewal_whose_outcome_is_unknown_is_no_half_of_one() {
    for verb in ["/renew", "/confirm"] {
        for call in CALLS {
            let case = format!("{verb}: {call:?}");
            let (mut world, _) = start_at("/login/alice").await;
            let token = world.browser.cookie("session").unwrap();
            world.store.fail_once(call, DoesAndFails);
            let answer = world.browser.post(verb).await;
            if world.store.is_still_to_fail() {
                continue;
            }
            if answer.status != 200 {
                assert!([409, 503].contains(&answer.status.as_u16()), "{case}");
                assert_eq!(world.browser.cookie("session").unwrap(), token, "{case}");
            }
            let records = world.store.inner.len();
            match world.browser.get("/who").await.body.as_str() {
                "alice" => assert_eq!(records, 1, "{case}"),
                "nobody" => assert_eq!(records, 0, "{case}"),
                other => panic!("{case}: {other}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn fault_4_a_logout_that_the_store_fails_says_so_and_the_browser_forgets() {
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
                    world.browser.plant(COOKIE, &token.clone().unwrap());
                    let who = world.browser.get("/who").await.body;
                    assert!(who == user || who == "nobody", "{case}");
                    assert_eq!(world.browser.post("/logout").await.body, "bye", "{case}");
                }
                assert!(world.store.inner.is_empty(), "{case}");
                if let Some(token) = token {
                    world.browser.plant(COOKIE, &token);
                }
                assert_eq!(world.browser.get("/who").await.body, "nobody", "{case}");
            }
        }
    }
    assert!(failed > 20, "{failed}");
}

#[tokio::test]
async fn fault_4_a_logout_works_where_only_reading_fails_or_the_loader_does() {
    let (mut world, _) = start_at("/login/alice").await;
    world.accounts.fail(true);
    assert_eq!(world.browser.post("/logout").await.body, "bye");
    assert!(world.store.inner.is_empty());

    let (mut world, _) = start_at("/login/alice").await;
    world.store.fail(Load, Fails);
    assert_eq!(world.browser.post("/logout").await.status, 503);
    assert!(world.store.inner.is_empty(), "the one record at least");
}

/// Resolves the user, breaks the store, tries a verb, mends the store and says who the request is now.
fn attempt(accounts: &Accounts, store: FaultyStore, call: Call, fault: Fault) -> Router {
    let accounts = accounts.clone();
    let attempt = move |auth: Auth<Account>, Path(verb): Path<String>| async move {
        let _before = auth.user().await?;
        store.fail(call, fault);
        let done = match &*verb {
            "logout" => auth.logout().await,
            "renew" => auth.renew().await,
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
async fn p13_within_the_request_a_verb_that_failed_changed_nothing() {
    let mut failed = 0;
    for (start, user) in STARTS {
        for verb in ["bob", "alice", "renew", "confirm", "logout"] {
            for call in [Create, Delete, Replace, DeleteAll] {
                for fault in FAULTS {
                    let case = format!("{start}, {verb}: {call:?} {fault:?}");
                    let (mut world, _) = start_at(start).await;
                    let app = attempt(&world.accounts, world.store.clone(), call, fault)
                        .layer(world.manager.clone());
                    let request = world
                        .browser
                        .request(http::Method::POST, &format!("/attempt/{verb}"));
                    let answer = crate::browser::send(&app, request).await;
                    if answer.body.starts_with("true") {
                        continue;
                    }
                    failed += 1;
                    let cart = if start == "/" { "" } else { "apples" };
                    assert_eq!(answer.body, format!("false {user} {cart}"), "{case}");
                    if verb == "logout" {
                        world.browser.receive(&answer);
                        assert!(world.browser.cookie_names().is_empty(), "{case}");
                    } else {
                        assert!(answer.set_cookies().is_empty(), "{case}");
                    }
                }
            }
        }
    }
    assert!(failed > 40, "{failed}");
}

#[tokio::test(start_paused = true)]
async fn n2_a_verb_on_a_store_that_hangs_gives_up_soon() {
    for (start, _) in STARTS {
        for verb in ["/login/alice", "/logout", "/renew", "/confirm"] {
            let (mut world, _) = start_at(start).await;
            world.store.fail_all(Hangs);
            let begin = Instant::now();
            let answer = world.browser.post(verb).await;
            let calls = world.store.take_calls().len() as u32;
            let case = format!("{start}, {verb}: {:?}", begin.elapsed());
            assert!(calls <= 2, "{case}: one that fails, one that takes back");
            assert!(begin.elapsed() <= Duration::from_millis(2050), "{case}");
            assert_eq!(
                answer.status.as_u16(),
                if calls > 0 { 503 } else { 200 },
                "{case}"
            );
        }
    }
}

#[tokio::test]
async fn a6_a_store_that_knows_every_new_key_is_given_up() {
    let (mut world, _) = start_at("/put/cart/apples").await;
    let before = world.store.inner.records();
    world.store.knows_every_key();
    let answer = world.browser.post("/login/alice").await;
    assert_failed(&answer, Fails, "exists for ever");
    assert!(answer.set_cookies().is_empty());
    assert_eq!(world.store.inner.records(), before);
    let tries = world
        .store
        .take_calls()
        .iter()
        .filter(|call| **call == Create)
        .count();
    assert!((2..=16).contains(&tries), "{tries}");
}
