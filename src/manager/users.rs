//! What an application does to its users' sessions from outside a request.

use super::LoginManager;
use crate::{
    auth::{Device, DeviceId, devices, owner_of, revoke},
    error::Error,
    store::Which,
    user::AuthUser,
};

impl<U: AuthUser> LoginManager<U> {
    /// The browsers in which a user is logged in or remembered, the one seen last first.
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store); [`UnstableId`](crate::ErrorKind::UnstableId) for an id by which nobody can
    /// have logged in.
    pub async fn sessions_of(&self, id: &U::Id) -> Result<Vec<Device>, Error> {
        let owner = owner_of::<U>(&self.realm, id)?;
        devices(&self.realm, &owner, self.realm.clock.now()).await
    }

    /// Logs a user out in one browser. Answers whether there was such a one.
    ///
    /// # Errors
    /// As [`sessions_of`](LoginManager::sessions_of).
    pub async fn revoke(&self, id: &U::Id, device: DeviceId) -> Result<bool, Error> {
        let owner = owner_of::<U>(&self.realm, id)?;
        Ok(revoke(&self.realm, &owner, Which::Only(device)).await? > 0)
    }

    /// Logs a user out in every browser: for an administrator, or after a password was reset by mail.
    ///
    /// # Errors
    /// As [`sessions_of`](LoginManager::sessions_of).
    pub async fn logout_user(&self, id: &U::Id) -> Result<(), Error> {
        let owner = owner_of::<U>(&self.realm, id)?;
        revoke(&self.realm, &owner, Which::All).await.map(drop)
    }
}
