//! The configuration of the cookies.

use crate::{LoginManager, cookies::SameSite, error::ConfigError, user::AuthUser};

impl<U: AuthUser> LoginManager<U> {
    /// Ignores cookies and sets none, so that only [request
    /// loaders](LoginManager::with_request_loader) authenticate. Use it for APIs, which then need
    /// no CSRF protection.
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

    /// Sets the names of the two cookies, without their prefix. Default: the last segment of the
    /// realm, followed by `-session` and `-remember`. Each manager of an application needs
    /// different names.
    ///
    /// The prefix `__Host-` is added, or `__Secure-` if a domain or a path is set. With names that
    /// start with `Http-`, browsers that support `__Host-Http-` also ensure that the cookies were
    /// not set by a script.
    ///
    /// # Errors
    /// - if one of them is not a valid cookie name or already has a prefix, or if both are the same
    pub fn with_cookie_names(self, session: &str, remember: &str) -> Result<Self, ConfigError> {
        self.try_keeping(|realm| realm.cookies.set_names(session, remember))
    }

    /// Sends the cookies to all hosts of this domain. Their prefix becomes `__Secure-`, so a sister
    /// domain can plant them.
    ///
    /// Default: only to the host that set them.
    ///
    /// # Errors
    /// - if it is not a domain
    pub fn with_cookie_domain(self, domain: &str) -> Result<Self, ConfigError> {
        self.try_keeping(|realm| realm.cookies.set_domain(domain))
    }

    /// Sends the cookies only to URLs below this path, which must include the logout route. Their
    /// prefix becomes `__Secure-`. Default: `/`.
    ///
    /// # Errors
    /// - if it does not start with a slash, or contains a semicolon or anything but visible ASCII
    pub fn with_cookie_path(self, path: &str) -> Result<Self, ConfigError> {
        self.try_keeping(|realm| realm.cookies.set_path(path))
    }

    /// Sets whether browsers send the cookies with cross-site requests. Default: [`SameSite::Lax`].
    ///
    /// # Errors
    /// - if it is `None` with [insecure cookies](LoginManager::with_insecure_cookies)
    pub fn with_same_site(self, same_site: SameSite) -> Result<Self, ConfigError> {
        self.try_keeping(|realm| realm.cookies.set_same_site(same_site))
    }

    /// Also sends the cookies over plain http, where anyone on the network can read them. They have
    /// no prefix then.
    ///
    /// Use it only during development, or for a server that cannot be reached by https. Chrome,
    /// Firefox and curl accept `Secure` cookies on `http://localhost`; Safari does not
    /// ([WebKit bug 281149](https://bugs.webkit.org/show_bug.cgi?id=281149)), and no browser does
    /// at a LAN address. This setting is never inferred from a header.
    ///
    /// ```
    /// # use login_manager::{AuthUser, LoginManager, MemoryStore};
    /// # struct Account { id: i64 }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
    /// # let login_manager = LoginManager::new(MemoryStore::new(), |id| async move { Some(Account { id }) });
    /// #[cfg(debug_assertions)] // only during development
    /// let login_manager = login_manager.with_insecure_cookies()?;
    /// # Ok::<(), login_manager::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// - if cookies are `SameSite=None`, which browsers only accept with `Secure`
    pub fn with_insecure_cookies(self) -> Result<Self, ConfigError> {
        #[cfg(feature = "tracing")]
        tracing::warn!(
            realm = self.realm.name(),
            "session cookies are also sent over plain http, where anyone on the network can read them"
        );
        self.try_keeping(|realm| realm.cookies.set_insecure())
    }
}
