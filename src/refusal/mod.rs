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
    pub(crate) unauthorized: Option<Arc<Unauthorized>>,
}

/// An application's own answer to a refused visitor.
pub(crate) type Unauthorized = dyn Fn(&Denied<'_>) -> Response<Vec<u8>> + Send + Sync;

impl fmt::Debug for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusals")
            .field("login_view", &self.login_view)
            .field("unauthorized", &self.unauthorized.is_some())
            .finish()
    }
}
