//! What a visitor gets who isn't let in.

use std::sync::Arc;

use http::Response;

use crate::{
    LoginManager,
    error::ConfigError,
    refusal::{Denied, LoginView, NextIn, Refusals},
    user::AuthUser,
};

impl<U: AuthUser> LoginManager<U> {
    /// Where to log in: a local path, or an address on another host, which then learns the path but not the query of
    /// the page that was asked for.
    ///
    /// Default: none; whoever isn't let in gets 401.
    ///
    /// # Errors
    /// When it is neither.
    pub fn with_login_view(self, login_view: &str) -> Result<Self, ConfigError> {
        let login_view = LoginView::parse(login_view)?;
        Ok(self.refusing(|refusals| refusals.views.login = Some(login_view)))
    }

    /// Where somebody who is logged in proves again who they are, for a guard that asks for it. As the login view in everything
    /// else. Default: the login view.
    ///
    /// # Errors
    /// When it is neither a local path nor an http(s) address.
    pub fn with_refresh_view(self, refresh_view: &str) -> Result<Self, ConfigError> {
        let refresh_view = LoginView::parse(refresh_view)?;
        Ok(self.refusing(|refusals| refusals.views.refresh = Some(refresh_view)))
    }

    /// Where to log in, by the request: in the visitor's language, at the tenant's own page. `None` means the page that is set
    /// otherwise. A part of the application that names a [login view](crate::login_view) of its own isn't asked for.
    ///
    /// What it answers is checked as [`with_login_view`](LoginManager::with_login_view) checks it; what doesn't pass is
    /// reported in the log and counts as none.
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
        self.refusing(|refusals| refusals.view_of = Some(Arc::new(view_of)))
    }

    /// Where the way back is kept while a visitor logs in. Default: [`NextIn::Query`].
    #[must_use]
    pub fn with_next_in(self, next_in: NextIn) -> Self {
        self.refusing(|refusals| refusals.next_in = next_in)
    }

    /// What the way back is called in the query of the login page. Default: `next`.
    ///
    /// # Errors
    /// When it isn't 1 to 64 ASCII letters, digits, hyphens, underscores and dots, or is `notice`.
    pub fn with_next_field(mut self, field: &str) -> Result<Self, ConfigError> {
        Arc::make_mut(&mut self.refusals).set_next_field(field)?;
        Ok(self)
    }

    /// Replaces the response to a denied request (redirect, 401 or 403) with your own.
    ///
    /// By default a [page load](crate::guard#page-loads) is redirected to the login page (303),
    /// with the way back for GET and HEAD; htmx gets 401 with `HX-Redirect`; every other request
    /// gets 401, as does every request if no login page is set. A user who is not allowed gets 403.
    /// To change only some of these, begin with [`Denied::default_response`].
    #[must_use]
    pub fn with_unauthorized(
        self,
        unauthorized: impl Fn(&Denied<'_>) -> Response<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        self.refusing(|refusals| refusals.unauthorized = Some(Arc::new(unauthorized)))
    }

    fn refusing(mut self, change: impl FnOnce(&mut Refusals)) -> Self {
        change(Arc::make_mut(&mut self.refusals));
        self
    }
}
