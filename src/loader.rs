//! Loading users: by the id in the session, or by the credentials in a request.

use std::{pin::Pin, sync::Arc};

use http::request::Parts;

use crate::{error::BoxError, user::AuthUser};

/// Loads a user by id, from your database.
///
/// [`LoginManager::new`](crate::LoginManager::new) takes a closure or an implementation of this
/// trait. A closure takes the id and returns a future of `Option<U>` or `Result<Option<U>, E>`;
/// `Option<Arc<U>>` works, too, for users from a cache. Clone what it captures for each call:
///
/// ```
/// # use login_manager::{AuthUser, LoginManager, MemoryStore};
/// # struct Account { id: i64 }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
/// # #[derive(Clone)] struct Db; // a connection pool, for example
/// # impl Db {
/// #     async fn find(&self, id: i64) -> Result<Option<Account>, std::io::Error> {
/// #         Ok(Some(Account { id }))
/// #     }
/// # }
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
/// If a generic function returns the user, name the user type: it can't be inferred, since an `Arc`
/// of the user is accepted, too. With sqlx, write `query_as::<_, Account>(…)`.
///
/// A loader runs in the request's task, with its tracing span and task-locals. If the client hangs
/// up during an operation, its rest runs on another task.
///
/// Implement the trait if you prefer a named type. An `Arc` of it is a loader, too:
///
/// ```
/// # use login_manager::AuthUser;
/// # struct Account { id: i64 }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
/// use login_manager::{BoxError, UserLoader};
///
/// struct Accounts; // a connection pool, for example
///
/// impl UserLoader<Account> for Accounts {
///     async fn load(&self, id: &i64) -> Result<Option<Account>, BoxError> {
///         Ok(Some(Account { id: *id })) // select … where id = $1
///     }
/// }
/// ```
///
/// In the manual: [Getting started](crate::manual::getting_started).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a loader for `{U}`",
    note = "a loader is a closure that takes the id and returns a future of `Option<U>` or `Result<Option<U>, E>`, \
            or a type that implements `UserLoader<U>`",
    note = "the future owns what it uses: `move |id| {{ let db = db.clone(); async move {{ db.find(id).await }} }}`"
)]
pub trait UserLoader<U: AuthUser>: Send + Sync + 'static {
    /// Returns the user with this id, or `None` if there is no such user (any more). `None` ends
    /// the session.
    ///
    /// # Errors
    /// - if the lookup fails. Pages that need the user then return `503`, and the session is kept
    fn load(&self, id: &U::Id) -> impl Future<Output = Result<Option<U>, BoxError>> + Send;
}

impl<U: AuthUser, L: UserLoader<U>> UserLoader<U> for Arc<L> {
    fn load(&self, id: &U::Id) -> impl Future<Output = Result<Option<U>, BoxError>> + Send {
        (**self).load(id)
    }
}

/// Authenticates requests that carry their own credentials: an API key, a bearer token.
///
/// For API keys that your application issues itself, see [`api_keys`](crate::api_keys).
///
/// Request loaders are called if neither the session, nor a remember cookie, nor one of those keys
/// identifies a user, in the order in which they were
/// [added](crate::LoginManager::with_request_loader), until one returns a user. That user is logged
/// in for this request only and is not fresh: no session is created, no cookie is set, and session
/// data is not kept. A request loader runs in the request's task, as a [`UserLoader`] does.
///
/// [`with_request_loader`](crate::LoginManager::with_request_loader) takes a closure or an
/// implementation of this trait. A closure takes the request's head and returns a future of
/// `Option<U>` or `Result<Option<U>, E>`. Copy what it needs from the head before its `async`
/// block:
///
/// ```
/// # use login_manager::{AuthUser, LoginManager, MemoryStore};
/// # struct Account { id: i64 }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
/// # async fn by_token_digest(token: Option<String>) -> Option<Account> { None }
/// use http::{header::AUTHORIZATION, request::Parts};
///
/// let load_user = |id| async move { Some(Account { id }) };
/// let login_manager = LoginManager::new(MemoryStore::new(), load_user)
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
/// If the closure captures something, such as a connection pool, clone that for each call, also
/// before the `async` block:
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
/// impl RequestLoader<Account> for ApiKeys {
///     async fn load(&self, head: &Parts) -> Result<Option<Account>, BoxError> {
///         let Some(key) = head.headers.get("x-api-key") else { return Ok(None) };
///         Ok(None) // select … where key_digest = $1
///     }
/// }
/// ```
///
/// In the manual: [APIs, single-page apps and other origins](crate::manual::apis).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a request loader for `{U}`",
    note = "a request loader is a closure that takes `&http::request::Parts` and returns a future of `Option<U>` or \
            `Result<Option<U>, E>`, or a type that implements `RequestLoader<U>`"
)]
pub trait RequestLoader<U: AuthUser>: Send + Sync + 'static {
    /// Returns the user whose credentials the request carries, or `None` if it carries none that
    /// this loader understands.
    ///
    /// # Errors
    /// - if the lookup fails. Pages that need the user then return `503`
    fn load(&self, head: &Parts) -> impl Future<Output = Result<Option<U>, BoxError>> + Send;
}

impl<U: AuthUser, L: RequestLoader<U>> RequestLoader<U> for Arc<L> {
    fn load(&self, head: &Parts) -> impl Future<Output = Result<Option<U>, BoxError>> + Send {
        (**self).load(head)
    }
}

/// The loaders of one manager.
pub(crate) struct Loaders<U: AuthUser> {
    pub(crate) users: LoadUser<U>,
    pub(crate) requests: Vec<LoadRequest<U>>,
}

impl<U: AuthUser> Clone for Loaders<U> {
    fn clone(&self) -> Self {
        Self {
            users: Arc::clone(&self.users),
            requests: self.requests.clone(),
        }
    }
}

type Loading<'a, U> = Pin<Box<dyn Future<Output = Result<Option<Arc<U>>, BoxError>> + Send + 'a>>;

/// A user loader whose type is erased.
pub(crate) type LoadUser<U> =
    Arc<dyn for<'a> Fn(&'a <U as AuthUser>::Id) -> Loading<'a, U> + Send + Sync>;

/// A request loader whose type is erased.
pub(crate) type LoadRequest<U> = Arc<dyn for<'a> Fn(&'a Parts) -> Loading<'a, U> + Send + Sync>;

/// The argument of [`LoginManager::new`](crate::LoginManager::new): a closure, or a [`UserLoader`].
/// `Kind` tells them apart and is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a loader for `{U}`",
    note = "a loader is a closure that takes the id and returns a future of `Option<U>` or `Result<Option<U>, E>`, \
            or a type that implements `UserLoader<U>`",
    note = "the future owns what it uses: `move |id| {{ let db = db.clone(); async move {{ db.find(id).await }} }}`"
)]
pub trait IntoUserLoader<U: AuthUser, Kind>: sealed::Sealed<Kind> {
    #[doc(hidden)]
    fn into_user_loader(self) -> Erased<LoadUser<U>>;
}

/// The argument of [`with_request_loader`](crate::LoginManager::with_request_loader): a closure, or
/// a [`RequestLoader`]. `Kind` tells them apart and is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a request loader for `{U}`",
    note = "a request loader is a closure that takes `&http::request::Parts` and returns a future of `Option<U>` or \
            `Result<Option<U>, E>`, or a type that implements `RequestLoader<U>`"
)]
pub trait IntoRequestLoader<U: AuthUser, Kind>: sealed::Sealed<Kind> {
    #[doc(hidden)]
    fn into_request_loader(self) -> Erased<LoadRequest<U>>;
}

/// A loader inside a manager.
#[allow(
    missing_debug_implementations,
    unnameable_types,
    reason = "only this crate creates and uses it"
)]
#[doc(hidden)]
pub struct Erased<L>(pub(crate) L);

#[allow(
    clippy::exhaustive_enums,
    unnameable_types,
    reason = "it only tells closures from loaders"
)]
#[doc(hidden)]
#[derive(Debug)]
pub enum ByTrait {}

#[allow(
    clippy::exhaustive_enums,
    unnameable_types,
    reason = "it only tells closures from loaders"
)]
#[doc(hidden)]
#[derive(Debug)]
pub enum ByClosure {}

impl<U: AuthUser, L: UserLoader<U>> IntoUserLoader<U, ByTrait> for L {
    fn into_user_loader(self) -> Erased<LoadUser<U>> {
        let loader = Arc::new(self);
        Erased(Arc::new(move |id: &U::Id| {
            let (loader, id) = (Arc::clone(&loader), id.clone());
            Box::pin(async move { Ok(loader.load(&id).await?.map(Arc::new)) })
        }))
    }
}

impl<U, F, Fut> IntoUserLoader<U, (ByClosure, Fut)> for F
where
    U: AuthUser,
    F: Fn(U::Id) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoLoaded<U>> + Send + 'static,
{
    fn into_user_loader(self) -> Erased<LoadUser<U>> {
        Erased(Arc::new(move |id: &U::Id| {
            let loading = self(id.clone());
            Box::pin(async move { loading.await.into_loaded() })
        }))
    }
}

impl<U: AuthUser, L: RequestLoader<U>> IntoRequestLoader<U, ByTrait> for L {
    fn into_request_loader(self) -> Erased<LoadRequest<U>> {
        let loader = Arc::new(self);
        Erased(Arc::new(move |head: &Parts| load_by_request(&loader, head)))
    }
}

impl<U, F, Fut> IntoRequestLoader<U, (ByClosure, Fut)> for F
where
    U: AuthUser,
    F: Fn(&Parts) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoLoaded<U>> + Send + 'static,
{
    fn into_request_loader(self) -> Erased<LoadRequest<U>> {
        Erased(Arc::new(move |head: &Parts| {
            let loading = self(head);
            Box::pin(async move { loading.await.into_loaded() })
        }))
    }
}

fn load_by_request<'a, U: AuthUser, L: RequestLoader<U>>(
    loader: &Arc<L>,
    head: &'a Parts,
) -> Loading<'a, U> {
    let loader = Arc::clone(loader);
    Box::pin(async move { Ok(loader.load(head).await?.map(Arc::new)) })
}

/// The output of a loader closure: `Option<U>`, `Option<Arc<U>>`, or a `Result` of one of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what a loader for `{U}` returns",
    note = "a loader returns `Option<U>` or `Result<Option<U>, E>`, where `E` converts into a boxed error"
)]
pub trait IntoLoaded<U> {
    /// Converts the output to a `Result`.
    ///
    /// # Errors
    /// - the error that the closure returned
    fn into_loaded(self) -> Result<Option<Arc<U>>, BoxError>;
}

impl<U: AuthUser> IntoLoaded<U> for Option<U> {
    fn into_loaded(self) -> Result<Option<Arc<U>>, BoxError> {
        Ok(self.map(Arc::new))
    }
}

impl<U: AuthUser> IntoLoaded<U> for Option<Arc<U>> {
    fn into_loaded(self) -> Result<Self, BoxError> {
        Ok(self)
    }
}

impl<U, L: IntoLoaded<U>, E: Into<BoxError>> IntoLoaded<U> for Result<L, E> {
    fn into_loaded(self) -> Result<Option<Arc<U>>, BoxError> {
        self.map_err(Into::into)?.into_loaded()
    }
}

mod sealed {
    use super::{ByClosure, ByTrait};

    #[allow(unnameable_types, reason = "that is what seals it")]
    pub trait Sealed<Kind> {}
    impl<L> Sealed<ByTrait> for L {}
    impl<F, Fut> Sealed<(ByClosure, Fut)> for F {}
}
