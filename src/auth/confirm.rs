//! A confirmation, before it is awaited.

use std::{fmt, pin::Pin, sync::Arc};

use super::{Auth, methods::By};
use crate::{error::Error, session::finish, user::AuthUser};

/// A confirmation, which happens when it is awaited. Created by [`Auth::confirm`]; returns whether
/// a user is logged in by a session. If not, it does nothing.
///
/// The session becomes fresh, its timeouts restart, and it gets a new secret. Requests with the old
/// secret are still authenticated for [30 seconds](crate::manager::RememberMe::grace), but not
/// fresh.
///
/// ```
/// # use login_manager::{Auth, AuthUser, Error};
/// # struct Account;
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
/// # impl Account { fn accepts(&self, code: &str) -> bool { true } }
/// async fn submit_code(auth: Auth<Account>, code: String) -> Result<bool, Error> {
///     match auth.user().await? {
///         Some(user) if user.accepts(&code) => auth.confirm().by("totp").await,
///         _ => Ok(false),
///     }
/// }
/// ```
///
/// # Errors
/// - those of [`Auth::user`]
/// - [`ErrorKind::InvalidMethod`](crate::ErrorKind::InvalidMethod) if [`by`](Confirm::by) was
///   called with an invalid name
/// - [`ErrorKind::Impersonating`](crate::ErrorKind::Impersonating) if the session is an
///   [impersonation](Auth::impersonate)
/// - [`ErrorKind::Gone`](crate::ErrorKind::Gone) if the session ended meanwhile, for example by a
///   logout
/// - [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if the presented secret has been replaced,
///   so that this request only joins the session
/// - [`ErrorKind::TooLate`](crate::ErrorKind::TooLate) if the response head has already been sent
/// - [`ErrorKind::Random`](crate::ErrorKind::Random) if the operating system returned no random
///   bytes
#[must_use = "a confirmation does nothing until it is awaited"]
pub struct Confirm<U: AuthUser> {
    auth: Auth<U>,
    by: By,
}

impl<U: AuthUser> Auth<U> {
    /// Records that the current user has just entered credentials again when it is awaited: see
    /// [`Confirm`].
    ///
    /// Check the password or other credentials first.
    pub fn confirm(&self) -> Confirm<U> {
        Confirm {
            auth: self.clone(),
            by: By::default(),
        }
    }
}

impl<U: AuthUser> Confirm<U> {
    /// Records by which method the user entered the credentials, for guards that
    /// [require](crate::guard::LoginRequiredLayer::needs) it. The session's other methods are kept
    /// with their times. If there were several methods, call it once for each.
    ///
    /// A name is 1 to 16 lowercase ASCII letters, digits, hyphens and underscores. A session keeps
    /// the 8 methods that were used last.
    pub fn by(mut self, method: &str) -> Self {
        self.by.add(method);
        self
    }
}

impl<U: AuthUser> IntoFuture for Confirm<U> {
    type Output = Result<bool, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { auth, by } = self;
            auth.asked();
            let request = Arc::clone(&auth.request);
            finish(async move {
                let turn = request.session.turn().await;
                request.confirm(&turn, by).await
            })
            .await
        })
    }
}

impl<U: AuthUser> fmt::Debug for Confirm<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirm")
            .field("by", &self.by)
            .finish_non_exhaustive()
    }
}
