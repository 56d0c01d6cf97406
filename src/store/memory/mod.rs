//! The store of one process: fast, forgets at restart.

mod shard;

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use self::shard::Shard;
use super::{Created, Outcome, Page, Record, RecordKey, SessionStore, Which};
use crate::error::BoxError;

/// A power of two: enough that threads seldom meet, few enough to cost nothing when empty.
const SHARDS: usize = 64;
/// Keeps sessions in this process. A restart logs everybody out, and other processes know nothing of them.
///
/// Right for tests, for examples and for an application on one machine that may ask its users to log in again after a
/// deployment. Expired records are cleared away as new ones come in, and by
/// [`delete_expired`](SessionStore::delete_expired). Clones share their records.
///
/// ```
/// use login_manager::MemoryStore;
///
/// let store = MemoryStore::new();
/// assert!(store.is_empty());
/// ```
#[derive(Clone, Default)]
pub struct MemoryStore {
    inner: Arc<Inner>,
}

struct Inner {
    records: [Mutex<Shard>; SHARDS],
    // Locked before a shard of records, never after.
    owners: [Mutex<HashMap<Arc<str>, BTreeSet<RecordKey>>>; SHARDS],
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many records it holds, those included that have expired and not been cleared away yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner
            .records
            .iter()
            .map(|shard| lock(shard).live.len())
            .sum()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of every record it holds, in no order: for tests and for a look inside.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.inner
            .records
            .iter()
            .flat_map(|shard| lock(shard).live.values().cloned().collect::<Vec<_>>())
            .collect()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn create(&self, record: Record) -> Result<Created, BoxError> {
        let now = record.touched;
        let (created, swept) = match record.owner.clone() {
            // The list is held while the record goes in, so that a `delete_all` sees both or neither.
            Some(owner) => {
                let mut owners = self.owners(&owner);
                let key = record.key;
                let answer = self.shard(&key).insert(record, now);
                if answer.0 == Created::Done {
                    owners.entry(owner).or_default().insert(key);
                }
                answer
            }
            None => self.shard(&record.key).insert(record, now),
        };
        self.forget(swept);
        Ok(created)
    }

    async fn load(&self, key: &RecordKey) -> Result<Option<Record>, BoxError> {
        Ok(self.shard(key).live.get(key).cloned())
    }

    async fn update(
        &self,
        key: &RecordKey,
        version: u64,
        payload: Arc<[u8]>,
        now: i64,
    ) -> Result<Outcome, BoxError> {
        Ok(
            match self
                .shard(key)
                .live
                .get_mut(key)
                .filter(|record| record.is_live(now))
            {
                None => Outcome::Gone,
                Some(record) if record.version != version => Outcome::Conflict,
                Some(record) => {
                    record.payload = payload;
                    record.version += 1;
                    Outcome::Done
                }
            },
        )
    }

    async fn touch(&self, key: &RecordKey, now: i64, expires: i64) -> Result<Outcome, BoxError> {
        Ok(
            match self
                .shard(key)
                .live
                .get_mut(key)
                .filter(|record| record.is_live(now))
            {
                None => Outcome::Gone,
                Some(record) => {
                    record.touched = now;
                    record.expires = record.expires.max(expires).min(record.ends);
                    Outcome::Done
                }
            },
        )
    }

    async fn delete(&self, key: &RecordKey, version: Option<u64>) -> Result<Outcome, BoxError> {
        let removed = match self.shard(key).live.entry(*key) {
            Entry::Vacant(_) => return Ok(Outcome::Gone),
            Entry::Occupied(entry)
                if version.is_some_and(|version| version != entry.get().version) =>
            {
                return Ok(Outcome::Conflict);
            }
            Entry::Occupied(entry) => entry.remove(),
        };
        self.forget(vec![removed]);
        Ok(Outcome::Done)
    }

    async fn list(&self, owner: &str, page: Page, now: i64) -> Result<Vec<Record>, BoxError> {
        use std::ops::Bound::{Excluded, Unbounded};

        let keys: Vec<RecordKey> = match self.owners(owner).get(owner) {
            Some(keys) => keys
                .range((page.after.map_or(Unbounded, Excluded), Unbounded))
                .copied()
                .collect(),
            None => Vec::new(),
        };
        let live = |key: &RecordKey| {
            self.shard(key)
                .live
                .get(key)
                .filter(|record| record.is_live(now) && record.owner.as_deref() == Some(owner))
                .cloned()
        };
        Ok(keys.iter().filter_map(live).take(page.limit).collect())
    }

    async fn delete_all(&self, owner: &str, which: Which) -> Result<u64, BoxError> {
        let mut owners = self.owners(owner);
        let Some(keys) = owners.get_mut(owner) else {
            return Ok(0);
        };
        let mut deleted = 0;
        keys.retain(|key| match self.shard(key).live.entry(*key) {
            // A key on the list may be about to leave it, and be somebody else's by now.
            Entry::Occupied(entry) if entry.get().owner.as_deref() != Some(owner) => false,
            Entry::Occupied(entry) if !which.includes(entry.get().family) => true,
            Entry::Occupied(entry) => {
                entry.remove();
                deleted += 1;
                false
            }
            Entry::Vacant(_) => false,
        });
        if keys.is_empty() {
            owners.remove(owner);
        }
        Ok(deleted)
    }

    async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError> {
        let mut deleted = 0;
        for shard in &self.inner.records {
            let swept = lock(shard).sweep(now, limit - deleted, usize::MAX);
            deleted += swept.len();
            self.forget(swept);
        }
        Ok(deleted as u64)
    }
}

impl MemoryStore {
    fn shard(&self, key: &RecordKey) -> MutexGuard<'_, Shard> {
        // The key is a digest: any of its bytes spreads evenly. The hasher of the map uses the first ones.
        #[allow(
            clippy::indexing_slicing,
            reason = "a remainder by the length is in bounds"
        )]
        lock(&self.inner.records[usize::from(key.as_bytes()[31]) % SHARDS])
    }

    fn owners(&self, owner: &str) -> MutexGuard<'_, HashMap<Arc<str>, BTreeSet<RecordKey>>> {
        let mut hasher = DefaultHasher::new();
        owner.hash(&mut hasher);
        #[allow(
            clippy::indexing_slicing,
            reason = "a remainder by the length is in bounds"
        )]
        lock(&self.inner.owners[hasher.finish() as usize % SHARDS])
    }

    /// Takes records that are gone already off their owners' lists, unless somebody has created them anew meanwhile.
    fn forget(&self, removed: Vec<Record>) {
        for record in removed {
            let Some(owner) = record.owner else { continue };
            let mut owners = self.owners(&owner);
            if self.shard(&record.key).has(&record.key, &owner) {
                continue;
            }
            if let Some(keys) = owners.get_mut(&owner) {
                keys.remove(&record.key);
                if keys.is_empty() {
                    owners.remove(&owner);
                }
            }
        }
    }
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            records: std::array::from_fn(|_| Mutex::default()),
            owners: std::array::from_fn(|_| Mutex::default()),
        }
    }
}

/// No code of others runs under these locks, so a poisoned one still guards a whole value.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
