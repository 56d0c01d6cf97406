//! What the manager told, kept for a test to read.

use std::sync::{Arc, Mutex};

use login_manager::{LoginManager, event::Event, event::EventKind};

use crate::world::Account;

/// Clones share what they heard.
#[derive(Clone, Default)]
pub struct Events(Arc<Mutex<Vec<Event>>>);

impl Events {
    /// Listens to this manager.
    pub fn watch(&self, manager: LoginManager<Account>) -> LoginManager<Account> {
        let events = self.clone();
        manager.with_on_event(move |event| {
            // Every request asks.
            if event.kind() != EventKind::Resolved {
                events.0.lock().unwrap().push(event.clone());
            }
        })
    }

    /// What was told since the last time this was asked.
    pub fn take(&self) -> Vec<EventKind> {
        let events = std::mem::take(&mut *self.0.lock().unwrap());
        events.iter().map(Event::kind).collect()
    }

    /// What was told of this kind, whole, since the last time something was asked.
    pub fn take_of(&self, kind: EventKind) -> Vec<Event> {
        let mut events = std::mem::take(&mut *self.0.lock().unwrap());
        events.retain(|event| event.kind() == kind);
        events
    }
}
