//! The memory store beyond the contract, which `tests/stores` checks.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    thread,
};

use login_manager::{
    MemoryStore, SessionStore as _,
    store::{CreateOutcome, Outcome, Page, SessionId, SessionRecord},
};

/// An id as uniform as a random one.
fn id(n: u64) -> SessionId {
    let mut bytes = [0; 16];
    let mut state = n;
    for chunk in bytes.chunks_mut(8) {
        // splitmix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        chunk.copy_from_slice(&(z ^ (z >> 31)).to_be_bytes());
    }
    SessionId::from_bytes(bytes)
}

/// Alice's, created at 0, expires at 100, ends at 1000.
fn record(n: u64) -> SessionRecord {
    SessionRecord {
        id: id(n),
        owner: Some("app/alice".into()),
        version: 0,
        created: 0,
        touched: 0,
        expires: 100,
        ends: 1000,
        payload: [1, 2, 3][..].into(),
    }
}

async fn with(records: impl IntoIterator<Item = SessionRecord>) -> MemoryStore {
    let store = MemoryStore::new();
    for record in records {
        assert_eq!(store.create(record).await.unwrap(), CreateOutcome::Done);
    }
    store
}

async fn ids(store: &MemoryStore, owner: &str, now: i64) -> Vec<SessionId> {
    let page = Page {
        after: None,
        limit: usize::MAX,
    };
    let list = store.list(owner, page, now).await.unwrap();
    list.into_iter().map(|record| record.id).collect()
}

#[tokio::test]
async fn creating_records_removes_expired_ones() {
    let store = with([]).await;
    for n in 0..20_000_u64 {
        let now = n as i64;
        let new = SessionRecord {
            owner: Some(format!("app/{n}").into()),
            created: now,
            touched: now,
            expires: now + 100,
            ends: now + 1000,
            ..record(n)
        };
        assert_eq!(store.create(new).await.unwrap(), CreateOutcome::Done);
    }
    assert_eq!(store.len(), 100);
}

#[tokio::test]
async fn creating_records_removes_those_ended_early() {
    let long = |n| SessionRecord {
        expires: 1_000_000,
        ends: 1_000_000,
        ..record(n)
    };
    let store = with((0..100).map(long)).await;
    for n in 0..100 {
        let closed = SessionRecord {
            expires: 30,
            ends: 30,
            ..long(n)
        };
        assert_eq!(store.update(closed, 0).await.unwrap(), Outcome::Done);
    }
    for n in 100..125 {
        let new = SessionRecord {
            touched: 30,
            ..long(n)
        };
        assert_eq!(store.create(new).await.unwrap(), CreateOutcome::Done);
    }
    assert_eq!(store.len(), 25);
}

#[tokio::test]
async fn delete_expired_respects_its_limit_and_live_records() {
    let live = (1000..1010).map(|n| SessionRecord {
        expires: 500,
        ..record(n)
    });
    let store = with((0..100).map(record).chain(live)).await;
    for n in 0..10 {
        let touched = store.touch(&id(n), 50, 500).await.unwrap();
        assert_eq!(touched, Outcome::Done);
    }
    assert_eq!(store.delete_expired(100, 0).await.unwrap(), 0);
    let mut deleted = 0;
    loop {
        let some = store.delete_expired(100, 7).await.unwrap();
        assert!(some <= 7);
        deleted += some;
        if some < 7 {
            break;
        }
    }
    assert_eq!((deleted, store.len()), (90, 20));
    assert_eq!(ids(&store, "app/alice", 100).await.len(), 20);
    assert_eq!(store.delete_expired(500, usize::MAX).await.unwrap(), 20);
    assert!(store.is_empty());
}

#[test]
fn threads_lose_no_update() {
    const THREADS: usize = 8;
    let store = block_on(with([SessionRecord {
        payload: [0; THREADS][..].into(),
        ..record(1)
    }]));
    thread::scope(|scope| {
        for n in 0..THREADS {
            let store = &store;
            scope.spawn(move || {
                block_on(async {
                    for _ in 0..200 {
                        loop {
                            let found = store.load(&id(1)).await.unwrap().unwrap();
                            let mut payload = found.payload.to_vec();
                            payload[n] += 1;
                            let new = SessionRecord {
                                payload: payload.into(),
                                ..found
                            };
                            match store.update(new, 0).await.unwrap() {
                                Outcome::Done => break,
                                Outcome::Conflict => thread::yield_now(),
                                Outcome::Gone => panic!("it was never deleted"),
                            }
                        }
                    }
                });
            });
        }
    });
    let found = block_on(store.load(&id(1))).unwrap().unwrap();
    let counts = [200; THREADS];
    assert_eq!((&*found.payload, found.version), (&counts[..], 1600));
}

#[test]
fn threads_keep_the_list_complete() {
    let store = MemoryStore::new();
    thread::scope(|scope| {
        for of in 0..4_u64 {
            let store = &store;
            scope.spawn(move || {
                block_on(async {
                    for n in 0..2000 {
                        let n = of << 32 | n;
                        let created = store.create(record(n)).await.unwrap();
                        assert_eq!(created, CreateOutcome::Done);
                        match n % 4 {
                            0 => drop(store.delete(&id(n), None).await.unwrap()),
                            1 => drop(store.delete_expired(50, 4).await.unwrap()),
                            _ => {}
                        }
                    }
                });
            });
        }
        scope.spawn(|| {
            block_on(async {
                for n in 0..200 {
                    let except = (n % 2 == 0).then_some(id(2));
                    store.delete_all("app/alice", except).await.unwrap();
                    ids(&store, "app/alice", 0).await;
                }
            });
        });
    });
    let mut live: Vec<_> = store.records().iter().map(|record| record.id).collect();
    live.sort();
    assert_eq!(block_on(ids(&store, "app/alice", 0)), live);
    let deleted = block_on(store.delete_all("app/alice", None)).unwrap();
    assert_eq!((deleted as usize, store.len()), (live.len(), 0));
}

/// If a page took as long as the whole list, this would take minutes.
#[test]
fn a_user_with_100000_sessions_is_listed_in_one_pass() {
    const MANY: usize = 100_000;
    block_on(async {
        let store = with((0..MANY as u64).map(record)).await;
        let (mut seen, mut after) = (0, None);
        loop {
            let page = Page { after, limit: 20 };
            let page = store.list("app/alice", page, 50).await.unwrap();
            seen += page.len();
            let Some(last) = page.last() else { break };
            assert!(after.is_none_or(|after| after < last.id));
            after = Some(last.id);
        }
        assert_eq!(seen, MANY);
        let deleted = store.delete_all("app/alice", Some(id(7))).await.unwrap();
        assert_eq!((deleted as usize, store.len()), (MANY - 1, 1));
    });
}

/// The memory store never waits.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut cx = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut cx) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}
