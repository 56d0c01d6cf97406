//! The routes, and the layers around them.

use std::time::Duration;

use axum::{
    Router,
    http::header::{CONTENT_SECURITY_POLICY, HeaderValue, X_CONTENT_TYPE_OPTIONS},
    middleware,
    response::Response,
    routing::{get, post},
};
use login_manager::{
    BoxError, LoginManager, Passwords, SqliteStore,
    manager::{KnownBrowsers, LoginPage},
    password::PasswordPolicy,
    throttle::Throttle,
    tokens::Tokens,
};
use sqlx::SqlitePool;
use tower_http::csrf::CsrfLayer;

use super::{
    account,
    accounts::{Account, Accounts},
    error, home, login,
    mail::Mailer,
    page::{self, Templates},
    registration, reset,
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

#[derive(Clone)]
pub(crate) struct App {
    pub(crate) accounts: Accounts,
    pub(crate) login_manager: LoginManager<Account>,
    pub(crate) mailer: Mailer,
    pub(crate) passwords: Passwords,
    pub(crate) policy: PasswordPolicy,
    pub(crate) templates: Templates,
    pub(crate) throttle: Throttle,
    pub(crate) tokens: Tokens<Account>,
}

/// The whole app. Its server must provide the address of each client, as `main` does. Tests call it
/// too.
pub(crate) async fn app(database: SqlitePool, mailer: Mailer) -> Result<Router, BoxError> {
    let templates = Templates::new()?;
    let accounts = Accounts::new(database.clone()).await?;
    let sessions = SqliteStore::new(database);
    sessions.migrate().await?;
    let login_manager = LoginManager::new(sessions, accounts.clone())
        .with_realm("account")
        .with_login_page(LoginPage::new("/login").refresh("/confirm"))
        // After this time, the account page requires the password again.
        .with_fresh_for(10 * MINUTE)
        // Strangers who guess a password can't make its owner wait in a browser used before.
        .with_known_browsers(KnownBrowsers::new());
    login_manager.spawn_cleanup(HOUR);

    // A request passes the layers from the last to the first.
    Ok(Router::new()
        .route("/", get(home::home))
        .route("/protected", get(home::protected))
        .route(
            "/register",
            get(registration::form).post(registration::register),
        )
        .route("/login", get(login::form).post(login::log_in))
        .route("/confirm", get(login::confirmation).post(login::confirm))
        .route("/logout", post(login::log_out))
        .route("/logged-out", get(login::logged_out))
        .route("/forgot", get(reset::request_form).post(reset::request))
        .route("/reset", get(reset::form).post(reset::reset))
        .route("/account", get(account::account))
        .route(
            "/account/password",
            get(account::password_form).post(account::change_password),
        )
        .route("/account/log-out", post(account::log_out_session))
        .route("/account/log-out-others", post(account::log_out_others))
        .route("/style.css", get(page::style))
        .route("/script.js", get(page::script))
        .route("/icon.svg", get(page::icon))
        .layer(login_manager.clone())
        .layer(CsrfLayer::new()) // rejects forms sent from other sites
        .layer(middleware::map_response_with_state(
            templates.clone(),
            error::page,
        ))
        .layer(middleware::map_response(secure))
        .with_state(App {
            accounts,
            mailer,
            passwords: Passwords::new(),
            policy: PasswordPolicy::default(),
            templates,
            throttle: login_manager.throttle(),
            tokens: login_manager.tokens(),
            login_manager,
        }))
}

/// Defense in depth: no other site can frame the pages, and no injected script runs, even if a
/// template failed to escape a value.
async fn secure(mut response: Response) -> Response {
    const POLICY: &str =
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
