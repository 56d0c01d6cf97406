//! Deleting all records of an owner.
//!
//! On one server a script finds the records from the index and deletes them together, a thousand at
//! a time. If it finds no record for an entry, the record may be on another server behind a proxy.
//! Such records are deleted by their keys, as all records are in a cluster.
//!
//! Either way, the whole index is read at one moment: records created before it are deleted, and
//! those created after it are kept. A session keeps its id, so the index need not be read again.

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

/// About how many records one script deletes: up to 99 more. The script takes a few milliseconds,
/// during which the server does nothing else.
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

    /// Returns the number of records that the scripts deleted, and the entries whose records are
    /// left to delete one by one.
    async fn delete_found(
        &self,
        owner: &OwnerDigest,
        except: Option<SessionId>,
    ) -> Result<(u64, Vec<Vec<u8>>), RedisError> {
        let except_bytes = except.as_ref().map_or(&[][..], |id| id.as_bytes());
        let arguments = (owner, except_bytes, self.key("r:", &[]), MAX_PER_SCRIPT);
        // A cluster rejects this command, because the last two keys are in different slots. Their
        // names differ in one letter, and neither key exists.
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
            // Best effort: the next call tries again. The entry of a record that was just deleted
            // is also kept until it is old enough: a cluster client that lost the reply to a
            // `create` may write the record once more.
            self.prune_index(owner, batch).await.ok();
        }
        Ok(deleted)
    }
}
