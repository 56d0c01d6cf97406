//! [`Purpose`]: what a token is for, and its limits.

use std::time::Duration;

use crate::{error::ConfigError, timeouts::Timeouts};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Timeouts and cookies of this crate have the same maximum (RFC 6265bis).
const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// What a token is for. A token is only redeemed for the purpose that it was issued for, and a user
/// has at most one valid token for each purpose.
///
/// ```
/// use std::time::Duration;
/// use login_manager::tokens::Purpose;
///
/// const RESET: Purpose = Purpose::reset().lifetime(Duration::from_secs(30 * 60));
/// const CLOSE_ACCOUNT: Purpose = Purpose::new("close_account", Duration::from_secs(60 * 60));
/// # let _ = (RESET, CLOSE_ACCOUNT);
/// ```
///
/// Nothing is checked until a purpose is used, or [`check`](Purpose::check) is called. Keep each in
/// a constant, so that the handler that issues a token and the one that redeems it agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Purpose {
    name: &'static str,
    is_own: bool,
    pub(super) lifetime: Duration,
    longest: Duration,
    pub(super) gap: Duration,
    pub(super) code: Option<Code>,
    /// Whether the token remains valid after a change of password or address, which it may have to
    /// undo.
    pub(super) undoes: bool,
    /// The name of a setting that this kind of token doesn't have.
    misplaced: Option<&'static str>,
}

/// The shape of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Code {
    pub(super) digits: u8,
    pub(super) tries: u8,
}

/// The names of the built-in purposes.
const BUILT_IN: [&str; 7] = [
    "reset",
    "verification",
    "change_of_address",
    "undo",
    "login_link",
    "invitation",
    "code",
];

impl Purpose {
    const fn link(name: &'static str, lifetime: Duration, longest: Duration) -> Self {
        Self {
            name,
            is_own: false,
            lifetime,
            longest,
            gap: Duration::from_secs(5 * 60),
            code: None,
            undoes: false,
            misplaced: None,
        }
    }

    /// A password reset: valid for 1 hour by default, and for 24 hours at most.
    pub const fn reset() -> Self {
        Self::link("reset", HOUR, DAY)
    }

    /// Verification of the user's address: valid for 24 hours.
    pub const fn verification() -> Self {
        Self::link("verification", DAY, LONGEST)
    }

    /// A change of address, sent to the new one, which the token [carries](super::Issue::carry):
    /// valid for 24 hours.
    pub const fn change_of_address() -> Self {
        Self::link("change_of_address", DAY, LONGEST)
    }

    /// Undoes a change of address. It is sent to the old address and valid for 7 days.
    ///
    /// An intruder who has changed the address may also change the password, so this token is not
    /// bound to the stamp and the current address, and
    /// [`withdraw_all`](super::Tokens::withdraw_all) leaves it alone. There is one token for each
    /// user and address to restore, so that a second change doesn't replace the first token. Once
    /// an older token is redeemed, the tokens issued between its issue and its use are invalid.
    pub const fn undo() -> Self {
        let mut purpose = Self::link("undo", Duration::from_secs(7 * 24 * 60 * 60), LONGEST);
        purpose.undoes = true;
        purpose
    }

    /// A link that logs the user in: valid for 10 minutes by default, and for 24 hours at most.
    pub const fn login_link() -> Self {
        Self::link("login_link", Duration::from_secs(10 * 60), DAY)
    }

    /// An [invitation](super::Tokens::invite): valid for 7 days.
    pub const fn invitation() -> Self {
        Self::link("invitation", Duration::from_secs(7 * 24 * 60 * 60), LONGEST)
    }

    /// A short code: by default 6 digits, valid for 10 minutes and 5 tries; valid for 24 hours at
    /// most.
    pub const fn code() -> Self {
        let mut purpose = Self::link("code", Duration::from_secs(10 * 60), DAY);
        purpose.code = Some(Code {
            digits: 6,
            tries: 5,
        });
        purpose
    }

    /// A purpose of your own, with tokens for links. The name is 1 to 64 ASCII letters, digits,
    /// hyphens and underscores, and not one of the built-in ones: `reset`, `verification`,
    /// `change_of_address`, `undo`, `login_link`, `invitation`, `code`.
    pub const fn new(name: &'static str, lifetime: Duration) -> Self {
        let mut purpose = Self::link(name, lifetime, LONGEST);
        purpose.is_own = true;
        purpose
    }

    /// A purpose of your own with [codes](Purpose::code). The rules for its name are those of
    /// [`new`](Purpose::new).
    pub const fn new_code(name: &'static str) -> Self {
        let mut purpose = Self::code();
        purpose.name = name;
        purpose.is_own = true;
        purpose
    }

    /// Sets how long a token is valid: from a second to the maximum of the purpose, which is 400
    /// days unless its documentation says 24 hours.
    pub const fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Sets the time after a token was issued in which no other one is issued. Default: 5 minutes.
    /// At most 24 hours; zero means that every request gets a new token.
    ///
    /// Without a gap, anyone who knows an address can fill its mailbox, and can replace the token
    /// in the owner's mail before the owner opens it.
    pub const fn gap(mut self, gap: Duration) -> Self {
        self.gap = gap;
        self
    }

    /// Sets how many digits a code has. Default: 6, at most 12.
    pub const fn digits(mut self, digits: u8) -> Self {
        match &mut self.code {
            Some(code) => code.digits = digits,
            None => self.misplaced = Some("Purpose::digits"),
        }
        self
    }

    /// Sets how often a code can be tried. Default: 5, at most 10.
    pub const fn tries(mut self, tries: u8) -> Self {
        match &mut self.code {
            Some(code) => code.tries = tries,
            None => self.misplaced = Some("Purpose::tries"),
        }
        self
    }

    /// Returns the name, as events show it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Checks settings that come from a configuration file.
    ///
    /// # Errors
    /// - if the name, the lifetime, the gap, the number of digits or the number of tries is out of
    ///   its range
    /// - if digits or tries are set for a purpose that has no codes
    pub fn check(&self) -> Result<(), ConfigError> {
        let Self { name, code, .. } = *self;
        if let Some(setting) = self.misplaced {
            return Err(ConfigError::new(setting, name, "only codes have it"));
        }
        let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if !(1..=64).contains(&name.len()) || !name.bytes().all(is_name) {
            let accepted = "a name is 1 to 64 ASCII letters, digits, hyphens and underscores";
            return Err(ConfigError::new("Purpose::new", name, accepted));
        }
        if self.is_own && BUILT_IN.contains(&name) {
            let accepted = "this is the name of a built-in purpose";
            return Err(ConfigError::new("Purpose::new", name, accepted));
        }
        Timeouts::check_one("Purpose::lifetime", self.lifetime)?;
        if self.lifetime > self.longest {
            let given = format!("{:?}", self.lifetime);
            let accepted = "such a token is valid for at most 24 hours";
            return Err(ConfigError::new("Purpose::lifetime", given, accepted));
        }
        if self.gap > DAY {
            let given = format!("{:?}", self.gap);
            let accepted = "it is at most 24 hours";
            return Err(ConfigError::new("Purpose::gap", given, accepted));
        }
        let Some(Code { digits, tries }) = code else {
            return Ok(());
        };
        if !(6..=12).contains(&digits) {
            let accepted = "a code has 6 to 12 digits";
            return Err(ConfigError::new(
                "Purpose::digits",
                digits.to_string(),
                accepted,
            ));
        }
        if !(1..=10).contains(&tries) {
            let accepted = "a code has 1 to 10 tries";
            return Err(ConfigError::new(
                "Purpose::tries",
                tries.to_string(),
                accepted,
            ));
        }
        Ok(())
    }

    /// Panics at the caller's location unless this is a valid purpose with links.
    #[track_caller]
    pub(super) fn expect_link(self) -> Self {
        ConfigError::expect_none(self.check());
        if self.code.is_some() {
            let accepted = "codes are redeemed by `redeem_code`";
            let error = ConfigError::new("Tokens", self.name, accepted);
            ConfigError::expect_none::<()>(Err(error));
        }
        self
    }

    /// Panics at the caller's location unless this is a valid purpose with codes. Returns their
    /// shape.
    #[track_caller]
    pub(super) fn expect_code(self) -> Code {
        ConfigError::expect_none(self.check());
        let accepted = "`redeem_code` is only for codes";
        let none = || ConfigError::new("Tokens::redeem_code", self.name, accepted);
        ConfigError::expect_none(self.code.ok_or_else(none))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn built_in_purposes_are_valid() {
        let purposes = [
            Purpose::reset(),
            Purpose::verification(),
            Purpose::change_of_address(),
            Purpose::undo(),
            Purpose::login_link(),
            Purpose::invitation(),
            Purpose::code(),
        ];
        assert_eq!(purposes.map(|purpose| purpose.name()), BUILT_IN);
        let lifetimes = purposes.map(|purpose| purpose.lifetime.as_secs() / 60);
        let day = 24 * 60;
        assert_eq!(lifetimes, [60, day, day, 7 * day, 10, 7 * day, 10]);
        for purpose in purposes {
            assert_eq!((purpose.check(), purpose.gap), (Ok(()), 5 * MINUTE));
        }
    }

    #[test]
    fn settings_out_of_range_are_rejected() {
        let too_long = DAY + SECOND;
        let rejected = [
            (Purpose::reset().lifetime(too_long), "Purpose::lifetime"),
            (
                Purpose::login_link().lifetime(too_long),
                "Purpose::lifetime",
            ),
            (Purpose::code().lifetime(too_long), "Purpose::lifetime"),
            (
                Purpose::reset().lifetime(Duration::ZERO),
                "Purpose::lifetime",
            ),
            (
                Purpose::invitation().lifetime(401 * DAY),
                "Purpose::lifetime",
            ),
            (Purpose::reset().gap(too_long), "Purpose::gap"),
            (Purpose::code().digits(5), "Purpose::digits"),
            (Purpose::code().digits(13), "Purpose::digits"),
            (Purpose::code().tries(0), "Purpose::tries"),
            (Purpose::code().tries(11), "Purpose::tries"),
            (Purpose::reset().digits(8), "Purpose::digits"),
            (Purpose::reset().tries(3), "Purpose::tries"),
            (Purpose::new("", HOUR), "Purpose::new"),
            (Purpose::new("a/b", HOUR), "Purpose::new"),
            (Purpose::new("reset", HOUR), "Purpose::new"),
            (Purpose::new_code("code"), "Purpose::new"),
        ];
        for (purpose, setting) in rejected {
            let error = purpose.check().unwrap_err();
            assert_eq!(error.setting(), setting, "{purpose:?}");
        }
        let accepted = [
            Purpose::reset().lifetime(DAY),
            Purpose::reset().gap(Duration::ZERO),
            Purpose::verification().lifetime(400 * DAY),
            Purpose::new("close_account", SECOND),
            Purpose::new_code("payment").digits(12).tries(10),
        ];
        for purpose in accepted {
            assert_eq!(purpose.check(), Ok(()));
        }
    }
}
