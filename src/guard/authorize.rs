//! Authorization checks that are asynchronous, for example because they query a database.

use std::{pin::Pin, sync::Arc};

use http::request::Parts;

use crate::error::BoxError;

/// Checks whether a user is allowed to make a request; see
/// [`and_authorize`](crate::guard::LoginRequiredLayer::and_authorize).
///
/// A closure takes the user and the request's head and returns a future of `bool` or `Result<bool,
/// E>`. Copy what it needs from the head before its `async` block. Implement the trait if you
/// prefer a named type:
///
/// ```
/// # struct Account { id: i64 }
/// use http::request::Parts;
/// use login_manager::{guard::Authorize, BoxError};
///
/// struct Members; // a connection pool, for example
///
/// impl Authorize<Account> for Members {
///     async fn authorize(&self, user: &Account, head: &Parts) -> Result<bool, BoxError> {
///         Ok(user.id == 7 || head.uri.path() == "/") // select exists(…)
///     }
/// }
/// ```
pub trait Authorize<U>: Send + Sync + 'static {
    /// Returns whether the user is allowed to make this request.
    ///
    /// # Errors
    /// - if the check fails. The response is then `503`, not `403`
    fn authorize(
        &self,
        user: &U,
        head: &Parts,
    ) -> impl Future<Output = Result<bool, BoxError>> + Send;
}

/// An authorization check whose type is erased.
pub(super) type Check<U> = Arc<dyn for<'a> Fn(&'a Arc<U>, &'a Parts) -> Checking<'a> + Send + Sync>;

pub(super) type Checking<'a> = Pin<Box<dyn Future<Output = Result<bool, BoxError>> + Send + 'a>>;

/// The argument of [`and_authorize`](crate::guard::LoginRequiredLayer::and_authorize): a closure,
/// or an [`Authorize`]. `Kind` tells them apart and is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an authorization check for `{U}`",
    note = "a check is a closure that takes `Arc<U>` and `&http::request::Parts` and returns a future of `bool` or \
            `Result<bool, E>`, or a type that implements `Authorize<U>`"
)]
pub trait IntoAuthorize<U, Kind>: sealed::SealedCheck<Kind> {
    #[doc(hidden)]
    fn into_check(self) -> ErasedCheck<U>;
}

/// A check inside a guard.
#[allow(
    missing_debug_implementations,
    unnameable_types,
    reason = "only this crate creates and uses it"
)]
#[doc(hidden)]
pub struct ErasedCheck<U>(pub(super) Check<U>);

#[allow(
    clippy::exhaustive_enums,
    unnameable_types,
    reason = "it only tells closures from types that implement `Authorize`"
)]
#[doc(hidden)]
#[derive(Debug)]
pub enum ByTrait {}

#[allow(
    clippy::exhaustive_enums,
    unnameable_types,
    reason = "it only tells closures from types that implement `Authorize`"
)]
#[doc(hidden)]
#[derive(Debug)]
pub enum ByClosure {}

impl<U: Send + Sync + 'static, A: Authorize<U>> IntoAuthorize<U, ByTrait> for A {
    fn into_check(self) -> ErasedCheck<U> {
        let authorize = Arc::new(self);
        ErasedCheck(Arc::new(move |user: &Arc<U>, head: &Parts| {
            check_by(&authorize, user, head)
        }))
    }
}

impl<U, F, Fut> IntoAuthorize<U, (ByClosure, Fut)> for F
where
    U: Send + Sync + 'static,
    F: Fn(Arc<U>, &Parts) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoVerdict> + Send + 'static,
{
    fn into_check(self) -> ErasedCheck<U> {
        ErasedCheck(Arc::new(move |user: &Arc<U>, head: &Parts| {
            let checking = self(Arc::clone(user), head);
            Box::pin(async move { checking.await.into_verdict() })
        }))
    }
}

fn check_by<'a, U: Send + Sync, A: Authorize<U>>(
    authorize: &Arc<A>,
    user: &'a Arc<U>,
    head: &'a Parts,
) -> Checking<'a> {
    let authorize = Arc::clone(authorize);
    Box::pin(async move { authorize.authorize(user, head).await })
}

/// The output of an authorization check that is a closure: `bool` or `Result<bool, E>`.
pub trait IntoVerdict: sealed::Sealed {
    /// Converts the output to a `Result`.
    ///
    /// # Errors
    /// - the error that the closure returned
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

    use super::{ByClosure, ByTrait};

    #[allow(unnameable_types, reason = "that is what seals it")]
    pub trait SealedCheck<Kind> {}
    impl<A> SealedCheck<ByTrait> for A {}
    impl<F, Fut> SealedCheck<(ByClosure, Fut)> for F {}
}
