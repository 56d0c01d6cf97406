//! The records of a login: those that it makes, and those that it replaces. Nothing that the visitor has goes before what
//! takes its place is there; and where that fails, what was made goes again.
//!
//! Whoever calls a function here holds the visit's turn.

use std::sync::Arc;

use super::{devices::each_record, inner::Inner};
use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
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
    /// Until when the browser is remembered, if at all.
    pub(super) remembered_until: Option<Millis>,
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
            let owner = record.owner.as_ref();
            owner.is_some_and(|owner| *owner != arrival.owner)
        };
        let displaces = session.as_ref().is_some_and(is_others);
        let before = session.iter().chain(&series);
        let others: Vec<_> = before.filter(|record| is_others(record)).collect();
        let mut new = self.draft_for(arrival, displaces, now)?;

        let mut issued = None;
        let arrived = async {
            if let Some(ends) = arrival.remembered_until {
                issued = Some(self.issue_at(arrival, ends, now).await?);
            }
            let mut arrived = match &session {
                Some(old) if others.is_empty() => {
                    self.take_place_at(old, &mut new, issued.as_ref(), now)
                        .await?
                }
                old => {
                    let old = old.as_ref().filter(|_| !displaces);
                    self.move_in_at(old, &others, &mut new, issued.as_ref(), now)
                        .await?
                }
            };
            if let Some(ours) = series.as_ref().filter(|series| !is_others(series)) {
                let are_there = || self.are_there(&new, issued.as_ref(), now);
                let line_ended = match realm.delete(&ours.key, None).await {
                    Ok(Outcome::Gone) => !are_there().await?,
                    // With the session gone there is no way back; without one there is, if the series is still there.
                    Err(error) if session.is_none() && realm.read(&ours.key).await?.is_some() => {
                        return Err(error);
                    }
                    // A logout may have been there before the call that failed.
                    Err(_) => matches!(are_there().await, Ok(false)),
                    Ok(_) => false,
                };
                if line_ended {
                    arrived = Arrived::LineEnded;
                }
            }
            Ok(arrived)
        };
        let arrived = arrived.await;
        if let Ok(Arrived::In) = arrived {
            self.settle_in(new, issued, !displaces);
        } else {
            let session = new.is_written.then_some(new.record.key);
            let made = [session, issued.map(|issued| issued.key)];
            let hangs = arrived.as_ref().is_err_and(Error::is_timeout);
            for key in made.into_iter().flatten() {
                realm.discard(key, hangs).await;
            }
        }
        arrived
    }

    /// Puts the new session in the place of the browser's own.
    async fn take_place_at(
        &self,
        old: &Record,
        new: &mut Successor,
        issued: Option<&Issued>,
        now: Millis,
    ) -> Result<Arrived, Error> {
        match self.visit.replace_at(old, new, now).await? {
            Outcome::Done => return Ok(Arrived::In),
            Outcome::Conflict => return Err(ErrorKind::Conflict.into()),
            // Be it after a logout: the person has just proved who they are. But it may have taken the series along.
            Outcome::Gone if new.is_written => {
                return Ok(match self.are_there(new, issued, now).await {
                    Ok(false) => Arrived::LineEnded,
                    _ => Arrived::In,
                });
            }
            Outcome::Gone => {}
        }
        self.visit.create_at(new).await?;
        let Some(owner) = &old.owner else {
            return Ok(Arrived::In);
        };
        // Another login beside this one has put its own session there. A logout has left none.
        let mut lives = false;
        each_record(&self.visit.realm, owner, now, |record| {
            lives |= record.family == old.family
                && record.key != new.record.key
                && !remember::is_series(&record.payload);
        })
        .await?;
        Ok(if lives && self.are_there(new, issued, now).await? {
            Arrived::In
        } else {
            Arrived::LineEnded
        })
    }

    /// Makes the new session beside what there is, logs others out, and ends the browser's own session if it has one.
    async fn move_in_at(
        &self,
        old: Option<&Record>,
        others: &[&Record],
        new: &mut Successor,
        issued: Option<&Issued>,
        now: Millis,
    ) -> Result<Arrived, Error> {
        self.visit.create_at(new).await?;
        for theirs in others {
            self.displace(theirs).await?;
        }
        let Some(old) = old else {
            return self.delete_stale().await.map(|()| Arrived::In);
        };
        match self.visit.supersede_at(old, new, now).await? {
            Outcome::Conflict => Err(ErrorKind::Conflict.into()),
            // What was gone already may have gone by a logout, and taken the new record along.
            Outcome::Gone if !self.are_there(new, issued, now).await? => Ok(Arrived::LineEnded),
            _ => Ok(Arrived::In),
        }
    }

    /// Whether all that was made is still there.
    async fn are_there(
        &self,
        new: &Successor,
        issued: Option<&Issued>,
        now: Millis,
    ) -> Result<bool, Error> {
        for key in [&new.record.key]
            .into_iter()
            .chain(issued.map(|it| &it.key))
        {
            if self.visit.realm.load(key, now).await?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn issue_at(
        &self,
        arrival: &Arrival,
        ends: Millis,
        now: Millis,
    ) -> Result<Issued, Error> {
        let (realm, agent) = (&self.visit.realm, self.visit.agent());
        let (owner, family) = (&arrival.owner, arrival.family);
        remember::issue_at(realm, owner, family, &arrival.proof, agent, ends, now).await
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
    fn draft_for(
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
        let data = match displaces {
            true => Data::empty(),
            false => self.visit.data(),
        };
        self.visit.draft(new, Some(arrival.proof), data, now)
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
