//! The application's own responses to denied requests.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
};

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::{Body, Frame};

use super::Denied;
use crate::error::{BoxError, bare_response};

/// The application's function that responds to denied requests.
pub(crate) type Unauthorized =
    dyn Fn(Denied) -> Pin<Box<dyn Future<Output = Response<Bytes>> + Send>> + Send + Sync;

/// The responses that a function of [`with_unauthorized`](crate::LoginManager::with_unauthorized)
/// may return: with axum, everything that a handler may return (`IntoResponse`); otherwise a
/// [`Response`] with any body whose data is [`Bytes`].
///
/// The body is collected before it is sent, so it must end: an event stream would never be sent.
/// Trailers are dropped. If the body fails, the response is a 500 without a body.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a response to a denied request",
    note = "with the feature `axum` it is anything that implements `IntoResponse`, \
            otherwise an `http::Response` whose body implements `http_body::Body<Data = Bytes>`"
)]
pub trait IntoDeniedResponse: sealed::Sealed {
    #[doc(hidden)]
    fn into_denied_response(self) -> impl Future<Output = Response<Bytes>> + Send;
}

#[cfg(feature = "axum")]
impl<R: axum_core::response::IntoResponse> IntoDeniedResponse for R {
    fn into_denied_response(self) -> impl Future<Output = Response<Bytes>> + Send {
        collected(self.into_response())
    }
}

#[cfg(not(feature = "axum"))]
impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static> IntoDeniedResponse
    for Response<B>
{
    fn into_denied_response(self) -> impl Future<Output = Response<Bytes>> + Send {
        collected(self)
    }
}

pub(crate) fn erase<F, Fut>(unauthorized: F) -> Arc<Unauthorized>
where
    F: Fn(Denied) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoDeniedResponse> + Send + 'static,
{
    Arc::new(move |denied| {
        let response = unauthorized(denied);
        Box::pin(async move { response.await.into_denied_response().await })
    })
}

/// The same response with its whole body, or a 500 without a body if the body fails.
async fn collected<B>(response: Response<B>) -> Response<Bytes>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send,
{
    let (head, body) = response.into_parts();
    let mut body = pin!(body);
    let mut whole = Vec::new();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        match frame.map(Frame::into_data) {
            Ok(Ok(data)) => whole.extend_from_slice(&data),
            // Trailers are dropped.
            Ok(Err(_)) => {}
            Err(error) => {
                let _error: BoxError = error.into();
                #[cfg(feature = "tracing")]
                tracing::error!("the body of a with_unauthorized response failed: {_error}");
                return bare_response(StatusCode::INTERNAL_SERVER_ERROR);
            }
        }
    }
    Response::from_parts(head, whole.into())
}

mod sealed {
    #[allow(unnameable_types, reason = "that is what seals it")]
    pub trait Sealed {}

    #[cfg(feature = "axum")]
    impl<R: axum_core::response::IntoResponse> Sealed for R {}

    #[cfg(not(feature = "axum"))]
    impl<B> Sealed for http::Response<B> {}
}
