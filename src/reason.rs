//! Why a request is anonymous or denied, and why a token is refused.

use std::fmt;

use serde_core::{Serialize, Serializer};

/// Why a request is anonymous, from [`Auth::anonymous_reason`](crate::Auth::anonymous_reason), and
/// why a session ended other than by a logout, in
/// [`EventKind::Ended`](crate::event::EventKind::Ended).
///
/// In the manual: [Troubleshooting](crate::manual::troubleshooting).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum AnonymousReason {
    /// The request has no session cookie.
    #[default]
    NoCookie,
    /// This part of the application ignores cookies.
    CookiesIgnored,
    /// The request has several session cookies, which are valid for sessions of different users.
    AmbiguousCookie,
    /// The value of the session cookie was not set by this crate.
    MalformedCookie,
    /// The store has no session for which the cookie's secret is valid: the session was logged out
    /// or cleaned up, the secret was replaced, or the cookie was made up.
    UnknownSession,
    /// The cookie's secret was replaced moments ago: by a login or restore that replaced an
    /// anonymous session, by another user's login, by the rotation of an anonymous session, by
    /// [`logout_others`](crate::Auth::logout_others), by a login with a changed security stamp, or
    /// because an impersonation was stopped. The request was sent before that, but the old secret
    /// no longer authenticates it.
    SessionReplaced,
    /// The session was written by a node whose clock was more than five minutes ahead.
    NotYetValid,
    /// The session reached its idle timeout, counted from its last use.
    IdleTimeout,
    /// The session reached its absolute timeout, counted from the login.
    AbsoluteTimeout,
    /// There is a session, but it is anonymous.
    NotLoggedIn,
    /// The record in the store cannot be read.
    Unreadable,
    /// The record in the store was written by a newer version of this crate.
    NewerRecord,
    /// The text of the session's or API key's user id does not parse (any more).
    BadId,
    /// The session or API key was written for another user type whose manager has the same realm.
    OtherUserType,
    /// The loader found no user with this id (any more).
    UserGone,
    /// The user is not active (any more).
    Inactive,
    /// The user's security stamp has changed since the login, or since the creation of an API key
    /// that [ends with it](crate::api_keys::NewApiKey::ends_with_stamp).
    StampChanged,
    /// The remember cookie's token secret had been exchanged before: the cookie was stolen, by or
    /// from whoever presented it.
    RememberTheft,
    /// The session was an [impersonation](crate::Auth::impersonate), and its actor is no longer
    /// logged in: their session has ended, or they are not active or have a different security
    /// stamp.
    ActorNotLoggedIn,
    /// The client looks different from the one that logged in, and
    /// [`Strong`](crate::manager::SessionProtection::Strong) protection ended the session.
    ClientChanged,
    /// This request logged out.
    LoggedOut,
    /// The request has a bearer token that is not the text of an API key of this application.
    MalformedApiKey,
    /// The store has no such API key: it was revoked, has expired, or was made up.
    UnknownApiKey,
}

impl AnonymousReason {
    /// Whether the session is kept, because another program may be able to use it.
    pub(crate) const fn keeps_session(self) -> bool {
        matches!(self, Self::BadId | Self::OtherUserType)
    }

    /// Whether the cookies are removed when a session ends for this reason. Not if a concurrent
    /// request may have logged in again in this browser: the removal would delete its new cookies.
    pub(crate) const fn removes_cookies(self) -> bool {
        matches!(
            self,
            Self::UserGone | Self::Inactive | Self::RememberTheft | Self::ClientChanged
        )
    }

    /// Returns a stable name for logs, metrics and templates, such as `idle_timeout`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoCookie => "no_cookie",
            Self::CookiesIgnored => "cookies_ignored",
            Self::AmbiguousCookie => "ambiguous_cookie",
            Self::MalformedCookie => "malformed_cookie",
            Self::UnknownSession => "unknown_session",
            Self::SessionReplaced => "session_replaced",
            Self::NotYetValid => "not_yet_valid",
            Self::IdleTimeout => "idle_timeout",
            Self::AbsoluteTimeout => "absolute_timeout",
            Self::NotLoggedIn => "not_logged_in",
            Self::Unreadable => "unreadable",
            Self::NewerRecord => "newer_record",
            Self::BadId => "bad_id",
            Self::OtherUserType => "other_user_type",
            Self::UserGone => "user_gone",
            Self::Inactive => "inactive",
            Self::StampChanged => "stamp_changed",
            Self::RememberTheft => "remember_theft",
            Self::ActorNotLoggedIn => "actor_not_logged_in",
            Self::ClientChanged => "client_changed",
            Self::LoggedOut => "logged_out",
            Self::MalformedApiKey => "malformed_api_key",
            Self::UnknownApiKey => "unknown_api_key",
        }
    }
}

/// Writes [`as_str`](AnonymousReason::as_str).
impl fmt::Display for AnonymousReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Serializes [`as_str`](AnonymousReason::as_str).
impl Serialize for AnonymousReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Why a guard does not let a request through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeniedReason {
    /// The request is anonymous, for this reason.
    LoginRequired(AnonymousReason),
    /// The user is logged in, but has to enter their credentials again.
    FreshLoginRequired,
    /// The user is logged in, but has to enter credentials by a
    /// [method](crate::guard::LoginRequiredLayer::needs) that they have not used in this session,
    /// or not recently enough. [`Denied::needed_method`](crate::guard::Denied::needed_method)
    /// returns its name.
    MethodRequired,
    /// The user is logged in, but not allowed to make this request.
    Forbidden,
    /// The user is authenticated by an API key without a
    /// [scope](crate::guard::LoginRequiredLayer::and_scope) that the guard requires.
    InsufficientScope,
    /// The guard requires an [API key](crate::guard::LoginRequiredLayer::keys_only), and none
    /// authenticates the request: it has no valid key, or its session takes precedence.
    ApiKeyRequired,
}

impl DeniedReason {
    /// Whether entering credentials on the refresh page helps.
    pub(crate) const fn wants_refresh(self) -> bool {
        matches!(self, Self::FreshLoginRequired | Self::MethodRequired)
    }

    /// Returns a stable name for logs, metrics and templates: `login_required`,
    /// `fresh_login_required`, `method_required`, `forbidden`, `insufficient_scope` or
    /// `api_key_required`. The [reason](AnonymousReason) why the request is anonymous is not part
    /// of it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LoginRequired(_) => "login_required",
            Self::FreshLoginRequired => "fresh_login_required",
            Self::MethodRequired => "method_required",
            Self::Forbidden => "forbidden",
            Self::InsufficientScope => "insufficient_scope",
            Self::ApiKeyRequired => "api_key_required",
        }
    }
}

/// Writes [`as_str`](DeniedReason::as_str).
impl fmt::Display for DeniedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Serializes [`as_str`](DeniedReason::as_str).
impl Serialize for DeniedReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Why a one-time token was refused, in
/// [`EventKind::TokenRefused`](crate::event::EventKind::TokenRefused).
///
/// It is for events alone. The caller gets `None` for each of them, so that no page tells an
/// attacker which guess was nearly right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusedReason {
    /// The text is not a token, or it is a code with too few or too many digits.
    Malformed,
    /// The store has no such token: a newer one has replaced it, it was withdrawn or cleaned up, or
    /// it belongs to another realm or was made up.
    Unknown,
    /// The token was issued for another purpose.
    OtherPurpose,
    /// The token was issued by a node whose clock was more than five minutes ahead.
    NotYetValid,
    /// The token has expired.
    Expired,
    /// The token has been used before.
    Used,
    /// The change that this token undoes was itself undone by an older token.
    Undone,
    /// The code is wrong.
    WrongCode,
    /// All tries of the code are used up.
    NoTriesLeft,
    /// The code was requested by another browser.
    OtherBrowser,
    /// The token was issued to a user of another type whose manager has the same realm.
    OtherUserType,
    /// The text of the user's id does not parse (any more).
    BadId,
    /// The loader found no user with this id (any more).
    UserGone,
    /// The user is not active (any more).
    Inactive,
    /// The user's security stamp has changed since the token was issued.
    StampChanged,
    /// The user's address has changed since the token was issued.
    AddressChanged,
}

impl RefusedReason {
    /// A stable name for logs and metrics, such as `expired`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::OtherPurpose => "other_purpose",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::Used => "used",
            Self::Undone => "undone",
            Self::WrongCode => "wrong_code",
            Self::NoTriesLeft => "no_tries_left",
            Self::OtherBrowser => "other_browser",
            Self::OtherUserType => "other_user_type",
            Self::BadId => "bad_id",
            Self::UserGone => "user_gone",
            Self::Inactive => "inactive",
            Self::StampChanged => "stamp_changed",
            Self::AddressChanged => "address_changed",
        }
    }
}

/// Writes [`as_str`](RefusedReason::as_str).
impl fmt::Display for RefusedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Serializes [`as_str`](RefusedReason::as_str).
impl Serialize for RefusedReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
