//! Testing your application: logged-in requests in one line, a clock that the test moves, and
//! events.
//!
//! Enable the feature `testing` for your tests only:
//!
//! ```toml
//! [dev-dependencies]
//! login-manager = { version = "0.1", features = ["testing"] }
//! tower = { version = "0.5", features = ["util"] }
//! ```
//!
//! # A logged-in request
//!
//! [`login_for_tests`] returns the `Cookie` header of a browser in which the user is logged in.
//! Build the router in a function that takes the manager, keep a clone of the manager, and send
//! requests to the router without a network:
//!
//! ```
//! # #[cfg(feature = "testing")]
//! # fn main() {
//! use axum::{Router, body::Body, http::{Request, StatusCode, header::COOKIE}, routing::get};
//! use login_manager::{AuthUser, LoginManager, LoginRequired, MemoryStore};
//! use tower::ServiceExt;
//!
//! #[derive(Clone)]
//! struct Account { id: i64 }
//!
//! impl AuthUser for Account {
//!     type Id = i64;
//!     fn id(&self) -> i64 { self.id }
//! }
//!
//! fn app(login_manager: LoginManager<Account>) -> Router {
//!     Router::new()
//!         .route("/", get(async |user: LoginRequired<Account>| user.id.to_string()))
//!         .layer(login_manager)
//! }
//!
//! # /*
//! #[tokio::test]
//! # */
//! # #[tokio::main(flavor = "current_thread")]
//! async fn dashboard_needs_a_login() {
//!     let login_manager = LoginManager::new(MemoryStore::new(), async |id| Some(Account { id }));
//!     let app = app(login_manager.clone());
//!
//!     let request = Request::get("/").body(Body::empty()).unwrap();
//!     let response = app.clone().oneshot(request).await.unwrap();
//!     assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
//!
//!     let cookie = login_manager.login_for_tests(&Account { id: 7 }).await.unwrap();
//!     let request = Request::get("/").header(COOKIE, cookie).body(Body::empty()).unwrap();
//!     let response = app.oneshot(request).await.unwrap();
//!     assert_eq!(response.status(), StatusCode::OK);
//! }
//! # dashboard_needs_a_login();
//! # }
//! # #[cfg(not(feature = "testing"))]
//! # fn main() {}
//! ```
//!
//! The session is a real one, and the header may be used for any number of requests. It works with
//! every session protection, whatever user agent the test sends.
//! [`fresh(false)`][`TestLogin::fresh`] creates a session that is not fresh, and
//! [`by("totp")`][`TestLogin::by`] one in which the user has entered a second factor. For a test
//! with an API key, create one with [`api_keys`](crate::LoginManager::api_keys).
//!
//! To see what a browser gets, send `Accept: text/html`; without it a denied request gets a 401
//! instead of the redirect.
//!
//! # Move the clock
//!
//! [`TestClock`] only moves when the test moves it. So timeouts, freshness and remember-me can be
//! tested without waiting:
//!
//! ```
//! # #[cfg(feature = "testing")]
//! # fn main() {
//! # use axum::{Router, body::Body, http::{Request, StatusCode, header::COOKIE}, routing::get};
//! # use login_manager::{AuthUser, LoginManager, LoginRequired, MemoryStore};
//! # use tower::ServiceExt;
//! # #[derive(Clone)] struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # fn app(login_manager: LoginManager<Account>) -> Router {
//! #     Router::new().route("/", get(async |_: LoginRequired<Account>| ())).layer(login_manager)
//! # }
//! use std::time::Duration;
//! use login_manager::testing::TestClock;
//!
//! # /*
//! #[tokio::test]
//! # */
//! # #[tokio::main(flavor = "current_thread")]
//! async fn idle_session_expires() {
//!     let clock = TestClock::new();
//!     let login_manager = LoginManager::new(MemoryStore::new(), async |id| Some(Account { id }))
//!         .with_clock(&clock);
//!     let cookie = login_manager.login_for_tests(&Account { id: 7 }).await.unwrap();
//!
//!     clock.advance(Duration::from_secs(25 * 60 * 60)); // the idle timeout is 24 hours
//!     let request = Request::get("/").header(COOKIE, cookie).body(Body::empty()).unwrap();
//!     let response = app(login_manager).oneshot(request).await.unwrap();
//!     assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
//! }
//! # idle_session_expires();
//! # }
//! # #[cfg(not(feature = "testing"))]
//! # fn main() {}
//! ```
//!
//! A request records its use of the session in a separate task. To let this task finish before the
//! clock moves on, call `tokio::task::yield_now().await` after the request.
//!
//! # Test the login itself
//!
//! Send the form as a browser does, and take the cookie from the response's `Set-Cookie` header:
//! its value up to the first `;` is the `Cookie` header of the next request. If the application has
//! tower-http's `CsrfLayer`, the request must not look as if another site had sent it: leave out
//! `Origin` and `Sec-Fetch-Site`, as curl does.
//!
//! Password hashing takes about 15 to 30 ms in release builds, and more than ten times as long in
//! debug builds without the [lines in `Cargo.toml`](super::getting_started#1-a-new-application).
//!
//! # Assert on events
//!
//! With [`with_on_event`](crate::LoginManager::with_on_event) a test sees which events were
//! emitted:
//!
//! ```
//! # use login_manager::{AuthUser, LoginManager, MemoryStore};
//! # struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! use std::sync::{Arc, Mutex};
//!
//! let events = Arc::new(Mutex::new(Vec::new()));
//! let seen = events.clone();
//! let login_manager = LoginManager::new(MemoryStore::new(), async |id| Some(Account { id }))
//!     .with_on_event(move |event| seen.lock().unwrap().push(event.kind()));
//! ```
//!
//! # Test a store of your own
//!
//! [`store_contract`] runs the checks that the stores of this crate pass, races and dropped calls
//! among them, against any [`SessionStore`](crate::SessionStore).
//!
//! # Next
//!
//! [Configuration](super::configuration): every setting, its default and the reason. Reference:
//! [`testing`], [`login_for_tests`], [`TestClock`], [`store_contract`]. [All pages](super).
//!
#![cfg_attr(feature = "testing", doc = include_str!("links/testing.md"))]
#![cfg_attr(not(feature = "testing"), doc = include_str!("links/testing_online.md"))]
