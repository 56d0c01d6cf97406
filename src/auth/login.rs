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
/// # Errors
/// [`ErrorKind::Inactive`](crate::ErrorKind::Inactive) where the user isn't active, unless [forced](Login::force);
/// [`UnstableId`](crate::ErrorKind::UnstableId) where no later request could find the user;
/// [`Store`](crate::ErrorKind::Store), [`Conflict`](crate::ErrorKind::Conflict), [`Random`](crate::ErrorKind::Random);
/// [`TooLate`](crate::ErrorKind::TooLate) after the head of the response has left;
/// [`NoRuntime`](crate::ErrorKind::NoRuntime); [`Panicked`](crate::ErrorKind::Panicked).
#[must_use = "nobody is logged in before this is awaited"]
pub struct Login<U: AuthUser> {
    auth: Auth<U>,
    pub(super) user: Arc<U>,
    pub(super) options: Options,
}

#[derive(Clone, Copy)]
pub(super) struct Options {
    pub(super) force: bool,
    pub(super) fresh: bool,
    /// How long, in milliseconds, if at all.
    pub(super) remember: Option<Millis>,
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
                remember: None,
                timeouts: None,
            },
        }
    }

    /// Lets in a user who isn't active: for this session, and as long as the browser is remembered.
    pub fn force(mut self) -> Self {
        self.options.force = true;
        self
    }

    /// Whether the browser shall be logged in again, not fresh, after its session has ended: the "remember me" box.
    ///
    /// It then has a second cookie, for [as long as the manager says](crate::LoginManager::with_remember_for).
    pub fn remember(mut self, remember: bool) -> Self {
        let lifetime = self.auth.visit().realm.remember_for;
        self.options.remember = remember.then(|| lifetime_of(lifetime));
        self
    }

    /// As [`remember`](Login::remember), for this long, at most 400 days, which is how long browsers keep a cookie (RFC 6265bis).
    pub fn remember_for(mut self, lifetime: Duration) -> Self {
        self.options.remember = Some(lifetime_of(lifetime));
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
