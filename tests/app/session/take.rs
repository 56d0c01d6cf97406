//! `Session::take` returns a value to one caller only.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
};

use axum::{Router, extract::Path, routing::post};
use http::{Method, StatusCode};
use login_manager::{Auth, Error, Session, event::EventKind};
use tower::ServiceExt;

use crate::support::{
    faulty_store::{
        Call::{Load, Update},
        Fault::{DoesAndFails, Fails, Hangs},
        When::{After, Before},
    },
    settle,
    world::{Account, Accounts, HOUR, World, routes},
};

const CODE: &str = "123456";

/// How many codes the application has compared.
#[derive(Clone, Default)]
struct Checks(Arc<AtomicUsize>);

impl Checks {
    fn take(&self) -> usize {
        self.0.swap(0, SeqCst)
    }
}

/// The second factor as the chapter on security describes it: `/password/{name}`, then
/// `/code/{code}`.
fn two_steps(accounts: &Accounts, checks: &Checks) -> Router {
    let users = accounts.clone();
    let password = move |auth: Auth<Account>, session: Session, Path(name): Path<String>| async move {
        let id = users.by_name(&name).unwrap().id;
        session.insert("second-factor", &id).await?;
        auth.rotate().await
    };
    let (users, checks) = (accounts.clone(), checks.clone());
    let code = move |auth: Auth<Account>, session: Session, Path(code): Path<String>| async move {
        let pending: Option<i64> = session.take("second-factor").await?;
        let Some(id) = pending else {
            return Ok::<_, Error>(StatusCode::UNAUTHORIZED);
        };
        checks.0.fetch_add(1, SeqCst);
        if code != CODE {
            return Ok(StatusCode::UNAUTHORIZED);
        }
        auth.login(users.get(id).unwrap()).await?;
        Ok(StatusCode::OK)
    };
    let flash = |session: Session| async move {
        session.insert("other", "kept").await?;
        let flash: Option<String> = session.take("key").await?;
        Ok::<_, Error>(flash.unwrap_or_default())
    };
    let fails = |session: Session| async move {
        session.insert("other", "dropped").await?;
        let taken: Option<String> = session.take("key").await?;
        Ok::<_, Error>((StatusCode::INTERNAL_SERVER_ERROR, taken.unwrap_or_default()))
    };
    let own = |session: Session| async move {
        session.insert("key", "mine").await?;
        let first: Option<String> = session.take("key").await?;
        let second: Option<String> = session.take("key").await?;
        Ok::<_, Error>(format!("{first:?} {second:?}"))
    };
    let number = |session: Session| async move {
        let wrong = session
            .take::<u32>("key")
            .await
            .map_err(|error| error.kind());
        let again: Option<String> = session.take("key").await?;
        Ok::<_, Error>(format!("{wrong:?} {again:?}"))
    };
    routes(accounts)
        .route("/password/{name}", post(password))
        .route("/code/{code}", post(code))
        .route("/flash", post(flash))
        .route("/fails", post(fails))
        .route("/own", post(own))
        .route("/number", post(number))
}

fn world() -> (World, Checks) {
    let checks = Checks::default();
    let world = World::with(
        |accounts| two_steps(accounts, &checks),
        |manager| manager.with_deadline(HOUR),
    );
    (world, checks)
}

#[tokio::test]
async fn of_1000_parallel_guesses_one_is_checked() {
    for remote in [false, true] {
        let (mut world, checks) = world();
        assert_eq!(world.browser.post("/password/alice").await.status, 200);
        if remote {
            world.store.be_remote();
        }
        let guesses: Vec<_> = (0..1000)
            .map(|guess| {
                world
                    .browser
                    .start(Method::POST, &format!("/code/{guess:06}"))
            })
            .collect();
        for guess in guesses {
            assert_eq!(guess.await.unwrap().1.status, 401);
        }
        assert_eq!(checks.take(), 1, "remote: {remote}");
        assert_eq!(world.browser.post("/code/123456").await.status, 401);
        assert_eq!(checks.take(), 0);
        assert_eq!(world.browser.get("/who").await.body, "nobody");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_parallel_right_codes_one_logs_in() {
    let (mut world, checks) = world();
    world.browser.post("/password/alice").await;
    let codes: Vec<_> = (0..64)
        .map(|_| world.browser.start(Method::POST, "/code/123456"))
        .collect();
    let mut logins = 0;
    for code in codes {
        let (mut browser, answer) = code.await.unwrap();
        if answer.status == 200 {
            logins += 1;
            assert_eq!(browser.get("/who").await.body, "alice");
        }
    }
    assert_eq!((logins, checks.take()), (1, 1));
}

/// A has read the value and is about to remove it when B removes it.
#[tokio::test]
async fn take_overtaken_before_its_update_returns_none() {
    let (mut world, checks) = world();
    world.browser.post("/password/alice").await;
    let gate = world.store.gate(Update, Before);
    let slow = world.browser.start(Method::POST, "/code/000000");
    gate.reached().await;
    assert_eq!(checks.take(), 0);
    let (mut fast, answer) = world
        .browser
        .start(Method::POST, "/code/123456")
        .await
        .unwrap();
    assert_eq!((answer.status.as_u16(), checks.take()), (200, 1));
    gate.open();
    assert_eq!(slow.await.unwrap().1.status, 401);
    assert_eq!(checks.take(), 0);
    assert_eq!(fast.get("/who").await.body, "alice");
}

/// A has read the session before B inserts a new value, so A's update is a conflict and A gets the
/// new one.
#[tokio::test]
async fn take_returns_the_value_that_it_removed() {
    let (mut world, _) = world();
    world.browser.post("/put/key/old").await;
    let gate = world.store.gate(Update, Before);
    let taking = world.browser.start(Method::POST, "/flash");
    gate.reached().await;
    world.browser.post("/put/key/new").await;
    gate.open();
    assert_eq!(taking.await.unwrap().1.body, "new");
    assert_eq!(world.browser.get("/get/key").await.body, "");
    assert_eq!(world.browser.get("/get/other").await.body, "kept");
}

#[tokio::test]
async fn take_removes_the_value_before_it_returns_it() {
    let (mut world, checks) = world();
    world.browser.post("/password/alice").await;
    let gate = world.store.gate(Update, After);
    let guess = world.browser.start(Method::POST, "/code/000000");
    gate.reached().await;
    assert_eq!(checks.take(), 0, "not returned yet");
    assert_eq!(world.browser.post("/code/123456").await.status, 401);
    assert_eq!(checks.take(), 0);
    gate.open();
    assert_eq!(guess.await.unwrap().1.status, 401);
    assert_eq!(checks.take(), 1);
}

#[tokio::test]
async fn take_of_a_client_that_hangs_up_removes_the_value() {
    let mut points = 0;
    for polls in 1.. {
        let (mut world, checks) = world();
        world.browser.post("/password/alice").await;
        world.store.be_remote();
        let request = world.browser.request(Method::POST, "/code/000000");
        let answered = {
            let mut answer = pin!(world.browser.app().oneshot(request));
            let mut answered = false;
            for _ in 0..polls {
                answered |= poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx).is_ready())).await;
                if answered {
                    break;
                }
                tokio::task::yield_now().await;
            }
            answered
        };
        settle().await;
        assert!(checks.take() <= 1, "after {polls} polls");
        assert_eq!(
            world.browser.post("/code/123456").await.status,
            401,
            "after {polls} polls"
        );
        assert_eq!(checks.take(), 0, "after {polls} polls");
        if answered {
            break;
        }
        points += 1;
    }
    assert!(points >= 2, "the handler waited for nothing: {points}");
}

#[tokio::test(start_paused = true)]
async fn take_returns_no_value_if_the_store_fails() {
    // If the outcome of the update is unknown, the record tells whether the value was removed by
    // it.
    for (call, fault, status, removed) in [
        (Update, Fails, 503, false),
        (Update, DoesAndFails, 401, true),
        (Update, Hangs, 503, false),
        (Load, Fails, 503, false),
    ] {
        let (mut world, checks) = world();
        world.browser.post("/password/alice").await;
        world.store.fail_once(call, fault);
        let case = format!("{call:?} {fault:?}");
        let answer = world.browser.post("/code/000000").await;
        let checked = (answer.status.as_u16(), checks.take());
        assert_eq!(checked, (status, usize::from(removed)), "{case}");
        let status = if removed { 401 } else { 200 };
        let answer = world.browser.post("/code/123456").await;
        assert_eq!(answer.status, status, "{case}");
        assert_eq!(checks.take(), usize::from(!removed), "{case}");
    }
}

#[tokio::test]
async fn take_beside_a_logout_returns_none() {
    let (mut world, _) = world();
    world.browser.post("/do/alice,put").await;
    let gate = world.store.gate(Update, Before);
    let taking = world.browser.start(Method::POST, "/flash");
    gate.reached().await;
    world.browser.clone().post("/logout").await;
    world.events.take();
    gate.open();
    let (_, answer) = taking.await.unwrap();
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, ""));
    assert!(world.events.take().contains(&EventKind::DataDropped));
    assert!(world.store.inner.is_empty());
}

#[tokio::test]
async fn value_taken_by_a_failed_request_stays_taken() {
    let (mut world, _) = world();
    world.browser.post("/put/key/once").await;
    let answer = world.browser.post("/fails").await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (500, "once"));
    assert_eq!(world.browser.post("/flash").await.body, "");
    let other = world.browser.another().get("/get/other").await.body;
    assert_eq!(other, "", "the rest of a failed request is not saved");
}

#[tokio::test]
async fn take_returns_a_value_inserted_in_the_same_request() {
    for before in ["/", "/put/key/stored", "/put/other/stored"] {
        let (mut world, _) = world();
        world.browser.post(before).await;
        let answer = world.browser.post("/own").await;
        assert_eq!(answer.body, r#"Some("mine") None"#, "{before}");
        assert_eq!(world.browser.get("/get/key").await.body, "", "{before}");
    }
}

#[tokio::test]
async fn take_removes_a_value_of_another_type() {
    let (mut world, _) = world();
    world.browser.post("/put/key/text").await;
    assert_eq!(world.browser.post("/number").await.body, "Err(Data) None");
}
