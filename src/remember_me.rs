//! [`RememberMe`]: how long browsers are remembered.

use std::time::Duration;

use crate::{
    clock::{Millis, millis},
    error::ConfigError,
    grace::RememberGrace,
    timeouts::Timeouts,
};

/// The maximum grace for a replaced secret.
const MAX_GRACE: Duration = Duration::from_secs(5 * 60);

/// The settings for remember-me, for [`with_remember_me`](crate::LoginManager::with_remember_me):
/// how many browsers of a user are remembered, and for how long.
///
/// ```
/// # use login_manager::{AuthUser, LoginManager, MemoryStore};
/// # struct Account { id: i64 }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
/// # let load_user = |id| async move { Some(Account { id }) };
/// # let login_manager = LoginManager::new(MemoryStore::new(), load_user);
/// use std::time::Duration;
/// use login_manager::manager::RememberMe;
///
/// const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// let remember_me = RememberMe::new().sliding(30 * DAY, 365 * DAY).max_browsers(5);
/// let login_manager = login_manager.with_remember_me(remember_me);
/// ```
///
/// Settings are checked when the manager takes them, or when [`check`](RememberMe::check) is
/// called.
///
/// In the manual: [Remember-me](crate::manual::remember_me).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "it changes nothing until a manager takes it"]
pub struct RememberMe {
    lifetime: Duration,
    /// The maximum lifetime, if each restore extends it.
    at_most: Option<Duration>,
    grace: RememberGrace,
    max_browsers: Option<usize>,
}

impl RememberMe {
    /// Creates the default settings: 30 days from the login, the maximum in NIST SP 800-63B-4
    /// (2.1.3).
    pub fn new() -> Self {
        Self {
            lifetime: Duration::from_secs(30 * 24 * 60 * 60),
            at_most: None,
            grace: RememberGrace::default(),
            max_browsers: None,
        }
    }

    /// Sets how long a browser is remembered, counted from the login. Using the application does
    /// not extend it. It must be from a second to 400 days, the maximum lifetime of a cookie (RFC
    /// 6265bis).
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self.at_most = None;
        self
    }

    /// Extends the remember cookie at each restore: it ends `idle` after it last restored a login,
    /// but never later than `at_most` after the login itself. Requests with a live session don't
    /// extend it, so make `idle` longer than a session can live. Both must be from a second to 400
    /// days.
    pub fn sliding(mut self, idle: Duration, at_most: Duration) -> Self {
        self.lifetime = idle;
        self.at_most = Some(at_most);
        self
    }

    /// Sets how long a secret is still accepted after it has been replaced: a session secret after
    /// a rotation, a confirmation, a restore or a further login of the same user, and the token
    /// secret of a remember cookie after its exchange. The maximum is five minutes, since a stolen
    /// copy of a replaced secret is accepted for this long, too.
    ///
    /// Default: [30 seconds](RememberGrace::UntilSeen), and for a token secret longer if the
    /// browser has not yet shown that it received the new one.
    pub fn grace(mut self, grace: RememberGrace) -> Self {
        self.grace = grace;
        self
    }

    /// Sets the maximum number of sessions in which a user can be remembered, at least 1. Beyond
    /// it, the oldest is no longer remembered, but its session continues. Default: no limit.
    pub fn max_browsers(mut self, limit: usize) -> Self {
        self.max_browsers = Some(limit);
        self
    }

    /// Checks settings that come from a configuration file.
    ///
    /// # Errors
    /// - if a lifetime is less than a second or more than 400 days, or `idle` is longer than
    ///   `at_most`
    /// - if the grace is longer than five minutes
    /// - if the limit is 0
    pub fn check(&self) -> Result<(), ConfigError> {
        match self.at_most {
            None => Timeouts::check_one("RememberMe::lifetime", self.lifetime)?,
            Some(at_most) => {
                Timeouts::check_one("RememberMe::sliding", self.lifetime)?;
                Timeouts::check_one("RememberMe::sliding", at_most)?;
                if self.lifetime > at_most {
                    return Err(ConfigError::new(
                        "RememberMe::sliding",
                        format!("{:?}, {at_most:?}", self.lifetime),
                        "the first duration must not be longer than the second",
                    ));
                }
            }
        }
        if self.grace.length() > MAX_GRACE {
            return Err(ConfigError::new(
                "RememberMe::grace",
                format!("{:?}", self.grace.length()),
                "a grace is at most five minutes",
            ));
        }
        match self.max_browsers {
            Some(limit) => ConfigError::check_limit("RememberMe::max_browsers", limit),
            None => Ok(()),
        }
    }

    /// The lifetime of a new remember cookie.
    pub(crate) fn new_lifetime(&self) -> Duration {
        self.lifetime
    }

    /// The grace in milliseconds.
    pub(crate) fn grace_length(&self) -> Millis {
        millis(self.grace.length())
    }

    pub(crate) fn grace_kind(&self) -> RememberGrace {
        self.grace
    }

    pub(crate) fn limit(&self) -> Option<usize> {
        self.max_browsers
    }

    /// When a remember cookie that was issued at `issued` and is used at `now` expires.
    pub(crate) fn ends(&self, ends: Millis, issued: Millis, now: Millis) -> Millis {
        match self.at_most {
            None => ends,
            Some(at_most) => {
                let longest = issued.saturating_add(millis(at_most));
                let idle = now.saturating_add(millis(self.lifetime));
                idle.max(ends).min(longest)
            }
        }
    }
}

impl Default for RememberMe {
    fn default() -> Self {
        Self::new()
    }
}
