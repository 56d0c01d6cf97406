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
    session::{CookieChange, Proof, Slot},
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
