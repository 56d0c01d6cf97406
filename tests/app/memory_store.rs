//! The contract of a store, as its documentation states it, on the one that lives in memory.

use std::{sync::Arc, thread};

use login_manager::{
    MemoryStore, SessionStore as _,
    store::{Created, Family, Outcome, Page, Record, RecordKey, Which},
};

/// A key as uniform as a digest would be.
fn key(n: u64) -> RecordKey {
    let mut bytes = [0; 32];
    let mut state = n;
    for chunk in bytes.chunks_mut(8) {
        // splitmix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        chunk.copy_from_slice(&(z ^ (z >> 31)).to_be_bytes());
    }
    RecordKey::from_bytes(bytes)
}

fn family(n: u8) -> Family {
    Family::from_bytes([n; 16])
}

/// Alice's, made at 0, dies at 100, at the latest at 1000.
fn record(n: u64) -> Record {
    Record {
        key: key(n),
        family: family(1),
        owner: Some("app/alice".into()),
        created: 0,
        touched: 0,
        expires: 100,
        ends: 1000,
        version: 0,
        payload: [1, 2, 3][..].into(),
    }
}

async fn with(records: impl IntoIterator<Item = Record>) -> MemoryStore {
    let store = MemoryStore::new();
    for record in records {
        assert_eq!(store.create(record).await.unwrap(), Created::Done);
    }
    store
}

const EVERYTHING: Page = Page {
    after: None,
    limit: usize::MAX,
};

async fn keys(store: &MemoryStore, owner: &str, now: i64) -> Vec<RecordKey> {
    let list = store.list(owner, EVERYTHING, now).await.unwrap();
    list.into_iter().map(|record| record.key).collect()
}

#[tokio::test]
async fn a6_create_only_inserts() {
    let store = with([record(1)]).await;
    let other = Record {
        owner: Some("app/bob".into()),
        payload: [9][..].into(),
        ..record(1)
    };
    assert_eq!(store.create(other).await.unwrap(), Created::Exists);
    assert_eq!(store.load(&key(1)).await.unwrap(), Some(record(1)));
    assert_eq!(keys(&store, "app/bob", 0).await, []);
    assert_eq!(store.load(&key(2)).await.unwrap(), None);
}

#[tokio::test]
async fn b6_what_is_not_there_is_not_made_by_a_change() {
    let store = with([]).await;
    let payload = Arc::new([1]);
    assert_eq!(
        store.update(&key(1), 0, payload, 0).await.unwrap(),
        Outcome::Gone
    );
    assert_eq!(store.touch(&key(1), 0, 500).await.unwrap(), Outcome::Gone);
    assert_eq!(store.delete(&key(1), None).await.unwrap(), Outcome::Gone);
    assert_eq!(store.delete(&key(1), Some(0)).await.unwrap(), Outcome::Gone);
    assert_eq!(store.delete_all("app/alice", Which::All).await.unwrap(), 0);
    assert_eq!(store.delete_expired(i64::MAX, 10).await.unwrap(), 0);
    assert!(store.is_empty());
}

#[tokio::test]
async fn an_update_acts_on_the_version_that_was_read_and_raises_it_by_one() {
    let store = with([record(1)]).await;
    let update = async |version, byte: u8| {
        store
            .update(&key(1), version, [byte][..].into(), 0)
            .await
            .unwrap()
    };
    assert_eq!(update(1, 7).await, Outcome::Conflict);
    assert_eq!(update(0, 8).await, Outcome::Done);
    assert_eq!(update(0, 9).await, Outcome::Conflict);
    assert_eq!(update(1, 10).await, Outcome::Done);
    let expected = Record {
        version: 2,
        payload: [10][..].into(),
        ..record(1)
    };
    assert_eq!(store.load(&key(1)).await.unwrap(), Some(expected));
    assert_eq!(
        store.delete(&key(1), Some(1)).await.unwrap(),
        Outcome::Conflict
    );
    assert_eq!(store.len(), 1);
    assert_eq!(store.delete(&key(1), Some(2)).await.unwrap(), Outcome::Done);
    assert!(store.is_empty());
}

#[tokio::test]
async fn b11_a_touch_moves_the_end_on_never_beyond_the_limit_nor_back() {
    let store = with([record(1)]).await;
    let cases = [
        // (now, asked for, becomes)
        (10, 150, 150),
        (20, 120, 150),
        (5, 0, 150),
        (6, i64::MIN, 150),
        (30, 1000, 1000),
        (40, 1001, 1000),
        (50, i64::MAX, 1000),
    ];
    for (now, expires, becomes) in cases {
        assert_eq!(
            store.touch(&key(1), now, expires).await.unwrap(),
            Outcome::Done
        );
        let expected = Record {
            touched: now,
            expires: becomes,
            ..record(1)
        };
        assert_eq!(store.load(&key(1)).await.unwrap(), Some(expected), "{now}");
    }
    // Another request's compare-and-swap doesn't notice.
    let update = store.update(&key(1), 0, Arc::new([4]), 50).await;
    assert_eq!(update.unwrap(), Outcome::Done);
}

#[tokio::test]
async fn expired_is_absent_from_the_very_millisecond() {
    let store = with([record(1)]).await;
    assert_eq!(keys(&store, "app/alice", 99).await, [key(1)]);
    for now in [100, 101, i64::MAX] {
        assert_eq!(keys(&store, "app/alice", now).await, []);
        let update = store.update(&key(1), 0, Arc::new([4]), now).await;
        assert_eq!(update.unwrap(), Outcome::Gone);
        assert_eq!(
            store.touch(&key(1), now, i64::MAX).await.unwrap(),
            Outcome::Gone
        );
    }
    let store = with([record(1)]).await;
    assert_eq!(store.delete_expired(99, 10).await.unwrap(), 0);
    assert_eq!(store.delete_expired(100, 10).await.unwrap(), 1);
    assert!(store.is_empty());
}

#[tokio::test]
async fn fault_38_lists_come_in_pages_in_the_order_of_the_keys() {
    let of_bob = Record {
        owner: Some("app/bob".into()),
        ..record(1000)
    };
    let of_nobody = Record {
        owner: None,
        ..record(1001)
    };
    let dead = Record {
        expires: 10,
        ..record(1002)
    };
    let store = with((0..25).map(record).chain([of_bob, of_nobody, dead])).await;
    let mut all: Vec<_> = (0..25).map(key).collect();
    all.sort();
    for limit in [1, 2, 7, 25, 26, usize::MAX] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store
                .list("app/alice", Page { after, limit }, 50)
                .await
                .unwrap();
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            after = Some(last.key);
            seen.extend(page.into_iter().map(|record| record.key));
        }
        assert_eq!(seen, all, "pages of {limit}");
    }
    let none = Page {
        after: None,
        limit: 0,
    };
    assert_eq!(store.list("app/alice", none, 50).await.unwrap(), []);
    // From where a record has gone since, the list goes on.
    let deleted = store.delete(&all[9], None).await.unwrap();
    assert_eq!(deleted, Outcome::Done);
    let page = Page {
        after: Some(all[9]),
        limit: 1,
    };
    assert_eq!(
        store.list("app/alice", page, 50).await.unwrap()[0].key,
        all[10]
    );
    assert_eq!(keys(&store, "app/bob", 50).await, [key(1000)]);
    assert_eq!(keys(&store, "app/al", 50).await, []);
}

#[tokio::test]
async fn delete_all_deletes_all_or_one_family_or_the_others() {
    let of = |n: u64, owner: Option<&str>, of: u8| Record {
        owner: owner.map(Into::into),
        family: family(of),
        ..record(n)
    };
    let alice = Some("app/alice");
    let records = [
        of(1, alice, 1),
        of(2, alice, 1),
        of(3, alice, 2),
        of(4, alice, 3),
        of(5, Some("app/bob"), 1),
        of(6, None, 1),
    ];
    let cases = [
        (Which::All, vec![5, 6]),
        (Which::Only(family(1)), vec![3, 4, 5, 6]),
        (Which::Only(family(9)), vec![1, 2, 3, 4, 5, 6]),
        (Which::Except(family(1)), vec![1, 2, 5, 6]),
        (Which::Except(family(9)), vec![5, 6]),
    ];
    for (which, left) in cases {
        let store = with(records.clone()).await;
        let deleted = store.delete_all("app/alice", which).await.unwrap();
        assert_eq!(deleted, 6 - left.len() as u64, "{which:?}");
        for n in 1..=6 {
            let there = store.load(&key(n)).await.unwrap().is_some();
            assert_eq!(there, left.contains(&n), "{which:?}: {n}");
        }
        let listed = keys(&store, "app/alice", 0).await.len();
        assert_eq!(listed, left.iter().filter(|n| **n < 5).count(), "{which:?}");
    }
}

#[tokio::test]
async fn p17_the_cleanup_keeps_to_its_limit_and_never_takes_a_live_record() {
    let live = (1000..1010).map(|n| Record {
        expires: 500,
        ..record(n)
    });
    let store = with((0..100).map(record).chain(live)).await;
    for n in 0..10 {
        let touched = store.touch(&key(n), 50, 500).await.unwrap();
        assert_eq!(touched, Outcome::Done);
    }
    assert_eq!(store.delete_expired(100, 0).await.unwrap(), 0);
    let mut deleted = 0;
    for _ in 0..1000 {
        let some = store.delete_expired(100, 7).await.unwrap();
        assert!(some <= 7);
        deleted += some;
    }
    assert_eq!((deleted, store.len()), (90, 20));
    assert_eq!(keys(&store, "app/alice", 100).await.len(), 20);
    assert_eq!(store.delete_expired(500, usize::MAX).await.unwrap(), 20);
    assert!(store.is_empty());
}

/// Whoever cleans up in batches ends at the first that isn't full.
#[tokio::test]
async fn b24_a_batch_that_is_not_full_was_the_last() {
    let store = with((0..300).map(record)).await;
    for n in 0..200 {
        let touched = store.touch(&key(n), 50, 500).await.unwrap();
        assert_eq!(touched, Outcome::Done);
    }
    while store.delete_expired(100, 3).await.unwrap() == 3 {}
    assert_eq!(store.len(), 200);
}

#[tokio::test]
async fn p18_expired_records_leave_as_new_ones_come() {
    let store = with([]).await;
    for n in 0..20_000_u64 {
        let now = n as i64;
        let new = Record {
            owner: Some(format!("app/{n}").into()),
            created: now,
            touched: now,
            expires: now + 100,
            ends: now + 1000,
            ..record(n)
        };
        assert_eq!(store.create(new).await.unwrap(), Created::Done);
    }
    // 100 are live; each of the shards may hold a few more that no newcomer has met yet.
    assert!(store.len() < 1000, "{}", store.len());
}

#[tokio::test]
async fn b6_64_tasks_that_update_one_record_lose_nothing() {
    let store = with([Record {
        payload: [0; 64][..].into(),
        ..record(1)
    }])
    .await;
    let tasks: Vec<_> = (0..64)
        .map(|n| {
            let store = store.clone();
            thread::spawn(move || {
                block_on(async {
                    loop {
                        let now = store.load(&key(1)).await.unwrap().unwrap();
                        let mut payload = now.payload.to_vec();
                        payload[n] += 1;
                        let done = store.update(&key(1), now.version, payload.into(), 0).await;
                        match done.unwrap() {
                            Outcome::Done => break,
                            Outcome::Conflict => thread::yield_now(),
                            Outcome::Gone => panic!("nobody deleted it"),
                        }
                    }
                });
            })
        })
        .collect();
    tasks.into_iter().for_each(|task| task.join().unwrap());
    let record = store.load(&key(1)).await.unwrap().unwrap();
    assert_eq!((&*record.payload, record.version), (&[1; 64][..], 64));
}

#[test]
fn no_live_record_is_missing_from_its_owners_list() {
    let store = MemoryStore::new();
    thread::scope(|scope| {
        for of in 0..4_u64 {
            let store = &store;
            scope.spawn(move || {
                block_on(async {
                    for n in 0..2000 {
                        let new = Record {
                            family: family(of as u8),
                            ..record(of << 32 | n)
                        };
                        assert_eq!(store.create(new).await.unwrap(), Created::Done);
                        match n % 4 {
                            0 => drop(store.delete(&key(of << 32 | n), None).await.unwrap()),
                            1 => drop(store.delete_expired(50, 4).await.unwrap()),
                            _ => {}
                        }
                    }
                });
            });
        }
        scope.spawn(|| {
            block_on(async {
                for n in 0..500 {
                    let which = if n % 2 == 0 {
                        Which::Only(family(0))
                    } else {
                        Which::Except(family(1))
                    };
                    store.delete_all("app/alice", which).await.unwrap();
                    // What is listed is live, or is just being deleted: then it is gone when it is looked at.
                    store.list("app/alice", EVERYTHING, 0).await.unwrap();
                }
            });
        });
    });
    let mut live: Vec<_> = store
        .records()
        .into_iter()
        .map(|record| record.key)
        .collect();
    live.sort();
    assert_eq!(block_on(keys(&store, "app/alice", 0)), live);
    assert!(
        live.len() >= 1500,
        "family 1 loses only what it deletes itself: {}",
        live.len()
    );
    let deleted = block_on(store.delete_all("app/alice", Which::All)).unwrap();
    assert_eq!((deleted as usize, store.len()), (live.len(), 0));
}

/// A logout of the family, and a login of the same: none outlives a `delete_all` that began after its `create` ended.
#[test]
fn p16_nothing_that_was_there_before_outlives_a_delete_all() {
    let store = MemoryStore::new();
    thread::scope(|scope| {
        for of in 0..4_u64 {
            let store = &store;
            scope.spawn(move || {
                block_on(async {
                    for n in 0..500 {
                        let (mine, new) = (key(of << 32 | n), record(of << 32 | n));
                        assert_eq!(store.create(new).await.unwrap(), Created::Done);
                        store
                            .delete_all("app/alice", Which::Only(family(1)))
                            .await
                            .unwrap();
                        assert_eq!(store.load(&mine).await.unwrap(), None);
                    }
                });
            });
        }
    });
    assert!(store.is_empty());
}

/// Fewer in a debug build, where a million take too long.
const MANY: u64 = if cfg!(debug_assertions) {
    200_000
} else {
    1_000_000
};

#[test]
fn fault_38_many_sessions_and_many_of_one_user() {
    let store = MemoryStore::new();
    block_on(async {
        for n in 0..MANY {
            let owner = if n % 10 == 0 {
                "app/alice".into()
            } else {
                format!("app/{n}")
            };
            let new = Record {
                owner: Some(owner.into()),
                ..record(n)
            };
            assert_eq!(store.create(new).await.unwrap(), Created::Done);
        }
        assert_eq!(store.len() as u64, MANY);
        let page = Page {
            after: None,
            limit: 50,
        };
        assert_eq!(store.list("app/alice", page, 0).await.unwrap().len(), 50);
        assert_eq!(
            store.delete_all("app/alice", Which::All).await.unwrap(),
            MANY / 10
        );
        assert_eq!(
            store.delete_expired(100, usize::MAX).await.unwrap(),
            MANY - MANY / 10
        );
    });
    assert!(store.is_empty());
}

/// The memory store never waits.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut cx) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("it waits"),
    }
}
