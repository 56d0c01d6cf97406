//! A store that remembers for a moment what it has read.

mod changes;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use moka::sync::Cache;

use self::changes::{Change, Changes, Moment, Slot};
use super::{Created, Outcome, Page, Record, RecordKey, Replaced, SessionStore, Which};
use crate::error::BoxError;

/// The longest staleness there is. Whoever wants more wants no logout.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How many bytes of records are kept.
const CAPACITY: u64 = 16 * 1024 * 1024;
/// What an entry costs beside its payload and its owner, about.
const OVERHEAD: usize = 320;

/// Puts a cache in front of another store, for fewer reads. **It makes logouts late where there are several nodes.**
///
/// A session's record is read on every request that asks who is there. With this store it is read again only after `staleness`, or when it
/// was changed:
///
/// - A change made **through this store** (a login, a logout, new data, a revocation) is seen through it **at once**.
/// - A change made **elsewhere** — by another process, or through another `CachedStore` — is seen **at the latest
///   `staleness` after** it was made. For so long a session goes on here that was ended there.
/// - A change that **failed or timed out** here may still be made later. What it was about isn't remembered for a minute.
///
/// So on one node it costs nothing but memory, and on several it is a decision: for a few seconds a stolen session outlives its revocation.
/// Also an outage of the store is noticed later by those whose sessions are remembered.
/// Only records that exist are remembered, and only `load` is answered from memory: lists and changes always go to
/// the store. Clones share their memory.
///
/// ```
/// use std::time::Duration;
/// use login_manager::{CachedStore, MemoryStore};
///
/// # let your_database = MemoryStore::new();
/// let store = CachedStore::new(your_database, Duration::from_secs(5));
/// ```
#[derive(Clone)]
pub struct CachedStore {
    store: Arc<dyn SessionStore>,
    staleness: Duration,
    // The first reads the records of the second.
    changes: Arc<Changes>,
    records: Cache<RecordKey, Remembered>,
}

/// A record, and when it was read.
#[derive(Clone)]
struct Remembered {
    record: Record,
    owner: Option<Slot>,
    // From before the store was asked: what it answered is at least as new.
    read: Moment,
}

impl CachedStore {
    /// Remembers what this store answers, for so long and no longer; a day at most.
    #[must_use]
    pub fn new(store: impl SessionStore, staleness: Duration) -> Self {
        let staleness = staleness.min(DAY);
        Self {
            store: Arc::new(store),
            staleness,
            changes: Arc::new(Changes::new()),
            records: remember(CAPACITY, staleness),
        }
    }

    /// How many bytes of records it remembers, about. Default: 16 MiB. Empties it.
    #[must_use]
    pub fn with_capacity(mut self, bytes: u64) -> Self {
        self.records = remember(bytes, self.staleness);
        self
    }

    fn remembered(&self, key: &RecordKey) -> Option<Record> {
        let Remembered {
            record,
            owner,
            read,
        } = self.records.get(key)?;
        // Used elsewhere meanwhile, a session lives longer than this copy knows: it must not come to its end here.
        let idle = record.expires.saturating_sub(record.touched).max(0);
        let patience = Duration::from_millis(idle.unsigned_abs() / 2).min(self.staleness);
        let is_good = read.at.elapsed() < patience
            && self.changes.spared_key(Slot::of_key(key), read)
            && owner.is_none_or(|owner| self.changes.spared_owner(owner, read))
            // An expired record that a store has cleared away stays dead if the clock goes back.
            && self.changes.spared_by_sweeps(record.expires, read);
        is_good.then_some(record)
    }
}

fn remember(bytes: u64, staleness: Duration) -> Cache<RecordKey, Remembered> {
    let weigh = |_: &RecordKey, remembered: &Remembered| {
        let record = &remembered.record;
        let owner = record.owner.as_deref().map_or(0, str::len);
        u32::try_from(OVERHEAD + owner + record.payload.len()).unwrap_or(u32::MAX)
    };
    Cache::builder()
        .max_capacity(bytes)
        .weigher(weigh)
        .time_to_live(staleness)
        .build()
}

impl fmt::Debug for CachedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedStore")
            .field("staleness", &self.staleness)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for CachedStore {
    async fn load(&self, key: &RecordKey) -> Result<Option<Record>, BoxError> {
        if let Some(record) = self.remembered(key) {
            return Ok(Some(record));
        }
        let read = self.changes.now();
        let found = self.store.load(key).await?;
        match &found {
            Some(record) => {
                let owner = record.owner.as_deref().map(Slot::of_owner);
                let record = record.clone();
                let remembered = Remembered {
                    record,
                    owner,
                    read,
                };
                self.records.insert(*key, remembered);
            }
            None => self.records.invalidate(key),
        }
        Ok(found)
    }

    async fn create(&self, record: Record) -> Result<Created, BoxError> {
        let change = self.changes.of_key(&record.key);
        let answer = self.store.create(record).await?;
        change.close();
        Ok(answer)
    }

    async fn update(
        &self,
        key: &RecordKey,
        version: u64,
        payload: Arc<[u8]>,
        now: i64,
    ) -> Result<Outcome, BoxError> {
        // Also when the answer is Conflict or Gone: whoever reads again wants to see why.
        let change = self.changes.of_key(key);
        let answer = self.store.update(key, version, payload, now).await?;
        change.close();
        Ok(answer)
    }

    async fn touch(&self, key: &RecordKey, now: i64, expires: i64) -> Result<Outcome, BoxError> {
        let change = self.changes.of_key(key);
        let answer = self.store.touch(key, now, expires).await?;
        change.close();
        Ok(answer)
    }

    async fn delete(&self, key: &RecordKey, version: Option<u64>) -> Result<Outcome, BoxError> {
        let change = self.changes.of_key(key);
        let answer = self.store.delete(key, version).await?;
        change.close();
        Ok(answer)
    }

    async fn replace(
        &self,
        old: &RecordKey,
        version: u64,
        new: Record,
    ) -> Result<Replaced, BoxError> {
        let changes = [self.changes.of_key(old), self.changes.of_key(&new.key)];
        let answer = self.store.replace(old, version, new).await?;
        changes.into_iter().for_each(Change::close);
        Ok(answer)
    }

    async fn list(&self, owner: &str, page: Page, now: i64) -> Result<Vec<Record>, BoxError> {
        self.store.list(owner, page, now).await
    }

    async fn delete_all(&self, owner: &str, which: Which) -> Result<u64, BoxError> {
        let change = self.changes.of_owner(owner);
        let answer = self.store.delete_all(owner, which).await?;
        change.close();
        Ok(answer)
    }

    async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError> {
        let change = self.changes.of_expired(now);
        let answer = self.store.delete_expired(now, limit).await?;
        change.close();
        Ok(answer)
    }
}
