//! A store under examination, and what a check has to itself.

use std::{
    fmt::Display,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use sha2::{Digest as _, Sha256};

use super::{
    answer::{Broken, Verdict, answered, answers, difference, same_records},
    together::together,
};
use crate::{
    clock::{Clock, Millis},
    store::{
        Created, Family, Outcome, Page, Record, RecordKey, Replaced, SessionStore, Which,
        random_bytes,
    },
};

pub(super) const HOUR: Millis = 60 * 60 * 1000;

/// Clones share the keys that were given out.
#[derive(Clone)]
pub(super) struct Probe {
    store: Arc<dyn SessionStore>,
    // Nobody else's keys, families and owners are made from it.
    seed: [u8; 32],
    given: Arc<AtomicU64>,
    now: Millis,
}

impl Probe {
    pub(super) fn new(store: Arc<dyn SessionStore>) -> Result<Self, Broken> {
        Ok(Self {
            store,
            seed: random_bytes().map_err(|_| "the operating system gave no random bytes")?,
            given: Arc::default(),
            now: Clock::System.now(),
        })
    }

    /// When the check began. A store may clear away by its server's clock, so the records live around the real time.
    pub(super) fn now(&self) -> Millis {
        self.now
    }

    fn bytes(&self) -> [u8; 32] {
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        Sha256::new()
            .chain_update(self.seed)
            .chain_update(number.to_be_bytes())
            .finalize()
            .into()
    }

    pub(super) fn key(&self) -> RecordKey {
        RecordKey::from_bytes(self.bytes())
    }

    pub(super) fn family(&self) -> Family {
        let mut bytes = self.bytes().into_iter();
        Family::from_bytes(std::array::from_fn(|_| bytes.next().unwrap_or_default()))
    }

    pub(super) fn owner(&self) -> Arc<str> {
        format!(
            "contract/{}",
            Base64UrlUnpadded::encode_string(&self.bytes())
        )
        .into()
    }

    /// A new owner's first record: made a minute ago, used this moment, dead in an hour, in a day at the latest.
    pub(super) fn record(&self) -> Record {
        self.record_of(&self.owner())
    }

    pub(super) fn record_of(&self, owner: &Arc<str>) -> Record {
        Record {
            key: self.key(),
            family: self.family(),
            owner: Some(Arc::clone(owner)),
            created: self.now - 60_000,
            touched: self.now,
            expires: self.now + HOUR,
            ends: self.now + 24 * HOUR,
            version: 0,
            payload: Arc::from(self.bytes()),
        }
    }

    /// That many records of one owner, in the store, in the order of their keys.
    pub(super) async fn records_of(
        &self,
        owner: &Arc<str>,
        count: usize,
    ) -> Result<Vec<Record>, Broken> {
        let mut records: Vec<_> = (0..count).map(|_| self.record_of(owner)).collect();
        records.sort_by_key(|record| record.key);
        self.insert_all(&records).await?;
        Ok(records)
    }

    /// Eight at a time: a server that syncs each write to its disk would take long for them one by one.
    pub(super) async fn insert_all(&self, records: &[Record]) -> Verdict {
        let size = records.len().div_ceil(8).max(1);
        let chunks: Vec<_> = records.chunks(size).map(<[Record]>::to_vec).collect();
        together(chunks, |chunk| {
            let probe = self.clone();
            async move {
                for record in &chunk {
                    probe.insert(record).await?;
                }
                Ok(())
            }
        })
        .await
        .map(drop)
    }

    /// Creates a record that isn't there.
    pub(super) async fn insert(&self, record: &Record) -> Verdict {
        let created = self.create(record).await?;
        answers("create of a record with a new key", Created::Done, created)
    }

    /// A new record, in the store.
    pub(super) async fn inserted(&self) -> Result<Record, Broken> {
        let record = self.record();
        self.insert(&record).await?;
        Ok(record)
    }

    /// Loads it and compares every field.
    pub(super) async fn finds(&self, record: &Record, when: impl Display) -> Verdict {
        match self.load(&record.key).await? {
            Some(found) if found == *record => Ok(()),
            Some(found) => Err(format!("load {when}: {}", difference(record, &found))),
            None => Err(format!(
                "load {when}: the record has to be there, came None"
            )),
        }
    }

    pub(super) async fn lacks(&self, key: &RecordKey, when: impl Display) -> Verdict {
        match self.load(key).await? {
            None => Ok(()),
            Some(found) => Err(format!(
                "load {when}: promised is None, came a record of version {}",
                found.version
            )),
        }
    }

    /// An owner's whole list, from pages of 100.
    pub(super) async fn list_all(&self, owner: &str, now: Millis) -> Result<Vec<Record>, Broken> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.list(owner, Page { after, limit: 100 }, now).await?;
            let is_last = page.len() < 100;
            after = page.last().map(|record| record.key);
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// Lists all of an owner's and compares every field of every record, whatever the order of `expected`.
    pub(super) async fn lists<'a>(
        &self,
        owner: &str,
        now: Millis,
        expected: impl IntoIterator<Item = &'a Record>,
        when: impl Display,
    ) -> Verdict {
        let expected: Vec<_> = expected.into_iter().collect();
        let found = self.list_all(owner, now).await?;
        same_records(&expected, &found).map_err(|what| format!("list {when}: {what}"))
    }

    pub(super) async fn create(&self, record: &Record) -> Result<Created, Broken> {
        answered("create", self.store.create(record.clone())).await
    }

    pub(super) async fn load(&self, key: &RecordKey) -> Result<Option<Record>, Broken> {
        answered("load", self.store.load(key)).await
    }

    pub(super) async fn update(
        &self,
        key: &RecordKey,
        version: u64,
        payload: &[u8],
        now: Millis,
    ) -> Result<Outcome, Broken> {
        let call = self.store.update(key, version, Arc::from(payload), now);
        answered("update", call).await
    }

    pub(super) async fn touch(
        &self,
        key: &RecordKey,
        now: Millis,
        expires: Millis,
    ) -> Result<Outcome, Broken> {
        answered("touch", self.store.touch(key, now, expires)).await
    }

    pub(super) async fn delete(
        &self,
        key: &RecordKey,
        version: Option<u64>,
    ) -> Result<Outcome, Broken> {
        answered("delete", self.store.delete(key, version)).await
    }

    pub(super) async fn replace(
        &self,
        old: &RecordKey,
        version: u64,
        new: &Record,
    ) -> Result<Replaced, Broken> {
        let call = self.store.replace(old, version, new.clone());
        answered("replace", call).await
    }

    pub(super) async fn list(
        &self,
        owner: &str,
        page: Page,
        now: Millis,
    ) -> Result<Vec<Record>, Broken> {
        answered("list", self.store.list(owner, page, now)).await
    }

    pub(super) async fn delete_all(&self, owner: &str, which: Which) -> Result<u64, Broken> {
        answered("delete_all", self.store.delete_all(owner, which)).await
    }

    pub(super) async fn delete_expired(&self, now: Millis, limit: usize) -> Result<u64, Broken> {
        answered("delete_expired", self.store.delete_expired(now, limit)).await
    }

    /// The store itself, for a call that isn't waited for.
    pub(super) fn store(&self) -> &dyn SessionStore {
        &*self.store
    }
}
