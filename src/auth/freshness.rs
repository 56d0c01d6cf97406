//! Whether and by which methods the current user has entered credentials in this session, and how
//! long that counts.
//!
//! # Numbers
//! - A name of a method has 1 to 16 bytes and a session keeps 8 of them, so that they take at most
//!   201 bytes of its record.
//! - By default, nothing limits how long a login is fresh. django-allauth and Rodauth use 5 minutes
//!   for pages that change credentials, for which OWASP ASVS 5.0 (7.5.1) requires that the user
//!   authenticates again.

use std::time::{Duration, SystemTime};

use super::{Auth, methods::Method};
use crate::{
    clock::{Millis, millis, moment},
    error::Error,
    identity::{Entered, Identity},
    user::AuthUser,
};

impl<U: AuthUser> Auth<U> {
    /// Returns whether the session is fresh: the user entered credentials in it, and no longer ago
    /// than [`with_fresh_for`](crate::LoginManager::with_fresh_for) if that is set. False after a
    /// restore, for a request that joins, and if the request is anonymous.
    ///
    /// # Errors
    /// - those of [`user`](Auth::user)
    pub async fn is_fresh(&self) -> Result<bool, Error> {
        Ok(self.identity().await?.is_fresh(self.realm(), Millis::MAX))
    }

    /// Returns whether the session is fresh and the user entered credentials at most this long ago,
    /// as [`within`](crate::guard::LoginRequiredLayer::within) does for a guard.
    ///
    /// # Errors
    /// - those of [`user`](Auth::user)
    pub async fn is_fresh_within(&self, age: Duration) -> Result<bool, Error> {
        Ok(self.identity().await?.is_fresh(self.realm(), millis(age)))
    }

    /// Returns until when the session is fresh, unless the user enters credentials again:
    /// [`with_fresh_for`](crate::LoginManager::with_fresh_for) after they last did, but no later
    /// than the session's absolute timeout. Returns `None` if it is not fresh.
    ///
    /// # Errors
    /// - those of [`user`](Auth::user)
    pub async fn fresh_until(&self) -> Result<Option<SystemTime>, Error> {
        let identity = self.identity().await?;
        let (
            true,
            Some(Entered {
                fresh: Some(at), ..
            }),
        ) = (
            identity.is_fresh(self.realm(), Millis::MAX),
            identity.entered(),
        )
        else {
            return Ok(None);
        };
        let until = at.saturating_add(self.realm().fresh_for());
        let open = self.request.session.open();
        Ok(open.map(|open| moment(until.min(open.payload.limits.ends))))
    }

    /// Returns when the session ends, unless it is used before: at its idle timeout, counted from
    /// this request, or at its absolute timeout. For a request [without
    /// touch](crate::LoginManager::without_touch), or one that joins, the idle timeout counts from
    /// an earlier request. Returns `None` if no user is logged in by a session.
    ///
    /// A remembered browser is logged in again afterwards, but that login is not fresh.
    ///
    /// # Errors
    /// - those of [`user`](Auth::user)
    pub async fn expires_at(&self) -> Result<Option<SystemTime>, Error> {
        let Identity::BySession { .. } = self.identity().await? else {
            return Ok(None);
        };
        let session = &self.request.session;
        let now = self.realm().clock.now();
        Ok(session.open().map(|open| {
            let touched = match session.records_use(&open, now) {
                true => now,
                false => open.record.touched,
            };
            moment(open.payload.limits.expires(touched))
        }))
    }

    /// Returns the methods by which the user has entered credentials in this session, as far as the
    /// application [named](crate::auth::Login::by) [them](crate::auth::Confirm::by), the latest
    /// last. Empty after a restore, for a request that joins, if the client has
    /// [changed](crate::manager::SessionProtection), and if the request is anonymous.
    ///
    /// # Errors
    /// - those of [`user`](Auth::user)
    pub async fn methods(&self) -> Result<Vec<Method>, Error> {
        let identity = self.identity().await?;
        let entered = identity.entered();
        Ok(entered.map_or_else(Vec::new, |entered| Method::all(&entered.methods)))
    }
}
