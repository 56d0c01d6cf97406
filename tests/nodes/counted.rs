//! A store that lists the calls it receives.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use login_manager::{
    BoxError, SessionStore,
    store::{CreateOutcome, Outcome, Page, SessionId, SessionRecord},
};

/// Clones share the list.
#[derive(Clone)]
pub struct Counted {
    store: Arc<dyn SessionStore>,
    calls: Arc<Mutex<Vec<&'static str>>>,
}

impl Counted {
    pub fn new(store: Arc<dyn SessionStore>) -> Self {
        Self {
            store,
            calls: Arc::default(),
        }
    }

    /// The calls since the last time this was called.
    pub fn take_calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    fn note(&self, call: &'static str) -> &Arc<dyn SessionStore> {
        self.calls.lock().unwrap().push(call);
        &self.store
    }
}

#[async_trait]
impl SessionStore for Counted {
    async fn create(&self, record: SessionRecord) -> Result<CreateOutcome, BoxError> {
        self.note("create").create(record).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
        self.note("load").load(id).await
    }

    async fn load_fresh(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
        self.note("load_fresh").load_fresh(id).await
    }

    async fn update(&self, record: SessionRecord, now: i64) -> Result<Outcome, BoxError> {
        self.note("update").update(record, now).await
    }

    async fn touch(&self, id: &SessionId, now: i64, expires: i64) -> Result<Outcome, BoxError> {
        self.note("touch").touch(id, now, expires).await
    }

    async fn delete(&self, id: &SessionId, version: Option<u64>) -> Result<Outcome, BoxError> {
        self.note("delete").delete(id, version).await
    }

    async fn list(
        &self,
        owner: &str,
        page: Page,
        now: i64,
    ) -> Result<Vec<SessionRecord>, BoxError> {
        self.note("list").list(owner, page, now).await
    }

    async fn delete_all(&self, owner: &str, except: Option<SessionId>) -> Result<u64, BoxError> {
        self.note("delete_all").delete_all(owner, except).await
    }

    async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError> {
        self.note("delete_expired").delete_expired(now, limit).await
    }
}
