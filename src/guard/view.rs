//! Login pages for parts of an application.

use std::{
    any::type_name,
    fmt,
    marker::PhantomData,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower::{Layer, Service};

use super::{GuardFuture, no_manager};
use crate::{
    auth::Auth,
    denied::{LoginView, Views},
    error::ConfigError,
    user::AuthUser,
};

/// Sets the login page for a part of the application.
///
/// It is not a guard itself, but sets where the guards inside it (layers and extractors) redirect
/// to. Nested parts inherit what they do not set themselves.
///
/// Put it inside the [`LoginManager`](crate::LoginManager), around the part and its guards.
///
/// ```
/// # use login_manager::AuthUser;
/// # struct Account;
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
/// # async fn orders(_: login_manager::LoginRequired<Account>) {}
/// # fn app(login_manager: login_manager::LoginManager<Account>) -> Result<axum::Router, login_manager::ConfigError> {
/// use axum::{Router, routing::get};
/// use login_manager::guard::login_view;
///
/// let shop = Router::new()
///     .route("/orders", get(orders))
///     .layer(login_view::<Account>("/shop/login")?);
///
/// Ok(Router::new().nest("/shop", shop).layer(login_manager))
/// # }
/// ```
///
/// # Errors
/// - if it is neither a local path nor an http(s) URL
pub fn login_view<U: AuthUser>(login_view: &str) -> Result<LoginViewLayer<U>, ConfigError> {
    Ok(LoginViewLayer {
        views: Arc::new(Views {
            login: Some(LoginView::parse(login_view)?),
            refresh: None,
        }),
        user: PhantomData,
    })
}

/// The layer of [`login_view`].
#[must_use = "a layer says nothing before it is put around a service"]
pub struct LoginViewLayer<U> {
    views: Arc<Views>,
    user: PhantomData<fn() -> U>,
}

impl<U: AuthUser> LoginViewLayer<U> {
    /// Sets the page on which users of this part enter their credentials again. Default: its login
    /// view.
    ///
    /// # Errors
    /// - if it is neither a local path nor an http(s) URL
    pub fn with_refresh_view(mut self, refresh_view: &str) -> Result<Self, ConfigError> {
        Arc::make_mut(&mut self.views).refresh = Some(LoginView::parse(refresh_view)?);
        Ok(self)
    }
}

impl<S, U> Layer<S> for LoginViewLayer<U> {
    type Service = LoginViewService<S, U>;

    fn layer(&self, inner: S) -> Self::Service {
        LoginViewService {
            inner,
            layer: self.clone(),
        }
    }
}

impl<U> Clone for LoginViewLayer<U> {
    fn clone(&self) -> Self {
        Self {
            views: Arc::clone(&self.views),
            user: PhantomData,
        }
    }
}

impl<U> fmt::Debug for LoginViewLayer<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginViewLayer")
            .field("user", &type_name::<U>())
            .field("views", &self.views)
            .finish()
    }
}

/// The service of [`login_view`].
pub struct LoginViewService<S, U> {
    inner: S,
    layer: LoginViewLayer<U>,
}

impl<S, U, ReqBody, ResBody> Service<Request<ReqBody>> for LoginViewService<S, U>
where
    U: AuthUser,
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: From<Vec<u8>>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = GuardFuture<S::Future, ResBody, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let Some(auth) = Auth::<U>::from_extensions(request.extensions()) else {
            let response = no_manager::<U>("login_view").response();
            return GuardFuture::denied(response.map(|body| ResBody::from(body.into_bytes())));
        };
        auth.enter(&self.layer.views);
        GuardFuture::passed(self.inner.call(request))
    }
}

impl<S: Clone, U> Clone for LoginViewService<S, U> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: self.layer.clone(),
        }
    }
}

impl<S: fmt::Debug, U> fmt::Debug for LoginViewService<S, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginViewService")
            .field("inner", &self.inner)
            .field("layer", &self.layer)
            .finish()
    }
}
