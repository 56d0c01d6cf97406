//! Deleting expired records, by hand and in the background.

use std::time::Duration;

use login_manager::{ErrorKind, event::EventKind, manager::Timeouts};

use crate::support::{
    faulty_store::{Call, Fault, When},
    settle,
    world::{HOUR, MINUTE, World, routes},
};

const HOURLY: Duration = HOUR;

/// A store with this many expired sessions and one live one.
async fn world(short: usize) -> World {
    let mut world = World::with(routes, |manager| {
        manager.with_timeouts(Timeouts::new(MINUTE, HOUR))
    });
    for _ in 0..short {
        world.browser.another().post("/put/a/b").await;
    }
    world.clock.advance(MINUTE - Duration::from_millis(1));
    world.browser.post("/login/alice").await;
    world.clock.advance(Duration::from_millis(1));
    world.store.take_calls();
    world
}

#[tokio::test]
async fn cleanup_deletes_only_expired_records_in_batches() {
    let mut world = world(1200).await;
    let before = world.store.inner.len();
    let deleted = world.manager.cleanup().await.unwrap();
    assert_eq!(deleted as usize, before - 1);
    let calls = world.store.take_calls();
    assert!(calls.iter().all(|call| *call == Call::DeleteExpired));
    assert_eq!(calls.len() as u64, deleted / 5_000 + 1, "5,000 at a time");
    assert_eq!(world.store.inner.len(), 1);
    assert_eq!(world.browser.get("/me").await.body, "alice");
    assert_eq!(world.manager.cleanup().await.unwrap(), 0);
}

#[tokio::test]
async fn failed_cleanup_is_an_error_and_the_next_one_works() {
    let world = world(3).await;
    world.store.fail_once(Call::DeleteExpired, Fault::Fails);
    let error = world.manager.cleanup().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(world.events.take().contains(&EventKind::StoreFailed));
    world.manager.cleanup().await.unwrap();
    assert_eq!(world.store.inner.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn background_cleanup_goes_on_after_a_store_fails_or_hangs() {
    let mut world = world(3).await;
    let cleanup = world.manager.spawn_cleanup(HOURLY);
    settle().await;
    assert_eq!(world.store.take_calls(), [Call::DeleteExpired], "at once");
    for fault in [Fault::Fails, Fault::Hangs] {
        world.store.fail_once(Call::DeleteExpired, fault);
        tokio::time::sleep(HOURLY).await;
        settle().await;
        assert!(!world.store.is_still_to_fail(), "{fault:?}");
        // The deadline of a store that hangs.
        tokio::time::sleep(10 * MINUTE).await;
        settle().await;
        world.store.take_calls();
        tokio::time::sleep(HOURLY).await;
        settle().await;
        assert!(
            !world.store.take_calls().is_empty(),
            "after one that {fault:?} it goes on"
        );
    }
    world.clock.advance(HOUR);
    tokio::time::sleep(HOURLY).await;
    settle().await;
    assert!(world.store.inner.is_empty());
    assert_eq!(world.browser.get("/who").await.body, "nobody");

    cleanup.stop();
    settle().await;
    world.store.take_calls();
    tokio::time::sleep(10 * HOURLY).await;
    settle().await;
    assert_eq!(world.store.take_calls(), []);
    assert_eq!(format!("{cleanup:?}"), "CleanupTask { is_finished: true }");
}

#[tokio::test(start_paused = true)]
async fn concurrent_cleanups_and_odd_intervals_do_no_harm() {
    let world = world(1200).await;
    for every in [
        Duration::ZERO,
        Duration::from_nanos(1),
        Duration::MAX,
        HOURLY,
    ] {
        world.manager.spawn_cleanup(every);
    }
    for _ in 0..6 {
        world.manager.spawn_cleanup(HOURLY);
    }
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    settle().await;
    assert_eq!(world.store.inner.len(), 1);
    let calls = world.store.take_calls();
    assert!(
        calls.len() < 100,
        "a second between two at least: {}",
        calls.len()
    );
}

#[tokio::test]
async fn requests_are_served_while_a_batch_is_deleted() {
    let mut world = world(3).await;
    let gate = world.store.gate(Call::DeleteExpired, When::Before);
    let cleanup = tokio::spawn({
        let manager = world.manager.clone();
        async move { manager.cleanup().await.unwrap() }
    });
    gate.reached().await;
    assert_eq!(world.browser.get("/me").await.body, "alice");
    gate.open();
    assert!(cleanup.await.unwrap() > 0);
}
