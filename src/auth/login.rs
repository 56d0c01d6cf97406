//! A login, before it is awaited.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use super::{Auth, methods::By};
use crate::{
    clock::{Millis, millis},
    error::Error,
    session::finish,
    timeouts::Timeouts,
    user::AuthUser,
};

/// A login, which happens when it is awaited. Created by [`Auth::login`]; returns the user.
///
/// The session always gets a new secret. What else happens depends on the session of the request:
///
/// - **None**: a session is created.
/// - **Anonymous**: a session with a new id is created. It takes over the data, and the anonymous
///   session ends.
/// - **The same user's**: it keeps its id and its data.
/// - **Another user's**: a session with a new id and without data is created, and the other user's
///   session ends.
///
/// If the same user was remembered in this browser, they stay remembered until the same time, with
/// new secrets, unless [`remember(false)`](Login::remember) is called. If the remember cookie
/// belongs to another session than the session cookie, that session ends, too.
///
/// If the login returns an error, the current user is the same as before.
///
/// Perform all checks before you call it: the login is not undone if the handler returns a 500
/// afterwards. Commit an open transaction first if the sessions are in the same SQLite file, which
/// has one writer at a time.
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
/// - [`ErrorKind::InvalidLifetime`](crate::ErrorKind::InvalidLifetime) if
///   [`remember_for`](Login::remember_for) or [`timeouts`](Login::timeouts) was called with less
///   than a second or more than 400 days
/// - [`ErrorKind::InvalidMethod`](crate::ErrorKind::InvalidMethod) if [`by`](Login::by) was called
///   with an invalid name
/// - [`ErrorKind::UnstableId`](crate::ErrorKind::UnstableId) if the text of the user's id does not
///   parse back to the same id
/// - [`ErrorKind::Store`](crate::ErrorKind::Store) if the store failed or missed its deadline
/// - [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if other requests kept changing the
///   session
/// - [`ErrorKind::TooLate`](crate::ErrorKind::TooLate) if the response head has already been sent
/// - [`ErrorKind::NoCookies`](crate::ErrorKind::NoCookies) in a part of the application that
///   ignores cookies
/// - [`ErrorKind::Random`](crate::ErrorKind::Random) if the operating system returned no random
///   bytes
#[must_use = "a login does nothing until it is awaited"]
pub struct Login<U: AuthUser> {
    auth: Auth<U>,
    pub(super) user: Arc<U>,
    pub(super) options: Options,
}

#[derive(Clone)]
pub(super) struct Options {
    pub(super) force: bool,
    pub(super) fresh: bool,
    pub(super) remember: Remember,
    /// The timeouts to use instead of the manager's.
    pub(super) timeouts: Option<Timeouts>,
    pub(super) by: By,
    /// Whether a duration is less than a second or more than 400 days.
    pub(super) invalid: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Remember {
    /// If the same user was remembered in this browser, they stay remembered until the same time.
    AsBefore,
    /// Remembers the browser for this long, in milliseconds.
    For(Millis),
    No,
}

impl Remember {
    /// Whether the browser counts as newly remembered.
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
                by: By::default(),
                invalid: false,
            },
        }
    }

    /// Logs the user in even if they are not active. The session is then valid although the user is
    /// inactive, also after the remember cookie has restored it. If the user is active at the login
    /// and becomes inactive later, the session ends as usual.
    pub fn force(mut self) -> Self {
        self.options.force = true;
        self
    }

    /// Sets whether the browser is remembered, as chosen by a "remember me" box. If it is, a second
    /// cookie restores the login after the session has ended, for [30 days by
    /// default](crate::manager::RememberMe::lifetime). The restored session is not fresh.
    ///
    /// Default: the browser stays remembered if the same user was remembered in it.
    pub fn remember(mut self, remember: bool) -> Self {
        self.options.remember = match remember {
            true => Remember::For(millis(self.auth.realm().remember_me.new_lifetime())),
            false => Remember::No,
        };
        self
    }

    /// Remembers the browser for this long instead of the manager's default: from a second to 400
    /// days, the maximum lifetime of a cookie (RFC 6265bis). Otherwise the login fails with
    /// [`InvalidLifetime`](crate::ErrorKind::InvalidLifetime).
    pub fn remember_for(mut self, lifetime: Duration) -> Self {
        self.options.invalid |= Timeouts::check_one("remember_for", lifetime).is_err();
        self.options.remember = Remember::For(millis(lifetime));
        self
    }

    /// Overrides [the manager's timeouts](crate::LoginManager::with_timeouts) for this session, for
    /// example with shorter ones on a shared computer or for an administrator. After a restore by
    /// the remember cookie, the manager's apply again. If one of them is less than a second or more
    /// than 400 days, the login fails with [`InvalidLifetime`](crate::ErrorKind::InvalidLifetime).
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.options.invalid |= timeouts.check().is_err();
        self.options.timeouts = Some(timeouts);
        self
    }

    /// Sets whether the session is fresh. Default: true. Pass false if the user has not just
    /// entered credentials.
    pub fn fresh(mut self, fresh: bool) -> Self {
        self.options.fresh = fresh;
        self
    }

    /// Records by which method the user entered the credentials, for guards that
    /// [need](crate::guard::LoginRequiredLayer::needs) it. Methods of an earlier login are dropped.
    /// Call it again if there were several:
    ///
    /// ```
    /// # use login_manager::{Auth, AuthUser, Error};
    /// # struct Account;
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
    /// # async fn example(auth: Auth<Account>, account: Account) -> Result<(), Error> {
    /// auth.login(account).by("password").by("totp").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A name is 1 to 16 lowercase ASCII letters, digits, hyphens and underscores; otherwise the
    /// login fails with [`InvalidMethod`](crate::ErrorKind::InvalidMethod). A session keeps the 8
    /// methods that were used last.
    pub fn by(mut self, method: &str) -> Self {
        self.options.by.add(method);
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
