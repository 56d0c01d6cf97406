//! The owner's index: which records an owner has.

use redis::RedisError;

use super::{
    BATCH, MARGIN, RedisStore,
    join_all::join_all,
    packed::{OwnerDigest, owner_digest},
    script,
    server::{failure, is_wrong_type},
};
use crate::{
    error::BoxError,
    store::{Page, SessionId, SessionRecord},
};

/// The age from which an entry without a record is removed. In a cluster, the entry is written
/// before the record, and a record is not written later than an hour after its entry. The clocks of
/// their servers may differ by another hour.
const SETTLED: i64 = 2 * MARGIN;

/// The id of an entry, or `None` if this store didn't write it.
pub(super) fn id_of(entry: &[u8]) -> Option<SessionId> {
    let (id, _) = entry.split_first_chunk()?;
    (entry.len() == 26).then(|| SessionId::from_bytes(*id))
}

impl RedisStore {
    /// Adds an entry before its record is written. Returns when the entry was made, and the limit
    /// of the record.
    pub(super) async fn add_to_index(
        &self,
        owner: &OwnerDigest,
        id: &SessionId,
        longest: i64,
    ) -> Result<(i64, i64), BoxError> {
        let keys = [self.index_key(owner)];
        let arguments = (id.as_bytes(), MARGIN, longest);
        let added = self.server.run(&script::ADD_TO_INDEX, &keys, arguments);
        added.await.map_err(failure)
    }

    /// Removes the entries of a record that was deleted.
    pub(super) async fn remove_from_index(
        &self,
        owner: &[u8],
        id: &SessionId,
    ) -> Result<(), RedisError> {
        let mut command = redis::cmd("ZREMRANGEBYLEX");
        let from = [b"[", &id.as_bytes()[..]].concat();
        let to = [&from[..], &[0xff; 11]].concat();
        command.arg(self.index_key(owner)).arg(from).arg(to);
        self.server.query(&command).await
    }

    /// Of these entries, which have no record, removes those that are so old that their records can
    /// no longer be in flight.
    pub(super) async fn prune_index(
        &self,
        owner: &OwnerDigest,
        absent: &[Vec<u8>],
    ) -> Result<(), RedisError> {
        // A script can't pass more than a few thousand arguments to a command.
        for entries in absent.chunks(BATCH) {
            let keys = [self.index_key(owner)];
            let pruned = self
                .server
                .run(&script::PRUNE_INDEX, &keys, (SETTLED, entries));
            let () = pruned.await?;
        }
        Ok(())
    }

    /// Reads at most `count` entries from this lower bound on.
    pub(super) async fn entries(
        &self,
        owner: &OwnerDigest,
        from: &[u8],
        count: Option<usize>,
    ) -> Result<Vec<Vec<u8>>, RedisError> {
        let mut command = redis::cmd("ZRANGEBYLEX");
        command.arg(self.index_key(owner)).arg(from).arg("+");
        if let Some(count) = count {
            command.arg("LIMIT").arg(0).arg(count);
        }
        self.server.query(&command).await
    }

    /// Reads as much of the index as the page needs, and its records.
    pub(super) async fn list_page(
        &self,
        owner: &str,
        page: Page,
        now: i64,
    ) -> Result<Vec<SessionRecord>, BoxError> {
        let digest = &owner_digest(Some(owner));
        let mut from = page.after.map_or_else(|| b"-".to_vec(), |id| after(&id));
        let (mut listed, mut absent) = (Vec::new(), Vec::new());
        while listed.len() < page.limit {
            let count = (page.limit - listed.len()).min(BATCH);
            let entries = match self.entries(digest, &from, Some(count)).await {
                Ok(entries) => entries,
                Err(error) => return Err(self.index_failure(digest, error).await),
            };
            let ids = entries.iter().map(|entry| id_of(entry));
            let ids: Vec<_> = ids.collect();
            let found = self.load_all(ids.iter().flatten()).await?;
            let mut found = found.into_iter();
            for (entry, id) in entries.iter().zip(&ids) {
                match id.and_then(|_| found.next().flatten()) {
                    Some(record) if record.owner.as_deref() == Some(owner) => {
                        listed.extend(Some(record).filter(|record| record.is_live(now)));
                    }
                    _ => absent.push(entry.clone()),
                }
            }
            match entries.last() {
                Some(last) if entries.len() == count => from = [b"(", &last[..]].concat(),
                _ => break,
            }
        }
        // Best effort: the next list tries again.
        self.prune_index(digest, &absent).await.ok();
        Ok(listed)
    }

    /// The records with these ids, in the same order.
    async fn load_all(
        &self,
        ids: impl Iterator<Item = &SessionId> + Clone,
    ) -> Result<Vec<Option<SessionRecord>>, BoxError> {
        let mut command = redis::cmd("MGET");
        for id in ids.clone() {
            command.arg(self.record_key(id));
        }
        if ids.clone().next().is_none() {
            return Ok(Vec::new());
        }
        let values = self.server.query::<Vec<Option<Vec<u8>>>>(&command);
        let Some(values) = self.server.together(values).await.map_err(failure)? else {
            let records = join_all(ids.map(|id| self.load_one(id))).await;
            return records.into_iter().collect();
        };
        let mut records = Vec::new();
        for (id, value) in ids.zip(values) {
            records.push(match value {
                Some(value) => self.readable(id, &value).await,
                None => None,
            });
        }
        Ok(records)
    }

    /// A value of another type would make every later call fail, so it is deleted. This call fails,
    /// because there may be records that are in no index now.
    pub(super) async fn index_failure(&self, owner: &OwnerDigest, error: RedisError) -> BoxError {
        if is_wrong_type(&error) {
            self.unlink(self.index_key(owner)).await;
        }
        failure(error)
    }
}

/// The lower bound of entries after those of an id.
pub(super) fn after(id: &SessionId) -> Vec<u8> {
    [b"(", &id.as_bytes()[..], &[0xff; 11]].concat()
}
