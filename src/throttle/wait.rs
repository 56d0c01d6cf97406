//! The response to a guess that comes too early.

use std::time::Duration;

#[cfg(feature = "axum")]
use axum_core::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
};

use crate::clock::Millis;

/// A guess that is not permitted yet. It has not been counted, and the wait does not get longer.
///
/// With axum, a handler can return it: it becomes the response that [`response`](Wait::response)
/// returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    duration: Duration,
}

impl Wait {
    pub(super) fn new(millis: Millis) -> Self {
        Self {
            duration: Duration::from_millis(millis.max(0).unsigned_abs()),
        }
    }

    /// Returns how long it is until the next guess is permitted, if no other client is first.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Returns the response, for services without axum and as the basis of your own: 429 with
    /// `Retry-After` in whole seconds, rounded up. The text is the same whatever was counted, and
    /// whether or not the name belongs to a user.
    #[must_use]
    pub fn response(&self) -> http::Response<String> {
        let text = "Too many attempts. Please try again later.\n";
        let mut response = http::Response::new(text.to_owned());
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        let headers = response.headers_mut();
        headers.insert(RETRY_AFTER, HeaderValue::from(self.seconds()));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        headers.insert(CONTENT_TYPE, plain);
        response
    }

    /// The whole seconds of `Retry-After`, never 0.
    fn seconds(&self) -> u64 {
        let part = u64::from(self.duration.subsec_nanos() > 0);
        self.duration.as_secs().saturating_add(part).max(1)
    }
}

#[cfg(feature = "axum")]
impl IntoResponse for Wait {
    fn into_response(self) -> Response {
        self.response().map(Body::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_rounded_up_to_whole_seconds() {
        let cases = [
            (0, "1"),
            (1, "1"),
            (1000, "1"),
            (1001, "2"),
            (900_000, "900"),
            (-1, "1"),
        ];
        for (millis, seconds) in cases {
            let response = Wait::new(millis).response();
            assert_eq!(response.status(), 429);
            assert_eq!(response.headers()["retry-after"], seconds);
        }
    }
}
