//! The error of hashing and checking passwords.

use http::{Response, StatusCode};

use crate::error::{BoxError, bare_response};

/// The error if a password could not be hashed or checked. A wrong password is not an error, but a
/// [`Verdict`](super::Verdict).
///
/// [`TooLong`](Self::TooLong) and [`Empty`](Self::Empty) can be corrected by the user who chooses
/// the password. As axum responses, they are `422`, [`Busy`](Self::Busy) is `503` with
/// `Retry-After`, and all others are `500`. No error contains the password or a hash.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// The password to hash is longer than [`Passwords::MAX_BYTES`](super::Passwords::MAX_BYTES).
    /// When checking a password, this is not an error; the password is never valid.
    #[error("the password is longer than {limit} bytes")]
    TooLong {
        /// The maximum length in bytes.
        limit: usize,
    },
    /// The password to hash is empty. When checking a password, this is not an error; the password
    /// is never valid.
    #[error("the password is empty")]
    Empty,
    /// No slot became free within [`with_max_wait`](super::Passwords::with_max_wait).
    #[error("too many other passwords are being hashed or checked")]
    Busy,
    /// There is no tokio runtime, it is shutting down, or it was built without timers.
    #[error("there is no running tokio runtime with timers here")]
    NoRuntime,
    /// The operating system returned no random bytes for the salt.
    #[error("the operating system returned no random bytes")]
    Random(#[source] BoxError),
    /// argon2 failed, most likely because its memory could not be allocated.
    #[error("argon2 failed")]
    Failed(#[source] BoxError),
    /// argon2 panicked. The slot is released, and no password was accepted.
    #[error("argon2 panicked")]
    Panicked,
}

impl PasswordError {
    /// Returns the HTTP status for this error.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TooLong { .. } | Self::Empty => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns the response to a request that failed with this error, for services without axum:
    /// the status, `Retry-After` for [`Busy`](Self::Busy), and an empty body. With axum, the error
    /// itself can be returned as this response.
    #[must_use]
    pub fn response(&self) -> Response<String> {
        bare_response(self.status())
    }
}
