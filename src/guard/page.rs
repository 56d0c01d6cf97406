//! Login pages for parts of an application.

use std::{
    any::type_name,
    fmt,
    marker::PhantomData,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use tower::{Layer, Service};

use super::{GuardFuture, no_manager};
use crate::{
    auth::Auth,
    body::InnerBody,
    denied::{PageUrl, Pages},
    error::ConfigError,
    user::AuthUser,
};

/// Sets the login page for a part of the application.
///
/// It is not a guard itself, but sets where the guards inside it (layers and extractors) redirect
/// to. A nested part that sets its own login page inherits neither the login page nor the refresh
/// page.
///
/// Put it inside the [`LoginManager`](crate::LoginManager), around the part and its guards.
///
/// ```
/// # use login_manager::AuthUser;
/// # struct Account;
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
/// # async fn orders(_: login_manager::LoginRequired<Account>) {}
/// # fn app(login_manager: login_manager::LoginManager<Account>) -> axum::Router {
/// use axum::{Router, routing::get};
/// use login_manager::guard::login_page;
///
/// let shop = Router::new()
///     .route("/orders", get(orders))
///     .layer(login_page::<Account>("/shop/login"));
///
/// Router::new().nest("/shop", shop).layer(login_manager)
/// # }
/// ```
///
/// # Panics
/// Panics if it is neither a local path nor an http(s) URL, or is longer than 1000 bytes.
#[track_caller]
pub fn login_page<U: AuthUser>(login_page: &str) -> LoginPageLayer<U> {
    let login = ConfigError::expect_none(PageUrl::parse("login_page", login_page));
    LoginPageLayer {
        pages: Arc::new(Pages {
            login: Some(login),
            refresh: None,
        }),
        user: PhantomData,
    }
}

/// The layer of [`login_page`].
#[must_use = "a layer does nothing until it is put around a service"]
pub struct LoginPageLayer<U> {
    pages: Arc<Pages>,
    user: PhantomData<fn() -> U>,
}

impl<U: AuthUser> LoginPageLayer<U> {
    /// Sets the page on which users of this part enter their credentials again. Default: its login
    /// page.
    ///
    /// # Panics
    /// Panics if it is neither a local path nor an http(s) URL, or is longer than 1000 bytes.
    #[track_caller]
    pub fn refresh(mut self, refresh: &str) -> Self {
        let refresh = ConfigError::expect_none(PageUrl::parse("refresh", refresh));
        Arc::make_mut(&mut self.pages).refresh = Some(refresh);
        self
    }
}

impl<S, U> Layer<S> for LoginPageLayer<U> {
    type Service = LoginPageService<S, U>;

    fn layer(&self, inner: S) -> Self::Service {
        LoginPageService {
            inner,
            layer: self.clone(),
        }
    }
}

impl<U> Clone for LoginPageLayer<U> {
    fn clone(&self) -> Self {
        Self {
            pages: Arc::clone(&self.pages),
            user: PhantomData,
        }
    }
}

impl<U> fmt::Debug for LoginPageLayer<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginPageLayer")
            .field("user", &type_name::<U>())
            .field("pages", &self.pages)
            .finish()
    }
}

/// The service of [`login_page`].
pub struct LoginPageService<S, U> {
    inner: S,
    layer: LoginPageLayer<U>,
}

impl<S, U, ReqBody, ResBody> Service<Request<ReqBody>> for LoginPageService<S, U>
where
    U: AuthUser,
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: InnerBody,
{
    type Response = Response<ResBody::Outer>;
    type Error = S::Error;
    type Future = GuardFuture<S::Future, ResBody, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let Some(auth) = Auth::<U>::from_extensions(request.extensions()) else {
            let response = no_manager::<U>("login_page").response();
            return GuardFuture::denied(response.map(Bytes::from));
        };
        auth.enter(&self.layer.pages);
        GuardFuture::passed(self.inner.call(request))
    }
}

impl<S: Clone, U> Clone for LoginPageService<S, U> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: self.layer.clone(),
        }
    }
}

impl<S: fmt::Debug, U> fmt::Debug for LoginPageService<S, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginPageService")
            .field("inner", &self.inner)
            .field("layer", &self.layer)
            .finish()
    }
}
