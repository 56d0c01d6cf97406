//! A login, before it is awaited.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use super::Auth;
use crate::{
    clock::Millis, error::Error, remember::lifetime as lifetime_of, session::finish,
    timeouts::Timeouts, user::AuthUser,
};

/// A login that happens when it is awaited. Made by [`Auth::login`]; returns the user.
///
/// The session keeps the data of an anonymous session, or of one of the same user, and none of another user's. It
/// gets a new id if the session was anonymous or another user's; that one ends. If the login returns an error,
/// everything stays as it was. The same user stays remembered in this browser, with new secrets, unless
/// [`remember(false)`](Login::remember) says otherwise.
///
/// Do every check before you log in: a login stands, even if the handler returns a 500 afterwards. And commit an
/// open transaction first if the sessions live in the same SQLite file, which has one writer at a time.
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
/// - [`ErrorKind::Inactive`](crate::ErrorKind::Inactive) if the user is not active, unless
///   [forced](Login::force)
/// - [`ErrorKind::UnstableId`](crate::ErrorKind::UnstableId) if the text of the user's id does not parse back
///   to the same id
/// - [`ErrorKind::Store`](crate::ErrorKind::Store), [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if
///   other requests kept changing the session, [`ErrorKind::Random`](crate::ErrorKind::Random)
/// - [`ErrorKind::TooLate`](crate::ErrorKind::TooLate) after the head of the response has left
/// - [`ErrorKind::NoCookies`](crate::ErrorKind::NoCookies) in a part of the application that takes no cookies
#[must_use = "a login does nothing until it is awaited"]
pub struct Login<U: AuthUser> {
    auth: Auth<U>,
    pub(super) user: Arc<U>,
    pub(super) options: Options,
}

#[derive(Clone, Copy)]
pub(super) struct Options {
    pub(super) force: bool,
    pub(super) fresh: bool,
    pub(super) remember: Remember,
    /// Instead of the manager's.
    pub(super) timeouts: Option<Timeouts>,
}

#[derive(Clone, Copy)]
pub(super) enum Remember {
    /// If the same user was remembered in this browser, they still are, until the same time.
    AsBefore,
    /// For this long, in milliseconds.
    For(Millis),
    No,
}

impl Remember {
    /// Whether the browser gets a new place among those that are remembered.
    pub(super) const fn is_new(self) -> bool {
        matches!(self, Self::For(_))
    }
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

    /// Whether the browser shall be logged in again, not fresh, after its session has ended: the "remember me" box.
    ///
    /// It then has a second cookie, for [as long as the manager says](crate::LoginManager::with_remember_for).
    pub fn remember(mut self, remember: bool) -> Self {
        self.options.remember = match remember {
            true => Remember::For(lifetime_of(self.auth.realm().remember_for)),
            false => Remember::No,
        };
        self
    }

    /// As [`remember`](Login::remember), for this long, at most 400 days, which is how long browsers keep a cookie (RFC 6265bis).
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
            auth.asked();
            let request = Arc::clone(&auth.request);
            finish(async move {
                let turn = request.session.turn().await;
                request.login(&turn, user, options).await
            })
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
