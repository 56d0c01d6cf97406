//! Deleting expired records.

use std::{fmt, panic::catch_unwind, time::Duration};

use tokio::{
    runtime::Handle,
    task::{AbortHandle, yield_now},
    time::{MissedTickBehavior, interval},
};

use super::LoginManager;
use crate::{
    error::{Error, ErrorKind},
    realm::Realm,
    user::AuthUser,
};

/// The maximum number of records that one store call deletes, low enough for any store to finish
/// within the deadline.
const BATCH: usize = 500;
/// Shorter intervals would only load the store.
const SHORTEST: Duration = Duration::from_secs(1);

impl<U: AuthUser> LoginManager<U> {
    /// Deletes expired records from the store, in batches of 500, and returns how many there were.
    /// Call it from a cron job, or use [`spawn_cleanup`](LoginManager::spawn_cleanup) in a server.
    ///
    /// Expired sessions are invalid whether they are deleted or not; this only frees space.
    /// Managers that share a store need only one cleanup. Concurrent cleanups do no harm.
    ///
    /// # Errors
    /// - [`ErrorKind::Store`]: earlier batches remain deleted, and the next call continues from
    ///   there.
    pub async fn cleanup(&self) -> Result<u64, Error> {
        clean_up(&self.realm).await
    }

    /// Spawns a task that runs [`cleanup`](LoginManager::cleanup) now and in every interval, until
    /// the runtime shuts down or the handle [stops](Cleanup::stop) it. An hour is a good interval;
    /// the minimum is a second.
    ///
    /// If the store fails, an event is emitted, and the cleanup is retried in the next interval.
    ///
    /// # Errors
    /// - [`ErrorKind::NoRuntime`] outside of a tokio runtime with timers.
    pub fn spawn_cleanup(&self, every: Duration) -> Result<Cleanup, Error> {
        let runtime = Handle::try_current().map_err(|_| ErrorKind::NoRuntime)?;
        let realm = self.realm.clone();
        // `interval` panics if the runtime was built without timers.
        let mut ticks =
            catch_unwind(|| interval(every.max(SHORTEST))).map_err(|_| ErrorKind::NoRuntime)?;
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let task = runtime.spawn(async move {
            loop {
                ticks.tick().await;
                let _next_time = clean_up(&realm).await;
            }
        });
        Ok(Cleanup(task.abort_handle()))
    }
}

async fn clean_up(realm: &Realm) -> Result<u64, Error> {
    let mut deleted = 0;
    loop {
        let batch = realm.delete_expired(realm.clock.now(), BATCH).await?;
        deleted += batch;
        if batch < BATCH as u64 {
            return Ok(deleted);
        }
        // Let requests run first.
        yield_now().await;
    }
}

/// A handle to a background cleanup. Dropping it does not stop the cleanup.
pub struct Cleanup(AbortHandle);

impl Cleanup {
    /// Stops the cleanup. A batch that is in progress may still be deleted.
    pub fn stop(&self) {
        self.0.abort();
    }
}

impl fmt::Debug for Cleanup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cleanup")
            .field("is_finished", &self.0.is_finished())
            .finish()
    }
}
