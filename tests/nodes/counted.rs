//! Any store, with a list of what it was asked.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use login_manager::{
    BoxError, SessionStore,
    store::{Created, Outcome, Page, Record, RecordKey, Replaced, Which},
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

    /// The calls since the last time this was asked.
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
    async fn create(&self, record: Record) -> Result<Created, BoxError> {
        self.note("create").create(record).await
    }

    async fn load(&self, key: &RecordKey) -> Result<Option<Record>, BoxError> {
        self.note("load").load(key).await
    }

    async fn update(
        &self,
        key: &RecordKey,
        version: u64,
        payload: Arc<[u8]>,
        now: i64,
    ) -> Result<Outcome, BoxError> {
        let store = self.note("update");
        store.update(key, version, payload, now).await
    }

    async fn touch(&self, key: &RecordKey, now: i64, expires: i64) -> Result<Outcome, BoxError> {
        self.note("touch").touch(key, now, expires).await
    }

    async fn delete(&self, key: &RecordKey, version: Option<u64>) -> Result<Outcome, BoxError> {
        self.note("delete").delete(key, version).await
    }

    async fn replace(
        &self,
        old: &RecordKey,
        version: u64,
        new: Record,
    ) -> Result<Replaced, BoxError> {
        self.note("replace").replace(old, version, new).await
    }

    async fn list(&self, owner: &str, page: Page, now: i64) -> Result<Vec<Record>, BoxError> {
        self.note("list").list(owner, page, now).await
    }

    async fn delete_all(&self, owner: &str, which: Which) -> Result<u64, BoxError> {
        self.note("delete_all").delete_all(owner, which).await
    }

    async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError> {
        self.note("delete_expired").delete_expired(now, limit).await
    }
}
