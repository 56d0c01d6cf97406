//! A store behind a pointer receives exactly the calls of the pointer.

use std::{sync::Arc, time::Duration};

use login_manager::{
    CachedStore, SessionStore,
    store::{CreateOutcome, Outcome, Page, SessionId, SessionRecord},
};

use crate::support::faulty_store::{
    Call::{Create, Delete, DeleteAll, DeleteExpired, List, Load, LoadFresh, Touch, Update},
    FaultyStore,
};

/// Every method once.
async fn call_all(store: impl SessionStore) {
    let mut record = SessionRecord {
        id: SessionId::from_bytes([1; 16]),
        owner: Some("app/alice".into()),
        version: 0,
        created: 0,
        touched: 0,
        expires: 100,
        ends: 1000,
        payload: Arc::from(*b"payload"),
    };
    let id = record.id;
    let page = Page {
        after: None,
        limit: 10,
    };
    let created = store.create(record.clone()).await.unwrap();
    assert_eq!(created, CreateOutcome::Done);
    let loaded = store.load(&id).await.unwrap();
    assert_eq!(loaded.as_ref(), Some(&record));
    let loaded = store.load_fresh(&id).await.unwrap();
    assert_eq!(loaded.as_ref(), Some(&record));
    let updated = store.update(record.clone(), 1).await.unwrap();
    assert_eq!(updated, Outcome::Done);
    let touched = store.touch(&id, 2, 200).await.unwrap();
    assert_eq!(touched, Outcome::Done);
    (record.version, record.touched, record.expires) = (1, 2, 200);
    let listed = store.list("app/alice", page, 3).await.unwrap();
    assert_eq!(listed, [record]);
    let deleted = store.delete_all("app/alice", Some(id)).await.unwrap();
    assert_eq!(deleted, 0);
    let deleted = store.delete(&id, Some(1)).await.unwrap();
    assert_eq!(deleted, Outcome::Done);
    assert_eq!(store.delete_expired(1000, 10).await.unwrap(), 0);
}

#[tokio::test]
async fn a_pointer_passes_on_every_call_and_adds_none() {
    let calls = [
        Create,
        Load,
        LoadFresh,
        Update,
        Touch,
        List,
        DeleteAll,
        Delete,
        DeleteExpired,
    ];
    let store = FaultyStore::new();
    call_all(Box::new(store.clone())).await;
    assert_eq!(store.take_calls(), calls);
    call_all(Arc::new(store.clone())).await;
    assert_eq!(store.take_calls(), calls);
    call_all(Box::new(store.clone()) as Box<dyn SessionStore>).await;
    assert_eq!(store.take_calls(), calls);
    call_all(Arc::new(store.clone()) as Arc<dyn SessionStore>).await;
    assert_eq!(store.take_calls(), calls);
}

#[test]
fn a_cache_behind_a_pointer_is_still_a_cache() {
    let cache = CachedStore::new(FaultyStore::new(), Duration::from_secs(5));
    assert!(cache.is_cache());
    assert!(Box::new(cache.clone()).is_cache());
    assert!((Arc::new(cache) as Arc<dyn SessionStore>).is_cache());
    assert!(!Box::new(FaultyStore::new()).is_cache());
}
