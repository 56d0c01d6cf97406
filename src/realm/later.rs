//! Deletions that a store in trouble still owes.

use std::{panic::catch_unwind, sync::Arc, time::Duration};

use tokio::{runtime::Handle, time::sleep};

use super::Realm;
use crate::{error::Error, event::Event, store::RecordKey};

/// The pauses before the tries, in seconds: about a minute in all.
const PAUSES: [u64; 6] = [1, 2, 4, 8, 16, 32];

impl Realm {
    /// Deletes what may have been written before this error, as well as can be. Nobody waits for that where the store has just
    /// let a deadline pass.
    pub(crate) async fn take_back(self: &Arc<Self>, key: RecordKey, error: &Error) {
        let realm = Arc::clone(self);
        let deleting = async move { drop(realm.delete(&key, None).await) };
        match Handle::try_current() {
            Ok(runtime) if error.is_timeout() => drop(runtime.spawn(deleting)),
            _ => deleting.await,
        }
    }

    /// Tries in the background to end sessions that a logout couldn't end, and tells this when they are gone.
    pub(crate) fn delete_later(self: &Arc<Self>, keys: Vec<RecordKey>, gone: Event) {
        let (Ok(runtime), false) = (Handle::try_current(), keys.is_empty()) else {
            return;
        };
        let realm = Arc::clone(self);
        runtime.spawn(async move {
            for seconds in PAUSES {
                // A runtime that was built without timers can't wait.
                let Ok(pause) = catch_unwind(|| sleep(Duration::from_secs(seconds))) else {
                    return;
                };
                pause.await;
                if realm.delete_these(&keys).await.is_ok() {
                    return realm.tell(&gone);
                }
            }
        });
    }

    async fn delete_these(&self, keys: &[RecordKey]) -> Result<(), Error> {
        for key in keys {
            let _either_way = self.delete(key, None).await?;
        }
        Ok(())
    }
}
