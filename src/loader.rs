//! Where users come from.

use std::sync::Arc;

use async_trait::async_trait;
use http::request::Parts;

use crate::{error::BoxError, user::AuthUser};

/// Finds the user behind an id in your database.
///
/// A closure that takes the id and returns a future of `Option<U>` or of `Result<Option<U>, E>` is one. It clones what it
/// captures for each call:
///
/// ```
/// # use login_manager::{AuthUser, LoginManager, MemoryStore};
/// # struct Account { id: i64 }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
/// # #[derive(Clone)] struct Db; // a connection pool, say
/// # impl Db { async fn find(&self, id: i64) -> Result<Option<Account>, std::io::Error> { Ok(Some(Account { id })) } }
/// # let db = Db;
/// let login_manager = LoginManager::new(MemoryStore::new(), move |id| {
///     let db = db.clone();
///     async move { db.find(id).await }
/// });
/// ```
///
/// An async closure that captures something, `async move |id| db.find(id).await`, won't do: its future borrows from the closure,
/// and ours has to stand by itself. One that captures nothing does.
///
/// Implement the trait where a type with a name reads better:
///
/// ```
/// # use login_manager::AuthUser;
/// # struct Account { id: i64 }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
/// use login_manager::{BoxError, UserLoader};
///
/// struct Accounts; // a connection pool, say
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
    /// The user with this id, or `None` if there is no such user (any more): then the session ends.
    ///
    /// # Errors
    /// When it can't be known whether there is one. Pages that need the user answer 503, and nobody is logged out.
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

/// Finds the user behind a request that brings its own proof: an API key, a bearer token.
///
/// Asked in the order in which they were [added](crate::LoginManager::with_request_loader), where neither the session nor a
/// remember cookie says who it is; the first that knows somebody wins. Whom it finds is logged in for this request only and not
/// fresh: no session is made, no cookie is set, and session data is not kept.
///
/// A closure that takes the request's head and returns a future of `Option<U>` or of `Result<Option<U>, E>` is one; it copies
/// what it needs out of the head before its `async` block.
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
///     // Schemes have no case (RFC 9110, 11.1).
///     scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim_start())
/// }
/// ```
///
/// One that needs something of its own clones it for each call, before the `async` block too:
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
/// An `async |head| …` won't do: its future borrows the head and what the closure captures, and ours has to stand by itself.
#[async_trait]
pub trait RequestLoader<U: AuthUser>: Send + Sync + 'static {
    /// The user whom this request proves to be, or `None` where it says nothing that this loader understands.
    ///
    /// # Errors
    /// When it can't be known. Pages that need the user answer 503.
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

/// Where the users of one manager come from.
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

/// What a loader closure may answer: `Option<U>`, or `Result<Option<U>, E>`.
pub trait IntoLoaded<U>: sealed::Sealed {
    /// The answer in one form.
    ///
    /// # Errors
    /// The loader's own.
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
