//! The settings of a manager. Each is checked when it is set. The methods panic on an invalid
//! value, as `Router::route` does on an invalid path, so that no program starts with one.

mod denied;

use std::{sync::Arc, time::Duration};

use http::request::Parts;

use super::LoginManager;
use crate::{
    api_key::ApiKeySettings,
    cookies::Cookies,
    error::ConfigError,
    event::{Event, OnEvent},
    known_browsers::KnownBrowsers,
    loader::IntoRequestLoader,
    protection::{Fingerprint, SessionProtection},
    realm::Realm,
    remember_me::RememberMe,
    timeouts::Timeouts,
    user::AuthUser,
};

impl<U: AuthUser> LoginManager<U> {
    /// Sets the name of this kind of user. Sessions of one realm are invalid in every other realm.
    ///
    /// Default: the full path of the user type ([`type_name`](std::any::type_name)), which changes
    /// if the type moves and may change with the compiler. Changing the name ends all sessions, so
    /// choose one before you release. The cookies are [named](Cookies::names) after its last
    /// segment.
    ///
    /// # Panics
    /// Panics if it is not 1 to 64 ASCII letters, digits, hyphens, underscores, dots and colons.
    #[must_use]
    #[track_caller]
    pub fn with_realm(self, realm: &str) -> Self {
        self.try_keeping(|kept| kept.set_name(realm))
    }

    /// Sets the names and attributes of the cookies. Default: [`Cookies::new`].
    ///
    /// # Panics
    /// Panics if a setting is invalid, or if browsers would reject the combination. If the settings
    /// come from a configuration file, [`check`](Cookies::check) them first.
    #[must_use]
    #[track_caller]
    pub fn with_cookies(self, cookies: Cookies) -> Self {
        #[cfg(feature = "tracing")]
        if cookies.are_insecure() {
            tracing::warn!(
                realm = self.realm.name(),
                "session cookies are also sent over plain http, where anyone on the network can read them"
            );
        }
        self.try_keeping(|realm| realm.set_cookies(cookies))
    }

    /// Ignores cookies and sets none, so that only [API keys](LoginManager::with_api_keys) and
    /// [request loaders](LoginManager::with_request_loader) authenticate a request. Use it for
    /// APIs, which then need no CSRF protection.
    ///
    /// Clones of one manager are one realm, so different parts of an application can use cookies,
    /// keys or both:
    ///
    /// ```
    /// # use login_manager::{AuthUser, LoginManager, MemoryStore};
    /// # struct Account { id: i64 }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
    /// # async fn by_key(key: Option<String>) -> Option<Account> { None }
    /// # fn key_in(head: &http::request::Parts) -> Option<String> { None }
    /// # let (api, pages) = (axum::Router::<()>::new(), axum::Router::<()>::new());
    /// let login = LoginManager::new(MemoryStore::new(), |id| async move { Some(Account { id }) });
    /// let login_by_key = login.clone().with_request_loader(|head: &http::request::Parts| {
    ///     let key = key_in(head);
    ///     async move { by_key(key).await }
    /// });
    ///
    /// let app = axum::Router::new()
    ///     .nest("/api", api.layer(login_by_key.without_cookies())) // keys only
    ///     .merge(pages.layer(login));                              // cookies only
    /// # let _: axum::Router = app;
    /// ```
    ///
    /// A login returns [`ErrorKind::NoCookies`](crate::ErrorKind::NoCookies), and session data is
    /// not kept. A cookie-free manager may be nested inside a normal one; nesting a third one of
    /// the same realm has no effect.
    #[must_use]
    pub fn without_cookies(self) -> Self {
        self.keeping(|realm| realm.cookies.ignore())
    }

    /// Adds a loader for requests that carry their own credentials: API keys, bearer tokens.
    /// Loaders are called in the order in which they are added.
    #[must_use]
    pub fn with_request_loader<Kind>(mut self, loader: impl IntoRequestLoader<U, Kind>) -> Self {
        Arc::make_mut(&mut self.settings)
            .loaders
            .requests
            .push(loader.into_request_loader().0);
        self
    }

    /// Turns on [API keys](crate::api_keys). Pass the prefix of the keys, or [`ApiKeySettings`] for
    /// more settings. [`api_keys`](LoginManager::api_keys) creates, lists and revokes them.
    /// Default: none.
    ///
    /// If neither a session nor a remember cookie authenticates a request, the key in its
    /// `Authorization: Bearer` header is checked, before the request loaders are called. The
    /// default [challenge](LoginManager::with_challenge) of each 401 becomes `Bearer`.
    ///
    /// # Panics
    /// Panics if the prefix is not 1 to 20 lowercase ASCII letters, digits and underscores, or
    /// another setting is invalid. If the settings come from a configuration file,
    /// [`check`](ApiKeySettings::check) them first.
    #[must_use]
    #[track_caller]
    pub fn with_api_keys(mut self, keys: impl Into<ApiKeySettings>) -> Self {
        let keys = keys.into();
        ConfigError::expect_none(keys.check());
        let settings = Arc::make_mut(&mut self.settings);
        settings.api_keys = Some(Arc::new(keys));
        settings.denied.has_api_keys = true;
        self
    }

    /// Sets how long a session lives. Default: 24 hours idle, 14 days in total.
    ///
    /// # Panics
    /// Panics if a timeout is less than a second or more than 400 days. If they come from a
    /// configuration file, [`check`](Timeouts::check) them first.
    #[must_use]
    #[track_caller]
    pub fn with_timeouts(self, timeouts: Timeouts) -> Self {
        self.try_keeping(|realm| {
            timeouts.check()?;
            realm.timeouts = timeouts;
            Ok(())
        })
    }

    /// Sets how long a session is fresh after a login or a confirmation. Default: as long as the
    /// session lives.
    ///
    /// # Panics
    /// Panics if it is less than a second or more than 400 days.
    #[must_use]
    #[track_caller]
    pub fn with_fresh_for(self, limit: Duration) -> Self {
        self.try_keeping(|realm| {
            Timeouts::check_one("with_fresh_for", limit)?;
            realm.fresh_for = Some(limit);
            Ok(())
        })
    }

    /// Sets the maximum number of sessions in which a user can be logged in or remembered. A
    /// further login ends the oldest. Default: no limit.
    ///
    /// # Panics
    /// Panics if the limit is 0.
    #[must_use]
    #[track_caller]
    pub fn with_max_sessions(self, limit: usize) -> Self {
        self.try_keeping(|realm| {
            ConfigError::check_limit("with_max_sessions", limit)?;
            realm.max_sessions = Some(limit);
            Ok(())
        })
    }

    /// Sets how long browsers are remembered, and how many. Default: [`RememberMe::new`].
    ///
    /// # Panics
    /// Panics if a setting is invalid. If the settings come from a configuration file,
    /// [`check`](RememberMe::check) them first.
    #[must_use]
    #[track_caller]
    pub fn with_remember_me(self, remember_me: RememberMe) -> Self {
        self.try_keeping(|realm| {
            remember_me.check()?;
            realm.remember_me = remember_me;
            Ok(())
        })
    }

    /// Keeps track of the browsers in which each user has logged in: see [`KnownBrowsers`].
    /// Default: off.
    ///
    /// ```
    /// # use login_manager::{AuthUser, LoginManager, MemoryStore};
    /// # struct Account { id: i64 }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
    /// # let load = |id| async move { Some(Account { id }) };
    /// # let login_manager = LoginManager::new(MemoryStore::new(), load);
    /// use login_manager::{event::EventKind, manager::KnownBrowsers};
    ///
    /// let login_manager = login_manager
    ///     .with_known_browsers(KnownBrowsers::new())
    ///     .with_on_event(|event| match event.kind() {
    ///         EventKind::NewBrowser => { /* queue a mail to `event.user_id()` */ }
    ///         _ => {}
    ///     });
    /// ```
    ///
    /// # Panics
    /// Panics if a setting is invalid. If the settings come from a configuration file,
    /// [`check`](KnownBrowsers::check) them first.
    #[must_use]
    #[track_caller]
    pub fn with_known_browsers(self, known_browsers: KnownBrowsers) -> Self {
        self.try_keeping(|realm| {
            known_browsers.check()?;
            realm.known_browsers = Some(known_browsers);
            Ok(())
        })
    }

    /// Sets what happens to a session that is presented by a different-looking client. Default:
    /// [`SessionProtection::Basic`], with which the session is not fresh in that client.
    #[must_use]
    pub fn with_session_protection(self, protection: SessionProtection) -> Self {
        self.keeping(|realm| realm.protection = protection)
    }

    /// Sets the function that recognizes a client. It returns bytes that identify the client, or
    /// `None` if the request does not contain them; the session keeps a digest of the bytes. It is
    /// called for every request, so keep it cheap.
    ///
    /// Default: the names in the `User-Agent` header, without versions. The IP address is not
    /// included, because mobile networks, offices and privacy extensions change it all the time. To
    /// include it anyway, if you control the proxies in front of the server:
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
        Arc::make_mut(&mut self.settings).fingerprint = Some(Fingerprint(Arc::new(fingerprint)));
        self
    }

    /// Selects requests that read the session without extending it: they do not restart the idle
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
    /// SP 800-63B-4 ([`Timeouts::aal2`], [`Timeouts::aal3`]) measure the inactivity of the user, so
    /// call this as well if you use them and a page polls.
    #[must_use]
    pub fn without_touch(
        mut self,
        is_passive: impl Fn(&Parts) -> bool + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.settings).without_touch = Some(Arc::new(is_passive));
        self
    }

    /// Sets how long a call to the store, the loader or an authorization check may take. Default: 2
    /// seconds. A call that takes longer is dropped and treated as failed.
    ///
    /// # Panics
    /// Panics if it is less than a millisecond.
    #[must_use]
    #[track_caller]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        self.try_keeping(|realm| {
            if deadline < Duration::from_millis(1) {
                return Err(ConfigError::new(
                    "with_deadline",
                    format!("{deadline:?}"),
                    "a deadline is at least a millisecond",
                ));
            }
            realm.deadline = deadline;
            Ok(())
        })
    }

    /// Sets a function to call for every [`Event`]. It is called synchronously where the event
    /// occurs, so keep it short.
    ///
    /// Most events occur in the request's task, with its tracing span and task-locals. Other tasks
    /// emit the events of background work: recording that a session is in use, retrying a deletion,
    /// the cleanup, and the rest of an operation, such as a login, whose client has hung up.
    #[must_use]
    pub fn with_on_event(self, on_event: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.keeping(|realm| realm.on_event = Some(OnEvent(Arc::new(on_event))))
    }

    pub(crate) fn keeping(mut self, change: impl FnOnce(&mut Realm)) -> Self {
        change(Arc::make_mut(&mut self.realm));
        self
    }

    #[track_caller]
    fn try_keeping(mut self, change: impl FnOnce(&mut Realm) -> Result<(), ConfigError>) -> Self {
        ConfigError::expect_none(change(Arc::make_mut(&mut self.realm)));
        self
    }
}
