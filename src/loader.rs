//! Where users come from.

use async_trait::async_trait;

use crate::{error::BoxError, user::AuthUser};

/// Finds the user behind an id in your database.
///
/// A closure that takes the id and returns a future of `Option<U>` or of `Result<Option<U>, E>` is one. Implement the
/// trait where a type with a name reads better:
///
/// ```
/// # use login_manager::AuthUser;
/// # struct Account { id: i64 }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
/// use login_manager::{BoxError, UserLoader};
///
/// struct Accounts; // a connection pool, say
///
/// #[async_trait::async_trait]
/// impl UserLoader<Account> for Accounts {
///     async fn load(&self, id: &i64) -> Result<Option<Account>, BoxError> {
///         Ok(Some(Account { id: *id })) // select … where id = $1
///     }
/// }
/// ```
#[async_trait]
pub trait UserLoader<U: AuthUser>: Send + Sync + 'static {
    /// The user with this id, or `None` if there is no such user (any more): then the session ends.
    ///
    /// # Errors
    /// When it can't be known whether there is one. Pages that need the user answer 503, and nobody is logged out.
    async fn load(&self, id: &U::Id) -> Result<Option<U>, BoxError>;
}

#[async_trait]
impl<U, F, Fut> UserLoader<U> for F
where
    U: AuthUser,
    F: Fn(U::Id) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoLoaded<U>> + Send,
{
    async fn load(&self, id: &U::Id) -> Result<Option<U>, BoxError> {
        self(id.clone()).await.into_loaded()
    }
}

/// What a loader closure may answer: `Option<U>`, or `Result<Option<U>, E>`.
pub trait IntoLoaded<U>: sealed::Sealed {
    /// The answer in one form.
    ///
    /// # Errors
    /// The loader's own.
    fn into_loaded(self) -> Result<Option<U>, BoxError>;
}

impl<U> IntoLoaded<U> for Option<U> {
    fn into_loaded(self) -> Result<Option<U>, BoxError> {
        Ok(self)
    }
}

impl<U, E: Into<BoxError>> IntoLoaded<U> for Result<Option<U>, E> {
    fn into_loaded(self) -> Result<Option<U>, BoxError> {
        self.map_err(Into::into)
    }
}

mod sealed {
    #[allow(unnameable_types, reason = "that is what seals it")]
    pub trait Sealed {}
    impl<U> Sealed for Option<U> {}
    impl<U, E> Sealed for Result<Option<U>, E> {}
}
