//! A read-through cache in front of a store.

mod invalidations;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use moka::sync::Cache;

use self::invalidations::{Invalidations, ReadAt, Slot};
use super::{CreateOutcome, Outcome, Page, SessionId, SessionRecord, SessionStore};
use crate::error::BoxError;

/// The upper bound for `staleness`.
const MAX_STALENESS: Duration = Duration::from_secs(24 * 60 * 60);
/// The default capacity in bytes.
const CAPACITY: u64 = 16 * 1024 * 1024;
/// The approximate size of an entry besides its payload and its owner.
const OVERHEAD: usize = 320;

/// A read-through cache in front of another store: fewer reads, but with several nodes **logouts
/// take effect later**.
///
/// Without a cache, a session's record is read on every request that looks up the user. With this
/// store, it is read again only after `staleness`, or if it was written:
///
/// - A write **through this store** (login, logout, saved data, revocation) is seen through it **at
///   once**.
/// - A write **elsewhere**, by another process or another `CachedStore`, is seen **at most
///   `staleness` later**. Until then a session that was ended there continues here.
/// - A write that **failed or timed out** here may still take effect. The records that it
///   concerns are not cached for a minute.
///
/// On one node, the cache only costs memory. On several nodes it is a trade-off: a stolen session
/// outlives its revocation by up to `staleness`. Users whose sessions are cached also notice an
/// outage of the store later.
///
/// Only [`load`](SessionStore::load) is served from the cache, and only existing records are
/// cached. [`load_fresh`](SessionStore::load_fresh) and all other methods always call the store.
/// Clones share their cache.
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
    invalidations: Arc<Invalidations>,
    records: Cache<SessionId, Cached>,
}

#[derive(Clone)]
struct Cached {
    record: SessionRecord,
    owner: Option<Slot>,
    // Taken before the store was called, so the record is at least as new.
    read: ReadAt,
}

impl CachedStore {
    /// Caches records of `store` for `staleness`, at most a day.
    #[must_use]
    pub fn new(store: impl SessionStore, staleness: Duration) -> Self {
        let staleness = staleness.min(MAX_STALENESS);
        Self {
            store: Arc::new(store),
            staleness,
            invalidations: Arc::new(Invalidations::new()),
            records: cache(CAPACITY, staleness),
        }
    }

    /// Sets the approximate size of the cache in bytes, and empties the cache. Default: 16 MiB.
    #[must_use]
    pub fn with_capacity(mut self, bytes: u64) -> Self {
        self.records = cache(bytes, self.staleness);
        self
    }

    fn cached(&self, id: &SessionId) -> Option<SessionRecord> {
        let Cached {
            record,
            owner,
            read,
        } = self.records.get(id)?;
        // If the session is used on another node, it expires later than this copy says. It must not
        // expire earlier here, so the copy is used for at most half the idle timeout.
        let idle = record.expires.saturating_sub(record.touched).max(0);
        let staleness = Duration::from_millis(idle.unsigned_abs() / 2).min(self.staleness);
        let is_valid = read.at.elapsed() < staleness
            && self.invalidations.id_is_unchanged(Slot::of_id(id), read)
            && self.invalidations.everything_is_unchanged(read)
            && owner.is_none_or(|owner| self.invalidations.owner_is_unchanged(owner, read))
            // A record that was removed as expired stays absent if the clock is turned back.
            && self
                .invalidations
                .is_not_removed_as_expired(record.expires, read);
        is_valid.then_some(record)
    }

    fn insert(&self, id: &SessionId, found: Option<&SessionRecord>, read: ReadAt) {
        match found {
            Some(record) => {
                let cached = Cached {
                    record: record.clone(),
                    owner: record.owner.as_deref().map(Slot::of_owner),
                    read,
                };
                self.records.insert(*id, cached);
            }
            None => self.records.invalidate(id),
        }
    }
}

fn cache(bytes: u64, staleness: Duration) -> Cache<SessionId, Cached> {
    let weigh = |_: &SessionId, cached: &Cached| {
        let record = &cached.record;
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

/// Every write invalidates the records that it concerns, whatever its outcome: after `Conflict` or
/// `Gone`, the caller loads the record again.
#[async_trait]
impl SessionStore for CachedStore {
    async fn create(&self, record: SessionRecord) -> Result<CreateOutcome, BoxError> {
        let write = self.invalidations.write_of_id(&record.id);
        let outcome = self.store.create(record).await?;
        write.finish();
        Ok(outcome)
    }

    async fn load(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
        if let Some(record) = self.cached(id) {
            return Ok(Some(record));
        }
        let read = self.invalidations.read_now();
        let found = self.store.load(id).await?;
        self.insert(id, found.as_ref(), read);
        Ok(found)
    }

    async fn load_fresh(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
        let read = self.invalidations.read_now();
        let found = self.store.load_fresh(id).await?;
        self.insert(id, found.as_ref(), read);
        Ok(found)
    }

    fn is_cache(&self) -> bool {
        true
    }

    async fn update(&self, record: SessionRecord, now: i64) -> Result<Outcome, BoxError> {
        let write = self.invalidations.write_of_id(&record.id);
        let outcome = self.store.update(record, now).await?;
        write.finish();
        Ok(outcome)
    }

    async fn touch(&self, id: &SessionId, now: i64, expires: i64) -> Result<Outcome, BoxError> {
        let write = self.invalidations.write_of_id(id);
        let outcome = self.store.touch(id, now, expires).await?;
        write.finish();
        Ok(outcome)
    }

    async fn delete(&self, id: &SessionId, version: Option<u64>) -> Result<Outcome, BoxError> {
        let write = self.invalidations.write_of_id(id);
        let outcome = self.store.delete(id, version).await?;
        write.finish();
        Ok(outcome)
    }

    async fn list(
        &self,
        owner: &str,
        page: Page,
        now: i64,
    ) -> Result<Vec<SessionRecord>, BoxError> {
        self.store.list(owner, page, now).await
    }

    async fn delete_all(&self, owner: &str, except: Option<SessionId>) -> Result<u64, BoxError> {
        let write = self.invalidations.write_of_owner(owner);
        let deleted = self.store.delete_all(owner, except).await?;
        write.finish();
        Ok(deleted)
    }

    async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError> {
        let write = self.invalidations.write_of_expired(now);
        let deleted = self.store.delete_expired(now, limit).await?;
        write.finish();
        Ok(deleted)
    }

    async fn delete_any(&self, limit: usize) -> Result<u64, BoxError> {
        let write = self.invalidations.write_of_everything();
        let deleted = self.store.delete_any(limit).await?;
        write.finish();
        Ok(deleted)
    }
}
