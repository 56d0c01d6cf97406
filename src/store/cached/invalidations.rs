//! Which cached records a write through this node has made invalid.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst},
    time::Duration,
};

use tokio::time::Instant;

use crate::store::SessionId;

/// A power of two, for two arrays of 64 KiB. Records that share a slot are read more often than
/// needed, never less.
const SLOTS: usize = 4096;
/// How long a write that failed or was dropped may still take effect on the server. It is longer
/// than any caller waits for a write.
const IN_FLIGHT: Duration = Duration::from_secs(60);

/// Counts the finished writes and keeps the number of the last one for each slot of ids and of
/// owners.
pub(super) struct Invalidations {
    count: AtomicU64,
    epoch: Instant,
    ids: Box<[LastWrite]>,
    owners: Box<[LastWrite]>,
    everything: LastWrite,
    expired: LastWrite,
    /// The latest `now` of a `delete_expired`.
    expired_until: AtomicI64,
}

#[derive(Default)]
struct LastWrite {
    /// The number of writes that had finished when this one did, including this one.
    number: AtomicU64,
    /// The time from which a write whose outcome is unknown can no longer take effect, in
    /// milliseconds since `epoch`.
    settled: AtomicU64,
}

/// When a record was read. The record includes every write that had finished by then.
#[derive(Clone, Copy)]
pub(super) struct ReadAt {
    count: u64,
    pub(super) at: Instant,
}

/// A part of the ids or of the owners.
#[derive(Clone, Copy)]
pub(super) struct Slot(usize);

impl Slot {
    pub(super) fn of_id(id: &SessionId) -> Self {
        // Ids are random, so any two bytes spread evenly.
        let [.., high, low] = *id.as_bytes();
        Self(usize::from(u16::from_be_bytes([high, low])) % SLOTS)
    }

    pub(super) fn of_owner(owner: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        owner.hash(&mut hasher);
        Self(hasher.finish() as usize % SLOTS)
    }
}

impl Invalidations {
    pub(super) fn new() -> Self {
        let slots = || (0..SLOTS).map(|_| LastWrite::default()).collect();
        Self {
            count: AtomicU64::new(0),
            epoch: Instant::now(),
            ids: slots(),
            owners: slots(),
            everything: LastWrite::default(),
            expired: LastWrite::default(),
            expired_until: AtomicI64::new(i64::MIN),
        }
    }

    /// Call it before reading from the store.
    pub(super) fn read_now(&self) -> ReadAt {
        ReadAt {
            count: self.count.load(SeqCst),
            at: Instant::now(),
        }
    }

    pub(super) fn id_is_unchanged(&self, id: Slot, since: ReadAt) -> bool {
        self.is_unchanged(last(&self.ids, id), since)
    }

    pub(super) fn owner_is_unchanged(&self, owner: Slot, since: ReadAt) -> bool {
        self.is_unchanged(last(&self.owners, owner), since)
    }

    pub(super) fn everything_is_unchanged(&self, since: ReadAt) -> bool {
        self.is_unchanged(&self.everything, since)
    }

    /// Whether no `delete_expired` can have removed a record that expires at this time.
    pub(super) fn is_not_removed_as_expired(&self, expires: i64, since: ReadAt) -> bool {
        self.is_unchanged(&self.expired, since) || expires > self.expired_until.load(SeqCst)
    }

    /// A write of one record, until the returned value is dropped.
    pub(super) fn write_of_id(&self, id: &SessionId) -> Write<'_> {
        self.write(last(&self.ids, Slot::of_id(id)))
    }

    /// A write of all records of an owner.
    pub(super) fn write_of_owner(&self, owner: &str) -> Write<'_> {
        self.write(last(&self.owners, Slot::of_owner(owner)))
    }

    /// A write of all records.
    pub(super) fn write_of_everything(&self) -> Write<'_> {
        self.write(&self.everything)
    }

    /// A removal of records that have expired by `now`.
    pub(super) fn write_of_expired(&self, now: i64) -> Write<'_> {
        self.expired_until.fetch_max(now, SeqCst);
        self.write(&self.expired)
    }

    fn write<'a>(&'a self, last: &'a LastWrite) -> Write<'a> {
        Write {
            invalidations: self,
            last,
            has_outcome: false,
        }
    }

    fn is_unchanged(&self, last: &LastWrite, since: ReadAt) -> bool {
        last.number.load(SeqCst) <= since.count
            && last.settled.load(SeqCst) <= self.millis(since.at)
    }

    fn millis(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.epoch).as_millis();
        u64::try_from(since).unwrap_or(u64::MAX)
    }
}

/// A write in progress. It is counted when it is dropped, so a record that was read meanwhile
/// counts as read before the write.
pub(super) struct Write<'a> {
    invalidations: &'a Invalidations,
    last: &'a LastWrite,
    has_outcome: bool,
}

impl Write<'_> {
    /// The store has returned an outcome: the write cannot take effect later.
    pub(super) fn finish(mut self) {
        self.has_outcome = true;
    }
}

impl Drop for Write<'_> {
    fn drop(&mut self) {
        let all = self.invalidations;
        if !self.has_outcome {
            // One more, because the time is rounded down.
            let settled = all.millis(Instant::now() + IN_FLIGHT) + 1;
            self.last.settled.fetch_max(settled, SeqCst);
        }
        let number = all.count.fetch_add(1, SeqCst) + 1;
        self.last.number.fetch_max(number, SeqCst);
    }
}

fn last(slots: &[LastWrite], slot: Slot) -> &LastWrite {
    #[allow(
        clippy::indexing_slicing,
        reason = "a slot is a remainder by the length"
    )]
    &slots[slot.0]
}
