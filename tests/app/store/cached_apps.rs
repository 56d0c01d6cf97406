//! Applications whose store is behind a cache or a pointer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use login_manager::{
    CachedStore, LoginManager, SessionStore, event::EventKind, testing::TestClock,
};
use tokio::time::advance;

use crate::support::{
    browser::Browser,
    faulty_store::FaultyStore,
    settle,
    world::{Accounts, SESSION, routes},
};

const STALENESS: Duration = Duration::from_secs(60 * 60);

#[tokio::test]
async fn a_manager_takes_a_store_in_a_box() {
    let accounts = Accounts::new();
    let store: Box<dyn SessionStore> = Box::new(FaultyStore::new());
    let manager = LoginManager::new(store, accounts.clone());
    let mut browser = Browser::new(routes(&accounts).layer(manager));
    browser.post("/login/alice").await;
    assert_eq!(browser.get("/who").await.body, "alice");
}

/// Apps on two nodes over one store, each with its own cache.
fn two_apps() -> (Browser, Browser, FaultyStore) {
    let (store, accounts) = (FaultyStore::new(), Accounts::new());
    let app = || {
        let cache = CachedStore::new(store.clone(), STALENESS);
        let manager = LoginManager::new(cache, accounts.clone()).with_realm("account");
        routes(&accounts).layer(manager)
    };
    (Browser::new(app()), Browser::new(app()), store)
}

#[tokio::test]
async fn everyone_is_logged_out_of_the_cache_too() {
    let accounts = Accounts::new();
    let store = FaultyStore::new();
    let cache = CachedStore::new(store.clone(), STALENESS);
    let manager = LoginManager::new(cache, accounts.clone());
    let mut browser = Browser::new(routes(&accounts).layer(manager.clone()));
    for _ in 0..2 {
        browser.post("/login/alice").await;
        assert_eq!(browser.get("/who").await.body, "alice");
        assert_eq!(manager.logout_everyone().await.unwrap(), 1);
        assert_eq!(browser.get("/who").await.body, "nobody");
    }
    // Afterwards the cache works as before, also beside a cleanup.
    browser.post("/login/alice").await;
    browser.get("/who").await;
    manager.cleanup().await.unwrap();
    store.take_calls();
    assert_eq!(browser.get("/who").await.body, "alice");
    assert_eq!(store.take_calls(), []);
}

#[tokio::test(start_paused = true)]
async fn logout_through_this_node_is_seen_at_once() {
    let (mut browser, _, store) = two_apps();
    assert_eq!(browser.post("/login/alice").await.body, "alice");
    assert_eq!(browser.get("/who").await.body, "alice");
    store.take_calls();
    assert_eq!(browser.get("/who").await.body, "alice");
    assert_eq!(store.take_calls(), [], "it is cached");

    let token = browser.cookie("-session").unwrap();
    assert_eq!(browser.post("/logout").await.body, "bye");
    browser.plant(SESSION, &token);
    assert_eq!(browser.get("/who").await.body, "nobody");
}

#[tokio::test(start_paused = true)]
async fn logout_through_another_node_is_seen_after_staleness() {
    let (mut here, mut there, _) = two_apps();
    assert_eq!(here.post("/login/alice").await.body, "alice");
    assert_eq!(here.get("/who").await.body, "alice");
    let token = here.cookie("-session").unwrap();
    there.plant(SESSION, &token);
    assert_eq!(there.post("/logout").await.body, "bye");
    there.plant(SESSION, &token);
    assert_eq!(there.get("/who").await.body, "nobody");
    assert_eq!(here.get("/who").await.body, "alice", "for the staleness");
    advance(STALENESS).await;
    assert_eq!(here.get("/who").await.body, "nobody");
}

#[tokio::test(start_paused = true)]
async fn an_old_copy_raises_no_theft_alarm() {
    let store = FaultyStore::new();
    let (accounts, clock) = (Accounts::new(), TestClock::new());
    let thefts = Arc::new(AtomicUsize::new(0));
    let node = || {
        let heard = Arc::clone(&thefts);
        let manager =
            LoginManager::new(CachedStore::new(store.clone(), STALENESS), accounts.clone());
        let manager = manager.with_clock(&clock).with_on_event(move |event| {
            if event.kind() == EventKind::RememberTheft {
                heard.fetch_add(1, Ordering::SeqCst);
            }
        });
        routes(&accounts).layer(manager.with_realm("account"))
    };
    let (a, b) = (node(), node());
    let mut browser = Browser::new(a.clone());
    browser.post("/remember/alice").await;
    let minutes = |minutes: u64| clock.advance(Duration::from_secs(60 * minutes));

    // A returning browser is restored at B, twice at once: B knows the series with the second
    // secret.
    browser.forget(SESSION);
    let mut browser = browser.moved_to(b.clone());
    let mut beside = browser.clone();
    assert_eq!(browser.get("/who").await.body, "alice");
    assert_eq!(beside.get("/who").await.body, "alice");
    settle().await;
    // At A the browser shows that it got it, and comes back there once more: the third secret.
    let mut browser = browser.moved_to(a.clone());
    assert_eq!(browser.get("/who").await.body, "alice");
    settle().await;
    minutes(5);
    browser.forget(SESSION);
    assert_eq!(browser.get("/who").await.body, "alice");
    settle().await;
    // B has never heard of that one.
    minutes(5);
    browser.forget(SESSION);
    let mut browser = browser.moved_to(b);
    assert_eq!(browser.get("/who").await.body, "alice");
    settle().await;
    let mut browser = browser.moved_to(a);
    assert_eq!(browser.get("/who").await.body, "alice");
    assert_eq!(thefts.load(Ordering::SeqCst), 0);
}

/// The rest of the crate relies on reading its own writes.
#[tokio::test(start_paused = true)]
async fn every_verb_works_through_a_cache() {
    let (mut browser, _, _) = two_apps();
    assert_eq!(browser.post("/put/key/value").await.status, 200);
    assert_eq!(browser.get("/get/key").await.body, "value");
    assert_eq!(browser.post("/login/alice").await.body, "alice");
    assert_eq!(browser.get("/get/key").await.body, "value");
    for verb in ["/confirm", "/rotate", "/put/key/other", "/remember/alice"] {
        let token = browser.cookie("-session").unwrap();
        let answer = browser.post(verb).await;
        assert_eq!(answer.status, 200, "{verb}: {}", answer.body);
        assert_eq!(browser.get("/who").await.body, "alice", "{verb}");
        if browser.cookie("-session").unwrap() != token {
            let mut late = browser.another();
            late.plant(SESSION, &token);
            assert_eq!(late.post("/confirm").await.status, 409, "{verb}");
        }
    }
    assert_eq!(browser.get("/get/key").await.body, "other");
}
