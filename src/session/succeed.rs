//! One session in the place of another, at the version that was copied: what late writers put into the old one isn't lost.

use super::{
    data::Data,
    payload::{Payload, Proof},
    state::Successor,
    visit::Visit,
};
use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    realm::{KEYS, NewRecord, every_key_exists},
    store::{Outcome, Record, RecordKey, Replaced, pause},
};

/// How often a verb copies what late writers put into the session that it replaces.
const TRIES: u32 = 64;

impl Visit {
    /// A new session with this data, not written yet.
    pub(crate) fn draft(
        &self,
        mut new: NewRecord,
        proof: Option<Proof>,
        data: Data,
        now: Millis,
    ) -> Result<Successor, Error> {
        let payload = data.encode(proof.as_ref(), self.agent());
        new.payload = payload.bytes();
        let (token, record) = self.realm.draft(new, now)?;
        Ok(Successor {
            token,
            record,
            data,
            payload,
            is_written: false,
        })
    }

    /// Writes it beside whatever there is.
    pub(crate) async fn create_at(&self, new: &mut Successor) -> Result<(), Error> {
        self.realm.create(&mut new.token, &mut new.record).await?;
        new.is_written = true;
        Ok(())
    }

    /// Writes it in the place of this visitor's session. Where that has ended nothing is written, unless it may have ended by this
    /// very call: that can't be told from a logout before it.
    pub(crate) async fn replace_at(
        &self,
        old: &Record,
        new: &mut Successor,
        now: Millis,
    ) -> Result<Outcome, Error> {
        let (mut version, mut keys) = (old.version, 1);
        for attempt in 0..TRIES {
            match self.realm.replace(&old.key, version, &new.record).await {
                Ok(Replaced::Done) => {
                    new.is_written = true;
                    return Ok(Outcome::Done);
                }
                Ok(Replaced::Gone) => return Ok(Outcome::Gone),
                Ok(Replaced::Exists) if keys == KEYS => return Err(every_key_exists()),
                Ok(Replaced::Exists) => {
                    keys += 1;
                    (new.token, new.record.key) = self.realm.new_key()?;
                    continue;
                }
                Ok(Replaced::Conflict) => {}
                Err(error) => return self.was_replaced_at(old, new, error, now).await,
            }
            pause(attempt).await;
            match self.catch_up_at(&old.key, new, now).await? {
                Some(copied) => version = copied,
                None => return Ok(Outcome::Gone),
            }
        }
        Ok(Outcome::Conflict)
    }

    /// Deletes the old record where the new one has been written already.
    pub(crate) async fn supersede_at(
        &self,
        old: &Record,
        new: &mut Successor,
        now: Millis,
    ) -> Result<Outcome, Error> {
        let mut version = old.version;
        for attempt in 0..TRIES {
            match self.realm.delete(&old.key, Some(version)).await {
                Ok(Outcome::Conflict) => {}
                Ok(outcome) => return Ok(outcome),
                Err(error) => return self.was_superseded_at(old, new, error, now).await,
            }
            pause(attempt).await;
            match self.catch_up_at(&old.key, new, now).await? {
                Some(copied) => version = copied,
                None => return Ok(Outcome::Gone),
            }
            let payload = new.payload.bytes();
            match self.realm.update(&new.record, payload, now).await? {
                Outcome::Done => new.record.version += 1,
                outcome => return Ok(outcome),
            }
        }
        Ok(Outcome::Conflict)
    }

    /// Copies what late writers put into the old record. Answers the version that was copied, if the old one is still there.
    async fn catch_up_at(
        &self,
        old: &RecordKey,
        new: &mut Successor,
        now: Millis,
    ) -> Result<Option<u64>, Error> {
        let Some(late) = self.realm.load(old, now).await? else {
            return Ok(None);
        };
        let proof = new.payload.proof;
        new.data
            .rebase(Payload::decode(late.payload).map_err(|_| ErrorKind::Conflict)?);
        new.payload = new.data.encode(proof.as_ref(), self.agent());
        new.record.payload = new.payload.bytes();
        Ok(Some(late.version))
    }

    /// What became of a replacement whose outcome is unknown.
    async fn was_replaced_at(
        &self,
        old: &Record,
        new: &mut Successor,
        error: Error,
        now: Millis,
    ) -> Result<Outcome, Error> {
        let hangs = error.is_timeout();
        let outcome = self.was_superseded_at(old, new, error, now).await;
        if let Ok(Outcome::Done) = outcome {
            new.is_written = true;
            return Ok(Outcome::Gone);
        }
        let hangs = hangs || outcome.as_ref().is_err_and(Error::is_timeout);
        self.realm.discard(new.record.key, hangs).await;
        // The background may delete this key at any time from now on, so a login must not use it
        // for what it writes next.
        (new.token, new.record.key) = self.realm.new_key()?;
        outcome
    }

    /// What became of the old record where the outcome is unknown: it may be gone, and going back would leave neither. `Done`
    /// where the new one is there.
    async fn was_superseded_at(
        &self,
        old: &Record,
        new: &Successor,
        error: Error,
        now: Millis,
    ) -> Result<Outcome, Error> {
        match self.realm.read(&old.key).await {
            Ok(None) if self.realm.load(&new.record.key, now).await?.is_some() => Ok(Outcome::Done),
            Ok(None) => Ok(Outcome::Gone),
            _ => Err(error),
        }
    }
}
