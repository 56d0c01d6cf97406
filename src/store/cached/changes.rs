//! What was changed through this node, and when.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst},
};

use crate::store::RecordKey;

/// A power of two: two arrays of 32 KiB. Records that share a slot are read once more than needed, never once less.
const SLOTS: usize = 4096;

/// Counts the changes, and notes for each part of the keys and of the owners which was the last.
pub(super) struct Changes {
    count: AtomicU64,
    keys: Box<[AtomicU64]>,
    owners: Box<[AtomicU64]>,
    sweeps: AtomicU64,
    swept: AtomicI64,
}

/// How many changes there had been at some moment.
#[derive(Clone, Copy)]
pub(super) struct Tick(u64);

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
        let slots = || (0..SLOTS).map(|_| AtomicU64::new(0)).collect();
        Self {
            count: AtomicU64::new(0),
            keys: slots(),
            owners: slots(),
            sweeps: AtomicU64::new(0),
            swept: AtomicI64::new(i64::MIN),
        }
    }

    pub(super) fn now(&self) -> Tick {
        Tick(self.count.load(SeqCst))
    }

    /// Whether nothing has changed since then in this part of the keys.
    pub(super) fn spared_key(&self, key: Slot, since: Tick) -> bool {
        last(&self.keys, key).load(SeqCst) <= since.0
    }

    /// The same for a part of the owners.
    pub(super) fn spared_owner(&self, owner: Slot, since: Tick) -> bool {
        last(&self.owners, owner).load(SeqCst) <= since.0
    }

    /// Whether no sweep since then can have cleared away a record that expires at this time.
    pub(super) fn spared_by_sweeps(&self, expires: i64, since: Tick) -> bool {
        self.sweeps.load(SeqCst) <= since.0 || expires > self.swept.load(SeqCst)
    }

    /// A change of a record, from now until this is dropped.
    pub(super) fn of_key(&self, key: &RecordKey) -> Change<'_> {
        self.change(&self.keys, Slot::of_key(key))
    }

    /// A change of an owner's records.
    pub(super) fn of_owner(&self, owner: &str) -> Change<'_> {
        self.change(&self.owners, Slot::of_owner(owner))
    }

    /// A sweep of the records that have expired by then.
    pub(super) fn of_expired(&self, now: i64) -> Change<'_> {
        self.swept.fetch_max(now, SeqCst);
        Change {
            count: &self.count,
            last: &self.sweeps,
        }
    }

    fn change<'a>(&'a self, slots: &'a [AtomicU64], slot: Slot) -> Change<'a> {
        let last = last(slots, slot);
        Change {
            count: &self.count,
            last,
        }
    }
}

/// Counts when it is dropped: a call that failed or was dropped itself may have changed something all the same, and one that
/// is still under way may be read from before.
pub(super) struct Change<'a> {
    count: &'a AtomicU64,
    last: &'a AtomicU64,
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        let tick = self.count.fetch_add(1, SeqCst) + 1;
        self.last.fetch_max(tick, SeqCst);
    }
}

fn last(slots: &[AtomicU64], slot: Slot) -> &AtomicU64 {
    #[allow(
        clippy::indexing_slicing,
        reason = "a slot is a remainder by the length"
    )]
    &slots[slot.0]
}
