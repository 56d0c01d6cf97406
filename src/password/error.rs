//! Why a password could not be hashed or checked.

use http::{Response, StatusCode};

use crate::error::{BoxError, bare_response};

/// Why a password could not be hashed or checked. A wrong password is no error: see [`Verdict`](super::Verdict).
///
/// [`TooLong`](Self::TooLong) and [`Empty`](Self::Empty) are for the person who chooses a password to correct. As an axum
/// response they are 422, [`Busy`](Self::Busy) is a 503 with `Retry-After`, the rest are 500s. None of them holds the
/// password or a hash.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// A password of more bytes than [`Passwords::MAX_BYTES`](super::Passwords::MAX_BYTES) was to be hashed. To check one is no
    /// error, it is never valid.
    #[error("the password is longer than {limit} bytes")]
    TooLong {
        /// The most bytes that are accepted.
        limit: usize,
    },
    /// An empty password was to be hashed. To check one is no error, it is never valid.
    #[error("the password is empty")]
    Empty,
    /// Other passwords kept every slot for the whole [`with_max_wait`](super::Passwords::with_max_wait).
    #[error("too many other passwords are being hashed or checked")]
    Busy,
    /// There is no tokio runtime here, it is shutting down, or it was built without timers.
    #[error("there is no running tokio runtime with timers here")]
    NoRuntime,
    /// The operating system gave no random bytes for the salt.
    #[error("the operating system gave no random bytes")]
    Random(#[source] BoxError),
    /// argon2 failed; most likely its memory could not be allocated.
    #[error("argon2 failed")]
    Failed(#[source] BoxError),
    /// argon2 panicked. The slot is free again, and nobody was let in.
    #[error("argon2 panicked")]
    Panicked,
}

impl PasswordError {
    /// The status that says it over HTTP.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TooLong { .. } | Self::Empty => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The response to a request that failed with this error, for services without axum: the
    /// status, `Retry-After` for [`Busy`](Self::Busy), and an empty body. With axum the error
    /// itself is this response.
    #[must_use]
    pub fn response(&self) -> Response<String> {
        bare_response(self.status())
    }
}
