//! A login that outlives its request: for a WebSocket, an event stream, a long job.

use std::{fmt, sync::Arc};

use super::{Auth, device::Device, devices::devices};
use crate::{
    error::Error,
    identity::{Identity, is_still_in},
    loader::Loaders,
    realm::Realm,
    session::Proof,
    store::Record,
    user::AuthUser,
};

/// Asks, after the request has been answered, whether its login still holds. Made by [`Auth::handle`].
///
/// ```
/// # use login_manager::{Auth, AuthUser, Error};
/// # struct Account;
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
/// # async fn next_message() -> Option<String> { None }
/// async fn stream(auth: Auth<Account>) -> Result<(), Error> {
///     let Some(handle) = auth.handle().await? else { return Ok(()) };
///     tokio::spawn(async move {
///         while let Some(message) = next_message().await {
///             // Where it can't be known, nothing more is sent.
///             if !handle.still_valid().await.unwrap_or(false) {
///                 break;
///             }
///             // send the message
///         }
///     });
///     Ok(())
/// }
/// ```
pub struct LoginHandle<U: AuthUser> {
    realm: Arc<Realm>,
    loaders: Arc<Loaders<U>>,
    session: Record,
    proof: Proof,
}

impl<U: AuthUser> Auth<U> {
    /// A handle on this login that may be kept when the request is over; `None` where nobody is logged in by a session.
    ///
    /// # Errors
    /// As [`user`](Auth::user).
    pub async fn handle(&self) -> Result<Option<LoginHandle<U>>, Error> {
        let Identity::User(_, proof) = self.identity().await? else {
            return Ok(None);
        };
        Ok(self.visit().live().map(|live| LoginHandle {
            realm: Arc::clone(&self.visit().realm),
            loaders: Arc::clone(&self.inner.loaders),
            session: live.record,
            proof,
        }))
    }
}

impl<U: AuthUser> LoginHandle<U> {
    /// Whether the user is still logged in in that browser: no logout, no end of time, the same security stamp, still active. A
    /// renewal or a confirmation is no end. It costs a list from the store and a user load, and isn't a use of the session.
    ///
    /// # Errors
    /// As [`user`](Auth::user): it can't be known.
    pub async fn still_valid(&self) -> Result<bool, Error> {
        let (realm, session) = (&*self.realm, &self.session);
        let owner = session.owner.as_deref().unwrap_or_default();
        let devices = devices(realm, owner, realm.clock.now()).await?;
        let is_here = |device: &Device| device.id() == session.family && device.is_logged_in();
        Ok(devices.iter().any(is_here)
            && is_still_in(realm, &*self.loaders.users, session, &self.proof).await?)
    }
}

impl<U: AuthUser> fmt::Debug for LoginHandle<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginHandle")
            .field("family", &self.session.family)
            .finish_non_exhaustive()
    }
}
