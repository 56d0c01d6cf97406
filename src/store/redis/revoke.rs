//! Deleting an owner's records, and the ones that take their place meanwhile.
//!
//! A session that is renewed is a chain. Between the moment at which the index is read and the one at which a record is asked
//! to go, the chain can move on by a step, and its new record isn't among those that were read. So this reads again, until a
//! chain that is still there would have been noticed.
//!
//! On one server a record and its entry come at one go, when those before them go: a chain that got away in a pass has put
//! an entry on the index since it was read, and the next pass shows it. In a cluster it takes steps: create the next record,
//! delete the one before, take the next one back where the one before was gone already. Then the entry may be older than the
//! pass in which its record got away. Who reads can't tell how others write, and allows for the steps.

use std::collections::HashSet;

use redis::Cmd;

use super::{
    BATCH, RedisStore,
    at_once::at_once,
    index::{Entry, entry},
    mark, outcome, script,
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

impl RedisStore {
    /// Deletes those of an owner's records that are there when it begins, and what comes while it is at it.
    pub(super) async fn revoke_all(&self, owner: &str, which: Which) -> Result<u64, BoxError> {
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
        let (mode, family) = match &which {
            Which::All => ("all", &[][..]),
            Which::Only(family) => ("only", &family.as_bytes()[..]),
            Which::Except(family) => ("except", &family.as_bytes()[..]),
        };
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
