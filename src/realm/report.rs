//! Telling what happened in a realm.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Realm;
use crate::{
    error::Error,
    event::{Event, EventKind, OnEvent},
    store::{Family, Which},
};

impl Realm {
    /// Whether anybody listens to what is only worth telling to a listener.
    pub(crate) fn is_heard(&self) -> bool {
        self.on_event.is_some() || Event::is_traced()
    }

    pub(crate) fn report(&self, kind: EventKind) {
        self.tell(&self.event(kind));
    }

    /// The same with the reason.
    pub(crate) fn report_failure(&self, kind: EventKind, error: &Error) {
        self.tell(&self.event(kind).because(error));
    }

    /// The same about somebody's session.
    pub(crate) fn report_of(&self, kind: EventKind, owner: Option<&str>, family: Family) {
        self.tell(&self.event_of(kind, owner, family));
    }

    /// The same about a user without a session.
    pub(crate) fn report_user(&self, kind: EventKind, id: &str) {
        self.tell(&self.event(kind).of(Some(id), None));
    }

    /// The same about several of a user's sessions.
    pub(crate) fn report_revoked(&self, owner: &str, which: Which) {
        let family = match which {
            Which::Only(family) => Some(family),
            Which::All | Which::Except(_) => None,
        };
        self.tell(&self.event(EventKind::Revoked).of(self.id_of(owner), family));
    }

    pub(crate) fn event_of(&self, kind: EventKind, owner: Option<&str>, family: Family) -> Event {
        let id = owner.and_then(|owner| self.id_of(owner));
        self.event(kind).of(id, Some(family))
    }

    pub(crate) fn event(&self, kind: EventKind) -> Event {
        Event::new(kind, &self.name, self.clock.now())
    }

    pub(crate) fn tell(&self, event: &Event) {
        #[cfg(feature = "tracing")]
        event.trace();
        if let Some(OnEvent(on_event)) = &self.on_event {
            // An audit log that panics is no reason to answer that a login failed which has been written.
            let _reported_by_the_panic_hook = catch_unwind(AssertUnwindSafe(|| on_event(event)));
        }
    }
}
