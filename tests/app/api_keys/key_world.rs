//! An application with keys, and programs that use them.

use std::time::Duration;

use axum::{Router, routing::get};
use http::{HeaderValue, header::AUTHORIZATION};
use login_manager::{
    Auth, Error, LoginRequired,
    api_keys::{ApiKeyInfo, ApiKeys},
    fresh_login_required, login_required,
};

use crate::support::{
    browser::{Answer, Browser},
    world::{Account, Accounts, DAY, World, account, routes},
};

pub(super) const MILLISECOND: Duration = Duration::from_millis(1);

/// The challenge to a client whose bearer token is no valid key.
pub(super) const INVALID: &str = r#"Bearer error="invalid_token""#;

/// An application with keys.
pub(super) fn world() -> (World, ApiKeys<Account>) {
    let world = World::with(key_routes, |manager| {
        manager.with_login_page("/login").with_api_keys("shop")
    });
    let keys = world.manager.api_keys();
    (world, keys)
}

/// [`routes`], and one for each kind of guard.
pub(super) fn key_routes(accounts: &Accounts) -> Router {
    let open = |LoginRequired(user): LoginRequired<Account>| async move { user.name.clone() };
    let guarded = |path: &str, guard| Router::new().route(path, get(open).route_layer(guard));
    let guard = login_required::<Account>;
    routes(accounts)
        .route("/key", get(key))
        .merge(guarded("/read", guard().and_scope("read")))
        .merge(guarded(
            "/both",
            guard().and_scope("read").and_scope("write"),
        ))
        .merge(guarded("/keys-only", guard().and_scope("read").keys_only()))
        .merge(guarded(
            "/admin",
            guard().and(|user| user.admin).and_scope("read"),
        ))
        .merge(guarded("/fresh", fresh_login_required()))
}

async fn key(auth: Auth<Account>) -> Result<String, Error> {
    let key = auth.api_key().await?;
    Ok(key.map_or("none".to_owned(), |key| key.name().to_owned()))
}

/// A key of alice's, called CI, with these scopes.
pub(super) async fn key_of_alice(keys: &ApiKeys<Account>, scopes: &[&str]) -> (String, ApiKeyInfo) {
    let new = keys.create(&account(1, "alice")).name("CI").scopes(scopes);
    let (key, info) = new.expires_in(90 * DAY).await.unwrap();
    (key.expose().to_owned(), info)
}

/// A program that sends this token.
pub(super) fn program(browser: &Browser, token: &str) -> Browser {
    let mut program = browser.another();
    program.headers.clear();
    let header = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    program.headers.insert(AUTHORIZATION, header);
    program
}

pub(super) fn challenge(answer: &Answer) -> &str {
    answer.header("www-authenticate").unwrap_or_default()
}
