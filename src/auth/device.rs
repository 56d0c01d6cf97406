//! One of a user's browsers, put together from its records.

use std::{sync::Arc, time::SystemTime};

use serde_core::{Serialize, Serializer, ser::SerializeStruct as _};

use crate::{
    clock::{Millis, moment},
    remember,
    session::Payload,
    store::{Family, Record},
};

/// One browser in which a user is logged in or remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    id: DeviceId,
    created: Millis,
    last_seen: Millis,
    user_agent: Option<Box<str>>,
    is_current: bool,
    is_logged_in: bool,
    is_remembered: bool,
}

impl Device {
    /// What to say to [`Auth::revoke`](crate::Auth::revoke). It opens nothing, so it may stand in a page.
    #[must_use]
    pub fn id(&self) -> DeviceId {
        self.id
    }

    /// When the user logged in there.
    #[must_use]
    pub fn created(&self) -> SystemTime {
        moment(self.created)
    }

    /// When it was last seen, to a tenth of the idle time.
    #[must_use]
    pub fn last_seen(&self) -> SystemTime {
        moment(self.last_seen)
    }

    /// What the browser called itself at the login, or when it was last logged in again: the first 200 bytes of its
    /// `User-Agent` header. It is the visitor's own text: escape it like any.
    #[must_use]
    pub fn user_agent(&self) -> Option<&str> {
        self.user_agent.as_deref()
    }

    /// Whether this request came from there.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.is_current
    }

    /// Whether it has a session; if not, it is only remembered.
    #[must_use]
    pub fn is_logged_in(&self) -> bool {
        self.is_logged_in
    }

    /// Whether it has a remember cookie.
    #[must_use]
    pub fn is_remembered(&self) -> bool {
        self.is_remembered
    }

    /// What one record says of the browser that it belongs to; nothing if it can't be read.
    pub(super) fn seen_in(record: &Record) -> Option<Self> {
        let session = Payload::decode(Arc::clone(&record.payload)).ok();
        let (is_logged_in, is_remembered) =
            (session.is_some(), remember::is_series(&record.payload));
        let user_agent = match &session {
            Some(session) => session.agent(),
            None if is_remembered => remember::agent_of(&record.payload),
            None => None,
        };
        (is_logged_in || is_remembered).then_some(Self {
            id: record.family,
            created: record.created,
            last_seen: record.touched,
            user_agent: user_agent.map(Box::from),
            is_current: false,
            is_logged_in,
            is_remembered,
        })
    }

    /// The same browser, seen in another record.
    pub(super) fn merge(&mut self, seen: Self) {
        self.created = self.created.min(seen.created);
        self.last_seen = self.last_seen.max(seen.last_seen);
        if seen.is_logged_in || self.user_agent.is_none() {
            self.user_agent = seen.user_agent.or(self.user_agent.take());
        }
        self.is_remembered |= seen.is_remembered;
        self.is_logged_in |= seen.is_logged_in;
    }

    pub(super) fn set_current(&mut self, is_current: bool) {
        self.is_current = is_current;
    }
}

/// For a template or an API: a map with an entry for each method, named after it. Times are Unix
/// seconds.
impl Serialize for Device {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_struct("Device", 7)?;
        map.serialize_field("id", &self.id)?;
        map.serialize_field("created", &self.created.div_euclid(1000))?;
        map.serialize_field("last_seen", &self.last_seen.div_euclid(1000))?;
        map.serialize_field("user_agent", &self.user_agent())?;
        map.serialize_field("is_current", &self.is_current)?;
        map.serialize_field("is_logged_in", &self.is_logged_in)?;
        map.serialize_field("is_remembered", &self.is_remembered)?;
        map.end()
    }
}

/// Which browser: what [`Device::id`] says and [`Auth::revoke`](crate::Auth::revoke) takes.
///
/// It opens nothing, so it may stand in a page. It goes as text into a form or a path, and comes back from there by serde or by
/// `parse`:
///
/// ```
/// # use login_manager::AuthUser;
/// # struct Account;
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
/// use axum::{Form, response::Redirect};
/// use login_manager::{Auth, DeviceId, Error};
///
/// #[derive(serde::Deserialize)]
/// struct Chosen { id: DeviceId }
///
/// async fn log_out_device(auth: Auth<Account>, Form(chosen): Form<Chosen>) -> Result<Redirect, Error> {
///     auth.revoke(chosen.id).await?; // somebody else's is none of this user's: nothing happens
///     Ok(Redirect::to("/account"))
/// }
/// ```
///
/// To a store it is the [`Family`] of a record.
pub type DeviceId = Family;
