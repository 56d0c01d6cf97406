//! The response future of a guard.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::Response;
use pin_project_lite::pin_project;

use crate::body::{InnerBody, own, passed};

pin_project! {
    /// The response of a guarded service.
    pub struct GuardFuture<F, B: InnerBody, E> {
        #[pin]
        state: State<F, B, E>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, B: InnerBody, E> {
        Passed { #[pin] response: F },
        Denied { response: Option<Response<Bytes>> },
        Asking { response: Pin<Box<dyn Future<Output = GuardOutput<B, E>> + Send>> },
    }
}

type GuardOutput<B, E> = Result<Response<<B as InnerBody>::Outer>, E>;

impl<F, B: InnerBody, E> GuardFuture<F, B, E> {
    pub(super) fn passed(response: F) -> Self {
        Self {
            state: State::Passed { response },
        }
    }

    pub(super) fn denied(response: Response<Bytes>) -> Self {
        Self {
            state: State::Denied {
                response: Some(response),
            },
        }
    }

    pub(super) fn asking(
        response: impl Future<Output = GuardOutput<B, E>> + Send + 'static,
    ) -> Self {
        Self {
            state: State::Asking {
                response: Box::pin(response),
            },
        }
    }
}

impl<F, B, E> Future for GuardFuture<F, B, E>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: InnerBody,
{
    type Output = GuardOutput<B, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Passed { response } => response.poll(cx).map_ok(passed),
            // Polled after completion: stay pending.
            StateProj::Denied { response } => response.take().map_or(Poll::Pending, |response| {
                Poll::Ready(Ok(own::<B>(response)))
            }),
            StateProj::Asking { response } => response.as_mut().poll(cx),
        }
    }
}

impl<F, B: InnerBody, E> fmt::Debug for GuardFuture<F, B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardFuture").finish_non_exhaustive()
    }
}
