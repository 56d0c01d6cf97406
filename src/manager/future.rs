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
    auth::AuthExtension,
    body::{InnerBody, own, passed},
    clock::millis,
    error::Error,
    event::EventKind,
    session::{Change, RequestSession},
};

/// Headers that some shared caches obey instead of `Cache-Control`: that of RFC 9213, and older
/// ones of individual vendors.
const TARGETED_CACHE_FIELDS: [&str; 8] = [
    "cdn-cache-control",
    "surrogate-control",
    "cloudflare-cdn-cache-control",
    "vercel-cdn-cache-control",
    "netlify-cdn-cache-control",
    "akamai-cache-control",
    "edge-control",
    "x-accel-expires",
];

pin_project! {
    /// The response of a service inside a [`LoginManager`](super::LoginManager).
    pub struct LoginFuture<F, B> {
        #[pin]
        response: F,
        extension: Option<AuthExtension>,
        saving: Option<Saving<B>>,
    }
}

struct Saving<B> {
    response: Option<Response<B>>,
    saved: Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>,
}

impl<F, B> LoginFuture<F, B> {
    pub(super) fn new(response: F, extension: AuthExtension) -> Self {
        Self {
            response,
            extension: Some(extension),
            saving: None,
        }
    }

    /// Passes the response on unchanged, because an outer layer of the same manager handles it.
    pub(super) fn passed(response: F) -> Self {
        Self {
            response,
            extension: None,
            saving: None,
        }
    }
}

impl<F, B, E> Future for LoginFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: InnerBody,
{
    type Output = Result<Response<B::Outer>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.saving.is_none() {
            let response = ready!(this.response.poll(cx));
            let Some(extension) = this.extension else {
                return Poll::Ready(response.map(passed));
            };
            let session = extension.session();
            // If the inner service failed, no response will be sent, so any later cookie change
            // must fail with `TooLate`.
            let mut response = response.inspect_err(|_| session.state().sent = true)?;
            match session.try_turn() {
                Some(_turn) if !wants_saving(session, response.status()) => {
                    finish(session, &mut response);
                    return Poll::Ready(Ok(passed(response)));
                }
                _ => {}
            }
            let saved = Box::pin(save(extension.clone(), response.status()));
            *this.saving = Some(Saving {
                response: Some(response),
                saved,
            });
        }
        let (Some(saving), Some(extension)) = (this.saving, this.extension) else {
            return Poll::Pending;
        };
        let saved = ready!(saving.saved.as_mut().poll(cx));
        // Polled after completion: stay pending.
        let Some(answer) = saving.response.take() else {
            return Poll::Pending;
        };
        let mut response = match saved {
            Ok(()) => passed(answer),
            Err(error) => {
                let mut response = own::<B>(error.bare_response());
                // Keep cookies that inner layers have already set.
                for cookie in answer.headers().get_all(SET_COOKIE) {
                    response.headers_mut().append(SET_COOKIE, cookie.clone());
                }
                response
            }
        };
        finish(extension.session(), &mut response);
        Poll::Ready(Ok(response))
    }
}

/// Whether there are changes to save before the response is sent. Changes of a request that ends in
/// a 5xx are not saved.
fn wants_saving(session: &RequestSession, status: StatusCode) -> bool {
    let unsaved = session.state().has_unsaved_data();
    if unsaved && status.is_server_error() {
        session.realm().report(EventKind::DataRolledBack);
    }
    unsaved && !status.is_server_error()
}

async fn save(extension: AuthExtension, status: StatusCode) -> Result<(), Error> {
    let session = extension.session();
    // An operation that was started and is still running finishes first.
    let turn = session.turn().await;
    let saved = match wants_saving(session, status) {
        true => turn.save().await,
        false => Ok(()),
    };
    // Set while the turn is held: an operation that ran after the changes were saved and before the
    // response head was sent would lose its cookie.
    session.state().sent = true;
    saved
}

/// Adds the cookies and headers. No cookie can be set after this.
fn finish<B>(session: &RequestSession, response: &mut Response<B>) {
    let (asked, cookie, remember, next, browser) = {
        let mut state = session.state();
        state.sent = true;
        (
            state.asked,
            state.cookie.take(),
            state.remember_cookie.take(),
            state.next_cookie.take(),
            state.browser_cookie.take(),
        )
    };
    if !asked {
        return;
    }
    let jar = &session.realm().cookies;
    if jar.are_ignored() {
        return depend_on_the_request(response.headers_mut());
    }
    let cookie = cookie.map(|change| match change {
        Change::Set(token) => jar.set_session(&token.text()),
        Change::Remove => jar.remove_session(),
    });
    let remember = remember.map(|change| match change {
        Change::Set(remember) => jar.set_remember(&remember.token.text(), remember.max_age),
        Change::Remove => jar.remove_remember(),
    });
    let next = next.map(|change| match change {
        Change::Set(path) => jar.set_next(&path),
        Change::Remove => jar.remove_next(),
    });
    let lifetime = session.realm().known_browsers.map(|known| known.lifetime);
    let browser = browser
        .zip(lifetime)
        .map(|(token, lifetime)| jar.set_browser(&token.text(), millis(lifetime)));
    let headers = response.headers_mut();
    let mut may_be_kept = headers.contains_key(CACHE_CONTROL);
    for set_cookie in [cookie, remember, next, browser].into_iter().flatten() {
        // A shared cache would send the cookie to everyone, whatever the handler said.
        may_be_kept = may_be_kept && is_private(headers);
        for targeted in TARGETED_CACHE_FIELDS {
            headers.remove(targeted);
        }
        headers.append(SET_COOKIE, set_cookie);
    }
    if !names(headers, VARY).any(|name| name == "*" || name.eq_ignore_ascii_case("cookie")) {
        headers.append(VARY, HeaderValue::from_static("cookie"));
    }
    if !may_be_kept {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// Forbids caching, unless the handler has set `Cache-Control`: the response depends on the user,
/// though not on a cookie.
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
