//! The settings of login pages and of responses to denied requests.

use std::sync::Arc;

use crate::{
    LoginManager,
    denied::{Denied, DeniedConfig, IntoDeniedResponse, LoginPage, erase},
    error::ConfigError,
    user::AuthUser,
};

impl<U: AuthUser> LoginManager<U> {
    /// Sets the login page to which guards redirect: its path, or a [`LoginPage`] with more
    /// settings. Default: none, and anonymous requests get `401`.
    ///
    /// # Panics
    /// Panics if the page is invalid. If it comes from a configuration file,
    /// [`check`](LoginPage::check) it first.
    #[must_use]
    #[track_caller]
    pub fn with_login_page(self, page: impl Into<LoginPage>) -> Self {
        self.configuring_denied(|denied_config| denied_config.set_login_page(page.into()))
    }

    /// Replaces the response to a denied request (redirect, 401 or 403) with your own.
    ///
    /// By default a [page load](crate::guard#page-loads) is redirected to the login page (303),
    /// with the path to return to for GET and HEAD; htmx gets 401 with `HX-Redirect`; every other
    /// request gets 401, as does every request if no login page is set. A user who is not allowed
    /// gets 403.
    ///
    /// The function is asynchronous, so it may render a template or read a database. Clone what it
    /// captures for each call: `move |denied| { let db = db.clone(); async move { … } }`. With
    /// axum, it may return anything that a handler may return. To change only some responses, begin
    /// with [`Denied::default_response`]:
    ///
    /// ```
    /// # use login_manager::{AuthUser, LoginManager, MemoryStore};
    /// # struct Account { id: i64 }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
    /// # let load_user = |id| async move { Some(Account { id }) };
    /// # let login_manager = LoginManager::new(MemoryStore::new(), load_user);
    /// use axum::response::{Html, IntoResponse};
    /// use http::StatusCode;
    ///
    /// let login_manager = login_manager.with_unauthorized(async |denied| {
    ///     let response = denied.default_response();
    ///     match response.status() {
    ///         StatusCode::FORBIDDEN => (StatusCode::FORBIDDEN, Html("Not for you")).into_response(),
    ///         _ => response.into_response(),
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn with_unauthorized<F, Fut>(self, unauthorized: F) -> Self
    where
        F: Fn(Denied) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoDeniedResponse> + Send + 'static,
    {
        self.configuring_denied(|denied_config| {
            denied_config.unauthorized = Some(erase(unauthorized));
            Ok(())
        })
    }

    /// Adds a challenge to the `WWW-Authenticate` header of each 401, such as `Bearer`. The first
    /// one replaces the default: `Session`, or `Bearer` [with API
    /// keys](LoginManager::with_api_keys). Your own responses to denied requests contain it if they
    /// are made from [`Denied::default_response`].
    ///
    /// Browsers open a password dialog for `Basic` and `Digest`.
    ///
    /// # Panics
    /// Panics if it is neither a scheme nor a scheme followed by a space and parameters (RFC 9110,
    /// 11.6.1).
    #[must_use]
    #[track_caller]
    pub fn with_challenge(self, challenge: &str) -> Self {
        self.configuring_denied(|denied_config| denied_config.add_challenge(challenge))
    }

    #[track_caller]
    fn configuring_denied(
        mut self,
        change: impl FnOnce(&mut DeniedConfig) -> Result<(), ConfigError>,
    ) -> Self {
        ConfigError::expect_none(change(&mut Arc::make_mut(&mut self.settings).denied));
        self
    }
}
