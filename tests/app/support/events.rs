//! The events that a manager has emitted, except `Resolved`, which nearly every request emits.

use std::sync::{Arc, Mutex};

use login_manager::{AuthUser, LoginManager, event::Event, event::EventKind};

/// Clones share their events.
#[derive(Clone, Default)]
pub struct Events(Arc<Mutex<Vec<Event>>>);

impl Events {
    /// Subscribes to the events of this manager, in place of any other subscriber.
    pub fn watch<U: AuthUser>(&self, manager: LoginManager<U>) -> LoginManager<U> {
        let events = self.clone();
        manager.with_on_event(move |event| {
            if event.kind() != EventKind::Resolved {
                events.0.lock().unwrap().push(event.clone());
            }
        })
    }

    /// The kinds of the events since the last call.
    pub fn take(&self) -> Vec<EventKind> {
        self.take_all().iter().map(Event::kind).collect()
    }

    /// The events of this kind since the last call. Events of other kinds are dropped.
    pub fn take_of(&self, kind: EventKind) -> Vec<Event> {
        let mut events = self.take_all();
        events.retain(|event| event.kind() == kind);
        events
    }

    /// How many events of this kind there are. They are not removed.
    pub fn count(&self, kind: EventKind) -> usize {
        let events = self.0.lock().unwrap();
        events.iter().filter(|event| event.kind() == kind).count()
    }

    pub fn take_all(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}
