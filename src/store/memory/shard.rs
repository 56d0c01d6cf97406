//! A part of the records, under one lock.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, hash_map::Entry},
    hash::{BuildHasherDefault, Hasher},
};

use crate::store::{Created, Record, RecordKey};

/// How many due records a `create` looks at on its way: more than it adds, so that the heap can't grow for ever.
const SWEEP: usize = 4;

#[derive(Default)]
pub(super) struct Shard {
    pub(super) live: HashMap<RecordKey, Record, BuildHasherDefault<KeyHasher>>,
    // When to look at which record: a hint, since a touch moves the record's own time on.
    due: BinaryHeap<Reverse<(i64, RecordKey)>>,
}

impl Shard {
    pub(super) fn insert(&mut self, record: Record, now: i64) -> (Created, Vec<Record>) {
        let swept = self.sweep(now, SWEEP, SWEEP);
        match self.live.entry(record.key) {
            Entry::Occupied(_) => (Created::Exists, swept),
            Entry::Vacant(entry) => {
                self.due.push(Reverse((record.expires, record.key)));
                entry.insert(record);
                (Created::Done, swept)
            }
        }
    }

    pub(super) fn has(&self, key: &RecordKey, owner: &str) -> bool {
        let record = self.live.get(key);
        record.is_some_and(|record| record.owner.as_deref() == Some(owner))
    }

    /// Removes records that have expired by now and hands them out, `limit` of them at most, after a look at no more than
    /// `looks` of those that were due.
    pub(super) fn sweep(&mut self, now: i64, limit: usize, looks: usize) -> Vec<Record> {
        let mut swept = Vec::new();
        for _ in 0..looks {
            if swept.len() == limit {
                break;
            }
            match self.due.peek() {
                Some(&Reverse((due, key))) if due <= now => {
                    self.due.pop();
                    match self.live.entry(key) {
                        Entry::Occupied(entry) if entry.get().is_live(now) => {
                            self.due.push(Reverse((entry.get().expires, key)));
                        }
                        Entry::Occupied(entry) => swept.push(entry.remove()),
                        Entry::Vacant(_) => {}
                    }
                }
                _ => break,
            }
        }
        swept
    }
}

/// Takes a key's first bytes for its hash: it is a digest of a secret already, nobody can aim at a bucket.
#[derive(Default)]
pub(super) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
