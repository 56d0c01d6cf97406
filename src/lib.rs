//! Who is logged in: Flask-Login's model for tower and axum, safe by default.
//!
//! You bring a user type and a way to load it. The crate remembers who is logged in, by a random token in the browser
//! and a record on the server, and lets you say which pages need a login.
//!
//! ```
//! use std::{collections::HashMap, sync::Arc};
//!
//! use axum::{
//!     Form, Router,
//!     extract::State,
//!     response::{Html, IntoResponse, Redirect, Response, Result},
//!     routing::{get, post},
//! };
//! use login_manager::{
//!     Auth, AuthUser, ConfigError, CurrentUser, LoginManager, LoginRequired, MemoryStore, NextPath, Passwords,
//! };
//!
//! #[derive(Clone)]
//! struct Account { name: String, password_hash: String }
//!
//! impl AuthUser for Account {
//!     type Id = String;
//!     fn id(&self) -> String { self.name.clone() }
//! }
//!
//! #[derive(Clone)]
//! struct App { accounts: Arc<HashMap<String, Account>>, passwords: Passwords }
//!
//! fn app(app: App) -> Result<Router, ConfigError> {
//!     let accounts = Arc::clone(&app.accounts); // your database
//!     let login_manager = LoginManager::new(MemoryStore::new(), move |name: String| {
//!         let account = accounts.get(&name).cloned();
//!         async move { account } // an Option<Account>, or a Result of one
//!     })
//!     .with_realm("account")? // names the cookies; without it a type that moves logs everybody out
//!     .with_login_view("/login")?;
//!
//!     Ok(Router::new()
//!         .route("/", get(home))
//!         .route("/dashboard", get(dashboard))
//!         .route("/login", get(login_form).post(login_submit))
//!         .route("/logout", post(logout))
//!         .layer(login_manager)                       // the manager is the layer
//!         .layer(tower_http::csrf::CsrfLayer::new())  // refuses other sites' forms
//!         .with_state(app))
//! }
//!
//! async fn home(CurrentUser(user): CurrentUser<Account>) -> String {
//!     format!("Hello, {}", user.map_or("stranger".into(), |user| user.name.clone()))
//! }
//!
//! async fn dashboard(LoginRequired(user): LoginRequired<Account>) -> String {
//!     format!("Only for you, {}", user.name)
//! }
//!
//! async fn login_form() -> Html<&'static str> {
//!     Html("<form method=post><input name=username><input name=password type=password><button>Log in</button></form>")
//! }
//!
//! #[derive(serde::Deserialize)]
//! struct LoginForm { username: String, password: String }
//!
//! async fn login_submit(
//!     State(app): State<App>,
//!     auth: Auth<Account>,
//!     next: NextPath,
//!     Form(form): Form<LoginForm>,
//! ) -> Result<Response> {
//!     let account = app.accounts.get(&form.username);
//!     let verdict = app.passwords.verify(form.password, account.map(|a| &*a.password_hash)).await?;
//!     let Some(account) = account.filter(|_| verdict.is_valid()) else {
//!         return Ok(Html("Wrong username or password").into_response());
//!     };
//!     auth.login(account.clone()).await?;
//!     Ok(next.redirect_or("/dashboard").into_response())
//! }
//!
//! async fn logout(auth: Auth<Account>) -> Result<Redirect> {
//!     auth.logout().await?;
//!     Ok(Redirect::to("/"))
//! }
//! ```
//!
//! # The words
//!
//! | | |
//! |---|---|
//! | [`LoginManager`] | the configuration; it is the tower layer |
//! | [`AuthUser`] | what is asked of your user type: an id, and if you like whether it is active and a security stamp |
//! | [`UserLoader`] | id → user, from your database; a closure will do |
//! | [`RequestLoader`] | request head → user, for API keys and bearer tokens; a closure will do |
//! | [`Auth`] | who this request is, and the verbs: `login`, `logout`, `confirm`, `renew` |
//! | [`LoginRequired`], [`CurrentUser`] | extractors: the user, or a refusal; the user, or nobody |
//! | [`FreshLoginRequired`], [`fresh_login_required`] | only for who proved who they are in this session |
//! | [`login_required`] | the same guard as a tower layer, for a whole router, with conditions |
//! | [`login_view`] | a login page of its own for a part of the application |
//! | [`Session`] | a visitor's data, anonymous or logged in |
//! | [`NextPath`], [`Notice`] | where to go after login, as a path that can't lead elsewhere; why the visitor was sent there |
//! | [`Passwords`] | argon2id hashes, made and checked off the async threads |
//! | [`SessionStore`] | where sessions live: [`MemoryStore`], `SqliteStore`, `PostgresStore`, `MySqlStore`, `RedisStore`, or yours |
//!
//! # Where to read on
//!
//! - [`manager`]: what the layer does to a request, and why the defaults are what they are
//! - [`guard`]: who is let in, and what the others get
//! - [`choosing_a_store`]: memory, SQLite, PostgreSQL, MySQL or Redis, and what happens when it is down
//! - [`store`]: the contract of a store, for who writes one
//! - [`password`]: where the numbers come from
//! - [`security`]: attack by attack, what stands against it, and what is left to you
//! - [`coming_from_flask_login`], [`coming_from_axum_login`]: each of their names beside ours
//! - the `tutorial` example: registration, login, protected pages and logout, with SQLite and templates
//! - the `stores` example: one app on any store
//!
//! # What it doesn't do
//!
//! No registration, password reset or e-mail; no OAuth or passkeys (log in with `auth.login(user)` when yours is done); no
//! roles beyond [`and`](guard::LoginRequiredLayer::and) and [`Authorize`]; no CSRF tokens (use tower-http's `CsrfLayer`, as
//! every example does); no throttling of password guesses.
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `axum` | yes | extractors, and errors as responses |
//! | `argon2` | yes | [`Passwords`] |
//! | `tracing` | yes | events and misuse are also reported through `tracing` |
//! | `sqlite`, `postgres`, `mysql` | no | `SqliteStore`, `PostgresStore`, `MySqlStore` (MariaDB too), on a pool of sqlx |
//! | `redis` | no | `RedisStore`: sessions on Redis, Valkey or a cluster |
//! | `cache` | no | `CachedStore`: fewer reads from any store, for changes on other nodes that are seen late |
//! | `testing` | no | a clock that tests move by hand, a login in one line, the contract suite for stores |
//!
//! Without default features the layer, the guard and the verbs work with any tower service over `http` types.
//! The runtime is tokio.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

// The way of a request, from the layer down to the store.

pub mod manager;

#[cfg(feature = "axum")]
mod extract;

pub mod guard;

mod refusal;

mod auth;

mod identity;

mod protection;

mod remember;

mod session;

mod realm;

mod cookies;

pub mod store;

#[cfg(doc)]
pub mod choosing_a_store;

#[cfg(doc)]
pub mod security;

#[cfg(doc)]
pub mod coming_from_flask_login;

#[cfg(doc)]
pub mod coming_from_axum_login;

// What an application brings, and what it is told.

mod user;

pub mod loader;

#[cfg(feature = "argon2")]
pub mod password;

mod timeouts;

mod grace;

mod cause;
mod event;

mod why;

mod error;

mod clock;

#[cfg(feature = "testing")]
pub mod testing;

#[cfg(feature = "axum")]
pub use crate::extract::{CurrentUser, FreshLoginRequired, LoginRequired};
#[cfg(feature = "argon2")]
pub use crate::password::{Argon2Cost, PasswordError, Passwords, Verdict};
#[cfg(feature = "cache")]
pub use crate::store::CachedStore;
#[cfg(feature = "mysql")]
pub use crate::store::MySqlStore;
#[cfg(feature = "postgres")]
pub use crate::store::PostgresStore;
#[cfg(feature = "redis")]
pub use crate::store::RedisStore;
#[cfg(feature = "sqlite")]
pub use crate::store::SqliteStore;
/// For implementing [`UserLoader`], [`SessionStore`] and [`Authorize`], whose methods are `async` and dyn-compatible.
pub use async_trait::async_trait;

pub use crate::{
    auth::{Auth, Device, DeviceId, Login, LoginHandle},
    cookies::SameSite,
    error::{BoxError, ConfigError, Error, ErrorKind, StoreError},
    event::{Event, EventKind},
    grace::RememberGrace,
    guard::{Authorize, fresh_login_required, login_required, login_view},
    loader::{RequestLoader, UserLoader},
    manager::{Cleanup, LoginManager},
    protection::SessionProtection,
    refusal::{Denied, InvalidNext, NextIn, NextPath, Notice, Reason},
    session::Session,
    store::{Family, MemoryStore, SessionStore},
    timeouts::Timeouts,
    user::AuthUser,
    why::Why,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
