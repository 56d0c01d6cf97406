//! The error types of this crate.
//!
//! [`Error`] is opaque, so that a new store or a new cause is not a breaking change. Programs act
//! on its [`kind`](Error::kind). The cause is returned by [`source`](std::error::Error::source) and
//! is not repeated in the message. This crate never puts a secret, a password or a cookie into
//! either.

use std::fmt;

use tokio::time::error::Elapsed;

/// A boxed error, as stores, loaders and authorization checks return it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The error that is returned by the lookup of the current user, by the methods that change it, and
/// by methods for session data.
///
/// Not being logged in is not an error; [`Auth::anonymous_reason`](crate::Auth::anonymous_reason)
/// returns the reason.
///
/// With axum, a handler can return the error: it becomes the response that
/// [`response`](Error::response) returns.
pub struct Error {
    kind: ErrorKind,
    source: Option<BoxError>,
}

/// The kind of an [`Error`].
///
/// In the manual: [Troubleshooting](crate::manual::troubleshooting).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The store failed or did not respond in time. If this was a write, its outcome is unknown:
    /// call the method again.
    Store,
    /// The user loader failed or did not respond in time.
    Loader,
    /// The user loader returned a user with a different id than requested.
    WrongUser,
    /// The check of [`and_authorize`](crate::guard::LoginRequiredLayer::and_authorize) failed or
    /// did not respond in time.
    Authorize,
    /// Concurrent requests kept changing this session or this token, or replaced the session's
    /// secret before this one could. Nothing was written.
    Conflict,
    /// The session ended while this call was in progress, for example by a logout in a concurrent
    /// request. Nothing was written.
    Gone,
    /// At a logout, a cookie named a live session, but no presented secret was valid for it, or
    /// there were more than 8 cookies with one name. The cookies are removed, but a session may
    /// still be live.
    LogoutIncomplete,
    /// The user is not active: a login was attempted without [`force`](crate::auth::Login::force),
    /// or an API key was to be created for them.
    Inactive,
    /// The name, a scope or the lifetime of a new [API key](crate::api_keys::NewApiKey) is not
    /// accepted. No key was created.
    InvalidApiKey,
    /// The user already has the [maximum number](crate::api_keys::ApiKeySettings::max_per_user) of
    /// API keys. No key was created.
    TooManyApiKeys,
    /// [`remember_for`](crate::auth::Login::remember_for) or
    /// [`timeouts`](crate::auth::Login::timeouts) was called with less than a second or more than
    /// 400 days, the maximum lifetime of a cookie, or
    /// [`at_most`](crate::auth::Impersonate::at_most) with less than a second or more than an hour.
    /// No one was logged in.
    InvalidLifetime,
    /// A name that was passed to [`Login::by`](crate::auth::Login::by) or
    /// [`Confirm::by`](crate::auth::Confirm::by) is not 1 to 16 lowercase ASCII letters, digits,
    /// hyphens and underscores. Nothing was written.
    InvalidMethod,
    /// The text of the user's id does not parse back to the same id, so no later request could load
    /// the user.
    UnstableId,
    /// [`impersonate`](crate::Auth::impersonate) was called, but the session is not fresh, or no
    /// user is logged in by a session.
    FreshLoginRequired,
    /// The session is an impersonation, so it can neither be confirmed nor impersonate another
    /// user.
    Impersonating,
    /// The response head has already been sent, so no more cookies can be set.
    TooLate,
    /// The session's data would be larger than 64 KiB, a [flash message](crate::flash) than 16 KiB,
    /// or the data that a [token](crate::tokens) carries than 4 KiB. Nothing is changed.
    TooLarge,
    /// A value cannot be serialized to JSON, or a stored value cannot be deserialized as the
    /// requested type.
    Data,
    /// The operating system returned no random bytes.
    Random,
    /// A login was attempted in a part of the application
    /// [without cookies](crate::LoginManager::without_cookies).
    NoCookies,
    /// The request did not come through a `LoginManager` for this user type.
    NoManager,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, source: impl Into<BoxError>) -> Self {
        Self {
            kind,
            source: Some(source.into()),
        }
    }

    /// Returns the kind of this error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the HTTP status for this error.
    #[must_use]
    pub fn status(&self) -> http::StatusCode {
        use http::StatusCode;
        match self.kind {
            ErrorKind::Store | ErrorKind::Loader | ErrorKind::Authorize | ErrorKind::Random => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            ErrorKind::Conflict
            | ErrorKind::Gone
            | ErrorKind::LogoutIncomplete
            | ErrorKind::TooManyApiKeys => StatusCode::CONFLICT,
            ErrorKind::InvalidApiKey => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::Inactive | ErrorKind::FreshLoginRequired | ErrorKind::Impersonating => {
                StatusCode::FORBIDDEN
            }
            ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns the response to a request that failed with this error, for services without axum.
    /// With axum, the error itself can be returned as this response.
    ///
    /// - 503 with `Retry-After` if trying again can help
    /// - 409 if another request changed or ended the session, a logout was incomplete, or the user
    ///   has too many API keys
    /// - 403 for an inactive user, and for an impersonation that is not possible
    /// - 413 for too much session data
    /// - 422 for an API key whose name, scopes or lifetime is not accepted
    /// - 500 for the rest
    ///
    /// The body is empty, with one exception: if the request didn't come through a `LoginManager`
    /// ([`ErrorKind::NoManager`]), it says in debug builds which layer to add.
    ///
    /// ```
    /// # struct MyBody(Vec<u8>);
    /// # impl From<String> for MyBody { fn from(text: String) -> Self { Self(text.into()) } }
    /// # use login_manager::Error;
    /// fn respond(error: &Error) -> http::Response<MyBody> {
    ///     error.response().map(MyBody::from)
    /// }
    /// ```
    #[must_use]
    pub fn response(&self) -> http::Response<String> {
        self.response_in(cfg!(debug_assertions))
    }

    fn response_in(&self, debug_build: bool) -> http::Response<String> {
        let mut response: http::Response<String> = self.bare_response();
        if let (true, ErrorKind::NoManager, Some(hint)) = (debug_build, self.kind, &self.source) {
            *response.body_mut() = format!("{hint}\n");
            let text = http::HeaderValue::from_static("text/plain; charset=utf-8");
            response
                .headers_mut()
                .insert(http::header::CONTENT_TYPE, text);
        }
        response
    }

    /// The same response with an empty body of any type.
    pub(crate) fn bare_response<B: Default>(&self) -> http::Response<B> {
        bare_response(self.status())
    }
}

/// A response without a body, with `Retry-After` if trying again can help.
pub(crate) fn bare_response<B: Default>(status: http::StatusCode) -> http::Response<B> {
    let mut response = http::Response::new(B::default());
    *response.status_mut() = status;
    if status == http::StatusCode::SERVICE_UNAVAILABLE {
        let in_a_second = http::HeaderValue::from_static("1");
        response
            .headers_mut()
            .insert(http::header::RETRY_AFTER, in_a_second);
    }
    response
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ErrorKind::Store => "the session store failed or did not respond in time",
            ErrorKind::Loader => "the user loader failed or did not respond in time",
            ErrorKind::WrongUser => {
                "the user loader returned a user with a different id than requested"
            }
            ErrorKind::Authorize => "the authorization check failed or did not respond in time",
            ErrorKind::Conflict => "other requests kept changing the same record",
            ErrorKind::Gone => "the session ended while this call was in progress",
            ErrorKind::LogoutIncomplete => {
                "a cookie names a session that no presented secret opens, or there are too many cookies"
            }
            ErrorKind::Inactive => "the user is not active",
            ErrorKind::InvalidApiKey => {
                "the name, a scope or the lifetime of the new API key is not accepted"
            }
            ErrorKind::TooManyApiKeys => "the user has as many API keys as they may",
            ErrorKind::InvalidLifetime => {
                "a login lasts and is remembered for one second to 400 days, an impersonation at most an hour"
            }
            ErrorKind::InvalidMethod => {
                "a method is 1 to 16 lowercase ASCII letters, digits, hyphens and underscores"
            }
            ErrorKind::UnstableId => "the text of the user's id does not parse back to the same id",
            ErrorKind::FreshLoginRequired => "only a fresh session can impersonate a user",
            ErrorKind::Impersonating => {
                "an impersonation can neither be confirmed nor impersonate another user"
            }
            ErrorKind::TooLate => {
                "the response head has already been sent, so no more cookies can be set"
            }
            ErrorKind::TooLarge => {
                "the data would be larger than 64 KiB in a session, 16 KiB in a message or 4 KiB in a token"
            }
            ErrorKind::Data => {
                "a value cannot be serialized to JSON or deserialized as the requested type"
            }
            ErrorKind::Random => "the operating system returned no random bytes",
            ErrorKind::NoCookies => {
                "a login needs a cookie, and this part of the application ignores cookies"
            }
            ErrorKind::NoManager => "no LoginManager for this user type is around this handler",
        })
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A cause may quote connection strings or rows, so it is only available from `source()`.
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl Error {
    /// Whether a call exceeded the deadline.
    pub(crate) fn is_timeout(&self) -> bool {
        matches!(&self.source, Some(source) if source.is::<Elapsed>())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// An error of a store whose text is safe to log: it quotes no row, no key and no connection
/// string.
///
/// The stores of this crate return all their errors as a `StoreError`. If a custom store does so,
/// too, the log contains its text. The text of any other error is only passed to
/// [`with_on_event`](crate::LoginManager::with_on_event).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(String);

impl StoreError {
    /// Creates an error with this text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// The error for an invalid setting, with which no browser or no request could work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {given:?} is not accepted; {accepted}")]
pub struct ConfigError {
    setting: &'static str,
    given: String,
    accepted: &'static str,
}

impl ConfigError {
    pub(crate) fn new(
        setting: &'static str,
        given: impl Into<String>,
        accepted: &'static str,
    ) -> Self {
        Self {
            setting,
            given: given.into(),
            accepted,
        }
    }

    /// Panics with the message of an error, in the name of the caller.
    #[track_caller]
    #[allow(
        clippy::panic,
        reason = "the program has a setting with which it must not start"
    )]
    pub(crate) fn expect_none<T>(result: Result<T, Self>) -> T {
        match result {
            Ok(accepted) => accepted,
            Err(error) => panic!("{error}"),
        }
    }

    /// Checks a maximum number.
    pub(crate) fn check_limit(setting: &'static str, limit: usize) -> Result<(), Self> {
        match limit {
            0 => Err(Self::new(setting, "0", "a limit is at least 1")),
            _ => Ok(()),
        }
    }

    /// Returns the name of the method that set it.
    #[must_use]
    pub fn setting(&self) -> &'static str {
        self.setting
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn error_hides_its_cause_and_keeps_it_as_source() {
        let error = Error::new(ErrorKind::Store, "postgres://app:hunter2@db/app refused");
        assert!(!format!("{error} {error:?} {error:#?}").contains("hunter2"));
        assert!(error.source().unwrap().to_string().contains("hunter2"));
    }

    #[test]
    fn store_failure_has_a_retry_after_header() {
        let response = Error::from(ErrorKind::Store).response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "1");
        assert!(response.body().is_empty());
    }

    #[test]
    fn only_debug_builds_say_which_layer_is_missing() {
        let error = Error::new(ErrorKind::NoManager, "add `.layer(login_manager)`");
        let debug = error.response_in(true);
        assert_eq!(debug.body(), "add `.layer(login_manager)`\n");
        assert_eq!(debug.headers()["content-type"], "text/plain; charset=utf-8");
        let release = error.response_in(false);
        assert_eq!((release.status().as_u16(), &**release.body()), (500, ""));
        assert!(release.headers().is_empty());
    }

    #[test]
    fn no_other_error_puts_its_cause_into_the_response() {
        let error = Error::new(ErrorKind::Store, "postgres://app:hunter2@db/app refused");
        assert!(error.response_in(true).body().is_empty());
    }

    #[test]
    fn config_error_says_what_was_given_and_what_is_accepted() {
        let error = ConfigError::new("with_realm", "a/b", "a realm has no slash");
        assert_eq!(
            error.to_string(),
            r#"with_realm: "a/b" is not accepted; a realm has no slash"#
        );
    }
}
