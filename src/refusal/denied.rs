//! A request that isn't let in.

use http::{HeaderMap, Method, Uri, request::Parts};

use super::{LoginView, NextIn, NextPath, Notice, Refusals};
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

    /// The way back: path and query for GET and HEAD, none for what can't be repeated by following a link.
    #[must_use]
    pub fn next(&self) -> NextPath {
        match *self.method() {
            Method::GET | Method::HEAD => NextPath::of_request(self.uri),
            _ => NextPath::none(),
        }
    }

    /// Where to log in, with the notice in its query and, unless that is kept [elsewhere](NextIn), the way back; `None` where
    /// no login view is set, and for a request for the login view itself.
    #[must_use]
    pub fn login_url(&self) -> Option<String> {
        self.login_url_with(&self.next())
    }

    pub(super) fn login_url_with(&self, next: &NextPath) -> Option<String> {
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
            NextIn::Query => view.url(Some((field, next)), notice),
            NextIn::Cookie | NextIn::Nowhere => view.url(None, notice),
        })
    }
}
