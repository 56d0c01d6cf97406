//! The optional steps of a configuration. A step that can be wrong is checked there and then.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use http::{Response, request::Parts};

use super::LoginManager;
use crate::{
    cookies::SameSite,
    error::ConfigError,
    event::{Event, OnEvent},
    grace::RememberGrace,
    loader::RequestLoader,
    protection::{Fingerprint, SessionProtection},
    realm::Realm,
    refusal::{Denied, LoginView, NextIn, Refusals},
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
    /// A login there is [`ErrorKind::NoCookies`](crate::ErrorKind::NoCookies), and session data isn't kept.
    #[must_use]
    pub fn without_cookies(self) -> Self {
        self.keeping(|realm| realm.cookies.ignore())
    }

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

    /// Your own answer to who isn't let in, in place of the redirect, the 401 and the 403.
    ///
    /// Default: a page load is sent to the login view (303), with the way back for GET and HEAD; htmx gets 401 with
    /// `HX-Redirect`; everything else, and where there is no login view, 401. Who is logged in but may not: 403.
    #[must_use]
    pub fn with_unauthorized(
        self,
        unauthorized: impl Fn(&Denied<'_>) -> Response<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        self.refusing(|refusals| refusals.unauthorized = Some(Arc::new(unauthorized)))
    }

    /// The name of this kind of user. Sessions of one realm are worth nothing in another.
    ///
    /// Default: the full path of the user type.
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

    /// How long a browser is remembered that asked for it, counted from the login. Use doesn't prolong it. Default: 30 days, the
    /// longest that NIST SP 800-63B-4 (2.1.3) allows.
    ///
    /// # Errors
    /// When it is under a second or over 400 days, the longest that a browser keeps a cookie (RFC 6265bis).
    pub fn with_remember_for(self, lifetime: Duration) -> Result<Self, ConfigError> {
        Timeouts::check("with_remember_for", lifetime)?;
        Ok(self.keeping(|realm| realm.remember_for = lifetime))
    }

    /// What becomes of a remember token after its one use. Default: good for 60 seconds, and after that until the browser has shown
    /// that it got the new one.
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
    /// Only for a machine that can't be reached by https; `http://localhost` doesn't need it. It is never inferred from a
    /// header.
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

    /// Calls this at everything that happens to a session, on the task where it happens: keep it short.
    #[must_use]
    pub fn with_on_event(self, on_event: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.keeping(|realm| realm.on_event = Some(OnEvent(Arc::new(on_event))))
    }

    pub(crate) fn keeping(mut self, change: impl FnOnce(&mut Realm)) -> Self {
        change(Arc::make_mut(&mut self.realm));
        self
    }

    fn try_keeping(
        mut self,
        change: impl FnOnce(&mut Realm) -> Result<(), ConfigError>,
    ) -> Result<Self, ConfigError> {
        change(Arc::make_mut(&mut self.realm))?;
        Ok(self)
    }

    fn refusing(mut self, change: impl FnOnce(&mut Refusals)) -> Self {
        change(Arc::make_mut(&mut self.refusals));
        self
    }
}
