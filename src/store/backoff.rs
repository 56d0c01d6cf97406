//! Pauses between tries.

use std::{panic::catch_unwind, time::Duration};

use tokio::runtime::Handle;

use crate::random::random_bytes;

/// The longest pause between two tries.
const MAX_PAUSE: Duration = Duration::from_millis(64);

/// Exponential backoff with full jitter, so that two requests that conflicted once do not conflict
/// again.
pub(crate) async fn backoff(attempt: u32) {
    let limit = Duration::from_millis(1 << attempt.min(16)).min(MAX_PAUSE);
    wait(limit.mul_f64(random_part())).await;
}

/// Waits between half of `length` and all of it, so that many retries don't run at the same moment.
pub(crate) async fn jittered(length: Duration) {
    wait(length.mul_f64(0.5 + random_part() / 2.0)).await;
}

/// A random number between 0 and 1.
fn random_part() -> f64 {
    random_bytes::<2>().map_or(1.0, |bytes| {
        f64::from(u16::from_be_bytes(bytes)) / f64::from(u16::MAX)
    })
}

async fn wait(length: Duration) {
    if Handle::try_current().is_err() {
        return;
    }
    // A runtime that was built without timers cannot sleep.
    if let Ok(sleep) = catch_unwind(|| tokio::time::sleep(length)) {
        sleep.await;
    }
}
