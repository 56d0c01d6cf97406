//! The cache in front of a store: what it may answer from memory, and what never.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use login_manager::{
    CachedStore, EventKind, LoginManager, SessionStore as _,
    store::{Created, Family, Outcome, Record, RecordKey, Replaced, Which},
    testing::TestClock,
};
use tokio::time::advance;

use crate::{
    browser::Browser,
    faulty_store::{Call, Fault, FaultyStore, When},
    world::{Accounts, SESSION, routes},
};

/// By a clock that only moves when a test says so: none of them is so slow that it runs out by itself.
const STALENESS: Duration = Duration::from_secs(60 * 60);
const OWNER: &str = "app/alice";

fn record(number: u8) -> Record {
    Record {
        key: RecordKey::from_bytes([number; 32]),
        family: Family::from_bytes([number; 16]),
        owner: Some(OWNER.into()),
        // Long ago: none of them comes to its idle end here.
        created: -100_000_000,
        touched: -100_000_000,
        expires: 100,
        ends: 1000,
        version: 0,
        payload: Arc::from(*b"payload"),
    }
}

struct Node {
    cache: CachedStore,
    store: FaultyStore,
}

impl Node {
    /// With record 1 in the store and nothing in memory.
    async fn new() -> Self {
        let store = FaultyStore::new();
        store.replace_at_once();
        let created = store.create(record(1)).await.unwrap();
        assert_eq!(created, Created::Done);
        store.take_calls();
        Self {
            cache: CachedStore::new(store.clone(), STALENESS),
            store,
        }
    }

    async fn load(&self) -> Option<Record> {
        self.cache.load(&record(1).key).await.unwrap()
    }

    /// Whether the next load is answered from memory.
    async fn remembers(&self) -> bool {
        self.store.take_calls();
        self.load().await;
        !self.store.take_calls().contains(&Call::Load)
    }

    async fn change(&self, verb: Call) {
        let key = record(1).key;
        let cache = &self.cache;
        match verb {
            Call::Create => drop(cache.create(record(1)).await),
            Call::Update => drop(cache.update(&key, 0, Arc::from([9]), 0).await),
            Call::Touch => drop(cache.touch(&key, 7, 200).await),
            Call::Delete => drop(cache.delete(&key, None).await),
            Call::Replace => drop(cache.replace(&key, 0, record(2)).await),
            Call::DeleteAll => drop(cache.delete_all(OWNER, Which::All).await),
            Call::DeleteExpired => drop(cache.delete_expired(100, 10).await),
            Call::Load | Call::List => unreachable!("they change nothing"),
        }
    }
}

const CHANGES: [Call; 7] = [
    Call::Create,
    Call::Update,
    Call::Touch,
    Call::Delete,
    Call::Replace,
    Call::DeleteAll,
    Call::DeleteExpired,
];

#[tokio::test(start_paused = true)]
async fn a_record_is_read_once_in_a_while() {
    let node = Node::new().await;
    for _ in 0..3 {
        assert_eq!(node.load().await, Some(record(1)));
        for _ in 0..10 {
            assert_eq!(node.load().await, Some(record(1)));
        }
        assert_eq!(node.store.take_calls(), [Call::Load]);
        advance(STALENESS - Duration::from_nanos(1)).await;
        assert!(node.remembers().await);
        advance(Duration::from_nanos(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_not_remembered() {
    let node = Node::new().await;
    let other = record(2).key;
    for _ in 0..2 {
        assert_eq!(node.cache.load(&other).await.unwrap(), None);
    }
    assert_eq!(node.store.take_calls(), [Call::Load, Call::Load]);
    // Made on another node, seen at once.
    assert_eq!(node.store.create(record(2)).await.unwrap(), Created::Done);
    assert_eq!(node.cache.load(&other).await.unwrap(), Some(record(2)));
}

#[tokio::test(start_paused = true)]
async fn a_change_here_is_seen_at_once() {
    for verb in CHANGES {
        let node = Node::new().await;
        node.load().await;
        node.change(verb).await;
        let now = node.store.inner.load(&record(1).key).await.unwrap();
        assert_eq!(node.load().await, now, "{verb:?}");
        assert_eq!(node.store.take_calls(), [Call::Load, verb, Call::Load]);
    }
}

/// Also one that answers Conflict or Gone: who reads again wants to see why.
#[tokio::test(start_paused = true)]
async fn a_conflict_makes_the_next_read_fresh() {
    let node = Node::new().await;
    let key = record(1).key;
    node.load().await;
    // On another node.
    let elsewhere = node.store.inner.update(&key, 0, Arc::from([7]), 0).await;
    assert_eq!(elsewhere.unwrap(), Outcome::Done);
    let here = node.cache.update(&key, 0, Arc::from([8]), 0).await;
    assert_eq!(here.unwrap(), Outcome::Conflict);
    assert_eq!(node.load().await.unwrap().version, 1);

    let elsewhere = node.store.inner.delete(&key, None).await;
    assert_eq!(elsewhere.unwrap(), Outcome::Done);
    let here = node.cache.touch(&key, 0, 0).await;
    assert_eq!(here.unwrap(), Outcome::Gone);
    assert_eq!(node.load().await, None);
}

/// The store has answered the load, the answer is on its way, and everything else happens before it arrives.
#[tokio::test(start_paused = true)]
async fn b6_a_load_under_way_brings_back_nothing_that_was_changed() {
    for verb in CHANGES {
        for when in [When::Before, When::After] {
            let node = Node::new().await;
            let gate = node.store.gate(Call::Load, when);
            let (loaded, ()) = tokio::join!(node.load(), async {
                gate.reached().await;
                node.change(verb).await;
                gate.open();
            });
            let now = node.store.inner.load(&record(1).key).await.unwrap();
            if when == When::Before {
                assert_eq!(loaded, now);
            }
            assert!(!node.remembers().await, "{verb:?} {when:?}");
            assert_eq!(node.load().await, now);
        }
    }
}

/// A load that begins and ends while the change is under way may see either. It isn't remembered once the change is through.
#[tokio::test(start_paused = true)]
async fn b6_a_load_within_a_change_is_not_remembered() {
    for verb in CHANGES {
        for when in [When::Before, When::After] {
            let node = Node::new().await;
            let gate = node.store.gate(verb, when);
            let ((), ()) = tokio::join!(node.change(verb), async {
                gate.reached().await;
                node.load().await;
                gate.open();
            });
            assert!(!node.remembers().await, "{verb:?} {when:?}");
        }
    }
}

/// It may have been made all the same, or be made yet.
#[tokio::test(start_paused = true)]
async fn a_change_that_failed_or_was_dropped_is_waited_for() {
    const MINUTE: Duration = Duration::from_secs(60);
    let is_waited_for = async |node: &Node, how: &str| {
        for _ in 0..6 {
            assert!(!node.remembers().await, "{how}");
            advance(MINUTE / 6).await;
        }
        advance(Duration::from_millis(1)).await;
        assert!(!node.remembers().await, "{how}");
        let is_there = node.load().await.is_some();
        assert_eq!(node.remembers().await, is_there, "{how}");
    };
    for verb in CHANGES {
        for fault in [Fault::Fails, Fault::DoesAndFails] {
            let node = Node::new().await;
            node.load().await;
            node.store.fail_once(verb, fault);
            node.change(verb).await;
            is_waited_for(&node, &format!("{verb:?} {fault:?}")).await;
        }
        for when in [When::Before, When::After] {
            let node = Node::new().await;
            node.load().await;
            let gate = node.store.gate(verb, when);
            tokio::select! {
                () = node.change(verb) => panic!("it waits at the gate"),
                () = gate.reached() => {}
            }
            is_waited_for(&node, &format!("{verb:?} dropped {when:?}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn b1_a_record_that_was_replaced_here_is_seen_at_once() {
    let node = Node::new().await;
    let (old, new) = (record(1).key, record(2));
    assert!(node.load().await.is_some());
    assert_eq!(node.cache.load(&new.key).await.unwrap(), None);
    let replaced = node.cache.replace(&old, 0, new.clone()).await;
    assert_eq!(replaced.unwrap(), Replaced::Done);
    assert_eq!(node.load().await, None);
    assert_eq!(node.cache.load(&new.key).await.unwrap(), Some(new.clone()));
    node.store.take_calls();
    assert_eq!(node.cache.load(&new.key).await.unwrap(), Some(new));
    assert_eq!(node.store.take_calls(), [], "from then on it is remembered");
}

/// A store that takes three steps: what was seen of the new record between them isn't remembered beyond.
#[tokio::test(start_paused = true)]
async fn b6_a_new_record_that_was_taken_back_is_not_remembered() {
    let store = FaultyStore::new();
    let cache = CachedStore::new(store.clone(), STALENESS);
    let (old, new) = (record(1), record(2));
    assert_eq!(store.create(old.clone()).await.unwrap(), Created::Done);
    let gate = store.gate(Call::Delete, When::Before);
    let (replaced, ()) = tokio::join!(cache.replace(&old.key, 7, new.clone()), async {
        gate.reached().await;
        assert_eq!(cache.load(&new.key).await.unwrap(), Some(new.clone()));
        gate.open();
    });
    assert_eq!(replaced.unwrap(), Replaced::Conflict);
    assert_eq!(cache.load(&new.key).await.unwrap(), None);
    assert_eq!(cache.load(&old.key).await.unwrap(), Some(old));
}

/// Whichever of the two is there, and both may be: neither is remembered until nothing can be on its way any more.
#[tokio::test(start_paused = true)]
async fn a_replace_that_failed_or_was_dropped_leaves_nothing_remembered() {
    const MINUTE: Duration = Duration::from_secs(60);
    let (old, new) = (record(1).key, record(2));
    let neither_is_remembered = async |cache: &CachedStore, store: &FaultyStore, how: &str| {
        for _ in 0..6 {
            for key in [old, new.key] {
                let now = store.inner.load(&key).await.unwrap();
                store.take_calls();
                assert_eq!(cache.load(&key).await.unwrap(), now, "{how}");
                assert_eq!(store.take_calls(), [Call::Load], "{how}");
            }
            advance(MINUTE / 6).await;
        }
    };
    for verb in [Call::Replace, Call::Create, Call::Delete] {
        let node = async || {
            let store = FaultyStore::new();
            let cache = CachedStore::new(store.clone(), STALENESS);
            assert_eq!(store.create(record(1)).await.unwrap(), Created::Done);
            cache.load(&old).await.unwrap();
            (cache, store)
        };
        for fault in [Fault::Fails, Fault::DoesAndFails] {
            let (cache, store) = node().await;
            store.fail_once(verb, fault);
            assert!(cache.replace(&old, 0, new.clone()).await.is_err());
            neither_is_remembered(&cache, &store, &format!("{verb:?} {fault:?}")).await;
        }
        for when in [When::Before, When::After] {
            let (cache, store) = node().await;
            let gate = store.gate(verb, when);
            tokio::select! {
                _ = cache.replace(&old, 0, new.clone()) => panic!("it waits at the gate"),
                () = gate.reached() => {}
            }
            neither_is_remembered(&cache, &store, &format!("{verb:?} dropped {when:?}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_load_is_not_remembered_and_forgets_nothing() {
    let node = Node::new().await;
    node.store.fail_once(Call::Load, Fault::Fails);
    assert!(node.cache.load(&record(1).key).await.is_err());
    assert_eq!(node.load().await, Some(record(1)));
    node.store.fail_all(Fault::Fails);
    assert_eq!(node.load().await, Some(record(1)));
    advance(STALENESS).await;
    assert!(node.cache.load(&record(1).key).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_change_elsewhere_is_seen_after_the_staleness() {
    let here = Node::new().await;
    let there = CachedStore::new(here.store.clone(), STALENESS);
    assert_eq!(here.load().await, Some(record(1)));
    advance(STALENESS / 2).await;
    let key = record(1).key;
    assert_eq!(there.delete(&key, None).await.unwrap(), Outcome::Done);
    assert_eq!(there.load(&key).await.unwrap(), None);
    assert_eq!(here.load().await, Some(record(1)), "not yet");
    // It counts from the read, so that it is less than the staleness from the change on.
    advance(STALENESS / 2).await;
    assert_eq!(here.load().await, None);
}

/// The time runs from before the store was asked.
#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_as_old_as_its_question() {
    let node = Node::new().await;
    let gate = node.store.gate(Call::Load, When::After);
    tokio::join!(node.load(), async {
        gate.reached().await;
        advance(STALENESS).await;
        gate.open();
    });
    assert!(!node.remembers().await);
    assert!(node.remembers().await);
}

/// Clones are one node, whichever of them changes something.
#[tokio::test(start_paused = true)]
async fn clones_share_their_memory() {
    let node = Node::new().await;
    let clone = node.cache.clone();
    node.load().await;
    node.store.take_calls();
    assert_eq!(clone.load(&record(1).key).await.unwrap(), Some(record(1)));
    assert_eq!(node.store.take_calls(), []);
    let deleted = clone.delete_all(OWNER, Which::All).await;
    assert_eq!(deleted.unwrap(), 1);
    assert_eq!(node.load().await, None);
}

#[tokio::test(start_paused = true)]
async fn fault_14_what_was_cleared_away_stays_dead_if_the_clock_goes_back() {
    let node = Node::new().await;
    let late = Record {
        expires: 500,
        ..record(2)
    };
    assert_eq!(
        node.store.create(late.clone()).await.unwrap(),
        Created::Done
    );
    node.load().await;
    node.cache.load(&late.key).await.unwrap();
    // On this node, by a clock that is ahead.
    assert_eq!(node.cache.delete_expired(100, 10).await.unwrap(), 1);
    assert_eq!(node.load().await, None);
    node.store.take_calls();
    assert_eq!(node.cache.load(&late.key).await.unwrap(), Some(late));
    assert_eq!(
        node.store.take_calls(),
        [],
        "the others are still remembered"
    );
    // What is made and read from then on is remembered, although it would have been cleared away.
    assert_eq!(node.cache.create(record(1)).await.unwrap(), Created::Done);
    assert!(!node.remembers().await);
    assert!(node.remembers().await);
}

#[tokio::test(start_paused = true)]
async fn its_memory_is_bounded() {
    let store = FaultyStore::new();
    let cache = CachedStore::new(store.clone(), STALENESS).with_capacity(100_000);
    for number in 0..=255 {
        let payload = Arc::from(vec![number; 10_000]);
        let large = Record {
            payload,
            ..record(number)
        };
        assert_eq!(store.create(large).await.unwrap(), Created::Done);
    }
    let load_all = async || {
        for number in 0..=255 {
            let found = cache.load(&record(number).key).await.unwrap();
            assert_eq!(found.unwrap().payload[..], [number; 10_000]);
        }
    };
    load_all().await;
    store.take_calls();
    load_all().await;
    let read_again = store.take_calls().len();
    assert!(read_again >= 246, "{} are remembered", 256 - read_again);
}

#[tokio::test(start_paused = true)]
async fn n5_no_staleness_is_too_long_or_too_short() {
    for (staleness, remembers) in [
        (Duration::ZERO, false),
        (STALENESS, true),
        (Duration::MAX, true),
    ] {
        let mut node = Node::new().await;
        node.cache = CachedStore::new(node.store.clone(), staleness);
        node.load().await;
        assert_eq!(node.remembers().await, remembers, "{staleness:?}");
        // A day at most.
        advance(Duration::from_secs(24 * 60 * 60)).await;
        assert!(!node.remembers().await, "{staleness:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn debug_does_not_leak_what_is_remembered() {
    let node = Node::new().await;
    node.load().await;
    let debug = format!("{:?}", node.cache);
    assert_eq!(debug, "CachedStore { staleness: 3600s, .. }");
}

/// Apps on two nodes over one store, each with its own cache.
fn two_apps() -> (Browser, Browser, FaultyStore) {
    let (store, accounts) = (FaultyStore::new(), Accounts::new());
    let app = || {
        let cache = CachedStore::new(store.clone(), STALENESS);
        let manager = LoginManager::new(cache, accounts.clone()).with_realm("account");
        routes(&accounts).layer(manager.unwrap())
    };
    (Browser::new(app()), Browser::new(app()), store)
}

#[tokio::test(start_paused = true)]
async fn b5_a_logout_through_this_node_is_seen_on_it_at_once() {
    let (mut browser, _, store) = two_apps();
    assert_eq!(browser.post("/login/alice").await.body, "alice");
    assert_eq!(browser.get("/who").await.body, "alice");
    store.take_calls();
    assert_eq!(browser.get("/who").await.body, "alice");
    assert_eq!(store.take_calls(), [], "it is remembered");

    let token = browser.cookie("-session").unwrap();
    assert_eq!(browser.post("/logout").await.body, "bye");
    browser.plant(SESSION, &token);
    assert_eq!(browser.get("/who").await.body, "nobody");
}

#[tokio::test(start_paused = true)]
async fn b5_a_logout_through_another_node_is_seen_after_the_staleness() {
    let (mut here, mut there, _) = two_apps();
    assert_eq!(here.post("/login/alice").await.body, "alice");
    assert_eq!(here.get("/who").await.body, "alice");
    let token = here.cookie("-session").unwrap();
    there.plant(SESSION, &token);
    assert_eq!(there.post("/logout").await.body, "bye");
    there.plant(SESSION, &token);
    assert_eq!(there.get("/who").await.body, "nobody");
    assert_eq!(here.get("/who").await.body, "alice", "that is the price");
    advance(STALENESS).await;
    assert_eq!(here.get("/who").await.body, "nobody");
}

#[tokio::test(start_paused = true)]
async fn a_copy_ends_no_session_that_is_used_elsewhere() {
    let store = FaultyStore::new();
    let short = Record {
        touched: 0,
        ..record(1)
    };
    let created = store.create(short.clone()).await.unwrap();
    assert_eq!(created, Created::Done);
    let cache = CachedStore::new(store.clone(), STALENESS);
    let load = async || cache.load(&short.key).await.unwrap().unwrap().expires;
    assert_eq!(load().await, 100);
    let touched = store.touch(&short.key, 40, 900).await.unwrap();
    assert_eq!(touched, Outcome::Done, "by another node");
    advance(Duration::from_millis(49)).await;
    assert_eq!(load().await, 100);
    advance(Duration::from_millis(1)).await;
    assert_eq!(
        load().await,
        900,
        "half its idle time is as long as it may be remembered"
    );
}

/// Lets the tasks that were spawned come to their end.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn d5_nobody_is_accused_of_theft_on_the_word_of_an_old_copy() {
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
        routes(&accounts).layer(manager.with_realm("account").unwrap())
    };
    let (a, b) = (node(), node());
    let mut browser = Browser::new(a.clone());
    browser.post("/remember/alice").await;
    let minutes = |minutes: u64| clock.advance(Duration::from_secs(60 * minutes));

    // A returning browser is restored at B, twice at once: B knows the series with the second secret.
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

/// The rest of the crate relies on a store that tells it what it wrote.
#[tokio::test(start_paused = true)]
async fn every_verb_works_through_a_cache() {
    let (mut browser, _, _) = two_apps();
    assert_eq!(browser.post("/put/key/value").await.status, 200);
    assert_eq!(browser.get("/get/key").await.body, "value");
    assert_eq!(browser.post("/login/alice").await.body, "alice");
    assert_eq!(browser.get("/get/key").await.body, "value");
    for verb in ["/confirm", "/renew", "/put/key/other", "/remember/alice"] {
        let token = browser.cookie("-session").unwrap();
        let answer = browser.post(verb).await;
        assert_eq!(answer.status, 200, "{verb}: {}", answer.body);
        assert_eq!(browser.get("/who").await.body, "alice", "{verb}");
        if browser.cookie("-session").unwrap() != token {
            let mut thief = browser.another();
            thief.plant(SESSION, &token);
            assert_eq!(thief.get("/who").await.body, "nobody", "{verb}");
        }
    }
    assert_eq!(browser.get("/get/key").await.body, "other");
}
