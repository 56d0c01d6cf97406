//! User sessions and login for [tower] and [axum]: Flask-Login's model, with safe defaults.
//!
//! You provide a user type and a function that loads a user by id. The crate keeps the session (a
//! random secret in a cookie, one record in your store), remembers users who ask for it across
//! browser restarts, and protects the routes that need a login.
//!
//! ```no_run
//! use std::{collections::HashMap, error::Error, future::ready, sync::Arc};
//!
//! use axum::response::{Html, IntoResponse, Redirect, Response, Result};
//! use axum::{Form, Router, extract::State, routing::{get, post}};
//! use login_manager::{Auth, AuthUser, LoginManager, LoginRequired, MemoryStore, NextPath, Passwords};
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
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn Error>> {
//!     tracing_subscriber::fmt::init(); // prints events and setup errors
//!     let passwords = Passwords::new();
//!     let password_hash = passwords.hash("wonderland").await?;
//!     let alice = Account { name: "alice".into(), password_hash };
//!     let accounts = Arc::new(HashMap::from([(alice.id(), alice)])); // your database
//!
//!     let users = accounts.clone();
//!     // Your query: any async function. It may also return a `Result`.
//!     let load_user = move |name: String| ready(users.get(&name).cloned());
//!     let login_manager = LoginManager::new(MemoryStore::new(), load_user)
//!         .with_realm("account") // names the cookies
//!         .with_login_page("/login");
//!
//!     let app = Router::new()
//!         .route("/", get(home))
//!         .route("/login", get(Html(LOGIN_FORM)).post(log_in))
//!         .route("/logout", post(log_out))
//!         .layer(login_manager) // the manager is the tower layer
//!         .layer(tower_http::csrf::CsrfLayer::new()) // rejects forms sent from other sites
//!         .with_state(App { accounts, passwords });
//!     Ok(axum::serve(tokio::net::TcpListener::bind("127.0.0.1:3000").await?, app).await?)
//! }
//!
//! async fn home(LoginRequired(user): LoginRequired<Account>) -> String {
//!     format!("Hello, {}!", user.name)
//! }
//!
//! const LOGIN_FORM: &str = "<form method=post><input name=username>
//!     <input name=password type=password><button>Log in</button></form>";
//!
//! #[derive(serde::Deserialize)]
//! struct Credentials { username: String, password: String }
//!
//! async fn log_in(
//!     State(app): State<App>, auth: Auth<Account>, next: NextPath, Form(form): Form<Credentials>,
//! ) -> Result<Response> {
//!     let account = app.accounts.get(&form.username);
//!     let verdict = app.passwords.verify(form.password, account.map(|a| &*a.password_hash)).await?;
//!     let Some(account) = account.filter(|_| verdict.is_valid()) else {
//!         return Ok(Html("Wrong username or password").into_response());
//!     };
//!     auth.login(account.clone()).await?;
//!     Ok(next.redirect_or("/").into_response())
//! }
//!
//! async fn log_out(auth: Auth<Account>) -> Result<Redirect> {
//!     auth.logout().await?;
//!     Ok(Redirect::to("/"))
//! }
//! ```
//!
//! The example also needs the crates `serde` (with `derive`), `tokio`, `tower-http` (with `csrf`)
//! and `tracing-subscriber`; without a subscriber, nothing is logged. Add these lines to your
//! `Cargo.toml` to speed up password hashing in debug builds:
//!
//! ```toml
//! [profile.dev.package] # makes logins in debug builds ten times as fast
//! argon2.opt-level = 3
//! blake2.opt-level = 3
//! ```
//!
//! # Manual
//!
//! The [manual] begins with [Getting started](manual::getting_started), which builds such an
//! app in steps, and [How it works](manual::how_it_works). Then, by task:
//!
//! - [Guarding pages](manual::guarding_pages), [Logging in and out](manual::logging_in_and_out),
//!   [Remember-me](manual::remember_me), [Fresh logins and step-up](manual::fresh_logins),
//!   [Sessions of a user](manual::sessions_of_a_user)
//! - [APIs, single-page apps and other origins](manual::apis),
//!   [Passwords, resets and throttling](manual::passwords)
//! - [Choosing a store, several nodes](manual::choosing_a_store),
//!   [Testing your application](manual::testing), [Configuration](manual::configuration),
//!   [Events, logs and metrics](manual::events)
//! - [Security](manual::security), [Troubleshooting](manual::troubleshooting),
//!   [Benchmarks](manual::benchmarks), [Glossary](manual::glossary)
//! - [Moving from Flask](manual::moving_from_flask),
//!   [Coming from axum-login and tower-sessions](manual::coming_from_axum_login),
//!   [What belongs elsewhere](manual::what_belongs_elsewhere)
//!
//! Besides login: [one-time tokens](tokens) for resets, verification and login links, a
//! [throttle](throttle) against guessing, [API keys](api_keys), [flash messages](flash), [known
//! browsers](manager::KnownBrowsers), [impersonation](Auth::impersonate). Each does nothing until
//! it is used.
//!
//! The [examples](manual#examples) in the repository are complete applications.
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `axum` | yes | extractors, and errors as responses |
//! | `argon2` | yes | [`Passwords`], and `PasswordPolicy` for new passwords |
//! | `tracing` | yes | [events](event::Event) and configuration mistakes are logged through `tracing` |
//! | `common-passwords` | no | `PasswordPolicy` rejects the 3000 most common passwords |
//! | `breached-passwords` | no | `BreachedPasswords`: lookups in a file of passwords from data breaches |
//! | `bcrypt`, `pbkdf2`, `scrypt` | no | `Passwords` checks hashes of other systems, and reports that they need a rehash |
//! | `sqlite`, `postgres`, `mysql` | no | `SqliteStore`, `PostgresStore`, `MySqlStore` (also MariaDB), on a pool of sqlx 0.9; needs Rust 1.94 |
//! | `redis` | no | `RedisStore`: Redis, Valkey, or a cluster of them |
//! | `cache` | no | `CachedStore`: fewer reads; in return other nodes notice a logout slightly later |
//! | `testing` | no | `login_for_tests`, a clock that tests move, the contract suite for stores |
//!
//! Without default features, the layer, the guards and [`Auth`] work with any tower service over
//! `http` types. The runtime is tokio.
//!
//! # Not included
//!
//! User tables, registration, admin pages, templates, sending mail, OAuth and passkeys (see the
//! examples `oidc` and `passkeys`): bring your own and call [`Auth::login`]. There are no roles
//! beyond [conditions](guard::LoginRequiredLayer::and) on a guard and
//! [`Authorize`](guard::Authorize), and no CSRF tokens: use the `CsrfLayer` of tower-http, as
//! above. [What belongs elsewhere](manual::what_belongs_elsewhere) explains why, and what to use
//! instead.
//!
//! [axum]: https://docs.rs/axum
//! [tower]: https://docs.rs/tower
//!
#![cfg_attr(feature = "argon2", doc = include_str!("manual/links/argon2.md"))]
#![cfg_attr(not(feature = "argon2"), doc = include_str!("manual/links/argon2_online.md"))]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

// The path of a request, from the layer down to the store. A module uses only modules below it.

pub mod tokens;

pub mod api_keys;

pub mod throttle;

pub mod manager;

#[cfg(feature = "axum")]
mod extract;

pub mod guard;

pub mod flash;

pub mod auth;

mod identity;

mod api_key;

mod denied;

mod remember;

mod session;

mod entry;

mod realm;

pub mod event;

mod api_key_id;

mod cookies;

mod retry;

mod protection;

pub mod store;

// What an application provides, and what everything else uses.

#[cfg(feature = "argon2")]
pub mod password;

pub mod loader;

mod user;

mod remember_me;

mod known_browsers;

mod grace;

mod timeouts;

mod reason;

mod body;

mod error;

mod clock;

mod random;

#[cfg(doc)]
pub mod manual;

#[cfg(feature = "testing")]
pub mod testing;

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;

#[cfg(feature = "axum")]
#[doc(inline)]
pub use crate::extract::{CurrentUser, FreshLoginRequired, LoginRequired};
#[cfg(feature = "argon2")]
#[doc(inline)]
pub use crate::password::Passwords;
#[cfg(feature = "cache")]
#[doc(inline)]
pub use crate::store::CachedStore;
#[cfg(feature = "mysql")]
#[doc(inline)]
pub use crate::store::MySqlStore;
#[cfg(feature = "postgres")]
#[doc(inline)]
pub use crate::store::PostgresStore;
#[cfg(feature = "redis")]
#[doc(inline)]
pub use crate::store::RedisStore;
#[cfg(feature = "sqlite")]
#[doc(inline)]
pub use crate::store::SqliteStore;

#[doc(inline)]
pub use crate::{
    auth::Auth,
    denied::NextPath,
    error::{BoxError, ConfigError, Error, ErrorKind},
    guard::{fresh_login_required, login_required},
    loader::{RequestLoader, UserLoader},
    manager::LoginManager,
    session::Session,
    store::{MemoryStore, SessionStore},
    user::AuthUser,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
