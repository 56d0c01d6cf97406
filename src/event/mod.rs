//! Events, for audit logs and metrics.

mod cause;
mod kind;
mod lane;
#[cfg(feature = "tracing")]
mod log;

use std::{fmt, sync::Arc, time::SystemTime};

use self::cause::Cause;
pub use self::{kind::EventKind, lane::Lane};
use crate::{
    api_key_id::ApiKeyId,
    clock::{Millis, moment},
    error::{BoxError, Error},
    store::SessionId,
};

/// An event in the life of a session or a one-time token. It contains no secret and can be logged
/// as is.
///
/// An event has a time and a realm and, if they are known, a user and a session. It has no client
/// address, because this crate does not know which proxies to trust. Through `tracing` it is logged
/// inside the request's span, which may contain the address. Wrong passwords are only reported by a
/// [throttle](crate::throttle). Replaced hashes are not reported, since only the application knows
/// about them.
///
/// With the feature `tracing`, each event is also logged with the target `login_manager::event`:
///
/// - at WARN: a theft, a failing store, loader or check, an incomplete logout, an unreadable
///   record, a token that was not sent;
/// - at INFO: logged in, logged out, confirmed, impersonation started and ended, restored, revoked,
///   new browser, login rejected, API key created or revoked, token issued or redeemed;
/// - at TRACE: [`Resolved`](EventKind::Resolved);
/// - at DEBUG, all others.
///
/// In the manual: [Events, logs and metrics](crate::manual::events).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    kind: EventKind,
    realm: Arc<str>,
    at: Millis,
    user_id: Option<Arc<str>>,
    session_id: Option<SessionId>,
    api_key_id: Option<ApiKeyId>,
    purpose: Option<&'static str>,
    actor_id: Option<Arc<str>>,
    cause: Option<Cause>,
}

impl Event {
    pub(crate) fn new(kind: EventKind, realm: &Arc<str>, at: Millis) -> Self {
        Self {
            kind,
            realm: Arc::clone(realm),
            at,
            user_id: None,
            session_id: None,
            api_key_id: None,
            purpose: None,
            actor_id: None,
            cause: None,
        }
    }

    pub(crate) fn because(mut self, error: &Error) -> Self {
        self.cause = Some(Cause::of(error));
        self
    }

    /// Sets the cause to an error of application code.
    pub(crate) fn because_of(mut self, error: &BoxError) -> Self {
        self.cause = Some(Cause::foreign(&**error));
        self
    }

    /// Sets the cause to a text of this crate.
    pub(crate) fn because_text(mut self, text: &'static str) -> Self {
        self.cause = Some(Cause::ours(text));
        self
    }

    pub(crate) fn for_purpose(mut self, purpose: &'static str) -> Self {
        self.purpose = Some(purpose);
        self
    }

    pub(crate) fn of(mut self, user_id: Option<&str>, session_id: Option<SessionId>) -> Self {
        self.user_id = user_id.map(Into::into);
        self.session_id = session_id;
        self
    }

    pub(crate) fn about_key(mut self, id: Option<ApiKeyId>) -> Self {
        self.api_key_id = id;
        self
    }

    pub(crate) fn by_actor(mut self, actor_id: Option<&Arc<str>>) -> Self {
        self.actor_id = actor_id.cloned();
        self
    }

    /// Returns what happened.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// Returns the time.
    #[must_use]
    pub fn at(&self) -> SystemTime {
        moment(self.at)
    }

    /// Returns the name of the realm.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// Returns the text of the id of the session's or the token's user, if there is one. It is not
    /// escaped.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// Returns the id of the session, if the event is about one.
    #[must_use]
    pub fn session_id(&self) -> Option<SessionId> {
        self.session_id
    }

    /// Returns the id of the API key, if the event is about one.
    #[must_use]
    pub fn api_key_id(&self) -> Option<ApiKeyId> {
        self.api_key_id
    }

    /// Returns the name of a one-time token's [purpose](crate::tokens::Purpose), if the event is
    /// about one.
    #[must_use]
    pub fn purpose(&self) -> Option<&str> {
        self.purpose
    }

    /// Returns the text of the id of the user who [impersonates](crate::Auth::impersonate) the
    /// session's user. It is set for the start and the end of an impersonation, and for events of
    /// requests during it. It is not escaped.
    #[must_use]
    pub fn actor_id(&self) -> Option<&str> {
        self.actor_id.as_deref()
    }

    /// Returns why the store, the loader, the check or the delivery failed: its error and the
    /// sources of that error, in one line.
    ///
    /// The text comes from those errors and may contain data that should not be logged, such as a
    /// connection string. Therefore, `Debug` and the `tracing` log omit it, unless it is a
    /// [`StoreError`](crate::store::StoreError) or an error of this crate.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_ref().map(Cause::text)
    }

    /// Whether the TRACE level is enabled.
    pub(crate) fn is_traced() -> bool {
        #[cfg(feature = "tracing")]
        return tracing::enabled!(tracing::Level::TRACE);
        #[cfg(not(feature = "tracing"))]
        false
    }
}

/// The application's event handler.
#[derive(Clone)]
pub(crate) struct OnEvent(pub(crate) Arc<dyn Fn(&Event) + Send + Sync>);

impl fmt::Debug for OnEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnEvent(..)")
    }
}
