//! Why nobody is logged in.

use std::fmt;

use serde_core::{Serialize, Serializer};

/// The reason that [`Auth::why`](crate::Auth::why) gives, and an event when a session ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Why {
    /// The request has no cookie of ours.
    NoCookie,
    /// This part of the application takes no cookies.
    CookiesIgnored,
    /// It has our cookie twice with different values, or more cookies than are worth reading.
    AmbiguousCookie,
    /// The cookie's value is no token.
    MalformedCookie,
    /// The store has no live session for the token: logged out, renewed, expired and cleared away, or made up.
    UnknownSession,
    /// The session wasn't used for its idle time.
    IdleTimeout,
    /// The session came to the end of its absolute time, counted from the login.
    AbsoluteTimeout,
    /// There is a session, but nobody has logged in to it.
    NotLoggedIn,
    /// What the store holds for the token can't be read.
    Unreadable,
    /// What the store holds for the token was written by a newer version of this crate.
    NewerRecord,
    /// The session's user id doesn't parse (any more).
    BadId,
    /// The loader knows no user of this id (any more).
    UserGone,
    /// The user is not active (any more).
    Inactive,
    /// The user's security stamp has changed since the login.
    StampChanged,
    /// The remember cookie had been used up by somebody else: it was stolen, or stolen from.
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
