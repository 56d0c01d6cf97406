//! Authorization checks that are asynchronous, for example because they query a database.

use std::sync::Arc;

use async_trait::async_trait;
use http::request::Parts;

use crate::error::BoxError;

/// Checks whether a user is allowed to make a request; see
/// [`and_authorize`](crate::guard::LoginRequiredLayer::and_authorize).
///
/// Closures that take the user and the request's head and return a future of `bool` or
/// `Result<bool, E>` implement this trait. The closure copies what it needs out of the head before
/// its `async` block. Implement the trait if you prefer a named type:
///
/// ```
/// # use std::sync::Arc;
/// # struct Account { id: i64 }
/// use http::request::Parts;
/// use login_manager::{Authorize, BoxError};
///
/// struct Members; // a connection pool, for example
///
/// #[login_manager::async_trait]
/// impl Authorize<Account> for Members {
///     async fn authorize(&self, user: &Arc<Account>, head: &Parts) -> Result<bool, BoxError> {
///         Ok(user.id == 7 || head.uri.path() == "/") // select exists(…)
///     }
/// }
/// ```
#[async_trait]
pub trait Authorize<U>: Send + Sync + 'static {
    /// Returns whether the user is allowed to make this request.
    ///
    /// # Errors
    /// If the check fails. The response is then `503`, not `403`.
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

/// The output of a closure: `bool` or `Result<bool, E>`.
pub trait IntoVerdict: sealed::Sealed {
    /// Converts the output to a `Result`.
    ///
    /// # Errors
    /// The error that the closure returned.
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
