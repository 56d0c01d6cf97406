//! Clearing away what has expired.

use std::{fmt, time::Duration};

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

/// How many records one call of the store deletes at most: few enough for any store to do within the deadline.
const BATCH: usize = 500;
/// Shorter intervals would only keep the store busy.
const SHORTEST: Duration = Duration::from_secs(1);

impl<U: AuthUser> LoginManager<U> {
    /// Deletes what has expired in the store, in batches of 500. Answers how many records that were. For a cron job; a server that
    /// runs all the time has [`spawn_cleanup`](LoginManager::spawn_cleanup).
    ///
    /// An expired session lets nobody in, cleared away or not: this is for the space that it takes. Managers on one store
    /// need one cleanup between them, and several at once do no harm.
    ///
    /// # Errors
    /// [`ErrorKind::Store`]: what was deleted before stays deleted, and the next call goes on from there.
    pub async fn cleanup(&self) -> Result<u64, Error> {
        clean_up(&self.realm).await
    }

    /// Does a [`cleanup`](LoginManager::cleanup) now and in every interval from now on, on a task of its own, for as long as the
    /// runtime lives or until the handle [stops](Cleanup::stop) it. An hour is a good interval; less than a second counts as one.
    ///
    /// A store that fails is told of by an event, and asked again in the next interval.
    ///
    /// # Errors
    /// [`ErrorKind::NoRuntime`] outside of a tokio runtime with timers.
    pub fn spawn_cleanup(&self, every: Duration) -> Result<Cleanup, Error> {
        let runtime = Handle::try_current().map_err(|_| ErrorKind::NoRuntime)?;
        let realm = self.realm.clone();
        let task = runtime.spawn(async move {
            let mut ticks = interval(every.max(SHORTEST));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
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
        // Requests come first.
        yield_now().await;
    }
}

/// A cleanup that goes on by itself. Dropping this doesn't stop it.
pub struct Cleanup(AbortHandle);

impl Cleanup {
    /// Ends it. What a batch is just deleting may still be deleted.
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
