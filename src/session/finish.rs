//! Operations that run to their end.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::runtime::Handle;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Runs a future to its end, even if the caller is dropped because its client hangs up: the rest
/// then runs on a task of its own. Until then it runs in the request's task, so that tracing spans
/// and task-locals are those of the request.
pub(crate) fn finish<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> Finish<T> {
    Finish {
        future: Some(Box::pin(future)),
        runtime: None,
    }
}

pub(crate) struct Finish<T: Send + 'static> {
    future: Option<Boxed<T>>,
    /// Set by the first poll: a future that was never polled has not begun.
    runtime: Option<Handle>,
}

impl<T: Send + 'static> Future for Finish<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        if self.runtime.is_none() {
            self.runtime = Some(Handle::current());
        }
        // Taken out while it is polled, so that a future that panics is not polled again.
        #[allow(
            clippy::expect_used,
            reason = "a future must not be polled after it has returned"
        )]
        let mut future = self.future.take().expect("polled after completion");
        let poll = future.as_mut().poll(cx);
        if poll.is_pending() {
            self.future = Some(future);
        }
        poll
    }
}

impl<T: Send + 'static> Drop for Finish<T> {
    fn drop(&mut self) {
        if let (Some(future), Some(runtime)) = (self.future.take(), self.runtime.take()) {
            runtime.spawn(future);
        }
    }
}
