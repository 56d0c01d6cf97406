//! Which records are an owner's.

use redis::Cmd;
use sha2::{Digest as _, Sha256};

use super::{MARGIN, RedisStore, script};
use crate::{error::BoxError, store::RecordKey};

impl RedisStore {
    /// Puts a record on its owner's index before it is written. Answers the moment by which it must have gone again.
    pub(super) async fn enlist(
        &self,
        owner: &str,
        key: &RecordKey,
        mark: &[u8],
        longest: i64,
    ) -> Result<Vec<u8>, BoxError> {
        let enlist = |command: &mut Cmd| {
            command.arg(entry(key, mark)).arg(longest).arg(MARGIN);
        };
        self.server
            .run(&script::ENLIST, &self.owner(owner.as_bytes()), enlist)
            .await
    }

    /// Takes entries off an owner's index whose records are gone already.
    pub(super) async fn strike(&self, owner: &[u8], entries: &[Vec<u8>]) -> Result<(), BoxError> {
        let mut command = redis::cmd("ZREM");
        command.arg(self.owner(owner)).arg(entries);
        self.server.ask(&command).await
    }

    /// The entries on an owner's index.
    pub(super) async fn index(&self, owner: &str) -> Result<Vec<Vec<u8>>, BoxError> {
        let mut command = redis::cmd("ZRANGE");
        command.arg(self.owner(owner.as_bytes())).arg(0).arg(-1);
        self.server.ask(&command).await
    }

    /// A digest, because an owner can be long, and a user's id should not stand in every key that a tool lists.
    fn owner(&self, owner: &[u8]) -> Vec<u8> {
        self.key("o:", &Sha256::digest(owner))
    }
}

/// One create's claim to a key.
pub(super) fn entry(key: &RecordKey, mark: &[u8]) -> Vec<u8> {
    [key.as_bytes(), mark].concat()
}

/// The keys of entries, in their order, each once.
pub(super) fn keys(entries: &[Vec<u8>]) -> Result<Vec<RecordKey>, BoxError> {
    let key = |entry: &Vec<u8>| entry.first_chunk().copied().map(RecordKey::from_bytes);
    let keys: Option<Vec<_>> = entries.iter().map(key).collect();
    let mut keys = keys.ok_or("an index in redis has an entry without a key")?;
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}
