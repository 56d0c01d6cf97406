//! Two concurrent requests of one browser, in every order that matters.
//!
//! A store call waits at a gate while another request runs from its beginning to its end.

use std::time::Duration;

use axum::{Router, routing::post};
use http::Method;
use login_manager::{Auth, Error, Session, event::EventKind};

use crate::support::{
    browser::{Answer, Browser},
    events::Events,
    faulty_store::{
        Call::{self, Load, Touch, Update},
        When::{self, After, Before},
    },
    world::{Account, Accounts, SESSION, World, routes},
};

/// A world in which a slow machine doesn't run into the deadline.
fn world() -> (World, Events) {
    let events = Events::default();
    let world = World::with(routes, |manager| {
        events.watch(
            manager
                .with_deadline(Duration::from_secs(3600))
                .with_login_page("/login"),
        )
    });
    (world, events)
}

/// The current user of a request with this session cookie only.
async fn bearer(browser: &Browser, token: &str) -> String {
    let mut thief = browser.another();
    thief.plant(SESSION, token);
    thief.get("/who").await.body
}

/// Sends the first request, holds it at a gate while the second runs, and lets it go on.
async fn hold(
    world: &World,
    (held, call, when): (&str, Call, When),
    meanwhile: &str,
) -> ((Browser, Answer), (Browser, Answer)) {
    let gate = world.store.gate(call, when);
    let first = world.browser.start(Method::POST, held);
    gate.reached().await;
    let second = world.browser.start(Method::POST, meanwhile).await.unwrap();
    gate.open();
    (first.await.unwrap(), second)
}

fn status(answer: &Answer) -> u16 {
    answer.status.as_u16()
}

#[tokio::test]
async fn write_loaded_before_a_logout_revives_no_session() {
    for point in [(Load, After), (Update, Before)] {
        let (mut world, events) = world();
        world.browser.post("/login/alice").await;
        let token = world.browser.cookie("session").unwrap();
        events.take();

        let ((_, late), (_, out)) = hold(&world, ("/put/a/1", point.0, point.1), "/logout").await;
        assert_eq!((status(&out), status(&late)), (200, 200), "{point:?}");
        assert!(late.set_cookies().is_empty(), "{point:?}");
        assert!(world.store.inner.is_empty(), "{point:?}");
        assert_eq!(bearer(&world.browser, &token).await, "nobody");
        assert!(events.take().contains(&EventKind::DataDropped), "{point:?}");
    }
}

#[tokio::test]
async fn late_write_is_kept_after_rotation_not_after_login() {
    for (verb, user, kept) in [
        ("/rotate", "alice", "1"),
        ("/confirm", "alice", "1"),
        ("/login/alice", "alice", ""),
        ("/login/bob", "bob", ""),
    ] {
        let (mut world, events) = world();
        world.browser.post("/login/alice").await;
        let ((_, late), (mut browser, done)) =
            hold(&world, ("/put/a/1", Update, Before), verb).await;
        assert_eq!((status(&done), status(&late)), (200, 200), "{verb}");
        assert!(late.set_cookies().is_empty(), "{verb}");
        browser.receive(&late);
        assert_eq!(world.live_sessions(), 1, "{verb}");
        assert_eq!(browser.get("/get/a").await.body, kept, "{verb}");
        assert_eq!(browser.get("/who").await.body, user, "{verb}");
        let dropped = events.take().contains(&EventKind::DataDropped);
        assert_eq!(dropped, kept.is_empty(), "{verb}");
    }
}

#[tokio::test]
async fn late_touch_revives_nothing() {
    for verb in ["/logout", "/rotate", "/login/bob"] {
        let (mut world, _) = world();
        world.browser.post("/login/alice").await;
        let token = world.browser.cookie("session").unwrap();
        world.clock.advance(Duration::from_secs(3 * 3600));

        let (begins, ends) = (
            world.store.gate(Touch, Before),
            world.store.gate(Touch, After),
        );
        assert_eq!(world.browser.get("/who").await.body, "alice");
        begins.reached().await;
        assert_eq!(status(&world.browser.post(verb).await), 200);
        let before = world.store.inner.records();
        begins.open();
        ends.reached().await;
        assert_eq!(world.store.inner.records(), before, "{verb}");
        world.let_grace_pass();
        assert_eq!(bearer(&world.browser, &token).await, "nobody", "{verb}");
        ends.open();
    }
}

#[tokio::test]
async fn concurrent_clear_and_insert_both_take_effect() {
    // The held request saves last: it changes the keys that it has read and no others.
    for (held, meanwhile, a, new) in [
        ("/clear", "/put/new/1", "", "1"),
        ("/clear", "/put/a/2", "", ""),
        ("/put/new/1", "/clear", "", "1"),
        ("/put/a/2", "/clear", "2", ""),
    ] {
        let (mut world, _) = world();
        world.browser.post("/login/alice").await;
        world.browser.post("/put/a/1").await;
        let ((mut browser, late), (_, done)) =
            hold(&world, (held, Update, Before), meanwhile).await;
        assert_eq!((status(&late), status(&done)), (200, 200), "{held}");
        let read = [
            browser.get("/get/a").await.body,
            browser.get("/get/new").await.body,
            browser.get("/who").await.body,
        ];
        assert_eq!(read, [a, new, "alice"], "{held} and {meanwhile}");
    }
}

#[tokio::test]
async fn clear_removes_data_and_keeps_session() {
    let (mut world, _) = world();
    let nothing = world.browser.post("/clear").await;
    assert!(nothing.set_cookies().is_empty());
    assert!(world.store.inner.is_empty());
    for login in [false, true] {
        if login {
            world.browser.post("/login/alice").await;
        }
        world.browser.post("/put/a/1").await;
        world.browser.post("/put/b/2").await;
        let before = world.browser.cookie("session");
        assert!(world.browser.post("/clear").await.set_cookies().is_empty());
        assert_eq!(world.browser.get("/get/a").await.body, "");
        assert_eq!(world.browser.get("/get/b").await.body, "");
        assert_eq!(world.browser.cookie("session"), before);
        assert_eq!(world.live_sessions(), 1);
    }
    assert_eq!(world.browser.get("/who").await.body, "alice");
}

#[tokio::test]
async fn hundred_concurrent_writers_lose_no_update() {
    let (mut world, _) = world();
    world.browser.post("/login/alice").await;
    let gates: Vec<_> = (0..100).map(|_| world.store.gate(Load, After)).collect();
    let writers: Vec<_> = (0..100)
        .map(|n| world.browser.start(Method::POST, &format!("/put/k{n}/{n}")))
        .collect();
    for gate in &gates {
        gate.reached().await;
    }
    // By now every one of them holds the same version.
    gates
        .iter()
        .for_each(crate::support::faulty_store::Gate::open);
    for writer in writers {
        assert_eq!(status(&writer.await.unwrap().1), 200);
    }
    assert_eq!(world.store.inner.len(), 1);
    for n in 0..100 {
        let value = world.browser.get(&format!("/get/k{n}")).await.body;
        assert_eq!(value, n.to_string());
    }
}

#[tokio::test]
async fn hundred_writers_revive_no_session_ended_by_logout() {
    let (mut world, _) = world();
    world.browser.post("/login/alice").await;
    let token = world.browser.cookie("session").unwrap();
    let gates: Vec<_> = (0..100).map(|_| world.store.gate(Update, Before)).collect();
    let writers: Vec<_> = (0..100)
        .map(|n| world.browser.start(Method::POST, &format!("/put/k{n}/{n}")))
        .collect();
    for gate in &gates {
        gate.reached().await;
    }
    world.browser.post("/logout").await;
    gates
        .iter()
        .for_each(crate::support::faulty_store::Gate::open);
    for writer in writers {
        assert!(writer.await.unwrap().1.set_cookies().is_empty());
    }
    assert!(world.store.inner.is_empty());
    assert_eq!(bearer(&world.browser, &token).await, "nobody");
}

#[tokio::test]
async fn concurrent_writes_to_different_keys_are_both_kept() {
    let (mut world, _) = world();
    world.browser.post("/put/old/1").await;
    for (held, meanwhile) in [("/put/a/1", "/put/b/2"), ("/put/c/3", "/put/c/3")] {
        let ((_, first), (_, second)) = hold(&world, (held, Update, Before), meanwhile).await;
        assert_eq!((status(&first), status(&second)), (200, 200));
        assert!(first.set_cookies().is_empty() && second.set_cookies().is_empty());
    }
    for (key, value) in [("old", "1"), ("a", "1"), ("b", "2"), ("c", "3")] {
        let read = world.browser.get(&format!("/get/{key}")).await.body;
        assert_eq!(read, value, "{key}");
    }
}

/// Saves, learns nothing of the session's end, and writes again.
async fn saves_twice(session: Session) -> Result<(), Error> {
    session.insert("a", "1").await?;
    session.save().await?;
    session.insert("b", "2").await
}

#[tokio::test]
async fn request_whose_session_ended_starts_no_other() {
    let app = |accounts: &Accounts| -> Router {
        routes(accounts).route("/saves-twice", post(saves_twice))
    };
    for meanwhile in ["/logout", "/login/bob"] {
        let mut world = World::with(app, |manager| {
            manager.with_deadline(Duration::from_secs(3600))
        });
        world.browser.post("/login/alice").await;
        let ((_, late), (mut browser, _)) =
            hold(&world, ("/saves-twice", Update, Before), meanwhile).await;
        assert_eq!(late.set_cookies(), [""; 0], "{meanwhile}");
        browser.receive(&late);
        let expected = if meanwhile == "/logout" {
            (0, "nobody")
        } else {
            (1, "bob")
        };
        assert_eq!(world.live_sessions(), expected.0, "{meanwhile}");
        assert_eq!(browser.get("/who").await.body, expected.1, "{meanwhile}");
    }
}

#[tokio::test]
async fn late_request_keeps_the_cookie_of_a_concurrent_login() {
    for when in [Before, After] {
        for anonymous in [true, false] {
            let (mut world, _) = world();
            let start = if anonymous {
                "/put/cart/apples"
            } else {
                "/login/alice"
            };
            world.browser.post(start).await;
            let gate = world.store.gate(Load, when);
            let late = world.browser.start(Method::GET, "/who");
            gate.reached().await;
            world.browser.post("/login/bob").await;
            gate.open();
            let (_, late) = late.await.unwrap();
            assert_eq!(status(&late), 200);
            assert_eq!(late.set_cookies(), [""; 0], "{when:?} {anonymous}");
            world.browser.receive(&late);
            assert_eq!(world.browser.get("/who").await.body, "bob");
        }
    }
}

#[tokio::test]
async fn late_request_of_an_ended_user_keeps_the_new_cookie() {
    for change in ["stamp", "inactive", "gone"] {
        let (mut world, _) = world();
        world.browser.post("/login/alice").await;
        let gate = world.accounts.gate();
        let late = world.browser.start(Method::GET, "/who");
        gate.reached().await;
        world.browser.post("/login/bob").await;
        match change {
            "stamp" => world.accounts.change(1, |alice| alice.stamp = "new".into()),
            "inactive" => world.accounts.change(1, |alice| alice.active = false),
            _ => world.accounts.remove(1),
        }
        gate.open();
        let (_, late) = late.await.unwrap();
        assert_eq!(late.body, "nobody", "{change}");
        world.browser.receive(&late);
        assert_eq!(world.browser.get("/who").await.body, "bob", "{change}");
    }
}

#[tokio::test]
async fn concurrent_lookups_in_one_request_load_the_user_once() {
    let two_tasks = |auth: Auth<Account>| async move {
        let other = tokio::spawn({
            let auth = auth.clone();
            async move { auth.user().await.unwrap().unwrap().name.clone() }
        });
        let session = tokio::spawn({
            let session = auth.session();
            async move { session.get::<String>("a").await.unwrap() }
        });
        let (mine, also_mine) = tokio::join!(auth.user(), auth.is_fresh());
        assert!(also_mine.unwrap() && session.await.unwrap().is_none());
        format!("{} {}", mine.unwrap().unwrap().name, other.await.unwrap())
    };
    let mut world = World::with(
        |accounts| routes(accounts).route("/two-tasks", post(two_tasks)),
        |manager| manager.with_deadline(Duration::from_secs(3600)),
    );
    world.browser.post("/login/alice").await;
    let (loads, _) = (world.accounts.loads(), world.store.take_calls());
    let gate = world.accounts.gate();
    let request = world.browser.start(Method::POST, "/two-tasks");
    gate.reached().await;
    for _ in 0..32 {
        tokio::task::yield_now().await; // a second load would start now
    }
    gate.open();
    assert_eq!(request.await.unwrap().1.body, "alice alice");
    assert_eq!(world.accounts.loads(), loads + 1);
    assert_eq!(world.store.take_calls(), [Load]);
}
