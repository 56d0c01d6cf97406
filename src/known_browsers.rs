//! [`KnownBrowsers`]: how long a browser is known, and trusted.

use std::time::Duration;

use crate::{error::ConfigError, timeouts::Timeouts};

const DAY: u64 = 24 * 60 * 60;

/// The settings for known browsers, for
/// [`with_known_browsers`](crate::LoginManager::with_known_browsers): how many browsers of a user
/// are known, and for how long.
///
/// A login in which the user entered credentials sets a cookie with 256 random bits, which a logout
/// keeps. The cookie grants no access. It tells whether this user has logged in from this browser
/// before:
///
/// - The first login of a user from a browser emits a
///   [`NewBrowser`](crate::event::EventKind::NewBrowser) event, so that you can notify the user by
///   mail (OWASP ASVS 5.0, 6.3.5).
/// - Guesses from a [known browser](crate::Auth::known_browser) have a [count of their
///   own](crate::throttle#lanes), so strangers can't make the owner wait.
/// - After a second factor, [`trust_browser`](crate::Auth::trust_browser) lets the user skip it in
///   this browser for a while.
///
/// The store contains one entry for each user and browser, with a digest in place of the secret.
/// Each login costs two more store calls. If they fail, the login is valid all the same.
///
/// | | default | why |
/// |---|---|---|
/// | [`lifetime`](Self::lifetime) | 1 year after the last login | longer than any remember cookie, within the 400 days of RFC 6265bis |
/// | [`max_browsers`](Self::max_browsers) | the 20 used last | more than one person uses; the limit bounds the space that a user takes in the store |
/// | [`trusted_for`](Self::trusted_for) | 30 days | as long as a browser is remembered; assurance level 2 of NIST SP 800-63B-4 (2.2.3) requires both factors every 24 hours |
///
/// Settings are checked when the manager takes them, or when [`check`](KnownBrowsers::check) is
/// called.
///
/// In the manual: [Known browsers](crate::manual::sessions_of_a_user#known-browsers).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "it changes nothing until a manager takes it"]
pub struct KnownBrowsers {
    pub(crate) lifetime: Duration,
    pub(crate) trusted_for: Duration,
    pub(crate) max_browsers: usize,
}

impl KnownBrowsers {
    /// The default: the 20 browsers used last, known for a year and trusted for 30 days.
    pub fn new() -> Self {
        Self {
            lifetime: Duration::from_secs(365 * DAY),
            trusted_for: Duration::from_secs(30 * DAY),
            max_browsers: 20,
        }
    }

    /// Sets how long after a login a browser is known: from a second to 400 days, the maximum
    /// lifetime of a cookie (RFC 6265bis).
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Sets how long a browser is trusted after [`trust_browser`](crate::Auth::trust_browser): from
    /// a second to 400 days. Use does not extend it.
    pub fn trusted_for(mut self, time: Duration) -> Self {
        self.trusted_for = time;
        self
    }

    /// Sets how many browsers of a user are known, from 1 to 200. After a login in a further
    /// browser, the one that was used longest ago is no longer known.
    pub fn max_browsers(mut self, limit: usize) -> Self {
        self.max_browsers = limit;
        self
    }

    /// Checks settings that come from a configuration file.
    ///
    /// # Errors
    /// - if a duration is less than a second or more than 400 days
    /// - if the limit is 0 or more than 200
    pub fn check(&self) -> Result<(), ConfigError> {
        Timeouts::check_one("KnownBrowsers::lifetime", self.lifetime)?;
        Timeouts::check_one("KnownBrowsers::trusted_for", self.trusted_for)?;
        match self.max_browsers {
            1..=200 => Ok(()),
            limit => Err(ConfigError::new(
                "KnownBrowsers::max_browsers",
                limit.to_string(),
                "1 to 200 browsers of a user are known",
            )),
        }
    }
}

impl Default for KnownBrowsers {
    fn default() -> Self {
        Self::new()
    }
}
