//! A login by the same user keeps the browser remembered.

use std::time::Duration;

use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use http::Method;
use login_manager::{Auth, Error};

use crate::support::{
    browser::Answer,
    faulty_store::{
        Call::{Delete, Update},
        Fault::{Fails, Hangs},
        When::Before,
    },
    world::{Account, Accounts, DAY, HOUR, REMEMBER, SESSION, World, routes},
};

/// `/password` changes alice's password and logs her in; `/as-it-was` passes on what
/// `is_remembered` returns, `/box/{ticked}` what a form says.
fn with_passwords(accounts: &Accounts) -> Router {
    let change = |accounts: &Accounts| {
        accounts.change(1, |alice| alice.stamp.push('!'));
        accounts.get(1).unwrap()
    };
    let users = accounts.clone();
    let password = move |auth: Auth<Account>| async move {
        auth.user().await?;
        auth.login(change(&users)).await?;
        Ok::<_, Error>(auth.is_remembered().await?.to_string())
    };
    let users = accounts.clone();
    let as_it_was = move |auth: Auth<Account>| async move {
        let remembered = auth.is_remembered().await?;
        auth.login(change(&users)).remember(remembered).await?;
        Ok::<_, Error>(auth.is_remembered().await?.to_string())
    };
    let users = accounts.clone();
    let ticked = move |auth: Auth<Account>, Path(ticked): Path<bool>| async move {
        auth.login(users.get(1).unwrap())
            .remember(ticked)
            .await
            .map(drop)
    };
    let out_and_in = {
        let users = accounts.clone();
        move |auth: Auth<Account>| async move {
            let _in_trouble = auth.logout().await;
            auth.login(users.get(1).unwrap()).await.map(drop)
        }
    };
    let remembered =
        |auth: Auth<Account>| async move { auth.is_remembered().await.map(|it| it.to_string()) };
    routes(accounts)
        .route("/password", post(password))
        .route("/as-it-was", post(as_it_was))
        .route("/box/{ticked}", post(ticked))
        .route("/out-and-in", post(out_and_in))
        .route("/remembered", get(remembered))
}

async fn world() -> World {
    let mut world = World::with(with_passwords, |manager| manager);
    assert_eq!(world.browser.post("/remember/alice").await.status, 200);
    world
}

fn max_age(answer: &Answer) -> Option<u64> {
    let cookies = answer.set_cookies();
    let cookie = cookies.iter().find(|it| it.starts_with(REMEMBER))?;
    let age = cookie
        .split("; ")
        .find_map(|it| it.strip_prefix("Max-Age="));
    age.unwrap().parse().ok()
}

#[tokio::test]
async fn login_by_the_same_user_keeps_remember_me() {
    for verb in ["/password", "/as-it-was", "/login/alice"] {
        let mut world = world().await;
        let before = world.browser.cookie("remember").unwrap();
        let answer = world.browser.post(verb).await;
        assert_eq!(answer.status, 200, "{verb}");
        let after = world.browser.cookie("remember").unwrap();
        let [old, new] = [&before, &after].map(|it| Base64UrlUnpadded::decode_vec(it).unwrap());
        assert_eq!(old[..16], new[..16], "{verb}: the same session");
        assert_ne!(old[16..48], new[16..48], "{verb}: another series secret");
        assert_ne!(old[48..], new[48..], "{verb}: another token");
        assert_eq!(
            world.browser.get("/how").await.body,
            "alice fresh remembered"
        );
        assert_eq!(world.store.inner.len(), 1, "{verb}");
        world.browser.restart();
        assert_eq!(
            world.browser.get("/how").await.body,
            "alice stale remembered"
        );
        // A copy made before is invalid and raises no alarm.
        world.events.take();
        let mut copy = world.browser.another();
        copy.plant(REMEMBER, &before);
        assert_eq!(copy.get("/who").await.body, "nobody", "{verb}");
        let theft = login_manager::event::EventKind::RememberTheft;
        assert!(!world.events.take().contains(&theft), "{verb}");
        assert_eq!(world.browser.get("/who").await.body, "alice", "{verb}");
    }
}

#[tokio::test]
async fn kept_remember_cookie_keeps_its_expiry() {
    let mut world = world().await;
    for day in 1..=3 {
        world.clock.advance(10 * DAY - HOUR);
        world.browser.restart();
        assert_eq!(world.browser.get("/who").await.body, "alice", "{day}");
        let answer = world.browser.post("/password").await;
        assert_eq!(answer.body, "true");
        let left = 30 * DAY - (10 * DAY - HOUR) * day;
        assert_eq!(max_age(&answer), Some(left.as_secs()), "{day}");
    }
    world.clock.advance(3 * HOUR);
    world.browser.restart();
    assert_eq!(world.browser.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn remember_true_starts_a_new_lifetime() {
    let mut world = world().await;
    world.clock.advance(10 * DAY);
    let answer = world.browser.post("/box/true").await;
    assert_eq!(max_age(&answer), Some(30 * 24 * 60 * 60));
}

#[tokio::test]
async fn remember_false_forgets_the_browser() {
    let mut world = world().await;
    let before = world.browser.cookie("remember").unwrap();
    let answer = world.browser.post("/box/false").await;
    assert_eq!((answer.status.as_u16(), max_age(&answer)), (200, Some(0)));
    assert_eq!(world.browser.cookie("remember"), None);
    assert_eq!(world.browser.get("/how").await.body, "alice fresh");
    assert_eq!(world.store.inner.len(), 1);
    let mut copy = world.browser.another();
    copy.plant(REMEMBER, &before);
    assert_eq!(copy.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn login_by_another_user_forgets_the_browser() {
    let mut world = world().await;
    let mut copy = world.browser.clone();
    world.browser.post("/login/bob").await;
    assert_eq!(world.browser.cookie("remember"), None);
    assert_eq!(world.browser.get("/how").await.body, "bob fresh");
    assert_eq!(world.manager.sessions_of(&1).await.unwrap(), []);
    copy.restart();
    assert_eq!(copy.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn login_without_remember_me_stays_without_it() {
    let mut world = World::with(with_passwords, |manager| manager);
    for verb in ["/login/alice", "/password", "/as-it-was"] {
        assert_eq!(world.browser.post(verb).await.status, 200, "{verb}");
        assert_eq!(world.browser.cookie("remember"), None, "{verb}");
        assert_eq!(
            world.browser.get("/remembered").await.body,
            "false",
            "{verb}"
        );
    }
}

#[tokio::test]
async fn login_after_the_session_ended_stays_remembered() {
    let mut world = world().await;
    world.clock.advance(DAY);
    world.browser.restart();
    assert_eq!(world.browser.post("/login/alice").await.status, 200);
    world.browser.restart();
    assert_eq!(
        world.browser.get("/how").await.body,
        "alice stale remembered"
    );
}

#[tokio::test]
async fn is_remembered_survives_verbs_and_restores() {
    let mut world = world().await;
    for verb in ["/rotate", "/confirm"] {
        world.browser.post(verb).await;
        assert_eq!(
            world.browser.get("/remembered").await.body,
            "true",
            "{verb}"
        );
    }
    world.browser.restart();
    assert_eq!(world.browser.get("/remembered").await.body, "true");
    world.browser.post("/logout").await;
    assert_eq!(world.browser.get("/remembered").await.body, "false");
}

/// A logout that reports an error ends remember-me too, as soon as the store lets it.
#[tokio::test(start_paused = true)]
async fn login_after_a_logout_is_not_remembered() {
    for fails in [false, true] {
        let mut world = world().await;
        if fails {
            world.store.fail_once(Delete, Fails);
        }
        assert_eq!(world.browser.post("/out-and-in").await.status, 200);
        assert_eq!(world.browser.cookie("remember"), None, "{fails}");
        assert_eq!(world.browser.get("/how").await.body, "alice fresh");
        tokio::time::sleep(Duration::from_secs(100)).await;
        assert_eq!(world.browser.get("/how").await.body, "alice fresh");
        assert_eq!(world.store.inner.len(), 1, "{fails}");
    }
}

/// The logout deletes the record before the login updates it.
#[tokio::test]
async fn logout_beside_a_login_ends_remember_me() {
    for verb in ["/login/alice", "/remember/alice"] {
        let world = World::with(with_passwords, |manager| manager.with_deadline(HOUR));
        let mut browser = world.browser.another();
        browser.post("/remember/alice").await;
        browser.post("/put/cart/apples").await;
        let gate = world.store.gate(Update, Before);
        let login = browser.start(Method::POST, verb);
        gate.reached().await;
        assert_eq!(browser.clone().post("/logout").await.status, 200);
        gate.open();
        let (mut browser, answer) = login.await.unwrap();
        assert_eq!(answer.status, 200);
        // As if the logout had come first.
        let is_asked_for = verb == "/remember/alice";
        assert_eq!(browser.cookie("remember").is_some(), is_asked_for);
        assert_eq!(browser.get("/get/cart").await.body, "");
        assert_eq!(browser.get("/who").await.body, "alice");
        browser.forget(SESSION);
        let who = if is_asked_for { "alice" } else { "nobody" };
        assert_eq!(browser.get("/who").await.body, who);
    }
}

#[tokio::test(start_paused = true)]
async fn failed_login_leaves_remember_me_as_it_was() {
    for fault in [Fails, Hangs] {
        let mut world = world().await;
        let before = world.browser.cookie("remember").unwrap();
        world.store.fail_once(Update, fault);
        assert_eq!(world.browser.post("/login/alice").await.status, 503);
        assert_eq!(world.browser.cookie("remember").unwrap(), before);
        tokio::time::sleep(Duration::from_secs(100)).await;
        world.browser.restart();
        assert_eq!(
            world.browser.get("/how").await.body,
            "alice stale remembered"
        );
    }
}
