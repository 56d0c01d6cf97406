//! A key, before it is created.

use std::{fmt, marker::PhantomData, pin::Pin, sync::Arc, time::Duration};

use super::ApiKeys;
use crate::{
    api_key::{ApiKey, ApiKeyInfo, ApiKeySettings, Scopes, Wanted, create, stamp_of},
    clock::millis,
    error::{Error, ErrorKind},
    realm::Realm,
    session::finish,
    store::Digest,
    timeouts::Timeouts,
    user::AuthUser,
};

/// The maximum length of a name in bytes.
const LONGEST_NAME: usize = 100;

/// Creates an API key when it is awaited, and returns the text of the key and its [`ApiKeyInfo`]:
/// see [`ApiKeys::create`](super::ApiKeys::create).
///
/// Call [`expires_in`](NewApiKey::expires_in) or [`never_expires`](NewApiKey::never_expires) first:
/// without one of them, it can't be awaited.
///
/// ```compile_fail,E0277
/// # use login_manager::{AuthUser, Error, api_keys::ApiKeys};
/// # struct Account;
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
/// # async fn example(keys: ApiKeys<Account>, account: Account) -> Result<(), Error> {
/// let (key, info) = keys.create(&account).name("CI").await?; // when does it expire?
/// # Ok(())
/// # }
/// ```
///
/// The key is created completely or not at all, even if the client hangs up meanwhile.
///
/// # Errors
/// - [`ErrorKind::InvalidApiKey`] if the name, a scope or the lifetime is not accepted
/// - [`ErrorKind::TooManyApiKeys`] if the user already has the [maximum
///   number](ApiKeySettings::max_per_user) of keys. If several keys are created concurrently and
///   together exceed it, all of these calls may fail
/// - [`ErrorKind::Inactive`] if the user is not active
/// - [`ErrorKind::UnstableId`] if the text of the user's id does not parse back to the same id
/// - [`ErrorKind::Store`] if the store failed or missed its deadline. A key that was created is
///   deleted, if necessary in the background
/// - [`ErrorKind::Random`] if the operating system returned no random bytes
#[must_use = "a key is not created until this is awaited"]
pub struct NewApiKey<U, Expiry = ExpiryNotSet> {
    realm: Arc<Realm>,
    settings: Arc<ApiKeySettings>,
    /// The owner of the user's keys, or why there can be none.
    owner: Result<Arc<str>, ErrorKind>,
    /// The digest of the user's security stamp.
    stamp: Digest,
    ends_with_stamp: bool,
    name: String,
    scopes: Scopes,
    /// Whether a scope is not accepted.
    is_invalid: bool,
    expiry: Expiry,
    user: PhantomData<fn() -> U>,
}

/// Neither [`expires_in`](NewApiKey::expires_in) nor [`never_expires`](NewApiKey::never_expires)
/// has been called.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ExpiryNotSet;

/// When a new key expires.
#[derive(Clone, Copy, Debug)]
pub struct Expiry(Option<Duration>);

impl<U: AuthUser> NewApiKey<U> {
    pub(super) fn new(keys: &ApiKeys<U>, user: &U) -> Self {
        let id = user.id().to_string();
        let owner = match user.is_active() {
            true => keys.owner(&user.id()).map_err(|error| error.kind()),
            false => Err(ErrorKind::Inactive),
        };
        Self {
            stamp: stamp_of(&keys.realm, &id, user),
            realm: Arc::clone(&keys.realm),
            settings: Arc::clone(&keys.settings),
            owner,
            ends_with_stamp: false,
            name: String::new(),
            scopes: Scopes::default(),
            is_invalid: false,
            expiry: ExpiryNotSet,
            user: PhantomData,
        }
    }

    /// Sets how long the key is valid: from a second to 400 days. That is the maximum of every
    /// lifetime in this crate, and of GitLab's tokens.
    pub fn expires_in(self, lifetime: Duration) -> NewApiKey<U, Expiry> {
        self.with_expiry(Expiry(Some(lifetime)))
    }

    /// Lets the key be valid until it is revoked. A key that leaks and is forgotten then works for
    /// ever, so prefer [`expires_in`](NewApiKey::expires_in).
    pub fn never_expires(self) -> NewApiKey<U, Expiry> {
        self.with_expiry(Expiry(None))
    }

    fn with_expiry(self, expiry: Expiry) -> NewApiKey<U, Expiry> {
        NewApiKey {
            realm: self.realm,
            settings: self.settings,
            owner: self.owner,
            stamp: self.stamp,
            ends_with_stamp: self.ends_with_stamp,
            name: self.name,
            scopes: self.scopes,
            is_invalid: self.is_invalid,
            expiry,
            user: PhantomData,
        }
    }
}

impl<U: AuthUser, Expiry> NewApiKey<U, Expiry> {
    /// Sets the name by which the user recognizes the key: at most 100 bytes, without control
    /// characters. Default: empty. Two keys may have the same name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Adds scopes: what the key may be used for, as
    /// [guards](crate::guard::LoginRequiredLayer::and_scope) and handlers check it. Default: none.
    ///
    /// At most 32 scopes of 1 to 64 visible ASCII characters without quotation marks and
    /// backslashes (RFC 6749, 3.3).
    pub fn scopes<S: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        for scope in scopes {
            self.is_invalid |= !self.scopes.add(scope.as_ref());
        }
        self
    }

    /// Makes the key invalid when the user's [security stamp](AuthUser::security_stamp) changes,
    /// for example with a new password.
    ///
    /// Default: the key remains valid, so that programs keep working. It stays in the list either
    /// way.
    pub fn ends_with_stamp(mut self) -> Self {
        self.ends_with_stamp = true;
        self
    }
}

impl<U: AuthUser> NewApiKey<U, Expiry> {
    fn wanted(self) -> Result<Wanted, Error> {
        let Expiry(lifetime) = self.expiry;
        let owner = self.owner?;
        let is_accepted = !self.is_invalid
            && self.name.len() <= LONGEST_NAME
            && !self.name.contains(char::is_control)
            && lifetime.is_none_or(|lifetime| Timeouts::check_one("expires_in", lifetime).is_ok());
        if !is_accepted {
            return Err(ErrorKind::InvalidApiKey.into());
        }
        Ok(Wanted {
            owner,
            name: self.name,
            scopes: self.scopes,
            stamp: self.ends_with_stamp.then_some(self.stamp),
            lifetime: lifetime.map(millis),
        })
    }
}

impl<U: AuthUser> IntoFuture for NewApiKey<U, Expiry> {
    type Output = Result<(ApiKey, ApiKeyInfo), Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (realm, settings) = (Arc::clone(&self.realm), Arc::clone(&self.settings));
            let wanted = self.wanted()?;
            finish(async move { create(&realm, &settings, wanted).await }).await
        })
    }
}

/// Omits the user and the name.
impl<U, Expiry: fmt::Debug> fmt::Debug for NewApiKey<U, Expiry> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewApiKey")
            .field("scopes", &self.scopes)
            .field("expiry", &self.expiry)
            .field("ends_with_stamp", &self.ends_with_stamp)
            .finish_non_exhaustive()
    }
}
