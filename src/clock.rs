//! The clock, in Unix milliseconds: the system's or, in tests, one that is set by hand.

#[cfg(feature = "testing")]
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use std::{
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use crate::random::random_bytes;

/// A moment in Unix milliseconds.
pub(crate) type Millis = i64;

#[derive(Clone, Debug, Default)]
pub(crate) enum Clock {
    #[default]
    System,
    #[cfg(feature = "testing")]
    Manual(Arc<Hands>),
}

/// A clock that a test moves.
#[cfg(feature = "testing")]
#[derive(Debug)]
pub(crate) struct Hands {
    pub(crate) now: AtomicI64,
    pub(crate) id: ClockId,
}

/// Identifies a clock. Times of different clocks may be skewed; times of one clock are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClockId(pub(crate) [u8; 8]);

/// A time, and the clock that showed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) at: Millis,
    pub(crate) by: ClockId,
}

impl ClockId {
    pub(crate) fn random() -> Self {
        // If there are no random bytes, there are no secrets either, so there are no times to
        // compare.
        Self(random_bytes().unwrap_or_default())
    }
}

impl Clock {
    pub(crate) fn now(&self) -> Millis {
        match self {
            // A clock before 1970 is wrong in any case; at 0 nothing has expired and nothing
            // panics.
            Self::System => SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, millis),
            #[cfg(feature = "testing")]
            Self::Manual(hands) => hands.now.load(Ordering::SeqCst),
        }
    }

    /// This time, as a reading of this clock.
    pub(crate) fn reading(&self, at: Millis) -> Reading {
        Reading { at, by: self.id() }
    }

    /// The system clock counts as a different one in every process, since it is unknown which
    /// processes share a machine.
    fn id(&self) -> ClockId {
        static SYSTEM: OnceLock<ClockId> = OnceLock::new();
        match self {
            Self::System => *SYSTEM.get_or_init(ClockId::random),
            #[cfg(feature = "testing")]
            Self::Manual(hands) => hands.id,
        }
    }
}

/// A duration in milliseconds, saturating.
pub(crate) fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

/// Converts to `SystemTime`. Times before 1970 are clamped to the epoch.
pub(crate) fn moment(at: Millis) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(at.max(0).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_duration_overflows() {
        assert_eq!(millis(Duration::MAX), i64::MAX);
        assert_eq!(millis(Duration::from_nanos(1)), 0);
        assert_eq!(i64::MAX.saturating_add(millis(Duration::MAX)), i64::MAX);
    }
}
