//! The guard around one service.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use tower::Service;

use super::{GuardFuture, Rules, admit, decide, deny, no_manager};
use crate::{
    auth::Auth,
    body::{InnerBody, own, passed},
    user::AuthUser,
};

/// The service of [`login_required`](super::login_required).
pub struct LoginRequiredService<S, U: AuthUser> {
    inner: S,
    rules: Arc<Rules<U>>,
}

impl<S, U: AuthUser> LoginRequiredService<S, U> {
    pub(super) fn new(inner: S, rules: Arc<Rules<U>>) -> Self {
        Self { inner, rules }
    }
}

impl<S, U, ReqBody, ResBody> Service<Request<ReqBody>> for LoginRequiredService<S, U>
where
    U: AuthUser,
    S: Service<Request<ReqBody>, Response = Response<ResBody>, Error: 'static, Future: Send>
        + Clone
        + Send
        + 'static,
    ReqBody: Send + 'static,
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
            let response = no_manager::<U>("login_required").response();
            return GuardFuture::denied(response.map(Bytes::from));
        };
        if let Some(part) = &self.rules.pages {
            auth.enter(part);
        }
        if self.rules.except.includes(auth.uri().path()) {
            return GuardFuture::passed(self.inner.call(request));
        }
        let known = auth.peek().filter(|_| self.rules.authorize.is_empty());
        if let Some(identity) = known {
            return match decide(&auth, identity, &self.rules) {
                Ok(_) => GuardFuture::passed(self.inner.call(request)),
                Err(denial) => {
                    let (head, _) = request.into_parts();
                    GuardFuture::asking(async move {
                        Ok(own::<ResBody>(deny(&auth, &denial, &head).await))
                    })
                }
            };
        }
        let rules = Arc::clone(&self.rules);
        // This request must go to the service that was polled ready; its clone serves the next one.
        let clone = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, clone);
        GuardFuture::asking(async move {
            let (head, body) = request.into_parts();
            match admit(&auth, &rules, &head).await {
                Ok(_) => {
                    let response = ready.call(Request::from_parts(head, body)).await;
                    response.map(passed)
                }
                Err(denial) => Ok(own::<ResBody>(deny(&auth, &denial, &head).await)),
            }
        })
    }
}

impl<S: Clone, U: AuthUser> Clone for LoginRequiredService<S, U> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            rules: Arc::clone(&self.rules),
        }
    }
}

impl<S: fmt::Debug, U: AuthUser> fmt::Debug for LoginRequiredService<S, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRequiredService")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
