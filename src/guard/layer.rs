//! The door for whole routers: a tower layer.

use std::{any::type_name, fmt, sync::Arc};

use tower::Layer;

use super::{Authorize, LoginRequiredService, except::Except};
use crate::{
    error::ConfigError,
    refusal::{LoginView, Views},
    user::AuthUser,
};

/// Lets only requests pass behind which somebody is logged in as a `U`.
///
/// Put it inside the [`LoginManager`](crate::LoginManager), that is above it in the order of `Router::layer` calls. It
/// guards every method, OPTIONS and HEAD included; answer CORS preflights further out.
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
pub fn login_required<U: AuthUser>() -> LoginRequiredLayer<U> {
    LoginRequiredLayer {
        rules: Arc::new(Rules::plain(false)),
    }
}

/// Lets only requests pass behind which somebody is logged in who proved who they are in this session: not by a remember
/// cookie, and not longer ago than [`with_fresh_for`](crate::LoginManager::with_fresh_for) says.
///
/// The others are sent to the [refresh view](crate::LoginManager::with_refresh_view): ask for the password there and call
/// [`Auth::confirm`](crate::Auth::confirm). For pages that change a password, an address, a way to pay.
pub fn fresh_login_required<U: AuthUser>() -> LoginRequiredLayer<U> {
    LoginRequiredLayer {
        rules: Arc::new(Rules::plain(true)),
    }
}

/// The layer of [`login_required`] and [`fresh_login_required`].
#[must_use = "a layer guards nothing before it is put around a service"]
pub struct LoginRequiredLayer<U: AuthUser> {
    rules: Arc<Rules<U>>,
}

/// What one guard asks beyond being logged in, and where.
pub(crate) struct Rules<U: AuthUser> {
    pub(super) predicates: Vec<Predicate<U>>,
    pub(super) authorize: Vec<Arc<dyn Authorize<U>>>,
    pub(super) except: Except,
    pub(super) fresh: bool,
    pub(super) views: Option<Views>,
}

pub(super) type Predicate<U> = Arc<dyn Fn(&U) -> bool + Send + Sync>;

impl<U: AuthUser> LoginRequiredLayer<U> {
    /// Only users of whom this is true; the others get 403. Conditions add up; those that need no waiting are asked first.
    ///
    /// For one handler, give it a router of its own and [`merge`](https://docs.rs/axum/latest/axum/struct.Router.html#method.merge)
    /// that; for one method of a route, put the guard around that method:
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

    /// Only users whom this lets pass; the others get 403, and 503 where it fails or doesn't answer in time.
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
    pub fn and_authorize(self, authorize: impl Authorize<U>) -> Self {
        self.with(|rules| rules.authorize.push(Arc::new(authorize)))
    }

    /// Lets requests for these paths pass, whoever makes them: `"/login"` for exactly this one, `"/static/*"` for what
    /// lies below. Paths are those that the client asks for, in exactly this spelling, whatever router the guard is in.
    pub fn except<P: AsRef<str>>(self, paths: impl IntoIterator<Item = P>) -> Self {
        self.with(|rules| {
            paths
                .into_iter()
                .for_each(|path| rules.except.add(path.as_ref()));
        })
    }

    /// Where this part of the application logs in, instead of the manager's login view and refresh view. What lies inside and
    /// names none of its own inherits it. Without a guard around the whole part: [`login_view`](crate::login_view).
    ///
    /// # Errors
    /// When it is neither a local path nor an http(s) address.
    pub fn with_login_view(self, login_view: &str) -> Result<Self, ConfigError> {
        let login = Some(LoginView::parse(login_view)?);
        let refresh = None;
        Ok(self.with(|rules| rules.views = Some(Views { login, refresh })))
    }

    fn with(mut self, change: impl FnOnce(&mut Rules<U>)) -> Self {
        change(Arc::make_mut(&mut self.rules));
        self
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

impl<U: AuthUser> Rules<U> {
    /// Nothing but to be logged in, and fresh if that is asked.
    pub(crate) fn plain(fresh: bool) -> Self {
        Self {
            fresh,
            ..Self::default()
        }
    }
}

impl<U: AuthUser> Default for Rules<U> {
    fn default() -> Self {
        Self {
            predicates: Vec::new(),
            authorize: Vec::new(),
            except: Except::default(),
            fresh: false,
            views: None,
        }
    }
}

impl<U: AuthUser> Clone for Rules<U> {
    fn clone(&self) -> Self {
        Self {
            predicates: self.predicates.clone(),
            authorize: self.authorize.clone(),
            except: self.except.clone(),
            fresh: self.fresh,
            views: self.views.clone(),
        }
    }
}

impl<U: AuthUser> fmt::Debug for LoginRequiredLayer<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRequiredLayer")
            .field("user", &type_name::<U>())
            .field("predicates", &self.rules.predicates.len())
            .field("authorize", &self.rules.authorize.len())
            .field("fresh", &self.rules.fresh)
            .field("except", &self.rules.except)
            .field("views", &self.rules.views)
            .finish()
    }
}
