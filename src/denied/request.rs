//! Requests that a guard does not let through.

use http::{HeaderMap, Method, Response, Uri, request::Parts};

use super::{
    DeniedConfig, LoginView, NextIn, NextPath, Notice,
    response::{default_response, is_part_of_a_page, page_around},
};
use crate::reason::DeniedReason;

/// A request that a guard does not let through, as passed to
/// [`with_unauthorized`](crate::LoginManager::with_unauthorized).
#[derive(Clone, Copy, Debug)]
pub struct Denied<'a> {
    reason: DeniedReason,
    head: &'a Parts,
    uri: &'a Uri,
    login_view: Option<&'a LoginView>,
    denied_config: &'a DeniedConfig,
}

impl<'a> Denied<'a> {
    pub(crate) fn new(
        reason: DeniedReason,
        head: &'a Parts,
        uri: &'a Uri,
        denied_config: &'a DeniedConfig,
    ) -> Self {
        Self {
            reason,
            head,
            uri,
            login_view: None,
            denied_config,
        }
    }

    /// Adds the login page, once it is known.
    pub(crate) fn sent_to(self, login_view: Option<&'a LoginView>) -> Self {
        Self { login_view, ..self }
    }

    /// Returns why the request is not let through.
    #[must_use]
    pub fn reason(&self) -> DeniedReason {
        self.reason
    }

    /// Returns the request's method.
    #[must_use]
    pub fn method(&self) -> &'a Method {
        &self.head.method
    }

    /// Returns the URI as the client sent it, before nested routers removed a prefix.
    #[must_use]
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// Returns the request's headers.
    #[must_use]
    pub fn headers(&self) -> &'a HeaderMap {
        &self.head.headers
    }

    /// Returns the path to return to after the login.
    ///
    /// It is the path and query for `GET` and `HEAD`, and none for other methods, since a link
    /// cannot repeat them. htmx requests a part of a page, so for htmx it is the page around that
    /// part, if htmx sends it.
    #[must_use]
    pub fn next(&self) -> NextPath {
        if is_part_of_a_page(self.headers()) {
            return page_around(self.headers()).unwrap_or_default();
        }
        match *self.method() {
            Method::GET | Method::HEAD => NextPath::of_request(self.uri),
            _ => NextPath::none(),
        }
    }

    /// Returns the default response, so that
    /// [`with_unauthorized`](crate::LoginManager::with_unauthorized) can change only some
    /// responses.
    ///
    /// ```
    /// # use login_manager::{AuthUser, LoginManager, MemoryStore};
    /// # struct Account { id: i64 }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
    /// # let login_manager = LoginManager::new(MemoryStore::new(), |id| async move { Some(Account { id }) });
    /// use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
    ///
    /// let login_manager = login_manager.with_unauthorized(|denied| {
    ///     let mut response = denied.default_response();
    ///     if response.status() == StatusCode::FORBIDDEN {
    ///         *response.body_mut() = b"<h1>Not for you</h1>".to_vec();
    ///         response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    ///     }
    ///     response
    /// });
    /// ```
    #[must_use]
    pub fn default_response(&self) -> Response<Vec<u8>> {
        default_response(self)
    }

    /// Returns the URL of the login page, with the notice and, unless it is kept
    /// [elsewhere](NextIn), the path to return to in its query.
    ///
    /// Returns `None` if no login view is set, or if this is a request for the login view itself.
    #[must_use]
    pub fn login_url(&self) -> Option<String> {
        let view = self.login_view?;
        if view.is_at(self.uri.path()) {
            // Redirecting to the same page again would loop.
            #[cfg(feature = "tracing")]
            tracing::error!(
                "the login view {:?} is itself guarded: add `.except([{0:?}])` to the guard, or move the route out of it",
                self.uri.path()
            );
            return None;
        }
        let notice = match self.reason {
            DeniedReason::FreshLoginRequired => Notice::Refresh,
            _ => Notice::Login,
        };
        let field = self.denied_config.next_field();
        Some(match self.denied_config.next_in {
            NextIn::Query => view.url(Some((field, &self.next())), Some(notice)),
            NextIn::Cookie | NextIn::Nowhere => view.url(None, Some(notice)),
        })
    }
}
