//! A session that takes the place of this visitor's, with the data that is in it.
//!
//! Whoever calls a function here holds the visit's turn.

use super::inner::Inner;
use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    realm::NewRecord,
    session::{Proof, Slot},
    store::{Outcome, Record},
    user::AuthUser,
};

impl<U: AuthUser> Inner<U> {
    /// Replaces it. Where it has ended meanwhile, by a logout, say, nobody is in.
    pub(super) async fn replace_at(
        &self,
        old: &Record,
        new: NewRecord,
        proof: Option<Proof>,
        now: Millis,
    ) -> Result<(), Error> {
        let visit = &self.visit;
        let mut new = visit.draft(new, proof, visit.data(), now)?;
        match visit.replace_at(old, &mut new, now).await? {
            Outcome::Conflict => return Err(ErrorKind::Conflict.into()),
            // Whoever shows a copy of a user's token could carry on what a logout has ended.
            Outcome::Gone if old.owner.is_some() || !new.is_written => {
                if new.is_written {
                    visit.realm.discard(new.record.key, false).await;
                }
                visit.state().keep_cookies_back();
                return Err(ErrorKind::Gone.into());
            }
            Outcome::Done | Outcome::Gone => {}
        }
        visit.state().adopt(new, true);
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
