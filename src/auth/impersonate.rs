//! Impersonation: using the application as another user, for support.
//!
//! # Numbers
//! - An impersonation lasts 1 hour at most, as in Better Auth, and never longer than the actor's
//!   session.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use super::Auth;
use crate::{
    error::Error,
    session::finish,
    user::{AuthUser, IntoUser},
};

/// How long an impersonation lasts at most.
pub(super) const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The start of an impersonation, which happens when it is awaited. Created by
/// [`Auth::impersonate`]; returns the impersonated user, who is the current user from then on.
///
/// # Errors
/// If it returns an error, the current user is the same as before.
/// - [`ErrorKind::FreshLoginRequired`](crate::ErrorKind::FreshLoginRequired) if the session is not
///   [fresh](Auth::is_fresh), or no user is logged in by a session
/// - [`ErrorKind::Impersonating`](crate::ErrorKind::Impersonating) if the session is an
///   impersonation itself
/// - [`ErrorKind::Inactive`](crate::ErrorKind::Inactive) if the user to impersonate is not active
/// - [`ErrorKind::InvalidLifetime`](crate::ErrorKind::InvalidLifetime) if
///   [`at_most`](Impersonate::at_most) was called with less than a second or more than an hour
/// - [`ErrorKind::UnstableId`](crate::ErrorKind::UnstableId) if the text of the user's id does not
///   parse back to the same id
/// - [`ErrorKind::Gone`](crate::ErrorKind::Gone) if the session ended during this request
/// - those of [`user`](Auth::user), [`save`](crate::Session::save) and
///   [`rotate`](Auth::rotate)
#[must_use = "an impersonation does not start until it is awaited"]
pub struct Impersonate<U: AuthUser> {
    auth: Auth<U>,
    user: Arc<U>,
    at_most: Duration,
}

impl<U: AuthUser> Auth<U> {
    /// Makes another user the current user of this browser when it is awaited: see
    /// [`Impersonate`]. The current user is then the *actor*.
    ///
    /// **Check the permission first.** The crate does not know who may impersonate whom:
    ///
    /// ```
    /// # use login_manager::{Auth, AuthUser, Error};
    /// # #[derive(Clone)] struct Account { is_support: bool, is_staff: bool }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
    /// # async fn find(id: i64) -> Option<Account> { None }
    /// # fn app(login_manager: login_manager::LoginManager<Account>) -> axum::Router {
    /// use axum::{Router, extract::Path, http::StatusCode, routing::post};
    /// use login_manager::fresh_login_required;
    ///
    /// async fn impersonate(auth: Auth<Account>, Path(id): Path<i64>) -> Result<StatusCode, Error> {
    ///     match find(id).await {
    ///         // Someone from support must not become an administrator.
    ///         Some(user) if !user.is_staff => {
    ///             auth.impersonate(user).await?;
    ///             Ok(StatusCode::NO_CONTENT)
    ///         }
    ///         _ => Ok(StatusCode::FORBIDDEN),
    ///     }
    /// }
    ///
    /// async fn stop(auth: Auth<Account>) -> Result<StatusCode, Error> {
    ///     auth.stop_impersonating().await?;
    ///     Ok(StatusCode::NO_CONTENT)
    /// }
    ///
    /// let support = Router::new()
    ///     .route("/impersonate/{id}", post(impersonate))
    ///     .route_layer(fresh_login_required::<Account>().and(|account| account.is_support));
    ///
    /// Router::new()
    ///     .merge(support)
    ///     // Outside the guard: the current user is the impersonated one.
    ///     .route("/stop-impersonating", post(stop))
    ///     .layer(login_manager)
    /// # }
    /// ```
    ///
    /// The impersonation is a session of its own, with a new cookie and without data:
    ///
    /// - It lasts [one hour at most](Impersonate::at_most) and is not remembered. Its idle timeout
    ///   is that of the actor's session.
    /// - It is never fresh and has no [methods](Auth::methods). Guards that require either respond
    ///   with 403, and [`confirm`](Auth::confirm) is an error, so credentials can't be changed by
    ///   accident. Check [`actor`](Auth::actor) before anything else that only the user themselves
    ///   may do.
    /// - It can't start another impersonation.
    /// - It does not count for [`with_max_sessions`](crate::LoginManager::with_max_sessions).
    /// - The user sees it in their list of [`sessions`](Auth::sessions),
    ///   [marked](crate::auth::SessionInfo::is_impersonated), and can revoke it, so that no one
    ///   acts in their account unnoticed. If your users should not see it, leave it out of the
    ///   list.
    ///
    /// The actor's session stays in the store as it is, and its idle timeout keeps running. The
    /// impersonation ends at its next request after the actor's session has: by a logout elsewhere,
    /// [`logout_everywhere`](Auth::logout_everywhere), a timeout, another [security
    /// stamp](AuthUser::security_stamp), or because the actor is no longer active. To check it,
    /// each request of an impersonation, and of no other session, costs one more read from the
    /// store and one more load of a user.
    ///
    /// [`stop_impersonating`](Auth::stop_impersonating) ends the impersonation and returns to the
    /// actor's session, so a thief of the impersonation's cookie gets both sessions. If the hour is
    /// over before that, the browser is logged out, since its cookie was replaced. A
    /// [`logout`](Auth::logout) ends both sessions, and so does a [`login`](Auth::login), which
    /// begins a session of its own, even if the user is the impersonated one or the actor.
    ///
    /// [Events](crate::event::EventKind::ImpersonationStarted) report the start and the end, with
    /// the ids of both users.
    ///
    /// In the manual: [Impersonation](crate::manual::sessions_of_a_user#impersonation).
    pub fn impersonate(&self, user: impl IntoUser<U>) -> Impersonate<U> {
        Impersonate {
            auth: self.clone(),
            user: user.into_user(),
            at_most: LONGEST,
        }
    }

    /// Returns the user who [impersonates](Auth::impersonate) the current user, or `None` if the
    /// session is not an impersonation. The actor has been loaded with the current user.
    ///
    /// # Errors
    /// - those of [`user`](Auth::user)
    pub async fn actor(&self) -> Result<Option<Arc<U>>, Error> {
        Ok(self.identity().await?.actor().cloned())
    }

    /// Ends an [impersonation](Auth::impersonate) and returns to the actor's session, which gets a
    /// new secret. Returns the actor, who is the current user again.
    ///
    /// If the actor's session has ended meanwhile, the browser is logged out and this returns
    /// `None`. It also returns `None`, and does nothing, if the session is not an impersonation.
    ///
    /// # Errors
    /// - those of [`user`](Auth::user)
    /// - [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if a concurrent request has stopped
    ///   the impersonation, or has replaced the presented secret
    /// - [`ErrorKind::TooLate`](crate::ErrorKind::TooLate) if the response head has already been
    ///   sent
    /// - [`ErrorKind::Random`](crate::ErrorKind::Random) if the operating system returned no random
    ///   bytes
    /// - those of [`logout`](Auth::logout) if the actor's session has ended
    pub async fn stop_impersonating(&self) -> Result<Option<Arc<U>>, Error> {
        let request = Arc::clone(&self.request);
        self.asked();
        finish(async move {
            let turn = request.session.turn().await;
            request.stop_impersonating(&turn).await
        })
        .await
    }
}

impl<U: AuthUser> Impersonate<U> {
    /// Lets the impersonation end after this time, from a second to an hour, however it is used.
    /// Default: an hour.
    pub fn at_most(mut self, lifetime: Duration) -> Self {
        self.at_most = lifetime;
        self
    }
}

impl<U: AuthUser> IntoFuture for Impersonate<U> {
    type Output = Result<Arc<U>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self {
                auth,
                user,
                at_most,
            } = self;
            auth.asked();
            let request = Arc::clone(&auth.request);
            finish(async move {
                let turn = request.session.turn().await;
                request.impersonate(&turn, user, at_most).await
            })
            .await
        })
    }
}

impl<U: AuthUser> fmt::Debug for Impersonate<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Impersonate")
            .field("at_most", &self.at_most)
            .finish_non_exhaustive()
    }
}
