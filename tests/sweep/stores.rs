//! Other stores than the one in memory.

use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use login_manager::{
    BoxError, CachedStore, MemoryStore, SessionStore, SqliteStore,
    store::{CreateOutcome, Outcome, Page, SessionId, SessionRecord, async_trait},
};
use sqlx::sqlite::SqlitePoolOptions;
use tokio::runtime::{self, Runtime};

use crate::support::faulty_store::FaultyStore;

/// A store that goes wrong on command, and what the application sees of it.
#[derive(Clone)]
pub struct Place {
    pub store: FaultyStore<Arc<dyn SessionStore>>,
    pub seen: Arc<dyn SessionStore>,
}

impl Place {
    pub fn new(store: Arc<dyn SessionStore>) -> Self {
        let store = FaultyStore::over(store);
        let seen = Arc::new(store.clone());
        Self { store, seen }
    }

    pub fn in_memory() -> Self {
        Self::new(Arc::new(MemoryStore::new()))
    }

    /// The same behind a cache whose entries outlive the case.
    pub fn cached() -> Self {
        let Self { store, .. } = Self::in_memory();
        let mut place = Self {
            seen: Arc::new(store.clone()),
            store,
        };
        place.seen = place.another_cache();
        place
    }

    /// A cache in front of the same store, as on another node.
    pub fn another_cache(&self) -> Arc<dyn SessionStore> {
        let hour = Duration::from_secs(60 * 60);
        Arc::new(CachedStore::new(self.store.clone(), hour))
    }
}

/// Opens a store on a runtime of its own.
pub fn blocking<S: SessionStore>(
    opening: impl Future<Output = Result<S, BoxError>>,
) -> Arc<dyn SessionStore> {
    let mut runtime = runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
    let store = Arc::new(runtime.block_on(opening).unwrap());
    Arc::new(Blocking { store, runtime })
}

/// A store whose calls block the thread, so that a paused clock stands still meanwhile.
struct Blocking {
    store: Arc<dyn SessionStore>,
    /// Where its connections live.
    runtime: Runtime,
}

impl Blocking {
    fn call<T: Send + 'static, F>(&self, call: impl FnOnce(Arc<dyn SessionStore>) -> F) -> T
    where
        F: Future<Output = T> + Send + 'static,
    {
        let (send, receive) = mpsc::channel();
        let work = call(Arc::clone(&self.store));
        self.runtime.spawn(async move { send.send(work.await) });
        receive.recv().unwrap()
    }
}

#[async_trait]
impl SessionStore for Blocking {
    async fn create(&self, record: SessionRecord) -> Result<CreateOutcome, BoxError> {
        self.call(|store| async move { store.create(record).await })
    }

    async fn load(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
        let id = *id;
        self.call(move |store| async move { store.load(&id).await })
    }

    async fn update(&self, record: SessionRecord, now: i64) -> Result<Outcome, BoxError> {
        self.call(move |store| async move { store.update(record, now).await })
    }

    async fn touch(&self, id: &SessionId, now: i64, expires: i64) -> Result<Outcome, BoxError> {
        let id = *id;
        self.call(move |store| async move { store.touch(&id, now, expires).await })
    }

    async fn delete(&self, id: &SessionId, version: Option<u64>) -> Result<Outcome, BoxError> {
        let id = *id;
        self.call(move |store| async move { store.delete(&id, version).await })
    }

    async fn list(
        &self,
        owner: &str,
        page: Page,
        now: i64,
    ) -> Result<Vec<SessionRecord>, BoxError> {
        let owner = owner.to_owned();
        self.call(move |store| async move { store.list(&owner, page, now).await })
    }

    async fn delete_all(&self, owner: &str, except: Option<SessionId>) -> Result<u64, BoxError> {
        let owner = owner.to_owned();
        self.call(move |store| async move { store.delete_all(&owner, except).await })
    }

    async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError> {
        self.call(move |store| async move { store.delete_expired(now, limit).await })
    }
}

/// A database of its own in memory.
pub fn sqlite() -> Arc<dyn SessionStore> {
    blocking(async {
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect("sqlite::memory:")
            .await?;
        let store = SqliteStore::new(pool);
        store.migrate().await?;
        Ok(store)
    })
}
