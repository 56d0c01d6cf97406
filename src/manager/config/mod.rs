//! The optional steps of a configuration. A step that can be wrong is checked there and then.

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
    /// Also lets in requests that bring their own proof: API keys, bearer tokens. Any number, asked in this order.
    #[must_use]
    pub fn with_request_loader(mut self, loader: impl RequestLoader<U>) -> Self {
        Arc::make_mut(&mut self.loaders)
            .requests
            .push(Arc::new(loader));
        self
    }

    /// What to do when a session's client looks different. Default: [`SessionProtection::Basic`], it isn't fresh then.
    #[must_use]
    pub fn with_session_protection(self, protection: SessionProtection) -> Self {
        self.keeping(|realm| realm.protection = protection)
    }

    /// What a client looks like, as bytes of which a digest is kept; `None` where the request doesn't say. It is asked at every
    /// request, so keep it cheap.
    ///
    /// Default: the names in the `User-Agent` header, without versions. Not the address: phones, offices and privacy extensions
    /// change it all the time. Who wants it nevertheless, and knows the proxies in front:
    ///
    /// ```
    /// # use login_manager::{AuthUser, LoginManager, MemoryStore};
    /// # struct Account { id: i64 }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
    /// # let manager = LoginManager::new(MemoryStore::new(), |id| async move { Some(Account { id }) });
    /// let manager = manager.with_fingerprint(|head| {
    ///     // Set by a proxy that nobody can get past, and that overwrites what clients send.
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

    /// How long a login or a confirmation counts as fresh. Default: as long as the session lives.
    ///
    /// # Errors
    /// When it is under a second or over 400 days.
    pub fn with_fresh_for(self, limit: Duration) -> Result<Self, ConfigError> {
        Timeouts::check("with_fresh_for", limit)?;
        Ok(self.keeping(|realm| realm.fresh_for = Some(limit)))
    }

    /// The name of this kind of user. Sessions of one realm are worth nothing in another.
    ///
    /// Default: the full path of the user type, by [`type_name`](std::any::type_name), which may change with the type's place and
    /// with the compiler. Another name ends all sessions, so choose one before shipping. The cookies are
    /// [named](LoginManager::with_cookie_names) after its last segment.
    ///
    /// # Errors
    /// When it isn't 1 to 64 ASCII letters, digits, hyphens, underscores, dots and colons.
    pub fn with_realm(self, realm: &str) -> Result<Self, ConfigError> {
        self.try_keeping(|kept| kept.set_name(realm))
    }

    /// How long a session lives. Default: 24 hours idle, 14 days in all.
    #[must_use]
    pub fn with_timeouts(self, timeouts: Timeouts) -> Self {
        self.keeping(|realm| realm.timeouts = timeouts)
    }

    /// In how many browsers a user may be logged in or remembered at once; a login in one more ends the oldest. Default: any number.
    #[must_use]
    pub fn with_max_sessions(self, limit: NonZeroUsize) -> Self {
        self.keeping(|realm| realm.max_sessions = Some(limit))
    }

    /// In how many browsers a user may be remembered at once. With one more the oldest isn't remembered any longer; a session that
    /// it has goes on. Default: 10.
    #[must_use]
    pub fn with_max_remembered(self, limit: NonZeroUsize) -> Self {
        self.keeping(|realm| realm.max_remembered = limit)
    }

    /// How long a browser is remembered that asked for it, counted from the login. Use doesn't prolong it. Default: 30 days, the
    /// longest that NIST SP 800-63B-4 (2.1.3) allows.
    ///
    /// # Errors
    /// When it is under a second or over 400 days, the longest that a browser keeps a cookie (RFC 6265bis).
    pub fn with_remember_for(self, lifetime: Duration) -> Result<Self, ConfigError> {
        Timeouts::check("with_remember_for", lifetime)?;
        Ok(self.keeping(|realm| realm.remember_for = lifetime))
    }

    /// What becomes of a remember token after its one use. Default: [good for 60 seconds](RememberGrace::UntilSeen), and after that
    /// until the browser has shown that it got the new one.
    #[must_use]
    pub fn with_remember_grace(self, grace: RememberGrace) -> Self {
        self.keeping(|realm| realm.remember_grace = grace)
    }

    /// How long a call of the store, the loader or an authorization check may take. Default: 2 seconds.
    ///
    /// A call that takes longer is dropped and counts as failed.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        self.keeping(|realm| realm.deadline = deadline)
    }

    /// Calls this at everything that happens to a session, on the task where it happens: keep it short.
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
