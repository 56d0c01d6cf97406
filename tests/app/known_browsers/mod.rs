//! Browsers in which a user has logged in before: an event for new ones, a count of their own in
//! the throttle, and trust for the second factor.

mod cookie;
mod guesses;
mod new_browser;
mod trust;

use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use login_manager::{Auth, Error, LoginManager, manager::KnownBrowsers};

use crate::support::world::{Account, Accounts, World, routes};

/// The browser cookie's name, as it is by default.
const BROWSER: &str = "__Host-account-browser";

fn world() -> World {
    World::with(more_routes, known)
}

fn known(manager: LoginManager<Account>) -> LoginManager<Account> {
    manager.with_known_browsers(KnownBrowsers::new())
}

/// [`routes`], and routes that ask about the browser.
fn more_routes(accounts: &Accounts) -> Router {
    let users = accounts.clone();
    let knows = async move |auth: Auth<Account>, Path(name): Path<String>| {
        let id = users.by_name(&name).map(|user| user.id);
        let known = auth.known_browser(id.as_ref()).await?;
        Ok::<_, Error>(known.is_some().to_string())
    };
    let users = accounts.clone();
    let trusts = async move |auth: Auth<Account>, Path(name): Path<String>| {
        let user = users.by_name(&name).unwrap();
        let trusted = auth.is_browser_trusted(&user).await?;
        Ok::<_, Error>(trusted.to_string())
    };
    let users = accounts.clone();
    let enter_both = async move |auth: Auth<Account>, Path(name): Path<String>| {
        auth.login(users.by_name(&name).unwrap()).await?;
        Ok::<_, Error>(auth.trust_browser().await?.to_string())
    };
    let users = accounts.clone();
    let stale = async move |auth: Auth<Account>, Path(name): Path<String>| {
        let login = auth.login(users.by_name(&name).unwrap()).fresh(false);
        login.await.map(drop)
    };
    let trust = async |auth: Auth<Account>| Ok::<_, Error>(auth.trust_browser().await?.to_string());
    routes(accounts)
        .route("/knows/{name}", get(knows))
        .route("/trusts/{name}", get(trusts))
        .route("/both/{name}", post(enter_both))
        .route("/stale/{name}", post(stale))
        .route("/trust", post(trust))
}
