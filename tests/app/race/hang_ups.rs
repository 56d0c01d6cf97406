//! Clients that disconnect, and verbs whose future is dropped: a verb that has begun is completed.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use axum::{Router, routing::post};
use http::{Method, Request};
use login_manager::{Auth, ErrorKind, event::EventKind};
use tokio::sync::mpsc;
use tower::ServiceExt;

use crate::support::{
    browser::Browser,
    faulty_store::{
        Call::{Create, Delete, Load, Update},
        When::Before,
    },
    settle,
    world::{Account, Accounts, SESSION, World, account, routes},
};

fn world(more: impl FnOnce(&Accounts) -> Router) -> World {
    World::with(
        |accounts| routes(accounts).merge(more(accounts)),
        |manager| manager.with_deadline(Duration::from_secs(3600)),
    )
}

fn nothing_more(_: &Accounts) -> Router {
    Router::new()
}

/// Polls the answer to a request so many times and drops it. True: the answer was there before.
async fn hang_up_after(polls: usize, app: Router, request: Request<axum::body::Body>) -> bool {
    let mut answer = pin!(app.oneshot(request));
    for _ in 0..polls {
        let ready = poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx).is_ready())).await;
        if ready {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

async fn who(browser: &Browser, token: &str) -> String {
    let mut again = browser.another();
    again.plant(SESSION, token);
    again.get("/who").await.body
}

#[tokio::test]
async fn login_whose_client_hangs_up_is_complete_or_not_begun() {
    for (start, user) in [
        ("/put/cart/apples", "nobody"),
        ("/login/alice", "alice"),
        ("/login/bob", "bob"),
    ] {
        let mut points = 0;
        for polls in 0.. {
            let mut world = world(nothing_more);
            world.browser.post(start).await;
            let token = world.browser.cookie("session").unwrap();
            let before = world.store.inner.records();
            world.store.be_remote();
            let request = world.browser.request(Method::POST, "/login/alice");
            let answered = hang_up_after(polls, world.browser.app(), request).await;
            settle().await;

            let case = format!("{start} after {polls} polls");
            assert_eq!(world.live_sessions(), 1, "{case}");
            let now = world.store.inner.records();
            let begun = now != before;
            assert!(begun || polls == 0, "{case}");
            world.let_grace_pass();
            if begun {
                let mut owners = now.iter().filter_map(|record| record.owner.as_deref());
                assert!(owners.any(|owner| owner.ends_with("/1")), "{case}");
                assert_eq!(who(&world.browser, &token).await, "nobody", "{case}");
            } else {
                assert_eq!(who(&world.browser, &token).await, user, "{case}");
            }
            if answered {
                break;
            }
            points += 1;
        }
        assert!(points > 2, "the login awaited nothing: {points}");
    }
}

#[tokio::test]
async fn restore_whose_client_hangs_up_can_be_repeated() {
    for polls in 0.. {
        let mut world = world(nothing_more);
        world.browser.post("/remember/alice").await;
        world.browser.post("/put/mine/1").await;
        world.browser.forget(SESSION);
        world.browser.post("/put/cart/apples").await;
        world.store.be_remote();
        let request = world.browser.request(Method::GET, "/who");
        let answered = hang_up_after(polls, world.browser.app(), request).await;
        settle().await;

        world.let_grace_pass();
        let case = format!("after {polls} polls");
        if answered {
            assert_eq!(world.browser.get("/who").await.body, "alice", "{case}");
            break;
        }
        for uri in ["/who", "/who"] {
            assert_eq!(world.browser.get(uri).await.body, "alice", "{case}");
        }
        for (key, value) in [("mine", "1"), ("cart", "apples")] {
            let read = world.browser.get(&format!("/get/{key}")).await.body;
            assert_eq!(read, value, "{case}");
        }
        let theft = world.events.take().contains(&EventKind::RememberTheft);
        assert!(!theft, "{case}");
    }
}

#[tokio::test]
async fn logout_whose_client_hangs_up_is_complete() {
    for start in ["/put/cart/apples", "/login/alice"] {
        let mut points = 0;
        for polls in 0.. {
            let mut world = world(nothing_more);
            world.browser.post(start).await;
            let token = world.browser.cookie("session").unwrap();
            world.store.be_remote();
            let request = world.browser.request(Method::POST, "/logout");
            let answered = hang_up_after(polls, world.browser.app(), request).await;
            settle().await;

            let begun = polls > 0;
            assert_eq!(
                world.store.inner.is_empty(),
                begun,
                "{start} after {polls} polls"
            );
            if begun {
                assert_eq!(who(&world.browser, &token).await, "nobody");
            }
            if answered {
                break;
            }
            points += 1;
        }
        assert!(points > 2, "the logout awaited nothing: {points}");
    }
}

#[tokio::test]
async fn dropped_request_holds_no_lock_and_tears_no_record() {
    for uri in ["/put/a/1", "/get/a", "/who", "/rotate", "/confirm"] {
        for polls in 0.. {
            let mut world = world(nothing_more);
            world.browser.post("/login/alice").await;
            world.browser.post("/put/b/2").await;
            world.store.be_remote();
            let method = if uri == "/get/a" || uri == "/who" {
                Method::GET
            } else {
                Method::POST
            };
            let request = world.browser.request(method, uri);
            let answered = hang_up_after(polls, world.browser.app(), request).await;
            settle().await;
            assert_eq!(world.store.inner.len(), 1, "{uri} after {polls} polls");
            assert_eq!(world.browser.get("/who").await.body, "alice");
            assert_eq!(world.browser.get("/get/b").await.body, "2");
            if answered {
                break;
            }
        }
    }
}

#[tokio::test]
async fn dropped_user_lookup_can_be_repeated() {
    let asks_twice = |auth: Auth<Account>| async move {
        {
            let mut first = pin!(auth.user());
            assert!(poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_pending())).await);
        }
        auth.user().await.unwrap().unwrap().name.clone()
    };
    let mut world = world(|_| Router::new().route("/asks-twice", post(asks_twice)));
    world.browser.post("/login/alice").await;
    world.store.be_remote();
    assert_eq!(world.browser.post("/asks-twice").await.body, "alice");
}

#[tokio::test]
async fn browser_that_lost_the_login_response_logs_in_again() {
    let mut world = world(nothing_more);
    world.browser.post("/login/alice").await;
    let gate = world.store.gate(Update, Before);
    let login = world.browser.start(Method::POST, "/login/alice");
    gate.reached().await;
    login.abort();
    assert!(login.await.is_err_and(|error| error.is_cancelled()));
    gate.open();
    settle().await;
    world.let_grace_pass();
    assert_eq!(world.browser.get("/who").await.body, "nobody");
    assert_eq!(world.browser.post("/login/alice").await.body, "alice");
    assert_eq!(world.browser.get("/who").await.body, "alice");
}

#[tokio::test]
async fn verbs_of_one_request_run_one_after_the_other() {
    let both = |auth: Auth<Account>| async move {
        let (alice, bob) = tokio::join!(
            auth.login(account(1, "alice")).into_future(),
            auth.login(account(2, "bob")).into_future()
        );
        assert_eq!((alice.unwrap().id, bob.unwrap().id), (1, 2));
        auth.user().await.unwrap().unwrap().name.clone()
    };
    let mut world = world(|_| Router::new().route("/both", post(both)));
    world.browser.post("/put/cart/apples").await;
    world.store.take_calls();
    let gate = world.store.gate(Create, Before);
    let request = world.browser.start(Method::POST, "/both");
    gate.reached().await;
    settle().await;
    assert_eq!(
        world.store.take_calls(),
        [Load, Create],
        "the second waits for the first"
    );
    gate.open();
    let (mut browser, answer) = request.await.unwrap();
    assert_eq!(answer.set_cookies().len(), 1);
    assert_eq!(browser.get("/who").await.body, answer.body);
    assert_eq!(world.live_sessions(), 1);
}

/// Starts a login and, once that waits at the store, answers without it.
fn starts_a_login(
    ends: mpsc::UnboundedSender<Option<ErrorKind>>,
    at: Option<crate::support::faulty_store::Gate>,
) -> Router {
    let handler = move |auth: Auth<Account>| async move {
        tokio::spawn(async move {
            let login = auth.login(account(1, "alice")).await;
            ends.send(login.err().map(|error| error.kind())).unwrap();
        });
        if let Some(gate) = at {
            gate.reached().await;
        }
        "not waited for"
    };
    Router::new().route("/starts", post(handler))
}

#[tokio::test]
async fn verb_running_when_the_handler_ends_is_in_the_response() {
    let (ends, mut ended) = mpsc::unbounded_channel();
    let gate = crate::support::faulty_store::Gate::new();
    let mut world = world(|_| starts_a_login(ends, Some(gate.clone())));
    let held = world.store.gate(Create, Before);
    let request = world.browser.start(Method::POST, "/starts");
    held.reached().await;
    // The handler may answer now, and does; the answer itself has to wait for the verb.
    let _handler = tokio::spawn({
        let gate = gate.clone();
        async move { gate.pass().await }
    });
    settle().await;
    assert!(!request.is_finished());
    held.open();
    let (browser, answer) = request.await.unwrap();
    assert_eq!(answer.body, "not waited for");
    assert_eq!(ended.recv().await, Some(None));
    world.browser = browser;
    assert_eq!(world.browser.get("/who").await.body, "alice");
}

#[tokio::test]
async fn verb_started_after_the_handler_ended_is_too_late() {
    let (ends, mut ended) = mpsc::unbounded_channel();
    let mut world = world(|_| starts_a_login(ends, None));
    let answer = world.browser.post("/starts").await;
    assert!(answer.set_cookies().is_empty());
    assert_eq!(ended.recv().await, Some(Some(ErrorKind::TooLate)));
    assert_eq!(world.store.take_calls(), []);
}

#[tokio::test]
async fn logout_that_is_dropped_still_ends_the_session() {
    let walks_away = |auth: Auth<Account>| async move {
        let mut logout = Box::pin(auth.logout());
        assert!(poll_fn(|cx| Poll::Ready(logout.as_mut().poll(cx).is_pending())).await);
    };
    let mut world = world(|_| Router::new().route("/walks-away", post(walks_away)));
    world.browser.post("/login/alice").await;
    world.store.take_calls();
    world.store.be_remote();
    assert_eq!(world.browser.post("/walks-away").await.status, 200);
    settle().await;
    assert_eq!(world.store.take_calls(), [Load, Delete]);
    assert!(world.store.inner.is_empty());
}
