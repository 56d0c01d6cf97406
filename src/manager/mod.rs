//! [`LoginManager`]: the configuration, which is the tower layer too.

mod cleanup;
mod config;
mod future;
mod service;
mod users;

use std::{any::type_name, fmt, sync::Arc};

use tower::Layer;

use crate::{
    loader::{Loaders, UserLoader},
    protection::Fingerprint,
    realm::Realm,
    refusal::Refusals,
    store::SessionStore,
    user::AuthUser,
};

pub use self::{cleanup::Cleanup, future::LoginFuture, service::LoginService};

/// Knows who is logged in: wrap your router in it.
///
/// `LoginManager::new(store, loader)` is a working, safe configuration; every `with_` step is optional. It is cheap to
/// clone, and implements [`tower::Layer`].
///
/// ```
/// # use login_manager::AuthUser;
/// # struct Account { id: i64 }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
/// # async fn find(id: i64) -> Result<Option<Account>, std::io::Error> { Ok(Some(Account { id })) }
/// use axum::{Router, routing::get};
/// use login_manager::{LoginManager, LoginRequired, MemoryStore};
///
/// let login_manager = LoginManager::new(MemoryStore::new(), |id| async move { find(id).await })
///     .with_realm("account")?
///     .with_login_view("/login")?;
///
/// let app: Router = Router::new()
///     .route("/", get(|LoginRequired(user): LoginRequired<Account>| async move { user.id.to_string() }))
///     .layer(login_manager); // last: a layer sees the routes added above it
/// # Ok::<(), login_manager::ConfigError>(())
/// ```
///
/// # What it does to a request
///
/// Almost nothing before somebody asks: one entry in the request's extensions, no store call, no cookie parsed, no
/// header added. Where the identity or the session's data was asked for, the response gets `Vary: Cookie`, and
/// `Cache-Control: no-store` where the handler set no `Cache-Control` of its own. A response that sets or deletes a cookie of
/// ours gets `no-store` in place of the handler's `Cache-Control` too, unless that says `private` or `no-store`.
///
/// # Why the defaults are what they are
///
/// - **Cookies** are `Secure`, `HttpOnly`, `SameSite=Lax` and named `__Host-…`, so that neither a script nor a sister
///   domain nor a network can read or plant them. Chrome, Firefox and curl take them on `http://localhost`; Safari doesn't
///   ([WebKit bug 281149](https://bugs.webkit.org/show_bug.cgi?id=281149)). There, or at a LAN address, call
///   [`with_insecure_cookies`](LoginManager::with_insecure_cookies) while developing, or use https. The sign of a cookie that was
///   refused: the login succeeds, and the next page asks again.
/// - **The session cookie ends with the browser.** What outlives it is the second cookie, of a login with
///   [`remember(true)`](crate::Login::remember): it makes a new session, which isn't fresh.
/// - **Tokens** are 256 random bits from the operating system, twice what OWASP ASVS 5.0 (7.2.3) asks for. The store knows
///   only a SHA-256 of them: who reads its backup can't log in with it.
/// - **Renewal**: every login, logout and confirmation changes the token, so one that was planted before the login is
///   worth nothing after it (session fixation).
/// - **Time**: 24 hours idle, 14 days in all, kept by the server ([`Timeouts`](crate::Timeouts)).
/// - **Failing**: a store or loader that fails is 503 on pages that need to know who is asking; others don't notice, and
///   nobody is logged out.
///
/// # Several kinds of user
///
/// Each manager is a realm of its own, by default named after the full path of the user type: its own cookies, its own
/// digests, its own sessions, also in one store and with equal ids. Renaming or moving the type ends its sessions, and so may a
/// new compiler: what [`type_name`] answers isn't guaranteed to stay. Set [`with_realm`](LoginManager::with_realm) before
/// shipping. Cookies are named after the last segment of the realm, so two types of one name need it as well.
pub struct LoginManager<U: AuthUser> {
    realm: Arc<Realm>,
    refusals: Arc<Refusals>,
    loaders: Arc<Loaders<U>>,
    fingerprint: Option<Fingerprint>,
}

impl<U: AuthUser> LoginManager<U> {
    /// A manager that keeps sessions in this store and finds users with this loader: a closure, or a
    /// [`UserLoader`] of your own.
    ///
    /// ```
    /// # use login_manager::{AuthUser, LoginManager, MemoryStore};
    /// # struct Account { id: i64 }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
    /// # #[derive(Clone)] struct Db;
    /// # impl Db { async fn find(&self, id: i64) -> Option<Account> { Some(Account { id }) } }
    /// # let db = Db;
    /// let login_manager = LoginManager::new(MemoryStore::new(), move |id| {
    ///     let db = db.clone(); // for this call: an async closure that captures won't do, its future would borrow from it
    ///     async move { db.find(id).await }
    /// });
    /// ```
    pub fn new(store: impl SessionStore, loader: impl UserLoader<U>) -> Self {
        Self {
            realm: Arc::new(Realm::new(type_name::<U>(), Arc::new(store))),
            refusals: Arc::default(),
            loaders: Arc::new(Loaders {
                users: Arc::new(loader),
                requests: Vec::new(),
            }),
            fingerprint: None,
        }
    }
}

#[cfg(feature = "testing")]
impl<U: AuthUser> LoginManager<U> {
    pub(crate) fn realm(&self) -> &Arc<Realm> {
        &self.realm
    }
}

impl<S, U: AuthUser> Layer<S> for LoginManager<U> {
    type Service = LoginService<S, U>;

    fn layer(&self, inner: S) -> Self::Service {
        LoginService::new(inner, self.clone())
    }
}

impl<U: AuthUser> Clone for LoginManager<U> {
    fn clone(&self) -> Self {
        Self {
            realm: Arc::clone(&self.realm),
            refusals: Arc::clone(&self.refusals),
            loaders: Arc::clone(&self.loaders),
            fingerprint: self.fingerprint.clone(),
        }
    }
}

impl<U: AuthUser> fmt::Debug for LoginManager<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginManager")
            .field("realm", &self.realm.name())
            .field("cookies", &self.realm.cookies)
            .field("timeouts", &self.realm.timeouts)
            .field("refusals", &self.refusals)
            .finish_non_exhaustive()
    }
}
