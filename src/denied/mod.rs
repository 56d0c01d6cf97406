//! Responses to requests that a guard does not let through: a redirect to the login page, or a
//! status.

mod login_view;
mod next_in;
mod next_path;
mod notice;
mod page_load;
mod query;
mod request;
mod response;
mod views;

use std::{fmt, sync::Arc};

use http::Response;

use crate::error::ConfigError;

pub(crate) use self::{
    login_view::LoginView,
    query::only_value,
    response::{DeniedResponse, respond},
    views::Views,
};
pub use self::{
    next_in::NextIn,
    next_path::{InvalidNext, NextPath},
    notice::Notice,
    request::Denied,
};

/// The part of a manager's configuration that is about denied requests.
#[derive(Clone)]
pub(crate) struct DeniedConfig {
    pub(crate) views: Views,
    pub(crate) view_of: Option<Arc<ViewOf>>,
    pub(crate) unauthorized: Option<Arc<Unauthorized>>,
    pub(crate) next_in: NextIn,
    next_field: Box<str>,
}

/// The application's function that chooses a login page for a request.
pub(crate) type ViewOf = dyn Fn(&Denied<'_>) -> Option<String> + Send + Sync;

/// The application's function that responds to denied requests.
pub(crate) type Unauthorized = dyn Fn(&Denied<'_>) -> Response<Vec<u8>> + Send + Sync;

impl DeniedConfig {
    pub(crate) fn next_field(&self) -> &str {
        &self.next_field
    }

    pub(crate) fn set_next_field(&mut self, field: &str) -> Result<(), ConfigError> {
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if field.is_empty() || field.len() > 64 || field == "notice" || !field.bytes().all(is_plain)
        {
            return Err(ConfigError::new(
                "with_next_field",
                field,
                "a field is 1 to 64 ASCII letters, digits, hyphens, underscores and dots, and not `notice`",
            ));
        }
        self.next_field = field.into();
        Ok(())
    }
}

impl Default for DeniedConfig {
    fn default() -> Self {
        Self {
            views: Views::default(),
            view_of: None,
            unauthorized: None,
            next_in: NextIn::default(),
            next_field: "next".into(),
        }
    }
}

impl fmt::Debug for DeniedConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeniedConfig")
            .field("views", &self.views)
            .field("view_of", &self.view_of.is_some())
            .field("unauthorized", &self.unauthorized.is_some())
            .field("next_in", &self.next_in)
            .field("next_field", &self.next_field)
            .finish()
    }
}
