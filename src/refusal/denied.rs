//! A request that isn't let in.

use std::fmt;

use http::{HeaderMap, Method, Response, Uri, request::Parts};
use serde_core::{Serialize, Serializer};

use super::{
    LoginView, NextIn, NextPath, Notice, Refusals,
    response::{default_response, is_part_of_a_page, page_around},
};
use crate::why::Why;

/// A request that isn't let in, for [`with_unauthorized`](crate::LoginManager::with_unauthorized) to answer.
#[derive(Clone, Copy, Debug)]
pub struct Denied<'a> {
    reason: Reason,
    head: &'a Parts,
    uri: &'a Uri,
    login_view: Option<&'a LoginView>,
    refusals: &'a Refusals,
}

/// What was missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Nobody is logged in, for this reason.
    LoginRequired(Why),
    /// Somebody is logged in who has to prove again who they are.
    FreshLoginRequired,
    /// Somebody is logged in who may not do this.
    Forbidden,
}

impl Reason {
    /// A stable name for logs, metrics and templates: `login_required`, `fresh_login_required` or
    /// `forbidden`. It doesn't say [why](Why) nobody is logged in.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LoginRequired(_) => "login_required",
            Self::FreshLoginRequired => "fresh_login_required",
            Self::Forbidden => "forbidden",
        }
    }
}

/// As [`as_str`](Reason::as_str).
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// As the text of [`as_str`](Reason::as_str).
impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'a> Denied<'a> {
    pub(crate) fn new(
        reason: Reason,
        head: &'a Parts,
        uri: &'a Uri,
        refusals: &'a Refusals,
    ) -> Self {
        Self {
            reason,
            head,
            uri,
            login_view: None,
            refusals,
        }
    }

    /// The same, once it is known where to log in.
    pub(crate) fn sent_to(self, login_view: Option<&'a LoginView>) -> Self {
        Self { login_view, ..self }
    }

    /// What was missing.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The request's method.
    #[must_use]
    pub fn method(&self) -> &'a Method {
        &self.head.method
    }

    /// The URI that the client asked for, before any router took a part of it away.
    #[must_use]
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// The request's headers.
    #[must_use]
    pub fn headers(&self) -> &'a HeaderMap {
        &self.head.headers
    }

    /// The way back: path and query for GET and HEAD, none for what can't be repeated by following a link. What htmx asks for is a
    /// part of a page, so the way back is the page around it, where htmx says which that is.
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

    /// The answer that it gets where nobody has one of their own: for an own answer to some and this one to the others.
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

    /// Where to log in, with the notice in its query and, unless that is kept [elsewhere](NextIn), the way back; `None` where
    /// no login view is set, and for a request for the login view itself.
    #[must_use]
    pub fn login_url(&self) -> Option<String> {
        let view = self.login_view?;
        if view.is_at(self.uri.path()) {
            // To send them there again would send them round in circles.
            #[cfg(feature = "tracing")]
            tracing::error!(
                "the login view {:?} is itself guarded: add `.except([{0:?}])` to the guard, or move the route out of it",
                self.uri.path()
            );
            return None;
        }
        let notice = match self.reason {
            Reason::FreshLoginRequired => Notice::Refresh,
            _ => Notice::Login,
        };
        let field = self.refusals.next_field();
        Some(match self.refusals.next_in {
            NextIn::Query => view.url(Some((field, &self.next())), Some(notice)),
            NextIn::Cookie | NextIn::Nowhere => view.url(None, Some(notice)),
        })
    }
}
