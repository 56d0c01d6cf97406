//! API keys that an application issues to its users.
//!
//! A user creates a key on a page of your application and gives it to a program, which sends it
//! with each request: `Authorization: Bearer shop_…`.
//! [`with_api_keys`](LoginManager::with_api_keys) turns them on,
//! [`api_keys`](LoginManager::api_keys) returns the handle that creates, lists and revokes them.
//!
//! ```
//! # use login_manager::AuthUser;
//! # #[derive(Clone)] struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! use std::time::Duration;
//!
//! use axum::{Form, Router, extract::State, routing::{get, post}};
//! use login_manager::{
//!     Error, FreshLoginRequired, LoginManager, LoginRequired, MemoryStore, api_keys::ApiKeys,
//!     login_required,
//! };
//!
//! const DAY: Duration = Duration::from_secs(24 * 60 * 60);
//!
//! fn app() -> Router {
//!     let load_user = |id| async move { Some(Account { id }) }; // your database
//!     let login_manager = LoginManager::new(MemoryStore::new(), load_user)
//!         .with_realm("account")
//!         .with_api_keys("shop"); // the name of your application
//!     let keys = login_manager.api_keys();
//!
//!     let orders = Router::new()
//!         .route("/orders", get(orders))
//!         .route_layer(login_required::<Account>().and_scope("read"));
//!     Router::new()
//!         .route("/keys", post(create_key))
//!         .merge(orders)
//!         .layer(login_manager)
//!         .with_state(keys)
//! }
//!
//! #[derive(serde::Deserialize)]
//! struct NewKey { name: String }
//!
//! // Only after a fresh login, so that a restored session can't create a key that outlives it.
//! // Limit the age of the login with `with_fresh_for`.
//! async fn create_key(
//!     FreshLoginRequired(user): FreshLoginRequired<Account>,
//!     State(keys): State<ApiKeys<Account>>,
//!     Form(new): Form<NewKey>,
//! ) -> Result<String, Error> {
//!     let key = keys.create(&user).name(new.name).scopes(["read"]).expires_in(90 * DAY);
//!     let (key, _info) = key.await?;
//!     Ok(format!("Copy it now, it is not shown again: {}", key.expose()))
//! }
//!
//! async fn orders(LoginRequired(user): LoginRequired<Account>) -> String {
//!     format!("the orders of {}", user.id)
//! }
//! # let _app = app();
//! ```
//!
//! # Authentication
//!
//! A key is read from the `Authorization: Bearer` header only: URLs are logged, and forms can be
//! sent by other sites (OWASP ASVS 5.0, 14.2.1). The key is checked if neither the session nor the
//! remember cookie authenticates the request, before [request loaders](crate::RequestLoader) are
//! called. The check takes one call of the user loader, and one store read that bypasses any cache,
//! so a revoked key is refused at once on every node. A token with a wrong prefix or checksum takes
//! neither.
//!
//! The user is logged in for this request only and is never fresh: no session is created, no cookie
//! is set, and session data is not kept. [`Auth::api_key`](crate::Auth::api_key) returns the key.
//!
//! The request is anonymous if the key is malformed, unknown, revoked or expired, if the user is
//! gone or not active, or if their security stamp has changed and the key [ends with
//! it](NewApiKey::ends_with_stamp). A request loader may then still accept the token; if none does,
//! a guard responds as RFC 6750 (3) requires, and never with a redirect:
//!
//! | request | response | `WWW-Authenticate` |
//! |---|---|---|
//! | without a key | as [without API keys](crate::guard) | `Bearer` if it is a 401 |
//! | without a key, at a guard for [keys only](crate::guard::LoginRequiredLayer::keys_only) | 401 | `Bearer` |
//! | the bearer token is not a valid key | 401 | `Bearer error="invalid_token"` |
//! | the key lacks a [scope](crate::guard::LoginRequiredLayer::and_scope) | 403 | `Bearer error="insufficient_scope", scope="write"` |
//! | a [fresh login](crate::fresh_login_required) is required | 401 | `Bearer error="insufficient_user_authentication"` (RFC 9470) |
//! | the store or the user loader failed | 503 | |
//!
//! A [challenge](LoginManager::with_challenge) of your own for `Bearer` gets these parameters, too.
//!
//! # Scopes
//!
//! A key may do what its user may do, unless a guard or a handler requires a scope. Put routes that
//! keys should not reach at all behind a manager without keys, and the API behind one with keys,
//! usually [without cookies](LoginManager::without_cookies):
//!
//! ```
//! # use login_manager::{AuthUser, LoginManager, MemoryStore};
//! # struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # let (api, pages) = (axum::Router::<()>::new(), axum::Router::<()>::new());
//! let login = LoginManager::new(MemoryStore::new(), |id| async move { Some(Account { id }) });
//! let by_key = login.clone().with_api_keys("shop");
//! let keys = by_key.api_keys(); // for the page on which users create keys
//!
//! let app = axum::Router::new()
//!     .nest("/api", api.layer(by_key.without_cookies())) // keys only
//!     .merge(pages.layer(login));                        // cookies only
//! # let _: axum::Router = app;
//! ```
//!
//! # The life of a key
//!
//! Its text is shown once. The store has a SHA-256 digest of it, so a leaked backup contains no
//! key. [`ApiKeyInfo`] has its name, scopes, times and last four characters, by which users
//! recognize it.
//!
//! A key is valid until it expires or is [revoked](ApiKeys::revoke). It is not a session: no list
//! of sessions contains it, and neither a logout nor [`logout_user`](LoginManager::logout_user)
//! affects it. Nor does a change of password, unless the key [ends with the
//! stamp](NewApiKey::ends_with_stamp). On the page for a forgotten password, ask whether to [revoke
//! the keys](ApiKeys::revoke_all), too. A user who is not active can't use their keys; when they
//! are active again, the keys work again. Revoke the keys of a user whom you delete.
//! [`logout_everyone`](LoginManager::logout_everyone) deletes all keys, since it empties the store.
//!
//! [Events](crate::event::EventKind::ApiKeyCreated) are emitted when a key is created, revoked,
//! used or refused. Tell users by e-mail when a key is created.
//!
//! # The text of a key
//!
//! `shop_` and 49 characters of `0-9A-Za-z`: 43 for 256 random bits, and 6 for the CRC-32 (as in
//! zlib) of everything before them. Both are numbers in base62, with leading zeros, whose digits
//! are in the order `0-9A-Za-z`. A double click selects all of it, and secret scanners find it by
//! `shop_[0-9A-Za-z]{49}` and the checksum.
//!
//! # Numbers
//!
//! | | default | source |
//! |---|---|---|
//! | random bits | 256 | twice what OWASP ASVS 5.0 (7.2.3) requires of session tokens |
//! | lifetime | none: it has to be chosen, at most 400 days unless a key never expires | the maximum of every lifetime in this crate, and of GitLab's tokens |
//! | keys for each user | 50, [settable](ApiKeySettings::max_per_user) | one list fits on a page and in one read of the store |
//! | name | at most 100 bytes | |
//! | scopes | at most 32, each of at most 64 characters | characters of RFC 6749 (3.3) |
//! | last use | recorded at most every 5 minutes, in the background | a write for each request would cost more than the request |
//!
//! In the manual: [API keys](crate::manual::apis#api-keys).

mod create;

use std::{fmt, marker::PhantomData, sync::Arc};

use crate::{
    LoginManager,
    api_key::{list, owner_of_keys, revoke, revoke_all},
    auth::owner_of,
    error::{ConfigError, Error},
    realm::Realm,
    user::AuthUser,
};

pub use self::create::{Expiry, ExpiryNotSet, NewApiKey};
#[doc(inline)]
pub use crate::{
    api_key::{ApiKey, ApiKeyInfo, ApiKeySettings},
    api_key_id::{ApiKeyId, InvalidApiKeyId},
};

/// Creates, lists and revokes API keys. Returned by [`LoginManager::api_keys`]; keep it in the
/// state of your application. It is cheap to clone.
///
/// These methods don't check who calls them: let users manage only their own keys, and create keys
/// only after a [fresh login](crate::fresh_login_required).
pub struct ApiKeys<U: AuthUser> {
    realm: Arc<Realm>,
    settings: Arc<ApiKeySettings>,
    user: PhantomData<fn() -> U>,
}

impl<U: AuthUser> LoginManager<U> {
    /// Returns the handle that creates, lists and revokes [API keys](crate::api_keys). Call it
    /// after the `with_` methods: the handle doesn't see later changes.
    ///
    /// # Panics
    /// Panics if [`with_api_keys`](LoginManager::with_api_keys) was not called before.
    #[must_use]
    #[track_caller]
    pub fn api_keys(&self) -> ApiKeys<U> {
        let settings = self.settings().api_keys.clone();
        ApiKeys {
            realm: Arc::clone(self.realm()),
            settings: ConfigError::expect_none(settings.ok_or_else(|| {
                ConfigError::new(
                    "api_keys",
                    "a manager without API keys",
                    "call `with_api_keys` before",
                )
            })),
            user: PhantomData,
        }
    }
}

impl<U: AuthUser> ApiKeys<U> {
    /// Creates a key for this user when it is awaited: see [`NewApiKey`].
    ///
    /// ```
    /// # use login_manager::{AuthUser, Error, api_keys::ApiKeys};
    /// # struct Account;
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
    /// # async fn example(keys: ApiKeys<Account>, account: Account) -> Result<(), Error> {
    /// # const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);
    /// let (key, info) = keys
    ///     .create(&account)
    ///     .name("CI")
    ///     .scopes(["read", "write"])
    ///     .expires_in(90 * DAY)
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(&self, user: &U) -> NewApiKey<U> {
        NewApiKey::new(self, user)
    }

    /// Lists the keys of a user that have not expired, the newest first.
    ///
    /// # Errors
    /// - [`ErrorKind::Store`](crate::ErrorKind::Store) if the store failed or missed its deadline
    /// - [`ErrorKind::UnstableId`](crate::ErrorKind::UnstableId) if the text of the id does not
    ///   parse back to the same id, so that no user can have a key with it
    pub async fn list(&self, user_id: &U::Id) -> Result<Vec<ApiKeyInfo>, Error> {
        list(&self.realm, &self.owner(user_id)?).await
    }

    /// Revokes a key of this user. Returns whether there was one; another user's key is left alone.
    /// From then on, the key is refused on every node.
    ///
    /// # Errors
    /// - those of [`list`](ApiKeys::list). If the store failed, the key may still be valid: call
    ///   the method again
    pub async fn revoke(&self, user_id: &U::Id, id: ApiKeyId) -> Result<bool, Error> {
        revoke(&self.realm, self.owner(user_id)?, id).await
    }

    /// Revokes all keys of this user, for example after a password reset, or before the user is
    /// deleted. Returns the number of deleted keys, which may include expired ones.
    ///
    /// # Errors
    /// - those of [`revoke`](ApiKeys::revoke)
    pub async fn revoke_all(&self, user_id: &U::Id) -> Result<u64, Error> {
        revoke_all(&self.realm, &self.owner(user_id)?).await
    }

    fn owner(&self, user_id: &U::Id) -> Result<Arc<str>, Error> {
        let sessions = owner_of::<U>(&self.realm, user_id)?;
        let id = self.realm.id_of(&sessions).unwrap_or_default();
        Ok(owner_of_keys(&self.realm, id))
    }
}

impl<U: AuthUser> Clone for ApiKeys<U> {
    fn clone(&self) -> Self {
        Self {
            realm: Arc::clone(&self.realm),
            settings: Arc::clone(&self.settings),
            user: PhantomData,
        }
    }
}

impl<U: AuthUser> fmt::Debug for ApiKeys<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys")
            .field("realm", &self.realm.name())
            .field("settings", &self.settings)
            .finish()
    }
}
