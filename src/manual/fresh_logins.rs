//! Fresh logins and step-up: asking for the password again, or for a second factor, before
//! something sensitive.
//!
//! A session is *fresh* if the user entered credentials in it. A login that a remember cookie
//! restored is not fresh. Neither is the login of a request that
//! [joins](super::how_it_works#the-session) a session, of a user whom a [request
//! loader](crate::RequestLoader) found, or of a session that a different-looking client presents.
//!
//! # A page that needs a fresh login
//!
//! Guard pages that change a password, an e-mail address, a second factor or payment details with
//! [`FreshLoginRequired`] or [`fresh_login_required`](crate::fresh_login_required). Users whose
//! login is not fresh are redirected to the *refresh page*:
//!
//! ```
//! # use login_manager::{AuthUser, FreshLoginRequired, LoginManager, MemoryStore};
//! # struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # let load = |id| async move { Some(Account { id }) };
//! # let login_manager = LoginManager::new(MemoryStore::new(), load);
//! use std::time::Duration;
//! use login_manager::manager::LoginPage;
//!
//! let login_manager = login_manager
//!     .with_login_page(LoginPage::new("/login").refresh("/confirm"))
//!     .with_fresh_for(Duration::from_secs(10 * 60));
//!
//! async fn change_email(user: FreshLoginRequired<Account>) { /* … */ }
//! ```
//!
//! [`with_fresh_for`](crate::LoginManager::with_fresh_for) limits the age of a fresh login for the
//! whole application. By default, a login is fresh as long as its session lives.
//!
//! # Recently, for some routes
//!
//! [`within`](crate::guard::LoginRequiredLayer::within) limits the age for the routes of one guard;
//! the smaller limit applies. OWASP ASVS 5.0 (7.5.1) requires that users authenticate again before
//! they change credentials; 5 minutes is a common limit:
//!
//! ```
//! # use axum::{Router, routing::get};
//! # use login_manager::AuthUser;
//! # struct Account;
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
//! # async fn form() {}
//! # async fn change() {}
//! use std::time::Duration;
//! use login_manager::fresh_login_required;
//!
//! let recently = fresh_login_required::<Account>().within(Duration::from_secs(5 * 60));
//! let security: Router = Router::new()
//!     .route("/account/password", get(form).post(change))
//!     .route_layer(recently);
//! ```
//!
//! In a handler, [`Auth::is_fresh_within`](crate::Auth::is_fresh_within) makes the same check.
//!
//! # The refresh page
//!
//! The refresh page asks a logged-in user for the password and calls
//! [`Auth::confirm`](crate::Auth::confirm):
//!
//! ```
//! # use axum::{Form, extract::State, response::{Html, IntoResponse, Response, Result}};
//! # use login_manager::{Auth, AuthUser, LoginRequired, NextPath, Passwords};
//! # #[derive(serde::Deserialize)] struct Confirmation { password: String }
//! # struct Account { password_hash: String }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
//! async fn confirm(
//!     LoginRequired(user): LoginRequired<Account>,
//!     auth: Auth<Account>,
//!     next: NextPath,
//!     State(passwords): State<Passwords>,
//!     Form(form): Form<Confirmation>,
//! ) -> Result<Response> {
//!     if !passwords.verify(form.password, Some(&user.password_hash)).await?.is_valid() {
//!         return Ok(Html("That is not your password.").into_response());
//!     }
//!     auth.confirm().await?;
//!     Ok(next.redirect_or("/account").into_response())
//! }
//! # let _ = confirm;
//! ```
//!
//! `confirm` makes the session fresh, restarts its timeouts and gives it a new secret. Check the
//! password of the *current* user, not of a user named in the form. If no refresh page is set,
//! users are sent to the login page.
//!
//! The redirect to the refresh page loses the body of a POST: [`next`](crate::NextPath) is only
//! kept for GET and HEAD. So guard the page with the form, too: then the user confirms before
//! filling it in.
//!
//! Anyone at an unattended browser can guess the password here, so
//! [throttle](super::passwords#throttling) this form, too.
//!
//! # By a certain method
//!
//! Some pages need credentials of a certain kind: a second factor for payments, or a passkey for an
//! administrator. Name the method when the user enters the credentials, and let a guard
//! [require](crate::guard::LoginRequiredLayer::needs) it:
//!
//! ```
//! # use axum::{Router, http::StatusCode, routing::get};
//! # use login_manager::{Auth, AuthUser, Error, LoginManager};
//! # struct Account;
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
//! # impl Account { fn accepts(&self, code: &str) -> bool { true } }
//! # async fn list() {}
//! # async fn form() {}
//! # async fn pay() {}
//! use std::time::Duration;
//! use login_manager::login_required;
//!
//! async fn after_password(auth: Auth<Account>, account: Account) -> Result<(), Error> {
//!     auth.login(account).by("password").await?;
//!     Ok(())
//! }
//!
//! /// The refresh page, when it asks for a code.
//! async fn after_code(auth: Auth<Account>, code: String) -> Result<StatusCode, Error> {
//!     match auth.user().await? {
//!         Some(user) if user.accepts(&code) => {
//!             auth.confirm().by("totp").await?;
//!             Ok(StatusCode::OK)
//!         }
//!         _ => Ok(StatusCode::UNAUTHORIZED),
//!     }
//! }
//!
//! fn app(login_manager: LoginManager<Account>) -> Router {
//!     let factor = login_required::<Account>().needs("totp"); // once in the session
//!     let again = factor.clone().within(Duration::from_secs(5 * 60));
//!     Router::new()
//!         .route("/payments", get(list))
//!         .route("/payments/new", get(form).post(pay).route_layer(again))
//!         .route_layer(factor)
//!         .layer(login_manager)
//! }
//! # let _ = (after_password, after_code, app);
//! ```
//!
//! A user who has not used the method is redirected to the refresh page with `method=totp` in its
//! query, so that the page can ask for the right credentials. You choose the names: 1 to 16
//! lowercase letters, digits, hyphens and underscores. [`Auth::methods`](crate::Auth::methods)
//! lists the methods that were used in the session, with their times; a restored session has none.
//!
//! There are two ways to require a second factor. Here, the user is logged in after the password,
//! and only some routes need the factor. If *every* page needs it, leave the visitor [anonymous
//! until the second step](super::logging_in_and_out#a-second-factor).
//!
//! # Denied requests
//!
//! | request | a page load gets | others get |
//! |---|---|---|
//! | logged in, but not fresh, or without the required method | 303 to the refresh page | 401 |
//! | by an [API key](super::apis#api-keys), which is never fresh | | 401, `Bearer error="insufficient_user_authentication"` |
//! | in an [impersonation](super::sessions_of_a_user#impersonation), which is never fresh | 403 | 403 |
//!
//! # Warn before a session ends
//!
//! [`Auth::expires_at`](crate::Auth::expires_at) returns when the session ends unless it is used,
//! and [`Auth::fresh_until`](crate::Auth::fresh_until) returns until when it is fresh. With them, a
//! page with a long form can warn users before they would have to fill it in again.
//!
//! # Show more to a fresh login
//!
//! `Option<FreshLoginRequired<U>>` is `None` for users who would have to confirm. Use it for a page
//! that all users may see and that shows more to those who have just entered their password.
//! [`Auth::is_fresh`](crate::Auth::is_fresh) makes the same check without an extractor.
//!
//! # A client that looks different
//!
//! By default, a session that is presented by a different user agent than the one that logged in is
//! not fresh for that client.
//! [`with_session_protection`](crate::LoginManager::with_session_protection) chooses what happens:
//!
//! | [`SessionProtection`](crate::manager::SessionProtection) | |
//! |---|---|
//! | `Off` | nothing |
//! | `Basic`, the default | the session is not fresh for that client |
//! | `Strong` | the session ends, and its remember cookie becomes invalid |
//!
//! Version numbers in the user agent are ignored, so a browser update changes nothing.
//! [`with_fingerprint`](crate::LoginManager::with_fingerprint) recognizes clients by something
//! else. Session protection makes a stolen cookie harder to use, but a thief who knows the user
//! agent can imitate it.
//!
//! # Next
//!
//! [Sessions of a user](super::sessions_of_a_user): list them and end them. Reference:
//! [`FreshLoginRequired`], [`fresh_login_required`](crate::fresh_login_required),
//! [`within`](crate::guard::LoginRequiredLayer::within),
//! [`needs`](crate::guard::LoginRequiredLayer::needs), [`Confirm`](crate::auth::Confirm),
//! [`Auth::is_fresh`](crate::Auth::is_fresh),
//! [`SessionProtection`](crate::manager::SessionProtection). [All pages](super).
//!
#![cfg_attr(feature = "axum", doc = include_str!("links/axum.md"))]
#![cfg_attr(not(feature = "axum"), doc = include_str!("links/axum_online.md"))]
