//! A clock that is moved by hand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

use crate::{
    clock::{Clock, ClockId, Hands, millis},
    manager::LoginManager,
    user::AuthUser,
};

/// A clock that only moves when a test moves it. Clones share the time.
///
/// ```
/// # use login_manager::{AuthUser, LoginManager, MemoryStore};
/// # struct Account { id: i64 }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
/// use std::time::Duration;
/// use login_manager::testing::TestClock;
///
/// let clock = TestClock::new();
/// let load_user = |id| async move { Some(Account { id }) };
/// let login_manager = LoginManager::new(MemoryStore::new(), load_user).with_clock(&clock);
/// clock.advance(Duration::from_secs(24 * 60 * 60)); // idle sessions have expired
/// ```
#[derive(Clone, Debug)]
pub struct TestClock(Arc<Hands>);

impl TestClock {
    /// Creates a clock frozen at the current system time.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Hands {
            now: AtomicI64::new(Clock::System.now()),
            id: ClockId::random(),
        }))
    }

    /// Moves the clock forward.
    ///
    /// A request records its use of the session in a separate task. To let this task finish before
    /// the clock moves on, call `tokio::task::yield_now().await` after the request.
    pub fn advance(&self, by: Duration) {
        self.0.now.fetch_add(millis(by), Ordering::SeqCst);
    }

    /// Moves the clock back, as when the system clock is corrected.
    pub fn turn_back(&self, by: Duration) {
        self.0.now.fetch_sub(millis(by), Ordering::SeqCst);
    }

    /// Returns the time.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        let now = self.unix_millis();
        let distance = Duration::from_millis(now.unsigned_abs());
        if now < 0 {
            SystemTime::UNIX_EPOCH - distance
        } else {
            SystemTime::UNIX_EPOCH + distance
        }
    }

    /// Returns the time in Unix milliseconds, as stores see it.
    #[must_use]
    pub fn unix_millis(&self) -> i64 {
        self.0.now.load(Ordering::SeqCst)
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl<U: AuthUser> LoginManager<U> {
    /// Uses this clock instead of the system's.
    #[must_use]
    pub fn with_clock(self, clock: &TestClock) -> Self {
        self.keeping(|realm| realm.clock = Clock::Manual(Arc::clone(&clock.0)))
    }
}
