//! Runs argon2. This is synchronous and slow, so call it on a blocking thread.

use std::hint::black_box;
#[cfg(test)]
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use argon2::{Argon2, Params, PasswordHash, PasswordHasher as _};

use super::{
    Argon2Cost, PasswordError, Verdict,
    argon2_hash::Argon2Hash,
    plaintext::Plaintext,
    scheme::{ALGORITHM, SALT_BYTES, TAG_BYTES, VERSION},
    stored::Stored,
};
use crate::error::BoxError;

#[derive(Clone)]
pub(super) struct Hasher {
    pub(super) cost: Argon2Cost,
    /// KiB filled so far, over all runs.
    #[cfg(test)]
    pub(super) spent: Arc<AtomicU32>,
}

impl Hasher {
    pub(super) fn new(cost: Argon2Cost) -> Self {
        Self {
            cost,
            #[cfg(test)]
            spent: Arc::default(),
        }
    }

    pub(super) fn hash(
        &self,
        password: &Plaintext,
        salt: [u8; SALT_BYTES],
    ) -> Result<String, PasswordError> {
        let argon2 = self.argon2(self.cost.memory_kib(), self.cost.passes());
        let hash = self.run(&argon2.map_err(failed)?, password, &salt)?;
        Ok(hash.to_string())
    }

    /// Checks a password. Every check takes at least the work of one full hash: if the stored hash
    /// is cheaper, or there is none, the rest of the work is done all the same and its result
    /// discarded. Otherwise the time would reveal whether an account exists, or has an old hash.
    /// The work of other algorithms can't be compared, so a full hash is computed in addition.
    pub(super) fn verify(
        &self,
        password: &Plaintext,
        stored: Option<&Stored>,
    ) -> Result<Verdict, PasswordError> {
        let (verdict, done) = match stored {
            Some(Stored::Argon2(stored)) => (self.compare(password, stored)?, stored.cost().work()),
            Some(Stored::Other(stored)) if stored.matches(password.as_received()) => {
                (Verdict::ValidOutdated, 0)
            }
            Some(Stored::Other(_)) => (Verdict::Invalid, 0),
            None => (Verdict::Invalid, 0),
        };
        self.burn(password, self.cost.work().saturating_sub(done))?;
        Ok(verdict)
    }

    fn compare(&self, password: &Plaintext, stored: &Argon2Hash) -> Result<Verdict, PasswordError> {
        let computed = self.run(&stored.argon2(), password, stored.salt())?;
        Ok(match stored.has_tag(computed.hash) {
            true if stored.is_outdated(self.cost) => Verdict::ValidOutdated,
            true => Verdict::Valid,
            false => Verdict::Invalid,
        })
    }

    /// Fills `work` KiB and discards the result, with no more memory at a time than a hash needs.
    fn burn(&self, password: &Plaintext, work: u32) -> Result<(), PasswordError> {
        let passes = work.div_ceil(self.cost.memory_kib());
        let memory_kib = work.checked_div(passes).unwrap_or(0);
        // This fails below argon2's minimum of a few KiB, which takes too little time to measure.
        if let Ok(argon2) = self.argon2(memory_kib, passes) {
            black_box(self.run(&argon2, password, &[0; SALT_BYTES])?);
        }
        Ok(())
    }

    fn argon2(&self, memory_kib: u32, passes: u32) -> argon2::Result<Argon2<'static>> {
        let params = Params::new(memory_kib, passes, self.cost.lanes(), Some(TAG_BYTES))?;
        Ok(Argon2::new(ALGORITHM, VERSION, params))
    }

    /// The only place where argon2 runs, so that tests can measure the work of a check.
    fn run(
        &self,
        argon2: &Argon2<'_>,
        password: &Plaintext,
        salt: &[u8],
    ) -> Result<PasswordHash, PasswordError> {
        #[cfg(test)]
        self.spent
            .fetch_add(Argon2Cost::of(argon2.params()).work(), Ordering::Relaxed);
        argon2
            .hash_password_with_salt(password.as_bytes(), salt)
            .map_err(failed)
    }
}

fn failed(error: impl Into<BoxError>) -> PasswordError {
    PasswordError::Failed(error.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use argon2::Algorithm;

    use super::*;

    const COST: Argon2Cost = Argon2Cost::new(64, 3, 1);
    const FULL: u32 = 64 * 3;

    fn typed(text: &str) -> Plaintext {
        Plaintext::receive(text).unwrap()
    }

    fn stored_with(cost: Argon2Cost, password: &str) -> Stored {
        let hash = Hasher::new(cost)
            .hash(&typed(password), [7; SALT_BYTES])
            .unwrap();
        Stored::parse(&hash).unwrap()
    }

    /// The result of a check, and the work that it takes.
    fn check(cost: Argon2Cost, password: &str, stored: Option<&Stored>) -> (Verdict, u32) {
        let hasher = Hasher::new(cost);
        let verdict = hasher.verify(&typed(password), stored).unwrap();
        (verdict, hasher.spent.load(Ordering::Relaxed))
    }

    #[test]
    fn agrees_with_the_reference_implementation() {
        // From test.c of github.com/P-H-C/phc-winner-argon2. The first two are from the time before
        // hashes contained their version.
        for text in [
            "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
            "$argon2i$m=256,t=2,p=2$c29tZXNhbHQ$tsEVYKap1h6scGt5ovl9aLRGOqOth+AMB+KwHpDFZPs",
            "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        ] {
            let stored = Stored::parse(text).unwrap();
            assert_eq!(
                check(COST, "password", Some(&stored)).0,
                Verdict::ValidOutdated,
                "{text}"
            );
            assert_eq!(
                check(COST, "sassword", Some(&stored)).0,
                Verdict::Invalid,
                "{text}"
            );
        }
    }

    #[test]
    fn every_check_costs_one_full_hash() {
        let current = stored_with(COST, "right");
        assert_eq!(check(COST, "right", Some(&current)), (Verdict::Valid, FULL));
        assert_eq!(
            check(COST, "wrong", Some(&current)),
            (Verdict::Invalid, FULL)
        );
        assert_eq!(check(COST, "right", None), (Verdict::Invalid, FULL));
    }

    #[test]
    fn cheaper_stored_hash_costs_one_full_hash() {
        for (memory, passes) in [
            (64, 1),
            (64, 2),
            (32, 3),
            (32, 1),
            (16, 3),
            (8, 1),
            (63, 3),
            (40, 4),
        ] {
            let cheaper = stored_with(Argon2Cost::new(memory, passes, 1), "right");
            for (password, expected) in [
                ("right", Verdict::ValidOutdated),
                ("wrong", Verdict::Invalid),
            ] {
                let (verdict, spent) = check(COST, password, Some(&cheaper));
                assert_eq!(verdict, expected);
                // A run can't fill less than 8 KiB, nor split them between two passes.
                assert!(
                    FULL - spent < 8 + COST.passes(),
                    "m={memory},t={passes}: {spent} of {FULL}"
                );
            }
        }
    }

    #[test]
    fn extra_work_takes_no_more_memory_than_a_hash() {
        let cheaper = stored_with(Argon2Cost::new(8, 1, 1), "right");
        let hasher = Hasher::new(Argon2Cost::new(64, 30, 1));
        let _ = hasher.verify(&typed("right"), Some(&cheaper)).unwrap();
        // 1912 KiB are missing: 30 passes over 63 KiB.
        assert_eq!(hasher.spent.load(Ordering::Relaxed), 8 + 30 * 63);
    }

    #[test]
    fn costlier_stored_hash_costs_its_own_work() {
        let dearer = stored_with(Argon2Cost::new(128, 4, 1), "right");
        assert_eq!(
            check(COST, "right", Some(&dearer)),
            (Verdict::Valid, 128 * 4)
        );
        assert_eq!(
            check(COST, "wrong", Some(&dearer)),
            (Verdict::Invalid, 128 * 4)
        );
    }

    #[test]
    fn lanes_do_not_change_the_cost() {
        let cost = Argon2Cost::new(128, 2, 4);
        let stored = stored_with(cost, "right");
        assert_eq!(check(cost, "right", Some(&stored)), (Verdict::Valid, 256));
        assert_eq!(check(cost, "right", None), (Verdict::Invalid, 256));
    }

    #[test]
    fn other_argon2_variants_are_checked_and_outdated() {
        for algorithm in [Algorithm::Argon2i, Algorithm::Argon2d] {
            let params = Params::new(64, 3, 1, None).unwrap();
            let hash = Argon2::new(algorithm, VERSION, params)
                .hash_password_with_salt(b"right", &[7; SALT_BYTES])
                .unwrap()
                .to_string();
            let stored = Stored::parse(&hash).unwrap();
            assert_eq!(
                check(COST, "right", Some(&stored)),
                (Verdict::ValidOutdated, FULL)
            );
            assert_eq!(
                check(COST, "wrong", Some(&stored)),
                (Verdict::Invalid, FULL)
            );
        }
    }

    #[test]
    fn password_is_never_truncated() {
        let long = "a".repeat(4096);
        let stored = stored_with(COST, &long);
        assert!(check(COST, &long, Some(&stored)).0.is_valid());
        for at in [
            0, 7, 8, 55, 63, 64, 71, 72, 73, 127, 128, 255, 256, 511, 512, 1023, 1024, 1025, 4094,
            4095,
        ] {
            let mut other = long.clone();
            other.replace_range(at..=at, "b");
            assert!(
                !check(COST, &other, Some(&stored)).0.is_valid(),
                "byte {at}"
            );
        }
        assert!(!check(COST, &long[1..], Some(&stored)).0.is_valid());
    }

    #[test]
    fn sixty_four_code_points_of_any_script_are_accepted() {
        for character in ["a", "é", "語", "🦀"] {
            let password = character.repeat(64);
            let stored = stored_with(COST, &password);
            assert!(check(COST, &password, Some(&stored)).0.is_valid());
            assert!(
                !check(COST, &character.repeat(63), Some(&stored))
                    .0
                    .is_valid()
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_changed_byte_is_another_password(
            password in "[ -~]{1,300}",
            at in any::<prop::sample::Index>(),
            flip in 0..5_u32,
        ) {
            let mut other = password.clone().into_bytes();
            let at = at.index(other.len());
            other[at] ^= 1 << flip;
            let other = String::from_utf8(other).unwrap();
            let stored = stored_with(COST, &password);
            prop_assert!(check(COST, &password, Some(&stored)).0.is_valid());
            prop_assert!(!check(COST, &other, Some(&stored)).0.is_valid());
        }
    }
}
