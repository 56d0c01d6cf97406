//! A login, before it is awaited.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use super::Auth;
use crate::{
    clock::Millis, error::Error, remember::lifetime as lifetime_of, timeouts::Timeouts,
    user::AuthUser,
};

/// A login that happens when it is awaited. Made by [`Auth::login`]; yields the user.
///
/// The new session carries the data of an anonymous one, or of one of the same user, and nothing of anybody else. The
/// old one is deleted. If the store fails at any point, everything stays as it was, with two exceptions: another user's login in
/// this browser, which this one replaces, may have ended already; and where the store breaks off at the last step and says no
/// more, the old session may have.
///
/// ```
/// # use login_manager::{Auth, AuthUser, Error};
/// # struct Account;
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
/// # async fn example(auth: Auth<Account>, account: Account) -> Result<(), Error> {
/// let account = auth.login(account).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Remember-me
///
/// If this browser is remembered for the same user, it stays remembered, until the same time as
/// before: a login after a change of password doesn't forget it. Its remember cookie gets a new
/// value, and copies of the old one become invalid. A login form with a "remember me" box says what
/// the user chose, [`.remember(form.remember)`](Login::remember); `false` ends an existing remember
/// cookie. A login by another user always ends it.
///
/// ```
/// # use login_manager::{Auth, AuthUser, Error};
/// # struct Account { stamp: String }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
/// async fn password_changed(auth: Auth<Account>, changed: Account) -> Result<(), Error> {
///     auth.login(changed).await?; // with the new security stamp; still remembered if it was
///     Ok(())
/// }
/// ```
///
/// # Errors
/// - [`ErrorKind::Inactive`](crate::ErrorKind::Inactive) if the user isn't active, unless
///   [forced](Login::force)
/// - [`UnstableId`](crate::ErrorKind::UnstableId) if no later request could find the user
/// - [`NoCookies`](crate::ErrorKind::NoCookies) if this part of the application takes no cookies
/// - [`TooLate`](crate::ErrorKind::TooLate) if the head of the response has been sent
/// - [`Store`](crate::ErrorKind::Store), [`Conflict`](crate::ErrorKind::Conflict),
///   [`Random`](crate::ErrorKind::Random), [`NoRuntime`](crate::ErrorKind::NoRuntime),
///   [`Panicked`](crate::ErrorKind::Panicked)
#[must_use = "nobody is logged in before this is awaited"]
pub struct Login<U: AuthUser> {
    auth: Auth<U>,
    pub(super) user: Arc<U>,
    pub(super) options: Options,
}

/// Whether the login leaves a remember cookie in the browser.
#[derive(Clone, Copy)]
pub(super) enum Remember {
    /// If the browser is remembered for this user, until the same time as before.
    AsBefore,
    Never,
    /// For so many milliseconds.
    For(Millis),
}

#[derive(Clone, Copy)]
pub(super) struct Options {
    pub(super) force: bool,
    pub(super) fresh: bool,
    pub(super) remember: Remember,
    /// Instead of the manager's.
    pub(super) timeouts: Option<Timeouts>,
}

impl<U: AuthUser> Login<U> {
    pub(super) fn new(auth: Auth<U>, user: Arc<U>) -> Self {
        Self {
            auth,
            user,
            options: Options {
                force: false,
                fresh: true,
                remember: Remember::AsBefore,
                timeouts: None,
            },
        }
    }

    /// Lets in a user who isn't active: for this session, and as long as the browser is remembered.
    pub fn force(mut self) -> Self {
        self.options.force = true;
        self
    }

    /// Whether this browser is logged in again, not fresh, after its session has ended: the
    /// "remember me" box.
    ///
    /// With `true` it gets a second cookie, for [as long as the manager
    /// says](crate::LoginManager::with_remember_for) from now on. With `false` a remember cookie
    /// that it has is ended. Without this call a login by the same user keeps it, see
    /// [above](Login#remember-me).
    pub fn remember(mut self, remember: bool) -> Self {
        let lifetime = self.auth.visit().realm.remember_for;
        self.options.remember = match remember {
            true => Remember::For(lifetime_of(lifetime)),
            false => Remember::Never,
        };
        self
    }

    /// As [`remember(true)`](Login::remember), for this long, at most 400 days, which is how long
    /// browsers keep a cookie (RFC 6265bis).
    pub fn remember_for(mut self, lifetime: Duration) -> Self {
        self.options.remember = Remember::For(lifetime_of(lifetime));
        self
    }

    /// How long this session lives, instead of [as long as the manager says](crate::LoginManager::with_timeouts): shorter on a
    /// shared machine, for an administrator. A session that a remember cookie makes later has the manager's timeouts.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.options.timeouts = Some(timeouts);
        self
    }

    /// Whether the session starts fresh. Default: true. Say false where the person didn't prove who they are just now.
    pub fn fresh(mut self, fresh: bool) -> Self {
        self.options.fresh = fresh;
        self
    }
}

impl<U: AuthUser> IntoFuture for Login<U> {
    type Output = Result<Arc<U>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self {
                auth,
                user,
                options,
            } = self;
            auth.run(|inner| async move { inner.login_at(user, options, inner.visit.now()).await })
                .await
        })
    }
}

impl<U: AuthUser> fmt::Debug for Login<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("force", &self.options.force)
            .field("fresh", &self.options.fresh)
            .finish_non_exhaustive()
    }
}
