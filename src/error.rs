//! What can go wrong, in one opaque type.
//!
//! [`Error`] hides what it is made of, so that a new store or a new cause is no breaking change; what a program
//! can act on is its [`kind`](Error::kind). The cause stays behind [`source`](std::error::Error::source) and is
//! not repeated in the message, and neither ever holds a token, a password or a cookie of ours.

use std::fmt;

use tokio::time::error::Elapsed;

/// An error of the application's own store, loader or check, boxed.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a question could not be answered or a verb not be carried out.
///
/// Not being logged in is not an error: see [`Auth::why`](crate::Auth::why).
///
/// With axum it is a response: the one that [`response`](Error::response) returns.
pub struct Error {
    kind: ErrorKind,
    source: Option<BoxError>,
}

/// What kind of error it is: what a program can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The store failed or didn't answer in time. The outcome of a write is then unknown: repeat the verb.
    Store,
    /// The user loader failed or didn't answer in time.
    Loader,
    /// The loader returned another user than the one it was asked for.
    WrongUser,
    /// The check of [`and_authorize`](crate::guard::LoginRequiredLayer::and_authorize) failed or didn't answer in time.
    Authorize,
    /// Other requests kept changing this session; nothing was written.
    Conflict,
    /// The session ended while this ran (a logout, a login or a renewal elsewhere, or this very call, whose answer from the store got
    /// lost); what this wrote is taken back.
    Gone,
    /// The user is not active and [`force`](crate::Login::force) was not asked for.
    Inactive,
    /// The text of the user's id doesn't parse back to the same id, so that no later request could find the user.
    UnstableId,
    /// The head of the response has left, and with it the only place for a cookie.
    TooLate,
    /// The session's data would be larger than 64 KiB; it stays as it was.
    TooLarge,
    /// A value can't be turned into JSON, or what is stored is no value of the type that was asked for.
    Data,
    /// The operating system gave no random bytes.
    Random,
    /// A login was asked for in a part of the application that [takes no cookies](crate::LoginManager::without_cookies).
    NoCookies,
    /// There is no tokio runtime here to run the verb on.
    NoRuntime,
    /// The store, the loader or the user type panicked.
    Panicked,
    /// The request didn't come through a `LoginManager` for this user type.
    NoManager,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, source: impl Into<BoxError>) -> Self {
        Self {
            kind,
            source: Some(source.into()),
        }
    }

    /// What kind of error it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The status that says it over HTTP.
    #[must_use]
    pub fn status(&self) -> http::StatusCode {
        use http::StatusCode;
        match self.kind {
            ErrorKind::Store | ErrorKind::Loader | ErrorKind::Authorize | ErrorKind::Random => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            ErrorKind::Conflict | ErrorKind::Gone => StatusCode::CONFLICT,
            ErrorKind::Inactive => StatusCode::FORBIDDEN,
            ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The response to a request that failed with this error, for services without axum. With axum
    /// the error itself is this response.
    ///
    /// - 503 with `Retry-After` if trying again can help
    /// - 409 if another request changed or ended the session
    /// - 403 for an inactive user
    /// - 413 for too much session data
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

    /// The same with an empty body of any type.
    pub(crate) fn bare_response<B: Default>(&self) -> http::Response<B> {
        bare_response(self.status())
    }
}

/// The bare status, with `Retry-After` if trying again can help.
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
            ErrorKind::Store => "the session store failed or did not answer in time",
            ErrorKind::Loader => "the user loader failed or did not answer in time",
            ErrorKind::WrongUser => {
                "the user loader returned another user than the one it was asked for"
            }
            ErrorKind::Authorize => "the authorization check failed or did not answer in time",
            ErrorKind::Conflict => "other requests kept changing this session",
            ErrorKind::Gone => "the session ended while this ran",
            ErrorKind::Inactive => "the user is not active",
            ErrorKind::UnstableId => "the text of the user's id does not parse back to the same id",
            ErrorKind::TooLate => {
                "the head of the response has left already, and with it the only place for a cookie"
            }
            ErrorKind::TooLarge => "the session's data would be larger than 64 KiB",
            ErrorKind::Data => {
                "a session value cannot be turned into JSON or read back as the type asked for"
            }
            ErrorKind::Random => "the operating system gave no random bytes",
            ErrorKind::NoCookies => {
                "a login needs a cookie, and this part of the application takes and sends none"
            }
            ErrorKind::NoRuntime => "there is no tokio runtime here",
            ErrorKind::Panicked => "the store, the loader or the user type panicked",
            ErrorKind::NoManager => "no LoginManager for this user type is around this handler",
        })
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A cause may quote connection strings or rows: `source()` hands it to who asks for it.
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl Error {
    /// Whether somebody didn't answer before the deadline.
    pub(crate) fn is_timeout(&self) -> bool {
        matches!(&self.source, Some(source) if source.is::<Elapsed>())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// An error of a store whose text is fit for a log: it quotes no row, no key and no connection string.
///
/// Our stores say all of theirs by it. A store of yours may too, and then the log says why it failed; the text of any other error
/// is only for who [listens](crate::LoginManager::with_on_event).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(String);

impl StoreError {
    /// An error that says this.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// A setting that no browser or no request could work with, refused when it is made.
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

    /// The method that refused it.
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
    fn l2_an_error_hides_its_cause_but_keeps_it() {
        let error = Error::new(ErrorKind::Store, "postgres://app:hunter2@db/app refused");
        assert!(!format!("{error} {error:?} {error:#?}").contains("hunter2"));
        assert!(error.source().unwrap().to_string().contains("hunter2"));
    }

    #[test]
    fn a_store_failure_says_when_to_come_back() {
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
    fn a_refused_setting_says_what_was_given_and_what_is_accepted() {
        let error = ConfigError::new("with_realm", "a/b", "a realm has no slash");
        assert_eq!(
            error.to_string(),
            r#"with_realm: "a/b" is not accepted; a realm has no slash"#
        );
    }
}
