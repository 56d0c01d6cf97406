//! Sessions of a user: list them, end them, limit their number, and end them from outside a
//! request.
//!
//! # A page with the user's sessions
//!
//! [`Auth::sessions`](crate::Auth::sessions) lists the sessions in which the current user is logged
//! in or remembered, the most recently used first. A [`SessionInfo`](crate::auth::SessionInfo) has
//! what a page shows: the browser ("Firefox on Windows"), the last use, and whether it is this
//! session. Its id is not a secret and may appear in a form. OWASP ASVS 5.0 (7.5.2) wants users to
//! enter their credentials again before they end a session, hence the guard:
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
//! | [`LoginManager::logout_everyone`](crate::LoginManager::logout_everyone) | every session in the store, of every realm |
//!
//! Those of the manager need no request: call them from an admin page, a job or a command. Clones
//! of a manager share its store, so keep one in the application's state:
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
//! A session that has ended is invalid from its next request on, on every node. A request that is
//! being served meanwhile is completed.
//!
//! # End sessions by a change of the user
//!
//! Each session keeps a digest of the user's [security stamp](crate::AuthUser::security_stamp). If
//! the stamp of the loaded user is another one, the session ends. So a new stamp ends every session
//! of a user at its next request, without a call to this crate. Replace it in the same statement as
//! what it protects: the password, a role, a second factor.
//!
//! A user who is no longer [active](crate::AuthUser::is_active), or whom the loader no longer
//! finds, is logged out at the next request as well, and stays logged out when the account becomes
//! active again.
//!
//! # Limit their number
//!
//! [`with_max_sessions`](crate::LoginManager::with_max_sessions) ends the oldest sessions beyond a
//! limit at each login. Rejecting the new login instead is not offered: it would lock out users who
//! lost a phone or cleared their cookies, and let a thief who is logged in keep the owner out. To
//! let users choose, list their sessions after the login.
//!
//! # After the response
//!
//! A WebSocket, an event stream or a job outlives its request. Take a
//! [`LoginHandle`](crate::auth::LoginHandle) from [`Auth::handle`](crate::Auth::handle), and ask it
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
//! [APIs, single-page apps and other origins](super::apis): clients that are no browsers, and other
//! sites. Reference: [`Auth::sessions`](crate::Auth::sessions),
//! [`SessionInfo`](crate::auth::SessionInfo),
//! [`AuthUser::security_stamp`](crate::AuthUser::security_stamp),
//! [`LoginManager::sessions_of`](crate::LoginManager::sessions_of),
//! [`LoginHandle`](crate::auth::LoginHandle). [All pages](super).
