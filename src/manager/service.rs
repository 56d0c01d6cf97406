//! The service of the layer.

use std::{
    fmt,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use http::{Extensions, Request, Response, Uri, request::Parts};
use tower::Service;

use super::{LoginFuture, LoginManager};
use crate::{
    auth::{Attached, Auth, Inner},
    protection::Client,
    realm::Realm,
    session::Visit,
    user::AuthUser,
};

/// Two realms with the same cookie are a mistake in the whole application, so it is logged once.
#[cfg(feature = "tracing")]
static CLASH: std::sync::Once = std::sync::Once::new();

/// The service of a [`LoginManager`].
pub struct LoginService<S, U: AuthUser> {
    inner: S,
    manager: LoginManager<U>,
}

impl<S, U: AuthUser> LoginService<S, U> {
    pub(super) fn new(inner: S, manager: LoginManager<U>) -> Self {
        Self { inner, manager }
    }
}

impl<S, U, ReqBody, ResBody> Service<Request<ReqBody>> for LoginService<S, U>
where
    U: AuthUser,
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Default,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = LoginFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let outer = Attached::of(request.extensions()).cloned();
        if outer
            .as_ref()
            .is_some_and(|outer| self.is_around_already::<U>(outer))
        {
            return LoginFuture::passed(self.inner.call(request));
        }
        let (head, fingerprint);
        (head, fingerprint, request) = self.look_at(request);
        let client = fingerprint.unwrap_or_else(|| Client::of(request.headers()));
        let auth = Auth::new(Inner {
            visit: Visit::new(Arc::clone(&self.manager.realm), request.headers(), client),
            loaders: Arc::clone(&self.manager.loaders),
            identity: Mutex::new(None),
            refusals: Arc::clone(&self.manager.refusals),
            views: Mutex::new(None),
            uri: original_uri(request.extensions())
                .unwrap_or(request.uri())
                .clone(),
            head,
            outer,
        });
        let attached = Attached::attach(request.extensions_mut(), &auth);
        LoginFuture::new(self.inner.call(request), attached)
    }
}

impl<S, U: AuthUser> LoginService<S, U> {
    /// A copy of the head for request loaders, and the application's fingerprint, if they are
    /// configured.
    fn look_at<B>(&self, request: Request<B>) -> (Option<Box<Parts>>, Option<Client>, Request<B>) {
        let (loaders, fingerprint) = (&self.manager.loaders.requests, &self.manager.fingerprint);
        if loaders.is_empty() && fingerprint.is_none() {
            return (None, None, request);
        }
        let (head, body) = request.into_parts();
        let client = fingerprint
            .as_ref()
            .map(|fingerprint| Client::looking(&head, fingerprint));
        let copy = (!loaders.is_empty()).then(|| {
            let mut copy = Box::new(head.clone());
            // A loader that looked up the current user would wait for itself.
            Attached::detach(&mut copy.extensions);
            copy
        });
        (copy, client, Request::from_parts(head, body))
    }

    /// Whether the request already passed through this manager, because the layer was added twice.
    /// A cookie-free manager nested in a normal one is a different layer, so it still applies.
    fn is_around_already<V: AuthUser>(&self, outer: &Attached) -> bool {
        let (name, jar) = (self.manager.realm.name(), &self.manager.realm.cookies);
        let is_this = |realm: &&Realm| {
            realm.name() == name && realm.cookies.are_ignored() == jar.are_ignored()
        };
        if outer.realms().find(is_this).is_some() {
            return outer.find::<V>().is_some();
        }
        #[cfg(feature = "tracing")]
        if let Some(other) = outer
            .realms()
            .find(|realm| realm.name() != name && realm.cookies.clashes_with(jar))
        {
            CLASH.call_once(|| tracing::error!(
                "the realms {name:?} and {:?} both call a cookie {}, so a login to one ends the other: \
                 give one of them a name of its own, `LoginManager::with_realm(\"…\")`",
                other.name(),
                jar.session_name(),
            ));
        }
        false
    }
}

/// The URI before nested routers removed a prefix.
#[cfg(feature = "axum")]
fn original_uri(extensions: &Extensions) -> Option<&Uri> {
    extensions
        .get::<axum::extract::OriginalUri>()
        .map(|original| &original.0)
}

#[cfg(not(feature = "axum"))]
fn original_uri(_: &Extensions) -> Option<&Uri> {
    None
}

impl<S: Clone, U: AuthUser> Clone for LoginService<S, U> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            manager: self.manager.clone(),
        }
    }
}

impl<S: fmt::Debug, U: AuthUser> fmt::Debug for LoginService<S, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginService")
            .field("inner", &self.inner)
            .field("manager", &self.manager)
            .finish()
    }
}
