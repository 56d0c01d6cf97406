//! The result of checking a password.

/// The result of [`Passwords::verify`](super::Passwords::verify).
///
/// [`is_valid`](Self::is_valid) returns whether to log the user in, and
/// [`needs_rehash`](Self::needs_rehash) whether to store a new hash while the password is
/// available. The reason why a password is invalid is not included, so that it cannot reveal
/// whether a user exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a password is not checked unless the verdict is used"]
#[non_exhaustive]
pub enum Verdict {
    /// The password is correct.
    Valid,
    /// The password is correct, and its stored hash is weaker than a new one. Replace it.
    ValidOutdated,
    /// The password is wrong, the user is unknown, or the stored hash matches no password.
    Invalid,
}

impl Verdict {
    /// Returns whether the password is correct, even if its hash is
    /// [outdated](Self::ValidOutdated).
    #[must_use]
    pub const fn is_valid(self) -> bool {
        matches!(self, Self::Valid | Self::ValidOutdated)
    }

    /// Returns whether the password is correct and its stored hash should be replaced by a new one.
    ///
    /// It is false for a wrong password, and for hashes that are at least as strong as a new one.
    #[must_use]
    pub const fn needs_rehash(self) -> bool {
        matches!(self, Self::ValidOutdated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_valid_password_needs_a_rehash() {
        let answers = |verdict: Verdict| (verdict.is_valid(), verdict.needs_rehash());
        assert_eq!(answers(Verdict::Valid), (true, false));
        assert_eq!(answers(Verdict::ValidOutdated), (true, true));
        assert_eq!(answers(Verdict::Invalid), (false, false));
    }
}
