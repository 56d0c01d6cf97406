//! Sessions of a user: list them, end them, limit their number, notice new browsers, and act as
//! another user.
//!
//! # A page with the user's sessions
//!
//! [`Auth::sessions`](crate::Auth::sessions) lists the sessions in which the current user is logged
//! in or remembered, the most recently used first. A [`SessionInfo`](crate::auth::SessionInfo)
//! contains the data for such a page: the browser ("Firefox on Windows"), the last use, and whether
//! it is the current session. Its id is not a secret and may appear in a form. OWASP ASVS 5.0
//! (7.5.2) requires users to enter their credentials again before they end a session, hence the
//! guard:
//!
//! ```
//! # use axum::{Form, response::{Redirect, Result}};
//! # use login_manager::{Auth, AuthUser, FreshLoginRequired, store::SessionId};
//! # struct Account;
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
//! async fn sessions(_: FreshLoginRequired<Account>, auth: Auth<Account>) -> Result<String> {
//!     let mut page = String::new();
//!     for session in auth.sessions().await? {
//!         let this = if session.is_current() { " (this one)" } else { "" };
//!         page += &format!("{}: {}{this}\n", session.id(), session.browser());
//!     }
//!     Ok(page)
//! }
//!
//! #[derive(serde::Deserialize)]
//! struct Session { id: SessionId }
//!
//! /// The id of another user's session ends nothing.
//! async fn end(
//!     _: FreshLoginRequired<Account>, auth: Auth<Account>, Form(session): Form<Session>,
//! ) -> Result<Redirect> {
//!     auth.revoke(session.id).await?;
//!     Ok(Redirect::to("/account/sessions"))
//! }
//! # let _ = (sessions, end);
//! ```
//!
//! `SessionInfo` implements `Serialize` for templates.
//!
//! # End sessions
//!
//! | method | ends |
//! |---|---|
//! | [`Auth::logout`](crate::Auth::logout) | this session |
//! | [`Auth::revoke`](crate::Auth::revoke) | one session of the current user |
//! | [`Auth::logout_others`](crate::Auth::logout_others) | all but this one, which gets new secrets without a grace |
//! | [`Auth::logout_everywhere`](crate::Auth::logout_everywhere) | all of them |
//! | [`LoginManager::revoke`](crate::LoginManager::revoke) | one session of any user |
//! | [`LoginManager::logout_user`](crate::LoginManager::logout_user) | all sessions of any user |
//! | [`LoginManager::logout_everyone`](crate::LoginManager::logout_everyone) | every session in the store, of every realm, and [everything else](super::choosing_a_store#what-else-is-in-the-store) that is kept there |
//!
//! The methods of the manager need no request: call them from an admin page, a job or a command.
//! Clones of a manager share its store, so keep one in the application's state:
//!
//! ```
//! # use axum::{extract::{Path, State}, response::Result};
//! # use login_manager::{AuthUser, LoginManager, LoginRequired};
//! # struct Account { is_admin: bool }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
//! async fn log_out_user(
//!     State(login_manager): State<LoginManager<Account>>, Path(id): Path<i64>,
//! ) -> Result<()> {
//!     login_manager.logout_user(&id).await?;
//!     Ok(())
//! }
//! # let _ = log_out_user;
//! ```
//!
//! A session that has ended is invalid from its next request on, on every node. Requests that are
//! already being served are completed.
//!
//! # End sessions by a change of the user
//!
//! Each session keeps a digest of the user's [security stamp](crate::AuthUser::security_stamp). If
//! the loaded user has a different stamp, the session ends. A new stamp therefore ends every
//! session of a user at its next request, without a call to this crate. Replace the stamp in the
//! same statement as the value that it protects: the password, a role, a second factor.
//!
//! A user who is no longer [active](crate::AuthUser::is_active), or whom the loader no longer
//! finds, is logged out at the next request as well, and stays logged out when the account becomes
//! active again.
//!
//! # Limit their number
//!
//! [`with_max_sessions`](crate::LoginManager::with_max_sessions) ends the oldest sessions beyond a
//! limit at each login. There is no option to reject the new login instead: it would lock out users
//! who lost a phone or cleared their cookies, and let a thief who is logged in keep the owner out.
//! To let users choose, list their sessions after the login.
//!
//! # Known browsers
//!
//! [`with_known_browsers`](crate::LoginManager::with_known_browsers) sets a second cookie at each
//! login, which a logout keeps. It grants no access. It tells whether this user has logged in from
//! this browser before:
//!
//! ```
//! # use login_manager::{AuthUser, LoginManager, MemoryStore};
//! # struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # let load = |id| async move { Some(Account { id }) };
//! # async fn mail(user_id: &str, text: &str) {}
//! use login_manager::{event::EventKind, manager::KnownBrowsers};
//!
//! let (new_browsers, mut queue) = tokio::sync::mpsc::unbounded_channel();
//! let login_manager = LoginManager::new(MemoryStore::new(), load)
//!     .with_known_browsers(KnownBrowsers::new())
//!     .with_on_event(move |event| {
//!         if event.kind() == EventKind::NewBrowser {
//!             new_browsers.send(event.user_id().map(str::to_owned)).ok();
//!         }
//!     });
//!
//! // Spawn this: a handler of events must not wait for a mail server.
//! let mailer = async move {
//!     while let Some(Some(user_id)) = queue.recv().await {
//!         mail(&user_id, "Was it you? Someone has logged in from a new browser.").await;
//!     }
//! };
//! # let _ = (login_manager, mailer);
//! ```
//!
//! A user's first login also comes from a new browser: don't send the mail then. OWASP ASVS 5.0
//! (6.3.5) asks for such a notice. In its text, name the time and the browser, and link to the page
//! with the sessions.
//!
//! Two other uses of the same cookie:
//!
//! - **Throttling**: guesses from a browser that is [known](crate::Auth::known_browser) for the
//!   user are counted separately, so that strangers don't make the owner wait. See
//!   [Throttling](super::passwords#throttling).
//! - **Skipping the second factor**: if a user has passed the second factor and wants to skip it in
//!   this browser for a while, call [`trust_browser`](crate::Auth::trust_browser). At the next
//!   login, after the password, [`is_browser_trusted`](crate::Auth::is_browser_trusted) returns
//!   true for 30 days, or until the security stamp changes. The example `second_factor` does so.
//!
//! If the user reports a theft or removes a factor, call
//! [`forget_browsers`](crate::LoginManager::forget_browsers).
//!
//! # Impersonation
//!
//! For support, an application can let staff see what a user sees.
//! [`impersonate`](crate::Auth::impersonate) makes another user the current user of this browser;
//! the user who impersonates is the *actor*. The crate does not know who may impersonate whom, so
//! you have to check it:
//!
//! ```
//! # use axum::{Router, extract::Path, http::StatusCode, routing::post};
//! # use login_manager::{Auth, AuthUser, CurrentUser, Error, LoginManager, fresh_login_required};
//! # struct Account { name: String, is_support: bool, is_staff: bool }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
//! # async fn find(id: i64) -> Option<Account> { None }
//! async fn impersonate(auth: Auth<Account>, Path(id): Path<i64>) -> Result<StatusCode, Error> {
//!     match find(id).await {
//!         Some(user) if !user.is_staff => { // support must not become an administrator
//!             auth.impersonate(user).await?;
//!             Ok(StatusCode::NO_CONTENT)
//!         }
//!         _ => Ok(StatusCode::FORBIDDEN),
//!     }
//! }
//!
//! async fn stop(auth: Auth<Account>) -> Result<StatusCode, Error> {
//!     auth.stop_impersonating().await?; // back in the actor's session
//!     Ok(StatusCode::NO_CONTENT)
//! }
//!
//! /// For the layout of every page.
//! async fn banner(auth: Auth<Account>) -> Result<String, Error> {
//!     Ok(match (auth.actor().await?, auth.user().await?) {
//!         (Some(actor), Some(user)) => format!("{} sees this as {}", actor.name, user.name),
//!         _ => String::new(),
//!     })
//! }
//!
//! fn app(login_manager: LoginManager<Account>) -> Router {
//!     Router::new()
//!         .route("/impersonate/{id}", post(impersonate))
//!         .route_layer(fresh_login_required::<Account>().and(|account| account.is_support))
//!         .route("/stop-impersonating", post(stop)) // outside the guard: the user is the other one
//!         .layer(login_manager)
//! }
//! # let _ = (app, banner);
//! ```
//!
//! - An impersonation is a session of its own: it does not have the actor's data, lasts an hour at
//!   most, and is never remembered.
//! - It is never fresh, so pages that change credentials respond with 403. Check
//!   [`actor`](crate::Auth::actor) before anything else that only the user may do, such as paying.
//! - It ends with the actor's session, at the next request.
//! - The user sees it in the list of sessions, marked by
//!   [`is_impersonated`](crate::auth::SessionInfo::is_impersonated), and can end it.
//! - [Events](super::events) report its start and end, and the events of its requests also contain
//!   the actor's id.
//!
//! # After the response
//!
//! A WebSocket, an event stream or a job outlives its request. Take a
//! [`LoginHandle`](crate::auth::LoginHandle) from [`Auth::handle`](crate::Auth::handle), and check
//! from time to time whether the login is [still valid](crate::auth::LoginHandle::still_valid):
//!
//! ```
//! # use login_manager::{Auth, AuthUser, Error};
//! # struct Account;
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
//! # async fn next_message() -> Option<String> { None }
//! async fn stream(auth: Auth<Account>) -> Result<(), Error> {
//!     let Some(handle) = auth.handle().await? else { return Ok(()) };
//!     tokio::spawn(async move {
//!         while let Some(message) = next_message().await {
//!             // If this is unknown, send nothing more.
//!             if !handle.still_valid().await.unwrap_or(false) {
//!                 break;
//!             }
//!             // send the message
//!         }
//!     });
//!     Ok(())
//! }
//! ```
//!
//! # Next
//!
//! [APIs, single-page apps and other origins](super::apis): clients that are not browsers, and
//! other sites. Reference: [`Auth::sessions`](crate::Auth::sessions),
//! [`SessionInfo`](crate::auth::SessionInfo),
//! [`AuthUser::security_stamp`](crate::AuthUser::security_stamp),
//! [`LoginManager::sessions_of`](crate::LoginManager::sessions_of),
//! [`KnownBrowsers`](crate::manager::KnownBrowsers),
//! [`Auth::impersonate`](crate::Auth::impersonate), [`LoginHandle`](crate::auth::LoginHandle). [All
//! pages](super).
