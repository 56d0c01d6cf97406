//! Deleting an owner's records.

use redis::Cmd;

use super::{BATCH, RedisStore, at_once::at_once, index::entry, outcome, script};
use crate::{
    error::BoxError,
    store::{Outcome, RecordKey, Which},
};

impl RedisStore {
    /// Deletes those of an owner's records that are there when it begins.
    pub(super) async fn revoke_all(&self, owner: &str, which: Which) -> Result<u64, BoxError> {
        let mut deleted = 0;
        for batch in self.index(owner).await?.chunks(BATCH) {
            let answers = at_once(batch.iter().map(|key| self.revoke(owner, key, which))).await;
            // Only entries whose records this deleted: the record of another may be on its way.
            let (mut entries, mut failed) = (Vec::new(), None);
            for (key, answer) in batch.iter().zip(answers) {
                match answer {
                    Ok(Some(mark)) => entries.push(entry(key, &mark)),
                    Ok(None) => {}
                    Err(error) => failed = Some(error),
                }
            }
            if !entries.is_empty() {
                let _left_to_be_cleared_away = self.strike(owner.as_bytes(), &entries).await;
            }
            if let Some(error) = failed {
                return Err(error);
            }
            deleted += entries.len() as u64;
        }
        Ok(deleted)
    }

    /// Deletes a record if it is this owner's and one of those. Answers the mark of the call that had created it.
    async fn revoke(
        &self,
        owner: &str,
        key: &RecordKey,
        which: Which,
    ) -> Result<Option<Vec<u8>>, BoxError> {
        let (mode, family) = match &which {
            Which::All => ("all", &[][..]),
            Which::Only(family) => ("only", &family.as_bytes()[..]),
            Which::Except(family) => ("except", &family.as_bytes()[..]),
        };
        let revoke = |command: &mut Cmd| {
            command.arg(owner).arg(mode).arg(family);
        };
        let answer: Vec<Option<Vec<u8>>> = self
            .server
            .run(&script::REVOKE, &self.record(key), revoke)
            .await?;
        let mut answer = answer.into_iter();
        let outcome = outcome(&answer.next().flatten().unwrap_or_default())?;
        let mark = answer.next().flatten().unwrap_or_default();
        Ok((outcome == Outcome::Done).then_some(mark))
    }
}
