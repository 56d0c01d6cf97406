//! A new record and its entry on the owner's index: at one go where one server has both, else the entry first.

use redis::Cmd;

use super::{
    MARGIN, RedisStore, fields,
    index::{Claim, claim, entry},
    lifetime, script, unknown_answer,
};
use crate::{
    error::BoxError,
    store::{Created, Record},
};

/// A record that a call is about to write, and the claim by which that call knows it again, however often a command comes.
pub(super) struct New {
    pub(super) record: Record,
    claim: Claim,
    longest: i64,
}

impl New {
    pub(super) fn of(record: Record) -> Result<Self, BoxError> {
        // A record that claims to live on after its end is listed as long as it does.
        let longest = lifetime(record.touched, record.ends.max(record.expires));
        let claim = claim(&record, longest)?;
        Ok(Self {
            record,
            claim,
            longest,
        })
    }

    /// Appends what the record is to be. The moment by which it must be gone is known where its entry is written already.
    pub(super) fn write(&self, limit: &[u8], command: &mut Cmd) {
        command
            .arg(&self.claim)
            .arg(limit)
            .arg(self.entry())
            .arg(MARGIN)
            .arg(self.longest)
            .arg(lifetime(self.record.touched, self.record.expires));
        fields::write(&self.record, command);
    }

    fn entry(&self) -> Vec<u8> {
        entry(&self.record.key, &self.claim)
    }
}

impl RedisStore {
    pub(super) async fn create_new(&self, new: &New) -> Result<Created, BoxError> {
        let Some(owner) = &new.record.owner else {
            return self.write(new, &[]).await;
        };
        // The index comes first: a proxy that looks at no other key then writes a record where nobody finds it, rather
        // than an entry. A session is missing at once, not years later in a logout everywhere.
        let keys = [self.owner(owner.as_bytes()), self.record(&new.record.key)];
        let create = |command: &mut Cmd| new.write(&[], command);
        let server = &self.server;
        match server.run_at_one_go(&script::CREATE, &keys, create).await? {
            Some(answer) => created(answer),
            None => self.create_in_steps(new).await,
        }
    }

    pub(super) async fn create_in_steps(&self, new: &New) -> Result<Created, BoxError> {
        let Some(owner) = &new.record.owner else {
            return self.write(new, &[]).await;
        };
        let limit = self.enlist(owner, new.entry(), new.longest).await?;
        let created = self.write(new, &limit).await?;
        if created == Created::Exists {
            let _left_to_be_cleared_away = self.strike(owner.as_bytes(), &[new.entry()]).await;
        }
        Ok(created)
    }

    /// Writes the record alone.
    async fn write(&self, new: &New, limit: &[u8]) -> Result<Created, BoxError> {
        let create = |command: &mut Cmd| new.write(limit, command);
        let key = self.record(&new.record.key);
        created(self.server.run(&script::CREATE, key, create).await?)
    }
}

fn created(answer: Vec<u8>) -> Result<Created, BoxError> {
    match &*answer {
        b"done" => Ok(Created::Done),
        b"exists" => Ok(Created::Exists),
        _ => Err(unknown_answer()),
    }
}
