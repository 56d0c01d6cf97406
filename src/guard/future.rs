//! The response future of a guard.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use http::Response;
use pin_project_lite::pin_project;

pin_project! {
    /// The response of a guarded service.
    pub struct GuardFuture<F, B, E> {
        #[pin]
        state: State<F, B, E>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, B, E> {
        Passed { #[pin] response: F },
        Denied { response: Option<Response<B>> },
        Asking { response: Pin<Box<dyn Future<Output = Result<Response<B>, E>> + Send>> },
    }
}

impl<F, B, E> GuardFuture<F, B, E> {
    pub(super) fn passed(response: F) -> Self {
        Self {
            state: State::Passed { response },
        }
    }

    pub(super) fn denied(response: Response<B>) -> Self {
        Self {
            state: State::Denied {
                response: Some(response),
            },
        }
    }

    pub(super) fn asking(
        response: impl Future<Output = Result<Response<B>, E>> + Send + 'static,
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
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Passed { response } => response.poll(cx),
            // Polled after completion: stay pending.
            StateProj::Denied { response } => response
                .take()
                .map_or(Poll::Pending, |response| Poll::Ready(Ok(response))),
            StateProj::Asking { response } => response.as_mut().poll(cx),
        }
    }
}

impl<F, B, E> fmt::Debug for GuardFuture<F, B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardFuture").finish_non_exhaustive()
    }
}
