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
    api_key::BearerToken,
    auth::{Auth, AuthExtension, RequestAuth, Settings},
    body::InnerBody,
    protection::Client,
    realm::Realm,
    session::RequestSession,
    user::AuthUser,
};

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
    ResBody: InnerBody,
{
    type Response = Response<ResBody::Outer>;
    type Error = S::Error;
    type Future = LoginFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let outer = AuthExtension::of(request.extensions()).cloned();
        if outer
            .as_ref()
            .is_some_and(|outer| self.is_around_already(outer))
        {
            return LoginFuture::passed(self.inner.call(request));
        }
        let seen;
        (seen, request) = self.look_at(request);
        let bearer = match &self.manager.settings.api_keys {
            Some(_) => BearerToken::of(request.headers()),
            None => None,
        };
        let client = seen.client.unwrap_or_else(|| Client::of(request.headers()));
        let auth = Auth::new(RequestAuth {
            session: RequestSession::new(
                Arc::clone(&self.manager.realm),
                request.method(),
                request.headers(),
                client,
                seen.without_touch,
            ),
            settings: Arc::clone(&self.manager.settings),
            identity: Mutex::new(None),
            pages: Mutex::new(None),
            uri: original_uri(request.extensions())
                .unwrap_or(request.uri())
                .clone(),
            head: seen.head,
            bearer,
            outer,
        });
        let attached = AuthExtension::attach(request.extensions_mut(), &auth);
        LoginFuture::new(self.inner.call(request), attached)
    }
}

/// What is read from the request's head before the inner service is called.
#[derive(Default)]
struct Seen {
    head: Option<Box<Parts>>,
    client: Option<Client>,
    without_touch: bool,
}

impl<S, U: AuthUser> LoginService<S, U> {
    /// Passes the head to the hooks, and copies it if there are request loaders.
    fn look_at<B>(&self, request: Request<B>) -> (Seen, Request<B>) {
        let Settings {
            loaders,
            fingerprint,
            without_touch,
            ..
        } = &*self.manager.settings;
        let has_loaders = !loaders.requests.is_empty();
        if !has_loaders && fingerprint.is_none() && without_touch.is_none() {
            return (Seen::default(), request);
        }
        let (head, body) = request.into_parts();
        let seen = Seen {
            client: fingerprint
                .as_ref()
                .map(|fingerprint| Client::looking(&head, fingerprint)),
            without_touch: without_touch
                .as_ref()
                .is_some_and(|without_touch| without_touch(&head)),
            head: has_loaders.then(|| {
                let mut copy = Box::new(head.clone());
                // A loader that looked up the current user would wait for its own result.
                AuthExtension::detach(&mut copy.extensions);
                copy
            }),
        };
        (seen, Request::from_parts(head, body))
    }

    /// Whether an outer layer of the same manager already handles the request, because the layer
    /// was added twice. A cookie-free manager nested in a normal one is a different layer, so it
    /// still applies.
    fn is_around_already(&self, outer: &AuthExtension) -> bool {
        let (name, jar) = (self.manager.realm.name(), &self.manager.realm.cookies);
        let is_this = |realm: &&Arc<Realm>| {
            realm.name() == name && realm.cookies.are_ignored() == jar.are_ignored()
        };
        if outer.realms().find(is_this).is_some() {
            let Some(_auth) = outer.find::<U>() else {
                return false;
            };
            #[cfg(feature = "tracing")]
            if !_auth.is_configured_by(&self.manager.settings) {
                self.manager.realm.misplaced.call_once(|| tracing::error!(
                    "a manager of the realm {name:?} with other settings is inside another one, which already handles the \
                     request, so the inner one's API keys, request loaders and login page are ignored: put them on the outer manager, \
                     put the two side by side, or call `without_cookies()` on the inner one",
                ));
            }
            return true;
        }
        #[cfg(feature = "tracing")]
        if let Some(other) = outer
            .realms()
            .find(|realm| realm.name() != name && realm.cookies.clashes_with(jar))
        {
            self.manager.realm.misplaced.call_once(|| tracing::error!(
                "the realms {name:?} and {:?} both use the cookie {}, so a login in one ends the session of the other: \
                 give one of them another name with `LoginManager::with_realm(\"…\")`",
                other.name(),
                jar.session_name(),
            ));
        }
        false
    }
}

/// The URI before any nested router removed a prefix.
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
