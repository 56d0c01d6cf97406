//! APIs, single-page apps and other origins: API keys, JSON responses, CORS, CSRF and `SameSite`.
//!
//! # API keys
//!
//! A user creates a key on a page of your application and gives it to a program, which sends it as
//! `Authorization: Bearer shop_…`. [`with_api_keys`](crate::LoginManager::with_api_keys) turns keys
//! on, and [`api_keys`](crate::LoginManager::api_keys) returns the handle that creates, lists and
//! revokes them:
//!
//! ```
//! # use axum::{Form, Router, extract::State, response::Result, routing::{get, post}};
//! # use login_manager::{AuthUser, FreshLoginRequired, LoginManager};
//! # #[derive(serde::Deserialize)] struct NewKey { name: String }
//! # #[derive(serde::Deserialize)] struct OldKey { id: ApiKeyId }
//! # struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # async fn orders() {}
//! # async fn refund() {}
//! use std::time::Duration;
//! use login_manager::{api_keys::{ApiKeyId, ApiKeys}, login_required};
//!
//! const DAY: Duration = Duration::from_secs(24 * 60 * 60);
//!
//! fn app(login_manager: LoginManager<Account>) -> Router {
//!     let login_manager = login_manager.with_api_keys("shop"); // the name of your application
//!     let keys = login_manager.api_keys();
//!     let refunds = login_required::<Account>().and_scope("refunds");
//!     Router::new()
//!         .route("/api/orders", get(orders))
//!         .route("/api/refunds", post(refund).route_layer(refunds))
//!         .route_layer(login_required::<Account>())
//!         .route("/keys", get(list).post(create))
//!         .route("/keys/revoke", post(revoke))
//!         .layer(login_manager)
//!         .with_state(keys)
//! }
//!
//! /// Only after the password: a key outlives the session in which it was created.
//! async fn create(
//!     FreshLoginRequired(user): FreshLoginRequired<Account>,
//!     State(keys): State<ApiKeys<Account>>, Form(new): Form<NewKey>,
//! ) -> Result<String> {
//!     let new = keys.create(&user).name(new.name).scopes(["refunds"]).expires_in(90 * DAY);
//!     let (key, _) = new.await?;
//!     Ok(format!("Copy it now, it is not shown again: {}", key.expose()))
//! }
//!
//! async fn list(
//!     FreshLoginRequired(user): FreshLoginRequired<Account>, State(keys): State<ApiKeys<Account>>,
//! ) -> Result<String> {
//!     let keys = keys.list(&user.id).await?;
//!     Ok(keys.iter().map(|key| format!("{} (…{})\n", key.name(), key.last4())).collect())
//! }
//!
//! async fn revoke(
//!     FreshLoginRequired(user): FreshLoginRequired<Account>,
//!     State(keys): State<ApiKeys<Account>>, Form(old): Form<OldKey>,
//! ) -> Result<()> {
//!     keys.revoke(&user.id, old.id).await?; // another user's key is left alone
//!     Ok(())
//! }
//! # let _ = app;
//! ```
//!
//! - **The user is logged in for this request only.** There is no session and no cookie, and the
//!   user is never fresh, so a key can't change a password or create another key.
//! - **Scopes**: [`and_scope`](crate::guard::LoginRequiredLayer::and_scope) lets through keys with
//!   this scope, and users who are logged in by a session. A route that requires no scope is open
//!   to every key of the user, so put pages that keys should not reach behind a manager [without
//!   keys](crate::api_keys#scopes). [`Auth::api_key`](crate::Auth::api_key) returns the key.
//! - **Lifetime**: you choose up to 400 days, or that the key never expires. Neither a logout nor a
//!   change of password affects keys; an inactive user can't use theirs. To revoke them after a
//!   reset, call [`revoke_all`](crate::api_keys::ApiKeys::revoke_all).
//! - **Storage**: the store only contains a digest of the key. The checksum in each key lets secret
//!   scanners find leaked keys, and lets the crate reject other texts without a store call.
//! - **Refused** keys get 401 or 403 with a challenge as in RFC 6750, never a redirect. The
//!   [module](crate::api_keys#authentication) has the table.
//!
//! Tell users by mail when a key is created, and before one expires (OWASP ASVS 5.0, 6.4.5). The
//! example `api_keys` in the repository is complete.
//!
//! # Tokens of your own
//!
//! For tokens that something else issues, such as JWTs of an identity provider, or keys that are in
//! your database already, write a [request loader](crate::RequestLoader). It finds the user by the
//! credentials in the request, and is called if neither a cookie nor an API key identifies a user.
//! This user, too, is logged in for this request only.
//!
//! ```
//! # use login_manager::{AuthUser, LoginManager, MemoryStore};
//! # struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # async fn by_token_digest(token: Option<String>) -> Option<Account> { None }
//! use http::{header::AUTHORIZATION, request::Parts};
//!
//! let login_manager = LoginManager::new(MemoryStore::new(), |id| async move { Some(Account { id }) })
//!     .with_request_loader(|head: &Parts| {
//!         let token = bearer_token(head).map(str::to_owned);
//!         async move { by_token_digest(token).await }
//!     })
//!     .with_challenge("Bearer"); // for the WWW-Authenticate header of a 401
//!
//! fn bearer_token(head: &Parts) -> Option<&str> {
//!     let (scheme, token) = head.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
//!     // Schemes are case-insensitive (RFC 9110, 11.1).
//!     scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim_start())
//! }
//! ```
//!
//! Look secret tokens up by their SHA-256, so that a leaked database contains no usable token. Read
//! them from a header, never from the query: URLs end up in logs.
//!
//! # A part that ignores cookies
//!
//! [`without_cookies`](crate::LoginManager::without_cookies) makes an API accept keys only. No
//! other site can make a browser send a key, so that part needs no CSRF protection:
//!
//! ```
//! # use login_manager::{AuthUser, LoginManager, MemoryStore};
//! # struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # let (api, pages) = (axum::Router::<()>::new(), axum::Router::<()>::new());
//! let login = LoginManager::new(MemoryStore::new(), |id| async move { Some(Account { id }) });
//! let by_key = login.clone().with_api_keys("shop");
//!
//! let app = axum::Router::new()
//!     .nest("/api", api.layer(by_key.without_cookies())) // keys only
//!     .merge(pages.layer(login));                        // cookies only
//! # let _: axum::Router = app;
//! ```
//!
//! For a single route among others, the guard's
//! [`keys_only`](crate::guard::LoginRequiredLayer::keys_only) does the same.
//!
//! # Responses for programs
//!
//! Programs get a 401 without a redirect, as [Guarding
//! pages](super::guarding_pages#what-is-a-page-load) shows. To add a body, replace the response;
//! reasons implement `Serialize` and have stable names:
//!
//! ```
//! # use login_manager::{AuthUser, LoginManager, MemoryStore};
//! # struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # let load = |id| async move { Some(Account { id }) };
//! # let login_manager = LoginManager::new(MemoryStore::new(), load);
//! use axum::Json;
//! use serde_json::json;
//!
//! let login_manager = login_manager.with_unauthorized(async |denied| {
//!     let (head, _) = denied.default_response().into_parts();
//!     let body = Json(json!({ "error": denied.reason() })); // {"error":"login_required"}
//!     (head.status, head.headers, body)
//! });
//! ```
//!
//! # A single-page app
//!
//! Serve the front end and the API from one origin if you can, for example with a reverse proxy.
//! Then the session cookie works as it is: the front end calls `fetch`, logs in with a JSON handler
//! that calls [`auth.login`](crate::Auth::login), and finds out who is logged in with a `GET /me`
//! that takes [`LoginRequired`]. Scripts cannot read the cookie, and don't need to.
//!
//! If the front end is at another origin of the same site (`app.example.com` and `api.example.com`,
//! or two ports of `localhost`), the cookie needs no other settings, either. The front end calls
//! `fetch` with `credentials: 'include'`, and the API names the front end's origin twice:
//!
//! ```
//! # use std::error::Error;
//! # use axum::{Router, http::{HeaderValue, Method, header::CONTENT_TYPE}};
//! # use login_manager::{AuthUser, LoginManager};
//! # struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # type App = Result<Router, Box<dyn Error>>;
//! # fn app(routes: Router, login_manager: LoginManager<Account>) -> App {
//! use tower_http::{cors::CorsLayer, csrf::CsrfLayer};
//!
//! let front_end = "https://app.example.com";
//! let cors = CorsLayer::new() // so that the front end may read the responses
//!     .allow_origin(front_end.parse::<HeaderValue>()?)
//!     .allow_credentials(true)
//!     .allow_methods([Method::GET, Method::POST])
//!     .allow_headers([CONTENT_TYPE]);
//!
//! Ok(routes
//!     .layer(login_manager)
//!     .layer(CsrfLayer::new().add_trusted_origin(front_end)?) // so that it may log in and act
//!     .layer(cors)) // outermost: preflight requests have no cookie
//! # }
//! ```
//!
//! The example `single_page_app` is complete. For a front end at another *site*, see the next
//! section.
//!
//! # Requests from other sites
//!
//! Which cookies a browser sends depends on where the request comes from. Two origins are one
//! *site* if they have the same scheme and registered domain: `app.example.com` and
//! `api.example.com`, or two ports of `localhost`.
//!
//! | request | `Strict` | `Lax` (default) | `None` |
//! |---|---|---|---|
//! | from another site: a link, or a redirect to a GET, even after a POST | | sent | sent |
//! | from another site: a form, by POST | | | sent |
//! | from another site: `fetch`, an image, a frame | | | sent, unless third-party cookies are blocked |
//! | from the same site, but another origin (`fetch` with `credentials: 'include'`) | sent | sent | sent |
//!
//! So with `Lax`, a site that sends the browser back by a redirect needs no special handling. If a
//! site sends the browser back by a POST, the handler finds no user, even if one is logged in. Such
//! a request does not replace the login: [data](crate::Session) that it inserts is dropped (with
//! the event [`DataDropped`](crate::event::EventKind::DataDropped)), since the cookie of a new
//! session would replace that of the login. The crate recognizes such requests by `Sec-Fetch-Site`,
//! which browsers send over https and to `localhost`, Safari since 16.4. These examples in the
//! repository are tested in Chromium:
//!
//! - `oidc` logs in with another site, which responds in the URL or in a form (`form_post`). For
//!   the form, it keeps the state of the exchange in a session of a second manager with
//!   `SameSite=None`.
//! - `payment` is an application to which another site sends the browser back by a POST. It
//!   verifies the payment without a user, and redirects to a page to which the browser sends the
//!   cookie again.
//! - `single_page_app` is an API for a front end at another origin: CORS, and a trusted origin.
//!
//! Exempt from `CsrfLayer` only the route that another site posts to, and let its handler check
//! something that no other site knows or can forge. A trusted origin may post to every route.
//! `SameSite=None` for logins is only needed by an application that other sites embed or call from
//! their pages; see [`Cookies::partitioned`](crate::manager::Cookies::partitioned).
//!
//! # Pages that poll
//!
//! A page that polls in the background keeps its session alive even while the user is away. Exclude
//! such requests from the idle timeout with [`without_touch`](crate::LoginManager::without_touch).
//!
//! # Next
//!
//! [Passwords, resets and throttling](super::passwords). Reference: [`api_keys`](crate::api_keys),
//! [`RequestLoader`](crate::RequestLoader),
//! [`without_cookies`](crate::LoginManager::without_cookies),
//! [`with_unauthorized`](crate::LoginManager::with_unauthorized),
//! [`with_challenge`](crate::LoginManager::with_challenge), [`Cookies`](crate::manager::Cookies).
//! [All pages](super).
//!
#![cfg_attr(feature = "axum", doc = include_str!("links/axum.md"))]
#![cfg_attr(not(feature = "axum"), doc = include_str!("links/axum_online.md"))]
