//! Why a request is anonymous.

/// Why a request is anonymous, as returned by [`Auth::why`](crate::Auth::why), or why a session
/// ended, in an [event](crate::EventKind::Ended).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Why {
    /// The request has no session cookie.
    NoCookie,
    /// This part of the application ignores cookies.
    CookiesIgnored,
    /// The request has two session cookies with different values, or too many cookies.
    AmbiguousCookie,
    /// The cookie's value is not a token.
    MalformedCookie,
    /// The store has no live session for the token: logged out, renewed, expired and cleaned up, or
    /// made up.
    UnknownSession,
    /// The session was not used for its idle timeout.
    IdleTimeout,
    /// The session reached its absolute timeout, counted from the login.
    AbsoluteTimeout,
    /// There is a session, but it is anonymous.
    NotLoggedIn,
    /// The record in the store cannot be read.
    Unreadable,
    /// The record in the store was written by a newer version of this crate.
    NewerRecord,
    /// The session's user id does not parse (any more).
    BadId,
    /// The loader found no user with this id (any more).
    UserGone,
    /// The user is not active (any more).
    Inactive,
    /// The user's security stamp has changed since the login.
    StampChanged,
    /// The remember token had already been used: it was stolen, by or from whoever presented it.
    RememberTheft,
    /// The client looks different from the one that logged in, and [`Strong`](crate::SessionProtection::Strong) protection
    /// ended the session.
    ClientChanged,
    /// This request logged out.
    LoggedOut,
}
