//! The bodies of responses.

use bytes::Bytes;
use http::Response;
use http_body::Body;

use crate::error::BoxError;

/// The response body of a service inside a manager or a guard: any [`http_body::Body`] that is
/// `Send + 'static`, whose data is [`Bytes`], and whose error converts to a [`BoxError`]. The
/// bodies of axum, hyper, tonic and tower-http qualify, and so does `String`.
///
/// Managers and guards require nothing else of a body, so they can be outside or inside any other
/// layer. (A guard clones its service, which must be `Clone + Send + 'static`, as in axum.)
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a response body that a login manager or a guard can be around",
    label = "not an `http_body::Body<Data = Bytes>` that is `Send + 'static`",
    note = "such a body implements `http_body::Body` with `Data = bytes::Bytes` and an error that converts to \
            `Box<dyn std::error::Error + Send + Sync>`, and is `Send + 'static`"
)]
pub trait InnerBody: Body<Data = Bytes, Error: Into<BoxError>> + Sized + Send + 'static {
    /// The body of the responses that the manager or the guard returns: the body of the service, or
    /// that of its own response. Its default value is an empty body.
    ///
    /// With the feature `axum` it is `axum::body::Body`, so that `Router::layer` need not box it
    /// again.
    type Outer: Body<Data = Bytes, Error: Into<BoxError>> + Default + Send + 'static;

    #[doc(hidden)]
    fn into_outer(self) -> Self::Outer;

    #[doc(hidden)]
    fn outer_of(bytes: Bytes) -> Self::Outer;
}

#[cfg(feature = "axum")]
impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static> InnerBody for B {
    type Outer = axum_core::body::Body;

    fn into_outer(self) -> Self::Outer {
        // `new` returns a body of axum unchanged.
        axum_core::body::Body::new(self)
    }

    fn outer_of(bytes: Bytes) -> Self::Outer {
        bytes.into()
    }
}

#[cfg(not(feature = "axum"))]
impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static> InnerBody for B {
    type Outer = either::Either<B>;

    fn into_outer(self) -> Self::Outer {
        either::Either::inner(self)
    }

    fn outer_of(bytes: Bytes) -> Self::Outer {
        either::Either::own(bytes)
    }
}

/// Passes on the response of the service.
pub(crate) fn passed<B: InnerBody>(response: Response<B>) -> Response<B::Outer> {
    response.map(B::into_outer)
}

/// A response instead of the service's.
pub(crate) fn own<B: InnerBody>(response: Response<Bytes>) -> Response<B::Outer> {
    response.map(B::outer_of)
}

#[cfg(not(feature = "axum"))]
mod either {
    use std::{
        pin::Pin,
        task::{Context, Poll},
    };

    use bytes::Bytes;
    use http_body::{Body, Frame, SizeHint};
    use pin_project_lite::pin_project;

    pin_project! {
        /// The body of the service, or that of a response instead of the service's.
        #[derive(Debug)]
        #[allow(unnameable_types, reason = "with the feature `axum` it is another type")]
        pub struct Either<B> {
            #[pin]
            kind: Kind<B>,
        }
    }

    pin_project! {
        #[project = KindProj]
        #[derive(Debug)]
        enum Kind<B> {
            Inner { #[pin] body: B },
            Own { bytes: Bytes },
        }
    }

    impl<B> Either<B> {
        pub(super) fn inner(body: B) -> Self {
            Self {
                kind: Kind::Inner { body },
            }
        }

        pub(super) fn own(bytes: Bytes) -> Self {
            Self {
                kind: Kind::Own { bytes },
            }
        }
    }

    impl<B> Default for Either<B> {
        fn default() -> Self {
            Self::own(Bytes::new())
        }
    }

    impl<B: Body<Data = Bytes>> Body for Either<B> {
        type Data = Bytes;
        type Error = B::Error;

        fn poll_frame(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
            match self.project().kind.project() {
                KindProj::Inner { body } => body.poll_frame(cx),
                KindProj::Own { bytes } if bytes.is_empty() => Poll::Ready(None),
                KindProj::Own { bytes } => {
                    Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes)))))
                }
            }
        }

        fn is_end_stream(&self) -> bool {
            match &self.kind {
                Kind::Inner { body } => body.is_end_stream(),
                Kind::Own { bytes } => bytes.is_empty(),
            }
        }

        fn size_hint(&self) -> SizeHint {
            match &self.kind {
                Kind::Inner { body } => body.size_hint(),
                Kind::Own { bytes } => SizeHint::with_exact(bytes.len() as u64),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use super::*;

    /// The text of a body whose data is ready at once.
    fn text(body: impl Body<Data = Bytes>) -> String {
        let mut body = pin!(body);
        let mut cx = Context::from_waker(Waker::noop());
        let mut whole = Vec::new();
        while let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut cx) {
            whole.extend(frame.into_data().unwrap());
        }
        assert!(body.is_end_stream());
        String::from_utf8(whole).unwrap()
    }

    /// CI runs this with and without the feature `axum`.
    #[test]
    fn outer_body_is_that_of_the_service_or_our_own() {
        let inner = || passed(Response::new("inner".to_owned())).into_body();
        let own = || own::<String>(Response::new(Bytes::from("own"))).into_body();
        assert_eq!(
            (inner().size_hint().exact(), text(inner())),
            (Some(5), "inner".into())
        );
        assert_eq!(
            (own().size_hint().exact(), text(own())),
            (Some(3), "own".into())
        );
        let empty = <String as InnerBody>::Outer::default();
        assert_eq!(empty.size_hint().exact(), Some(0));
        assert_eq!(text(empty), "");
    }
}
