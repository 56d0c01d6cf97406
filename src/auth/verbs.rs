//! The verbs, each whole in itself: put the new record in the place of the old one, and only then change what the request says.
//!
//! Whoever calls a function here holds the visit's turn.

use std::sync::Arc;

use super::{
    arrive::{Arrival, Arrived},
    devices::{forget_oldest, keep_newest},
    inner::Inner,
    login::{Options, Remember},
};
use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    event::EventKind,
    identity::{Identity, parse_id, stamp_digest},
    realm::{Line, NewRecord},
    remember,
    session::{CookieChange, Proof, RememberChange, Slot},
    store::{Family, Record},
    timeouts::Timeouts,
    user::AuthUser,
    why::Why,
};

impl<U: AuthUser> Inner<U> {
    pub(super) async fn login_at(
        &self,
        user: Arc<U>,
        options: Options,
        now: Millis,
    ) -> Result<Arc<U>, Error> {
        self.check_in_time()?;
        if self.visit.realm.cookies.are_ignored() {
            return Err(ErrorKind::NoCookies.into());
        }
        let inactive = !user.is_active();
        if inactive && !options.force {
            self.visit
                .realm
                .report_user(EventKind::LoginRefused, &user.id().to_string());
            return Err(ErrorKind::Inactive.into());
        }
        let realm = &self.visit.realm;
        let id = user.id().to_string();
        if parse_id::<U>(&id).is_none_or(|parsed| parsed != user.id()) {
            return Err(ErrorKind::UnstableId.into());
        }
        let owner = realm.owner(&id);
        let stamp = stamp_digest(realm, &id, &*user);

        self.visit.read_at(now).await?;
        let session = self.visit.live().map(|live| live.record);
        let series = remember::line_at(&self.visit, now).await?;
        let is_ending = self.visit.state().is_ending;
        let before = session.iter().chain(&series).filter(|_| !is_ending);
        let family = match remember::family_of(&owner, before) {
            Some(family) => family,
            None => Family::random().map_err(|_| ErrorKind::Random)?,
        };
        let is_own = |series: &&Record| series.owner.as_ref() == Some(&owner) && !is_ending;
        let remembered_until = match options.remember {
            Remember::AsBefore => series.as_ref().filter(is_own).map(|series| series.ends),
            Remember::Never => None,
            Remember::For(lifetime) => Some(now.saturating_add(lifetime)),
        };
        let proof = Proof {
            at: now,
            stamp,
            fresh: options.fresh,
            forced: inactive,
            remembered: remembered_until.is_some(),
            unseen: None,
            client: self.visit.client(),
            timeouts: options.timeouts,
        };
        let mut arrival = Arrival {
            owner: Arc::clone(&owner),
            family,
            proof,
            remembered_until,
        };
        if self.arrive_at(&arrival, series, now).await? == Arrived::LineEnded {
            // A logout beside this login ended what it was to carry on: so it carries on nothing.
            self.visit.state().slot = Slot::empty(Why::LoggedOut);
            arrival.family = Family::random().map_err(|_| ErrorKind::Random)?;
            if let Remember::AsBefore = options.remember {
                arrival.remembered_until = None;
                arrival.proof.remembered = false;
            }
            let _in = self.arrive_at(&arrival, None, now).await?;
        }
        self.use_up_next();
        self.set_identity(Identity::User(Arc::clone(&user), arrival.proof));
        realm.report_of(EventKind::LoggedIn, Some(&owner), arrival.family);
        if arrival.remembered_until.is_some() {
            forget_oldest(realm, &owner, now);
        }
        if let Some(keep) = realm.max_sessions {
            // The login stands; a store that fails here has said so in an event, and the next login tries again.
            let _next_time = keep_newest(realm, &owner, keep.get(), now).await;
        }
        Ok(user)
    }

    pub(super) async fn confirm_at(&self, now: Millis) -> Result<bool, Error> {
        self.check_in_time()?;
        let Identity::User(user, proof) = self.identity_at(now).await? else {
            return Ok(false);
        };
        let Some(old) = self.visit.live() else {
            return Ok(false);
        };
        let proof = Proof {
            at: now,
            fresh: true,
            client: self.visit.client(),
            ..proof
        };
        let realm = &self.visit.realm;
        let timeouts = proof.timeouts.unwrap_or(realm.timeouts);
        let new = NewRecord {
            ends: timeouts.ends(now),
            ..like(&old.record, timeouts)
        };
        self.replace_at(&old.record, new, Some(proof), now).await?;
        self.use_up_next();
        self.set_identity(Identity::User(user, proof));
        realm.report_of(
            EventKind::Confirmed,
            old.record.owner.as_deref(),
            old.record.family,
        );
        Ok(true)
    }

    pub(super) async fn renew_at(&self, now: Millis) -> Result<(), Error> {
        self.check_in_time()?;
        self.visit.read_at(now).await?;
        let Some(old) = self.visit.live() else {
            return Ok(());
        };
        let (realm, proof) = (&self.visit.realm, old.data.proof());
        let own = proof.and_then(|proof| proof.timeouts);
        let new = like(&old.record, own.unwrap_or(realm.timeouts));
        self.replace_at(&old.record, new, proof, now).await?;
        realm.report_of(
            EventKind::Renewed,
            old.record.owner.as_deref(),
            old.record.family,
        );
        Ok(())
    }

    pub(super) async fn logout_at(&self, now: Millis) -> Result<(), Error> {
        let mut lines = Vec::new();
        let ended = self.end_family_at(&mut lines, now).await;
        // Also when the store failed: the browser at least shall forget.
        {
            let mut state = self.visit.state();
            state.cookie = Some(CookieChange::Remove);
            state.remember_cookie = Some(RememberChange::Remove);
        }
        match ended {
            Ok(record) => {
                {
                    let mut state = self.visit.state();
                    state.slot = Slot::empty(Why::LoggedOut);
                    state.series = Some(None);
                }
                self.set_identity(Identity::Nobody(Why::LoggedOut));
                if let Some(record) = record {
                    self.visit.realm.report_of(
                        EventKind::LoggedOut,
                        record.owner.as_deref(),
                        record.family,
                    );
                }
                Ok(())
            }
            Err(error) => {
                self.log_out_later(lines, &error);
                Err(error)
            }
        }
    }

    /// Deletes the session and all that descends from the same login in this browser. Tells also what it was about.
    async fn end_family_at(
        &self,
        lines: &mut Vec<Line>,
        now: Millis,
    ) -> Result<Option<Record>, Error> {
        let realm = &self.visit.realm;
        if let Err(error) = self.visit.read_at(now).await {
            // Whose it is can't be known, but the keys can: those records at least.
            let keys = self.visit.key_in_cookie().ok().into_iter();
            for key in keys.chain(self.visit.series_key()) {
                lines.push(Line::Behind(key));
                if !error.is_timeout() {
                    let _either_way = realm.delete(&key, None).await;
                }
            }
            return Err(error);
        }
        let session = self.visit.live().map(|live| live.record);
        lines.extend(session.clone().map(Line::Of));
        let series = self.visit.series_key();
        lines.extend(series.map(Line::Behind));
        let line = remember::line_at(&self.visit, now).await?;
        for record in session.iter().chain(&line) {
            realm.end_line(record).await?;
        }
        self.delete_stale().await?;
        Ok(line.or(session))
    }

    /// The browser has nothing left to try again with. So it is tried here. What logs in meanwhile descends from no other login.
    fn log_out_later(&self, lines: Vec<Line>, error: &Error) {
        let realm = &self.visit.realm;
        let live = self.visit.live().map(|live| live.record);
        let event = match &live {
            Some(record) => realm.event_of(
                EventKind::LogoutIncomplete,
                record.owner.as_deref(),
                record.family,
            ),
            None => realm.event(EventKind::LogoutIncomplete),
        };
        realm.tell(&event.because(error));
        self.visit.state().is_ending = true;
        realm.end_later(lines);
    }

    fn check_in_time(&self) -> Result<(), Error> {
        if self.visit.state().sent {
            Err(ErrorKind::TooLate.into())
        } else {
            Ok(())
        }
    }
}

/// A record that takes another's place, in everything but its token and its data.
fn like(old: &Record, timeouts: Timeouts) -> NewRecord {
    NewRecord {
        family: old.family,
        owner: old.owner.clone(),
        created: old.created,
        ends: old.ends,
        timeouts,
        payload: Arc::default(),
    }
}
