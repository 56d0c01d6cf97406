//! Why a request is anonymous.

use std::fmt;

use serde_core::{Serialize, Serializer};

/// The reason that [`Auth::why`](crate::Auth::why) gives, and an event when a session ends by itself.
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

impl Why {
    /// A stable name for logs, metrics and templates, such as `idle_timeout`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoCookie => "no_cookie",
            Self::CookiesIgnored => "cookies_ignored",
            Self::AmbiguousCookie => "ambiguous_cookie",
            Self::MalformedCookie => "malformed_cookie",
            Self::UnknownSession => "unknown_session",
            Self::IdleTimeout => "idle_timeout",
            Self::AbsoluteTimeout => "absolute_timeout",
            Self::NotLoggedIn => "not_logged_in",
            Self::Unreadable => "unreadable",
            Self::NewerRecord => "newer_record",
            Self::BadId => "bad_id",
            Self::UserGone => "user_gone",
            Self::Inactive => "inactive",
            Self::StampChanged => "stamp_changed",
            Self::RememberTheft => "remember_theft",
            Self::ClientChanged => "client_changed",
            Self::LoggedOut => "logged_out",
        }
    }
}

/// As [`as_str`](Why::as_str).
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// As the text of [`as_str`](Why::as_str).
impl Serialize for Why {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
