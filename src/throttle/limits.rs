//! How many guesses are free, and how long the others wait.

use std::time::Duration;

use crate::{
    clock::{Millis, millis},
    error::ConfigError,
    timeouts::Timeouts,
};

const HOUR: u64 = 60 * 60;

/// After this time, the names that an address tries are counted from zero again.
pub(super) const ADDRESS_WINDOW: Millis = 60 * 1000;
/// The maximum of names per address, which bounds the size of its count to 8 KiB.
const MOST_NAMES: usize = 1024;
/// How long a stopped lane stays stopped, unless it is cleared: the longest lifetime in this crate.
const STOPPED_FOR: Millis = 400 * 24 * 60 * 60 * 1000;

#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    free: usize,
    first_wait: Millis,
    longest_wait: Millis,
    forget_after: Millis,
    pub(super) names_per_address: usize,
    stop_after: Option<usize>,
}

impl Limits {
    pub(super) fn new() -> Self {
        Self {
            free: 5,
            first_wait: 1000,
            longest_wait: 15 * 60 * 1000,
            forget_after: millis(Duration::from_secs(24 * HOUR)),
            names_per_address: 30,
            stop_after: None,
        }
    }

    pub(super) fn set_free(&mut self, failures: usize) -> Result<(), ConfigError> {
        ConfigError::check_limit("Throttle::free", failures)?;
        self.free = failures;
        Ok(())
    }

    pub(super) fn set_first_wait(&mut self, wait: Duration) -> Result<(), ConfigError> {
        Timeouts::check_one("Throttle::first_wait", wait)?;
        self.first_wait = millis(wait);
        Ok(())
    }

    pub(super) fn set_longest_wait(&mut self, wait: Duration) -> Result<(), ConfigError> {
        Timeouts::check_one("Throttle::longest_wait", wait)?;
        self.longest_wait = millis(wait);
        Ok(())
    }

    pub(super) fn set_forget_after(&mut self, time: Duration) -> Result<(), ConfigError> {
        Timeouts::check_one("Throttle::forget_after", time)?;
        self.forget_after = millis(time);
        Ok(())
    }

    pub(super) fn set_names_per_address(&mut self, names: usize) -> Result<(), ConfigError> {
        if !(1..=MOST_NAMES).contains(&names) {
            return Err(ConfigError::new(
                "Throttle::names_per_address",
                names.to_string(),
                "an address may try 1 to 1024 names a minute",
            ));
        }
        self.names_per_address = names;
        Ok(())
    }

    pub(super) fn set_stop_after(&mut self, failures: usize) -> Result<(), ConfigError> {
        ConfigError::check_limit("Throttle::stop_after", failures)?;
        self.stop_after = Some(failures);
        Ok(())
    }

    /// The wait after this many failures.
    pub(super) fn wait_after(&self, failures: u32) -> Wait {
        let failures = usize::try_from(failures).unwrap_or(usize::MAX);
        if self.stop_after.is_some_and(|limit| failures >= limit) {
            return Wait::Stopped(STOPPED_FOR);
        }
        let Some(doublings) = failures.checked_sub(self.free) else {
            return Wait::For(0);
        };
        // 2^40 seconds are longer than any limit.
        let factor = 1 << doublings.min(40);
        Wait::For(
            self.first_wait
                .saturating_mul(factor)
                .min(self.longest_wait),
        )
    }

    /// When a count whose first failure was at `first` is forgotten.
    pub(super) fn forgotten(&self, first: Millis) -> Millis {
        first.saturating_add(self.forget_after)
    }

    /// The longest wait that a node with these limits writes.
    pub(super) fn longest(&self) -> Millis {
        match self.stop_after {
            Some(_) => STOPPED_FOR,
            None => self.longest_wait,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    For(Millis),
    Stopped(Millis),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of guesses that one lane permits in this time, at the earliest moments.
    fn guesses_in(limits: &Limits, time: Millis) -> u32 {
        let (mut now, mut failures) = (0, 0);
        while now < time {
            failures += 1;
            match limits.wait_after(failures) {
                Wait::For(wait) => now += wait,
                Wait::Stopped(_) => break,
            }
        }
        failures
    }

    #[test]
    fn five_are_free_and_waits_double_to_a_quarter_of_an_hour() {
        let limits = Limits::new();
        let waits = (0..=17).map(|failures| match limits.wait_after(failures) {
            Wait::For(wait) => wait / 1000,
            Wait::Stopped(_) => -1,
        });
        assert_eq!(
            waits.collect::<Vec<_>>(),
            [
                0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900
            ]
        );
        assert_eq!(limits.wait_after(u32::MAX), Wait::For(900_000));
    }

    #[test]
    fn a_hundred_and_nine_guesses_a_day_are_permitted() {
        let limits = Limits::new();
        assert_eq!(guesses_in(&limits, limits.forget_after), 109);
        let mut stopped = limits;
        stopped.set_stop_after(100).unwrap();
        assert_eq!(guesses_in(&stopped, limits.forget_after), 100);
    }

    #[test]
    fn limits_are_checked() {
        let mut limits = Limits::new();
        assert!(limits.set_free(0).is_err());
        assert!(limits.set_stop_after(0).is_err());
        assert!(limits.set_names_per_address(0).is_err());
        assert!(limits.set_names_per_address(1025).is_err());
        assert!(limits.set_first_wait(Duration::ZERO).is_err());
        assert!(limits.set_longest_wait(Duration::MAX).is_err());
        assert!(limits.set_forget_after(Duration::ZERO).is_err());
        assert!(limits.set_names_per_address(1024).is_ok());
    }
}
