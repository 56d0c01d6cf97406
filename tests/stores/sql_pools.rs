//! Pools: two nodes, exhausted pools, dead connections.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use libtest_mimic::Trial;
use login_manager::store::{CreateOutcome, Outcome};

use crate::sql::{Database, NOW, Opening, Pool, on_each, record};

/// The server's ids of all connections of a pool, which are open and idle afterwards.
macro_rules! ids {
    ($pool:expr, $sql:literal) => {{
        let mut connections = Vec::new();
        let mut ids = Vec::new();
        for _ in 0..8 {
            let mut connection = $pool.acquire().await.unwrap();
            let id: String = sqlx::query_scalar($sql)
                .fetch_one(&mut *connection)
                .await
                .unwrap();
            ids.push(id);
            connections.push(connection);
        }
        ids
    }};
}

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_each(
        "two_nodes_see_each_others_writes_at_once",
        two_nodes_see_each_others_writes_at_once,
    );
    trials.extend(on_each(
        "an_exhausted_pool_fails_in_time_and_recovers",
        an_exhausted_pool_fails_in_time_and_recovers,
    ));
    trials.extend(on_each(
        "deleting_any_takes_live_records_of_every_owner",
        deleting_any_takes_live_records_of_every_owner,
    ));
    let on_all = on_each(
        "a_read_skips_dead_connections",
        a_read_skips_dead_connections,
    );
    let on_servers = |trial: &Trial| !trial.name().starts_with("sqlite");
    trials.extend(on_all.into_iter().filter(on_servers));
    trials
}

async fn deleting_any_takes_live_records_of_every_owner(database: Database) {
    let store = database.store().await.shared();
    for number in 0..25 {
        let owner = format!("realm/{number}");
        let record = record((number % 5 != 0).then_some(&*owner));
        assert_eq!(store.create(record).await.unwrap(), CreateOutcome::Done);
    }
    assert_eq!(store.delete_any(10).await.unwrap(), 10);
    assert_eq!(store.delete_any(10).await.unwrap(), 10);
    assert_eq!(store.delete_any(10).await.unwrap(), 5);
    assert_eq!(store.delete_any(10).await.unwrap(), 0);
}

/// As after a restart of the server: every connection in the pool is dead, and the pool does not
/// know.
async fn a_read_skips_dead_connections(database: Database) {
    let record = record(None);
    let first = database.store().await.shared();
    assert_eq!(
        first.create(record.clone()).await.unwrap(),
        CreateOutcome::Done
    );
    let keeper = database.pool(Opening::default()).await.unwrap();

    let opening = Opening {
        connections: Some(8),
        untested: true,
        ..Opening::default()
    };
    let pool = database.pool(opening).await.unwrap();
    let store = pool.store().shared();
    for round in 0..3 {
        let ids = match &pool {
            Pool::Sqlite(_) => unreachable!("a file has no server that could hang up"),
            Pool::Postgres(pool) => ids!(pool, "SELECT pg_backend_pid()::text"),
            Pool::MySql(pool) => ids!(pool, "SELECT CAST(CONNECTION_ID() AS CHAR)"),
        };
        assert_eq!(ids.len(), 8);
        for id in ids {
            match &keeper {
                Pool::MySql(_) => keeper.run(format!("KILL {id}")).await,
                _ => drop(
                    keeper
                        .texts(format!("SELECT pg_terminate_backend({id})::text"))
                        .await,
                ),
            }
        }
        let found = store.load(&record.id).await;
        assert_eq!(found.unwrap().as_ref(), Some(&record), "round {round}");
    }
}

async fn two_nodes_see_each_others_writes_at_once(database: Database) {
    let (here, there) = (database.store().await, database.store().await);
    let (here, there) = (here.shared(), there.shared());
    for round in 0..50 {
        let mut record = record(Some("somebody"));
        let created = here.create(record.clone()).await.unwrap();
        assert_eq!(created, CreateOutcome::Done);
        assert_eq!(
            there.load(&record.id).await.unwrap().as_ref(),
            Some(&record),
            "round {round}"
        );

        record.payload = Arc::from(*b"changed");
        let updated = there.update(record.clone(), NOW).await.unwrap();
        assert_eq!(updated, Outcome::Done);
        record.version = 1;
        let found = here.load(&record.id).await.unwrap();
        assert_eq!(found, Some(record.clone()), "round {round}");

        if round % 2 == 0 {
            let deleted = here.delete(&record.id, Some(1)).await.unwrap();
            assert_eq!(deleted, Outcome::Done);
        } else {
            let deleted = here.delete_all("somebody", None).await.unwrap();
            assert_eq!(deleted, 1);
        }
        assert_eq!(there.load(&record.id).await.unwrap(), None);
        let touched = there.touch(&record.id, NOW, NOW + 1500).await.unwrap();
        assert_eq!(touched, Outcome::Gone, "round {round}");
    }
}

async fn an_exhausted_pool_fails_in_time_and_recovers(database: Database) {
    let record = record(None);
    let keeper = database.store().await;
    let created = keeper.shared().create(record.clone()).await.unwrap();
    assert_eq!(created, CreateOutcome::Done);

    let opening = Opening {
        connections: Some(2),
        patience: Some(Duration::from_millis(300)),
        ..Opening::default()
    };
    let pool = database.pool(opening).await.unwrap();
    let store = pool.store().shared();
    let found = store.load(&record.id).await.unwrap();
    assert_eq!(found, Some(record.clone()));

    macro_rules! with_all_taken {
        ($pool:expr) => {{
            let taken = (
                $pool.acquire().await.unwrap(),
                $pool.acquire().await.unwrap(),
            );
            let start = Instant::now();
            let error = store.load(&record.id).await.unwrap_err();
            assert!(start.elapsed() < Duration::from_millis(1500));
            assert_eq!(
                error.to_string(),
                "no connection of the pool became free in time"
            );
            drop(taken);
        }};
    }
    match &pool {
        Pool::Sqlite(pool) => with_all_taken!(pool),
        Pool::Postgres(pool) => with_all_taken!(pool),
        Pool::MySql(pool) => with_all_taken!(pool),
    }
    assert_eq!(store.load(&record.id).await.unwrap(), Some(record));
}
