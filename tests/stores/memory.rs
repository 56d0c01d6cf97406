//! The store of one process. All checks share one: what a check leaves behind mustn't disturb the others.

use login_manager::MemoryStore;

use crate::Store;

pub(crate) fn store() -> Store {
    let store = MemoryStore::new();
    Store::new("memory", move || {
        let store = store.clone();
        async { Ok(store) }
    })
}
