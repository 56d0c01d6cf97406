//! Many tasks that write the same rows at once.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use libtest_mimic::Trial;
use login_manager::store::{CreateOutcome, Outcome, Page};
use tokio::task::JoinSet;

use crate::sql::{Database, NOW, Opening, on_each, record};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_each(
        "a_storm_on_one_owner_ends_without_an_error",
        a_storm_on_one_owner_ends_without_an_error,
    );
    trials.extend(on_each(
        "many_nodes_delete_expired_and_no_live_record",
        many_nodes_delete_expired_and_no_live_record,
    ));
    trials
}

/// Creates, updates, touches, deletes by id, by owner and by expiry: all that could deadlock.
async fn a_storm_on_one_owner_ends_without_an_error(database: Database) {
    database.store().await;
    let opening = Opening {
        connections: Some(32),
        ..Opening::default()
    };
    let store = database.pool(opening).await.unwrap().store().shared();
    let mut tasks = JoinSet::new();
    for task in 0..32 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            for round in 0..8 {
                let mut ours = Vec::new();
                for _ in 0..4 {
                    let mut record = record(Some("somebody"));
                    record.expires = NOW + i64::from(round % 3);
                    let created = store.create(record.clone()).await.unwrap();
                    assert_eq!(created, CreateOutcome::Done);
                    ours.push(record);
                }
                for record in &ours {
                    let mut new = record.clone();
                    new.payload = Arc::from([7; 300]);
                    let _any = store.update(new, NOW).await.unwrap();
                    let _any = store.touch(&record.id, NOW, NOW + 9).await.unwrap();
                }
                let except = ((task + round) % 4 > 0).then_some(ours[0].id);
                store.delete_all("somebody", except).await.unwrap();
                store.delete_expired(NOW, 5).await.unwrap();
                let _any = store.delete(&ours[1].id, Some(1)).await.unwrap();
                let _any = store.delete(&ours[2].id, None).await.unwrap();
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    store.delete_all("somebody", None).await.unwrap();
    let page = Page {
        after: None,
        limit: 5,
    };
    let left = store.list("somebody", page, NOW - 100).await.unwrap();
    assert!(left.is_empty());
}

async fn many_nodes_delete_expired_and_no_live_record(database: Database) {
    let store = database.store().await.shared();
    let mut alive = Vec::new();
    for number in 0..300 {
        let mut record = record(None);
        record.expires = NOW + i64::from(number % 3);
        let created = store.create(record.clone()).await.unwrap();
        assert_eq!(created, CreateOutcome::Done);
        if record.is_live(NOW + 1) {
            alive.push(record);
        }
    }
    let deleted = Arc::new(AtomicU64::new(0));
    let mut nodes = JoinSet::new();
    for _ in 0..8 {
        let (store, deleted) = (database.store().await.shared(), Arc::clone(&deleted));
        nodes.spawn(async move {
            loop {
                let batch = store.delete_expired(NOW + 1, 7).await.unwrap();
                assert!(batch <= 7, "{batch} is beyond the limit");
                deleted.fetch_add(batch, Ordering::Relaxed);
                if batch < 7 {
                    break;
                }
            }
        });
    }
    while let Some(node) = nodes.join_next().await {
        node.unwrap();
    }
    assert_eq!(deleted.load(Ordering::Relaxed), 200);
    for record in alive {
        let touched = store.touch(&record.id, NOW + 1, NOW).await.unwrap();
        assert_eq!(touched, Outcome::Done);
    }
}
