//! All checks of one store together.

use std::{fmt, pin::Pin, sync::Arc};

use super::{CHECKS, store_checks};
use crate::store::SessionStore;

/// The checks of one store, before they are awaited. Made by [`store_contract`](super::store_contract).
#[must_use = "nothing is checked before this is awaited"]
pub struct StoreContract {
    store: Arc<dyn SessionStore>,
    clears_up_itself: bool,
}

impl StoreContract {
    pub(super) fn new(store: Arc<dyn SessionStore>) -> Self {
        Self {
            store,
            clears_up_itself: false,
        }
    }

    /// The server drops expired records by itself, and `delete_expired` answers 0 whatever there is.
    pub fn that_clears_up_itself(self) -> Self {
        Self {
            clears_up_itself: true,
            ..self
        }
    }

    async fn run(self) {
        let mut broken = Vec::new();
        for check in store_checks() {
            if self.clears_up_itself && check.is_about_clearing_up() {
                continue;
            }
            if let Err(what) = check.run(Arc::clone(&self.store)).await {
                broken.push(format!("{}: {what}", check.name()));
            }
        }
        assert!(
            broken.is_empty(),
            "the store breaks {} of {} promises:\n\n{}\n",
            broken.len(),
            CHECKS.len(),
            broken.join("\n\n")
        );
    }
}

impl IntoFuture for StoreContract {
    type Output = ();
    type IntoFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for StoreContract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreContract")
            .field("clears_up_itself", &self.clears_up_itself)
            .finish_non_exhaustive()
    }
}
