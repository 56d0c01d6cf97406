//! Negotiates the response to a denied request.

use http::{
    HeaderMap, HeaderValue, Method, Response, StatusCode, Uri,
    header::{HeaderName, LOCATION, WWW_AUTHENTICATE},
    request::Parts,
};

use super::{
    Bearer, DeniedConfig, NextIn, NextPath, Notice, PageUrl, bearer::is_bearer, page_load::Client,
};
use crate::{reason::DeniedReason, session::MethodName};

const HX_BOOSTED: HeaderName = HeaderName::from_static("hx-boosted");
const HX_CURRENT_URL: HeaderName = HeaderName::from_static("hx-current-url");
const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");

/// A denied request, and the login page for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal<'a> {
    pub(crate) reason: DeniedReason,
    /// The method that is needed.
    pub(crate) method: Option<MethodName>,
    pub(crate) head: &'a Parts,
    /// The URI as the client sent it, before nested routers removed a prefix.
    pub(crate) uri: &'a Uri,
    pub(crate) login_page: Option<&'a PageUrl>,
    /// The challenge for a client that uses, or has to use, an API key.
    pub(crate) bearer: Option<Bearer<'a>>,
    pub(crate) config: &'a DeniedConfig,
}

impl Refusal<'_> {
    /// Redirects a page load to the login page, and tells htmx to go there. Everything else gets
    /// the bare status.
    pub(crate) fn default_response(&self) -> Response<String> {
        let client = Client::of(&self.head.headers);
        let url = match client {
            Client::Page | Client::Htmx => self.login_url(),
            Client::Script => None,
        };
        self.response_to(client, url.as_deref())
    }

    /// Like [`default_response`](Self::default_response), if the URL of the login page is already
    /// known.
    pub(super) fn default_response_with(&self, login_url: Option<&str>) -> Response<String> {
        self.response_to(Client::of(&self.head.headers), login_url)
    }

    fn response_to(&self, client: Client, login_url: Option<&str>) -> Response<String> {
        let mut response = Response::new(String::new());
        if matches!(
            self.reason,
            DeniedReason::Forbidden | DeniedReason::InsufficientScope
        ) {
            *response.status_mut() = StatusCode::FORBIDDEN;
            if let Some(bearer) = self.bearer {
                let challenge = bearer.challenge(self.config.bearer_challenge());
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            }
            return response;
        }
        // A client with an API key doesn't show a login page.
        let client = match self.bearer {
            Some(_) => Client::Script,
            None => client,
        };
        // A login URL is visible ASCII, which is always a valid header value.
        let url = login_url
            .filter(|_| client != Client::Script)
            .and_then(|url| HeaderValue::try_from(url).ok());
        match (client, url) {
            (Client::Page, Some(url)) => {
                *response.status_mut() = StatusCode::SEE_OTHER;
                response.headers_mut().insert(LOCATION, url);
            }
            (_, url) => {
                self.challenge(&mut response);
                if let Some(url) = url {
                    response.headers_mut().insert(HX_REDIRECT, url);
                }
            }
        }
        response
    }

    /// A 401 must name a scheme (RFC 9110, 15.5.2).
    fn challenge(&self, response: &mut Response<String>) {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        let headers = response.headers_mut();
        if let Some(bearer) = self.bearer {
            let challenge = bearer.challenge(self.config.bearer_challenge());
            headers.insert(WWW_AUTHENTICATE, challenge);
        } else if self.config.challenges.is_empty() {
            // Browsers do not know these schemes, so they do not open a password dialog.
            let scheme = match self.config.has_api_keys {
                true => "Bearer",
                false => "Session",
            };
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
        }
        for challenge in &self.config.challenges {
            if self.bearer.is_none() || !is_bearer(challenge) {
                headers.append(WWW_AUTHENTICATE, challenge.clone());
            }
        }
    }

    /// The path to return to after the login.
    pub(super) fn next(&self) -> NextPath {
        if is_part_of_a_page(&self.head.headers) {
            return self.page_around().unwrap_or_default();
        }
        match self.head.method {
            Method::GET | Method::HEAD => self.config.next_of(self.uri),
            _ => NextPath::none(),
        }
    }

    /// The path to keep in a cookie because of this response; `None` if the cookie is not changed.
    /// If the page around an htmx part is not known, the path that is already kept stays.
    pub(crate) fn next_to_keep<B>(&self, response: &Response<B>) -> Option<NextPath> {
        let leads_on = [LOCATION, HX_REDIRECT]
            .iter()
            .any(|header| response.headers().contains_key(header));
        if self.config.next_in != NextIn::Cookie || !leads_on {
            return None;
        }
        match is_part_of_a_page(&self.head.headers) {
            true => self.page_around(),
            false => Some(self.next()),
        }
    }

    /// The path and query of the page around a part, from the header that htmx sends. Its host is
    /// ignored.
    fn page_around(&self) -> Option<NextPath> {
        let url = self.head.headers.get(HX_CURRENT_URL)?.to_str().ok()?;
        let next = NextPath::of_request("", &url.parse().ok()?);
        let is_login_page = self.login_page.is_some_and(|page| page.is_at(next.path()));
        (next.as_str().is_some() && !is_login_page).then_some(next)
    }

    /// The URL of the login page; `None` if there is none, or if this is a request for it.
    pub(super) fn login_url(&self) -> Option<String> {
        let page = self.login_page?;
        let notice = match self.reason.wants_refresh() {
            true => Notice::Refresh,
            false => Notice::Login,
        };
        if self.is_for(page) {
            // Redirecting to the same page again would loop.
            return None;
        }
        let next = (self.config.next_in == NextIn::Query).then(|| self.next());
        let next = next.as_ref().map(|next| (&*self.config.next_field, next));
        Some(page.url(next, Some((notice, self.method))))
    }

    /// Logs that the login page is itself guarded, if this is a request for it.
    #[cfg(feature = "tracing")]
    pub(crate) fn log_loop(&self) {
        if self.needs_login() && self.login_page.is_some_and(|page| self.is_for(page)) {
            tracing::error!(
                "the login page {:?} is itself guarded: add `.except([{0:?}])` to the guard, or move the route out of it",
                self.uri.path()
            );
        }
    }

    /// Whether a login can help.
    #[cfg(feature = "tracing")]
    fn needs_login(&self) -> bool {
        matches!(self.reason, DeniedReason::LoginRequired(_)) || self.reason.wants_refresh()
    }

    /// Whether this is a request for the login page itself. A proxy may have removed a prefix that
    /// is not configured; then the page is recognized by the notice of our redirect.
    fn is_for(&self, page: &PageUrl) -> bool {
        page.is_at(&self.config.path(self.uri))
            || (page.ends_with(self.uri.path()) && Notice::from_query(self.uri.query()).is_some())
    }
}

/// Whether htmx loads a part of a page, which is not a place to return to. A boosted link loads a
/// whole page.
fn is_part_of_a_page(headers: &HeaderMap) -> bool {
    Client::of(headers) == Client::Htmx && !headers.contains_key(HX_BOOSTED)
}
