//! Deleting all records of an owner.
//!
//! On one server a script finds the records from the index and deletes them together, a thousand at
//! a time. It only trusts what it finds: if an entry leads to no record, the record may be behind a
//! proxy on another server. Those are deleted by their keys, as all records are in a cluster.
//!
//! Either way there is one moment at which the whole index was read: records created before it are
//! deleted, and those created after it stay. An id never changes, so no second look is needed.

use redis::RedisError;

use super::{
    BATCH, RedisStore,
    index::id_of,
    join_all::join_all,
    packed::{OwnerDigest, owner_digest},
    script,
};
use crate::{
    error::BoxError,
    store::{Outcome, SessionId},
};

/// How many records one script deletes, give or take 100. It takes some milliseconds, in which the
/// server does nothing else.
const MAX_PER_SCRIPT: usize = 1000;

impl RedisStore {
    pub(super) async fn delete_owned(
        &self,
        owner: &str,
        except: Option<SessionId>,
    ) -> Result<u64, BoxError> {
        let owner = owner_digest(Some(owner));
        match self.delete_found(&owner, except).await {
            Ok((deleted, absent)) => Ok(deleted + self.delete_one_by_one(&owner, &absent).await?),
            Err(error) => Err(self.index_failure(&owner, error).await),
        }
    }

    /// Returns how many the scripts deleted, and the entries that are left to delete one by one.
    async fn delete_found(
        &self,
        owner: &OwnerDigest,
        except: Option<SessionId>,
    ) -> Result<(u64, Vec<Vec<u8>>), RedisError> {
        let except_bytes = except.as_ref().map_or(&[][..], |id| id.as_bytes());
        let arguments = (owner, except_bytes, self.key("r:", &[]), MAX_PER_SCRIPT);
        // A cluster refuses this, because it keeps the last two keys in different slots. Their
        // names differ in one letter, and neither exists.
        let index = self.index_key(owner);
        let keys = [index, self.key("r:", b"a"), self.key("r:", b"b")];
        let mut deleted = 0;
        loop {
            let reply = self.server.run(&script::DELETE_ALL, &keys, &arguments);
            let reply: Option<(u64, String, _)> = self.server.together(reply).await?;
            let Some((gone, end, absent)) = reply else {
                break;
            };
            deleted += gone;
            if end == "done" {
                return Ok((deleted, absent));
            }
        }
        let mut entries = self.entries(owner, b"-", None).await?;
        entries.retain(|entry| except.is_none() || id_of(entry) != except);
        Ok((deleted, entries))
    }

    async fn delete_one_by_one(
        &self,
        owner: &OwnerDigest,
        entries: &[Vec<u8>],
    ) -> Result<u64, BoxError> {
        let mut deleted = 0;
        for batch in entries.chunks(BATCH) {
            let ids: Vec<_> = batch.iter().filter_map(|entry| id_of(entry)).collect();
            let calls = ids.iter().map(|id| self.delete_if(id, None, Some(owner)));
            for outcome in join_all(calls).await {
                deleted += u64::from(outcome?.0 == Outcome::Done);
            }
            // Best effort: the next call tries again. Entries of a record that was just deleted
            // stay, too, until they are settled: a cluster client that lost the reply to a `create`
            // may write the record once more.
            self.prune_index(owner, batch).await.ok();
        }
        Ok(deleted)
    }
}
