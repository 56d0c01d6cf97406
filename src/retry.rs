//! Background retries of deletions that failed. Records whose retries are dropped expire on their
//! own.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, timeout_at};

use crate::{
    error::Error,
    store::{Digest, SessionId, jittered},
};

/// The pauses between tries, in seconds: about a minute in all.
const PAUSES: [u64; 6] = [1, 2, 4, 8, 16, 32];
/// The maximum number of pending deletions. Beyond it, unverified ones are evicted first.
const MAX_PENDING: usize = 4096;
/// The number of failures after which a round ends.
const MAX_FAILURES: usize = 8;

/// The pending deletions of one realm.
#[derive(Default)]
pub(crate) struct Retries {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    pending: VecDeque<Pending>,
    has_worker: bool,
}

/// A deletion that is retried.
#[derive(Clone)]
pub(crate) struct Deletion {
    pub(crate) id: SessionId,
    /// Digest of the secret that was presented, or `None` for a record that this process created
    /// and whose secret no client has. There is one entry per id and digest.
    pub(crate) digest: Option<Digest>,
    /// Whether the secret is known to be valid for the session, or none is needed. Other entries
    /// are evicted first, since any client can cause them.
    pub(crate) verified: bool,
    /// Tries the deletion once. Returns whether nothing is left to do.
    pub(crate) attempt: Arc<Attempt>,
}

struct Pending {
    deletion: Deletion,
    tries: usize,
    /// The first try after this time is the last one.
    until: Instant,
}

pub(crate) type Attempt =
    dyn Fn() -> Pin<Box<dyn Future<Output = Result<bool, Error>> + Send>> + Send + Sync;

impl Retries {
    /// Retries a deletion for about a minute.
    pub(crate) fn push(self: &Arc<Self>, deletion: Deletion) {
        let starts_worker = {
            let mut queue = self.queue();
            let is_pending = |other: &Pending| other.deletion.is_same(&deletion);
            if queue.pending.iter().any(is_pending) {
                return;
            }
            if queue.pending.len() >= MAX_PENDING {
                let unverified = |other: &Pending| !other.deletion.verified;
                match queue.pending.iter().position(unverified) {
                    Some(unverified) => drop(queue.pending.remove(unverified)),
                    None => return,
                }
            }
            queue.pending.push_back(Pending {
                deletion,
                tries: 0,
                until: Instant::now() + Duration::from_secs(PAUSES.iter().sum()),
            });
            !std::mem::replace(&mut queue.has_worker, true)
        };
        if starts_worker {
            tokio::spawn(work(Worker {
                retries: Arc::clone(self),
                is_done: false,
            }));
        }
    }

    /// The pause until the next round, and the time of the last try of the deletion that is due
    /// first. Returns `None` if nothing is pending; the worker ends then.
    fn next_pause(&self) -> Option<(u64, Instant)> {
        let mut queue = self.queue();
        queue.pending.retain(|entry| Instant::now() < entry.until);
        let tries = queue.pending.iter().map(|entry| entry.tries).min();
        let until = queue.pending.iter().map(|entry| entry.until).min();
        let (Some(tries), Some(until)) = (tries, until) else {
            // The next deletion starts another worker.
            queue.has_worker = false;
            return None;
        };
        let pause = PAUSES.get(tries).or(PAUSES.last()).copied().unwrap_or(1);
        Some((pause, until))
    }

    /// Tries every pending deletion once. If the store keeps failing, the rest waits for the next
    /// round.
    async fn try_all(&self) {
        let mut failures = 0;
        let pending = self.queue().pending.len();
        for _ in 0..pending {
            let Some(deletion) = self.next() else {
                return;
            };
            // On a task of its own, so that a store or an event handler that panics ends one try,
            // not the worker.
            let done = tokio::spawn((deletion.attempt)()).await;
            failures += usize::from(!matches!(done, Ok(Ok(_))));
            if let Ok(Ok(true)) = done {
                let mut queue = self.queue();
                queue
                    .pending
                    .retain(|other| !other.deletion.is_same(&deletion));
            }
            if failures == MAX_FAILURES {
                return;
            }
        }
    }

    /// The deletion to try next. It moves to the end of the queue, unless this is its last try.
    fn next(&self) -> Option<Deletion> {
        let mut queue = self.queue();
        let mut entry = queue.pending.pop_front()?;
        let deletion = entry.deletion.clone();
        entry.tries += 1;
        if Instant::now() < entry.until {
            queue.pending.push_back(entry);
        }
        Some(deletion)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn work(mut worker: Worker) {
    while let Some((pause, until)) = worker.retries.next_pause() {
        timeout_at(until, jittered(Duration::from_secs(pause)))
            .await
            .ok();
        worker.retries.try_all().await;
    }
    worker.is_done = true;
}

/// The task that processes the queue.
struct Worker {
    retries: Arc<Retries>,
    is_done: bool,
}

impl Drop for Worker {
    /// If the runtime shuts down and drops the worker, another runtime may start one.
    fn drop(&mut self) {
        if !self.is_done {
            self.retries.queue().has_worker = false;
        }
    }
}

impl Deletion {
    fn is_same(&self, other: &Self) -> bool {
        self.id == other.id && self.digest == other.digest
    }
}

impl fmt::Debug for Retries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retries")
            .field("pending", &self.queue().pending.len())
            .finish()
    }
}
