//! A store that counts its calls.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use login_manager::{
    BoxError, SessionStore,
    store::{CreateOutcome, Outcome, Page, SessionId, SessionRecord},
};

/// Clones share the count.
#[derive(Clone)]
pub(crate) struct Counted {
    store: Arc<dyn SessionStore>,
    calls: Arc<AtomicUsize>,
}

impl Counted {
    pub(crate) fn new(store: Arc<dyn SessionStore>) -> Self {
        Self {
            store,
            calls: Arc::default(),
        }
    }

    /// Returns the number of calls since it was last called.
    pub(crate) fn take_calls(&self) -> usize {
        self.calls.swap(0, Ordering::Relaxed)
    }

    fn called(&self) -> &Arc<dyn SessionStore> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        &self.store
    }
}

#[async_trait]
impl SessionStore for Counted {
    async fn create(&self, record: SessionRecord) -> Result<CreateOutcome, BoxError> {
        self.called().create(record).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
        self.called().load(id).await
    }

    async fn load_fresh(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
        self.called().load_fresh(id).await
    }

    async fn update(&self, record: SessionRecord, now: i64) -> Result<Outcome, BoxError> {
        self.called().update(record, now).await
    }

    async fn touch(&self, id: &SessionId, now: i64, expires: i64) -> Result<Outcome, BoxError> {
        self.called().touch(id, now, expires).await
    }

    async fn delete(&self, id: &SessionId, version: Option<u64>) -> Result<Outcome, BoxError> {
        self.called().delete(id, version).await
    }

    async fn list(
        &self,
        owner: &str,
        page: Page,
        now: i64,
    ) -> Result<Vec<SessionRecord>, BoxError> {
        self.called().list(owner, page, now).await
    }

    async fn delete_all(&self, owner: &str, except: Option<SessionId>) -> Result<u64, BoxError> {
        self.called().delete_all(owner, except).await
    }

    async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError> {
        self.called().delete_expired(now, limit).await
    }

    async fn delete_any(&self, limit: usize) -> Result<u64, BoxError> {
        self.called().delete_any(limit).await
    }
}
