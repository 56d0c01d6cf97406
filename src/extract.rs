//! Extractors for axum handlers.

use std::{convert::Infallible, fmt, ops::Deref, sync::Arc};

use axum_core::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::request::Parts;

#[cfg(feature = "argon2")]
use crate::password::PasswordError;
use crate::{
    auth::{Auth, AuthExtension},
    denied::{NextPath, Notice},
    error::Error,
    flash::Flash,
    guard::{Denial, Rules, admit, deny, missing, no_manager},
    reason::DeniedReason,
    session::Session,
    user::AuthUser,
};

/// Extracts the current user. Anonymous requests are redirected to the login page or get `401`, and
/// the handler does not run.
///
/// `Option<LoginRequired<U>>` is `None` for anonymous requests. If the store or the loader fails,
/// both return `503`.
///
/// ```
/// # use login_manager::AuthUser;
/// # struct Account { name: String }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
/// use login_manager::LoginRequired;
///
/// async fn dashboard(user: LoginRequired<Account>) -> String {
///     format!("Hello, {}", user.name)
/// }
/// ```
///
/// The pattern `LoginRequired(user): LoginRequired<Account>` extracts the `Arc<Account>`. To guard
/// a whole router, use [`login_required`](crate::login_required).
///
/// In the manual: [Guarding pages](crate::manual::guarding_pages).
pub struct LoginRequired<U: AuthUser>(pub Arc<U>);

/// Extracts the current user, if they entered their credentials in this session.
///
/// Other requests are redirected to the login or the refresh page, or get `401` (`403` if the user
/// is [impersonated](Auth::impersonate)), and the handler does not run. To guard a whole router,
/// use [`fresh_login_required`](crate::fresh_login_required).
/// [`with_fresh_for`](crate::LoginManager::with_fresh_for) sets how long a login is fresh; by
/// default, that is as long as the session lives. For another age, or a
/// [method](crate::guard::LoginRequiredLayer::needs), use the layer, or
/// [`Auth::is_fresh_within`] and [`Auth::methods`] in the handler.
///
/// `Option<FreshLoginRequired<U>>` is `None` for anonymous requests and for users who would have to
/// enter their credentials again. Use it for pages that show more to users who have just done so.
/// If the store or the loader fails, both return `503`.
///
/// In the manual: [Fresh logins and step-up](crate::manual::fresh_logins).
pub struct FreshLoginRequired<U: AuthUser>(pub Arc<U>);

/// Extracts the current user, or `None` for anonymous requests.
///
/// ```
/// # use login_manager::AuthUser;
/// # struct Account { name: String }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
/// use login_manager::CurrentUser;
///
/// async fn home(CurrentUser(user): CurrentUser<Account>) -> String {
///     match user {
///         Some(user) => format!("Hello, {}", user.name),
///         None => "Hello, stranger".to_owned(),
///     }
/// }
/// ```
///
/// If the store or the loader fails, the handler does not run and the response is `503`. To show a
/// public page even then, extract a `Result`:
///
/// ```
/// # use login_manager::AuthUser;
/// # struct Account { name: String }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
/// use login_manager::{CurrentUser, Error};
///
/// async fn news(user: Result<CurrentUser<Account>, Error>) -> String {
///     match user {
///         Ok(CurrentUser(Some(user))) => format!("Hello, {}", user.name),
///         Ok(CurrentUser(None)) => "Hello, stranger".to_owned(),
///         Err(_) => "Hello".to_owned(), // unknown: a user may be logged in
///     }
/// }
/// ```
///
/// In the manual: [Guarding pages](crate::manual::guarding_pages).
pub struct CurrentUser<U: AuthUser>(pub Option<Arc<U>>);

/// Omits the user.
impl<U: AuthUser> fmt::Debug for LoginRequired<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginRequired([redacted])")
    }
}

/// Omits the user.
impl<U: AuthUser> fmt::Debug for FreshLoginRequired<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FreshLoginRequired([redacted])")
    }
}

/// Omits the user, and only tells whether there is one.
impl<U: AuthUser> fmt::Debug for CurrentUser<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Some(_) => "CurrentUser(Some([redacted]))",
            None => "CurrentUser(None)",
        })
    }
}

impl<U: AuthUser> Deref for LoginRequired<U> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.0
    }
}

impl<U: AuthUser> Deref for FreshLoginRequired<U> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.0
    }
}

impl<U: AuthUser> Deref for CurrentUser<U> {
    type Target = Option<Arc<U>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<U: AuthUser> Clone for LoginRequired<U> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<U: AuthUser> Clone for FreshLoginRequired<U> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<U: AuthUser> Clone for CurrentUser<U> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Send + Sync, U: AuthUser> FromRequestParts<S> for LoginRequired<U> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let guard = HandlerGuard::new("LoginRequired", false, parts)?;
        guard.enter().await.map(Self)
    }
}

impl<S: Send + Sync, U: AuthUser> FromRequestParts<S> for FreshLoginRequired<U> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let guard = HandlerGuard::new("FreshLoginRequired", true, parts)?;
        guard.enter().await.map(Self)
    }
}

impl<S: Send + Sync, U: AuthUser> OptionalFromRequestParts<S> for LoginRequired<U> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Response> {
        let guard = HandlerGuard::new("LoginRequired", false, parts)?;
        match guard.admit().await {
            Ok(user) => Ok(Some(Self(user))),
            Err(Denial::Denied(DeniedReason::LoginRequired(_))) => Ok(None),
            Err(denial) => Err(guard.deny(&denial).await),
        }
    }
}

impl<S: Send + Sync, U: AuthUser> OptionalFromRequestParts<S> for FreshLoginRequired<U> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Response> {
        let guard = HandlerGuard::<U>::new("FreshLoginRequired", false, parts)?;
        match guard.admit().await {
            Ok(user) if guard.auth.is_fresh().await? => Ok(Some(Self(user))),
            Ok(_) | Err(Denial::Denied(DeniedReason::LoginRequired(_))) => Ok(None),
            Err(denial) => Err(guard.deny(&denial).await),
        }
    }
}

/// The guard of one handler.
struct HandlerGuard<'a, U: AuthUser> {
    auth: Auth<U>,
    rules: Rules<U>,
    head: &'a Parts,
}

impl<'a, U: AuthUser> HandlerGuard<'a, U> {
    fn new(name: &str, fresh: bool, head: &'a Parts) -> Result<Self, Error> {
        let auth = Auth::from_extensions(&head.extensions).ok_or_else(|| no_manager::<U>(name))?;
        Ok(Self {
            auth,
            rules: Rules::plain(fresh),
            head,
        })
    }

    async fn admit(&self) -> Result<Arc<U>, Denial> {
        admit(&self.auth, &self.rules, self.head).await
    }

    async fn deny(&self, denial: &Denial) -> Response {
        deny(&self.auth, denial, self.head).await.map(Body::from)
    }

    async fn enter(&self) -> Result<Arc<U>, Response> {
        match self.admit().await {
            Ok(user) => Ok(user),
            Err(denial) => Err(self.deny(&denial).await),
        }
    }
}

impl<S: Send + Sync, U: AuthUser> FromRequestParts<S> for CurrentUser<U> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let auth = Auth::<U>::from_extensions(&parts.extensions)
            .ok_or_else(|| no_manager::<U>("CurrentUser"))?;
        auth.user().await.map(Self)
    }
}

impl<S: Send + Sync, U: AuthUser> FromRequestParts<S> for Auth<U> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Self::from_extensions(&parts.extensions).ok_or_else(|| no_manager::<U>("Auth"))
    }
}

/// Extracts the session of the innermost manager. With several realms, use [`Auth::session`].
impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Self::from_extensions(&parts.extensions).ok_or_else(|| missing("Session", "LoginManager"))
    }
}

/// Extracts a [`Flash`] for the session of the innermost manager around the handler. The session is
/// not read before the first call.
impl<S: Send + Sync> FromRequestParts<S> for Flash {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let session = Session::from_extensions(&parts.extensions);
        session
            .map(Self::new)
            .ok_or_else(|| missing("Flash", "LoginManager"))
    }
}

/// Extracts the path to return to after a login. The innermost manager sets [where it is
/// kept](crate::manager::LoginPage::next_in), by default in the field `next` of the query. It is
/// [`none`](NextPath::none) if it is not accepted, occurs twice or is the path of the login page
/// itself. Never fails.
impl<S: Send + Sync> FromRequestParts<S> for NextPath {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(match AuthExtension::of(&parts.extensions) {
            Some(attached) => attached.next(),
            None => Self::from_query(parts.uri.query(), "next"),
        })
    }
}

/// Extracts the notice from the query of the login page, if the user was redirected there. Never
/// fails.
impl<S: Send + Sync> OptionalFromRequestParts<S> for Notice {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(Self::from_query(parts.uri.query()))
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.response().map(Body::from)
    }
}

#[cfg(feature = "argon2")]
impl IntoResponse for PasswordError {
    fn into_response(self) -> Response {
        self.response().map(Body::from)
    }
}

impl From<Error> for Response {
    fn from(error: Error) -> Self {
        error.into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Account;

    impl AuthUser for Account {
        type Id = i64;

        fn id(&self) -> i64 {
            1
        }
    }

    #[test]
    fn debug_of_an_extractor_does_not_print_the_user() {
        let user = Arc::new(Account);
        assert_eq!(
            format!(
                "{:?} {:?} {:?}",
                LoginRequired(Arc::clone(&user)),
                FreshLoginRequired(Arc::clone(&user)),
                CurrentUser(Some(user)),
            ),
            "LoginRequired([redacted]) FreshLoginRequired([redacted]) CurrentUser(Some([redacted]))"
        );
    }
}
