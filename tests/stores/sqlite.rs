//! SQLite: in a file, and in memory.

use std::{sync::Arc, time::Duration};

use libtest_mimic::Trial;
use login_manager::{SqliteStore, store::CreateOutcome};
use sqlx::sqlite::SqlitePoolOptions;
use tokio::{task::JoinSet, time::timeout};

use crate::{
    Store,
    sql::{Database, Kind, NOW, Opening, Pool, on, record},
    sql_contract::contract,
};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on(
        &[Kind::Sqlite],
        "concurrent_writes_never_find_it_locked",
        concurrent_writes_never_find_it_locked,
    );
    trials.extend(on(
        &[Kind::Sqlite],
        "reads_do_not_wait_for_queued_writes",
        reads_do_not_wait_for_queued_writes,
    ));
    trials
}

pub(crate) fn store() -> Store {
    contract("sqlite", Kind::Sqlite, Opening::default())
}

pub(crate) fn in_memory() -> Store {
    Store::new("sqlite_in_memory", || async {
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            // A caller that is dropped during the test would close the connection, and the
            // database with it.
            .test_before_acquire(false)
            .connect("sqlite::memory:")
            .await?;
        let store = SqliteStore::new(pool);
        store.migrate().await?;
        Ok(store)
    })
}

/// Without a `busy_timeout` a write fails if there is another one.
async fn concurrent_writes_never_find_it_locked(database: Database) {
    database.store().await;
    let opening = Opening {
        first: Some("PRAGMA busy_timeout = 0"),
        ..Opening::default()
    };
    let store = database.pool(opening).await.unwrap().store().shared();
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            for _ in 0..8 {
                let record = record(Some("somebody"));
                let created = store.create(record.clone()).await.unwrap();
                assert_eq!(created, CreateOutcome::Done);
                let _any = store.update(record.clone(), NOW).await.unwrap();
                let _any = store.touch(&record.id, NOW, NOW).await.unwrap();
                store.delete_expired(NOW - 1, 9).await.unwrap();
                store.delete_all("somebody", Some(record.id)).await.unwrap();
                let _any = store.delete(&record.id, None).await.unwrap();
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
}

/// Another process holds the lock. The first write waits on a connection, the others wait for the
/// first.
async fn reads_do_not_wait_for_queued_writes(database: Database) {
    let existing = record(None);
    let keeper = database.store().await.shared();
    let created = keeper.create(existing.clone()).await.unwrap();
    assert_eq!(created, CreateOutcome::Done);
    let Pool::Sqlite(other_process) = database.pool(Opening::default()).await.unwrap() else {
        unreachable!("the pool is of the database's kind");
    };
    let opening = Opening {
        connections: Some(2),
        ..Opening::default()
    };
    let store = database.pool(opening).await.unwrap().store().shared();

    let lock = other_process.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let mut writes = JoinSet::new();
    for _ in 0..10 {
        let store = Arc::clone(&store);
        writes.spawn(async move { store.create(record(None)).await.unwrap() });
    }
    for _ in 0..20 {
        let load = timeout(Duration::from_secs(3), store.load(&existing.id));
        let found = load.await.expect("the read waits").unwrap();
        assert_eq!(found.as_ref(), Some(&existing));
    }
    lock.rollback().await.unwrap();
    while let Some(created) = writes.join_next().await {
        assert_eq!(created.unwrap(), CreateOutcome::Done);
    }
}
