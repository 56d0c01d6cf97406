//! The timeouts of a session.

use std::time::Duration;

use crate::{
    clock::{Millis, millis},
    error::ConfigError,
};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// The maximum lifetime of a cookie in RFC 6265bis.
const LONGEST: Duration = Duration::from_secs(400 * DAY);

/// The two timeouts of a session: idle, counted from its last use, and absolute, counted from the
/// login. The server enforces both.
///
/// Default: 24 hours idle, 14 days in total. NIST SP 800-63B-4 defines three sets, one for each
/// assurance level.
///
/// In the manual: [Configuration](crate::manual::configuration#lifetimes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    idle: Duration,
    absolute: Duration,
}

impl Timeouts {
    /// Creates custom timeouts. Both must be from a second to 400 days, the maximum lifetime of a
    /// cookie (RFC 6265bis).
    #[must_use]
    pub const fn new(idle: Duration, absolute: Duration) -> Self {
        Self { idle, absolute }
    }

    /// Checks timeouts that come from a configuration file.
    ///
    /// # Errors
    /// - if one of them is less than a second or more than 400 days
    pub fn check(&self) -> Result<(), ConfigError> {
        Self::check_one("Timeouts::new", self.idle)?;
        Self::check_one("Timeouts::new", self.absolute)
    }

    /// Rejects a duration of less than a second, or more than the maximum lifetime of a cookie.
    pub(crate) fn check_one(setting: &'static str, given: Duration) -> Result<(), ConfigError> {
        if (Duration::from_secs(1)..=LONGEST).contains(&given) {
            return Ok(());
        }
        Err(ConfigError::new(
            setting,
            format!("{given:?}"),
            "it must be between one second and 400 days",
        ))
    }

    /// Returns the timeouts of assurance level 1 (section 2.1.3): 30 days in total. NIST sets no
    /// idle timeout; this one is 7 days.
    #[must_use]
    pub const fn aal1() -> Self {
        Self {
            idle: Duration::from_secs(7 * DAY),
            absolute: Duration::from_secs(30 * DAY),
        }
    }

    /// Returns the timeouts of assurance level 2 (section 2.2.3): 1 hour idle, 24 hours in total.
    #[must_use]
    pub const fn aal2() -> Self {
        Self {
            idle: Duration::from_secs(HOUR),
            absolute: Duration::from_secs(DAY),
        }
    }

    /// Returns the timeouts of assurance level 3 (section 2.3.3): 15 minutes idle, 12 hours in
    /// total.
    #[must_use]
    pub const fn aal3() -> Self {
        Self {
            idle: Duration::from_secs(15 * MINUTE),
            absolute: Duration::from_secs(12 * HOUR),
        }
    }

    /// Returns the idle timeout: how long after its last use a session expires.
    #[must_use]
    pub const fn idle(&self) -> Duration {
        self.idle
    }

    /// Returns the absolute timeout: how long after the login a session expires, regardless of its
    /// use.
    #[must_use]
    pub const fn absolute(&self) -> Duration {
        self.absolute
    }

    /// The latest time at which a session that begins now ends.
    pub(crate) fn ends(&self, now: Millis) -> Millis {
        now.saturating_add(millis(self.absolute))
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(DAY),
            absolute: Duration::from_secs(14 * DAY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_too_long_timeouts_are_rejected() {
        let day = Duration::from_secs(DAY);
        for bad in [
            Duration::ZERO,
            Duration::from_nanos(1),
            Duration::from_secs(401 * DAY),
            Duration::MAX,
        ] {
            assert!(Timeouts::new(bad, day).check().is_err());
            assert!(Timeouts::new(day, bad).check().is_err());
        }
        assert!(Timeouts::new(day, LONGEST).check().is_ok());
    }

    #[test]
    fn no_time_overflows() {
        let timeouts = Timeouts::default();
        assert_eq!(timeouts.ends(i64::MAX), i64::MAX);
    }
}
