//! What happened.

use std::fmt;

use serde_core::{Serialize, Serializer};

use super::Lane;
use crate::reason::{AnonymousReason, DeniedReason, RefusedReason};

/// The kind of an [`Event`](super::Event).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// The current user was looked up for the first time in this request.
    /// [`user_id`](super::Event::user_id) is the user, if any.
    Resolved,
    /// A user logged in.
    LoggedIn,
    /// A user logged out, or a logout ended an anonymous session.
    LoggedOut,
    /// A logged-in user entered their credentials again.
    Confirmed,
    /// A user started to [impersonate](crate::Auth::impersonate) another one. The session is the
    /// impersonated user's; [`actor_id`](super::Event::actor_id) is the user who impersonates.
    ImpersonationStarted,
    /// An impersonation ended: it was stopped or revoked, its browser logged out or logged in, it
    /// expired, or its actor is no longer logged in. [`actor_id`](super::Event::actor_id) is the
    /// user who impersonated. If no further request uses the impersonation, or if it ends with all
    /// sessions of the user, this event is not emitted.
    ImpersonationEnded,
    /// [`Auth::rotate`](crate::Auth::rotate) gave a session a new secret.
    Rotated,
    /// A guard did not let a request through.
    Denied(DeniedReason),
    /// A request loader found the user.
    LoadedByRequest,
    /// A remember cookie restored the login of a returning browser.
    Restored,
    /// A request joined a session: its session secret, or its remember cookie's token secret, was
    /// replaced moments ago by a concurrent request.
    Joined,
    /// A remember cookie was presented whose token secret had been exchanged before: the cookie was
    /// stolen, by or from whoever presented it. The session has ended.
    RememberTheft,
    /// A session was presented by a client that looks different from the one that logged in.
    ClientChanged,
    /// A session was ended by another session of the user, by the application, or because a login
    /// exceeded [`with_max_sessions`](crate::LoginManager::with_max_sessions). If all sessions of a
    /// user, or all but the current one, are ended at once, there is one event without a session.
    /// If the sessions of [everyone](crate::LoginManager::logout_everyone) are ended, that event
    /// has no user, either.
    Revoked,
    /// The user's oldest remembered session is no longer remembered, because a login exceeded
    /// [`RememberMe::max_browsers`](crate::manager::RememberMe::max_browsers).
    Forgotten,
    /// A session was deleted for this reason. A theft is reported as
    /// [`RememberTheft`](EventKind::RememberTheft), an unreadable record as
    /// [`Unreadable`](EventKind::Unreadable).
    Ended(AnonymousReason),
    /// The request has session cookies of different users, or more than 8 session cookies.
    AmbiguousCookie,
    /// The value of the session cookie or the remember cookie was not set by this crate.
    MalformedCookie,
    /// The store has no session for which the cookie's secret is valid: the session was logged out
    /// or cleaned up, the secret was replaced, or the cookie was made up.
    UnknownSession,
    /// A user entered credentials in a browser in which they were not
    /// [known](crate::manager::KnownBrowsers), or no longer known. It follows the
    /// [`LoggedIn`](EventKind::LoggedIn) event. A user's first login emits it, too.
    NewBrowser,
    /// The login of an inactive user was rejected.
    LoginRejected,
    /// The `next` of a login page was not a path on this site.
    NextRejected,
    /// A record in the store cannot be read. Its session is invalid.
    Unreadable,
    /// The store failed or did not respond in time.
    StoreFailed,
    /// The user loader failed or did not respond in time.
    LoaderFailed,
    /// The check of [`and_authorize`](crate::guard::LoginRequiredLayer::and_authorize) failed or
    /// did not respond in time.
    AuthorizeFailed,
    /// The user loader returned a user with a different id than requested.
    WrongUser,
    /// Session data was not saved, because the session ended meanwhile, a login began a new epoch,
    /// the request was late (its session was replaced before it arrived), or the request came from
    /// another site, so that the browser withheld the session cookie.
    DataDropped,
    /// Session data was not saved, because the response has a 5xx status.
    DataRolledBack,
    /// A logout could not end every session, although the response removes the cookies. If the
    /// store failed, the deletion is retried for about a minute, and
    /// [`LoggedOut`](EventKind::LoggedOut) follows when it succeeds. Otherwise, a cookie named a
    /// live session, but no presented secret was valid for it, or there were more than 8 cookies
    /// with one name.
    LogoutIncomplete,
    /// An API key was created.
    ApiKeyCreated,
    /// An API key was revoked. If all of a user's keys are revoked at once, there is one event
    /// without a key.
    ApiKeyRevoked,
    /// An API key authenticated a request.
    ApiKeyUsed,
    /// A request has a bearer token that authenticates no user, for this reason. If the token has
    /// the form of a key, [`api_key_id`](super::Event::api_key_id) is the id of that key, even if
    /// the key does not exist.
    ApiKeyRefused(AnonymousReason),
    /// A [throttle](crate::throttle) made a guess wait, because of what this lane counts. The event
    /// has no user, since the name need not belong to one.
    Throttled(Lane),
    /// A guess that a [throttle](crate::throttle) permitted has failed. Watch the rate of these
    /// events to notice that one password is tried with many names.
    GuessFailed,
    /// A one-time token was [issued](crate::tokens::Tokens::issue) for a user or an address.
    TokenIssued,
    /// A one-time token was redeemed.
    TokenRedeemed,
    /// A one-time token was not accepted, for this reason.
    TokenRefused(RefusedReason),
    /// [`Tokens::send`](crate::tokens::Tokens::send) could not issue or deliver a token.
    TokenNotSent,
}

impl EventKind {
    /// Returns a stable name for logs, metrics and templates, such as `logged_in`. The reason of
    /// [`Denied`](EventKind::Denied), [`Ended`](EventKind::Ended),
    /// [`ApiKeyRefused`](EventKind::ApiKeyRefused) and [`TokenRefused`](EventKind::TokenRefused),
    /// and the lane of [`Throttled`](EventKind::Throttled), are not part of it; they have names of
    /// their own.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::LoggedIn => "logged_in",
            Self::LoggedOut => "logged_out",
            Self::Confirmed => "confirmed",
            Self::ImpersonationStarted => "impersonation_started",
            Self::ImpersonationEnded => "impersonation_ended",
            Self::Rotated => "rotated",
            Self::Joined => "joined",
            Self::Denied(_) => "denied",
            Self::LoadedByRequest => "loaded_by_request",
            Self::Restored => "restored",
            Self::RememberTheft => "remember_theft",
            Self::ClientChanged => "client_changed",
            Self::Revoked => "revoked",
            Self::Forgotten => "forgotten",
            Self::Ended(_) => "ended",
            Self::AmbiguousCookie => "ambiguous_cookie",
            Self::MalformedCookie => "malformed_cookie",
            Self::UnknownSession => "unknown_session",
            Self::NewBrowser => "new_browser",
            Self::LoginRejected => "login_rejected",
            Self::NextRejected => "next_rejected",
            Self::Unreadable => "unreadable",
            Self::StoreFailed => "store_failed",
            Self::LoaderFailed => "loader_failed",
            Self::AuthorizeFailed => "authorize_failed",
            Self::WrongUser => "wrong_user",
            Self::DataDropped => "data_dropped",
            Self::DataRolledBack => "data_rolled_back",
            Self::LogoutIncomplete => "logout_incomplete",
            Self::ApiKeyCreated => "api_key_created",
            Self::ApiKeyRevoked => "api_key_revoked",
            Self::ApiKeyUsed => "api_key_used",
            Self::ApiKeyRefused(_) => "api_key_refused",
            Self::Throttled(_) => "throttled",
            Self::GuessFailed => "guess_failed",
            Self::TokenIssued => "token_issued",
            Self::TokenRedeemed => "token_redeemed",
            Self::TokenRefused(_) => "token_refused",
            Self::TokenNotSent => "token_not_sent",
        }
    }
}

/// Writes [`as_str`](EventKind::as_str).
impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Serializes [`as_str`](EventKind::as_str).
impl Serialize for EventKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
