//! Remember cookies under attack: store faults, races, and cookies of different logins together.

use std::time::Duration;

use axum::{Router, extract::Path, routing::post};
use http::Method;
use login_manager::{Auth, Error, Session, event::EventKind};

use crate::support::{
    faulty_store::{Call, Fault, When},
    settle,
    world::{Account, Accounts, MINUTE, REMEMBER, World, routes},
};

/// The usual routes, and handlers that ask or log out in ways of their own.
fn more_routes(accounts: &Accounts) -> Router {
    async fn name(auth: &Auth<Account>) -> Result<String, Error> {
        let user = auth.user().await?;
        Ok(user.map_or("nobody".into(), |user| user.name.clone()))
    }
    let put_then_ask = |session: Session, auth: Auth<Account>, Path(key): Path<String>| async move {
        session.insert(&key, "value").await?;
        name(&auth).await
    };
    let ask_then_put = |session: Session, auth: Auth<Account>, Path(key): Path<String>| async move {
        let name = name(&auth).await?;
        session.insert(&key, "value").await?;
        Ok::<_, Error>(name)
    };
    let ask_then_get = |session: Session, auth: Auth<Account>, Path(key): Path<String>| async move {
        let name = name(&auth).await?;
        let value: String = session.get(&key).await?.unwrap_or_default();
        Ok::<_, Error>(format!("{name} {value}"))
    };
    let logout_then_ask = |auth: Auth<Account>| async move {
        let logged_out = auth.logout().await.is_ok();
        format!("{logged_out} {:?}", name(&auth).await.ok())
    };
    let logout_twice = |auth: Auth<Account>| async move {
        let first = auth.logout().await.is_ok();
        format!("{first} {}", auth.logout().await.is_ok())
    };
    routes(accounts)
        .route("/put-then-ask/{key}", post(put_then_ask))
        .route("/ask-then-put/{key}", post(ask_then_put))
        .route("/ask-then-get/{key}", post(ask_then_get))
        .route("/logout-then-ask", post(logout_then_ask))
        .route("/logout-twice", post(logout_twice))
}

async fn remembered() -> World {
    let mut world = World::with(more_routes, |manager| manager);
    world.browser.post("/remember/alice").await;
    world.events.take();
    world.store.take_calls();
    world
}

#[tokio::test]
async fn user_inactive_for_a_while_stays_logged_out() {
    let mut world = remembered().await;
    world.accounts.change(1, |alice| alice.active = false);
    assert_eq!(world.browser.get("/who").await.body, "nobody");
    world.accounts.change(1, |alice| alice.active = true);
    assert_eq!(world.browser.get("/who").await.body, "nobody");
    assert!(world.store.inner.is_empty());
    assert!(world.browser.cookie_names().is_empty());
}

#[tokio::test]
async fn remember_cookie_is_invalid_for_a_reused_user_id() {
    let mut world = remembered().await;
    let mut row = world.accounts.get(1).unwrap();
    world.accounts.remove(1);
    assert_eq!(world.browser.get("/who").await.body, "nobody");
    row.name = "another".into();
    world.accounts.put(row);
    assert_eq!(world.browser.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn exchange_of_unknown_outcome_logs_no_user_out() {
    for after in [Duration::ZERO, 2 * MINUTE] {
        let mut world = remembered().await;
        world.browser.restart();
        world.store.fail_once(Call::Update, Fault::DoesAndFails);
        let first = world.browser.get("/who").await;
        assert!(first.status == 503 || first.body == "alice", "{first:?}");
        world.clock.advance(after);
        assert_eq!(world.browser.get("/who").await.body, "alice", "{after:?}");
        assert!(!world.events.take().contains(&EventKind::RememberTheft));
    }
}

#[tokio::test]
async fn rotated_session_secret_still_marks_the_token_as_seen() {
    // Rotated by the request that restored it, or by the next.
    for requests in [
        &["/confirm"][..],
        &["/do/confirm,rotate"],
        &["/put-then-ask/key", "/rotate"],
    ] {
        let mut world = remembered().await;
        world.browser.restart();
        let mut thief = world.browser.clone();
        for request in requests {
            world.browser.post(request).await;
        }
        for _ in 0..3 {
            assert_eq!(world.browser.get("/who").await.body, "alice");
            settle().await;
        }
        world.clock.advance(2 * MINUTE);
        assert_eq!(thief.get("/who").await.body, "nobody", "{requests:?}");
    }
}

#[tokio::test]
async fn failed_logout_is_not_undone_by_a_later_lookup() {
    let mut world = remembered().await;
    world.browser.restart();
    world.store.fail_once(Call::Delete, Fault::Fails);
    let answer = world.browser.post("/logout-then-ask").await;
    assert!(answer.body.starts_with("false"), "{answer:?}");
    assert!(world.browser.cookie_names().is_empty(), "{answer:?}");
}

#[tokio::test]
async fn failed_logout_can_be_retried_in_the_same_request() {
    let mut world = remembered().await;
    world.browser.restart();
    let mut thief = world.browser.clone();
    world.store.fail_once(Call::Delete, Fault::Fails);
    assert_eq!(world.browser.post("/logout-twice").await.body, "false true");
    assert_eq!(thief.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn joined_request_saves_what_it_changed_before_the_join() {
    let mut world = remembered().await;
    world.browser.restart();
    let gate = world.store.gate(Call::Update, When::Before);
    let first = world.browser.start(Method::POST, "/put-then-ask/one");
    gate.reached().await;
    let (winner, answer) = world
        .browser
        .start(Method::POST, "/put-then-ask/two")
        .await
        .unwrap();
    assert_eq!(answer.body, "alice");
    gate.open();
    assert_eq!(first.await.unwrap().1.body, "alice");
    world.browser = winner;
    assert_eq!(world.browser.get("/get/two").await.body, "value");
    assert_eq!(world.browser.get("/get/one").await.body, "value");
}

#[tokio::test]
async fn data_saved_after_a_lost_restore_response_is_kept() {
    let mut world = remembered().await;
    world.browser.restart();
    world.browser.clone().get("/who").await;
    assert_eq!(world.browser.post("/ask-then-put/cart").await.body, "alice");
    assert_eq!(
        world.browser.post("/ask-then-get/cart").await.body,
        "alice value"
    );
    world.clock.advance(2 * MINUTE);
    assert_eq!(
        world.browser.post("/ask-then-get/cart").await.body,
        "alice value"
    );
}

/// A browser whose remember token was exchanged by a thief, who has presented the new one.
async fn stolen() -> World {
    let mut world = remembered().await;
    world.browser.restart();
    let mut thief = world.browser.clone();
    thief.get("/who").await;
    thief.get("/who").await;
    settle().await;
    world.clock.advance(2 * MINUTE);
    world.events.take();
    world
}

#[tokio::test]
async fn late_theft_response_leaves_the_next_login_alone() {
    let mut world = stolen().await;
    let gate = world.store.gate(Call::Load, When::After);
    let slow = world.browser.start(Method::GET, "/who");
    gate.reached().await;
    assert_eq!(world.browser.get("/who").await.body, "nobody");
    assert!(world.browser.cookie_names().is_empty());
    world.browser.post("/remember/alice").await;
    gate.open();
    let (_, late) = slow.await.unwrap();
    world.browser.receive(&late);
    assert_eq!(world.browser.get("/who").await.body, "alice");
}

#[tokio::test]
async fn theft_found_by_two_requests_emits_one_event() {
    let mut world = stolen().await;
    let gate = world.store.gate(Call::Load, When::After);
    let slow = world.browser.start(Method::GET, "/who");
    gate.reached().await;
    world.browser.get("/who").await;
    gate.open();
    slow.await.unwrap();
    let thefts = world.events.take();
    let thefts = thefts
        .iter()
        .filter(|kind| **kind == EventKind::RememberTheft);
    assert_eq!(thefts.count(), 1);
}

#[tokio::test]
async fn failed_login_leaves_the_remember_cookie_valid() {
    for (verb, fault) in [
        ("/login/alice", Fault::Fails),
        ("/login/alice", Fault::DoesAndFails),
        ("/remember/alice", Fault::Fails),
    ] {
        let mut world = remembered().await;
        world.store.fail_once(Call::Update, fault);
        let answer = world.browser.post(verb).await;
        let succeeds = fault == Fault::DoesAndFails;
        assert_eq!(answer.status == 200, succeeds, "{verb} {fault:?}");
        world.browser.restart();
        assert_eq!(world.browser.get("/who").await.body, "alice", "{verb}");
    }
}

#[tokio::test]
async fn logout_ends_the_session_of_another_remember_cookie() {
    let world = remembered().await;
    let mut bob = world.browser.another();
    bob.post("/login/bob").await;
    // Two logins at once, in either order of their answers, leave the session of one and the
    // remember cookie of the other.
    let remember = world.browser.cookie("remember").unwrap();
    bob.plant(REMEMBER, &remember);
    bob.post("/logout").await;
    assert!(bob.cookie_names().is_empty());
    let mut thief = bob.another();
    thief.plant(REMEMBER, &remember);
    assert_eq!(thief.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn late_restore_response_does_not_reopen_an_ended_session() {
    let mut world = remembered().await;
    world.browser.restart();
    world.browser.post("/put/key/value").await;
    let gate = world.store.gate(Call::Update, When::After);
    let slow = world.browser.start(Method::GET, "/who");
    gate.reached().await;
    world.browser.post("/login/bob").await;
    let bob = world.browser.clone();
    gate.open();
    let (_, late) = slow.await.unwrap();
    // Its cookies replace those of the login, and are invalid: the user logs in again.
    world.browser.receive(&late);
    assert_eq!(world.browser.get("/who").await.body, "nobody", "{late:?}");
    assert_eq!(bob.clone().get("/who").await.body, "bob");
    assert_eq!(bob.clone().get("/get/key").await.body, "value");
}

#[tokio::test]
async fn restored_session_expires_and_is_never_fresh() {
    let mut world = remembered().await;
    world.browser.restart();
    assert_eq!(
        world.browser.get("/how").await.body,
        "alice stale remembered"
    );
    let session = world.token();
    world.clock.advance(24 * 60 * MINUTE);
    assert_eq!(world.who_has(&session).await, "nobody");
    assert_eq!(
        world.browser.get("/how").await.body,
        "alice stale remembered"
    );
    let session = world.token();
    for _ in 0..14 * 2 {
        assert_eq!(world.who_has(&session).await, "alice");
        world.clock.advance(12 * 60 * MINUTE);
    }
    assert_eq!(world.who_has(&session).await, "nobody");
}
