//! While guesses can't be counted, none is checked.

use axum::response::IntoResponse;
use login_manager::{ErrorKind, event::EventKind, event::Lane};

use super::{attempt, attempt_from, fail};
use crate::support::{
    faulty_store::{Call, Fault},
    world::World,
};

#[tokio::test]
async fn no_guess_is_permitted_while_the_store_is_down() {
    let world = World::new();
    let throttle = world.manager.throttle();
    for call in [Call::LoadFresh, Call::Create] {
        world.store.fail(call, Fault::Fails);
        let error = throttle.attempt("alice").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store);
        let response = error.into_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "1");
        world.store.heal();
    }
    fail(&throttle, "alice", 1).await;
    world.store.fail(Call::Update, Fault::Fails);
    assert!(throttle.attempt("alice").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn store_that_hangs_denies_the_guess_at_the_deadline() {
    let world = World::new();
    let throttle = world.manager.throttle();
    world.store.fail(Call::LoadFresh, Fault::Hangs);
    let error = throttle.attempt("alice").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
}

#[tokio::test]
async fn guess_whose_write_took_effect_is_counted_once() {
    let world = World::new();
    let throttle = world.manager.throttle().free(2);
    world.store.fail_once(Call::Create, Fault::DoesAndFails);
    fail(&throttle, "alice", 1).await;
    world.store.fail_once(Call::Update, Fault::DoesAndFails);
    fail(&throttle, "alice", 1).await;
    assert!(attempt(&throttle, "alice").await.is_err());
}

#[tokio::test]
async fn success_that_the_store_refuses_is_an_error() {
    let world = World::new();
    let throttle = world.manager.throttle();
    let permit = attempt(&throttle, "alice").await.unwrap();
    world.store.fail_once(Call::Delete, Fault::Fails);
    let error = permit.succeeded().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    world.store.fail_once(Call::DeleteAll, Fault::Fails);
    assert!(throttle.clear("alice").await.is_err());
    assert_eq!(attempt(&throttle, "alice").await.unwrap().failures(), 1);
}

#[tokio::test]
async fn events_tell_lanes_and_failures_but_no_name() {
    let world = World::new();
    let throttle = world.manager.throttle().names_per_address(1);
    let address = Some("192.0.2.1");
    for _ in 0..5 {
        drop(attempt_from(&throttle, "alice", address).await);
    }
    assert_eq!(world.events.take(), [EventKind::GuessFailed; 5]);
    assert_eq!(throttle.failures(), 5);
    drop(attempt_from(&throttle, "alice", address).await);
    drop(attempt_from(&throttle, "bob", address).await);
    let throttled = [
        EventKind::Throttled(Lane::Name),
        EventKind::Throttled(Lane::Address),
    ];
    assert_eq!(world.events.take(), throttled);
    let succeeding = attempt(&throttle, "zoe").await.unwrap();
    succeeding.succeeded().await.unwrap();
    assert_eq!(world.events.take(), []);
    assert_eq!(throttle.clone().failures(), 5);
}
