//! What happened, for audit logs and metrics.

use std::{fmt, sync::Arc, time::SystemTime};

use serde_core::{Serialize, Serializer};

use crate::{
    cause::Cause,
    clock::{Millis, moment},
    error::Error,
    refusal::Reason,
    store::Family,
    why::Why,
};

/// Something that happened to somebody's session. It holds no secret: log it as it is.
///
/// It says when, in which realm, whose and in which browser. From where is for the log around the request to say, which knows
/// what proxies stand before it: what is reported through `tracing` lies within the request's span. A wrong password is the
/// application's to report, since it alone knows of it; so is a hash that was [renewed](crate::Verdict).
///
/// With the feature `tracing` each is an event of the target `login_manager::event` too: at the level WARN what needs somebody's attention (a
/// theft, a failing store, loader or check, an incomplete logout, a record that can't be read), at INFO who comes and goes (logged in,
/// out, confirmed, restored, revoked, a login refused), [`Asked`](EventKind::Asked) at TRACE, the rest at DEBUG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    kind: EventKind,
    realm: Arc<str>,
    at: Millis,
    user_id: Option<Arc<str>>,
    family: Option<Family>,
    cause: Option<Cause>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A request asked for the first time who it is; whose it turned out to be, if anybody's. One for each request that asks.
    Asked,
    /// Somebody logged in.
    LoggedIn,
    /// Somebody logged out, or an anonymous session was ended by a logout.
    LoggedOut,
    /// Somebody who was logged in proved again who they are.
    Confirmed,
    /// A session got a new token.
    Renewed,
    /// A request wasn't let in.
    Refused(Reason),
    /// A request loader found the user.
    LoadedByRequest,
    /// A remember cookie logged a returning browser in again.
    Restored,
    /// A remember token was shown that had been used up: somebody has stolen it, or it was stolen from them. Its line of
    /// descent has ended.
    RememberTheft,
    /// A session was shown by a client that looks different from the one that logged in.
    Protected,
    /// A user was logged out in other browsers than the one that asked for it, or by the application.
    Revoked,
    /// A browser is remembered no longer, since the user asked for it in [so many others](crate::LoginManager::with_max_remembered)
    /// later.
    Forgotten,
    /// A session ended by itself.
    Ended(Why),
    /// Our cookie came twice with different values, or among too many others.
    AmbiguousCookie,
    /// The value of our cookie is no token: nobody can have got it from us.
    MalformedCookie,
    /// The store has nothing for the token in our cookie: logged out, renewed, cleared away, or made up.
    UnknownToken,
    /// An inactive user was refused a login.
    LoginRefused,
    /// The `next` of a login page was none that leads back into this site.
    NextRefused,
    /// What the store holds can't be read: nobody is logged in by it.
    Unreadable,
    /// The store failed or didn't answer in time.
    StoreFailed,
    /// The user loader failed or didn't answer in time.
    LoaderFailed,
    /// The check of [`and_authorize`](crate::guard::LoginRequiredLayer::and_authorize) failed or didn't answer in time.
    AuthorizeFailed,
    /// The loader returned another user than it was asked for.
    WrongUser,
    /// Session data was not saved, since the session ended meanwhile.
    DataDropped,
    /// The session data of a request was not saved, since the request ended in a 5xx.
    DataDiscarded,
    /// A logout couldn't be written to the store; the browser was told to forget its cookies. It is tried again for a minute, and
    /// [`LoggedOut`](EventKind::LoggedOut) follows when it is done.
    LogoutIncomplete,
}

impl EventKind {
    /// A stable name for logs, metrics and templates, such as `logged_in`. Of
    /// [`Refused`](EventKind::Refused) and [`Ended`](EventKind::Ended) it doesn't say the reason,
    /// which has a name of its own.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::LoggedIn => "logged_in",
            Self::LoggedOut => "logged_out",
            Self::Confirmed => "confirmed",
            Self::Renewed => "renewed",
            Self::Refused(_) => "refused",
            Self::LoadedByRequest => "loaded_by_request",
            Self::Restored => "restored",
            Self::RememberTheft => "remember_theft",
            Self::Protected => "protected",
            Self::Revoked => "revoked",
            Self::Forgotten => "forgotten",
            Self::Ended(_) => "ended",
            Self::AmbiguousCookie => "ambiguous_cookie",
            Self::MalformedCookie => "malformed_cookie",
            Self::UnknownToken => "unknown_token",
            Self::LoginRefused => "login_refused",
            Self::NextRefused => "next_refused",
            Self::Unreadable => "unreadable",
            Self::StoreFailed => "store_failed",
            Self::LoaderFailed => "loader_failed",
            Self::AuthorizeFailed => "authorize_failed",
            Self::WrongUser => "wrong_user",
            Self::DataDropped => "data_dropped",
            Self::DataDiscarded => "data_discarded",
            Self::LogoutIncomplete => "logout_incomplete",
        }
    }
}

/// As [`as_str`](EventKind::as_str).
impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// As the text of [`as_str`](EventKind::as_str).
impl Serialize for EventKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Event {
    pub(crate) fn new(kind: EventKind, realm: &Arc<str>, at: Millis) -> Self {
        Self {
            kind,
            realm: Arc::clone(realm),
            at,
            user_id: None,
            family: None,
            cause: None,
        }
    }

    pub(crate) fn because(mut self, error: &Error) -> Self {
        self.cause = Some(Cause::of(error));
        self
    }

    pub(crate) fn of(mut self, user_id: Option<&str>, family: Option<Family>) -> Self {
        self.user_id = user_id.map(Into::into);
        self.family = family;
        self
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// When.
    #[must_use]
    pub fn at(&self) -> SystemTime {
        moment(self.at)
    }

    /// In which realm.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The text of the id of the user whose session it is, if it is somebody's. It is not escaped.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// The browser's line of descent.
    #[must_use]
    pub fn family(&self) -> Option<Family> {
        self.family
    }

    /// Why the store, the loader or the check failed: its error and what that came of, in one line.
    ///
    /// It is their text, and may hold what a log should not, such as a connection string. So `Debug` withholds it, and the log of
    /// `tracing`, unless it is a [`StoreError`](crate::StoreError) or our own.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_ref().map(Cause::text)
    }

    /// Whether the last level of the log is kept.
    pub(crate) fn is_traced() -> bool {
        #[cfg(feature = "tracing")]
        return tracing::enabled!(tracing::Level::TRACE);
        #[cfg(not(feature = "tracing"))]
        false
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn trace(&self) {
        let (kind, realm) = (self.kind, &*self.realm);
        let (user_id, family) = (
            self.user_id.as_deref(),
            self.family.map(tracing::field::display),
        );
        let cause = self.cause.as_ref().and_then(Cause::for_logs);
        match kind {
            EventKind::RememberTheft
            | EventKind::StoreFailed
            | EventKind::LoaderFailed
            | EventKind::AuthorizeFailed
            | EventKind::WrongUser
            | EventKind::Unreadable
            | EventKind::LogoutIncomplete => {
                tracing::warn!(?kind, realm, ?user_id, family, cause, "session");
            }
            EventKind::LoggedIn
            | EventKind::LoggedOut
            | EventKind::Confirmed
            | EventKind::Restored
            | EventKind::Revoked
            | EventKind::LoginRefused => {
                tracing::info!(?kind, realm, ?user_id, family, "session");
            }
            EventKind::Asked => tracing::trace!(?kind, realm, ?user_id, family, "session"),
            _ => tracing::debug!(?kind, realm, ?user_id, family, "session"),
        }
    }
}

/// What an application does with events.
#[derive(Clone)]
pub(crate) struct OnEvent(pub(crate) Arc<dyn Fn(&Event) + Send + Sync>);

impl fmt::Debug for OnEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnEvent(..)")
    }
}
