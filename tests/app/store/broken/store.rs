//! A memory store that breaks one promise.

use std::{
    cmp::Reverse,
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use async_trait::async_trait;
use login_manager::{
    BoxError, MemoryStore, SessionStore,
    store::{CreateOutcome, Outcome, Page, SessionId, SessionRecord},
};
use tokio::{sync::Semaphore, task::yield_now};

use super::fault::Fault;

/// Its calls wait only if the fault says so: on one thread, everything else is atomic.
pub struct BrokenStore {
    fault: Fault,
    inner: MemoryStore,
    /// Every record as it was created.
    born: Mutex<HashMap<SessionId, SessionRecord>>,
    /// The record that a lagging replica still returns, once.
    stale: Mutex<HashMap<SessionId, Option<SessionRecord>>>,
    /// The record that was read before.
    cached: Mutex<HashMap<SessionId, SessionRecord>>,
    unlisted: Mutex<Vec<SessionId>>,
    former_owners: Mutex<Vec<String>>,
    busy: AtomicUsize,
    connections: Semaphore,
}

impl BrokenStore {
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            inner: MemoryStore::new(),
            born: Mutex::default(),
            stale: Mutex::default(),
            cached: Mutex::default(),
            unlisted: Mutex::default(),
            former_owners: Mutex::default(),
            busy: AtomicUsize::new(0),
            connections: Semaphore::new(5),
        }
    }

    async fn peek(&self, id: &SessionId) -> Option<SessionRecord> {
        let found = self.inner.load(id).await.unwrap();
        found.filter(|_| self.fault != Fault::ExpiryIsSetOnce || !self.was_born_to_die(id))
    }

    /// Whether it was to expire by now when it was created.
    fn was_born_to_die(&self, id: &SessionId) -> bool {
        self.was_born(id).is_some_and(|born| is_dead(&born))
    }

    /// Replaces whatever is there.
    async fn put(&self, record: SessionRecord) {
        let _before: Outcome = self.inner.delete(&record.id, None).await.unwrap();
        let created = self.inner.create(record).await.unwrap();
        assert_eq!(created, CreateOutcome::Done);
    }

    fn was_born(&self, id: &SessionId) -> Option<SessionRecord> {
        self.born.lock().unwrap().get(id).cloned()
    }

    fn id(&self, id: &SessionId) -> SessionId {
        let bytes = id.as_bytes();
        match self.fault {
            Fault::IdsInAnyCase => {
                SessionId::from_bytes(bytes.map(|byte| byte.to_ascii_lowercase()))
            }
            Fault::IdsWithoutNul => {
                SessionId::from_bytes(bytes.map(|byte| if byte == 0 { b' ' } else { byte }))
            }
            _ => *id,
        }
    }

    fn is_owner(&self, owner: &str, asked: &str) -> bool {
        match self.fault {
            Fault::OwnersInAnyCase => owner.to_lowercase() == asked.to_lowercase(),
            Fault::OwnersPadded => owner.trim_end_matches(' ') == asked.trim_end_matches(' '),
            Fault::OwnersByPattern => owner.starts_with(asked.trim_end_matches('%')),
            Fault::OwnersUpToNul => owner.split('\0').next() == asked.split('\0').next(),
            Fault::OwnersUpTo1999 => owner.bytes().take(1999).eq(asked.bytes().take(1999)),
            _ => owner == asked,
        }
    }

    fn of(&self, owner: &str) -> Vec<SessionRecord> {
        let all = match self.fault {
            Fault::ListShowsTheDead => self.born.lock().unwrap().values().cloned().collect(),
            Fault::ListIsACopy => {
                let records = self.inner.records();
                let born = records.into_iter().map(|record| self.was_born(&record.id));
                born.map(Option::unwrap).collect()
            }
            _ => self.inner.records(),
        };
        let is_listed = |record: &SessionRecord| {
            let is_unlisted = self.unlisted.lock().unwrap().contains(&record.id)
                || self.fault == Fault::ListExpiryIsSetOnce && self.was_born_to_die(&record.id);
            !is_unlisted
        };
        all.into_iter()
            .filter(|record| match &record.owner {
                Some(name) => self.is_owner(name, owner),
                None => self.fault == Fault::ListShowsAnonymous,
            })
            .filter(is_listed)
            .collect()
    }

    /// A write: the next read may miss it.
    async fn lag(&self, id: &SessionId) {
        if self.fault == Fault::ReadsFromAReplica {
            let before = self.peek(id).await;
            self.stale.lock().unwrap().insert(*id, before);
        }
    }

    async fn enter(&self) -> Result<(), BoxError> {
        match self.fault {
            Fault::FailsWhenBusy => {
                let others = self.busy.fetch_add(1, Ordering::SeqCst);
                yield_now().await;
                self.busy.fetch_sub(1, Ordering::SeqCst);
                if others > 0 {
                    return Err("deadlock detected".into());
                }
            }
            Fault::LosesConnections => {
                self.connections.acquire().await?.forget();
                yield_now().await;
                self.connections.add_permits(1);
            }
            Fault::Panics => panic!("out of order"),
            Fault::Hangs => std::future::pending().await,
            Fault::Fails => return Err("out of order".into()),
            _ => {}
        }
        Ok(())
    }
}

#[async_trait]
impl SessionStore for BrokenStore {
    async fn create(&self, mut record: SessionRecord) -> Result<CreateOutcome, BoxError> {
        self.enter().await?;
        record.id = self.id(&record.id);
        let id = record.id;
        let cut = |len: usize| record.payload.iter().copied().take(len).collect();
        match self.fault {
            Fault::CreateOverwrites => {
                let _before: Outcome = self.inner.delete(&id, None).await?;
            }
            Fault::CreateLooksFirst => {
                let is_there = self.peek(&id).await.is_some();
                yield_now().await;
                if !is_there {
                    self.put(record).await;
                    return Ok(CreateOutcome::Done);
                }
            }
            Fault::Seconds => {
                for time in [
                    &mut record.created,
                    &mut record.touched,
                    &mut record.expires,
                    &mut record.ends,
                ] {
                    *time -= *time % 1000;
                }
            }
            Fault::Until2038 => record.ends = record.ends.min(i64::from(i32::MAX) * 1000),
            Fault::EveryVersionStartsAtZero => record.version = 0,
            Fault::VersionsHave32Bits => record.version &= u64::from(u32::MAX),
            Fault::PayloadsUpTo(len) => record.payload = cut(len),
            Fault::NoEmptyPayloads if record.payload.is_empty() => return Err("NULL".into()),
            Fault::NoOwnerIsAnEmptyOwner => {
                record.owner.get_or_insert_default();
            }
            Fault::OwnersAreTrimmed => record.owner = record.owner.map(|owner| owner.trim().into()),
            Fault::HalfOfACreate => {
                let half = SessionRecord {
                    payload: cut(1),
                    ..record.clone()
                };
                if self.inner.create(half).await? == CreateOutcome::Exists {
                    return Ok(CreateOutcome::Exists);
                }
                yield_now().await;
                self.put(record).await;
                return Ok(CreateOutcome::Done);
            }
            Fault::IndexAfterTheRecord => {
                self.unlisted.lock().unwrap().push(id);
                let created = self.inner.create(record).await?;
                yield_now().await;
                self.unlisted.lock().unwrap().retain(|other| *other != id);
                return Ok(created);
            }
            _ => {}
        }
        self.lag(&id).await;
        self.born
            .lock()
            .unwrap()
            .entry(id)
            .or_insert_with(|| record.clone());
        self.inner.create(record).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
        self.enter().await?;
        let stale = self.stale.lock().unwrap().remove(id);
        if let Some(stale) = stale {
            return Ok(stale);
        }
        let found = self.peek(&self.id(id)).await;
        if let Some(found) = &found {
            self.cached.lock().unwrap().insert(*id, found.clone());
        }
        Ok(found)
    }

    async fn load_fresh(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
        if self.fault == Fault::LoadFreshIsCached {
            let cached = self.cached.lock().unwrap().get(id).cloned();
            if cached.is_some() {
                return Ok(cached);
            }
        }
        self.load(id).await
    }

    async fn update(&self, mut new: SessionRecord, now: i64) -> Result<Outcome, BoxError> {
        self.enter().await?;
        new.id = self.id(&new.id);
        let id = new.id;
        let now = self.fault.now_of_update(now);
        let before = self.peek(&id).await;
        if let (Some(before), Fault::UpdateIgnoresTheVersion) = (&before, self.fault) {
            new.version = before.version;
        }
        let Some(before) = before.filter(|before| before.is_live(now)) else {
            return Ok(match (self.was_born(&id), self.fault) {
                (Some(_), Fault::UpdateRevives) => {
                    self.put(new).await;
                    Outcome::Done
                }
                (_, Fault::MissingIsDone) => Outcome::Done,
                _ => Outcome::Gone,
            });
        };
        if before.version != new.version {
            return Ok(Outcome::Conflict);
        }
        let mut after = SessionRecord {
            version: new.version + 1,
            touched: before.touched.max(new.touched),
            expires: new.expires,
            ends: new.ends,
            payload: new.payload.clone(),
            ..before.clone()
        };
        self.lag(&id).await;
        match self.fault {
            Fault::UpdateKeepsTheVersion => after.version = before.version,
            Fault::UpdateOfTheSameIsNone if before.payload == after.payload => after = before,
            Fault::UpdateKeepsTouched => after.touched = before.touched,
            Fault::UpdateLowersTouched => after.touched = new.touched,
            Fault::UpdateKeepsExpires => after.expires = before.expires,
            Fault::UpdateKeepsEnds => after.ends = before.ends,
            Fault::UpdateNeverShortens => after.expires = before.expires.max(new.expires),
            Fault::UpdateKeepsToTheOldEnd => after.expires = new.expires.min(before.ends),
            Fault::PayloadsOnlyGrow => {
                let rest = before.payload.iter().skip(after.payload.len());
                after.payload = new.payload.iter().chain(rest).copied().collect();
            }
            Fault::PayloadsUpTo(len) => {
                after.payload = new.payload.iter().copied().take(len).collect();
            }
            Fault::UpdateReadsFirst => yield_now().await,
            Fault::HalfOfAnUpdate => {
                let _before: Outcome = self.inner.delete(&id, None).await?;
                yield_now().await;
            }
            _ => {}
        }
        self.put(after).await;
        Ok(Outcome::Done)
    }

    async fn touch(&self, id: &SessionId, now: i64, expires: i64) -> Result<Outcome, BoxError> {
        self.enter().await?;
        let id = &self.id(id);
        let before = self
            .peek(id)
            .await
            .filter(|before| before.is_live(self.fault.now_of_touch(now)));
        let Some(before) = before else {
            return Ok(match self.was_born(id) {
                Some(old) if self.fault == Fault::TouchRevives => {
                    self.put(SessionRecord {
                        touched: now,
                        ..old
                    })
                    .await;
                    Outcome::Done
                }
                _ if self.fault == Fault::MissingIsDone => Outcome::Done,
                _ => Outcome::Gone,
            });
        };
        let mut after = SessionRecord {
            touched: before.touched.max(now),
            expires: before.expires.max(expires).min(before.ends),
            ..before.clone()
        };
        self.lag(id).await;
        match self.fault {
            Fault::TouchGoesBeyondTheEnd => after.expires = before.expires.max(expires),
            Fault::TouchShortens => after.expires = expires.min(before.ends),
            Fault::TouchOnlyNotes => after.expires = before.expires,
            Fault::TouchLowersTouched => after.touched = now,
            Fault::TouchRaisesTheVersion => after.version += 1,
            Fault::TouchReadsFirst => yield_now().await,
            Fault::HalfOfATouch => {
                let half = SessionRecord {
                    touched: now,
                    ..before
                };
                self.put(half).await;
                yield_now().await;
            }
            _ => {}
        }
        self.put(after).await;
        Ok(Outcome::Done)
    }

    async fn delete(&self, id: &SessionId, version: Option<u64>) -> Result<Outcome, BoxError> {
        self.enter().await?;
        let id = &self.id(id);
        let before = self.peek(id).await;
        self.lag(id).await;
        match self.fault {
            Fault::DeleteIgnoresTheVersion => return self.inner.delete(id, None).await,
            Fault::MissingIsDone if before.is_none() => return Ok(Outcome::Done),
            Fault::MissingIsConflict if before.is_none() && version.is_some() => {
                return Ok(Outcome::Conflict);
            }
            Fault::DeleteSparesTheExpired if before.as_ref().is_some_and(is_dead) => {
                return Ok(Outcome::Gone);
            }
            Fault::DeleteReadsFirst
                if before.as_ref().is_some_and(|before| {
                    version.is_none_or(|version| version == before.version)
                }) =>
            {
                yield_now().await;
                let _lost: Outcome = self.inner.delete(id, None).await?;
                return Ok(Outcome::Done);
            }
            Fault::HalfOfADelete => {
                if let Some(before) = before {
                    let payload = [][..].into();
                    self.put(SessionRecord { payload, ..before }).await;
                    yield_now().await;
                }
            }
            _ => {}
        }
        self.inner.delete(id, version).await
    }

    async fn list(
        &self,
        owner: &str,
        page: Page,
        now: i64,
    ) -> Result<Vec<SessionRecord>, BoxError> {
        self.enter().await?;
        let mut found = self.of(owner);
        match self.fault {
            Fault::ListForgetsFormerOwners
                if self
                    .former_owners
                    .lock()
                    .unwrap()
                    .iter()
                    .any(|name| name == owner) =>
            {
                found.clear();
            }
            Fault::ListIsUnordered => found.sort_by_key(|record| Reverse(record.id)),
            Fault::ListIsOrderedBySignedBytes => {
                found.sort_by_key(|record| record.id.as_bytes().map(u8::cast_signed));
            }
            _ => found.sort_by_key(|record| record.id),
        }
        if self.fault != Fault::ListStartsAnew {
            found.retain(|record| page.after.is_none_or(|after| record.id > after));
        }
        if self.fault == Fault::ListCountsTheExpired {
            found.truncate(page.limit);
        }
        let at = self.fault.now_of_list(now);
        found.retain(|record| record.is_live(at));
        match self.fault {
            Fault::UpdateForgetsTheIndex => {
                let is_indexed =
                    |record: &SessionRecord| self.was_born(&record.id).unwrap().ends > now;
                found.retain(is_indexed);
            }
            Fault::ListGivesUp => {
                let mut there = 0;
                yield_now().await;
                for record in &found {
                    if self.peek(&record.id).await.is_none() {
                        break;
                    }
                    there += 1;
                }
                found.truncate(there);
            }
            Fault::ListLacksTheLast if found.len() > 1 => drop(found.pop()),
            Fault::ListHasAFixedPage => found.truncate(100),
            Fault::ListKnowsNoZero if page.limit == 0 => return Ok(found),
            Fault::ListLimitIsSigned if i64::try_from(page.limit).is_err() => {
                return Err("LIMIT must not be negative".into());
            }
            _ => {}
        }
        found.truncate(page.limit);
        Ok(found)
    }

    async fn delete_all(&self, owner: &str, except: Option<SessionId>) -> Result<u64, BoxError> {
        self.enter().await?;
        let mut records = self.of(owner);
        records.sort_by_key(|record| record.id);
        let is_excepted = |record: &SessionRecord| Some(record.id) == except;
        match self.fault {
            Fault::DeleteAllIgnoresTheException => {}
            Fault::DeleteAllDeletesTheException if except.is_some() => records.retain(is_excepted),
            Fault::DeleteAllNeedsTheException
                if except.is_some() && !records.iter().any(is_excepted) =>
            {
                records.clear();
            }
            _ => records.retain(|record| !is_excepted(record)),
        }
        match self.fault {
            Fault::DeleteAllTakesAnonymous => {
                let all = self.inner.records().into_iter();
                records.extend(all.filter(|record| record.owner.is_none()));
            }
            Fault::DeleteAllSparesTheExpired => records.retain(|record| !is_dead(record)),
            Fault::DeleteAllTakesAPage => records.truncate(100),
            Fault::ListForgetsFormerOwners => {
                self.former_owners.lock().unwrap().push(owner.to_owned());
            }
            Fault::DeleteAllIsLate => {
                let (inner, count) = (self.inner.clone(), records.len());
                tokio::spawn(async move {
                    for record in records {
                        let _done: Outcome = inner.delete(&record.id, None).await.unwrap();
                    }
                });
                return Ok(count as u64);
            }
            Fault::DeleteAllGoesOneByOne => return self.delete_one_by_one(owner, except).await,
            _ => {}
        }
        let mut deleted = 0;
        for record in &records {
            if self.fault == Fault::HalfOfADeleteAll {
                yield_now().await;
            }
            if self.inner.delete(&record.id, None).await? == Outcome::Done {
                deleted += 1;
            }
        }
        match self.fault {
            Fault::DeleteAllCountsNothing => deleted = 0,
            Fault::DeleteAllDropsTheIndex => {
                yield_now().await;
                let left = self.of(owner).into_iter().map(|record| record.id);
                self.unlisted.lock().unwrap().extend(left);
            }
            _ => {}
        }
        Ok(deleted)
    }

    async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError> {
        self.enter().await?;
        let was_due = |record: &SessionRecord| {
            self.was_born(&record.id)
                .is_some_and(|born| born.expires <= now)
        };
        let records = self.inner.records().into_iter();
        let due: Vec<_> = match self.fault {
            Fault::CleanupIsUnbounded => {
                return self.inner.delete_expired(now, usize::MAX).await;
            }
            Fault::CleanupTakesMoreThanItSays => {
                let deleted = self.inner.delete_expired(now, usize::MAX).await?;
                return Ok(deleted.min(limit as u64));
            }
            Fault::CleanupStopsEarly => return self.inner.delete_expired(now, limit / 2).await,
            Fault::CleanupIsEarly => return self.inner.delete_expired(now + 1, limit).await,
            Fault::CleanupIsLate => return self.inner.delete_expired(now - 1, limit).await,
            Fault::CleanupTakesTheLiving => {
                let later = now + 2 * 60 * 60 * 1000;
                return self.inner.delete_expired(later, limit).await;
            }
            Fault::CleanupKnowsNoExtension => records.filter(was_due).take(limit).collect(),
            Fault::CleanupKnowsNoEarlyEnd => records
                .filter(|record| was_due(record) && !record.is_live(now))
                .take(limit)
                .collect(),
            _ => return self.inner.delete_expired(now, limit).await,
        };
        for record in &due {
            let _done: Outcome = self.inner.delete(&record.id, None).await?;
        }
        Ok(due.len() as u64)
    }
}

impl BrokenStore {
    /// From id to id, each time to the next one that is there by then.
    async fn delete_one_by_one(
        &self,
        owner: &str,
        except: Option<SessionId>,
    ) -> Result<u64, BoxError> {
        let (mut deleted, mut after) = (0, None);
        loop {
            let page = Page { after, limit: 1 };
            let Some(record) = self.inner.list(owner, page, 0).await?.pop() else {
                return Ok(deleted);
            };
            if Some(record.id) != except {
                let _done: Outcome = self.inner.delete(&record.id, None).await?;
                deleted += 1;
            }
            after = Some(record.id);
            yield_now().await;
        }
    }
}

fn is_dead(record: &SessionRecord) -> bool {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    !record.is_live(now.as_millis() as i64)
}
