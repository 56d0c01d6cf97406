//! What a check of a password found.

/// What [`Passwords::verify`](super::Passwords::verify) found.
///
/// Ask [`is_valid`](Self::is_valid) whether the person may come in, and [`needs_rehash`](Self::needs_rehash) whether
/// to store a new hash while the password is at hand. Why a password is not valid stays unsaid: whoever is told
/// that a user doesn't exist has learned something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a password that nobody looks at the verdict of has not been checked"]
#[non_exhaustive]
pub enum Verdict {
    /// The password is right.
    Valid,
    /// The password is right, and its stored hash is weaker than one made today: replace it.
    ValidOutdated,
    /// Wrong password, no such user, or no hash that anybody could match.
    Invalid,
}

impl Verdict {
    /// Whether the password is right, [outdated](Self::ValidOutdated) or not.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        matches!(self, Self::Valid | Self::ValidOutdated)
    }

    /// Whether the password is right and its stored hash should be replaced by a new one.
    ///
    /// Never true for a wrong password, nor for a hash that is at least as strong as a new one would be.
    #[must_use]
    pub const fn needs_rehash(self) -> bool {
        matches!(self, Self::ValidOutdated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i9_only_a_right_password_renews_its_hash() {
        let answers = |verdict: Verdict| (verdict.is_valid(), verdict.needs_rehash());
        assert_eq!(answers(Verdict::Valid), (true, false));
        assert_eq!(answers(Verdict::ValidOutdated), (true, true));
        assert_eq!(answers(Verdict::Invalid), (false, false));
    }
}
