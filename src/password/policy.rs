//! Rules for new passwords.

use std::{fmt, sync::Arc};

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::{Passwords, Weakness};
use crate::error::ConfigError;

/// Rules for new passwords: length, context and known passwords. Nothing else: no mix of character
/// classes is required, and no password expires.
///
/// Check a password when a user chooses it, not at a login: users with an older password must still
/// be able to log in.
///
/// ```
/// use login_manager::password::{PasswordPolicy, Weakness};
///
/// let policy = PasswordPolicy::default();
/// let context = ["alice@example.com", "Example Bank"]; // the user's name, the site's name
/// assert!(policy.check("a rabbit hole in Oxford", &context).is_ok());
///
/// let weakness = policy.check("down the hole", &context).unwrap_err();
/// assert_eq!(weakness, Weakness::TooShort { min: 15 });
/// assert_eq!(
///     weakness.to_string(), // for the user
///     "The password is too short: use at least 15 characters. A few words are best."
/// );
/// assert_eq!(policy.check("Alice+Example2026", &context), Err(Weakness::ContextWords));
/// ```
///
/// # Numbers
///
/// - **At least 15 characters**, or [8 with a second factor](Self::with_second_factor): NIST SP
///   800-63B-4 (3.1.1.2); OWASP ASVS 5.0 (6.2.1) requires 8 and recommends 15. Characters are
///   Unicode code points after NFC normalization, as NIST counts them.
/// - **At most 4096 bytes**: [`Passwords::MAX_BYTES`].
/// - **No composition rules and no expiry**: NIST forbids both (3.1.1.2), as does ASVS (6.2.5,
///   6.2.10).
/// - **Context words** (NIST 3.1.1.2; ASVS 6.2.11): a password is rejected if nothing is left of it
///   without these words, digits, spaces and punctuation. Each text is also split into its words,
///   of which those of at least 3 letters count. A password that only contains such a word is
///   accepted, since NIST asks to compare whole passwords.
/// - **Common passwords** (feature `common-passwords`): the 3000 most common ones of at least 8
///   characters, in upper or lower case, as ASVS 6.2.4 asks. With the minimum of 15 characters, the
///   list has no more than about 200: longer ones are rare in the
///   [published lists](https://github.com/danielmiessler/SecLists). For more, use
#[cfg_attr(
    feature = "breached-passwords",
    doc = "  [`BreachedPasswords`](super::BreachedPasswords)."
)]
#[cfg_attr(
    not(feature = "breached-passwords"),
    doc = "  `BreachedPasswords` (feature `breached-passwords`)."
)]
#[derive(Clone)]
pub struct PasswordPolicy {
    min_chars: usize,
    more: Vec<Arc<Check>>,
}

type Check = dyn Fn(&str, &[&str]) -> Result<(), Weakness> + Send + Sync;

impl PasswordPolicy {
    /// The minimum if the password is the only factor: NIST SP 800-63B-4, 3.1.1.2.
    const MIN_CHARS: usize = 15;
    /// The minimum with a second factor, which is also that of ASVS 6.2.1.
    const MIN_CHARS_WITH_SECOND_FACTOR: usize = 8;
    /// The minimum length of a context word, in letters. Shorter ones tell nothing about a
    /// password.
    const MIN_WORD: usize = 3;

    /// Requires 8 characters instead of 15. Call it if every login also requires a second factor,
    /// such as a code or a passkey.
    #[must_use]
    pub fn with_second_factor(mut self) -> Self {
        self.min_chars = Self::MIN_CHARS_WITH_SECOND_FACTOR;
        self
    }

    /// Sets the minimum number of characters. Default: 15.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] if it is less than 8, the minimum of OWASP ASVS 5.0 (6.2.1), or
    /// more than 64, the length that NIST SP 800-63B-4 requires to be accepted.
    pub fn with_min_chars(mut self, min: usize) -> Result<Self, ConfigError> {
        if !(Self::MIN_CHARS_WITH_SECOND_FACTOR..=64).contains(&min) {
            let accepted = "a minimum is from 8 to 64 characters";
            return Err(ConfigError::new(
                "with_min_chars",
                min.to_string(),
                accepted,
            ));
        }
        self.min_chars = min;
        Ok(self)
    }

    /// Adds a check that runs if all others accept the password. It receives the password and the
    /// context that [`check`](Self::check) was called with.
    ///
    /// For example, the check can estimate the strength:
    ///
    /// ```
    /// # mod zxcvbn {
    /// #     pub struct Entropy;
    /// #     impl Entropy { pub fn score(&self) -> u8 { 4 } }
    /// #     pub fn zxcvbn(_: &str, _: &[&str]) -> Entropy { Entropy }
    /// # }
    /// use login_manager::password::{PasswordPolicy, Weakness};
    ///
    /// let policy = PasswordPolicy::default().and(|password, context| {
    ///     match zxcvbn::zxcvbn(password, context).score() {
    ///         0..3 => Err(Weakness::other("The password is easy to guess.")),
    ///         _ => Ok(()),
    ///     }
    /// });
    /// # policy.check("correct horse battery staple", &[]).unwrap();
    /// ```
    ///
    /// Make checks that have to wait, such as a request to an online service, after the call to
    /// [`check`](Self::check).
    #[must_use]
    pub fn and(
        mut self,
        check: impl Fn(&str, &[&str]) -> Result<(), Weakness> + Send + Sync + 'static,
    ) -> Self {
        self.more.push(Arc::new(check));
        self
    }

    /// Checks a new password. The context consists of words that are easy to guess for this user:
    /// their name and address, and the name of the site.
    ///
    /// # Errors
    ///
    /// The first [`Weakness`] of:
    /// - [`TooLong`](Weakness::TooLong), [`TooShort`](Weakness::TooShort)
    /// - [`ContextWords`](Weakness::ContextWords)
    /// - [`Common`](Weakness::Common), with the feature `common-passwords`
    /// - those of the checks that were added with [`and`](Self::and)
    pub fn check(&self, password: &str, context: &[&str]) -> Result<(), Weakness> {
        if password.len() > Passwords::MAX_BYTES {
            return Err(Weakness::TooLong {
                limit: Passwords::MAX_BYTES,
            });
        }
        if password.nfc().count() < self.min_chars {
            return Err(Weakness::TooShort {
                min: self.min_chars,
            });
        }
        if is_of_context(password, context) {
            return Err(Weakness::ContextWords);
        }
        #[cfg(feature = "common-passwords")]
        if super::common::contains(password) {
            return Err(Weakness::Common);
        }
        self.more
            .iter()
            .try_for_each(|check| check(password, context))
    }
}

impl Default for PasswordPolicy {
    /// At least 15 characters.
    fn default() -> Self {
        Self {
            min_chars: Self::MIN_CHARS,
            more: Vec::new(),
        }
    }
}

impl fmt::Debug for PasswordPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordPolicy")
            .field("min_chars", &self.min_chars)
            .field("more", &self.more.len())
            .finish()
    }
}

/// Whether no letter is left of a password without the words of the context.
fn is_of_context(password: &str, context: &[&str]) -> bool {
    let mut words: Vec<String> = context
        .iter()
        .flat_map(|text| text.split(|char: char| !char.is_alphabetic()))
        .map(lower_case)
        .filter(|word| word.chars().count() >= PasswordPolicy::MIN_WORD)
        .collect();
    // A word may contain another one.
    words.sort_unstable_by_key(|word| std::cmp::Reverse(word.len()));
    let mut rest = Zeroizing::new(lower_case(password));
    let mut is_found = false;
    for word in &words {
        is_found |= rest.contains(&**word);
        // A space, so that the letters around a word don't form another one.
        rest = Zeroizing::new(rest.replace(&**word, " "));
    }
    is_found && !rest.contains(char::is_alphabetic)
}

fn lower_case(text: &str) -> String {
    text.nfc().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT: [&str; 3] = ["alice@example.com", "Café Wonderland", "Al"];

    fn check(password: &str) -> Result<(), Weakness> {
        PasswordPolicy::default().check(password, &CONTEXT)
    }

    #[test]
    fn minimum_is_15_code_points_of_any_script() {
        for character in ["x", "é", "e\u{301}", "語", "🦀"] {
            assert!(check(&character.repeat(15)).is_ok(), "{character}");
            let refused = check(&character.repeat(14));
            assert_eq!(refused, Err(Weakness::TooShort { min: 15 }), "{character}");
        }
        // A family of 7 code points: three people and the joiners between them are 5.
        assert!(check(&"👩\u{200d}👩\u{200d}👧".repeat(3)).is_ok());
        assert!(check(&"👩\u{200d}👩\u{200d}👧".repeat(2)).is_err());
    }

    #[test]
    fn minimum_is_8_with_a_second_factor() {
        let policy = PasswordPolicy::default().with_second_factor();
        assert!(policy.check("jabberwo", &[]).is_ok());
        let refused = policy.check("jabberw", &[]);
        assert_eq!(refused, Err(Weakness::TooShort { min: 8 }));
    }

    #[test]
    fn minimum_is_from_8_to_64() {
        for (min, accepted) in [(0, false), (7, false), (8, true), (64, true), (65, false)] {
            let policy = PasswordPolicy::default().with_min_chars(min);
            assert_eq!(policy.is_ok(), accepted, "{min}");
        }
    }

    #[test]
    fn maximum_is_that_of_hashing() {
        assert!(check(&"x".repeat(4096)).is_ok());
        for long in ["x".repeat(4097), "é".repeat(2049), "x".repeat(1 << 20)] {
            assert_eq!(check(&long), Err(Weakness::TooLong { limit: 4096 }));
        }
    }

    #[test]
    fn password_of_nothing_but_context_words_is_rejected() {
        for password in [
            "alicealicealice",
            "Alice@Example.com",
            "EXAMPLE-2026-2026!",
            "Wonderland Wonderland",
            "cafe\u{301}wonderland1",
            "123456789 alice 1",
        ] {
            assert_eq!(check(password), Err(Weakness::ContextWords), "{password}");
        }
        for password in [
            "alice in chains of gold",
            "alxalxalxalxalx",
            "exampalice-le-2026",
            "31415926535897932",
            "--- --- --- --- ---",
        ] {
            assert_eq!(check(password), Ok(()), "{password}");
        }
        let policy = PasswordPolicy::default();
        assert!(
            policy
                .check("alicealicealice", &["", " ", "1", "al"])
                .is_ok()
        );
    }

    #[test]
    fn no_composition_rules() {
        for password in [
            "xxxxxxxxxxxxxxx",
            "               ",
            "a\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        ] {
            assert_eq!(check(password), Ok(()), "{password:?}");
        }
    }

    #[cfg(feature = "common-passwords")]
    #[test]
    fn common_passwords_are_rejected() {
        assert_eq!(check("QwertyUiopAsdfgh"), Err(Weakness::Common));
        let policy = PasswordPolicy::default().with_second_factor();
        assert_eq!(policy.check("password", &[]), Err(Weakness::Common));
    }

    #[test]
    fn further_checks_run_last_and_in_order() {
        let policy = PasswordPolicy::default()
            .and(|password, context| {
                assert_eq!(context, CONTEXT);
                match password.contains("rabbit") {
                    true => Err(Weakness::other("No rabbits.")),
                    false => Ok(()),
                }
            })
            .and(|_, _| Err(Weakness::Breached));
        assert!(matches!(
            policy.check("rabbit", &CONTEXT),
            Err(Weakness::TooShort { .. })
        ));
        let refused = policy.check("a rabbit with a watch", &CONTEXT).unwrap_err();
        assert_eq!(
            (refused.as_str(), &*refused.to_string()),
            ("other", "No rabbits.")
        );
        let refused = policy.check("a hare with a watch", &CONTEXT);
        assert_eq!(refused, Err(Weakness::Breached));
    }

    #[test]
    fn no_weakness_contains_the_password() {
        let long = "hunter2".repeat(1000);
        for password in ["hunter2", &*long, "hunter2hunter2hunter2"] {
            let refused = PasswordPolicy::default().check(password, &["hunter"]);
            let refused = refused.unwrap_err();
            assert!(!format!("{refused} {refused:?}").contains("hunter2"));
        }
    }
}
