//! An in-memory store for one process.

use std::{
    borrow::Borrow,
    collections::{BTreeSet, HashMap, HashSet},
    fmt,
    hash::{Hash, Hasher},
    ops::Bound::{Excluded, Unbounded},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::{CreateOutcome, Outcome, Page, SessionId, SessionRecord, SessionStore};
use crate::error::BoxError;

/// How many expired records a `create` removes: more than the one record that it adds, so that the
/// store shrinks again after a burst of logins.
const SWEEP: usize = 4;

/// Keeps sessions in this process. A restart logs all users out, and other processes do not see
/// them.
///
/// Use it for tests, examples, and single-process applications whose users may have to log in again
/// after a deployment. Expired records are removed when new ones are created, and by
/// [`delete_expired`](SessionStore::delete_expired). Clones share their records.
///
/// ```
/// use login_manager::MemoryStore;
///
/// let store = MemoryStore::new();
/// assert!(store.is_empty());
/// ```
///
/// In the manual: [Choosing a store, several nodes](crate::manual::choosing_a_store).
#[derive(Clone, Default)]
pub struct MemoryStore {
    records: Arc<Mutex<Records>>,
}

/// The records and two indexes, which always agree: every method updates them under one lock.
#[derive(Default)]
struct Records {
    by_id: HashSet<Stored>,
    by_owner: HashMap<Arc<str>, Ids>,
    by_expiry: BTreeSet<(i64, SessionId)>,
}

/// A record, found by its id. The table grows by doubling, so its slots are as small as a pointer.
struct Stored(Box<SessionRecord>);

impl Borrow<SessionId> for Stored {
    fn borrow(&self) -> &SessionId {
        &self.0.id
    }
}

impl PartialEq for Stored {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Stored {}

impl Hash for Stored {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

/// The ids of an owner's records. Most owners have one record, which needs no set.
enum Ids {
    One(SessionId),
    Several(BTreeSet<SessionId>),
}

impl Ids {
    fn insert(&mut self, id: SessionId) {
        match self {
            Self::One(one) => *self = Self::Several(BTreeSet::from([*one, id])),
            Self::Several(ids) => {
                ids.insert(id);
            }
        }
    }

    /// Removes an id. Returns whether there are others.
    fn remove(&mut self, id: &SessionId) -> bool {
        match self {
            Self::One(one) => one != id,
            Self::Several(ids) => {
                ids.remove(id);
                !ids.is_empty()
            }
        }
    }

    /// The ids after this one, in order.
    fn after(&self, after: Option<SessionId>) -> impl Iterator<Item = &SessionId> {
        let bounds = (after.map_or(Unbounded, Excluded), Unbounded);
        let (one, several) = match self {
            Self::One(one) => (Some(one).filter(|one| Some(**one) > after), None),
            Self::Several(ids) => (None, Some(ids.range(bounds))),
        };
        one.into_iter().chain(several.into_iter().flatten())
    }
}

impl MemoryStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the number of records, including expired ones that have not been removed yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().by_id.len()
    }

    /// Returns whether the store has no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns copies of all records in no particular order, for tests.
    #[must_use]
    pub fn records(&self) -> Vec<SessionRecord> {
        let records = self.lock();
        let records = records.by_id.iter().map(|stored| &*stored.0);
        records.cloned().collect()
    }

    /// No foreign code runs under the lock and no method panics half-way, so the value behind a
    /// poisoned lock is still consistent.
    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
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
    async fn create(&self, record: SessionRecord) -> Result<CreateOutcome, BoxError> {
        let mut records = self.lock();
        records.delete_expired(record.touched, SWEEP);
        Ok(records.create(record))
    }

    async fn load(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
        Ok(self.lock().get(id).cloned())
    }

    async fn update(&self, record: SessionRecord, now: i64) -> Result<Outcome, BoxError> {
        Ok(self.lock().update(record, now))
    }

    async fn touch(&self, id: &SessionId, now: i64, expires: i64) -> Result<Outcome, BoxError> {
        Ok(self.lock().touch(id, now, expires))
    }

    async fn delete(&self, id: &SessionId, version: Option<u64>) -> Result<Outcome, BoxError> {
        Ok(self.lock().delete(id, version))
    }

    async fn list(
        &self,
        owner: &str,
        page: Page,
        now: i64,
    ) -> Result<Vec<SessionRecord>, BoxError> {
        let records = self.lock();
        let Some(ids) = records.by_owner.get(owner) else {
            return Ok(Vec::new());
        };
        Ok(ids
            .after(page.after)
            .filter_map(|id| records.get(id))
            .filter(|record| record.is_live(now))
            .take(page.limit)
            .cloned()
            .collect())
    }

    async fn delete_all(&self, owner: &str, except: Option<SessionId>) -> Result<u64, BoxError> {
        Ok(self.lock().delete_all(owner, except))
    }

    async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError> {
        Ok(self.lock().delete_expired(now, limit))
    }

    async fn delete_any(&self, limit: usize) -> Result<u64, BoxError> {
        self.delete_expired(i64::MAX, limit).await
    }
}

impl Records {
    fn get(&self, id: &SessionId) -> Option<&SessionRecord> {
        self.by_id.get(id).map(|stored| &*stored.0)
    }

    fn create(&mut self, mut record: SessionRecord) -> CreateOutcome {
        if self.by_id.contains(&record.id) {
            return CreateOutcome::Exists;
        }
        if let Some(owner) = record.owner.take() {
            // All records of an owner share one string.
            let owner = match self.by_owner.get_key_value(&owner) {
                Some((known, _)) => Arc::clone(known),
                None => owner,
            };
            record.owner = Some(Arc::clone(&owner));
            self.by_owner
                .entry(owner)
                .and_modify(|ids| ids.insert(record.id))
                .or_insert(Ids::One(record.id));
        }
        self.by_expiry.insert((record.expires, record.id));
        self.by_id.insert(Stored(Box::new(record)));
        CreateOutcome::Done
    }

    fn update(&mut self, new: SessionRecord, now: i64) -> Outcome {
        match self.get(&new.id).filter(|stored| stored.is_live(now)) {
            None => Outcome::Gone,
            Some(stored) if stored.version != new.version => Outcome::Conflict,
            Some(_) => self.change(&new.id, |stored| {
                stored.version += 1;
                stored.touched = stored.touched.max(new.touched);
                stored.expires = new.expires;
                stored.ends = new.ends;
                stored.payload = new.payload;
            }),
        }
    }

    fn touch(&mut self, id: &SessionId, now: i64, expires: i64) -> Outcome {
        match self.get(id).filter(|stored| stored.is_live(now)) {
            None => Outcome::Gone,
            Some(_) => self.change(id, |stored| {
                stored.touched = stored.touched.max(now);
                stored.expires = stored.expires.max(expires).min(stored.ends);
            }),
        }
    }

    fn change(&mut self, id: &SessionId, change: impl FnOnce(&mut SessionRecord)) -> Outcome {
        let Some(mut stored) = self.by_id.take(id) else {
            return Outcome::Gone;
        };
        self.by_expiry.remove(&(stored.0.expires, *id));
        change(&mut stored.0);
        self.by_expiry.insert((stored.0.expires, *id));
        self.by_id.insert(stored);
        Outcome::Done
    }

    fn delete(&mut self, id: &SessionId, version: Option<u64>) -> Outcome {
        match self.get(id) {
            None => Outcome::Gone,
            Some(stored) if version.is_some_and(|version| version != stored.version) => {
                Outcome::Conflict
            }
            Some(_) => {
                self.remove(id);
                Outcome::Done
            }
        }
    }

    fn delete_all(&mut self, owner: &str, except: Option<SessionId>) -> u64 {
        let ids = self.by_owner.get(owner).into_iter();
        let ids = ids.flat_map(|ids| ids.after(None)).copied();
        let ids: Vec<_> = ids.filter(|id| Some(*id) != except).collect();
        for id in &ids {
            self.remove(id);
        }
        ids.len() as u64
    }

    fn delete_expired(&mut self, now: i64, limit: usize) -> u64 {
        let mut deleted = 0;
        while deleted < limit {
            match self.by_expiry.first() {
                Some(&(expires, id)) if expires <= now => self.remove(&id),
                _ => break,
            }
            deleted += 1;
        }
        deleted as u64
    }

    fn remove(&mut self, id: &SessionId) {
        let Some(Stored(record)) = self.by_id.take(id) else {
            return;
        };
        self.by_expiry.remove(&(record.expires, *id));
        let Some(owner) = &record.owner else { return };
        if let Some(ids) = self.by_owner.get_mut(owner)
            && !ids.remove(id)
        {
            self.by_owner.remove(owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sessions_of_one_owner_share_its_text() {
        let store = MemoryStore::new();
        for id in [1, 2] {
            let record = SessionRecord {
                id: SessionId::from_bytes([id; 16]),
                owner: Some(String::from("app/alice").into()),
                version: 0,
                created: 0,
                touched: 0,
                expires: 100,
                ends: 100,
                payload: [][..].into(),
            };
            assert_eq!(store.create(record).await.unwrap(), CreateOutcome::Done);
        }
        let owners: Vec<_> = store
            .records()
            .into_iter()
            .filter_map(|record| record.owner)
            .collect();
        let [one, other] = &owners[..] else { panic!() };
        assert!(Arc::ptr_eq(one, other));
    }

    /// A session that is updated, touched, closed and revived in its record again and again takes
    /// the space of one.
    #[tokio::test]
    async fn changes_of_one_record_do_not_grow_the_store() {
        let store = MemoryStore::new();
        let mut record = SessionRecord {
            id: SessionId::from_bytes([1; 16]),
            owner: Some("app/alice".into()),
            version: 0,
            created: 0,
            touched: 0,
            expires: 100,
            ends: 1_000_000,
            payload: [1, 2, 3][..].into(),
        };
        assert_eq!(
            store.create(record.clone()).await.unwrap(),
            CreateOutcome::Done
        );
        for now in 0..40_000 {
            record.expires = now + 100 - now % 50;
            let updated = store.update(record.clone(), now).await.unwrap();
            assert_eq!(updated, Outcome::Done);
            let touched = store.touch(&record.id, now, now + 100).await.unwrap();
            assert_eq!(touched, Outcome::Done);
            record.version += 1;
        }
        let records = store.lock();
        assert_eq!(records.by_id.len(), 1);
        assert_eq!(records.by_owner.len(), 1);
        assert_eq!(records.by_expiry.len(), 1);
    }
}
