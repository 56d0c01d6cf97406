//! What a copy of a cookie is worth after its owner has locked others out.

use axum::{Router, extract::State, routing::post};
use login_manager::{Auth, Error};

use crate::support::{
    browser::Browser,
    faulty_store::{Call, Fault},
    routes::with_sessions,
    world::{Account, Accounts, REMEMBER, SESSION, World},
};

/// The user changes their password, so the stamp changes, and is logged in again.
async fn change_password(
    State(accounts): State<Accounts>,
    auth: Auth<Account>,
) -> Result<(), Error> {
    accounts.change(1, |account| account.stamp = "new".into());
    auth.login(accounts.by_name("alice").unwrap()).await?;
    Ok(())
}

fn routes(accounts: &Accounts) -> Router {
    with_sessions(accounts).route(
        "/password",
        post(change_password).with_state(accounts.clone()),
    )
}

async fn remembered() -> (World, Browser) {
    let mut world = World::with(routes, |manager| manager);
    world.browser.post("/remember/alice").await;
    let copy = world.browser.clone();
    (world, copy)
}

#[tokio::test]
async fn copied_session_cookie_does_not_join_after_a_stamp_change() {
    let (mut world, mut copy) = remembered().await;
    assert_eq!(world.browser.post("/password").await.status, 200);
    copy.forget(REMEMBER);
    assert_eq!(copy.get("/who").await.body, "nobody");
    assert_eq!(copy.post("/put/key/value").await.set_cookies(), [""; 0]);
    assert_eq!(world.browser.get("/who").await.body, "alice");
}

#[tokio::test]
async fn copied_cookies_are_invalid_after_logout_others() {
    let (mut world, copy) = remembered().await;
    assert_eq!(world.browser.post("/others").await.status, 200);
    assert_eq!(copy.clone().get("/who").await.body, "nobody");
    for forgotten in [SESSION, REMEMBER] {
        let mut copy = copy.clone();
        copy.forget(forgotten);
        assert_eq!(copy.get("/who").await.body, "nobody", "without {forgotten}");
    }
    assert_eq!(world.browser.get("/who").await.body, "alice");
    world.browser.restart();
    assert_eq!(
        world.browser.get("/who").await.body,
        "alice",
        "still remembered"
    );
}

#[tokio::test]
async fn failed_logout_everywhere_can_be_repeated() {
    let (mut world, _) = remembered().await;
    let mut other = world.browser.another();
    other.post("/login/alice").await;
    world.store.fail_once(Call::DeleteAll, Fault::Fails);
    assert_eq!(world.browser.post("/everywhere").await.status, 503);
    assert_eq!(world.browser.get("/who").await.body, "alice");
    assert_eq!(world.browser.post("/everywhere").await.status, 200);
    for browser in [&mut world.browser, &mut other] {
        assert_eq!(browser.get("/who").await.body, "nobody");
    }
}
