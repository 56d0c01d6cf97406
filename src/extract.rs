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
    error::Error,
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
/// async fn dashboard(user: LoginRequired<Account>) -> String {
///     format!("Hello, {}", user.name)
/// }
/// ```
///
/// `LoginRequired(user): LoginRequired<Account>` takes the `Arc<Account>` out.
#[derive(Debug)]
pub struct LoginRequired<U: AuthUser>(pub Arc<U>);

/// The user who is logged in and proved it in this session. Where that isn't so, the visitor is sent to log in, or to
/// prove it again, and the handler doesn't run. The door of [`fresh_login_required`](crate::fresh_login_required) for one handler.
///
/// The proof counts as long as [`with_fresh_for`](crate::LoginManager::with_fresh_for) says; by default as long as the session lives.
///
/// `Option<FreshLoginRequired<U>>` is `None` for nobody and for who would have to prove it again, and still 503 where it can't be
/// known: for a page that shows more to who has just given the password.
#[derive(Debug)]
pub struct FreshLoginRequired<U: AuthUser>(pub Arc<U>);

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
///
/// Where it can't be known who it is, because the store or the loader is down, the handler doesn't run and the answer is 503. A
/// page that anybody may see asks for a `Result`, and is shown all the same:
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
///         Err(_) => "Hello".to_owned(), // not "stranger": somebody may be logged in
///     }
/// }
/// ```
#[derive(Debug)]
pub struct CurrentUser<U: AuthUser>(pub Option<Arc<U>>);

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
        let door = Door::new("LoginRequired", false, parts)?;
        door.admit()
            .await
            .map(Self)
            .map_err(|refusal| door.refuse(&refusal))
    }
}

impl<S: Send + Sync, U: AuthUser> FromRequestParts<S> for FreshLoginRequired<U> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let door = Door::new("FreshLoginRequired", true, parts)?;
        door.admit()
            .await
            .map(Self)
            .map_err(|refusal| door.refuse(&refusal))
    }
}

impl<S: Send + Sync, U: AuthUser> OptionalFromRequestParts<S> for LoginRequired<U> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Response> {
        let door = Door::new("LoginRequired", false, parts)?;
        match door.admit().await {
            Ok(user) => Ok(Some(Self(user))),
            Err(Refusal::Denied(Reason::LoginRequired(_))) => Ok(None),
            Err(refusal) => Err(door.refuse(&refusal)),
        }
    }
}

impl<S: Send + Sync, U: AuthUser> OptionalFromRequestParts<S> for FreshLoginRequired<U> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Response> {
        let door = Door::new("FreshLoginRequired", true, parts)?;
        match door.admit().await {
            Ok(user) => Ok(Some(Self(user))),
            Err(Refusal::Denied(Reason::LoginRequired(_) | Reason::FreshLoginRequired)) => Ok(None),
            Err(refusal) => Err(door.refuse(&refusal)),
        }
    }
}

/// The guard in front of one handler.
struct Door<'a, U: AuthUser> {
    auth: Auth<U>,
    rules: Rules<U>,
    head: &'a Parts,
}

impl<'a, U: AuthUser> Door<'a, U> {
    fn new(name: &str, fresh: bool, head: &'a Parts) -> Result<Self, Error> {
        let auth = Auth::of(&head.extensions).ok_or_else(|| no_manager::<U>(name))?;
        Ok(Self {
            auth,
            rules: Rules::plain(fresh),
            head,
        })
    }

    async fn admit(&self) -> Result<Arc<U>, Refusal> {
        admit(&self.auth, &self.rules, self.head).await
    }

    fn refuse(&self, refusal: &Refusal) -> Response {
        refuse(&self.auth, refusal, self.head).map(Body::from)
    }
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

/// Where to go after the login, from where the innermost manager [keeps it](crate::LoginManager::with_next_in): the `next` in
/// the query by default. None where it isn't acceptable, is given twice or leads to the login page itself. Never fails.
impl<S: Send + Sync> FromRequestParts<S> for NextPath {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(match Attached::of(&parts.extensions) {
            Some(attached) => attached.next(),
            None => Self::from_query(parts.uri.query(), "next"),
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
