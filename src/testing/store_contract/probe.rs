//! The store under test, and the records of one check.

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
    outcome::{Broken, Verdict, difference, expect, finished, same_records},
    together::together,
};
use crate::{
    clock::{Clock, Millis},
    random::random_bytes,
    store::{CreateOutcome, Outcome, Page, SessionId, SessionRecord, SessionStore},
};

pub(super) const HOUR: Millis = 60 * 60 * 1000;

/// Clones share the counter, so they never use the same id.
#[derive(Clone)]
pub(super) struct Probe {
    store: Arc<dyn SessionStore>,
    // Ids and owners of this check are derived from it. No other check has the same.
    seed: [u8; 32],
    given: Arc<AtomicU64>,
    now: Millis,
}

impl Probe {
    pub(super) fn new(store: Arc<dyn SessionStore>) -> Result<Self, Broken> {
        Ok(Self {
            store,
            seed: random_bytes().map_err(|_| "the operating system returned no random bytes")?,
            given: Arc::default(),
            now: Clock::System.now(),
        })
    }

    /// The time when the check began. It is the real time, since a store may remove expired records
    /// by its server's clock.
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

    pub(super) fn id(&self) -> SessionId {
        let mut bytes = self.bytes().into_iter();
        SessionId::from_bytes(std::array::from_fn(|_| bytes.next().unwrap_or_default()))
    }

    pub(super) fn owner(&self) -> Arc<str> {
        format!(
            "contract/{}",
            Base64UrlUnpadded::encode_string(&self.bytes())
        )
        .into()
    }

    /// A new owner's only record: created a minute ago, used now, expires in an hour, ends in a
    /// day.
    pub(super) fn record(&self) -> SessionRecord {
        self.record_of(&self.owner())
    }

    pub(super) fn record_of(&self, owner: &Arc<str>) -> SessionRecord {
        SessionRecord {
            id: self.id(),
            owner: Some(Arc::clone(owner)),
            version: 0,
            created: self.now - 60_000,
            touched: self.now,
            expires: self.now + HOUR,
            ends: self.now + 24 * HOUR,
            payload: Arc::from(self.bytes()),
        }
    }

    /// Stores `count` records of one owner and returns them in the order of their ids.
    pub(super) async fn records_of(
        &self,
        owner: &Arc<str>,
        count: usize,
    ) -> Result<Vec<SessionRecord>, Broken> {
        let mut records: Vec<_> = (0..count).map(|_| self.record_of(owner)).collect();
        records.sort_by_key(|record| record.id);
        self.insert_all(&records).await?;
        Ok(records)
    }

    /// Creates eight records at a time, since a server that syncs each write to its disk would be
    /// slow one by one.
    pub(super) async fn insert_all(&self, records: &[SessionRecord]) -> Verdict {
        let size = records.len().div_ceil(8).max(1);
        let chunks: Vec<_> = records
            .chunks(size)
            .map(<[SessionRecord]>::to_vec)
            .collect();
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

    /// Creates a record with an unused id.
    pub(super) async fn insert(&self, record: &SessionRecord) -> Verdict {
        let created = self.create(record).await?;
        expect(
            "create of a record with a new id",
            CreateOutcome::Done,
            created,
        )
    }

    /// Creates and returns a new record.
    pub(super) async fn inserted(&self) -> Result<SessionRecord, Broken> {
        let record = self.record();
        self.insert(&record).await?;
        Ok(record)
    }

    /// Loads the record and compares every field.
    pub(super) async fn finds(&self, record: &SessionRecord, when: impl Display) -> Verdict {
        match self.load(&record.id).await? {
            Some(found) if found == *record => Ok(()),
            Some(found) => Err(format!("load {when}: {}", difference(record, &found))),
            None => Err(format!("load {when}: expected the record, got None")),
        }
    }

    pub(super) async fn lacks(&self, id: &SessionId, when: impl Display) -> Verdict {
        match self.load(id).await? {
            None => Ok(()),
            Some(found) => Err(format!(
                "load {when}: expected None, got a record of version {}",
                found.version
            )),
        }
    }

    /// An owner's whole list, from pages of 100.
    pub(super) async fn list_all(
        &self,
        owner: &str,
        now: Millis,
    ) -> Result<Vec<SessionRecord>, Broken> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.list(owner, Page { after, limit: 100 }, now).await?;
            let is_last = page.len() < 100;
            after = page.last().map(|record| record.id);
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// Lists all records of an owner and compares every field, whatever the order of `expected`.
    pub(super) async fn lists<'a>(
        &self,
        owner: &str,
        now: Millis,
        expected: impl IntoIterator<Item = &'a SessionRecord>,
        when: impl Display,
    ) -> Verdict {
        let expected: Vec<_> = expected.into_iter().collect();
        let found = self.list_all(owner, now).await?;
        same_records(&expected, &found).map_err(|what| format!("list {when}: {what}"))
    }

    pub(super) async fn create(&self, record: &SessionRecord) -> Result<CreateOutcome, Broken> {
        finished("create", self.store.create(record.clone())).await
    }

    pub(super) async fn load(&self, id: &SessionId) -> Result<Option<SessionRecord>, Broken> {
        finished("load", self.store.load(id)).await
    }

    pub(super) async fn load_fresh(&self, id: &SessionId) -> Result<Option<SessionRecord>, Broken> {
        finished("load_fresh", self.store.load_fresh(id)).await
    }

    pub(super) async fn update(
        &self,
        record: &SessionRecord,
        now: Millis,
    ) -> Result<Outcome, Broken> {
        finished("update", self.store.update(record.clone(), now)).await
    }

    /// Updates the payload of an unchanged record, and returns the record as it is stored then.
    pub(super) async fn updated(
        &self,
        record: &SessionRecord,
        payload: &[u8],
    ) -> Result<SessionRecord, Broken> {
        let new = with_payload(record, payload);
        let outcome = self.update(&new, self.now).await?;
        expect("update at the stored version", Outcome::Done, outcome)?;
        Ok(SessionRecord {
            version: record.version + 1,
            ..new
        })
    }

    pub(super) async fn touch(
        &self,
        id: &SessionId,
        now: Millis,
        expires: Millis,
    ) -> Result<Outcome, Broken> {
        finished("touch", self.store.touch(id, now, expires)).await
    }

    pub(super) async fn delete(
        &self,
        id: &SessionId,
        version: Option<u64>,
    ) -> Result<Outcome, Broken> {
        finished("delete", self.store.delete(id, version)).await
    }

    pub(super) async fn list(
        &self,
        owner: &str,
        page: Page,
        now: Millis,
    ) -> Result<Vec<SessionRecord>, Broken> {
        finished("list", self.store.list(owner, page, now)).await
    }

    pub(super) async fn delete_all(
        &self,
        owner: &str,
        except: Option<SessionId>,
    ) -> Result<u64, Broken> {
        finished("delete_all", self.store.delete_all(owner, except)).await
    }

    pub(super) async fn delete_expired(&self, now: Millis, limit: usize) -> Result<u64, Broken> {
        finished("delete_expired", self.store.delete_expired(now, limit)).await
    }

    /// The store itself, for a call that is dropped.
    pub(super) fn store(&self) -> &dyn SessionStore {
        &*self.store
    }
}

/// The same record, with another payload.
pub(super) fn with_payload(record: &SessionRecord, payload: &[u8]) -> SessionRecord {
    SessionRecord {
        payload: Arc::from(payload),
        ..record.clone()
    }
}
