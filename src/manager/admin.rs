//! Administration from outside a request.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{
    LoginManager,
    cleanup::{BATCH, in_batches},
};
use crate::{
    auth::{SessionInfo, browsers_of, delete_all, owner_of, revoke, sessions},
    error::Error,
    event::EventKind,
    store::SessionId,
    user::AuthUser,
};

impl<U: AuthUser> LoginManager<U> {
    /// Lists the sessions in which a user is logged in or remembered, the most recently used first.
    ///
    /// # Errors
    /// - [`ErrorKind::Store`](crate::ErrorKind::Store) if the store failed or missed its deadline
    /// - [`ErrorKind::UnstableId`](crate::ErrorKind::UnstableId) if the text of the id does not
    ///   parse back to the same id, so that no user can have logged in with it
    pub async fn sessions_of(&self, id: &U::Id) -> Result<Vec<SessionInfo>, Error> {
        let owner = owner_of::<U>(&self.realm, id)?;
        sessions(&self.realm, &owner, None, self.realm.clock.now()).await
    }

    /// Revokes one session of a user. Returns whether there was one.
    ///
    /// # Errors
    /// - those of [`sessions_of`](LoginManager::sessions_of)
    pub async fn revoke(&self, id: &U::Id, session: SessionId) -> Result<bool, Error> {
        let owner = owner_of::<U>(&self.realm, id)?;
        revoke(&self.realm, &owner, session).await
    }

    /// Ends every session of a user. Call it on an administrator's request, or after a password
    /// reset by e-mail. Their API keys and one-time tokens stay: see
    /// [`ApiKeys::revoke_all`](crate::api_keys::ApiKeys::revoke_all) and
    /// [`Tokens::withdraw_all`](crate::tokens::Tokens::withdraw_all).
    ///
    /// # Errors
    /// - those of [`sessions_of`](LoginManager::sessions_of)
    pub async fn logout_user(&self, id: &U::Id) -> Result<(), Error> {
        let owner = owner_of::<U>(&self.realm, id)?;
        delete_all(&self.realm, &owner, None).await
    }

    /// Forgets every [known browser](crate::manager::KnownBrowsers) of a user, so that none is
    /// trusted any more. The sessions remain. Call it if the user reports a theft, or removes a
    /// second factor.
    ///
    /// # Errors
    /// - [`ErrorKind::Store`](crate::ErrorKind::Store) if the store failed or missed its deadline
    pub async fn forget_browsers(&self, id: &U::Id) -> Result<(), Error> {
        let owner = browsers_of(&self.realm, &id.to_string());
        self.realm.delete_all(&owner, None).await?;
        Ok(())
    }

    /// Ends every session in the store, for use in an incident. This includes the sessions of all
    /// users, of anonymous visitors, and of every other realm that shares the store. All other
    /// records of the store are deleted, too: API keys, one-time tokens, known browsers and the
    /// counts of throttles. Returns the number of deleted records. They are deleted in batches of
    /// about 5000, while requests are served as usual. A session that is created during this call
    /// may be ended, too.
    ///
    /// Nodes with a `CachedStore` notice it with the same delay as a logout.
    ///
    /// # Errors
    /// - [`ErrorKind::Store`](crate::ErrorKind::Store) if the store failed or missed its deadline.
    ///   Earlier batches remain deleted; call it again. On Redis Cluster this call always fails. To
    ///   end all sessions there, change the prefix of the store instead, so that no old record is
    ///   found any more
    pub async fn logout_everyone(&self) -> Result<u64, Error> {
        let deleted = AtomicU64::new(0);
        let outcome = in_batches(|| async {
            let batch = self.realm.delete_any(BATCH).await?;
            deleted.fetch_add(batch, Ordering::Relaxed);
            Ok(batch)
        })
        .await;
        if deleted.into_inner() > 0 {
            self.realm.report(EventKind::Revoked);
        }
        outcome
    }
}
