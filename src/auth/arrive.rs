//! The records of a login: those that it makes, and those that it replaces. All of it, or none.
//!
//! Whoever calls a function here holds the visit's turn.

use std::sync::Arc;

use super::inner::Inner;
use crate::{
    clock::Millis,
    error::Error,
    realm::NewRecord,
    remember::{self, Issued},
    session::{Data, Proof, RememberChange, Successor},
    store::{Family, Outcome, Record},
    user::AuthUser,
};

/// Who logs in, and how.
pub(super) struct Arrival {
    pub(super) owner: Arc<str>,
    /// Inherited from a session or a series of the same user, or new.
    pub(super) family: Family,
    pub(super) proof: Proof,
    /// For how long, if at all.
    pub(super) remember: Option<Millis>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrived {
    In,
    /// A logout beside the login ended the line of descent that it inherited, and the new records with it.
    LineEnded,
}

impl<U: AuthUser> Inner<U> {
    /// Makes the session, and the series if the browser is to be remembered; ends what was there before.
    pub(super) async fn arrive_at(
        &self,
        arrival: &Arrival,
        series: Option<Record>,
        now: Millis,
    ) -> Result<Arrived, Error> {
        let realm = &self.visit.realm;
        let session = self.visit.live().map(|live| live.record);
        let is_others = |record: &Record| {
            record
                .owner
                .as_ref()
                .is_some_and(|owner| *owner != arrival.owner)
        };
        let displaces = session.as_ref().is_some_and(is_others);
        let mut new = self.start_for_at(arrival, displaces, now).await?;

        let mut issued = None;
        let replaced = async {
            if let Some(lifetime) = arrival.remember {
                issued = Some(
                    remember::issue_at(
                        realm,
                        &new.record,
                        &arrival.proof,
                        self.visit.agent(),
                        lifetime,
                        now,
                    )
                    .await?,
                );
            }
            for theirs in session
                .iter()
                .chain(&series)
                .filter(|record| is_others(record))
            {
                self.displace(theirs).await?;
            }
            let mut gone = false;
            if !displaces {
                gone |= self.supersede_at(&mut new, now).await? == Outcome::Gone;
            }
            if let Some(ours) = series.filter(|series| !is_others(series)) {
                gone |= match realm.delete(&ours.key, None).await {
                    Ok(outcome) => outcome == Outcome::Gone,
                    // With the session gone there is no way back; without one there is, if the series is still there.
                    Err(error) if session.is_none() && realm.read(&ours.key).await?.is_some() => {
                        return Err(error);
                    }
                    Err(_) => false,
                };
            }
            // What was gone already may have gone by a logout, and taken the new record along.
            Ok(!gone || realm.load(&new.record.key, now).await?.is_some())
        };
        match replaced.await {
            Ok(true) => {
                self.settle_in(new, issued, !displaces);
                Ok(Arrived::In)
            }
            ended => {
                let made = [Some(new.record.key), issued.map(|issued| issued.key)];
                for key in made.into_iter().flatten() {
                    let _unreachable_anyway = realm.delete(&key, None).await;
                }
                ended.map(|_| Arrived::LineEnded)
            }
        }
    }

    /// Ends another user's line of descent in this browser. Where the outcome is unknown, the record says whether it came to
    /// an end.
    async fn displace(&self, theirs: &Record) -> Result<(), Error> {
        let realm = &self.visit.realm;
        match realm.end_line(theirs).await {
            Err(error) if realm.read(&theirs.key).await?.is_some() => Err(error),
            _ => Ok(()),
        }
    }

    /// Another user's data stays behind.
    async fn start_for_at(
        &self,
        arrival: &Arrival,
        displaces: bool,
        now: Millis,
    ) -> Result<Successor, Error> {
        let timeouts = arrival.proof.timeouts.unwrap_or(self.visit.realm.timeouts);
        let new = NewRecord {
            family: arrival.family,
            owner: Some(Arc::clone(&arrival.owner)),
            created: now,
            ends: timeouts.ends(now),
            timeouts,
            payload: Arc::default(),
        };
        match displaces {
            true => {
                let nothing = Data::empty();
                self.visit
                    .succeed_with_at(new, Some(arrival.proof), nothing, now)
                    .await
            }
            false => self.visit.succeed_at(new, Some(arrival.proof), now).await,
        }
    }

    /// From here on the request says so.
    fn settle_in(&self, new: Successor, issued: Option<Issued>, same_visitor: bool) {
        let had_cookie = self.visit.remember_token().is_some();
        {
            let mut state = self.visit.state();
            state.adopt(new, same_visitor);
            state.series = Some(None);
            if had_cookie || state.remember_cookie.is_some() {
                state.remember_cookie = Some(RememberChange::Remove);
            }
        }
        if let Some(issued) = issued {
            issued.hand_out(&self.visit);
        }
    }
}
