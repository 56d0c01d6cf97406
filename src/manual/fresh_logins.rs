//! Fresh logins and step-up: asking for the password again before something sensitive.
//!
//! A session is *fresh* if the user entered credentials in it. A login that a remember cookie
//! restored is not fresh, nor is a request that [joins](super::how_it_works#the-session) a session,
//! a user whom a [request loader](crate::RequestLoader) found, or a session that a
//! different-looking client presents.
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
//! [`with_fresh_for`](crate::LoginManager::with_fresh_for) limits the age of a fresh login. By
//! default, a login is fresh as long as its session lives.
//!
//! # The refresh page
//!
//! It asks a logged-in user for the password and calls [`Auth::confirm`](crate::Auth::confirm):
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
//! `confirm` makes the session fresh, starts its timeouts anew and gives it a new secret. Check the
//! password of the *current* user, not of a user whom the form names. If no refresh page is set,
//! users are sent to the login page.
//!
//! The redirect to the refresh page loses the body of a POST: [`next`](crate::NextPath) is only
//! kept for GET and HEAD. So guard the page with the form, too: then the user confirms before
//! filling it in.
//!
//! # Show more to a fresh login
//!
//! `Option<FreshLoginRequired<U>>` is `None` for users who would have to confirm. Use it for a page
//! that all users may see and that shows more to those who have just entered their password.
//! [`Auth::is_fresh`](crate::Auth::is_fresh) returns the same without an extractor.
//!
//! # A client that looks different
//!
//! A session that is presented by another user agent than the one that logged in is not fresh
//! there. [`with_session_protection`](crate::LoginManager::with_session_protection) chooses what
//! happens:
//!
//! | [`SessionProtection`](crate::manager::SessionProtection) | |
//! |---|---|
//! | `Off` | nothing |
//! | `Basic`, the default | the session is not fresh for that client |
//! | `Strong` | the session ends, and its remember cookie becomes invalid |
//!
//! Versions in the user agent don't count, so a browser update changes nothing.
//! [`with_fingerprint`](crate::LoginManager::with_fingerprint) recognizes clients by something
//! else. This makes a stolen cookie harder to use, but a thief who knows the user agent can imitate
//! it.
//!
//! # Next
//!
//! [Sessions of a user](super::sessions_of_a_user): list them and end them. Reference:
//! [`FreshLoginRequired`], [`fresh_login_required`](crate::fresh_login_required),
//! [`Auth::confirm`](crate::Auth::confirm), [`Auth::is_fresh`](crate::Auth::is_fresh),
//! [`SessionProtection`](crate::manager::SessionProtection). [All pages](super).
//!
#![cfg_attr(feature = "axum", doc = include_str!("links/axum.md"))]
#![cfg_attr(not(feature = "axum"), doc = include_str!("links/axum_online.md"))]
