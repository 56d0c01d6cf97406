//! Guesses from a known browser are counted apart from those of strangers.

use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Response, Result},
    routing::post,
};
use login_manager::{
    Auth,
    event::{EventKind, Lane},
    throttle::{Attempt, Throttle},
};

use super::{known, more_routes};
use crate::support::{
    browser::Browser,
    faulty_store::Call,
    world::{Account, Accounts, World},
};

type App = (Throttle, Accounts);

/// The password is "right".
async fn guess(
    State((throttle, accounts)): State<App>,
    auth: Auth<Account>,
    Path((name, password)): Path<(String, String)>,
) -> Result<Response> {
    let user = accounts.by_name(&name);
    let browser = auth
        .known_browser(user.as_ref().map(|user| &user.id))
        .await?;
    let permit = match throttle.attempt(&name).browser(browser).await? {
        Attempt::Permit(permit) => permit,
        Attempt::Wait(wait) => return Ok(wait.into_response()),
    };
    let Some(user) = user.filter(|_| password == "right") else {
        return Ok("wrong".into_response());
    };
    permit.succeeded().await?;
    auth.login(user).await?;
    Ok("welcome".into_response())
}

fn world() -> World {
    let mut world = World::with(more_routes, known);
    let app = (world.manager.throttle(), world.accounts.clone());
    let routes = Router::new()
        .route("/guess/{name}/{password}", post(guess))
        .with_state(app)
        .merge(more_routes(&world.accounts))
        .layer(world.manager.clone());
    world.browser = Browser::new(routes);
    world
}

async fn statuses(browser: &mut Browser, path: &str, times: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..times {
        statuses.push(browser.post(path).await.status.as_u16());
    }
    statuses
}

#[tokio::test]
async fn strangers_do_not_make_the_owner_wait() {
    let mut world = world();
    world.browser.post("/guess/alice/right").await;
    world.browser.post("/logout").await;
    let mut stranger = world.browser.another();
    assert_eq!(
        statuses(&mut stranger, "/guess/alice/wrong", 6).await,
        [200, 200, 200, 200, 200, 429]
    );
    let owner = world.browser.post("/guess/alice/right").await;
    assert_eq!(owner.body, "welcome");
    let stranger = stranger.post("/guess/alice/right").await;
    assert_eq!(stranger.status, 429, "the success cleared its lane only");
}

#[tokio::test]
async fn known_browser_waits_after_its_own_failures() {
    let mut world = world();
    world.browser.post("/guess/alice/right").await;
    world.browser.post("/logout").await;
    let mut second = world.browser.another();
    second.post("/guess/alice/right").await;
    world.events.take();
    let answers = statuses(&mut world.browser, "/guess/alice/wrong", 6).await;
    assert_eq!(answers, [200, 200, 200, 200, 200, 429]);
    let waits = EventKind::Throttled(Lane::KnownBrowser);
    assert_eq!(world.events.take().last(), Some(&waits));
    assert_eq!(second.post("/guess/alice/right").await.body, "welcome");
    let stranger = world.browser.another().post("/guess/alice/wrong").await;
    assert_eq!(stranger.status, 200);
    world.manager.throttle().clear("alice").await.unwrap();
    assert_eq!(
        world.browser.post("/guess/alice/right").await.body,
        "welcome"
    );
}

#[tokio::test]
async fn browser_of_one_user_is_a_stranger_to_another() {
    let mut world = world();
    let mut mallory = world.browser.another();
    mallory.post("/guess/bob/right").await;
    statuses(&mut mallory, "/guess/alice/wrong", 5).await;
    let stranger = world.browser.post("/guess/alice/right").await;
    assert_eq!(stranger.status, 429, "they share the count of strangers");
}

/// A browser that some user has used must not learn which names exist.
#[tokio::test]
async fn unknown_user_costs_the_same_store_calls() {
    use Call::{Create, LoadFresh};
    let mut world = world();
    let mut calls = Vec::new();
    for browser in [world.browser.another(), {
        world.browser.post("/guess/bob/right").await;
        world.browser.post("/logout").await;
        world.browser.clone()
    }] {
        for name in ["alice", "no-such-user"] {
            world.manager.throttle().clear(name).await.unwrap();
            world.store.take_calls();
            browser.clone().post(&format!("/guess/{name}/wrong")).await;
            calls.push(world.store.take_calls());
        }
    }
    assert_eq!(calls[0], [LoadFresh, Create]);
    assert_eq!(calls[1], calls[0]);
    assert_eq!(calls[2], [LoadFresh, LoadFresh, Create]);
    assert_eq!(calls[3], calls[2]);
}
