//! Putting one session in the place of another: make the new record, delete the old one, and where that can't be done
//! take the new one back.
//!
//! Whoever calls a function here holds the visit's turn.

use super::inner::Inner;
use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    realm::NewRecord,
    session::{Data, Live, Payload, Proof, Slot, pause},
    store::{Outcome, Record, Which},
    user::AuthUser,
};

/// How often a verb copies what late writers put into the session that it replaces.
const TRIES: u32 = 64;

/// What it means when the session that is to be replaced has ended meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum IfGone {
    /// Nothing: a login stands by itself.
    Stay,
    /// Somebody logged out: then nobody is in.
    GiveUp,
}

impl<U: AuthUser> Inner<U> {
    /// Puts a new session in the place of this visitor's, with the data that is in it.
    pub(super) async fn replace_at(
        &self,
        mut new: NewRecord,
        proof: impl Into<Option<Proof>>,
        if_gone: IfGone,
        now: Millis,
    ) -> Result<(), Error> {
        let realm = &self.visit.realm;
        let proof = proof.into();
        let (old, mut data) = match &self.visit.state().slot {
            Slot::Live(live) => (Some(live.record.clone()), live.data.clone()),
            Slot::Empty { data, .. } => (None, data.clone()),
            Slot::Unread => (None, Data::empty()),
        };
        let mut payload = data.encode(proof.as_ref());
        new.payload = payload.bytes();
        let (token, mut record) = realm.create(new, now).await?;

        let deleted = match old {
            Some(old) => {
                self.hand_over_at(&old, &mut record, &mut data, &mut payload, now)
                    .await
            }
            None => self.delete_stale().await.map(|()| Outcome::Done),
        };
        let refused = match deleted {
            Ok(Outcome::Done) => None,
            Ok(Outcome::Conflict) => Some(ErrorKind::Conflict.into()),
            Ok(Outcome::Gone) => (if_gone == IfGone::GiveUp).then(|| ErrorKind::Gone.into()),
            Err(error) => Some(error),
        };
        match refused {
            None => {
                self.visit.state().adopt(token, record, payload, true);
                Ok(())
            }
            Some(error) => {
                let _unreachable_anyway = realm.delete(&record.key, None).await;
                Err(error)
            }
        }
    }

    /// Deletes the old record at the version that was copied; what late writers put into it is copied first.
    async fn hand_over_at(
        &self,
        old: &Record,
        new: &mut Record,
        data: &mut Data,
        payload: &mut Payload,
        now: Millis,
    ) -> Result<Outcome, Error> {
        let realm = &self.visit.realm;
        let mut version = old.version;
        for attempt in 0..TRIES {
            match realm.delete(&old.key, Some(version)).await? {
                Outcome::Conflict => {}
                outcome => return Ok(outcome),
            }
            pause(attempt).await;
            let Some(late) = realm.load(&old.key, now).await? else {
                return Ok(Outcome::Gone);
            };
            let proof = payload.proof;
            data.rebase(Payload::decode(late.payload).map_err(|_| ErrorKind::Conflict)?);
            *payload = data.encode(proof.as_ref());
            match realm.update(new, payload.bytes(), now).await? {
                Outcome::Done => new.version += 1,
                outcome => return Ok(outcome),
            }
            version = late.version;
        }
        Ok(Outcome::Conflict)
    }

    /// Puts a new session in the place of another user's: of theirs nothing stays, in this browser's line of descent.
    pub(super) async fn displace_at(
        &self,
        old: Option<Live>,
        mut new: NewRecord,
        proof: Proof,
        now: Millis,
    ) -> Result<(), Error> {
        let realm = &self.visit.realm;
        let payload = Data::empty().encode(Some(&proof));
        new.payload = payload.bytes();
        let (token, record) = realm.create(new, now).await?;
        if let Some(Live { record: old, .. }) = old
            && let Some(owner) = &old.owner
            && let Err(error) = realm.delete_all(owner, Which::Only(old.family)).await
        {
            let _unreachable_anyway = realm.delete(&record.key, None).await;
            return Err(error);
        }
        self.visit.state().adopt(token, record, payload, false);
        Ok(())
    }

    /// Deletes what is under the browser's token but can't be used: after this verb the token is worth nothing.
    pub(super) async fn delete_stale(&self) -> Result<(), Error> {
        let stale = match &self.visit.state().slot {
            Slot::Empty { stale, .. } => *stale,
            _ => None,
        };
        match stale {
            Some(key) => self.visit.realm.delete(&key, None).await.map(drop),
            None => Ok(()),
        }
    }
}
