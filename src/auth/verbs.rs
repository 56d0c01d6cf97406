//! The verbs, each whole in itself: make the new record, delete the old one, and only then change what the request says.
//!
//! Whoever calls a function here holds the visit's turn.

use std::sync::Arc;

use super::{inner::Inner, login::Options, replace::IfGone};
use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    event::EventKind,
    identity::{Identity, parse_id, stamp_digest},
    realm::NewRecord,
    remember,
    session::{CookieChange, Proof, RememberChange, Slot},
    store::{Family, Record, Which},
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
        let inactive = !user.is_active();
        if inactive && !options.force {
            return Err(ErrorKind::Inactive.into());
        }
        let realm = &self.visit.realm;
        let id = user.id().to_string();
        if parse_id::<U>(&id).is_none_or(|parsed| parsed != user.id()) {
            return Err(ErrorKind::UnstableId.into());
        }
        let owner = realm.owner(&id);
        let proof = Proof {
            at: now,
            stamp: stamp_digest(realm, &id, &*user),
            fresh: options.fresh,
            forced: inactive,
            remembered: false,
            unseen: None,
        };

        self.visit.read_at(now).await?;
        let session = self.visit.live().map(|live| live.record);
        let series = remember::line_at(&self.visit, now).await?;
        let family = match remember::family_of(&owner, session.iter().chain(&series)) {
            Some(family) => family,
            None => Family::random().map_err(|_| ErrorKind::Random)?,
        };
        let ends = realm.timeouts.ends(now);
        let new = NewRecord {
            family,
            owner: Some(Arc::clone(&owner)),
            created: now,
            ends,
            payload: Arc::default(),
        };
        self.settle_in_at(new, proof, series, options.remember, now)
            .await?;
        self.set_identity(Identity::User(Arc::clone(&user), proof));
        realm.report_of(EventKind::LoggedIn, Some(&owner), family);
        Ok(user)
    }

    /// Makes the records of a login, and ends those that it replaces: all of them, or none.
    async fn settle_in_at(
        &self,
        new: NewRecord,
        proof: Proof,
        old_series: Option<Record>,
        remember: Option<Millis>,
        now: Millis,
    ) -> Result<(), Error> {
        let realm = &self.visit.realm;
        let is_others = |owner: &Option<Arc<str>>| owner.is_some() && *owner != new.owner;
        let old = self.visit.live().map(|live| live.record);
        let displaced = old.filter(|old| is_others(&old.owner));
        let (theirs, ours): (Vec<_>, Vec<_>) = old_series
            .into_iter()
            .partition(|series| is_others(&series.owner));

        // Another user's data stays behind.
        let mut new = match displaced {
            Some(_) => self.visit.start_at(new, proof, now).await?,
            None => self.visit.succeed_at(new, Some(proof), now).await?,
        };
        let mut issued = None;
        let done = async {
            if let Some(lifetime) = remember {
                issued = Some(remember::issue_at(realm, &new.record, &proof, lifetime, now).await?);
            }
            for record in displaced.iter().chain(&theirs) {
                if let Some(owner) = &record.owner {
                    realm.delete_all(owner, Which::Only(record.family)).await?;
                }
            }
            for series in &ours {
                let _gone = realm.delete(&series.key, None).await?;
            }
            if displaced.is_none() {
                self.supersede_at(&mut new, IfGone::Stay, now).await
            } else {
                Ok(())
            }
        };
        if let Err(error) = done.await {
            let _unreachable_anyway = realm.delete(&new.record.key, None).await;
            if let Some(issued) = issued {
                let _unreachable_anyway = realm.delete(&issued.key, None).await;
            }
            return Err(error);
        }
        let had_cookie = self.visit.remember_token().is_some();
        let mut state = self.visit.state();
        state.adopt(new, displaced.is_none());
        state.series = Some(None);
        if had_cookie || state.remember_cookie.is_some() {
            state.remember_cookie = Some(RememberChange::Remove);
        }
        drop(state);
        if let Some(issued) = issued {
            issued.hand_out(&self.visit);
        }
        Ok(())
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
            ..proof
        };
        let realm = &self.visit.realm;
        let new = NewRecord {
            ends: realm.timeouts.ends(now),
            ..like(&old.record)
        };
        self.replace_at(new, Some(proof), IfGone::GiveUp, now)
            .await?;
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
        self.replace_at(like(&old.record), old.data.proof(), IfGone::GiveUp, now)
            .await?;
        self.visit.realm.report_of(
            EventKind::Renewed,
            old.record.owner.as_deref(),
            old.record.family,
        );
        Ok(())
    }

    pub(super) async fn logout_at(&self, now: Millis) -> Result<(), Error> {
        let ended = self.end_family_at(now).await;
        // Also when the store failed: the browser at least shall forget.
        {
            let mut state = self.visit.state();
            state.cookie = Some(CookieChange::Remove);
            state.remember_cookie = Some(RememberChange::Remove);
            state.series = Some(None);
        }
        match ended {
            Ok(record) => {
                self.visit.state().slot = Slot::empty(Why::LoggedOut);
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
                self.visit.realm.report(EventKind::LogoutIncomplete);
                Err(error)
            }
        }
    }

    /// Deletes the session and all that descends from the same login in this browser.
    async fn end_family_at(&self, now: Millis) -> Result<Option<Record>, Error> {
        let realm = &self.visit.realm;
        if let Err(error) = self.visit.read_at(now).await {
            // Whose it is can't be known, but the keys can: those records at least.
            for key in self
                .visit
                .key_in_cookie()
                .ok()
                .into_iter()
                .chain(self.visit.series_key())
            {
                let _either_way = realm.delete(&key, None).await;
            }
            return Err(error);
        }
        let session = self.visit.live().map(|live| live.record);
        let line = match &session {
            // Its series is of the same line of descent.
            Some(session) if session.owner.is_some() => None,
            _ => remember::line_at(&self.visit, now).await?,
        };
        for record in session.iter().chain(&line) {
            match &record.owner {
                Some(owner) => realm
                    .delete_all(owner, Which::Only(record.family))
                    .await
                    .map(drop)?,
                None => realm.delete(&record.key, None).await.map(drop)?,
            }
        }
        self.delete_stale().await?;
        Ok(line.or(session))
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
fn like(old: &Record) -> NewRecord {
    NewRecord {
        family: old.family,
        owner: old.owner.clone(),
        created: old.created,
        ends: old.ends,
        payload: Arc::default(),
    }
}
