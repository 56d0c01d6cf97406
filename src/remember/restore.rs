//! A returning browser is logged in again.

use std::sync::Arc;

use super::{Offer, load_at, series::Standing, standing, stolen};
use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    event::EventKind,
    realm::NewRecord,
    session::{CookieChange, Live, Proof, RememberChange, Slot, Visit},
    store::{Outcome, RecordKey},
    why::Why,
};

/// How often an exchange meets another one before it gives up. Each meeting but the first finds the other's session.
const TRIES: u32 = 8;

impl Offer {
    /// What is known of the login behind it; the person hasn't proved anything since.
    pub(crate) fn proof(&self, visit: &Visit) -> Proof {
        Proof {
            at: self.series.at,
            stamp: self.series.stamp,
            fresh: false,
            forced: self.series.forced,
            remembered: true,
            unseen: Some(self.record.key),
            client: visit.client(),
            timeouts: None,
        }
    }

    /// The user is out: so is everything that descends from the same login in this browser.
    pub(crate) async fn refuse(
        &self,
        visit: &Visit,
        why: Why,
        remove_cookies: bool,
    ) -> Result<(), Error> {
        let ended = visit.realm.end_line(&self.record).await?;
        visit.realm.report_of(
            EventKind::Ended(why),
            self.record.owner.as_deref(),
            self.record.family,
        );
        // Where it was gone already the browser has other cookies by now.
        if remove_cookies && ended {
            let mut state = visit.state();
            state.remember_cookie = Some(RememberChange::Remove);
            state.cookie = Some(CookieChange::Remove);
        }
        Ok(())
    }

    /// Logs the browser in again: exchanges the secret and makes a session, or finds the one that a request beside this
    /// one has made. Answers whether anybody is in.
    pub(crate) async fn accept_at(
        mut self,
        visit: &Visit,
        now: Millis,
    ) -> Result<Option<Proof>, Error> {
        for _ in 0..TRIES {
            match standing(visit, &self.series, &self.secret, now) {
                Standing::Good => {
                    if let Some(proof) = self.exchange_at(visit, now).await? {
                        return Ok(Some(proof));
                    }
                }
                Standing::Exchanged(session) => return self.join_at(visit, &session, now).await,
                Standing::Lost(session) => {
                    if let Some(proof) = self.join_at(visit, &session, now).await? {
                        return Ok(Some(proof));
                    }
                    if let Some(proof) = self.exchange_at(visit, now).await? {
                        return Ok(Some(proof));
                    }
                }
                Standing::Stolen if stolen(visit, &self.record, now).await?.is_some() => {
                    return Ok(None);
                }
                Standing::Stolen => {}
            }
            match load_at(&visit.realm, &self.record.key, now).await? {
                Some((record, series)) => (self.record, self.series) = (record, series),
                // Somebody logged out meanwhile.
                None => return Ok(None),
            }
        }
        Err(ErrorKind::Conflict.into())
    }

    /// Answers `None` where another request was faster.
    async fn exchange_at(&self, visit: &Visit, now: Millis) -> Result<Option<Proof>, Error> {
        let realm = &visit.realm;
        let old = visit.live();
        let proof = self.proof(visit);
        let new = NewRecord {
            family: self.record.family,
            owner: self.record.owner.clone(),
            created: now,
            ends: realm.timeouts.ends(now).min(self.record.ends),
            timeouts: realm.timeouts,
            payload: Arc::default(),
        };
        let token = self.token.rotated().map_err(|_| ErrorKind::Random)?;
        let mut data = visit.data();
        let unseen = self.unseen_at(visit, now).await?;
        if let Some(unseen) = &unseen {
            // Others have worked on it meanwhile: what they saved is not lost.
            data.fill_in(&unseen.data);
        }
        let mut new = visit.draft(new, Some(proof), data, now)?;
        visit.create_at(&mut new).await?;
        let secret = token.secret_digest(realm.name());
        let exchange = realm.clock.reading(now);
        let series = self
            .series
            .exchanged(self.secret, secret, new.record.key, exchange);
        let exchanged = realm
            .update(&self.record, series.encode(visit.agent()), now)
            .await;
        match exchanged {
            Ok(Outcome::Done) => {}
            Ok(_) => {
                realm.discard(new.record.key, false).await;
                return Ok(None);
            }
            Err(error) => match load_at(realm, &self.record.key, now).await {
                Ok(Some((_, stored))) if stored == series => {}
                Ok(_) => {
                    realm.discard(new.record.key, error.is_timeout()).await;
                    return Err(error);
                }
                // The series may name it by now, and nobody knows its token: it stays.
                Err(_) => return Err(error),
            },
        }
        // From here on the browser is in. What is left over is worth nothing to anybody.
        if let Some(unseen) = unseen {
            let _never_arrived = realm.delete(&unseen.record.key, None).await;
        }
        if let Some(old) = old {
            let anonymous = visit.supersede_at(&old.record, &mut new, now).await;
            if let Err(error) = &anonymous {
                // Its token must not outlive this.
                realm.discard(old.record.key, error.is_timeout()).await;
            }
            // A logout or another's login beside this one may have taken the new one along.
            if matches!(anonymous, Ok(Outcome::Gone))
                && realm.load(&new.record.key, now).await?.is_none()
            {
                return Ok(None);
            }
        }
        realm.report_of(
            EventKind::Restored,
            self.record.owner.as_deref(),
            self.record.family,
        );
        let max_age = self.record.ends.saturating_sub(now);
        let mut state = visit.state();
        state.adopt(new, true);
        state.remember_cookie = Some(RememberChange::Set {
            token: Box::new(token),
            max_age,
        });
        Ok(Some(proof))
    }

    /// The session of an exchange whose answer never arrived.
    async fn unseen_at(&self, visit: &Visit, now: Millis) -> Result<Option<Live>, Error> {
        let Some(key) = self.series.unseen_session() else {
            return Ok(None);
        };
        match visit.read_record_at(key, now).await? {
            Slot::Live(live) if self.is_same_line(&live) => Ok(Some(live)),
            _ => Ok(None),
        }
    }

    fn is_same_line(&self, live: &Live) -> bool {
        live.record.family == self.record.family && live.record.owner == self.record.owner
    }

    /// Works on the session that another request made of the same cookie. That request's answer sets the cookies.
    async fn join_at(
        &self,
        visit: &Visit,
        session: &RecordKey,
        now: Millis,
    ) -> Result<Option<Proof>, Error> {
        let Slot::Live(mut live) = visit.read_record_at(*session, now).await? else {
            return Ok(None);
        };
        let Some(proof) = live.data.proof().filter(|_| self.is_same_line(&live)) else {
            return Ok(None);
        };
        let mut state = visit.state();
        if let Some(mine) = state.data_mut() {
            live.data.take_changes(mine);
        }
        state.slot = Slot::Live(live);
        Ok(Some(proof))
    }
}
