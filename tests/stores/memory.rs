//! The store of one process. All checks share it, so the records that a check leaves behind must
//! not disturb the others.

use login_manager::MemoryStore;

use crate::Store;

pub(crate) fn store() -> Store {
    let store = MemoryStore::new();
    Store::new("memory", move || {
        let store = store.clone();
        async { Ok(store) }
    })
}
