//! A user's session as a page can show it.

use std::{fmt, sync::Arc, time::SystemTime};

use serde_core::{Serialize, Serializer, ser::SerializeStruct as _};

use crate::{
    clock::{Millis, moment},
    session::{Browser, Payload},
    store::{SessionId, SessionRecord},
};

/// A session in which a user is logged in or remembered. Listed by
/// [`Auth::sessions`](crate::Auth::sessions).
///
/// It implements `Serialize` for templates, with the names of its methods as fields, except
/// [`actor_id`](SessionInfo::actor_id); times are Unix seconds.
///
/// In the manual: [Sessions of a user](crate::manual::sessions_of_a_user).
#[derive(Clone, PartialEq, Eq)]
pub struct SessionInfo {
    id: SessionId,
    created: Millis,
    logged_in: Millis,
    last_seen: Millis,
    browser: Browser,
    is_current: bool,
    is_logged_in: bool,
    is_remembered: bool,
    actor_id: Option<Arc<str>>,
}

impl SessionInfo {
    /// Returns the id, to pass to [`Auth::revoke`](crate::Auth::revoke). It is not a secret and may
    /// appear in a page.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Returns when the user last entered credentials in it.
    #[must_use]
    pub fn logged_in(&self) -> SystemTime {
        moment(self.logged_in)
    }

    /// Returns when the session was last used, accurate to a tenth of the idle timeout.
    #[must_use]
    pub fn last_seen(&self) -> SystemTime {
        moment(self.last_seen)
    }

    /// Returns a short label of the browser, from the user agent at the last login or confirmation:
    /// "Firefox on Windows".
    #[must_use]
    pub fn browser(&self) -> String {
        self.browser.to_string()
    }

    /// Returns whether this is the session of the request that lists it.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.is_current
    }

    /// Returns whether its session cookie is still valid. If not, it is only remembered.
    #[must_use]
    pub fn is_logged_in(&self) -> bool {
        self.is_logged_in
    }

    /// Returns whether it is remembered: its remember cookie can restore the login.
    #[must_use]
    pub fn is_remembered(&self) -> bool {
        self.is_remembered
    }

    /// Returns whether another user [impersonates](crate::Auth::impersonate) this one in it.
    #[must_use]
    pub fn is_impersonated(&self) -> bool {
        self.actor_id.is_some()
    }

    /// Returns the text of the id of the user who impersonates this one. It is not serialized,
    /// since the page may be shown to the impersonated user, who need not know it.
    #[must_use]
    pub fn actor_id(&self) -> Option<&str> {
        self.actor_id.as_deref()
    }

    /// Returns `None` for a record that is closed or expired, or that this release can't read.
    pub(super) fn of(
        record: &SessionRecord,
        current: Option<SessionId>,
        now: Millis,
    ) -> Option<Self> {
        let payload = Payload::decode(&record.payload).ok()?;
        payload.head.current?;
        let login = payload.login?;
        let is_logged_in = payload.is_session_live(record.touched, now);
        let is_remembered = payload.remember.is_some_and(|remember| now < remember.ends);
        (is_logged_in || is_remembered).then_some(Self {
            id: record.id,
            created: record.created,
            logged_in: login.at,
            last_seen: record.touched,
            browser: login.browser,
            is_current: current == Some(record.id),
            is_logged_in,
            is_remembered,
            actor_id: payload.actor.map(|actor| Arc::clone(&actor.id)),
        })
    }

    /// The order of logins, the same on every node.
    pub(super) fn order(&self) -> (Millis, SessionId) {
        (self.created, self.id)
    }
}

/// Omits the id of the impersonating user.
impl fmt::Debug for SessionInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionInfo")
            .field("id", &self.id)
            .field("logged_in", &self.logged_in())
            .field("last_seen", &self.last_seen())
            .field("browser", &self.browser())
            .field("is_current", &self.is_current)
            .field("is_logged_in", &self.is_logged_in)
            .field("is_remembered", &self.is_remembered)
            .field("is_impersonated", &self.is_impersonated())
            .finish_non_exhaustive()
    }
}

impl Serialize for SessionInfo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("SessionInfo", 8)?;
        fields.serialize_field("id", &self.id)?;
        fields.serialize_field("logged_in", &(self.logged_in / 1000))?;
        fields.serialize_field("last_seen", &(self.last_seen / 1000))?;
        fields.serialize_field("browser", &self.browser())?;
        fields.serialize_field("is_current", &self.is_current)?;
        fields.serialize_field("is_logged_in", &self.is_logged_in)?;
        fields.serialize_field("is_remembered", &self.is_remembered)?;
        fields.serialize_field("is_impersonated", &self.is_impersonated())?;
        fields.end()
    }
}
