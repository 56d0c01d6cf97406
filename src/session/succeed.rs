//! One session in the place of another: the new record is written first, and the old one deleted at the version that was
//! copied.

use super::{
    data::Data,
    payload::{Payload, Proof},
    state::Successor,
    visit::Visit,
};
use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    realm::NewRecord,
    store::{Outcome, Record, pause},
};

/// How often a verb copies what late writers put into the session that it replaces.
const TRIES: u32 = 64;

impl Visit {
    /// Deletes the old record at the version that was copied; what late writers put into it is copied first.
    pub(crate) async fn hand_over_at(
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
                // It may have been deleted all the same: then going back would leave neither.
                Err(error) => return self.was_handed_over_at(old, new, error, now).await,
            }
            pause(attempt).await;
            let Some(late) = self.realm.load(&old.key, now).await? else {
                return Ok(Outcome::Gone);
            };
            let proof = new.payload.proof;
            new.data
                .rebase(Payload::decode(late.payload).map_err(|_| ErrorKind::Conflict)?);
            new.payload = new.data.encode(proof.as_ref(), self.agent());
            match self
                .realm
                .update(&new.record, new.payload.bytes(), now)
                .await?
            {
                Outcome::Done => new.record.version += 1,
                outcome => return Ok(outcome),
            }
            version = late.version;
        }
        Ok(Outcome::Conflict)
    }

    /// What became of a deletion whose outcome is unknown. A logout would have deleted the new record too.
    async fn was_handed_over_at(
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

    /// Makes the record that is to take the place of this visitor's session, with the data that is in it.
    pub(crate) async fn succeed_at(
        &self,
        new: NewRecord,
        proof: Option<Proof>,
        now: Millis,
    ) -> Result<Successor, Error> {
        let data = self.state().data_mut().cloned();
        self.succeed_with_at(new, proof, data.unwrap_or_else(Data::empty), now)
            .await
    }

    /// The same with data of another origin.
    pub(crate) async fn succeed_with_at(
        &self,
        mut new: NewRecord,
        proof: Option<Proof>,
        data: Data,
        now: Millis,
    ) -> Result<Successor, Error> {
        let payload = data.encode(proof.as_ref(), self.agent());
        new.payload = payload.bytes();
        let (token, record) = self.realm.create(new, now).await?;
        Ok(Successor {
            token,
            record,
            data,
            payload,
        })
    }
}
