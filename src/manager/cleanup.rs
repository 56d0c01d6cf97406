//! Deleting expired records.

use std::{fmt, time::Duration};

use tokio::{
    task::{AbortHandle, yield_now},
    time::{MissedTickBehavior, interval},
};

use super::LoginManager;
use crate::{error::Error, realm::Realm, user::AuthUser};

/// The maximum number of records that one store call deletes, low enough for any store to finish
/// within the deadline.
pub(super) const BATCH: usize = 5_000;
/// Shorter intervals would only add load to the store.
const SHORTEST: Duration = Duration::from_secs(1);

impl<U: AuthUser> LoginManager<U> {
    /// Deletes expired records from the store, in batches of 5000, and returns their number. Call
    /// it from a cron job, or use [`spawn_cleanup`](LoginManager::spawn_cleanup) in a server.
    ///
    /// Expired sessions are invalid whether they are deleted or not; this only frees space.
    /// Managers that share a store need only one cleanup. Concurrent cleanups do no harm.
    ///
    /// # Errors
    /// - [`ErrorKind::Store`](crate::ErrorKind::Store) if the store failed or missed its deadline.
    ///   Earlier batches remain deleted, and the next call continues from there.
    pub async fn cleanup(&self) -> Result<u64, Error> {
        clean_up(&self.realm).await
    }

    /// Spawns a task that runs [`cleanup`](LoginManager::cleanup) now and once per interval, until
    /// the runtime shuts down or the handle [stops](CleanupTask::stop) it. An hour is a good
    /// interval; the minimum is a second.
    ///
    /// If the store fails, an event is emitted, and the cleanup is retried in the next interval.
    ///
    /// # Panics
    /// Panics if called outside of a tokio runtime with timers.
    #[allow(
        clippy::must_use_candidate,
        reason = "the task runs whether or not its handle is kept"
    )]
    pub fn spawn_cleanup(&self, every: Duration) -> CleanupTask {
        let realm = self.realm.clone();
        let mut ticks = interval(every.max(SHORTEST));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let task = tokio::spawn(async move {
            loop {
                ticks.tick().await;
                // Best effort: the next tick tries again.
                clean_up(&realm).await.ok();
            }
        });
        CleanupTask(task.abort_handle())
    }
}

async fn clean_up(realm: &Realm) -> Result<u64, Error> {
    in_batches(|| realm.delete_expired(realm.clock.now(), BATCH)).await
}

/// Repeats a deletion until a batch is not full.
pub(super) async fn in_batches<F>(delete: impl Fn() -> F) -> Result<u64, Error>
where
    F: Future<Output = Result<u64, Error>>,
{
    let mut deleted = 0;
    loop {
        let batch = delete().await?;
        deleted += batch;
        if batch < BATCH as u64 {
            return Ok(deleted);
        }
        // Let requests run first.
        yield_now().await;
    }
}

/// A handle to a background cleanup. Dropping it does not stop the cleanup.
pub struct CleanupTask(AbortHandle);

impl CleanupTask {
    /// Stops the cleanup. A batch that is in progress may still be deleted.
    pub fn stop(&self) {
        self.0.abort();
    }
}

impl fmt::Debug for CleanupTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CleanupTask")
            .field("is_finished", &self.0.is_finished())
            .finish()
    }
}
