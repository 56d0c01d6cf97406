//! Guarding pages: who is let through, what the others get, and what a page load is.
//!
//! # One handler
//!
//! A handler that takes [`LoginRequired`] runs only if a user is logged in, and gets the user:
//!
//! ```
//! # use login_manager::AuthUser;
//! # struct Account { name: String }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
//! use login_manager::{CurrentUser, LoginRequired};
//!
//! async fn dashboard(LoginRequired(user): LoginRequired<Account>) -> String {
//!     format!("Hello, {}", user.name)
//! }
//!
//! /// A public page: anonymous visitors see it, too.
//! async fn home(CurrentUser(user): CurrentUser<Account>) -> String {
//!     match user {
//!         Some(user) => format!("Hello, {}", user.name),
//!         None => "Hello, stranger".to_owned(),
//!     }
//! }
//! ```
//!
//! [`FreshLoginRequired`] also requires that the user has entered the password
//! [recently](super::fresh_logins).
//!
//! # A whole router
//!
//! The layer [`login_required`](crate::login_required) guards every route that was added before it.
//! With [`and`](crate::guard::LoginRequiredLayer::and) it also checks the user; a user who is not
//! allowed gets a 403:
//!
//! ```
//! # use axum::{Router, routing::get};
//! # use login_manager::{AuthUser, LoginManager, login_required};
//! # struct Account { is_admin: bool }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
//! # async fn home() {}
//! # async fn users() {}
//! # fn app(login_manager: LoginManager<Account>) -> Router {
//! let admin = Router::new()
//!     .route("/admin/users", get(users))
//!     .route_layer(login_required::<Account>().and(|account| account.is_admin));
//!
//! Router::new().route("/", get(home)).merge(admin).layer(login_manager)
//! # }
//! ```
//!
//! If the decision depends on the request or on a database, use
//! [`and_authorize`](crate::guard::LoginRequiredLayer::and_authorize):
//!
//! ```
//! # use std::{sync::Arc, convert::Infallible};
//! # use login_manager::{AuthUser, login_required};
//! # struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # async fn is_member(id: i64, path: &str) -> Result<bool, Infallible> { Ok(true) }
//! use http::request::Parts;
//!
//! let members = login_required::<Account>().and_authorize(|account: Arc<Account>, head: &Parts| {
//!     let path = head.uri.path().to_owned();
//!     async move { is_member(account.id, &path).await }
//! });
//! ```
//!
//! A guard applies to every method, `OPTIONS` and `HEAD` included. Put the layer that answers CORS
//! preflights outside the guard.
//!
//! # Everything except what you list
//!
//! A route that you forget to guard is open. To close such routes by default, put one guard around
//! the whole router and list the paths that are open:
//!
//! ```
//! # use axum::{Router, routing::get};
//! # use login_manager::{AuthUser, LoginManager, MemoryStore, login_required};
//! # struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # let load = |id| async move { Some(Account { id }) };
//! # let login_manager = LoginManager::new(MemoryStore::new(), load);
//! # let routes = Router::<()>::new().route("/", get(|| async {}));
//! let app = routes
//!     .layer(login_required::<Account>().except(["/login", "/static/*"]))
//!     .layer(login_manager);
//! # let _: Router = app;
//! ```
//!
//! [`except`](crate::guard::LoginRequiredLayer::except) compares the path exactly as the client
//! sends it. Another spelling of an open path is guarded.
//!
//! # What a denied request gets
//!
//! | request | response |
//! |---|---|
//! | anonymous | 303 to the login page for a page load, else 401 |
//! | the user is not allowed | 403 |
//! | the login is [not fresh](super::fresh_logins), or did not use the required method | 303 to the refresh page for a page load, else 401 |
//! | by an [API key](super::apis#api-keys) without the scope | 403 |
//! | the store, a loader or a check failed | 503 with `Retry-After` |
//! | there is no manager around the guard | 500, and a log line that says what to add |
//!
//! The extractor and the layer give the same response. Without a login page, each 303 is a 401.
//!
//! # What is a page load
//!
//! A redirect helps only a client that shows the login page. The request's headers show which kind
//! of client has sent it:
//!
//! | client | recognized by | response |
//! |---|---|---|
//! | browser: link, form, address bar, iframe, object; Android web view | `Sec-Fetch-Mode: navigate`, whatever `X-Requested-With` says | 303 |
//! | browser that prefetches or prerenders a page | `Sec-Purpose` | 401: the browser drops it, and requests the page again when the user goes there |
//! | browser before 2023, or over plain http | no `Sec-Fetch-Mode`, `Accept` names `text/html` | 303 |
//! | Turbo Drive, Turbo Frames, any `fetch` for a page | `Sec-Fetch-Mode: cors` or `same-origin`, `Accept` names `text/html` | 303 |
//! | Unpoly, Inertia | `X-Up-Version`, `X-Inertia` | 303 |
//! | htmx restoring a page from its history | `HX-History-Restore-Request` | 303 |
//! | htmx, boosted links included | `HX-Request` | 401 with `HX-Redirect` |
//! | jQuery and others | `X-Requested-With: XMLHttpRequest` | 401 |
//! | `fetch`, `EventSource`, axios, curl | `Accept` doesn't name `text/html` (`*/*`, `application/json`) | 401 |
//! | image, script, `<link rel=prefetch>`, WebSocket | `Sec-Fetch-Mode: no-cors`, `websocket` | 401 |
//! | navigation that names JSON and not HTML | `Accept: application/json` | 401 |
//!
//! A frame or an object is a page of its own: it shows the login page, and the login returns to the
//! framed page. An `Accept` with `text/html;q=0` does not count as naming `text/html`. To see with
//! curl what a browser gets, send `-H 'Accept: text/html'`.
//!
//! # Login pages
//!
//! [`with_login_page`](crate::LoginManager::with_login_page) takes a path, or a
//! [`LoginPage`](crate::manager::LoginPage) with more settings. The redirect adds the path to
//! return to (`next`) and a [`Notice`](crate::guard::Notice) that the page can show:
//!
//! ```
//! use login_manager::guard::Notice;
//!
//! async fn login_form(notice: Option<Notice>) -> String {
//!     let why = notice.map(|notice| notice.to_string()).unwrap_or_default();
//!     format!("{why} User name: … Password: …")
//! }
//! ```
//!
//! Parts of an application can have [their own login page](crate::guard::login_page), and a
//! function can [choose it for each request](crate::manager::LoginPage::chosen_by), by language or
//! tenant.
//!
//! The login page itself must not be guarded. If it is, its response is a 401 instead of a redirect
//! to itself, and the log says so.
//!
//! # Your own responses
//!
//! [`with_unauthorized`](crate::LoginManager::with_unauthorized) replaces any of these responses,
//! for example with a page of your own or with JSON:
//!
//! ```
//! # use login_manager::{AuthUser, LoginManager, MemoryStore};
//! # struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # let load = |id| async move { Some(Account { id }) };
//! # let login_manager = LoginManager::new(MemoryStore::new(), load);
//! use axum::response::{Html, IntoResponse};
//! use http::StatusCode;
//!
//! let login_manager = login_manager.with_unauthorized(async |denied| {
//!     let response = denied.default_response();
//!     match response.status() {
//!         StatusCode::FORBIDDEN => (StatusCode::FORBIDDEN, Html("Not for you")).into_response(),
//!         _ => response.into_response(),
//!     }
//! });
//! ```
//!
//! # Next
//!
//! [Logging in and out](super::logging_in_and_out): logins and logouts, and how users return to the
//! page they wanted. Reference: [`guard`](crate::guard), [`login_required`](crate::login_required),
//! [`LoginRequired`], [`CurrentUser`], [`LoginPage`](crate::manager::LoginPage),
//! [`Denied`](crate::guard::Denied). [All pages](super).
//!
#![cfg_attr(feature = "axum", doc = include_str!("links/axum.md"))]
#![cfg_attr(not(feature = "axum"), doc = include_str!("links/axum_online.md"))]
