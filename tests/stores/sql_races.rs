//! Many who want the same rows at once.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use libtest_mimic::Trial;
use login_manager::store::{Created, Outcome, Page, Which};
use tokio::task::JoinSet;

use crate::sql::{Database, NOW, Opening, on_each, record};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = on_each(
        "a_storm_on_one_owner_ends_without_an_error",
        a_storm_on_one_owner_ends_without_an_error,
    );
    trials.extend(on_each(
        "fault_37_many_nodes_clear_up_at_once_and_delete_nothing_alive",
        fault_37_many_nodes_clear_up_at_once_and_delete_nothing_alive,
    ));
    trials
}

/// Creates, updates, replaces, deletes by key, by owner and by expiry: all that can wait for each other in a circle.
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
                    assert_eq!(created, Created::Done);
                    ours.push(record);
                }
                for record in &ours {
                    let payload = Arc::from([7; 300]);
                    let _any = store.update(&record.key, 0, payload, NOW).await.unwrap();
                    let _any = store.touch(&record.key, NOW, NOW + 9).await.unwrap();
                }
                let mut next = record(Some("somebody"));
                (next.family, next.expires) = (ours[3].family, ours[3].expires);
                let _any = store.replace(&ours[3].key, 1, next).await.unwrap();
                let which = match (task + round) % 4 {
                    0 => Which::All,
                    1 => Which::Only(ours[0].family),
                    _ => Which::Except(ours[0].family),
                };
                store.delete_all("somebody", which).await.unwrap();
                store.delete_expired(NOW, 5).await.unwrap();
                let _any = store.delete(&ours[1].key, Some(1)).await.unwrap();
                let _any = store.delete(&ours[2].key, None).await.unwrap();
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    store.delete_all("somebody", Which::All).await.unwrap();
    let page = Page {
        after: None,
        limit: 5,
    };
    let left = store.list("somebody", page, NOW - 100).await.unwrap();
    assert!(left.is_empty());
}

async fn fault_37_many_nodes_clear_up_at_once_and_delete_nothing_alive(database: Database) {
    let store = database.store().await.shared();
    let mut alive = Vec::new();
    for number in 0..300 {
        let mut record = record(None);
        record.expires = NOW + i64::from(number % 3);
        let created = store.create(record.clone()).await.unwrap();
        assert_eq!(created, Created::Done);
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
        let touched = store.touch(&record.key, NOW + 1, NOW).await.unwrap();
        assert_eq!(touched, Outcome::Done);
    }
}
