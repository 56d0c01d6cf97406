//! No secret is logged or printed by `Debug`.

use axum::{Router, routing::get};
use login_manager::{Auth, Session};

use crate::support::{
    browser::Browser,
    log::Log,
    world::{Account, World, account},
};

#[tokio::test]
async fn secrets_and_stamps_are_not_logged() {
    let log = Log::listen();
    let mut world = World::new();
    let mut secrets: Vec<String> = Vec::new();
    for path in [
        "/put/cart/canary-in-the-data",
        "/login/alice",
        "/confirm",
        "/rotate",
        "/login/bob",
    ] {
        world.browser.post(path).await;
        secrets.push(world.token());
    }
    world.browser.get("/me").await;
    world.accounts.fail(true);
    world.browser.get("/me").await;
    world.accounts.fail(false);
    world.accounts.change(2, |bob| bob.stamp = "another".into());
    world.browser.get("/who").await;
    for secret in secrets.clone() {
        world.who_has(&secret).await;
    }
    world.browser.post("/logout").await;

    secrets.push("canary".into());
    secrets.push("stamp-of".into());
    secrets.push("__Host".into());
    let lines = log.lines();
    assert!(lines.len() > 5, "{lines:?}");
    for line in lines {
        for secret in &secrets {
            assert!(!line.contains(&**secret), "{line}");
        }
    }
}

#[tokio::test]
async fn debug_output_contains_no_secret() {
    let world = World::new();
    let app: Router = Router::new().route(
        "/",
        get(|auth: Auth<Account>, session: Session| async move {
            session.insert("cart", "canary").await.unwrap();
            let login = auth.login(account(1, "canary"));
            let before = format!("{login:?}");
            login.await.unwrap();
            format!("{before} {auth:?} {session:?}")
        }),
    );
    let mut browser = Browser::new(app.layer(world.manager.clone()));
    let printed = browser.get("/").await.body;
    assert!(!printed.is_empty());
    assert!(!printed.contains("canary"), "{printed}");
    assert!(!printed.contains(&browser.cookie("session").unwrap()));
}
