//! The `with_` methods. Those that can fail check their arguments immediately.

mod cookies;
mod refusals;

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use http::request::Parts;

use super::LoginManager;
use crate::{
    error::ConfigError,
    event::{Event, OnEvent},
    grace::RememberGrace,
    loader::RequestLoader,
    protection::{Fingerprint, SessionProtection},
    realm::Realm,
    timeouts::Timeouts,
    user::AuthUser,
};

impl<U: AuthUser> LoginManager<U> {
    /// Adds a loader for requests that carry their own credentials: API keys, bearer tokens.
    /// Loaders are called in the order in which they are added.
    #[must_use]
    pub fn with_request_loader(mut self, loader: impl RequestLoader<U>) -> Self {
        Arc::make_mut(&mut self.loaders)
            .requests
            .push(Arc::new(loader));
        self
    }

    /// Sets what happens to a session that is presented by a different-looking client. Default:
    /// [`SessionProtection::Basic`], which makes the session not fresh.
    #[must_use]
    pub fn with_session_protection(self, protection: SessionProtection) -> Self {
        self.keeping(|realm| realm.protection = protection)
    }

    /// Sets how to recognize a client: a function that returns some bytes, of which a digest is
    /// kept, or `None` if the request does not contain them. It is called for every request, so
    /// keep it cheap.
    ///
    /// Default: the names in the `User-Agent` header, without versions. The IP address is not
    /// included, because mobile networks, offices and privacy extensions change it all the time. If
    /// you want it anyway, and control the proxies in front:
    ///
    /// ```
    /// # use login_manager::{AuthUser, LoginManager, MemoryStore};
    /// # struct Account { id: i64 }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
    /// # let manager = LoginManager::new(MemoryStore::new(), |id| async move { Some(Account { id }) });
    /// let manager = manager.with_fingerprint(|head| {
    ///     // Set by a proxy that cannot be bypassed and overwrites what clients send.
    ///     Some(head.headers.get("x-real-ip")?.as_bytes().to_vec())
    /// });
    /// ```
    #[must_use]
    pub fn with_fingerprint(
        mut self,
        fingerprint: impl Fn(&Parts) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        self.fingerprint = Some(Fingerprint(Arc::new(fingerprint)));
        self
    }

    /// Sets how long a session is fresh after a login or a confirmation. Default: as long as the
    /// session lives.
    ///
    /// # Errors
    /// If it is less than a second or more than 400 days.
    pub fn with_fresh_for(self, limit: Duration) -> Result<Self, ConfigError> {
        Timeouts::check("with_fresh_for", limit)?;
        Ok(self.keeping(|realm| realm.fresh_for = Some(limit)))
    }

    /// Sets the name of this kind of user. Sessions of one realm are invalid in every other realm.
    ///
    /// Default: the full path of the user type ([`type_name`](std::any::type_name)), which changes
    /// if the type moves and may change with the compiler. Changing the name ends all sessions, so
    /// choose one before you release. The cookies are [named](LoginManager::with_cookie_names)
    /// after its last segment.
    ///
    /// # Errors
    /// If it is not 1 to 64 ASCII letters, digits, hyphens, underscores, dots and colons.
    pub fn with_realm(self, realm: &str) -> Result<Self, ConfigError> {
        self.try_keeping(|kept| kept.set_name(realm))
    }

    /// Sets how long a session lives. Default: 24 hours idle, 14 days in total.
    #[must_use]
    pub fn with_timeouts(self, timeouts: Timeouts) -> Self {
        self.keeping(|realm| realm.timeouts = timeouts)
    }

    /// Sets the maximum number of browsers in which a user can be logged in or remembered; a
    /// further login ends the oldest. Default: unlimited.
    #[must_use]
    pub fn with_max_sessions(self, limit: NonZeroUsize) -> Self {
        self.keeping(|realm| realm.max_sessions = Some(limit))
    }

    /// Sets the maximum number of browsers in which a user can be remembered. With a further one,
    /// the oldest is no longer remembered, but its current session is kept. Default: 10.
    #[must_use]
    pub fn with_max_remembered(self, limit: NonZeroUsize) -> Self {
        self.keeping(|realm| realm.max_remembered = limit)
    }

    /// Sets how long a browser is remembered, counted from the login. Use does not extend it.
    /// Default: 30 days, the maximum in NIST SP 800-63B-4 (2.1.3).
    ///
    /// # Errors
    /// If it is less than a second or more than 400 days, the maximum lifetime of a cookie (RFC
    /// 6265bis).
    pub fn with_remember_for(self, lifetime: Duration) -> Result<Self, ConfigError> {
        Timeouts::check("with_remember_for", lifetime)?;
        Ok(self.keeping(|realm| realm.remember_for = lifetime))
    }

    /// Sets how long a remember token is still accepted after it has been used. Default:
    /// [60 seconds](RememberGrace::UntilSeen), and longer if the browser has not yet presented its
    /// successor.
    #[must_use]
    pub fn with_remember_grace(self, grace: RememberGrace) -> Self {
        self.keeping(|realm| realm.remember_grace = grace)
    }

    /// Sets how long a call to the store, the loader or an authorization check may take. Default: 2
    /// seconds. A call that takes longer is dropped and treated as failed.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        self.keeping(|realm| realm.deadline = deadline)
    }

    /// Sets a function to call for every [`Event`]. It is called synchronously on the task where
    /// the event occurs, so keep it short.
    #[must_use]
    pub fn with_on_event(self, on_event: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.keeping(|realm| realm.on_event = Some(OnEvent(Arc::new(on_event))))
    }

    pub(crate) fn keeping(mut self, change: impl FnOnce(&mut Realm)) -> Self {
        change(Arc::make_mut(&mut self.realm));
        self
    }

    pub(super) fn try_keeping(
        mut self,
        change: impl FnOnce(&mut Realm) -> Result<(), ConfigError>,
    ) -> Result<Self, ConfigError> {
        change(Arc::make_mut(&mut self.realm))?;
        Ok(self)
    }
}
