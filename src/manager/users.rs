//! Managing users' sessions from outside a request.

use super::LoginManager;
use crate::{
    auth::{Device, DeviceId, devices, owner_of, revoke},
    error::Error,
    store::Which,
    user::AuthUser,
};

impl<U: AuthUser> LoginManager<U> {
    /// Lists the browsers in which a user is logged in or remembered, the most recently seen first.
    ///
    /// # Errors
    /// - [`ErrorKind::Store`](crate::ErrorKind::Store) if the store fails.
    /// - [`ErrorKind::UnstableId`](crate::ErrorKind::UnstableId) if no user with this id can have
    ///   logged in.
    pub async fn sessions_of(&self, id: &U::Id) -> Result<Vec<Device>, Error> {
        let owner = owner_of::<U>(&self.realm, id)?;
        devices(&self.realm, &owner, self.realm.clock.now()).await
    }

    /// Logs a user out in one browser. Returns whether there was one with this id.
    ///
    /// # Errors
    /// Same as [`sessions_of`](LoginManager::sessions_of).
    pub async fn revoke(&self, id: &U::Id, device: DeviceId) -> Result<bool, Error> {
        let owner = owner_of::<U>(&self.realm, id)?;
        Ok(revoke(&self.realm, &owner, Which::Only(device)).await? > 0)
    }

    /// Logs a user out in every browser, for example after a password reset by e-mail.
    ///
    /// # Errors
    /// Same as [`sessions_of`](LoginManager::sessions_of).
    pub async fn logout_user(&self, id: &U::Id) -> Result<(), Error> {
        let owner = owner_of::<U>(&self.realm, id)?;
        revoke(&self.realm, &owner, Which::All).await.map(drop)
    }
}
