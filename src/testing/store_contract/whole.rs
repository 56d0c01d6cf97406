//! Running all checks on one store.

use std::{fmt, pin::Pin, sync::Arc};

use super::{CHECKS, store_checks};
use crate::store::SessionStore;

/// The checks of one store, which run when it is awaited. Created by
/// [`store_contract`](super::store_contract).
#[must_use = "no check runs before this is awaited"]
pub struct StoreContract {
    store: Arc<dyn SessionStore>,
    has_native_expiry: bool,
}

impl StoreContract {
    pub(super) fn new(store: Arc<dyn SessionStore>) -> Self {
        Self {
            store,
            has_native_expiry: false,
        }
    }

    /// Leaves out the checks of `delete_expired`, for a store whose server removes expired records
    /// by itself and whose `delete_expired` always returns 0.
    pub fn with_native_expiry(self) -> Self {
        Self {
            has_native_expiry: true,
            ..self
        }
    }

    async fn run(self) {
        let mut broken = Vec::new();
        for check in store_checks() {
            if self.has_native_expiry && check.needs_delete_expired() {
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
            .field("has_native_expiry", &self.has_native_expiry)
            .finish_non_exhaustive()
    }
}
