//! Getting started: a new axum application with a page that needs a login, in ten minutes.
//!
//! You need Rust 1.88 or later. Steps 1 and 5 are complete programs, and the last one is the whole
//! application. The steps between them show what is added.
//!
//! # 1. A new application
//!
//! ```sh
//! cargo new shop
//! cd shop
//! cargo add axum login-manager tracing-subscriber
//! cargo add serde --features derive
//! cargo add tokio --features macros,net,rt-multi-thread
//! cargo add tower-http --features csrf
//! ```
//!
//! Add these lines to `Cargo.toml`, or each login in a debug build takes more than ten times as
//! long:
//!
//! ```toml
//! [profile.dev.package]
//! argon2.opt-level = 3
//! blake2.opt-level = 3
//! ```
//!
//! Replace the content of `src/main.rs` with a page that everyone may see:
//!
//! ```no_run
//! use std::error::Error;
//!
//! use axum::{Router, routing::get};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn Error>> {
//!     tracing_subscriber::fmt::init(); // prints events and setup errors
//!     let app = Router::new().route("/", get(home));
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     Ok(axum::serve(listener, app).await?)
//! }
//!
//! async fn home() -> &'static str {
//!     "Hello, stranger!"
//! }
//! ```
//!
//! Run it with `cargo run`, and open <http://localhost:3000>.
//!
//! # 2. A user type
//!
//! Any type of yours that has an id can be the user type. Add this one, which also contains the
//! hash of a password:
//!
//! ```
//! use login_manager::AuthUser;
//!
//! #[derive(Clone)]
//! struct Account {
//!     name: String,
//!     password_hash: String,
//! }
//!
//! impl AuthUser for Account {
//!     type Id = String;
//!
//!     fn id(&self) -> String {
//!         self.name.clone()
//!     }
//! }
//! ```
//!
//! An id must never be given to another user, not even after the first one has been deleted. In a
//! database, a number that is never used again is a better id than a name.
//!
//! # 3. A page that needs a login
//!
//! The [`LoginManager`](crate::LoginManager) needs two things: a store for sessions, and a function
//! that loads a user by id. Add it to the router as a layer. A handler that takes [`LoginRequired`]
//! runs only if a user is logged in. This is the whole program so far, with one user in memory. It
//! omits the user type and `home`, which don't change:
//!
//! ```no_run
//! use std::{collections::HashMap, error::Error, future::ready, sync::Arc};
//!
//! use axum::{Router, routing::get};
//! use login_manager::{AuthUser, LoginManager, LoginRequired, MemoryStore, Passwords};
//! # #[derive(Clone)] struct Account { name: String, password_hash: String }
//! # impl AuthUser for Account { type Id = String; fn id(&self) -> String { self.name.clone() } }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn Error>> {
//!     tracing_subscriber::fmt::init();
//!     let passwords = Passwords::new();
//!     let password_hash = passwords.hash("wonderland").await?;
//!     let alice = Account { name: "alice".into(), password_hash };
//!     let accounts = Arc::new(HashMap::from([(alice.id(), alice)])); // your database
//!
//!     let users = accounts.clone();
//!     // Your query: any async function. It may also return a `Result`.
//!     let load_user = move |name: String| ready(users.get(&name).cloned());
//!     let login_manager = LoginManager::new(MemoryStore::new(), load_user)
//!         .with_realm("account"); // names the cookies
//!
//!     let app = Router::new()
//!         .route("/", get(home))
//!         .route("/dashboard", get(dashboard))
//!         .layer(login_manager); // after the routes: a layer only covers what was added before it
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     Ok(axum::serve(listener, app).await?)
//! }
//!
//! async fn dashboard(LoginRequired(user): LoginRequired<Account>) -> String {
//!     format!("Hello, {}!", user.name)
//! }
//! # async fn home() -> &'static str { "Hello, stranger!" }
//! ```
//!
//! Open <http://localhost:3000/dashboard>: the response is `401 Unauthorized`, since no user is
//! logged in and there is no login page yet.
//!
//! # 4. Logging in
//!
//! A login page consists of a form and a handler, which you write. The handler checks the password
//! and calls [`Auth::login`](crate::Auth::login). [`NextPath`](crate::NextPath) is the page that
//! the user wanted to see:
//!
//! ```
//! # use std::{collections::HashMap, sync::Arc};
//! # use login_manager::AuthUser;
//! # #[derive(Clone)] struct Account { name: String, password_hash: String }
//! # impl AuthUser for Account { type Id = String; fn id(&self) -> String { self.name.clone() } }
//! use axum::{Form, extract::State, response::{Html, IntoResponse, Response, Result}};
//! use login_manager::{Auth, NextPath, Passwords};
//!
//! const LOGIN_FORM: &str = "<form method=post><input name=username>
//!     <input name=password type=password><button>Log in</button></form>";
//!
//! #[derive(Clone)]
//! struct App { accounts: Arc<HashMap<String, Account>>, passwords: Passwords }
//!
//! #[derive(serde::Deserialize)]
//! struct Credentials { username: String, password: String }
//!
//! async fn log_in(
//!     State(app): State<App>, auth: Auth<Account>, next: NextPath, Form(form): Form<Credentials>,
//! ) -> Result<Response> {
//!     let account = app.accounts.get(&form.username);
//!     // Also if there is no such account, so that the time does not reveal it.
//!     let verdict = app.passwords.verify(form.password, account.map(|a| &*a.password_hash)).await?;
//!     let Some(account) = account.filter(|_| verdict.is_valid()) else {
//!         return Ok(Html("Wrong username or password").into_response());
//!     };
//!     auth.login(account.clone()).await?;
//!     Ok(next.redirect_or("/dashboard").into_response())
//! }
//! # let _ = log_in;
//! ```
//!
//! # 5. The whole application
//!
//! Tell the manager where the login page is, and add the routes, a logout, and tower-http's
//! `CsrfLayer`, which rejects forms that other sites send:
//!
//! ```no_run
//! use std::{collections::HashMap, error::Error, future::ready, sync::Arc};
//!
//! use axum::response::{Html, IntoResponse, Redirect, Response, Result};
//! use axum::{Form, Router, extract::State, routing::{get, post}};
//! use login_manager::{
//!     Auth, AuthUser, CurrentUser, LoginManager, LoginRequired, MemoryStore, NextPath, Passwords,
//! };
//! use tower_http::csrf::CsrfLayer;
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
//!     tracing_subscriber::fmt::init();
//!     let passwords = Passwords::new();
//!     let password_hash = passwords.hash("wonderland").await?;
//!     let alice = Account { name: "alice".into(), password_hash };
//!     let accounts = Arc::new(HashMap::from([(alice.id(), alice)])); // your database
//!
//!     let users = accounts.clone();
//!     // Your query: any async function. It may also return a `Result`.
//!     let load_user = move |name: String| ready(users.get(&name).cloned());
//!     let login_manager = LoginManager::new(MemoryStore::new(), load_user)
//!         .with_realm("account")
//!         .with_login_page("/login");
//!
//!     let app = Router::new()
//!         .route("/", get(home))
//!         .route("/dashboard", get(dashboard))
//!         .route("/login", get(Html(LOGIN_FORM)).post(log_in))
//!         .route("/logout", post(log_out))
//!         .layer(login_manager)
//!         .layer(CsrfLayer::new())
//!         .with_state(App { accounts, passwords });
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     Ok(axum::serve(listener, app).await?)
//! }
//!
//! async fn home(CurrentUser(user): CurrentUser<Account>) -> Html<&'static str> {
//!     Html(match user {
//!         Some(_) => "<a href=/dashboard>Dashboard</a>
//!             <form method=post action=/logout><button>Log out</button></form>",
//!         None => "<a href=/login>Log in</a>",
//!     })
//! }
//!
//! async fn dashboard(LoginRequired(user): LoginRequired<Account>) -> String {
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
//!     Ok(next.redirect_or("/dashboard").into_response())
//! }
//!
//! async fn log_out(auth: Auth<Account>) -> Result<Redirect> {
//!     auth.logout().await?;
//!     Ok(Redirect::to("/"))
//! }
//! ```
//!
//! Open <http://localhost:3000/dashboard> again. You are redirected to the login page; log in as
//! `alice` with the password `wonderland`, and you are back at the dashboard. If the next page asks
//! you to log in again, see
//! [troubleshooting](super::troubleshooting#logged-in-and-the-next-page-asks-again).
//!
//! # Before you release
//!
//! - Serve the application over https. The session cookie is `Secure`, so browsers keep and send it
//!   only over https; all but Safari make an exception for `http://localhost`.
//! - Keep sessions in a database: replace [`MemoryStore`](crate::MemoryStore) as [Choosing a
//!   store](super::choosing_a_store) shows, and call
//!   [`spawn_cleanup`](crate::LoginManager::spawn_cleanup).
//! - Keep [`with_realm`](crate::LoginManager::with_realm). Without it, moving or renaming the user
//!   type logs all users out.
//! - Give users a [security stamp](crate::AuthUser::security_stamp), so that a change of password
//!   ends their other sessions.
//! - [Throttle](super::passwords#throttling) guesses in the login handler, check [new
//!   passwords](super::passwords#new-passwords) with a policy, and offer a
//!   [reset](super::passwords#reset-a-password).
//!
//! The repository has a larger application to start from, with registration, SQLite and templates:
//! `cargo run -p tutorial`.
//!
//! # Next
//!
//! [How it works](super::how_it_works): what happens to a request. Reference:
//! [`LoginManager`](crate::LoginManager), [`AuthUser`](crate::AuthUser), [`LoginRequired`],
//! [`CurrentUser`], [`Auth`](crate::Auth), [`NextPath`](crate::NextPath), [`Passwords`]. [All
//! pages](super).
//!
#![cfg_attr(feature = "axum", doc = include_str!("links/axum.md"))]
#![cfg_attr(not(feature = "axum"), doc = include_str!("links/axum_online.md"))]
#![cfg_attr(feature = "argon2", doc = include_str!("links/argon2.md"))]
#![cfg_attr(not(feature = "argon2"), doc = include_str!("links/argon2_online.md"))]
