//! Stores and loaders that fail, hang, lose records or return wrong ones log no user in or out.

use std::time::Duration;

use axum::{Router, http::Method, routing::get};
use login_manager::{
    Auth, AuthUser as _, CurrentUser, Error, LoginManager, LoginRequired, MemoryStore, Session,
    auth::AnonymousReason, event::EventKind,
};
use tokio::time::Instant;

use crate::support::{
    browser::{Answer, Browser},
    events::Events,
    faulty_store::{
        Call::{Delete, Load, Touch, Update},
        Fault::{self, DoesAndFails, Fails, Hangs, Panics},
        When::{After, Before},
    },
    world::{Account, Accounts, MINUTE, SESSION, Trouble, World, routes},
};

const DEADLINE: Duration = Duration::from_secs(2);

fn world() -> (World, Events) {
    let events = Events::default();
    let with_optional =
        |accounts: &Accounts| -> Router { routes(accounts).route("/optional", get(optional)) };
    let world = World::with(with_optional, |manager| {
        events.watch(manager.with_login_page("/login"))
    });
    (world, events)
}

async fn optional(user: Option<LoginRequired<Account>>) -> String {
    user.map_or("nobody".into(), |LoginRequired(user)| user.name.clone())
}

async fn logged_in() -> (World, Events) {
    let (mut world, events) = world();
    world.browser.post("/login/alice").await;
    world.browser.post("/put/a/1").await;
    world.store.take_calls();
    events.take();
    (world, events)
}

/// The response if the user can't be resolved: 503 with `Retry-After`, no cookie, and no cause.
fn assert_unavailable(answer: &Answer, fault: Fault, case: &str) {
    let case = format!("{case}, {fault:?}");
    assert_eq!(answer.status, 503, "{case}");
    assert!(answer.header("retry-after").is_some(), "{case}");
    assert!(answer.set_cookies().is_empty(), "{case}");
    assert_eq!(answer.body, "", "{case}");
}

const ASKING: [&str; 6] = ["/me", "/who", "/why", "/optional", "/get/a", "/put/b/2"];

fn method(uri: &str) -> Method {
    if uri.starts_with("/put") {
        Method::POST
    } else {
        Method::GET
    }
}

#[tokio::test(start_paused = true)]
async fn failing_store_logs_no_user_out() {
    for fault in [Fails, DoesAndFails, Hangs] {
        let (mut world, events) = logged_in().await;
        let before = world.store.inner.records();
        world.store.fail_all(fault);
        for uri in ASKING {
            let answer = world.browser.send(method(uri), uri).await;
            assert_unavailable(&answer, fault, &format!("{uri} {fault:?}"));
        }
        assert!(events.take().contains(&EventKind::StoreFailed));
        world.store.heal();
        assert_eq!(world.store.inner.records(), before);
        assert_eq!(world.browser.get("/me").await.body, "alice");
        assert_eq!(world.browser.get("/get/a").await.body, "1");
    }
}

#[tokio::test]
async fn request_without_our_cookie_makes_no_store_call() {
    let (mut world, _) = world();
    world.store.fail_all(Panics);
    world.browser.plant("other", "cookie");
    for uri in ["/", "/who", "/why", "/optional", "/get/a"] {
        assert_eq!(world.browser.get(uri).await.status, 200, "{uri}");
    }
    assert_eq!(world.browser.get("/me").await.status, 303);
    assert_eq!(world.store.take_calls(), []);
}

#[tokio::test(start_paused = true)]
async fn store_outage_serves_anonymous_requests_and_503_to_others() {
    for fault in [Fails, Hangs] {
        let (mut world, _) = logged_in().await;
        world.browser.post("/remember/alice").await;
        let mut returning = world.browser.clone();
        returning.forget(SESSION);
        world.store.fail_all(fault);
        for uri in ASKING {
            let mut stranger = world.browser.another();
            let answer = stranger.send(method(uri), uri).await;
            let status = match uri {
                "/me" => 303,
                "/put/b/2" => 503, // there is something to be kept, and nowhere to keep it
                _ => 200,
            };
            assert_eq!(answer.status, status, "{uri} {fault:?}");
            let answer = world.browser.send(method(uri), uri).await;
            assert_unavailable(&answer, fault, &format!("{uri} {fault:?}"));
        }
        // A request with only a remember cookie is not treated as anonymous either.
        for uri in ["/me", "/who", "/why", "/optional"] {
            let answer = returning.get(uri).await;
            assert_unavailable(&answer, fault, &format!("{uri} {fault:?}"));
        }
        world.store.heal();
        assert_eq!(world.browser.get("/me").await.body, "alice");
        assert_eq!(returning.get("/me").await.body, "alice");
    }
}

/// A public page that shows the current user, or the kind of the error.
async fn header(user: Result<CurrentUser<Account>, Error>) -> String {
    match user {
        Ok(CurrentUser(Some(user))) => user.name.clone(),
        Ok(CurrentUser(None)) => "nobody".to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    }
}

#[tokio::test(start_paused = true)]
async fn public_page_can_handle_a_store_error_itself() {
    for fault in [Fails, Hangs] {
        let mut world = World::with(
            |accounts| routes(accounts).route("/header", get(header)),
            |manager| manager,
        );
        assert_eq!(world.browser.get("/header").await.body, "nobody");
        world.browser.post("/login/alice").await;
        assert_eq!(world.browser.get("/header").await.body, "alice");
        world.store.fail_all(fault);
        let answer = world.browser.get("/header").await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (200, "Store"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("vary"), Some("cookie"));
        assert!(answer.set_cookies().is_empty());
        assert_eq!(world.browser.get("/who").await.status, 503);
        world.store.heal();
        world.accounts.fail(true);
        assert_eq!(world.browser.get("/header").await.body, "Loader");
    }
}

#[tokio::test]
async fn page_that_reads_no_user_is_unaffected_by_an_outage() {
    let (mut world, _) = logged_in().await;
    let loads = world.accounts.loads();
    world.store.fail_all(Panics);
    world.accounts.trouble(Trouble::Panics);
    let answer = world.browser.get("/").await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, "public"));
    assert_eq!(world.store.take_calls(), []);
    assert_eq!(world.accounts.loads(), loads);
    for name in ["set-cookie", "vary", "cache-control"] {
        assert_eq!(answer.header(name), None);
    }
}

#[tokio::test(start_paused = true)]
async fn hanging_store_call_ends_at_the_deadline() {
    for deadline in [DEADLINE, Duration::from_millis(50)] {
        let mut world = World::with(routes, |manager| manager.with_deadline(deadline));
        world.browser.post("/login/alice").await;
        world.store.fail(Load, Hangs);
        let start = Instant::now();
        assert_eq!(world.browser.get("/me").await.status, 503);
        assert!((deadline..deadline + Duration::from_millis(100)).contains(&start.elapsed()));

        world.store.heal();
        world.accounts.trouble(Trouble::Hangs);
        let start = Instant::now();
        assert_eq!(world.browser.get("/me").await.status, 503);
        assert!((deadline..deadline + Duration::from_millis(100)).contains(&start.elapsed()));
        world.accounts.trouble(None);
        assert_eq!(world.browser.get("/me").await.body, "alice");
    }
}

#[tokio::test]
async fn request_waiting_for_the_store_delays_no_other() {
    let mut world = World::with(routes, |manager| {
        manager.with_deadline(Duration::from_secs(3600))
    });
    world.browser.post("/login/alice").await;
    let gate = world.store.gate(Load, Before);
    let slow = world.browser.start(Method::GET, "/who");
    gate.reached().await;
    assert_eq!(
        world.browser.get("/who").await.body,
        "alice",
        "same session"
    );
    let mut other = world.browser.another();
    assert_eq!(other.post("/login/bob").await.body, "bob");
    gate.open();
    assert_eq!(slow.await.unwrap().1.body, "alice");
}

#[tokio::test]
async fn extreme_deadlines_work_with_a_fast_store() {
    for deadline in [Duration::from_millis(1), Duration::MAX] {
        let mut world = World::with(routes, |manager| manager.with_deadline(deadline));
        world.browser.post("/login/alice").await;
        assert_eq!(world.browser.get("/me").await.body, "alice", "{deadline:?}");
        assert_eq!(world.browser.post("/logout").await.body, "bye");
    }
    let mut world = World::with(routes, |manager| {
        manager.with_deadline(Duration::from_millis(1))
    });
    world.browser.post("/login/alice").await;
    world.store.fail(Load, Hangs);
    assert_eq!(world.browser.get("/me").await.status, 503);
}

#[tokio::test(start_paused = true)]
async fn failing_touch_does_not_affect_the_request() {
    for fault in [Fails, DoesAndFails, Hangs] {
        let (mut world, events) = logged_in().await;
        world.clock.advance(Duration::from_secs(3 * 3600));
        world.store.fail(Touch, fault);
        let start = Instant::now();
        assert_eq!(world.browser.get("/me").await.body, "alice", "{fault:?}");
        assert_eq!(start.elapsed(), Duration::ZERO, "{fault:?}");
        tokio::time::sleep(DEADLINE).await; // of the paused clock
        tokio::task::yield_now().await;
        assert!(world.store.take_calls().contains(&Touch), "{fault:?}");
        assert!(events.take().contains(&EventKind::StoreFailed), "{fault:?}");
        assert_eq!(world.browser.get("/get/a").await.body, "1");
    }
}

#[tokio::test]
async fn unreadable_record_is_anonymous_and_deleted() {
    let junk: [&[u8]; 5] = [b"", b"\0", b"\x01", &[0; 300], b"\x01\0\0\0\0\0\x09abc"];
    for payload in junk {
        for uri in ASKING {
            let (mut world, events) = logged_in().await;
            world
                .store
                .rewrite(|record| record.payload = payload.into())
                .await;
            let answer = world.browser.send(method(uri), uri).await;
            let case = format!("{uri} {payload:?}");
            assert!(!answer.status.is_server_error(), "{case}");
            assert_eq!(
                events
                    .take()
                    .iter()
                    .filter(|kind| **kind == EventKind::Unreadable)
                    .count(),
                1,
                "{case}"
            );
            assert_eq!(world.browser.get("/who").await.body, "nobody", "{case}");
            assert!(!events.take().contains(&EventKind::Unreadable), "{case}");
        }
    }
}

#[tokio::test]
async fn unreadable_record_is_anonymous_even_if_delete_fails() {
    let (mut world, events) = logged_in().await;
    world
        .store
        .rewrite(|record| record.payload = b"\0{}"[..].into())
        .await;
    world.store.fail(Delete, Fails);
    for _ in 0..3 {
        assert_eq!(world.browser.get("/who").await.body, "nobody");
        assert!(events.take().contains(&EventKind::Unreadable));
    }
    world.store.heal();
    let token = world.browser.cookie("session").unwrap();
    assert_eq!(world.browser.post("/login/bob").await.body, "bob");
    assert_eq!(world.store.inner.len(), 1);
    assert_ne!(world.browser.cookie("session").unwrap(), token);
}

#[tokio::test]
async fn record_of_a_newer_version_is_anonymous_and_is_kept() {
    let (mut world, _) = logged_in().await;
    world
        .store
        .rewrite(|record| {
            let mut payload = record.payload.to_vec();
            payload[1] += 1;
            record.payload = payload.into();
        })
        .await;
    let newer = world.store.inner.records();
    for uri in ["/who", "/optional", "/get/a"] {
        let answer = world.browser.get(uri).await;
        assert!(answer.set_cookies().is_empty(), "{uri}");
        assert!(["nobody", ""].contains(&&*answer.body), "{uri}");
    }
    assert_eq!(
        world.browser.get("/why").await.body,
        format!("{:?}", Some(AnonymousReason::NewerRecord))
    );
    assert_eq!(world.browser.get("/me").await.status, 303);
    assert_eq!(world.store.inner.records(), newer);
}

#[tokio::test]
async fn record_under_another_id_lets_no_user_in() {
    let (mut world, events) = logged_in().await;
    let mut bob = world.browser.another();
    bob.post("/login/bob").await;
    let records = world.store.inner.records();
    let of_bob = records
        .iter()
        .find(|record| record.owner.as_deref().unwrap().ends_with("/2"));
    world.store.hand_out(of_bob.unwrap().clone());
    for uri in ["/who", "/optional"] {
        assert_eq!(world.browser.get(uri).await.body, "nobody", "{uri}");
    }
    assert!(events.take().contains(&EventKind::UnknownSession));
    world.store.heal();
    assert_eq!(world.browser.get("/me").await.body, "alice");
    assert_eq!(bob.get("/me").await.body, "bob");
    assert_eq!(world.store.inner.len(), 2);
}

#[tokio::test]
async fn record_that_vanishes_during_a_request_is_not_recreated() {
    let (mut world, events) = logged_in().await;
    let gate = world.store.gate(Update, Before);
    let write = world.browser.start(Method::POST, "/put/b/2");
    gate.reached().await;
    world.store.forget_all().await;
    gate.open();
    let (_, answer) = write.await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.set_cookies().is_empty());
    assert!(events.take().contains(&EventKind::DataDropped));
    assert!(world.store.inner.is_empty());

    world.browser.post("/login/alice").await;
    let gate = world.store.gate(Load, After);
    let read = world.browser.start(Method::GET, "/me");
    gate.reached().await;
    world.store.forget_all().await;
    gate.open();
    assert_eq!(
        read.await.unwrap().1.body,
        "alice",
        "a pure read ends as it began"
    );
}

#[tokio::test]
async fn lost_write_leaves_the_older_state() {
    let (mut world, _) = logged_in().await;
    let before = world.store.inner.records().remove(0);
    world.browser.post("/put/a/2").await;
    world.store.rewrite(|record| *record = before.clone()).await;
    assert_eq!(world.browser.get("/me").await.body, "alice");
    assert_eq!(world.browser.get("/get/a").await.body, "1");
}

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

#[tokio::test]
async fn session_expired_by_a_clock_jump_stays_expired() {
    for jump in [Duration::from_secs(25 * 3600), 10 * YEAR] {
        let (mut world, _) = logged_in().await;
        world.clock.advance(jump);
        assert_eq!(world.browser.get("/who").await.body, "nobody");
        world.clock.turn_back(jump);
        assert_eq!(world.browser.get("/who").await.body, "nobody", "{jump:?}");
    }
}

#[tokio::test]
async fn record_from_the_future_is_no_session_until_then() {
    let (mut world, _) = logged_in().await;
    world.clock.turn_back(4 * MINUTE);
    assert_eq!(world.browser.get("/me").await.body, "alice");
    for back in [2 * MINUTE, 60 * YEAR] {
        // In the end before 1970.
        world.clock.turn_back(back);
        assert_eq!(world.browser.get("/who").await.body, "nobody", "{back:?}");
        let why = world.browser.get("/why").await.body;
        assert_eq!(
            why,
            format!("{:?}", Some(AnonymousReason::NotYetValid)),
            "{back:?}"
        );
        world.clock.advance(back);
        assert_eq!(world.browser.get("/me").await.body, "alice", "{back:?}");
    }
    world.clock.advance(25 * 60 * MINUTE);
    assert_eq!(world.browser.get("/who").await.body, "nobody");
}

#[tokio::test(start_paused = true)]
async fn failing_loader_is_503_and_changes_nothing() {
    for (trouble, fault) in [(Trouble::Fails, Fails), (Trouble::Hangs, Hangs)] {
        let (mut world, events) = logged_in().await;
        let before = world.store.inner.records();
        world.accounts.trouble(trouble);
        for uri in ASKING {
            let answer = world.browser.send(method(uri), uri).await;
            assert_unavailable(&answer, fault, &format!("{uri} {trouble:?}"));
        }
        assert!(events.take().contains(&EventKind::LoaderFailed));
        assert_eq!(world.store.inner.records(), before);
        world.accounts.trouble(None);
        assert_eq!(
            world.browser.get("/me").await.body,
            "alice",
            "it is never cached as anonymous"
        );
    }
}

#[tokio::test]
async fn loader_that_returns_another_user_authenticates_no_user() {
    let (mut world, events) = logged_in().await;
    let before = world.store.inner.records();
    world.accounts.trouble(Trouble::FindsBob);
    for uri in ASKING {
        let answer = world.browser.send(method(uri), uri).await;
        assert_eq!(answer.status, 500, "{uri}");
        assert!(
            answer.set_cookies().is_empty() && answer.body.is_empty(),
            "{uri}"
        );
    }
    assert!(events.take().contains(&EventKind::WrongUser));
    world.accounts.trouble(None);
    assert_eq!(world.store.inner.records(), before);
    assert_eq!(world.browser.get("/me").await.body, "alice");
}

#[tokio::test]
async fn vanished_or_inactive_user_is_logged_out_for_good() {
    for gone in [true, false] {
        let (mut world, _) = logged_in().await;
        let alice = world.accounts.get(1).unwrap();
        let token = world.browser.cookie("session").unwrap();
        if gone {
            world.accounts.remove(1);
        } else {
            world.accounts.change(1, |alice| alice.active = false);
        }
        let answer = world.browser.get("/who").await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (200, "nobody"));
        assert_eq!(answer.set_cookies().len(), 2);
        assert!(world.browser.cookie_names().is_empty());
        assert!(world.store.inner.is_empty());
        world.accounts.put(alice);
        world.browser.plant(SESSION, &token);
        assert_eq!(world.browser.get("/who").await.body, "nobody");
    }
}

#[tokio::test]
async fn cookies_from_before_a_restart_are_anonymous() {
    let (world, events) = logged_in().await;
    let accounts = world.accounts.clone();
    let after_restart = events.watch(LoginManager::new(MemoryStore::new(), accounts.clone()));
    let mut browser = Browser::new(routes(&accounts).layer(after_restart));
    browser.plant(SESSION, &world.browser.cookie("session").unwrap());
    let answer = browser.get("/who").await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, "nobody"));
    assert_eq!(events.take(), [EventKind::UnknownSession]);
    assert_eq!(browser.post("/login/alice").await.body, "alice");
    assert_eq!(browser.get("/me").await.body, "alice");
}

/// Reads the session and the user while the store fails, and again when it works.
#[tokio::test]
async fn store_error_is_not_cached_within_the_request() {
    let (mut world, _) = world();
    let store = world.store.clone();
    let asks_again = move |auth: Auth<Account>, session: Session| async move {
        store.fail_once(Load, Fails);
        assert!(session.get::<String>("a").await.is_err());
        store.fail_once(Load, Fails);
        assert!(auth.user().await.is_err());
        Ok::<_, Error>(auth.user().await?.unwrap().id().to_string())
    };
    world.browser = Browser::new(
        routes(&world.accounts)
            .route("/asks-again", get(asks_again))
            .layer(world.manager.clone()),
    );
    world.browser.post("/login/alice").await;
    assert_eq!(world.browser.get("/asks-again").await.body, "1");
}
