//! A moment between two tries.

use std::{panic::catch_unwind, time::Duration};

use tokio::runtime::Handle;

use super::token::random_bytes;

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_millis(64);

/// Waits a moment, a random part of a limit that doubles: those who met once shall not meet again.
pub(crate) async fn pause(attempt: u32) {
    if Handle::try_current().is_err() {
        return;
    }
    let limit = Duration::from_millis(1 << attempt.min(16)).min(LONGEST_PAUSE);
    let part = random_bytes::<2>().map_or(1.0, |bytes| {
        f64::from(u16::from_be_bytes(bytes)) / f64::from(u16::MAX)
    });
    // A runtime that was built without timers can't wait.
    if let Ok(sleep) = catch_unwind(|| tokio::time::sleep(limit.mul_f64(part))) {
        sleep.await;
    }
}
