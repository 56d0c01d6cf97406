//! The cost of a hash: presets, minimum and maximum.

use std::fmt;

use argon2::Params;

use crate::error::ConfigError;

/// The cost of a password hash: the three parameters of argon2id.
///
/// | preset | memory | passes | lanes | source |
/// |---|---|---|---|---|
/// | [`OWASP_MINIMUM`](Self::OWASP_MINIMUM), the default | 19 MiB | 2 | 1 | OWASP Password Storage Cheat Sheet |
/// | [`RFC_9106_LOW_MEMORY`](Self::RFC_9106_LOW_MEMORY) | 64 MiB | 3 | 4 | RFC 9106, section 4 |
///
/// More memory slows down an attacker's graphics cards most; more passes come second. Choose the
/// highest cost that is acceptable for a login: the default takes about 15 to 30 ms of one core in
/// release builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Argon2Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Argon2Cost {
    /// 19 MiB, 2 passes, 1 lane: the minimum of the OWASP Password Storage Cheat Sheet.
    pub const OWASP_MINIMUM: Self = Self::new(19_456, 2, 1);

    /// 64 MiB, 3 passes, 4 lanes: the second recommended option of RFC 9106 (section 4), for
    /// environments with limited memory. It takes five times the work of the default.
    pub const RFC_9106_LOW_MEMORY: Self = Self::new(65_536, 3, 4);

    /// The minimum costs in the OWASP Password Storage Cheat Sheet: five equivalent pairs of memory
    /// in KiB and passes.
    const FLOOR: [(u32, u32); 5] = [
        (47_104, 1),
        (19_456, 2),
        (12_288, 3),
        (9_216, 4),
        (7_168, 5),
    ];

    /// The maximum: 1 GiB, 64 passes, 16 lanes. A stored hash with higher parameters is treated as
    /// an attack.
    const CEILING: Self = Self::new(1 << 20, 64, 16);

    /// Creates a cost from argon2's `m` (memory in KiB), `t` (passes) and `p` (lanes).
    ///
    /// [`Passwords::with_cost`](super::Passwords::with_cost) checks whether it is accepted.
    #[must_use]
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Self {
        Self {
            memory_kib,
            passes,
            lanes,
        }
    }

    /// Returns the memory of one hash in KiB: argon2's `m`.
    #[must_use]
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Returns how often the memory is filled: argon2's `t`.
    #[must_use]
    pub const fn passes(self) -> u32 {
        self.passes
    }

    /// Returns the number of lanes: argon2's `p`. This crate fills all lanes on one thread.
    #[must_use]
    pub const fn lanes(self) -> u32 {
        self.lanes
    }

    pub(super) fn of(params: &Params) -> Self {
        Self::new(params.m_cost(), params.t_cost(), params.p_cost())
    }

    pub(super) fn checked(self) -> Result<Self, ConfigError> {
        let reaches =
            |&(memory, passes): &(u32, u32)| self.memory_kib >= memory && self.passes >= passes;
        if Self::FLOOR.iter().any(reaches) && self.lanes >= 1 && self.is_within_ceiling() {
            Ok(self)
        } else {
            Err(ConfigError::new("with_cost", self.to_string(), ACCEPTED))
        }
    }

    pub(super) fn is_within_ceiling(self) -> bool {
        let max = Self::CEILING;
        self.memory_kib <= max.memory_kib && self.passes <= max.passes && self.lanes <= max.lanes
    }

    /// The KiB filled in all passes together, which determine the time.
    pub(super) fn work(self) -> u32 {
        self.memory_kib.saturating_mul(self.passes)
    }
}

/// [`Argon2Cost::FLOOR`] and [`Argon2Cost::CEILING`] as text.
const ACCEPTED: &str = "the minimum is m=47104 with t=1, m=19456 with t=2, m=12288 with t=3, m=9216 with t=4 \
    or m=7168 with t=5, and the maximum m=1048576 (1 GiB), t=64 and p from 1 to 16";

impl Default for Argon2Cost {
    /// Returns [`OWASP_MINIMUM`](Self::OWASP_MINIMUM).
    fn default() -> Self {
        Self::OWASP_MINIMUM
    }
}

/// Formatted as in a stored hash: `m=19456,t=2,p=1`.
impl fmt::Display for Argon2Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "m={},t={},p={}",
            self.memory_kib, self.passes, self.lanes
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owasp_equivalents_are_accepted_and_lower_costs_are_not() {
        for (memory, passes) in Argon2Cost::FLOOR {
            let accepted = |memory, passes| Argon2Cost::new(memory, passes, 1).checked().is_ok();
            assert!(accepted(memory, passes));
            assert!(accepted(memory, passes + 1));
            assert!(accepted(memory + 1, passes));
            assert!(!accepted(memory - 1, passes));
            assert!(!accepted(memory, passes - 1));
        }
        assert!(Argon2Cost::new(7_167, 64, 1).checked().is_err());
        assert!(Argon2Cost::new(0, 0, 0).checked().is_err());
    }

    #[test]
    fn presets_meet_the_minimum() {
        assert_eq!(Argon2Cost::default(), Argon2Cost::OWASP_MINIMUM);
        assert!(Argon2Cost::OWASP_MINIMUM.checked().is_ok());
        assert!(Argon2Cost::RFC_9106_LOW_MEMORY.checked().is_ok());
    }

    #[test]
    fn accepted_costs_produce_accepted_hashes() {
        let Argon2Cost {
            memory_kib,
            passes,
            lanes,
        } = Argon2Cost::CEILING;
        assert!(Argon2Cost::CEILING.checked().is_ok());
        assert!(
            Argon2Cost::new(memory_kib + 1, passes, lanes)
                .checked()
                .is_err()
        );
        assert!(
            Argon2Cost::new(memory_kib, passes + 1, lanes)
                .checked()
                .is_err()
        );
        assert!(
            Argon2Cost::new(memory_kib, passes, lanes + 1)
                .checked()
                .is_err()
        );
        assert!(Argon2Cost::new(memory_kib, passes, 0).checked().is_err());
        assert!(
            Argon2Cost::new(u32::MAX, u32::MAX, u32::MAX)
                .checked()
                .is_err()
        );
    }

    #[test]
    fn error_says_what_was_given_and_what_is_accepted() {
        let refusal = Argon2Cost::new(4_096, 3, 1)
            .checked()
            .unwrap_err()
            .to_string();
        assert!(refusal.contains("m=4096,t=3,p=1"), "{refusal}");
        for (memory, passes) in Argon2Cost::FLOOR {
            assert!(
                refusal.contains(&format!("m={memory} with t={passes}")),
                "{refusal}"
            );
        }
        let Argon2Cost {
            memory_kib,
            passes,
            lanes,
        } = Argon2Cost::CEILING;
        assert!(
            refusal.contains(&format!(
                "m={memory_kib} (1 GiB), t={passes} and p from 1 to {lanes}"
            )),
            "{refusal}"
        );
    }
}
