//! Which records are an owner's.

use redis::Cmd;
use sha2::{Digest as _, Sha256};

use super::{MARGIN, RedisStore, no_random_bytes, script};
use crate::{
    error::{BoxError, StoreError},
    store::{Family, Record, RecordKey, random_bytes},
};

/// What an entry says after the key: the family, the call's mark, and how long the record can last at most. With the key
/// it makes 64 bytes, the most that Redis keeps in the compact form of a small sorted set.
pub(super) type Claim = [u8; 32];

/// A line of an index: one create's claim to a key.
pub(super) struct Entry {
    pub(super) key: RecordKey,
    pub(super) family: Family,
    /// Made so long ago that its record isn't on its way any more: where it isn't there, it never comes.
    pub(super) is_settled: bool,
    pub(super) bytes: Vec<u8>,
}

impl RedisStore {
    /// Puts a record on its owner's index before it is written. Answers the moment by which it must have gone again.
    pub(super) async fn enlist(
        &self,
        owner: &str,
        entry: Vec<u8>,
        longest: i64,
    ) -> Result<Vec<u8>, BoxError> {
        let enlist = |command: &mut Cmd| {
            command.arg(&entry).arg(longest).arg(MARGIN);
        };
        self.server
            .run(&script::ENLIST, self.owner(owner.as_bytes()), enlist)
            .await
    }

    /// Takes entries off an owner's index whose records are gone already.
    pub(super) async fn strike(&self, owner: &[u8], entries: &[Vec<u8>]) -> Result<(), BoxError> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut command = redis::cmd("ZREM");
        command.arg(self.owner(owner)).arg(entries);
        self.server.ask(&command).await
    }

    /// The entries on an owner's index, in the order of their keys.
    pub(super) async fn index(&self, owner: &str) -> Result<Vec<Entry>, BoxError> {
        let (now, listed): (i64, Vec<(Vec<u8>, i64)>) = self
            .server
            .run(&script::INDEX, self.owner(owner.as_bytes()), |_| {})
            .await?;
        let read = |(bytes, limit)| Entry::read(bytes, limit, now);
        let entries: Option<Vec<_>> = listed.into_iter().map(read).collect();
        let none_of_ours =
            || StoreError::new("an index in redis has an entry that is none of ours");
        let mut entries = entries.ok_or_else(none_of_ours)?;
        entries.sort_by_key(|entry| entry.key);
        Ok(entries)
    }

    /// A digest, because an owner can be long, and a user's id should not stand in every key that a tool lists.
    pub(super) fn owner(&self, owner: &[u8]) -> Vec<u8> {
        self.key("o:", &Sha256::digest(owner))
    }
}

impl Entry {
    /// By when the record is gone less how long it can last is when the entry was made, on the server's clock like `now`.
    fn read(bytes: Vec<u8>, limit: i64, now: i64) -> Option<Self> {
        let (key, claim) = bytes.split_first_chunk()?;
        let (family, claim) = claim.split_first_chunk()?;
        let (_mark, longest) = claim.split_first_chunk::<8>()?;
        let longest = i64::from_be_bytes(longest.try_into().ok()?);
        Some(Self {
            key: RecordKey::from_bytes(*key),
            family: Family::from_bytes(*family),
            is_settled: limit.saturating_sub(longest) <= now.saturating_sub(MARGIN),
            bytes,
        })
    }
}

/// A new claim for this record. Each call makes one, and knows its own record by it.
pub(super) fn claim(record: &Record, longest: i64) -> Result<Claim, BoxError> {
    let mark: [u8; 8] = random_bytes().map_err(|_| no_random_bytes())?;
    let mut claim = Claim::default();
    let bytes = record.family.as_bytes().iter().chain(&mark);
    let longest = longest.to_be_bytes();
    for (to, from) in claim.iter_mut().zip(bytes.chain(&longest)) {
        *to = *from;
    }
    Ok(claim)
}

pub(super) fn entry(key: &RecordKey, claim: &[u8]) -> Vec<u8> {
    [key.as_bytes(), claim].concat()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn an_entry_is_read_as_it_was_written_and_settled_an_hour_later() {
        let record = Record {
            key: RecordKey::from_bytes([7; 32]),
            family: Family::from_bytes([9; 16]),
            owner: None,
            created: 0,
            touched: 0,
            expires: 0,
            ends: 0,
            version: 0,
            payload: Arc::from([]),
        };
        let bytes = entry(&record.key, &claim(&record, 500).unwrap());
        assert_eq!(bytes.len(), 64);
        for (now, is_settled) in [(0, false), (MARGIN + 99, false), (MARGIN + 100, true)] {
            let entry = Entry::read(bytes.clone(), 600, now).unwrap();
            assert_eq!((entry.key, entry.family), (record.key, record.family));
            assert_eq!(entry.is_settled, is_settled, "at {now}");
        }
        for len in [0, 31, 32, 47, 48, 56, 63, 65] {
            assert!(Entry::read(vec![7; len], 600, 0).is_none(), "{len} bytes");
        }
        for (limit, now) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MIN)] {
            let entry = Entry::read(bytes.clone(), limit, now).unwrap();
            assert_eq!(entry.is_settled, limit < now);
        }
    }
}
