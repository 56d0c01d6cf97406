//! A moment between two tries.

use std::{panic::catch_unwind, time::Duration};

use tokio::runtime::Handle;

use super::token::random_bytes;

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_millis(64);

/// Waits a moment, a random part of a limit that doubles: those who met once shall not meet again.
pub(crate) async fn pause(attempt: u32) {
    let limit = Duration::from_millis(1 << attempt.min(16)).min(LONGEST_PAUSE);
    wait(limit.mul_f64(random_part())).await;
}

/// Waits for about so long, from half of it to all: many who wait shall not come back at the same moment.
pub(crate) async fn pause_about(length: Duration) {
    wait(length.mul_f64(0.5 + random_part() / 2.0)).await;
}

/// From 0 to 1.
fn random_part() -> f64 {
    random_bytes::<2>().map_or(1.0, |bytes| {
        f64::from(u16::from_be_bytes(bytes)) / f64::from(u16::MAX)
    })
}

async fn wait(length: Duration) {
    if Handle::try_current().is_err() {
        return;
    }
    // A runtime that was built without timers can't wait.
    if let Ok(sleep) = catch_unwind(|| tokio::time::sleep(length)) {
        sleep.await;
    }
}
