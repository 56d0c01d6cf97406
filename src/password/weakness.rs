//! The reason why a new password is not accepted.

use std::borrow::Cow;

/// The reason why a [`PasswordPolicy`](super::PasswordPolicy) rejects a password.
///
/// Displayed as a sentence for the user. It never contains the password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Weakness {
    /// The password has too few characters.
    #[error("The password is too short: use at least {min} characters. A few words are best.")]
    TooShort {
        /// The minimum number of characters (Unicode code points).
        min: usize,
    },
    /// The password is too long.
    #[error("The password is too long: it can have at most {limit} bytes.")]
    TooLong {
        /// The maximum length in bytes of UTF-8.
        limit: usize,
    },
    /// The password consists of nothing but the user's name, the name of the site, digits and
    /// punctuation.
    #[error("The password is little more than your name or the name of this site.")]
    ContextWords,
    /// The password is one of the most common ones.
    #[error("The password is one of the most common ones, which attackers try first.")]
    Common,
    /// The password has appeared in a data breach.
    #[error("The password has appeared in a data breach, so attackers know it.")]
    Breached,
    /// A check of the application's own, with its text for the user.
    #[error("{0}")]
    Other(Cow<'static, str>),
}

impl Weakness {
    /// Creates an [`Other`](Self::Other) with a text for the user. It must not contain the
    /// password.
    #[must_use]
    pub fn other(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Other(text.into())
    }

    /// Returns a stable name for translations: `too-short`, `too-long`, `context-words`, `common`,
    /// `breached` or `other`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::TooShort { .. } => "too-short",
            Self::TooLong { .. } => "too-long",
            Self::ContextWords => "context-words",
            Self::Common => "common",
            Self::Breached => "breached",
            Self::Other(_) => "other",
        }
    }
}
