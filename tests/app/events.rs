//! What the manager told, kept for a test to read.

use std::sync::{Arc, Mutex};

use login_manager::{EventKind, LoginManager};

use crate::world::Account;

/// Clones share what they heard.
#[derive(Clone, Default)]
pub struct Events(Arc<Mutex<Vec<EventKind>>>);

impl Events {
    /// Listens to this manager.
    pub fn watch(&self, manager: LoginManager<Account>) -> LoginManager<Account> {
        let events = self.clone();
        manager.with_on_event(move |event| {
            // Every request asks.
            if event.kind() != EventKind::Asked {
                events.0.lock().unwrap().push(event.kind());
            }
        })
    }

    /// What was told since the last time this was asked.
    pub fn take(&self) -> Vec<EventKind> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
