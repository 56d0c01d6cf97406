//! A store behind a pointer is asked exactly what the pointer is asked.

use std::sync::Arc;

use login_manager::{
    LoginManager, SessionStore,
    store::{Created, Family, Outcome, Page, Record, RecordKey, Replaced, Which},
};

use crate::{
    browser::Browser,
    faulty_store::{
        Call::{Create, Delete, DeleteAll, DeleteExpired, List, Load, Replace, Touch, Update},
        FaultyStore,
    },
    world::{Accounts, routes},
};

fn record(number: u8) -> Record {
    Record {
        key: RecordKey::from_bytes([number; 32]),
        family: Family::from_bytes([number; 16]),
        owner: Some("app/alice".into()),
        created: 0,
        touched: 0,
        expires: 100,
        ends: 1000,
        version: 0,
        payload: Arc::from(*b"payload"),
    }
}

/// Every method once.
async fn ask(store: impl SessionStore) {
    let [old, new] = [record(1), record(2)];
    let page = Page {
        after: None,
        limit: 10,
    };
    assert_eq!(store.create(old.clone()).await.unwrap(), Created::Done);
    let loaded = store.load(&old.key).await.unwrap();
    assert_eq!(loaded, Some(old.clone()));
    let updated = store.update(&old.key, 0, Arc::from(*b"more"), 1).await;
    assert_eq!(updated.unwrap(), Outcome::Done);
    let touched = store.touch(&old.key, 2, 200).await;
    assert_eq!(touched.unwrap(), Outcome::Done);
    let replaced = store.replace(&old.key, 1, new.clone()).await;
    assert_eq!(replaced.unwrap(), Replaced::Done);
    let listed = store.list("app/alice", page, 3).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&new));
    let deleted = store.delete(&new.key, None).await;
    assert_eq!(deleted.unwrap(), Outcome::Done);
    let deleted = store.delete_all("app/alice", Which::All).await;
    assert_eq!(deleted.unwrap(), 0);
    assert_eq!(store.delete_expired(1000, 10).await.unwrap(), 0);
}

fn store() -> FaultyStore {
    let store = FaultyStore::new();
    store.replace_at_once();
    store
}

#[tokio::test]
async fn a_pointer_passes_on_every_call_and_adds_none() {
    let calls = [
        Create,
        Load,
        Update,
        Touch,
        Replace,
        List,
        Delete,
        DeleteAll,
        DeleteExpired,
    ];
    let store = store();
    ask(Box::new(store.clone())).await;
    assert_eq!(store.take_calls(), calls);
    ask(Arc::new(store.clone())).await;
    assert_eq!(store.take_calls(), calls);
    ask(Box::new(store.clone()) as Box<dyn SessionStore>).await;
    assert_eq!(store.take_calls(), calls);
    ask(Arc::new(store.clone()) as Arc<dyn SessionStore>).await;
    assert_eq!(store.take_calls(), calls);
}

#[tokio::test]
async fn a_manager_takes_a_store_in_a_box() {
    let accounts = Accounts::new();
    let store: Box<dyn SessionStore> = Box::new(store());
    let manager = LoginManager::new(store, accounts.clone());
    let mut browser = Browser::new(routes(&accounts).layer(manager));
    browser.post("/login/alice").await;
    assert_eq!(browser.get("/who").await.body, "alice");
}
