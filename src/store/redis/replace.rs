//! A record that makes way: for none, or for another one.

use redis::Cmd;

use super::{RedisStore, create::New, index::entry, mark, outcome, script, unknown_answer};
use crate::{
    error::BoxError,
    store::{Created, Outcome, RecordKey, Replaced},
};

/// What a script answers that may have deleted a record: what became of it, its claim, whose it was.
type Deleted = Vec<Option<Vec<u8>>>;

impl RedisStore {
    pub(super) async fn delete_at(
        &self,
        key: &RecordKey,
        version: Option<u64>,
    ) -> Result<Outcome, BoxError> {
        self.delete_once(&mark()?, key, version).await
    }

    /// The new record is on the index before it is there, and the old one is there until the new one is: at one go where one
    /// server has all of it, else in steps.
    pub(super) async fn replace_at(
        &self,
        old: &RecordKey,
        version: u64,
        new: &New,
    ) -> Result<Replaced, BoxError> {
        // In steps the new record would be there first, and then be taken for the old one.
        if *old == new.record.key {
            return Ok(Replaced::Exists);
        }
        let mark = mark()?;
        let owner = new.record.owner.as_deref();
        // The index first, as in a create.
        let index = owner.map(|owner| self.owner(owner.as_bytes()));
        let records = [self.record(old), self.record(&new.record.key)];
        let keys: Vec<_> = index.into_iter().chain(records).collect();
        let replace = |command: &mut Cmd| {
            command.arg(&mark).arg(version).arg(old.as_bytes());
            new.write(&[], command);
        };
        let server = &self.server;
        match server
            .run_at_one_go(&script::REPLACE, &keys, replace)
            .await?
        {
            Some(answer) => replaced(&self.strike_deleted(old, answer).await),
            None => self.replace_in_steps(&mark, old, version, new).await,
        }
    }

    async fn replace_in_steps(
        &self,
        mark: &[u8],
        old: &RecordKey,
        version: u64,
        new: &New,
    ) -> Result<Replaced, BoxError> {
        if self.create_in_steps(new).await? == Created::Exists {
            return Ok(Replaced::Exists);
        }
        let replaced = match self.delete_once(mark, old, Some(version)).await? {
            Outcome::Done => return Ok(Replaced::Done),
            Outcome::Conflict => Replaced::Conflict,
            Outcome::Gone => Replaced::Gone,
        };
        let _taken_back = self.delete_at(&new.record.key, None).await?;
        Ok(replaced)
    }

    /// Counts once, however often it comes with this mark.
    async fn delete_once(
        &self,
        mark: &[u8],
        key: &RecordKey,
        version: Option<u64>,
    ) -> Result<Outcome, BoxError> {
        let version = version.map_or_else(String::new, |version| version.to_string());
        let delete = |command: &mut Cmd| {
            command.arg(mark).arg(&version);
        };
        let record = self.record(key);
        let answer = self.server.run(&script::DELETE, record, delete).await?;
        outcome(&self.strike_deleted(key, answer).await)
    }

    /// Takes the entry of a record that is gone off its owner's index, where that is still to do. Gives what became of it.
    async fn strike_deleted(&self, key: &RecordKey, answer: Deleted) -> Vec<u8> {
        let mut answer = answer.into_iter();
        let became = answer.next().flatten().unwrap_or_default();
        if let (Some(claim), Some(owner)) = (answer.next().flatten(), answer.next().flatten()) {
            // The record is gone whether this succeeds or not.
            let entry = entry(key, &claim);
            let _left_to_be_cleared_away = self.strike(&owner, &[entry]).await;
        }
        became
    }
}

fn replaced(answer: &[u8]) -> Result<Replaced, BoxError> {
    match answer {
        b"done" => Ok(Replaced::Done),
        b"exists" => Ok(Replaced::Exists),
        b"conflict" => Ok(Replaced::Conflict),
        b"gone" => Ok(Replaced::Gone),
        _ => Err(unknown_answer()),
    }
}
