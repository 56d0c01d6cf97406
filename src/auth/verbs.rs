//! The verbs, each whole in itself: make the new record, delete the old one, and only then change what the request says.
//!
//! Whoever calls a function here holds the visit's turn.

use std::sync::Arc;

use super::{Inner, login::Options};
use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    event::EventKind,
    identity::{Identity, parse_id, stamp_digest},
    realm::NewRecord,
    session::{CookieChange, Data, Live, Payload, Proof, Slot, pause},
    store::{Family, Outcome, Record, Which},
    user::AuthUser,
    why::Why,
};

/// How often a verb copies what late writers put into the session that it replaces.
const TRIES: u32 = 64;

/// What it means when the session that is to be replaced has ended meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IfGone {
    /// Nothing: a login stands by itself.
    Stay,
    /// Somebody logged out: then nobody is in.
    GiveUp,
}

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
        };

        self.visit.read_at(now).await?;
        let old = self.visit.live();
        let same_user = old
            .as_ref()
            .filter(|old| old.record.owner.as_deref() == Some(&*owner));
        let family = match same_user {
            Some(old) => old.record.family,
            None => Family::random().map_err(|_| ErrorKind::Random)?,
        };
        let others =
            old.as_ref().is_some_and(|old| old.record.owner.is_some()) && same_user.is_none();
        let new = NewRecord {
            family,
            owner: Some(owner),
            created: now,
            ends: realm.timeouts.ends(now),
            payload: Arc::default(),
        };
        if others {
            self.displace_at(old, new, proof, now).await?;
        } else {
            self.replace_at(new, proof, IfGone::Stay, now).await?;
        }
        self.set_identity(Identity::User(Arc::clone(&user), proof));
        realm.report_of(EventKind::LoggedIn, Some(&realm.owner(&id)), family);
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
            ..proof
        };
        let realm = &self.visit.realm;
        let new = NewRecord {
            ends: realm.timeouts.ends(now),
            ..like(&old.record)
        };
        self.replace_at(new, proof, IfGone::GiveUp, now).await?;
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
        self.visit.state().cookie = Some(CookieChange::Remove);
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
            // Whose it is can't be known, but the key can: the one record at least.
            if let Ok(key) = self.visit.key_in_cookie() {
                let _either_way = realm.delete(&key, None).await;
            }
            return Err(error);
        }
        let Some(live) = self.visit.live() else {
            self.delete_stale().await?;
            return Ok(None);
        };
        match &live.record.owner {
            Some(owner) => realm
                .delete_all(owner, Which::Only(live.record.family))
                .await
                .map(drop)?,
            None => realm.delete(&live.record.key, None).await.map(drop)?,
        }
        Ok(Some(live.record))
    }

    /// Puts a new session in the place of this visitor's, with the data that is in it.
    async fn replace_at(
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
    async fn displace_at(
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
    async fn delete_stale(&self) -> Result<(), Error> {
        let stale = match &self.visit.state().slot {
            Slot::Empty { stale, .. } => *stale,
            _ => None,
        };
        match stale {
            Some(key) => self.visit.realm.delete(&key, None).await.map(drop),
            None => Ok(()),
        }
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
