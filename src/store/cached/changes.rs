//! What was changed through this node, and when.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst},
    time::Duration,
};

use tokio::time::Instant;

use crate::store::RecordKey;

/// A power of two: two arrays of 64 KiB. Records that share a slot are read more often than needed, never less.
const SLOTS: usize = 4096;
/// For how long a call that failed or was dropped may still be on its way to a server: longer than anybody waits for one.
const UNSURE: Duration = Duration::from_secs(60);

/// Counts the changes, and notes for each part of the keys and of the owners which was the last.
pub(super) struct Changes {
    count: AtomicU64,
    since: Instant,
    keys: Box<[Last]>,
    owners: Box<[Last]>,
    sweep: Last,
    swept: AtomicI64,
}

/// The last change of some records.
#[derive(Default)]
struct Last {
    /// How many changes there had been by then.
    count: AtomicU64,
    /// When it is over for certain, where nobody said so; in milliseconds.
    over: AtomicU64,
}

/// When a record was read: everything that was over by then is in it.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    count: u64,
    pub(super) at: Instant,
}

/// A part of the keys, or of the owners.
#[derive(Clone, Copy)]
pub(super) struct Slot(usize);

impl Slot {
    pub(super) fn of_key(key: &RecordKey) -> Self {
        // The key is a digest: any of its bytes spread evenly.
        let [.., high, low] = *key.as_bytes();
        Self(usize::from(u16::from_be_bytes([high, low])) % SLOTS)
    }

    pub(super) fn of_owner(owner: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        owner.hash(&mut hasher);
        Self(hasher.finish() as usize % SLOTS)
    }
}

impl Changes {
    pub(super) fn new() -> Self {
        let slots = || (0..SLOTS).map(|_| Last::default()).collect();
        Self {
            count: AtomicU64::new(0),
            since: Instant::now(),
            keys: slots(),
            owners: slots(),
            sweep: Last::default(),
            swept: AtomicI64::new(i64::MIN),
        }
    }

    pub(super) fn now(&self) -> Moment {
        Moment {
            count: self.count.load(SeqCst),
            at: Instant::now(),
        }
    }

    /// Whether nothing has changed since then in this part of the keys.
    pub(super) fn spared_key(&self, key: Slot, read: Moment) -> bool {
        self.spared(last(&self.keys, key), read)
    }

    /// The same for a part of the owners.
    pub(super) fn spared_owner(&self, owner: Slot, read: Moment) -> bool {
        self.spared(last(&self.owners, owner), read)
    }

    /// Whether no sweep since then can have cleared away a record that expires at this time.
    pub(super) fn spared_by_sweeps(&self, expires: i64, read: Moment) -> bool {
        self.spared(&self.sweep, read) || expires > self.swept.load(SeqCst)
    }

    /// A change of a record, from now until this is dropped.
    pub(super) fn of_key(&self, key: &RecordKey) -> Change<'_> {
        self.change(last(&self.keys, Slot::of_key(key)))
    }

    /// A change of an owner's records.
    pub(super) fn of_owner(&self, owner: &str) -> Change<'_> {
        self.change(last(&self.owners, Slot::of_owner(owner)))
    }

    /// A sweep of the records that have expired by then.
    pub(super) fn of_expired(&self, now: i64) -> Change<'_> {
        self.swept.fetch_max(now, SeqCst);
        self.change(&self.sweep)
    }

    fn change<'a>(&'a self, last: &'a Last) -> Change<'a> {
        Change {
            all: self,
            last,
            is_over: false,
        }
    }

    fn spared(&self, last: &Last, read: Moment) -> bool {
        last.count.load(SeqCst) <= read.count && last.over.load(SeqCst) <= self.millis(read.at)
    }

    fn millis(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.since).as_millis();
        u64::try_from(since).unwrap_or(u64::MAX)
    }
}

/// Counts when it is dropped, so that what was read while it was under way counts as read before.
pub(super) struct Change<'a> {
    all: &'a Changes,
    last: &'a Last,
    is_over: bool,
}

impl Change<'_> {
    /// The store has answered: nothing of this change is still to come.
    pub(super) fn close(mut self) {
        self.is_over = true;
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            // One more, because the moment is rounded down.
            let over = self.all.millis(Instant::now() + UNSURE) + 1;
            self.last.over.fetch_max(over, SeqCst);
        }
        let count = self.all.count.fetch_add(1, SeqCst) + 1;
        self.last.count.fetch_max(count, SeqCst);
    }
}

fn last(slots: &[Last], slot: Slot) -> &Last {
    #[allow(
        clippy::indexing_slicing,
        reason = "a slot is a remainder by the length"
    )]
    &slots[slot.0]
}
