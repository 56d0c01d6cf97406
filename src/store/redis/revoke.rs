//! Deleting an owner's records, and the ones that take their place meanwhile.
//!
//! A session that is renewed is a chain. Between the moment at which the index is read and the one at which a record is asked
//! to go, the chain can move on by a step, and its new record isn't among those that were read.
//!
//! One server does both at one moment, and no chain gets away. Its script makes the keys of the records itself, which Redis and
//! Valkey allow where they are no cluster. It believes only what it finds: where an entry leads to nothing, there may be a
//! proxy before several servers, and the record on another. Those are left to the steps, which ask for each by its key.
//!
//! In steps this reads again, until a chain that is still there would have been noticed. In a cluster a renewal takes steps,
//! too: create the next record, delete the one before, take the next one back where the one before was gone already. So the
//! entry may be older than the pass in which its record got away.

use std::collections::HashSet;

use redis::Cmd;
use sha2::{Digest as _, Sha256};

use super::{
    BATCH, RedisStore,
    at_once::at_once,
    index::{Entry, entry},
    mark, outcome, script, unknown_answer,
};
use crate::{
    error::BoxError,
    store::{Outcome, RecordKey, Which},
};

/// How often the index is read at most. Whoever keeps logging in as the owner is not run after for ever; a chain that is
/// there after so many would have to have moved on in each of them.
const PASSES: usize = 16;
/// How many passes have to show nothing new. In a first one a chain gets away whose next record was on the index before
/// the pass and came into being after it was asked for; in a second one it can't, since its record after that is new.
const QUIET: usize = 2;

/// How many records one script deletes at most. For as long nobody else is served, about ten milliseconds.
const AT_ONE_GO: usize = 1000;

/// What a script that revokes leaves on the index.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    /// None of those that were asked for.
    Nothing,
    /// More than it may delete at one go.
    More,
    /// Entries that lead to no record it finds.
    Unfound,
}

impl RedisStore {
    /// Deletes those of an owner's records that are there when it begins, and what comes while it is at it.
    ///
    /// On one server the last script sees the whole index, and what is alive of it goes at that moment. It comes to that: nobody
    /// logs in a thousand times between two of them. What a script deleted isn't counted where its answer is lost and another
    /// error comes in its place.
    pub(super) async fn revoke_all(&self, owner: &str, which: Which) -> Result<u64, BoxError> {
        let (mut deleted, mut in_passes) = (0, false);
        loop {
            let Some((gone, left)) = self.revoke_at_one_go(owner, which).await? else {
                return Ok(deleted + self.revoke_in_passes(owner, which).await?);
            };
            deleted += gone;
            match left {
                Left::More => {}
                // The passes take off the index what leads nowhere, so that a script that stopped looking comes to the end.
                Left::Unfound if !in_passes => {
                    deleted += self.revoke_in_passes(owner, which).await?;
                    in_passes = true;
                }
                Left::Unfound | Left::Nothing => return Ok(deleted),
            }
        }
    }

    /// How many went, and what is left. None where the server doesn't do that.
    async fn revoke_at_one_go(
        &self,
        owner: &str,
        which: Which,
    ) -> Result<Option<(u64, Left)>, BoxError> {
        let mark = mark()?;
        let (mode, family) = selection(&which);
        // No record has the second key. It is one letter off the first, so no cluster keeps them in one slot: a CRC notices.
        let digest = Sha256::digest(owner);
        let keys = [self.key("o:", &digest), self.key("r:", &digest)];
        let records = self.key("r:", &[]);
        let revoke = |command: &mut Cmd| {
            command.arg(&mark).arg(owner).arg(mode).arg(family);
            command.arg(&records).arg(AT_ONE_GO);
        };
        let server = &self.server;
        let answer: Option<(u64, Vec<u8>)> = server
            .run_at_one_go(&script::REVOKE_ALL, &keys, revoke)
            .await?;
        answer
            .map(|(gone, left)| Ok((gone, read_left(&left)?)))
            .transpose()
    }

    async fn revoke_in_passes(&self, owner: &str, which: Which) -> Result<u64, BoxError> {
        let (mut seen, mut deleted, mut quiet) = (HashSet::new(), 0, 0);
        for _ in 0..PASSES {
            let mut entries = self.index(owner).await?;
            entries.retain(|entry| which.includes(entry.family));
            // Where nothing is listed nothing is alive, and what isn't alive has no successor.
            if entries.is_empty() {
                break;
            }
            let went = self.revoke_these(owner, which, &entries).await?;
            deleted += went;
            let before = seen.len();
            seen.extend(entries.into_iter().map(|entry| entry.bytes));
            quiet = if went == 0 && seen.len() == before {
                quiet + 1
            } else {
                0
            };
            if quiet == QUIET {
                break;
            }
        }
        Ok(deleted)
    }

    async fn revoke_these(
        &self,
        owner: &str,
        which: Which,
        listed: &[Entry],
    ) -> Result<u64, BoxError> {
        let mut deleted = 0;
        for batch in listed.chunks(BATCH) {
            let keys = batch.iter().map(|listed| &listed.key);
            let answers = at_once(keys.map(|key| self.revoke(owner, key, which))).await;
            // Not the entry of another that may be on its way.
            let (mut gone, mut failed) = (Vec::new(), None);
            for (listed, answer) in batch.iter().zip(answers) {
                match answer {
                    Ok(Some(claim)) => {
                        deleted += 1;
                        gone.push(entry(&listed.key, &claim));
                    }
                    Ok(None) if listed.is_settled => gone.push(listed.bytes.clone()),
                    Ok(None) => {}
                    Err(error) => failed = Some(error),
                }
            }
            let _left_to_be_cleared_away = self.strike(owner.as_bytes(), &gone).await;
            if let Some(error) = failed {
                return Err(error);
            }
        }
        Ok(deleted)
    }

    /// Deletes a record if it is this owner's and one of those. Answers the claim by which it was created.
    async fn revoke(
        &self,
        owner: &str,
        key: &RecordKey,
        which: Which,
    ) -> Result<Option<Vec<u8>>, BoxError> {
        let mark = mark()?;
        let (mode, family) = selection(&which);
        let revoke = |command: &mut Cmd| {
            command.arg(&mark).arg(owner).arg(mode).arg(family);
        };
        let answer: Vec<Option<Vec<u8>>> = self
            .server
            .run(&script::REVOKE, self.record(key), revoke)
            .await?;
        let mut answer = answer.into_iter();
        let outcome = outcome(&answer.next().flatten().unwrap_or_default())?;
        let claim = answer.next().flatten().unwrap_or_default();
        Ok((outcome == Outcome::Done).then_some(claim))
    }
}

fn selection(which: &Which) -> (&'static str, &[u8]) {
    match which {
        Which::All => ("all", &[]),
        Which::Only(family) => ("only", family.as_bytes()),
        Which::Except(family) => ("except", family.as_bytes()),
    }
}

fn read_left(answer: &[u8]) -> Result<Left, BoxError> {
    match answer {
        b"done" => Ok(Left::Nothing),
        b"more" => Ok(Left::More),
        b"rest" => Ok(Left::Unfound),
        _ => Err(unknown_answer()),
    }
}
