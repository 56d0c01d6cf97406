//! What an axum handler can ask for.

use std::{convert::Infallible, ops::Deref, sync::Arc};

use axum_core::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::request::Parts;

#[cfg(feature = "argon2")]
use crate::password::PasswordError;
use crate::{
    auth::{Attached, Auth},
    error::{Error, bare_response},
    guard::{Refusal, Rules, admit, missing, no_manager, refuse},
    refusal::{NextPath, Notice, Reason},
    session::Session,
    user::AuthUser,
};

/// The user who is logged in. Where nobody is, the visitor is sent to log in and the handler doesn't run.
///
/// `Option<LoginRequired<U>>` is `None` for nobody, and still 503 where it can't be known.
///
/// ```
/// # use login_manager::AuthUser;
/// # struct Account { name: String }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
/// use login_manager::LoginRequired;
///
/// async fn dashboard(LoginRequired(user): LoginRequired<Account>) -> String {
///     format!("Hello, {}", user.name)
/// }
/// ```
#[derive(Debug)]
pub struct LoginRequired<U: AuthUser>(pub Arc<U>);

/// The user who is logged in, or nobody: for pages that greet those who are.
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
#[derive(Debug)]
pub struct CurrentUser<U: AuthUser>(pub Option<Arc<U>>);

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

impl<U: AuthUser> Clone for CurrentUser<U> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Send + Sync, U: AuthUser> FromRequestParts<S> for LoginRequired<U> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        admitted(parts).await?.map(Self).map_err(|(auth, refusal)| {
            refuse(&auth, &refusal, parts, &Rules::default()).map(Body::from)
        })
    }
}

impl<S: Send + Sync, U: AuthUser> OptionalFromRequestParts<S> for LoginRequired<U> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Response> {
        match admitted(parts).await? {
            Ok(user) => Ok(Some(Self(user))),
            Err((_, Refusal::Denied(Reason::LoginRequired(_)))) => Ok(None),
            Err((auth, refusal)) => {
                Err(refuse(&auth, &refusal, parts, &Rules::default()).map(Body::from))
            }
        }
    }
}

type Admitted<U> = Result<Arc<U>, (Auth<U>, Refusal)>;

async fn admitted<U: AuthUser>(parts: &Parts) -> Result<Admitted<U>, Error> {
    let auth = Auth::<U>::of(&parts.extensions).ok_or_else(|| no_manager::<U>("LoginRequired"))?;
    Ok(match admit(&auth, &Rules::default(), parts).await {
        Ok(user) => Ok(user),
        Err(refusal) => Err((auth, refusal)),
    })
}

impl<S: Send + Sync, U: AuthUser> FromRequestParts<S> for CurrentUser<U> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let auth =
            Auth::<U>::of(&parts.extensions).ok_or_else(|| no_manager::<U>("CurrentUser"))?;
        auth.user().await.map(Self)
    }
}

impl<S: Send + Sync, U: AuthUser> FromRequestParts<S> for Auth<U> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Self::of(&parts.extensions).ok_or_else(|| no_manager::<U>("Auth"))
    }
}

/// The session of the innermost manager; [`Auth::session`] is that of a manager of your choice.
impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Self::of(&parts.extensions).ok_or_else(|| missing("Session", "LoginManager"))
    }
}

/// The `next` in the query; none where it isn't acceptable, is given twice or leads to the login view itself. Never fails.
impl<S: Send + Sync> FromRequestParts<S> for NextPath {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let next = Self::from_query(parts.uri.query(), "next");
        let login_view = Attached::of(&parts.extensions).and_then(Attached::login_view);
        Ok(match login_view {
            Some(login_view) if login_view.is_at(next.path()) => Self::none(),
            _ => next,
        })
    }
}

/// The notice in the query of the login page, if the visitor was sent there. Never fails.
impl<S: Send + Sync> OptionalFromRequestParts<S> for Notice {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(Self::from_query(parts.uri.query()))
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.to_response()
    }
}

#[cfg(feature = "argon2")]
impl IntoResponse for PasswordError {
    fn into_response(self) -> Response {
        bare_response(self.status())
    }
}

impl From<Error> for Response {
    fn from(error: Error) -> Self {
        error.to_response()
    }
}
