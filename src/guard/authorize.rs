//! A question about a user who is logged in, for which the database has to be asked.

use std::sync::Arc;

use async_trait::async_trait;
use http::request::Parts;

use crate::error::BoxError;

/// Decides whether a user may make this request.
///
/// A closure that takes the user and the request's head and returns a future of `bool` or of `Result<bool, E>` is one; it
/// copies what it needs out of the head before its `async` block.
#[async_trait]
pub trait Authorize<U>: Send + Sync + 'static {
    /// Whether the user may.
    ///
    /// # Errors
    /// When it can't be known. The answer is then 503, not 403.
    async fn authorize(&self, user: &Arc<U>, head: &Parts) -> Result<bool, BoxError>;
}

#[async_trait]
impl<U, F, Fut> Authorize<U> for F
where
    U: Send + Sync + 'static,
    F: Fn(Arc<U>, &Parts) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoVerdict> + Send,
{
    async fn authorize(&self, user: &Arc<U>, head: &Parts) -> Result<bool, BoxError> {
        self(Arc::clone(user), head).await.into_verdict()
    }
}

/// What a closure may answer: `bool`, or `Result<bool, E>`.
pub trait IntoVerdict: sealed::Sealed {
    /// The answer in one form.
    ///
    /// # Errors
    /// The closure's own.
    fn into_verdict(self) -> Result<bool, BoxError>;
}

impl IntoVerdict for bool {
    fn into_verdict(self) -> Result<bool, BoxError> {
        Ok(self)
    }
}

impl<E: Into<BoxError>> IntoVerdict for Result<bool, E> {
    fn into_verdict(self) -> Result<bool, BoxError> {
        self.map_err(Into::into)
    }
}

mod sealed {
    #[allow(unnameable_types, reason = "that is what seals it")]
    pub trait Sealed {}
    impl Sealed for bool {}
    impl<E> Sealed for Result<bool, E> {}
}
