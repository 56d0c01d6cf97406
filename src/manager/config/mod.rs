//! The `with_` methods. Those that can fail check their arguments immediately.

mod cookies;
mod denied;

use std::{sync::Arc, time::Duration};

use http::request::Parts;

use super::LoginManager;
use crate::{
    error::ConfigError,
    event::{Event, OnEvent},
    grace::RememberGrace,
    loader::IntoRequestLoader,
    protection::{Fingerprint, SessionProtection},
    realm::{Realm, Sliding},
    timeouts::Timeouts,
    user::AuthUser,
};

/// The maximum grace for a replaced secret.
const MAX_GRACE: Duration = Duration::from_secs(5 * 60);

impl<U: AuthUser> LoginManager<U> {
    /// Adds a loader for requests that carry their own credentials: API keys, bearer tokens.
    /// Loaders are called in the order in which they are added.
    #[must_use]
    pub fn with_request_loader<Kind>(mut self, loader: impl IntoRequestLoader<U, Kind>) -> Self {
        Arc::make_mut(&mut self.loaders)
            .requests
            .push(loader.into_request_loader().0);
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
    /// - if it is less than a second or more than 400 days
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
    /// - if it is not 1 to 64 ASCII letters, digits, hyphens, underscores, dots and colons
    pub fn with_realm(self, realm: &str) -> Result<Self, ConfigError> {
        self.try_keeping(|kept| kept.set_name(realm))
    }

    /// Sets how long a session lives. Default: 24 hours idle, 14 days in total.
    #[must_use]
    pub fn with_timeouts(self, timeouts: Timeouts) -> Self {
        self.keeping(|realm| realm.timeouts = timeouts)
    }

    /// Sets the maximum number of sessions in which a user can be logged in or remembered. A
    /// further login ends the oldest. Default: no limit.
    ///
    /// # Errors
    /// - if the limit is 0
    pub fn with_max_sessions(self, limit: usize) -> Result<Self, ConfigError> {
        check_limit("with_max_sessions", limit)?;
        Ok(self.keeping(|realm| realm.max_sessions = Some(limit)))
    }

    /// Sets the maximum number of sessions in which a user can be remembered. Beyond it, the oldest
    /// is no longer remembered, but its session continues. Default: no limit.
    ///
    /// # Errors
    /// - if the limit is 0
    pub fn with_max_remembered(self, limit: usize) -> Result<Self, ConfigError> {
        check_limit("with_max_remembered", limit)?;
        Ok(self.keeping(|realm| realm.max_remembered = Some(limit)))
    }

    /// Selects requests that read the session without extending it: they do not count for the idle
    /// timeout. Use it for pages that poll in the background, whether or not the user is active:
    ///
    /// ```
    /// # use login_manager::{AuthUser, LoginManager, MemoryStore};
    /// # struct Account { id: i64 }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
    /// # let manager = LoginManager::new(MemoryStore::new(), |id| async move { Some(Account { id }) });
    /// let manager = manager.without_touch(|head| head.uri.path() == "/notifications");
    /// ```
    ///
    /// Default: every request that reads the session extends it. Assurance levels 2 and 3 of NIST
    /// SP 800-63B-4 ([`Timeouts::aal2`], [`Timeouts::aal3`]) count the inactivity of the user, so
    /// set it with them if a page polls.
    #[must_use]
    pub fn without_touch(
        mut self,
        is_passive: impl Fn(&Parts) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.without_touch = Some(Arc::new(is_passive));
        self
    }

    /// Sets how long a browser is remembered, counted from the login. Use does not extend it.
    /// Default: 30 days, the maximum in NIST SP 800-63B-4 (2.1.3).
    ///
    /// # Errors
    /// - if it is less than a second or more than 400 days, the maximum lifetime of a cookie (RFC
    ///   6265bis)
    pub fn with_remember_for(self, lifetime: Duration) -> Result<Self, ConfigError> {
        Timeouts::check("with_remember_for", lifetime)?;
        Ok(self.keeping(|realm| realm.remember_for = lifetime))
    }

    /// Extends the remember cookie at each restore: it ends `idle` after it last restored a login,
    /// but never later than `at_most` after the login itself. Requests with a live session don't
    /// extend it, so make `idle` longer than the sessions live. Default: its end is fixed at the
    /// login.
    ///
    /// # Errors
    /// - if one of them is less than a second or more than 400 days, or `idle` is longer than
    ///   `at_most`
    pub fn with_remember_sliding(
        self,
        idle: Duration,
        at_most: Duration,
    ) -> Result<Self, ConfigError> {
        Timeouts::check("with_remember_sliding", idle)?;
        Timeouts::check("with_remember_sliding", at_most)?;
        if idle > at_most {
            return Err(ConfigError::new(
                "with_remember_sliding",
                format!("{idle:?}, {at_most:?}"),
                "the first duration must not be longer than the second",
            ));
        }
        Ok(self.keeping(|realm| {
            realm.remember_for = idle;
            realm.remember_sliding = Some(Sliding { idle, at_most });
        }))
    }

    /// Sets how long a secret is still accepted after it has been replaced: a session secret after
    /// a rotation, a confirmation, a restore or a further login of the same user, and the token
    /// secret of a remember cookie after its exchange. Default: [30
    /// seconds](RememberGrace::UntilSeen), and for a token secret longer if the browser has not yet
    /// shown that it received the new one.
    ///
    /// # Errors
    /// - if it is longer than five minutes, since a copy of a replaced secret is accepted for this
    ///   long
    pub fn with_remember_grace(self, grace: RememberGrace) -> Result<Self, ConfigError> {
        if grace.length() > MAX_GRACE {
            return Err(ConfigError::new(
                "with_remember_grace",
                format!("{:?}", grace.length()),
                "a grace is at most five minutes",
            ));
        }
        Ok(self.keeping(|realm| realm.remember_grace = grace))
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

fn check_limit(setting: &'static str, limit: usize) -> Result<(), ConfigError> {
    match limit {
        0 => Err(ConfigError::new(setting, "0", "a limit is at least 1")),
        _ => Ok(()),
    }
}
