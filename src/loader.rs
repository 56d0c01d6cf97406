//! Loading users: by the id in the session, or by the credentials in a request.

use std::sync::Arc;

use async_trait::async_trait;
use http::request::Parts;

use crate::{error::BoxError, user::AuthUser};

/// Loads a user by id, from your database.
///
/// Closures that take the id and return a future of `Option<U>` or `Result<Option<U>, E>`
/// implement this trait. The closure clones what it captures for each call:
///
/// ```
/// # use login_manager::{AuthUser, LoginManager, MemoryStore};
/// # struct Account { id: i64 }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
/// # #[derive(Clone)] struct Db; // a connection pool, for example
/// # impl Db { async fn find(&self, id: i64) -> Result<Option<Account>, std::io::Error> { Ok(Some(Account { id })) } }
/// # let db = Db;
/// let login_manager = LoginManager::new(MemoryStore::new(), move |id| {
///     let db = db.clone();
///     async move { db.find(id).await }
/// });
/// ```
///
/// An async closure that captures something (`async move |id| db.find(id).await`) does not work:
/// its future borrows from the closure, but the future must own what it uses. An async closure
/// that captures nothing works.
///
/// Implement the trait if you prefer a named type. Its method is
/// `async fn load(&self, id: &U::Id) -> Result<Option<U>, BoxError>`:
///
/// ```
/// # use login_manager::AuthUser;
/// # struct Account { id: i64 }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
/// use login_manager::{BoxError, UserLoader};
///
/// struct Accounts; // a connection pool, for example
///
/// #[login_manager::async_trait]
/// impl UserLoader<Account> for Accounts {
///     async fn load(&self, id: &i64) -> Result<Option<Account>, BoxError> {
///         Ok(Some(Account { id: *id })) // select … where id = $1
///     }
/// }
/// ```
#[async_trait]
pub trait UserLoader<U: AuthUser>: Send + Sync + 'static {
    /// Returns the user with this id, or `None` if there is no such user (any more). `None` ends
    /// the session.
    ///
    /// # Errors
    /// If the lookup fails. Pages that need the user then return `503`, and the session is kept.
    async fn load(&self, id: &U::Id) -> Result<Option<U>, BoxError>;
}

#[async_trait]
impl<U, F, Fut> UserLoader<U> for F
where
    U: AuthUser,
    F: Fn(U::Id) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoLoaded<U>> + Send,
{
    async fn load(&self, id: &U::Id) -> Result<Option<U>, BoxError> {
        self(id.clone()).await.into_loaded()
    }
}

/// Authenticates requests that carry their own credentials: an API key, a bearer token.
///
/// Request loaders are called if neither the session nor a remember cookie identifies a user, in
/// the order in which they were [added](crate::LoginManager::with_request_loader), until one
/// returns a user. That user is logged in for this request only and is not fresh: no session is
/// created, no cookie is set, and session data is not kept.
///
/// Closures that take the request's head and return a future of `Option<U>` or
/// `Result<Option<U>, E>` implement this trait. The closure copies what it needs out of the head
/// before its `async` block:
///
/// ```
/// # use login_manager::{AuthUser, LoginManager, MemoryStore};
/// # struct Account { id: i64 }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
/// # async fn by_token_digest(token: Option<String>) -> Option<Account> { None }
/// use http::{header::AUTHORIZATION, request::Parts};
///
/// let login_manager = LoginManager::new(MemoryStore::new(), |id| async move { Some(Account { id }) })
///     .with_request_loader(|head: &Parts| {
///         let token = bearer_token(head).map(str::to_owned);
///         async move { by_token_digest(token).await }
///     });
///
/// fn bearer_token(head: &Parts) -> Option<&str> {
///     let (scheme, token) = head.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
///     // Schemes are case-insensitive (RFC 9110, 11.1).
///     scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim_start())
/// }
/// ```
///
/// If it captures something, such as a connection pool, it clones that for each call, also before
/// the `async` block:
///
/// ```
/// # use login_manager::{AuthUser, LoginManager};
/// # struct Account { id: i64 }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
/// # #[derive(Clone)] struct Db;
/// # impl Db { async fn by_key(&self, key: Option<String>) -> Option<Account> { None } }
/// # fn key_in(head: &http::request::Parts) -> Option<String> { None }
/// # fn add(login_manager: LoginManager<Account>, db: Db) -> LoginManager<Account> {
/// login_manager.with_request_loader(move |head: &http::request::Parts| {
///     let (db, key) = (db.clone(), key_in(head));
///     async move { db.by_key(key).await }
/// })
/// # }
/// ```
///
/// An async closure (`async |head| …`) does not work: its future borrows the head and what the
/// closure captures, but the future must own what it uses.
///
/// Implement the trait if you prefer a named type:
///
/// ```
/// # use login_manager::AuthUser;
/// # struct Account { id: i64 }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
/// use http::request::Parts;
/// use login_manager::{BoxError, RequestLoader};
///
/// struct ApiKeys; // a connection pool, for example
///
/// #[login_manager::async_trait]
/// impl RequestLoader<Account> for ApiKeys {
///     async fn load(&self, head: &Parts) -> Result<Option<Account>, BoxError> {
///         let Some(key) = head.headers.get("x-api-key") else { return Ok(None) };
///         Ok(None) // select … where key_digest = $1
///     }
/// }
/// ```
#[async_trait]
pub trait RequestLoader<U: AuthUser>: Send + Sync + 'static {
    /// Returns the user whose credentials the request carries, or `None` if it carries none that
    /// this loader understands.
    ///
    /// # Errors
    /// If the lookup fails. Pages that need the user then return `503`.
    async fn load(&self, head: &Parts) -> Result<Option<U>, BoxError>;
}

#[async_trait]
impl<U, F, Fut> RequestLoader<U> for F
where
    U: AuthUser,
    F: Fn(&Parts) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoLoaded<U>> + Send,
{
    async fn load(&self, head: &Parts) -> Result<Option<U>, BoxError> {
        self(head).await.into_loaded()
    }
}

/// The loaders of one manager.
pub(crate) struct Loaders<U: AuthUser> {
    pub(crate) users: Arc<dyn UserLoader<U>>,
    pub(crate) requests: Vec<Arc<dyn RequestLoader<U>>>,
}

impl<U: AuthUser> Clone for Loaders<U> {
    fn clone(&self) -> Self {
        Self {
            users: Arc::clone(&self.users),
            requests: self.requests.clone(),
        }
    }
}

/// The output of a loader closure: `Option<U>` or `Result<Option<U>, E>`.
pub trait IntoLoaded<U>: sealed::Sealed {
    /// Converts the output to a `Result`.
    ///
    /// # Errors
    /// The error that the closure returned.
    fn into_loaded(self) -> Result<Option<U>, BoxError>;
}

impl<U> IntoLoaded<U> for Option<U> {
    fn into_loaded(self) -> Result<Option<U>, BoxError> {
        Ok(self)
    }
}

impl<U, E: Into<BoxError>> IntoLoaded<U> for Result<Option<U>, E> {
    fn into_loaded(self) -> Result<Option<U>, BoxError> {
        self.map_err(Into::into)
    }
}

mod sealed {
    #[allow(unnameable_types, reason = "that is what seals it")]
    pub trait Sealed {}
    impl<U> Sealed for Option<U> {}
    impl<U, E> Sealed for Result<Option<U>, E> {}
}
