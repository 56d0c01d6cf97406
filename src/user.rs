//! What the crate asks of your user type.

use std::{borrow::Cow, fmt::Display, str::FromStr};

/// Your user type, as far as logging in goes. Two items are required.
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
pub trait AuthUser: Send + Sync + 'static {
    /// What your [`UserLoader`](crate::UserLoader) finds a user by: a number, a UUID, a name, a newtype around one.
    ///
    /// Its text ([`Display`]) must parse back ([`FromStr`]) to an equal id; a login with one that doesn't is refused.
    type Id: Display + FromStr + PartialEq + Clone + Send + Sync;

    /// The user's id. It should never be given to another user later, not even after a deletion.
    fn id(&self) -> Self::Id;

    /// Whether this user may be logged in at all. One who isn't active is logged out at the next request, and stays
    /// logged out when the account becomes active again.
    ///
    /// Default: true.
    fn is_active(&self) -> bool {
        true
    }

    /// Bytes that change when every session of this user must end: at a new password, another role, a second factor.
    ///
    /// Keep a random value beside the user and renew it then. The password's hash would do for a password change, but it
    /// also changes when only its parameters are renewed. Of the stamp, a session keeps a one-way digest.
    ///
    /// Default: empty, so sessions end only by logout and time.
    fn security_stamp(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&[])
    }
}
