//! A handle to a login that outlives its request: for a WebSocket, an event stream or a long job.

use std::{fmt, sync::Arc};

use super::{Auth, Settings};
use crate::{
    error::Error,
    identity::{Identity, check},
    realm::Realm,
    remember::UserCheck,
    session::Payload,
    store::SessionId,
    user::AuthUser,
};

/// Checks after the end of a request whether its login is still valid. Created by [`Auth::handle`].
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
///             // If this is unknown, send nothing more.
///             if !handle.still_valid().await.unwrap_or(false) {
///                 break;
///             }
///             // send the message
///         }
///     });
///     Ok(())
/// }
/// ```
///
/// In the manual: [Sessions of a
/// user](crate::manual::sessions_of_a_user#after-the-response).
pub struct LoginHandle<U: AuthUser> {
    realm: Arc<Realm>,
    settings: Arc<Settings<U>>,
    id: SessionId,
}

impl<U: AuthUser> Auth<U> {
    /// Returns a handle to this login that outlives the request, or `None` if no user is logged in
    /// by a session.
    ///
    /// # Errors
    /// - those of [`user`](Auth::user)
    pub async fn handle(&self) -> Result<Option<LoginHandle<U>>, Error> {
        let Identity::BySession { .. } = self.identity().await? else {
            return Ok(None);
        };
        Ok(self.request.session.open().map(|open| LoginHandle {
            realm: Arc::clone(self.realm()),
            settings: Arc::clone(&self.request.settings),
            id: open.record.id,
        }))
    }
}

impl<U: AuthUser> LoginHandle<U> {
    /// Returns whether the user is still logged in by this session: it has not ended or expired,
    /// and the user is active and has the same security stamp. Rotations do not matter. This costs
    /// one store read and one user load, and does not extend the session.
    ///
    /// # Errors
    /// - those of [`user`](Auth::user)
    pub async fn still_valid(&self) -> Result<bool, Error> {
        let realm = &*self.realm;
        let Some(record) = realm.load_fresh(&self.id).await? else {
            return Ok(false);
        };
        let Ok(payload) = Payload::decode(&record.payload) else {
            return Ok(false);
        };
        if payload.head.current.is_none()
            || !payload.is_session_live(record.touched, realm.clock.now())
        {
            return Ok(false);
        }
        // There is no request, so there is no client to compare.
        let client = payload.login.and_then(|login| login.client);
        let checked = check(
            realm,
            &self.settings.loaders.users,
            &record,
            &payload,
            client,
        )
        .await?;
        Ok(matches!(checked, UserCheck::Valid(_)))
    }
}

impl<U: AuthUser> fmt::Debug for LoginHandle<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginHandle")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
