//! The end of a request: save changed data, set cookies, add `Vary` and `Cache-Control`.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, HeaderName, SET_COOKIE, VARY},
};
use pin_project_lite::pin_project;

use crate::{
    auth::Attached,
    error::Error,
    event::EventKind,
    session::{CookieChange, NextChange, RememberChange, Visit},
};

pin_project! {
    /// The response of a service inside a [`LoginManager`](super::LoginManager).
    pub struct LoginFuture<F, B> {
        #[pin]
        response: F,
        attached: Option<Attached>,
        saving: Option<Saving<B>>,
    }
}

struct Saving<B> {
    response: Option<Response<B>>,
    saved: Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>,
}

impl<F, B> LoginFuture<F, B> {
    pub(super) fn new(response: F, attached: Attached) -> Self {
        Self {
            response,
            attached: Some(attached),
            saving: None,
        }
    }

    /// Passes the response on unchanged, because the same manager further out handles it.
    pub(super) fn passed(response: F) -> Self {
        Self {
            response,
            attached: None,
            saving: None,
        }
    }
}

impl<F, B, E> Future for LoginFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Default,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.saving.is_none() {
            let response = ready!(this.response.poll(cx));
            let Some(attached) = this.attached else {
                return Poll::Ready(response);
            };
            let visit = attached.visit();
            // The inner service failed, so no response will be sent; any later cookie change must
            // fail with `TooLate`.
            let mut response = response.inspect_err(|_| visit.state().sent = true)?;
            match visit.turn.try_lock() {
                Ok(_turn) if !wants_saving(visit, response.status()) => {
                    finish(visit, &mut response);
                    return Poll::Ready(Ok(response));
                }
                _ => {}
            }
            let saved = Box::pin(save(attached.clone(), response.status()));
            *this.saving = Some(Saving {
                response: Some(response),
                saved,
            });
        }
        let (Some(saving), Some(attached)) = (this.saving, this.attached) else {
            return Poll::Pending;
        };
        let saved = ready!(saving.saved.as_mut().poll(cx));
        // Polled after completion: stay pending.
        let Some(mut response) = saving.response.take() else {
            return Poll::Pending;
        };
        if let Err(error) = saved {
            let answer = std::mem::replace(&mut response, error.bare_response());
            // What was sworn to further in, by a handler or another manager, still holds.
            for cookie in answer.headers().get_all(SET_COOKIE) {
                response.headers_mut().append(SET_COOKIE, cookie.clone());
            }
        }
        finish(attached.visit(), &mut response);
        Poll::Ready(Ok(response))
    }
}

/// Whether data must be saved before the response is sent. Data of requests that end in a 5xx
/// status is discarded.
fn wants_saving(visit: &Visit, status: StatusCode) -> bool {
    let unsaved = visit.state().has_unsaved_data();
    if unsaved && status.is_server_error() {
        visit.realm.report(EventKind::DataDiscarded);
    }
    unsaved && !status.is_server_error()
}

async fn save(attached: Attached, status: StatusCode) -> Result<(), Error> {
    let visit = attached.visit();
    // Wait for verbs that were started but not awaited.
    let _turn = visit.turn.lock().await;
    let saved = match wants_saving(visit, status) {
        true => visit.save_at(visit.now()).await,
        false => Ok(()),
    };
    // Set this while holding the lock: a verb between this point and the head would lose its
    // cookie.
    visit.state().sent = true;
    saved
}

/// Adds cookies and headers. No cookie can be set after this.
fn finish<B>(visit: &Visit, response: &mut Response<B>) {
    let (asked, session, remember, next) = {
        let mut state = visit.state();
        state.sent = true;
        (
            state.asked,
            state.cookie.take(),
            state.remember_cookie.take(),
            state.next_cookie.take(),
        )
    };
    if !asked {
        return;
    }
    let jar = &visit.realm.cookies;
    if jar.are_ignored() {
        return depend_on_the_request(response.headers_mut());
    }
    let session = session.map(|change| match change {
        CookieChange::Set(token) => jar.set_session(&token.text()),
        CookieChange::Remove => jar.remove_session(),
    });
    let remember = remember.map(|change| match change {
        RememberChange::Set { token, max_age } => jar.set_remember(&token.text(), max_age),
        RememberChange::Remove => jar.remove_remember(),
    });
    let next = next.map(|change| match change {
        NextChange::Set(path) => jar.set_next(&path),
        NextChange::Remove => jar.remove_next(),
    });
    let headers = response.headers_mut();
    let mut may_be_kept = headers.contains_key(CACHE_CONTROL);
    for cookie in [session, remember, next].into_iter().flatten() {
        // A shared cache must never store a cookie, whatever `Cache-Control` the handler set.
        may_be_kept = may_be_kept && is_private(headers);
        headers.append(SET_COOKIE, cookie);
    }
    if !names(headers, VARY).any(|name| name == "*" || name.eq_ignore_ascii_case("cookie")) {
        headers.append(VARY, HeaderValue::from_static("cookie"));
    }
    if !may_be_kept {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// The response depends on the user, though not on a cookie, so it must not be cached.
fn depend_on_the_request(headers: &mut HeaderMap) {
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

fn is_private(headers: &HeaderMap) -> bool {
    names(headers, CACHE_CONTROL).any(|name| matches!(name, "no-store" | "private"))
}

/// The elements of a list header.
fn names(headers: &HeaderMap, header: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers
        .get_all(header)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

impl<F, B> fmt::Debug for LoginFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginFuture").finish_non_exhaustive()
    }
}
