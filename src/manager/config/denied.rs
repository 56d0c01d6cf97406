//! The configuration of login pages and of responses to denied requests.

use std::sync::Arc;

use http::Response;

use crate::{
    LoginManager,
    denied::{Denied, DeniedConfig, LoginView, NextIn},
    error::ConfigError,
    user::AuthUser,
};

impl<U: AuthUser> LoginManager<U> {
    /// Sets the login page to which guards redirect: a local path, or a URL on another host.
    /// Another host receives the path of the requested page, but not its query.
    ///
    /// Default: none, and anonymous requests get `401`.
    ///
    /// # Errors
    /// - if it is neither a local path nor an http(s) URL
    pub fn with_login_view(self, login_view: &str) -> Result<Self, ConfigError> {
        let login_view = LoginView::parse(login_view)?;
        Ok(self.configuring_denied(|denied_config| denied_config.views.login = Some(login_view)))
    }

    /// Sets the page on which logged-in users enter their credentials again, if a guard requires a
    /// fresh login. Otherwise it works like the login view. Default: the login view.
    ///
    /// # Errors
    /// - if it is neither a local path nor an http(s) URL
    pub fn with_refresh_view(self, refresh_view: &str) -> Result<Self, ConfigError> {
        let refresh_view = LoginView::parse(refresh_view)?;
        Ok(self
            .configuring_denied(|denied_config| denied_config.views.refresh = Some(refresh_view)))
    }

    /// Chooses the login page for each request, for example by language or tenant. If it returns
    /// `None`, the configured page is used. It is not called in parts of the application that set
    /// their own [login view](crate::guard::login_view).
    ///
    /// The result is checked as in [`with_login_view`](LoginManager::with_login_view). If it is
    /// invalid, an error is logged and the configured page is used.
    ///
    /// ```
    /// # use login_manager::{AuthUser, LoginManager, MemoryStore};
    /// # struct Account { id: i64 }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
    /// # let manager = LoginManager::new(MemoryStore::new(), |id| async move { Some(Account { id }) });
    /// let manager = manager.with_login_view_of(|denied| {
    ///     let shop = denied.uri().path().strip_prefix("/shops/")?.split('/').next()?;
    ///     Some(format!("/shops/{shop}/login"))
    /// });
    /// ```
    #[must_use]
    pub fn with_login_view_of(
        self,
        view_of: impl Fn(&Denied<'_>) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.configuring_denied(|denied_config| denied_config.view_of = Some(Arc::new(view_of)))
    }

    /// Sets where the path to return to is kept during a login. Default: [`NextIn::Query`].
    #[must_use]
    pub fn with_next_in(self, next_in: NextIn) -> Self {
        self.configuring_denied(|denied_config| denied_config.next_in = next_in)
    }

    /// Sets the name of the query field with the path to return to. Default: `next`.
    ///
    /// # Errors
    /// - if it is not 1 to 64 ASCII letters, digits, hyphens, underscores and dots, or is `notice`
    pub fn with_next_field(mut self, field: &str) -> Result<Self, ConfigError> {
        Arc::make_mut(&mut self.denied_config).set_next_field(field)?;
        Ok(self)
    }

    /// Replaces the response to a denied request (redirect, 401 or 403) with your own.
    ///
    /// By default a [page load](crate::guard#page-loads) is redirected to the login page (303),
    /// with the path to return to for GET and HEAD; htmx gets 401 with `HX-Redirect`; every other request
    /// gets 401, as does every request if no login page is set. A user who is not allowed gets 403.
    /// To change only some of these, begin with [`Denied::default_response`].
    #[must_use]
    pub fn with_unauthorized(
        self,
        unauthorized: impl Fn(&Denied<'_>) -> Response<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        self.configuring_denied(|denied_config| {
            denied_config.unauthorized = Some(Arc::new(unauthorized));
        })
    }

    fn configuring_denied(mut self, change: impl FnOnce(&mut DeniedConfig)) -> Self {
        change(Arc::make_mut(&mut self.denied_config));
        self
    }
}
