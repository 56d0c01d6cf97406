//! The trait that your user type implements.

use std::{borrow::Cow, fmt::Display, str::FromStr, sync::Arc};

/// The trait of your user type. Two items are required.
///
/// ```
/// use std::borrow::Cow;
/// use login_manager::AuthUser;
///
/// struct Account {
///     id: i64,
///     disabled: bool,
///     stamp: Vec<u8>,
/// }
///
/// impl AuthUser for Account {
///     type Id = i64;
///
///     fn id(&self) -> i64 {
///         self.id
///     }
///
///     fn is_active(&self) -> bool {
///         !self.disabled
///     }
///
///     fn security_stamp(&self) -> Cow<'_, [u8]> {
///         self.stamp.as_slice().into()
///     }
/// }
/// ```
///
/// In the manual: [Getting started](crate::manual::getting_started).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a user type",
    label = "implement `login_manager::AuthUser` for it",
    note = "`impl AuthUser for {Self} {{ type Id = i64; fn id(&self) -> i64 {{ self.id }} }}`"
)]
pub trait AuthUser: Send + Sync + 'static {
    /// The type of the id by which your [`UserLoader`](crate::UserLoader) loads users: a number, a
    /// UUID, a name, or a newtype around one.
    ///
    /// Its text ([`Display`]) must parse back ([`FromStr`]) to an equal id; otherwise the login
    /// fails with [`UnstableId`](crate::ErrorKind::UnstableId).
    type Id: Display + FromStr + PartialEq + Clone + Send + Sync;

    /// Returns the user's id. Never reuse an id for another user, not even after a deletion.
    fn id(&self) -> Self::Id;

    /// Returns whether this user may be logged in at all. Users who are not active are logged out
    /// at the next request, and stay logged out when the account becomes active again.
    ///
    /// Default: true.
    fn is_active(&self) -> bool {
        true
    }

    /// Returns bytes that change when every session of this user must end, for example with a new
    /// password, another role or a second factor.
    ///
    /// Store a random value with the user and replace it in these cases. The password hash works
    /// for password changes, too, but it also changes when only its parameters are upgraded.
    /// Sessions only keep a one-way digest of the stamp.
    ///
    /// Default: empty, so sessions only end by logout and timeout.
    fn security_stamp(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&[])
    }
}

/// The argument of [`Auth::login`](crate::Auth::login): a user, or an `Arc` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be logged in as a `{U}`",
    label = "give it the user, or an `Arc` of it",
    note = "the request keeps the user, so a reference is not enough: `auth.login(user.clone())`"
)]
pub trait IntoUser<U> {
    #[doc(hidden)]
    fn into_user(self) -> Arc<U>;
}

impl<U: AuthUser> IntoUser<U> for U {
    fn into_user(self) -> Arc<U> {
        Arc::new(self)
    }
}

impl<U: AuthUser> IntoUser<U> for Arc<U> {
    fn into_user(self) -> Arc<U> {
        self
    }
}
