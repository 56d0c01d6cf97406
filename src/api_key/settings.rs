//! [`ApiKeySettings`]: the prefix of an application's keys, and how many a user may have.

use std::borrow::Cow;

use crate::error::ConfigError;

/// The prefix of the API keys, and how many a user may have. Pass it to
/// [`with_api_keys`](crate::LoginManager::with_api_keys), which also accepts the prefix alone.
///
/// ```
/// # use login_manager::{AuthUser, LoginManager, MemoryStore};
/// # struct Account { id: i64 }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
/// # let load = |id| async move { Some(Account { id }) };
/// # let login_manager = LoginManager::new(MemoryStore::new(), load);
/// use login_manager::api_keys::ApiKeySettings;
///
/// let login_manager = login_manager.with_api_keys(ApiKeySettings::new("shop").max_per_user(10));
/// ```
///
/// Nothing is checked until the manager takes it, or [`check`](ApiKeySettings::check) is called.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it changes nothing until a manager takes it"]
pub struct ApiKeySettings {
    prefix: Cow<'static, str>,
    max_per_user: usize,
}

impl ApiKeySettings {
    /// Creates settings for keys that begin with this prefix and an underscore, at most 50 for each
    /// user.
    ///
    /// The prefix is 1 to 20 lowercase ASCII letters, digits and underscores: the name of your
    /// application, by which people and secret scanners recognize its keys. Keys with another
    /// prefix are refused, so don't change it.
    pub fn new(prefix: impl Into<Cow<'static, str>>) -> Self {
        Self {
            prefix: prefix.into(),
            max_per_user: 50,
        }
    }

    /// Sets how many unexpired keys a user may have. Default: 50.
    pub fn max_per_user(mut self, limit: usize) -> Self {
        self.max_per_user = limit;
        self
    }

    /// Checks settings that come from a configuration file.
    ///
    /// # Errors
    /// - if the prefix is not 1 to 20 lowercase ASCII letters, digits and underscores
    /// - if the limit is 0
    pub fn check(&self) -> Result<(), ConfigError> {
        let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        if !(1..=20).contains(&self.prefix.len()) || !self.prefix.bytes().all(is_plain) {
            return Err(ConfigError::new(
                "ApiKeySettings::new",
                self.prefix.as_ref(),
                "a prefix is 1 to 20 lowercase ASCII letters, digits and underscores",
            ));
        }
        ConfigError::check_limit("ApiKeySettings::max_per_user", self.max_per_user)
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) fn limit(&self) -> usize {
        self.max_per_user
    }
}

impl From<&'static str> for ApiKeySettings {
    fn from(prefix: &'static str) -> Self {
        Self::new(prefix)
    }
}

impl From<String> for ApiKeySettings {
    fn from(prefix: String) -> Self {
        Self::new(prefix)
    }
}
