//! The routes, and the layers around them.

use std::time::Duration;

use axum::{
    Router,
    http::header::{CONTENT_SECURITY_POLICY, HeaderValue, X_CONTENT_TYPE_OPTIONS},
    middleware,
    response::Response,
    routing::{get, post},
};
use login_manager::{BoxError, LoginManager, Passwords, SqliteStore, manager::LoginPage};
use sqlx::SqlitePool;
use tower_http::csrf::CsrfLayer;

use super::{
    accounts::Accounts,
    error, handlers,
    page::{self, Templates},
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

#[derive(Clone)]
pub(crate) struct App {
    pub(crate) accounts: Accounts,
    pub(crate) passwords: Passwords,
    pub(crate) templates: Templates,
}

/// The whole app. Tests call it too.
pub(crate) async fn app(database: SqlitePool) -> Result<Router, BoxError> {
    let templates = Templates::new()?;
    let accounts = Accounts::new(database.clone()).await?;
    let sessions = SqliteStore::new(database);
    sessions.migrate().await?;
    let login_manager = LoginManager::new(sessions, accounts.clone())
        .with_realm("account")
        .with_login_page(LoginPage::new("/login").refresh("/confirm"))
        // After this time, the account page requires the password again.
        .with_fresh_for(10 * MINUTE);
    login_manager.spawn_cleanup(HOUR);

    // A request passes the layers from the last to the first.
    Ok(Router::new()
        .route("/", get(handlers::home))
        .route(
            "/register",
            get(handlers::registration_form).post(handlers::register),
        )
        .route("/login", get(handlers::login_form).post(handlers::log_in))
        .route(
            "/confirm",
            get(handlers::confirmation_form).post(handlers::confirm),
        )
        .route("/protected", get(handlers::protected))
        .route("/account", get(handlers::account))
        .route(
            "/account/password",
            get(handlers::password_form).post(handlers::change_password),
        )
        .route("/account/log-out", post(handlers::log_out_session))
        .route("/account/log-out-others", post(handlers::log_out_others))
        .route("/logout", post(handlers::log_out))
        .route("/style.css", get(page::style))
        .route("/script.js", get(page::script))
        .route("/icon.svg", get(page::icon))
        .layer(login_manager)
        .layer(CsrfLayer::new()) // rejects forms sent from other sites
        .layer(middleware::map_response_with_state(
            templates.clone(),
            error::page,
        ))
        .layer(middleware::map_response(secure))
        .with_state(App {
            accounts,
            passwords: Passwords::new(),
            templates,
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
