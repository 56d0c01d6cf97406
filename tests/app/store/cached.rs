//! The cache in front of a store: which reads it may serve, and which it must not.

use std::{sync::Arc, time::Duration};

use login_manager::{
    CachedStore, SessionStore as _,
    store::{CreateOutcome, Outcome, SessionId, SessionRecord},
};
use tokio::time::advance;

use crate::support::{
    faulty_store::{Call, Fault, FaultyStore, When},
    world::MINUTE,
};

/// The clock is paused, so it does not run out by itself.
const STALENESS: Duration = Duration::from_secs(60 * 60);
const OWNER: &str = "app/alice";

fn record(number: u8) -> SessionRecord {
    SessionRecord {
        id: SessionId::from_bytes([number; 16]),
        owner: Some(OWNER.into()),
        version: 0,
        // Long ago, so that half of the idle time is longer than the staleness.
        created: -100_000_000,
        touched: -100_000_000,
        expires: 100,
        ends: 1000,
        payload: Arc::from(*b"payload"),
    }
}

/// SessionRecord 1 with another payload.
fn changed(payload: u8) -> SessionRecord {
    SessionRecord {
        payload: Arc::from([payload]),
        ..record(1)
    }
}

struct Node {
    cache: CachedStore,
    store: FaultyStore,
}

impl Node {
    /// With record 1 in the store and an empty cache.
    async fn new() -> Self {
        let store = FaultyStore::new();
        let created = store.create(record(1)).await.unwrap();
        assert_eq!(created, CreateOutcome::Done);
        store.take_calls();
        Self {
            cache: CachedStore::new(store.clone(), STALENESS),
            store,
        }
    }

    async fn load(&self) -> Option<SessionRecord> {
        self.cache.load(&record(1).id).await.unwrap()
    }

    /// Whether the next load is served from the cache.
    async fn has_cached(&self) -> bool {
        self.store.take_calls();
        self.load().await;
        !self.store.take_calls().contains(&Call::Load)
    }

    async fn change(&self, verb: Call) {
        let id = record(1).id;
        let cache = &self.cache;
        match verb {
            Call::Create => drop(cache.create(record(1)).await),
            Call::Update => drop(cache.update(changed(9), 0).await),
            Call::Touch => drop(cache.touch(&id, 7, 200).await),
            Call::Delete => drop(cache.delete(&id, None).await),
            Call::DeleteAll => drop(cache.delete_all(OWNER, None).await),
            Call::DeleteExpired => drop(cache.delete_expired(100, 10).await),
            Call::Load | Call::LoadFresh | Call::List => unreachable!("they change nothing"),
        }
    }
}

const CHANGES: [Call; 6] = [
    Call::Create,
    Call::Update,
    Call::Touch,
    Call::Delete,
    Call::DeleteAll,
    Call::DeleteExpired,
];

#[tokio::test(start_paused = true)]
async fn a_record_is_read_once_per_staleness() {
    let node = Node::new().await;
    for _ in 0..3 {
        assert_eq!(node.load().await, Some(record(1)));
        for _ in 0..10 {
            assert_eq!(node.load().await, Some(record(1)));
        }
        assert_eq!(node.store.take_calls(), [Call::Load]);
        advance(STALENESS - Duration::from_nanos(1)).await;
        assert!(node.has_cached().await);
        advance(Duration::from_nanos(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_record_is_not_cached() {
    let node = Node::new().await;
    let other = record(2).id;
    for _ in 0..2 {
        assert_eq!(node.cache.load(&other).await.unwrap(), None);
    }
    assert_eq!(node.store.take_calls(), [Call::Load, Call::Load]);
    // Created on another node, seen at once.
    assert_eq!(
        node.store.create(record(2)).await.unwrap(),
        CreateOutcome::Done
    );
    assert_eq!(node.cache.load(&other).await.unwrap(), Some(record(2)));
}

#[tokio::test(start_paused = true)]
async fn a_write_through_the_cache_is_seen_at_once() {
    for verb in CHANGES {
        let node = Node::new().await;
        node.load().await;
        node.change(verb).await;
        let now = node.store.inner.load(&record(1).id).await.unwrap();
        assert_eq!(node.load().await, now, "{verb:?}");
        assert_eq!(node.store.take_calls(), [Call::Load, verb, Call::Load]);
    }
}

/// The caller reads again to see why.
#[tokio::test(start_paused = true)]
async fn a_conflict_makes_the_next_read_fresh() {
    let node = Node::new().await;
    let id = record(1).id;
    node.load().await;
    // On another node.
    let elsewhere = node.store.inner.update(changed(7), 0).await;
    assert_eq!(elsewhere.unwrap(), Outcome::Done);
    let here = node.cache.update(changed(8), 0).await;
    assert_eq!(here.unwrap(), Outcome::Conflict);
    assert_eq!(node.load().await.unwrap().version, 1);

    let elsewhere = node.store.inner.delete(&id, None).await;
    assert_eq!(elsewhere.unwrap(), Outcome::Done);
    let here = node.cache.touch(&id, 0, 0).await;
    assert_eq!(here.unwrap(), Outcome::Gone);
    assert_eq!(node.load().await, None);
}

/// The write happens between the start and the end of the load.
#[tokio::test(start_paused = true)]
async fn load_beside_a_write_leaves_no_stale_entry() {
    for verb in CHANGES {
        for when in [When::Before, When::After] {
            let node = Node::new().await;
            let gate = node.store.gate(Call::Load, when);
            let (loaded, ()) = tokio::join!(node.load(), async {
                gate.reached().await;
                node.change(verb).await;
                gate.open();
            });
            let now = node.store.inner.load(&record(1).id).await.unwrap();
            if when == When::Before {
                assert_eq!(loaded, now);
            }
            assert!(!node.has_cached().await, "{verb:?} {when:?}");
            assert_eq!(node.load().await, now);
        }
    }
}

/// A load that begins and ends during a write may see either state. It is not cached after the
/// write.
#[tokio::test(start_paused = true)]
async fn a_load_during_a_write_is_not_cached() {
    for verb in CHANGES {
        for when in [When::Before, When::After] {
            let node = Node::new().await;
            let gate = node.store.gate(verb, when);
            let ((), ()) = tokio::join!(node.change(verb), async {
                gate.reached().await;
                node.load().await;
                gate.open();
            });
            assert!(!node.has_cached().await, "{verb:?} {when:?}");
        }
    }
}

/// It may have taken effect, or may do so later.
#[tokio::test(start_paused = true)]
async fn a_failed_or_dropped_write_disables_caching_for_a_minute() {
    let is_not_cached_for_a_minute = async |node: &Node, how: &str| {
        for _ in 0..6 {
            assert!(!node.has_cached().await, "{how}");
            advance(MINUTE / 6).await;
        }
        advance(Duration::from_millis(1)).await;
        assert!(!node.has_cached().await, "{how}");
        let is_there = node.load().await.is_some();
        assert_eq!(node.has_cached().await, is_there, "{how}");
    };
    for verb in CHANGES {
        for fault in [Fault::Fails, Fault::DoesAndFails] {
            let node = Node::new().await;
            node.load().await;
            node.store.fail_once(verb, fault);
            node.change(verb).await;
            is_not_cached_for_a_minute(&node, &format!("{verb:?} {fault:?}")).await;
        }
        for when in [When::Before, When::After] {
            let node = Node::new().await;
            node.load().await;
            let gate = node.store.gate(verb, when);
            tokio::select! {
                () = node.change(verb) => panic!("it waits at the gate"),
                () = gate.reached() => {}
            }
            is_not_cached_for_a_minute(&node, &format!("{verb:?} dropped {when:?}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn load_fresh_goes_past_the_cache_and_refreshes_it() {
    let node = Node::new().await;
    let id = record(1).id;
    node.load().await;
    // On another node.
    let elsewhere = node.store.inner.update(changed(7), 0).await;
    assert_eq!(elsewhere.unwrap(), Outcome::Done);
    node.store.take_calls();
    assert_eq!(node.load().await.unwrap().version, 0);
    assert_eq!(node.store.take_calls(), []);
    let fresh = node.cache.load_fresh(&id).await.unwrap();
    assert_eq!(fresh.unwrap().version, 1);
    assert_eq!(node.store.take_calls(), [Call::LoadFresh]);
    assert_eq!(node.load().await.unwrap().version, 1);
    assert_eq!(node.store.take_calls(), []);

    let elsewhere = node.store.inner.delete(&id, None).await;
    assert_eq!(elsewhere.unwrap(), Outcome::Done);
    assert!(node.load().await.is_some());
    assert_eq!(node.cache.load_fresh(&id).await.unwrap(), None);
    assert_eq!(node.load().await, None);
}

/// The excepted record is read again, too, and is still there.
#[tokio::test(start_paused = true)]
async fn delete_all_spares_the_excepted_record_in_the_cache() {
    let node = Node::new().await;
    let created = node.store.create(record(2)).await.unwrap();
    assert_eq!(created, CreateOutcome::Done);
    let [one, two] = [record(1), record(2)];
    node.load().await;
    node.cache.load(&two.id).await.unwrap();
    let deleted = node.cache.delete_all(OWNER, Some(two.id)).await.unwrap();
    assert_eq!(deleted, 1);
    assert_eq!(node.cache.load(&one.id).await.unwrap(), None);
    assert_eq!(node.cache.load(&two.id).await.unwrap(), Some(two));
}

#[tokio::test(start_paused = true)]
async fn a_failed_load_changes_nothing_in_the_cache() {
    let node = Node::new().await;
    node.store.fail_once(Call::Load, Fault::Fails);
    assert!(node.cache.load(&record(1).id).await.is_err());
    assert_eq!(node.load().await, Some(record(1)));
    node.store.fail_all(Fault::Fails);
    assert_eq!(node.load().await, Some(record(1)));
    advance(STALENESS).await;
    assert!(node.cache.load(&record(1).id).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_write_elsewhere_is_seen_after_the_staleness() {
    let here = Node::new().await;
    let there = CachedStore::new(here.store.clone(), STALENESS);
    assert_eq!(here.load().await, Some(record(1)));
    advance(STALENESS / 2).await;
    let id = record(1).id;
    assert_eq!(there.delete(&id, None).await.unwrap(), Outcome::Done);
    assert_eq!(there.load(&id).await.unwrap(), None);
    assert_eq!(here.load().await, Some(record(1)), "not yet");
    // It counts from the read, so it is less than the staleness after the write.
    advance(STALENESS / 2).await;
    assert_eq!(here.load().await, None);
}

/// The time runs from before the call of the store.
#[tokio::test(start_paused = true)]
async fn age_of_a_slow_load_counts_from_its_start() {
    let node = Node::new().await;
    let gate = node.store.gate(Call::Load, When::After);
    tokio::join!(node.load(), async {
        gate.reached().await;
        advance(STALENESS).await;
        gate.open();
    });
    assert!(!node.has_cached().await);
    assert!(node.has_cached().await);
}

/// Clones are one node.
#[tokio::test(start_paused = true)]
async fn clones_share_their_cache() {
    let node = Node::new().await;
    let clone = node.cache.clone();
    node.load().await;
    node.store.take_calls();
    assert_eq!(clone.load(&record(1).id).await.unwrap(), Some(record(1)));
    assert_eq!(node.store.take_calls(), []);
    let deleted = clone.delete_all(OWNER, None).await;
    assert_eq!(deleted.unwrap(), 1);
    assert_eq!(node.load().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_record_removed_as_expired_stays_absent() {
    let node = Node::new().await;
    let late = SessionRecord {
        expires: 500,
        ..record(2)
    };
    assert_eq!(
        node.store.create(late.clone()).await.unwrap(),
        CreateOutcome::Done
    );
    node.load().await;
    node.cache.load(&late.id).await.unwrap();
    // On this node, by a clock that is ahead.
    assert_eq!(node.cache.delete_expired(100, 10).await.unwrap(), 1);
    assert_eq!(node.load().await, None);
    node.store.take_calls();
    assert_eq!(node.cache.load(&late.id).await.unwrap(), Some(late));
    assert_eq!(node.store.take_calls(), [], "the others are still cached");
    // A record that is created later is cached, although it would have been removed.
    assert_eq!(
        node.cache.create(record(1)).await.unwrap(),
        CreateOutcome::Done
    );
    assert!(!node.has_cached().await);
    assert!(node.has_cached().await);
}

#[tokio::test(start_paused = true)]
async fn the_size_of_the_cache_is_bounded() {
    let store = FaultyStore::new();
    let cache = CachedStore::new(store.clone(), STALENESS).with_capacity(100_000);
    for number in 0..=255 {
        let payload = Arc::from(vec![number; 10_000]);
        let large = SessionRecord {
            payload,
            ..record(number)
        };
        assert_eq!(store.create(large).await.unwrap(), CreateOutcome::Done);
    }
    let load_all = async || {
        for number in 0..=255 {
            let found = cache.load(&record(number).id).await.unwrap();
            assert_eq!(found.unwrap().payload[..], [number; 10_000]);
        }
    };
    load_all().await;
    store.take_calls();
    load_all().await;
    let read_again = store.take_calls().len();
    assert!(read_again >= 246, "{} are cached", 256 - read_again);
}

#[tokio::test(start_paused = true)]
async fn staleness_may_be_zero_and_is_at_most_a_day() {
    for (staleness, is_cached) in [
        (Duration::ZERO, false),
        (STALENESS, true),
        (Duration::MAX, true),
    ] {
        let mut node = Node::new().await;
        node.cache = CachedStore::new(node.store.clone(), staleness);
        node.load().await;
        assert_eq!(node.has_cached().await, is_cached, "{staleness:?}");
        // A day at most.
        advance(Duration::from_secs(24 * 60 * 60)).await;
        assert!(!node.has_cached().await, "{staleness:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn debug_does_not_print_records() {
    let node = Node::new().await;
    node.load().await;
    let debug = format!("{:?}", node.cache);
    assert_eq!(debug, "CachedStore { staleness: 3600s, .. }");
}

#[tokio::test(start_paused = true)]
async fn a_cached_copy_does_not_expire_a_session_used_elsewhere() {
    let store = FaultyStore::new();
    let short = SessionRecord {
        touched: 0,
        ..record(1)
    };
    let created = store.create(short.clone()).await.unwrap();
    assert_eq!(created, CreateOutcome::Done);
    let cache = CachedStore::new(store.clone(), STALENESS);
    let load = async || cache.load(&short.id).await.unwrap().unwrap().expires;
    assert_eq!(load().await, 100);
    let touched = store.touch(&short.id, 40, 900).await.unwrap();
    assert_eq!(touched, Outcome::Done, "by another node");
    advance(Duration::from_millis(49)).await;
    assert_eq!(load().await, 100);
    advance(Duration::from_millis(1)).await;
    assert_eq!(
        load().await,
        900,
        "after half its idle time it is read again"
    );
}
