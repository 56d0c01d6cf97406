//! Responses to requests that a guard does not let through: a redirect to the login page, or a
//! status.

mod bearer;
mod custom;
mod login_page;
mod next_in;
mod next_path;
mod notice;
mod page_load;
mod page_url;
mod pages;
mod query;
mod refusal;
mod request;

use std::{borrow::Cow, fmt, sync::Arc};

use http::{HeaderValue, Uri};

use crate::error::ConfigError;

use self::login_page::ChosenBy;
#[cfg(any(test, fuzzing))]
pub(crate) use self::page_load::Client;
pub(crate) use self::{
    bearer::Bearer,
    custom::{Unauthorized, erase},
    page_url::PageUrl,
    pages::Pages,
    query::only_value,
    refusal::Refusal,
};
pub use self::{
    custom::IntoDeniedResponse,
    login_page::LoginPage,
    next_in::NextIn,
    next_path::{InvalidNext, NextPath},
    notice::Notice,
    request::Denied,
};

/// The part of a manager's configuration that is about denied requests.
#[derive(Clone)]
pub(crate) struct DeniedConfig {
    pub(crate) pages: Pages,
    pub(crate) chosen_by: Option<Arc<ChosenBy>>,
    pub(crate) unauthorized: Option<Arc<Unauthorized>>,
    pub(crate) next_in: NextIn,
    pub(crate) next_field: Cow<'static, str>,
    path_prefix: Cow<'static, str>,
    /// The values of `WWW-Authenticate`. If there are none, the default challenge is sent.
    challenges: Vec<HeaderValue>,
    pub(crate) has_api_keys: bool,
}

impl DeniedConfig {
    pub(crate) fn set_login_page(&mut self, page: LoginPage) -> Result<(), ConfigError> {
        page.apply(self)
    }

    pub(crate) fn add_challenge(&mut self, challenge: &str) -> Result<(), ConfigError> {
        let scheme = challenge.split(' ').next().unwrap_or_default();
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let is_text = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        let value = HeaderValue::try_from(challenge).ok().filter(|_| {
            !scheme.is_empty() && scheme.bytes().all(is_token) && challenge.bytes().all(is_text)
        });
        self.challenges.push(value.ok_or_else(|| {
            ConfigError::new(
                "with_challenge",
                challenge,
                "a challenge is a scheme, or a scheme, a space and parameters, such as `Bearer realm=\"api\"` \
                 (RFC 9110, 11.6.1)",
            )
        })?);
        Ok(())
    }

    /// The path as the browser sees it.
    pub(crate) fn path<'a>(&self, uri: &'a Uri) -> Cow<'a, str> {
        match &*self.path_prefix {
            "" => uri.path().into(),
            prefix => format!("{prefix}{}", uri.path()).into(),
        }
    }

    /// The path and query of a request, as a place to return to.
    pub(crate) fn next_of(&self, uri: &Uri) -> NextPath {
        NextPath::of_request(&self.path_prefix, uri)
    }
}

impl Default for DeniedConfig {
    fn default() -> Self {
        Self {
            pages: Pages::default(),
            chosen_by: None,
            unauthorized: None,
            next_in: NextIn::default(),
            next_field: "next".into(),
            path_prefix: "".into(),
            challenges: Vec::new(),
            has_api_keys: false,
        }
    }
}

impl fmt::Debug for DeniedConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeniedConfig")
            .field("pages", &self.pages)
            .field("chosen_by", &self.chosen_by.is_some())
            .field("unauthorized", &self.unauthorized.is_some())
            .field("next_in", &self.next_in)
            .field("next_field", &self.next_field)
            .field("path_prefix", &self.path_prefix)
            .field("challenges", &self.challenges)
            .field("has_api_keys", &self.has_api_keys)
            .finish()
    }
}
