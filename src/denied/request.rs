//! Denied requests as the application sees them.

use std::fmt;

use http::{HeaderMap, Method, Response, Uri, request::Parts};

use super::{NextPath, Refusal};
use crate::{reason::DeniedReason, session::MethodName};

/// A request that a guard does not let through, as passed to
/// [`with_unauthorized`](crate::LoginManager::with_unauthorized) and
/// [`LoginPage::chosen_by`](crate::manager::LoginPage::chosen_by).
#[derive(Clone)]
pub struct Denied {
    reason: DeniedReason,
    method: Option<MethodName>,
    head: Parts,
    uri: Uri,
    next: NextPath,
    login_url: Option<String>,
    default_response: Response<String>,
}

impl Denied {
    pub(crate) fn new(refusal: &Refusal<'_>) -> Self {
        let login_url = refusal.login_url();
        Self {
            reason: refusal.reason,
            method: refusal.method,
            head: refusal.head.clone(),
            uri: refusal.uri.clone(),
            next: refusal.next(),
            default_response: refusal.default_response_with(login_url.as_deref()),
            login_url,
        }
    }

    /// Returns why the request is not let through.
    #[must_use]
    pub fn reason(&self) -> DeniedReason {
        self.reason
    }

    /// Returns the name of the [method](crate::guard::LoginRequiredLayer::needs) by which the user
    /// has to enter credentials, if that is the [reason](DeniedReason::MethodRequired).
    #[must_use]
    pub fn needed_method(&self) -> Option<&str> {
        self.method.as_ref().map(MethodName::as_str)
    }

    /// Returns the request's method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.head.method
    }

    /// Returns the URI as the client sent it, before nested routers removed a prefix.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Returns the request's headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Returns the request's head, with its extensions.
    #[must_use]
    pub fn head(&self) -> &Parts {
        &self.head
    }

    /// Returns the path to return to after the login.
    ///
    /// It is the path and query for `GET` and `HEAD`, and [`none`](NextPath::none) for other
    /// methods, since a link cannot repeat them. If htmx requests a part of a page, it is the path
    /// of the page around that part, if htmx sends it.
    #[must_use]
    pub fn next(&self) -> &NextPath {
        &self.next
    }

    /// Returns the default response, so that
    /// [`with_unauthorized`](crate::LoginManager::with_unauthorized) can change only some
    /// responses.
    #[must_use]
    pub fn default_response(&self) -> Response<String> {
        self.default_response.clone()
    }

    /// Returns the URL of the login page. Its query contains the notice and the path to return to,
    /// unless that path is kept [elsewhere](crate::manager::NextIn).
    ///
    /// Returns `None` if no login page is set, or if this is a request for the login page itself.
    #[must_use]
    pub fn login_url(&self) -> Option<&str> {
        self.login_url.as_deref()
    }
}

/// Omits the headers, which contain the cookies.
impl fmt::Debug for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Denied")
            .field("reason", &self.reason)
            .field("method", self.method())
            .field("path", &self.uri.path())
            .finish_non_exhaustive()
    }
}
