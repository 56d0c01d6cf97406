//! [`LoginManager`]: the configuration, which is also the tower layer.
//!
//! # The path of a request
//!
//! ```text
//! request ─► manager::service      attaches a lazy RequestAuth to the request; reads nothing
//! handler or guard needs the user
//!         ─► identity::resolve     session cookie → remember cookie → API key → request loaders
//!              ├ session::load     finds the cookie, loads the record, compares digests, checks limits
//!              ├ identity::check   loads the user; same id, active, same stamp, same client
//!              └ remember::restore restores the login by the remember cookie, after the same check
//!         ─► guard::decide         one function for the extractor and the layer
//! change  ─► session::swap         the one place that creates and updates records
//! response◄─ manager::future       saves changed data, appends cookies, Vary, Cache-Control
//! ```
//!
//! A guarded request passes through `manager/service.rs`, `extract.rs` (or `guard/service.rs`),
//! `guard/mod.rs`, `auth/mod.rs`, `auth/request.rs`, `identity/mod.rs`, `session/load.rs`,
//! `session/request.rs`, `cookies/read.rs`, `session/payload.rs`, `identity/check.rs` and
//! `manager/future.rs`. A login passes through `auth/login.rs`, `auth/verbs/login.rs`,
//! `auth/verbs/login_plan.rs`, `session/load.rs`, `session/swap.rs` and `manager/future.rs`; if it
//! replaces another session, `session/close.rs` closes that.

mod admin;
mod cleanup;
mod config;
mod future;
mod service;

use std::{any::type_name, fmt, sync::Arc};

use tower::Layer;

use crate::{
    auth::Settings,
    denied::DeniedConfig,
    loader::{IntoUserLoader, LoadUser, Loaders},
    realm::Realm,
    store::SessionStore,
    user::AuthUser,
};

pub use self::{cleanup::CleanupTask, future::LoginFuture, service::LoginService};
#[doc(inline)]
pub use crate::{
    body::InnerBody,
    cookies::{Cookies, SameSite},
    denied::{LoginPage, NextIn},
    grace::RememberGrace,
    known_browsers::KnownBrowsers,
    protection::SessionProtection,
    remember_me::RememberMe,
    timeouts::Timeouts,
};

/// The tower layer that adds sessions and login to an application.
///
/// `LoginManager::new(store, loader)` is a complete, safe configuration; every `with_` method is
/// optional. It is cheap to clone and implements [`tower::Layer`].
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
///     .with_realm("account")
///     .with_login_page("/login");
///
/// let app: Router = Router::new()
///     .route("/", get(async |user: LoginRequired<Account>| user.id.to_string()))
///     .layer(login_manager); // last, since a layer only applies to routes added before it
/// ```
///
/// # What it does to a request
///
/// Until the current user or the session is used, it only adds one entry to the request's
/// extensions. It makes no store call, parses no cookie and adds no header. If either has been
/// used, the response gets `Vary: Cookie`, and `Cache-Control: no-store` unless the handler sets
/// `Cache-Control`. If the response sets or removes a cookie of this crate, `no-store` also
/// replaces the handler's `Cache-Control`, unless that contains `private` or `no-store`.
///
/// # Defaults
///
/// - **Cookies** are `Secure`, `HttpOnly`, `SameSite=Lax` and named `__Host-…`. Browsers accept
///   them over https and, except for Safari, on `http://localhost`.
/// - **The session cookie expires with the browser session.** A login with
///   [`remember(true)`](crate::auth::Login::remember) sets a second cookie, which outlives it and
///   restores the login.
/// - **Timeouts**: 24 hours idle, 14 days in total, enforced by the server ([`Timeouts`]).
/// - **A grace of 30 seconds** after the session secret has been replaced, for requests that the
///   browser sent before it received the new cookie
///   ([`RememberMe::grace`](crate::manager::RememberMe::grace)).
/// - **Failures**: if the store or the loader fails, pages that need the current user return `503`.
///   Other pages are not affected, and no user is logged out.
///
/// In the manual: [How it works](crate::manual::how_it_works), and
/// [Configuration](crate::manual::configuration) with every setting and the reason for its default.
///
/// # Several kinds of user
///
/// Each manager is a realm with its own cookies, digests and sessions, even if managers share a
/// store and their users have equal ids. By default, the realm is the full path of the user type.
/// Renaming or moving the type therefore ends its sessions, and so may a new compiler, since the
/// output of [`type_name`] is not guaranteed to be stable. Call
/// [`with_realm`](LoginManager::with_realm) before you release. The cookies are named after the
/// last segment of the realm, so if two user types have the same name, call `with_realm` for each.
pub struct LoginManager<U: AuthUser> {
    realm: Arc<Realm>,
    settings: Arc<Settings<U>>,
}

impl<U: AuthUser> LoginManager<U> {
    /// Creates a manager that keeps sessions in `store` and loads users with `loader`, which is a
    /// closure or a [`UserLoader`](crate::UserLoader).
    ///
    /// ```
    /// # use login_manager::{AuthUser, LoginManager, MemoryStore};
    /// # struct Account { id: i64 }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
    /// # #[derive(Clone)] struct Db;
    /// # impl Db { async fn find(&self, id: i64) -> Option<Account> { Some(Account { id }) } }
    /// # let db = Db;
    /// let login_manager = LoginManager::new(MemoryStore::new(), move |id| {
    ///     let db = db.clone(); // the future must own it, so an `async move |id|` closure does not work
    ///     async move { db.find(id).await }
    /// });
    /// ```
    pub fn new<Kind>(store: impl SessionStore, loader: impl IntoUserLoader<U, Kind>) -> Self {
        Self {
            realm: Arc::new(Realm::new(type_name::<U>(), Arc::new(store))),
            settings: Arc::new(Settings {
                loaders: Loaders {
                    users: loader.into_user_loader().0,
                    requests: Vec::new(),
                },
                api_keys: None,
                denied: DeniedConfig::default(),
                fingerprint: None,
                without_touch: None,
            }),
        }
    }
}

impl<U: AuthUser> LoginManager<U> {
    pub(crate) fn realm(&self) -> &Arc<Realm> {
        &self.realm
    }

    pub(crate) fn settings(&self) -> &Settings<U> {
        &self.settings
    }

    pub(crate) fn load_user(&self) -> &LoadUser<U> {
        &self.settings.loaders.users
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
            settings: Arc::clone(&self.settings),
        }
    }
}

impl<U: AuthUser> fmt::Debug for LoginManager<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginManager")
            .field("realm", &self.realm.name())
            .field("cookies", &self.realm.cookies)
            .field("timeouts", &self.realm.timeouts)
            .field("denied", &self.settings.denied)
            .finish_non_exhaustive()
    }
}
