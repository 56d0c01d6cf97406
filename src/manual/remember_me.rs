//! Remember-me: staying logged in after the browser is closed, and what happens if the cookie is
//! stolen.
//!
//! The session cookie expires when the browser is closed, and the session after 24 hours without
//! use. A user who ticks "remember me" gets a second cookie, which restores the login later:
//!
//! ```
//! # use login_manager::{Auth, AuthUser, Error};
//! # struct Account;
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
//! # struct Form { remember: Option<String> }
//! # async fn example(auth: Auth<Account>, account: Account, form: Form) -> Result<(), Error> {
//! // Browsers send nothing for a box that isn't ticked.
//! auth.login(account).remember(form.remember.is_some()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What a restore does
//!
//! When a request has no valid session cookie and needs the current user, the remember cookie
//! restores the login: the user is loaded and checked as always, and the browser gets a new session
//! cookie. The restored login is not [fresh](super::fresh_logins), so sensitive pages that require
//! a fresh login ask for the password first.
//!
//! If the session itself is still alive, its data is kept; otherwise it starts empty.
//!
//! Only asking for the user restores a login. Reading [session data](crate::Session) does not,
//! unless there are request loaders.
//!
//! # How long
//!
//! | setting | default | |
//! |---|---|---|
//! | [`RememberMe::lifetime`](crate::manager::RememberMe::lifetime) | 30 days | counted from the login; use does not extend it |
//! | [`RememberMe::sliding`](crate::manager::RememberMe::sliding) | off | each restore extends it, up to a limit from the login |
//! | [`Login::remember_for`](crate::auth::Login::remember_for) | | another lifetime for one login |
//! | [`RememberMe::max_browsers`](crate::manager::RememberMe::max_browsers) | no limit | beyond this number, the oldest browser is no longer remembered |
//!
//! ```
//! # use login_manager::{AuthUser, LoginManager, MemoryStore};
//! # struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # let load = |id| async move { Some(Account { id }) };
//! # let login_manager = LoginManager::new(MemoryStore::new(), load);
//! use std::time::Duration;
//! use login_manager::manager::RememberMe;
//!
//! const DAY: Duration = Duration::from_secs(24 * 60 * 60);
//! let remember_me = RememberMe::new().sliding(30 * DAY, 365 * DAY).max_browsers(5);
//! let login_manager = login_manager.with_remember_me(remember_me);
//! ```
//!
//! The server enforces the lifetime and does not rely on the cookie's expiry. It is at most 400
//! days, the maximum lifetime of a cookie (RFC 6265bis).
//!
//! A further login of the same user keeps the browser remembered until the same time, unless it
//! calls [`remember(false)`](crate::auth::Login::remember). A change of password therefore doesn't
//! make the browser forget the user. The secrets are new each time, so copies of the old cookie are
//! invalid.
//!
//! # If the cookie is stolen
//!
//! The cookie holds two secrets. One of them, the *token secret*, is exchanged each time the cookie
//! restores a login. If a token secret that was exchanged before is presented, there are two copies
//! of the cookie. The session ends, for both the thief and the user, and an event is emitted:
//! [`RememberTheft`](crate::event::EventKind::RememberTheft). Tell the user then, for example by
//! e-mail.
//!
//! A browser can present a used token secret without a theft: it sends several requests at once, or
//! a response is lost. So a used token secret is accepted during the grace of 30 seconds, and after
//! it as long as the browser has not shown that it received the new one.
//! [`RememberGrace`](crate::manager::RememberGrace) has a stricter variant.
//!
//! # What ends it
//!
//! - [`logout`](crate::Auth::logout) in this browser.
//! - A new [security stamp](crate::AuthUser::security_stamp), or a user who is no longer active or
//!   was deleted.
//! - [`logout_others`](crate::Auth::logout_others),
//!   [`logout_everywhere`](crate::Auth::logout_everywhere) or [`revoke`](crate::Auth::revoke) from
//!   another browser: the session and its remember cookie are one record.
//! - [`SessionProtection::Strong`](crate::manager::SessionProtection::Strong), if the client looks
//!   different.
//!
//! # Next
//!
//! [Fresh logins and step-up](super::fresh_logins): asking for the password again. Reference:
//! [`Login::remember`](crate::auth::Login::remember), [`RememberMe`](crate::manager::RememberMe),
//! [`RememberGrace`](crate::manager::RememberGrace),
//! [`Auth::is_remembered`](crate::Auth::is_remembered). [All pages](super).
