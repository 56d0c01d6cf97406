//! The guard as a tower layer, for whole routers.

use std::{any::type_name, fmt, sync::Arc, time::Duration};

use tower::Layer;

use super::{LoginRequiredService, Rules, authorize::IntoAuthorize};
use crate::{
    api_key::is_scope,
    clock::millis,
    denied::{PageUrl, Pages},
    error::ConfigError,
    session::MethodName,
    timeouts::Timeouts,
    user::AuthUser,
};

/// Only lets requests through if a `U` is logged in.
///
/// Put it inside the [`LoginManager`](crate::LoginManager), that is, before it in the order of
/// `Router::layer` calls. It guards every method, including `OPTIONS` and `HEAD`; handle CORS
/// preflights in a layer outside of it.
///
/// ```
/// # use login_manager::AuthUser;
/// # struct Account { is_admin: bool }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
/// # async fn index() {}
/// # fn app(login_manager: login_manager::LoginManager<Account>) -> axum::Router {
/// use axum::{Router, routing::get};
/// use login_manager::login_required;
///
/// let admin = Router::new()
///     .route("/admin", get(index))
///     .route_layer(login_required::<Account>().and(|account| account.is_admin));
///
/// Router::new().merge(admin).layer(login_manager)
/// # }
/// ```
///
/// In the manual: [Guarding pages](crate::manual::guarding_pages).
pub fn login_required<U: AuthUser>() -> LoginRequiredLayer<U> {
    LoginRequiredLayer {
        rules: Arc::new(Rules::plain(false)),
    }
}

/// Only lets requests through if a `U` is logged in and has entered their credentials in this
/// session.
///
/// A session that was restored by a remember cookie is not fresh, nor is one in which the
/// credentials were entered longer ago than
/// [`with_fresh_for`](crate::LoginManager::with_fresh_for) or
/// [`within`](LoginRequiredLayer::within). Such users are redirected to the [refresh
/// page](crate::manager::LoginPage::refresh). Ask for the password there and call
/// [`Auth::confirm`](crate::Auth::confirm).
///
/// Use it for pages that change a password, an e-mail address or payment details. OWASP ASVS 5.0
/// (7.5.1) requires it for changes of attributes that may affect authentication, such as the e-mail
/// address. A common maximum age is 5 minutes:
///
/// ```
/// # use login_manager::AuthUser;
/// # struct Account;
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
/// # async fn form() {}
/// # async fn change() {}
/// # fn app(login_manager: login_manager::LoginManager<Account>) -> axum::Router {
/// use std::time::Duration;
/// use axum::{Router, routing::get};
/// use login_manager::fresh_login_required;
///
/// let recently = fresh_login_required::<Account>().within(Duration::from_secs(5 * 60));
///
/// Router::new()
///     .route("/password", get(form).post(change))
///     .route_layer(recently)
///     .layer(login_manager)
/// # }
/// ```
///
/// Guard the page that shows the form as well, as above: a denied `POST` is redirected to the
/// refresh page, and its body is lost. If the login stops being fresh after the form was shown, the
/// user has to fill it in again.
///
/// In the manual: [Fresh logins and step-up](crate::manual::fresh_logins).
pub fn fresh_login_required<U: AuthUser>() -> LoginRequiredLayer<U> {
    LoginRequiredLayer {
        rules: Arc::new(Rules::plain(true)),
    }
}

/// The layer of [`login_required`] and [`fresh_login_required`].
#[must_use = "a layer guards nothing until it is put around a service"]
pub struct LoginRequiredLayer<U: AuthUser> {
    rules: Arc<Rules<U>>,
}

impl<U: AuthUser> LoginRequiredLayer<U> {
    /// Only lets through users for whom `predicate` returns true; others get `403`.
    ///
    /// Conditions accumulate. Predicates are checked before
    /// [`and_authorize`](LoginRequiredLayer::and_authorize).
    ///
    /// To guard a single handler, put it into its own router and
    /// [`merge`](https://docs.rs/axum/latest/axum/struct.Router.html#method.merge) that. To guard a
    /// single method of a route, add the guard to that method:
    ///
    /// ```
    /// # use axum::{Router, routing::{get, post}};
    /// # use login_manager::{AuthUser, login_required};
    /// # struct Account { is_admin: bool, is_editor: bool }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
    /// # async fn home() {}
    /// # async fn statistics() {}
    /// # async fn list() {}
    /// # async fn write() {}
    /// # fn app(login_manager: login_manager::LoginManager<Account>) -> Router {
    /// let admins = Router::new()
    ///     .route("/statistics", get(statistics))
    ///     .route_layer(login_required::<Account>().and(|account| account.is_admin));
    /// let editors = login_required::<Account>().and(|account| account.is_editor);
    ///
    /// Router::new()
    ///     .route("/", get(home))
    ///     .route("/articles", get(list).merge(post(write).route_layer(editors)))
    ///     .merge(admins)
    ///     .layer(login_manager)
    /// # }
    /// ```
    pub fn and(self, predicate: impl Fn(&U) -> bool + Send + Sync + 'static) -> Self {
        self.with(|rules| rules.predicates.push(Arc::new(predicate)))
    }

    /// Only lets through users for whom `authorize` returns true; others get `403`. If it fails or
    /// does not respond in time, the response is `503`.
    ///
    /// ```
    /// # use std::{sync::Arc, convert::Infallible};
    /// # use login_manager::{AuthUser, login_required};
    /// # struct Account { id: i64 }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
    /// # async fn is_member(id: i64, path: &str) -> Result<bool, Infallible> { Ok(true) }
    /// use http::request::Parts;
    ///
    /// let members = login_required::<Account>().and_authorize(|account: Arc<Account>, head: &Parts| {
    ///     let path = head.uri.path().to_owned();
    ///     async move { is_member(account.id, &path).await }
    /// });
    /// ```
    pub fn and_authorize<Kind>(self, authorize: impl IntoAuthorize<U, Kind>) -> Self {
        self.with(|rules| rules.authorize.push(authorize.into_check().0))
    }

    /// Rejects requests that are authenticated by an [API key](crate::api_keys) without this scope,
    /// with `403` and `WWW-Authenticate: Bearer error="insufficient_scope"`.
    ///
    /// Scopes accumulate: the key needs all of them. A user who is logged in by a session, or whom
    /// a request loader found, needs none.
    ///
    /// ```
    /// # use axum::{Router, routing::{get, post}};
    /// # use login_manager::{AuthUser, login_required};
    /// # struct Account;
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
    /// # async fn list() {}
    /// # async fn write() {}
    /// # fn app(login_manager: login_manager::LoginManager<Account>) -> Router {
    /// let read = login_required::<Account>().and_scope("articles:read");
    /// let write_scope = login_required::<Account>().and_scope("articles:write");
    ///
    /// Router::new()
    ///     .route("/articles", get(list).route_layer(read).merge(post(write).route_layer(write_scope)))
    ///     .layer(login_manager.with_api_keys("blog"))
    /// # }
    /// ```
    ///
    /// # Panics
    /// Panics if it is not a scope: 1 to 64 visible ASCII characters without quotation marks and
    /// backslashes (RFC 6749, 3.3).
    #[track_caller]
    pub fn and_scope(self, scope: &str) -> Self {
        ConfigError::expect_none(check_scope(scope));
        self.with(|rules| {
            let scopes = match &rules.scopes {
                Some(scopes) => format!("{scopes} {scope}"),
                None => scope.to_owned(),
            };
            rules.scopes = Some(scopes.into());
        })
    }

    /// Only lets through users who are authenticated by an [API key](crate::api_keys). Others get
    /// `401`, including users who are logged in by a session, even if the request also has a valid
    /// key; no user is redirected to the login page.
    ///
    /// Browsers send no API key, so such a route needs no CSRF protection. To ignore cookies in a
    /// whole part of an application, use
    /// [`without_cookies`](crate::LoginManager::without_cookies).
    pub fn keys_only(self) -> Self {
        self.with(|rules| rules.keys_only = true)
    }

    /// Only lets through users who entered their credentials in this session at most this long ago.
    /// Other users get the response of [`fresh_login_required`], even if the guard was created by
    /// [`login_required`].
    ///
    /// The smaller of this age and [`with_fresh_for`](crate::LoginManager::with_fresh_for) applies.
    /// If it is called several times, the smallest age applies.
    ///
    /// # Panics
    /// Panics if it is less than a second or more than 400 days.
    #[track_caller]
    pub fn within(self, age: Duration) -> Self {
        ConfigError::expect_none(Timeouts::check_one("within", age));
        self.with(|rules| {
            let age = millis(age);
            rules.fresh = Some(rules.fresh.map_or(age, |other| other.min(age)));
        })
    }

    /// Only lets through users who have entered credentials by this method in this session, as
    /// recorded by [`Login::by`](crate::auth::Login::by) or
    /// [`Confirm::by`](crate::auth::Confirm::by). Others are redirected to the [refresh
    /// page](crate::manager::LoginPage::refresh), with the name of the method in its query, such as
    /// `method=totp`, or get `401`, for the reason
    /// [`MethodRequired`](crate::guard::DeniedReason::MethodRequired). Users who are
    /// [impersonated](crate::Auth::impersonate) get `403`.
    ///
    /// Conditions accumulate: with several methods, the user must have used all of them. If a fresh
    /// login is required, each of them must have been used [as recently](Self::within); otherwise,
    /// at any time in the session. A restored session has no methods.
    ///
    /// ```
    /// # use login_manager::{Auth, AuthUser};
    /// # struct Account;
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
    /// # async fn list() {}
    /// # async fn form() {}
    /// # async fn pay() {}
    /// # fn app(login_manager: login_manager::LoginManager<Account>) -> axum::Router {
    /// use std::time::Duration;
    /// use axum::{Router, routing::get};
    /// use login_manager::login_required;
    ///
    /// // A second factor: once per session, but for payments within the last 5 minutes.
    /// let second_factor = login_required::<Account>().needs("totp");
    /// let again = second_factor.clone().within(Duration::from_secs(5 * 60));
    ///
    /// Router::new()
    ///     .route("/payments", get(list))
    ///     .route("/payments/new", get(form).post(pay).route_layer(again))
    ///     .route_layer(second_factor)
    ///     .layer(login_manager)
    /// # }
    /// ```
    ///
    /// # Panics
    /// Panics if it is not 1 to 16 lowercase ASCII letters, digits, hyphens and underscores.
    #[track_caller]
    pub fn needs(self, method: &str) -> Self {
        let name = MethodName::parse(method).ok_or_else(|| {
            ConfigError::new(
                "needs",
                method,
                "a method is 1 to 16 lowercase ASCII letters, digits, hyphens and underscores",
            )
        });
        let name = ConfigError::expect_none(name);
        self.with(|rules| rules.needs.push(name))
    }

    /// Lets all requests for these paths through: `"/login"` matches only itself, `"/static/*"`
    /// everything below `/static/`, unless the path contains `//`, a backslash, a `.` or `..`
    /// segment, or an encoded `.`, `/`, `\` or `%`.
    ///
    /// Give the full path exactly as the client sends it, even if the guard is in a nested router.
    pub fn except<P: AsRef<str>>(self, paths: impl IntoIterator<Item = P>) -> Self {
        self.with(|rules| {
            paths
                .into_iter()
                .for_each(|path| rules.except.add(path.as_ref()));
        })
    }

    /// Sets the login page of the guarded part of the application, in place of the manager's login
    /// page and refresh page.
    ///
    /// Guards inside inherit it unless they set their own. To set a login page without a guard
    /// around the whole part, use [`login_page`](crate::guard::login_page).
    ///
    /// # Panics
    /// Panics if it is neither a local path nor an http(s) URL, or is longer than 1000 bytes.
    #[track_caller]
    pub fn with_login_page(self, login_page: &str) -> Self {
        let login = ConfigError::expect_none(PageUrl::parse("with_login_page", login_page));
        let pages = Pages {
            login: Some(login),
            refresh: None,
        };
        self.with(|rules| rules.pages = Some(pages))
    }

    fn with(mut self, change: impl FnOnce(&mut Rules<U>)) -> Self {
        change(Arc::make_mut(&mut self.rules));
        self
    }
}

fn check_scope(scope: &str) -> Result<(), ConfigError> {
    match is_scope(scope) {
        true => Ok(()),
        false => Err(ConfigError::new(
            "and_scope",
            scope,
            "a scope is 1 to 64 visible ASCII characters without quotation marks and backslashes",
        )),
    }
}

impl<S, U: AuthUser> Layer<S> for LoginRequiredLayer<U> {
    type Service = LoginRequiredService<S, U>;

    fn layer(&self, inner: S) -> Self::Service {
        LoginRequiredService::new(inner, Arc::clone(&self.rules))
    }
}

impl<U: AuthUser> Clone for LoginRequiredLayer<U> {
    fn clone(&self) -> Self {
        Self {
            rules: Arc::clone(&self.rules),
        }
    }
}

impl<U: AuthUser> fmt::Debug for LoginRequiredLayer<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRequiredLayer")
            .field("user", &type_name::<U>())
            .field("predicates", &self.rules.predicates.len())
            .field("authorize", &self.rules.authorize.len())
            .field("scopes", &self.rules.scopes)
            .field("keys_only", &self.rules.keys_only)
            .field("fresh", &self.rules.fresh.is_some())
            .field("needs", &self.rules.needs)
            .field("except", &self.rules.except)
            .field("pages", &self.rules.pages)
            .finish()
    }
}
