//! What a visitor gets who isn't let in: sent to the login page, or told so.

mod denied;
mod login_view;
mod next;
mod notice;
mod query;
mod response;

use std::{fmt, sync::Arc};

use http::Response;

pub use self::{
    denied::{Denied, Reason},
    next::{InvalidNext, NextPath},
    notice::Notice,
};
pub(crate) use self::{login_view::LoginView, response::respond};

/// What a manager's configuration says about refusals.
#[derive(Clone, Default)]
pub(crate) struct Refusals {
    pub(crate) login_view: Option<LoginView>,
    pub(crate) refresh_view: Option<LoginView>,
    pub(crate) unauthorized: Option<Arc<Unauthorized>>,
}

impl Refusals {
    /// Where to go for this reason.
    pub(crate) fn login_view(&self, reason: Reason) -> Option<&LoginView> {
        let refresh_view = match reason {
            Reason::FreshLoginRequired => self.refresh_view.as_ref(),
            _ => None,
        };
        refresh_view.or(self.login_view.as_ref())
    }

    /// Whether this is the path of a page where people prove who they are.
    #[cfg(feature = "axum")]
    pub(crate) fn is_view(&self, path: &str) -> bool {
        [&self.login_view, &self.refresh_view]
            .into_iter()
            .flatten()
            .any(|view| view.is_at(path))
    }
}

/// An application's own answer to a refused visitor.
pub(crate) type Unauthorized = dyn Fn(&Denied<'_>) -> Response<Vec<u8>> + Send + Sync;

impl fmt::Debug for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusals")
            .field("login_view", &self.login_view)
            .field("refresh_view", &self.refresh_view)
            .field("unauthorized", &self.unauthorized.is_some())
            .finish()
    }
}
