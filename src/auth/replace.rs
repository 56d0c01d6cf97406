//! Putting one session in the place of another: make the new record, delete the old one, and where that can't be done
//! take the new one back.
//!
//! Whoever calls a function here holds the visit's turn.

use super::inner::Inner;
use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    realm::NewRecord,
    session::{Proof, Slot, Successor},
    store::Outcome,
    user::AuthUser,
};

impl<U: AuthUser> Inner<U> {
    /// Puts a new session in the place of this visitor's, with the data that is in it. Where that has ended meanwhile,
    /// by a logout, say, nobody is in.
    pub(super) async fn replace_at(
        &self,
        new: NewRecord,
        proof: Option<Proof>,
        now: Millis,
    ) -> Result<(), Error> {
        let mut new = self.visit.succeed_at(new, proof, now).await?;
        let error = match self.supersede_at(&mut new, now).await {
            Ok(Outcome::Done) => {
                self.visit.state().adopt(new, true);
                return Ok(());
            }
            Ok(_) => ErrorKind::Gone.into(),
            Err(error) => error,
        };
        let _unreachable_anyway = self.visit.realm.delete(&new.record.key, None).await;
        Err(error)
    }

    /// Deletes the session that the new one takes the place of, once all its data has been copied. Answers `Done` or
    /// `Gone`.
    pub(super) async fn supersede_at(
        &self,
        new: &mut Successor,
        now: Millis,
    ) -> Result<Outcome, Error> {
        let Some(old) = self.visit.live() else {
            return self.delete_stale().await.map(|()| Outcome::Done);
        };
        match self.visit.hand_over_at(&old.record, new, now).await? {
            Outcome::Conflict => Err(ErrorKind::Conflict.into()),
            outcome => Ok(outcome),
        }
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
