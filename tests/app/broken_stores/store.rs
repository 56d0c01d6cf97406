//! A memory store that breaks one promise.

mod replacing;

use std::{
    cmp::Reverse,
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use async_trait::async_trait;
use login_manager::{
    BoxError, MemoryStore, SessionStore,
    store::{Created, Family, Outcome, Page, Record, RecordKey, Replaced, Which},
};
use tokio::{sync::Semaphore, task::yield_now};

use super::fault::Fault;

/// Its calls never wait but where the fault says so: on one thread, whatever else it does is atomic.
pub struct BrokenStore {
    fault: Fault,
    inner: MemoryStore,
    /// Every record as it was created, whatever became of it.
    born: Mutex<HashMap<RecordKey, Record>>,
    /// What a replica that lags behind still shows, once.
    stale: Mutex<HashMap<RecordKey, Option<Record>>>,
    unlisted: Mutex<Vec<RecordKey>>,
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
            unlisted: Mutex::default(),
            former_owners: Mutex::default(),
            busy: AtomicUsize::new(0),
            connections: Semaphore::new(5),
        }
    }

    async fn peek(&self, key: &RecordKey) -> Option<Record> {
        self.inner.load(key).await.unwrap()
    }

    /// Whatever was there before.
    async fn put(&self, record: Record) {
        let _before: Outcome = self.inner.delete(&record.key, None).await.unwrap();
        assert_eq!(self.inner.create(record).await.unwrap(), Created::Done);
    }

    fn was_born(&self, key: &RecordKey) -> Option<Record> {
        self.born.lock().unwrap().get(key).cloned()
    }

    fn key(&self, key: &RecordKey) -> RecordKey {
        match self.fault {
            Fault::KeysInAnyCase => {
                RecordKey::from_bytes(key.as_bytes().map(|byte| byte.to_ascii_lowercase()))
            }
            _ => *key,
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

    fn of(&self, owner: &str) -> Vec<Record> {
        let all = match self.fault {
            Fault::ListShowsTheDead => self.born.lock().unwrap().values().cloned().collect(),
            Fault::ListIsACopy => {
                let records = self.inner.records();
                let born = records.into_iter().map(|record| self.was_born(&record.key));
                born.map(Option::unwrap).collect()
            }
            _ => self.inner.records(),
        };
        let is_listed = |record: &Record| !self.unlisted.lock().unwrap().contains(&record.key);
        all.into_iter()
            .filter(|record| match &record.owner {
                Some(name) => self.is_owner(name, owner),
                None => self.fault == Fault::ListShowsNobodys,
            })
            .filter(is_listed)
            .collect()
    }

    fn list_again(&self, key: &RecordKey) {
        self.unlisted.lock().unwrap().retain(|other| other != key);
    }

    /// A write: the next look may miss it.
    async fn lag(&self, key: &RecordKey) {
        if self.fault == Fault::ReadsFromAReplica {
            let before = self.peek(key).await;
            self.stale.lock().unwrap().insert(*key, before);
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
    async fn create(&self, mut record: Record) -> Result<Created, BoxError> {
        self.enter().await?;
        record.key = self.key(&record.key);
        let key = record.key;
        let cut = |len: usize| record.payload.iter().copied().take(len).collect();
        match self.fault {
            Fault::CreateOverwrites => {
                let _before: Outcome = self.inner.delete(&key, None).await?;
            }
            Fault::CreateLooksFirst => {
                let is_there = self.peek(&key).await.is_some();
                yield_now().await;
                if !is_there {
                    self.put(record).await;
                    return Ok(Created::Done);
                }
            }
            Fault::KeysAreNeverFree if self.was_born(&key).is_some() => return Ok(Created::Exists),
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
            Fault::PayloadsUpTo(len) => record.payload = cut(len),
            Fault::NoEmptyPayloads if record.payload.is_empty() => return Err("NULL".into()),
            Fault::NobodyIsTheOwnerWithoutAName => {
                record.owner.get_or_insert_default();
            }
            Fault::OwnersAreTrimmed => record.owner = record.owner.map(|owner| owner.trim().into()),
            Fault::FamiliesArePadded => {
                let bytes = record
                    .family
                    .as_bytes()
                    .map(|byte| if byte == 0 { b' ' } else { byte });
                record.family = Family::from_bytes(bytes);
            }
            Fault::HalfOfACreate => {
                let half = Record {
                    payload: cut(1),
                    ..record.clone()
                };
                if self.inner.create(half).await? == Created::Exists {
                    return Ok(Created::Exists);
                }
                yield_now().await;
                self.put(record).await;
                return Ok(Created::Done);
            }
            Fault::IndexAfterTheRecord => {
                self.unlisted.lock().unwrap().push(key);
                let created = self.inner.create(record).await?;
                yield_now().await;
                self.list_again(&key);
                return Ok(created);
            }
            _ => {}
        }
        self.lag(&key).await;
        self.born
            .lock()
            .unwrap()
            .entry(key)
            .or_insert_with(|| record.clone());
        let created = self.inner.create(record).await?;
        if created == Created::Done {
            self.list_again(&key);
        }
        Ok(created)
    }

    async fn load(&self, key: &RecordKey) -> Result<Option<Record>, BoxError> {
        self.enter().await?;
        let stale = self.stale.lock().unwrap().remove(key);
        match stale {
            Some(stale) => Ok(stale),
            None => self.inner.load(&self.key(key)).await,
        }
    }

    async fn update(
        &self,
        key: &RecordKey,
        version: u64,
        payload: Arc<[u8]>,
        now: i64,
    ) -> Result<Outcome, BoxError> {
        self.enter().await?;
        let key = &self.key(key);
        let now = self.fault.now_of_update(now);
        let before = self.peek(key).await;
        let version = match (&before, self.fault) {
            (Some(before), Fault::UpdateIgnoresTheVersion) => before.version,
            _ => version,
        };
        let is_right = before
            .as_ref()
            .is_some_and(|before| before.version == version && before.is_live(now));
        let Some(before) = before.filter(|_| is_right) else {
            let outcome = self
                .inner
                .update(key, version, Arc::clone(&payload), now)
                .await?;
            return match (outcome, self.was_born(key)) {
                (Outcome::Gone, Some(old)) if self.fault == Fault::UpdateRevives => {
                    self.put(Record { payload, ..old }).await;
                    Ok(Outcome::Done)
                }
                (Outcome::Gone, _) if self.fault == Fault::WhatIsMissingIsDone => Ok(Outcome::Done),
                (outcome, _) => Ok(outcome),
            };
        };
        let after = Record {
            version: version + 1,
            payload,
            ..before.clone()
        };
        self.lag(key).await;
        match self.fault {
            Fault::UpdateKeepsTheVersion => self.put(Record { version, ..after }).await,
            Fault::UpdateOfTheSameIsNone if before.payload == after.payload => {}
            Fault::UpdateMovesTheTimes => {
                self.put(Record {
                    touched: now,
                    ..after
                })
                .await;
            }
            Fault::PayloadsOnlyGrow => {
                let rest = before.payload.iter().skip(after.payload.len());
                let payload = after.payload.iter().chain(rest).copied().collect();
                self.put(Record { payload, ..after }).await;
            }
            Fault::PayloadsUpTo(len) => {
                let payload = after.payload.iter().copied().take(len).collect();
                self.put(Record { payload, ..after }).await;
            }
            Fault::UpdateReadsFirst => {
                yield_now().await;
                self.put(after).await;
            }
            Fault::HalfOfAnUpdate => {
                let _before: Outcome = self.inner.delete(key, None).await?;
                yield_now().await;
                self.put(after).await;
            }
            _ => self.put(after).await,
        }
        Ok(Outcome::Done)
    }

    async fn touch(&self, key: &RecordKey, now: i64, expires: i64) -> Result<Outcome, BoxError> {
        self.enter().await?;
        let key = &self.key(key);
        let before = self
            .peek(key)
            .await
            .filter(|before| before.is_live(self.fault.now_of_touch(now)));
        let Some(before) = before else {
            return match self.was_born(key) {
                Some(old) if self.fault == Fault::TouchRevives => {
                    self.put(Record {
                        touched: now,
                        ..old
                    })
                    .await;
                    Ok(Outcome::Done)
                }
                _ if self.fault == Fault::WhatIsMissingIsDone => Ok(Outcome::Done),
                _ => Ok(Outcome::Gone),
            };
        };
        let mut after = Record {
            touched: now,
            expires: before.expires.max(expires).min(before.ends),
            ..before.clone()
        };
        self.lag(key).await;
        match self.fault {
            Fault::TouchGoesBeyondTheEnd => after.expires = before.expires.max(expires),
            Fault::TouchShortens => after.expires = expires.min(before.ends),
            Fault::TouchOnlyNotes => after.expires = before.expires,
            Fault::TouchRaisesTheVersion => after.version += 1,
            Fault::TouchReadsFirst => yield_now().await,
            Fault::HalfOfATouch => {
                let half = Record {
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

    async fn delete(&self, key: &RecordKey, version: Option<u64>) -> Result<Outcome, BoxError> {
        self.enter().await?;
        let key = &self.key(key);
        let before = self.peek(key).await;
        self.lag(key).await;
        match self.fault {
            Fault::DeleteIgnoresTheVersion => return self.inner.delete(key, None).await,
            Fault::WhatIsMissingIsDone if before.is_none() => return Ok(Outcome::Done),
            Fault::WhatIsMissingIsConflict if before.is_none() && version.is_some() => {
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
                let _lost: Outcome = self.inner.delete(key, None).await?;
                return Ok(Outcome::Done);
            }
            Fault::IndexAfterTheDelete => {
                let outcome = self.inner.delete(key, version).await?;
                yield_now().await;
                if outcome == Outcome::Done {
                    self.unlisted.lock().unwrap().push(*key);
                }
                return Ok(outcome);
            }
            Fault::HalfOfADelete => {
                if let Some(before) = before {
                    let payload = [][..].into();
                    self.put(Record { payload, ..before }).await;
                    yield_now().await;
                }
            }
            _ => {}
        }
        self.inner.delete(key, version).await
    }

    async fn replace(
        &self,
        old: &RecordKey,
        version: u64,
        new: Record,
    ) -> Result<Replaced, BoxError> {
        self.enter().await?;
        let key = self.key(&new.key);
        self.put_in_place(self.key(old), version, Record { key, ..new })
            .await
    }

    async fn list(&self, owner: &str, page: Page, now: i64) -> Result<Vec<Record>, BoxError> {
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
            Fault::ListIsUnordered => found.sort_by_key(|record| Reverse(record.key)),
            Fault::ListIsOrderedBySignedBytes => {
                found.sort_by_key(|record| record.key.as_bytes().map(u8::cast_signed));
            }
            _ => found.sort_by_key(|record| record.key),
        }
        if self.fault != Fault::ListStartsAnew {
            found.retain(|record| page.after.is_none_or(|after| record.key > after));
        }
        if self.fault == Fault::ListCountsTheExpired {
            found.truncate(page.limit);
        }
        let at = self.fault.now_of_list(now);
        found.retain(|record| record.is_live(at));
        if self.fault == Fault::ListGivesUp {
            let mut there = 0;
            yield_now().await;
            for record in &found {
                if self.peek(&record.key).await.is_none() {
                    break;
                }
                there += 1;
            }
            found.truncate(there);
        }
        match self.fault {
            Fault::ListLacksTheLast if found.len() > 1 => drop(found.pop()),
            Fault::ListHasAFixedPage => found.truncate(100),
            Fault::ListKnowsNoNone if page.limit == 0 => return Ok(found),
            Fault::ListLimitIsSigned if i64::try_from(page.limit).is_err() => {
                return Err("LIMIT must not be negative".into());
            }
            _ => {}
        }
        found.truncate(page.limit);
        Ok(found)
    }

    async fn delete_all(&self, owner: &str, which: Which) -> Result<u64, BoxError> {
        self.enter().await?;
        let which = match (self.fault, which) {
            (Fault::DeleteAllKnowsNoFamilies, _) => Which::All,
            (Fault::DeleteAllMistakesExceptForOnly, Which::Except(family)) => Which::Only(family),
            _ => which,
        };
        let mut records = self.of(owner);
        if self.fault == Fault::DeleteAllTakesNobodys {
            let families: Vec<_> = records.iter().map(|record| record.family).collect();
            let all = self.inner.records().into_iter();
            records.extend(
                all.filter(|record| record.owner.is_none() && families.contains(&record.family)),
            );
        }
        records.retain(|record| which.includes(record.family));
        if self.fault == Fault::DeleteAllSparesTheExpired {
            records.retain(|record| !is_dead(record));
        }
        match self.fault {
            Fault::DeleteAllTakesAPage => records.truncate(100),
            Fault::DeleteAllListsFirst => yield_now().await,
            Fault::ListForgetsFormerOwners => {
                self.former_owners.lock().unwrap().push(owner.to_owned());
            }
            Fault::DeleteAllIsLate => {
                let (inner, count) = (self.inner.clone(), records.len());
                tokio::spawn(async move {
                    for record in records {
                        let _done: Outcome = inner.delete(&record.key, None).await.unwrap();
                    }
                });
                return Ok(count as u64);
            }
            _ => {}
        }
        let mut deleted = 0;
        for record in &records {
            if self.fault == Fault::HalfOfADeleteAll {
                yield_now().await;
            }
            if self.inner.delete(&record.key, None).await? == Outcome::Done {
                deleted += 1;
            }
        }
        match self.fault {
            Fault::DeleteAllCountsNothing => deleted = 0,
            Fault::DeleteAllDropsTheIndex => {
                yield_now().await;
                let left = self.of(owner).into_iter().map(|record| record.key);
                self.unlisted.lock().unwrap().extend(left);
            }
            _ => {}
        }
        Ok(deleted)
    }

    async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError> {
        self.enter().await?;
        match self.fault {
            Fault::CleanupIsUnbounded => self.inner.delete_expired(now, usize::MAX).await,
            Fault::CleanupTakesMoreThanItSays => {
                let deleted = self.inner.delete_expired(now, usize::MAX).await?;
                Ok(deleted.min(limit as u64))
            }
            Fault::CleanupStopsEarly => self.inner.delete_expired(now, limit / 2).await,
            Fault::CleanupIsEarly => self.inner.delete_expired(now + 1, limit).await,
            Fault::CleanupIsLate => self.inner.delete_expired(now - 1, limit).await,
            Fault::CleanupTakesTheLiving => {
                self.inner
                    .delete_expired(now + 2 * 60 * 60 * 1000, limit)
                    .await
            }
            Fault::CleanupKnowsNoTouch => {
                let records = self.inner.records().into_iter();
                let due = |record: &Record| {
                    self.was_born(&record.key)
                        .is_some_and(|born| born.expires <= now)
                };
                let mut deleted = 0;
                for record in records.filter(due).take(limit) {
                    let _done: Outcome = self.inner.delete(&record.key, None).await?;
                    deleted += 1;
                }
                Ok(deleted)
            }
            _ => self.inner.delete_expired(now, limit).await,
        }
    }
}

fn is_dead(record: &Record) -> bool {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    !record.is_live(now.as_millis() as i64)
}
