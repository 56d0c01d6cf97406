//! What the cookies are called, and where they go.

use crate::{LoginManager, cookies::SameSite, error::ConfigError, user::AuthUser};

impl<U: AuthUser> LoginManager<U> {
    /// Takes no cookies and sends none: only [request loaders](LoginManager::with_request_loader) say who it is. For an API, which
    /// then needs no protection against forged requests from other sites.
    ///
    /// What counts where is a matter of which manager is around it: clones of one manager are one realm.
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
    /// Inside a manager that takes cookies this one takes none; a third one inside this one changes nothing. A login there is
    /// [`ErrorKind::NoCookies`](crate::ErrorKind::NoCookies), and session data isn't kept.
    #[must_use]
    pub fn without_cookies(self) -> Self {
        self.keeping(|realm| realm.cookies.ignore())
    }

    /// What the two cookies are called, without their prefix. Default: the last segment of the realm with `-session` and
    /// `-remember` behind it. Each manager of an application needs names of its own.
    ///
    /// The prefix `__Host-` is put before it, or `__Secure-`, as Domain and Path allow. With names that begin with `Http-` the
    /// cookies also promise to browsers that know `__Host-Http-` what they hold anyway: that no script has set them.
    ///
    /// # Errors
    /// When one of them is no name for a cookie, has a prefix already, or both are the same.
    pub fn with_cookie_names(self, session: &str, remember: &str) -> Result<Self, ConfigError> {
        self.try_keeping(|realm| realm.cookies.set_names(session, remember))
    }

    /// Sends the cookies to all hosts of this domain. Their prefix becomes `__Secure-`, so a sister domain can plant them.
    ///
    /// Default: only to the host that set them.
    ///
    /// # Errors
    /// When it is no domain.
    pub fn with_cookie_domain(self, domain: &str) -> Result<Self, ConfigError> {
        self.try_keeping(|realm| realm.cookies.set_domain(domain))
    }

    /// Sends the cookies only below this path; log out below it too. Their prefix becomes `__Secure-`. Default: `/`.
    ///
    /// # Errors
    /// When it doesn't start with a slash, or has other characters than visible ASCII without the semicolon.
    pub fn with_cookie_path(self, path: &str) -> Result<Self, ConfigError> {
        self.try_keeping(|realm| realm.cookies.set_path(path))
    }

    /// Whether cookies travel with requests that another site started. Default: [`SameSite::Lax`].
    ///
    /// # Errors
    /// When it is `None` with [insecure cookies](LoginManager::with_insecure_cookies).
    pub fn with_same_site(self, same_site: SameSite) -> Result<Self, ConfigError> {
        self.try_keeping(|realm| realm.cookies.set_same_site(same_site))
    }

    /// Also sends the cookies over plain http, where everybody on the way can read them. Their prefix goes.
    ///
    /// Only for a machine that can't be reached by https, and while developing. Chrome, Firefox and curl take `Secure` cookies on
    /// `http://localhost`; Safari doesn't ([WebKit bug 281149](https://bugs.webkit.org/show_bug.cgi?id=281149)), and no browser does
    /// at a LAN address. There call this, or use https. It is never inferred from a header.
    ///
    /// ```
    /// # use login_manager::{AuthUser, LoginManager, MemoryStore};
    /// # struct Account { id: i64 }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
    /// # let login_manager = LoginManager::new(MemoryStore::new(), |id| async move { Some(Account { id }) });
    /// #[cfg(debug_assertions)] // only on the machine where it is written
    /// let login_manager = login_manager.with_insecure_cookies()?;
    /// # Ok::<(), login_manager::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// When cookies are `SameSite=None`, which browsers take only with `Secure`.
    pub fn with_insecure_cookies(self) -> Result<Self, ConfigError> {
        #[cfg(feature = "tracing")]
        tracing::warn!(
            realm = self.realm.name(),
            "session cookies are sent over plain http, where everybody on the way can read them"
        );
        self.try_keeping(|realm| realm.cookies.set_insecure())
    }
}
