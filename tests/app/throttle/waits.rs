//! Waits grow with each failure, and with nothing else.

use axum::response::IntoResponse;
use login_manager::throttle::Attempt;

use super::{SECOND, attempt, fail};
use crate::support::world::{DAY, HOUR, MINUTE, World};

#[tokio::test]
async fn five_guesses_are_free_and_waits_double() {
    let world = World::new();
    let throttle = world.manager.throttle();
    fail(&throttle, "alice", 5).await;
    for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        assert_eq!(
            attempt(&throttle, "alice").await.unwrap_err(),
            seconds * SECOND
        );
        world.clock.advance((seconds - 1) * SECOND);
        assert_eq!(attempt(&throttle, "alice").await.unwrap_err(), SECOND);
        world.clock.advance(SECOND);
        fail(&throttle, "alice", 1).await;
    }
}

#[tokio::test]
async fn guess_that_has_to_wait_extends_nothing() {
    let world = World::new();
    let throttle = world.manager.throttle();
    fail(&throttle, "alice", 5).await;
    for n in 0..100 {
        let wait = attempt(&throttle, "alice").await.unwrap_err();
        assert_eq!(wait, SECOND - n * SECOND / 100);
        world.clock.advance(SECOND / 100);
    }
    fail(&throttle, "alice", 1).await;
    assert_eq!(attempt(&throttle, "alice").await.unwrap_err(), 2 * SECOND);
}

#[tokio::test]
async fn count_is_forgotten_a_day_after_its_first_failure() {
    let world = World::new();
    let throttle = world.manager.throttle();
    fail(&throttle, "alice", 4).await;
    world.clock.advance(23 * HOUR);
    fail(&throttle, "alice", 1).await;
    assert!(attempt(&throttle, "alice").await.is_err());
    world.clock.advance(HOUR);
    fail(&throttle, "alice", 5).await;
    assert!(attempt(&throttle, "alice").await.is_err(), "it counts anew");
}

#[tokio::test]
async fn at_most_109_guesses_a_day_are_permitted() {
    let world = World::new();
    let throttle = world.manager.throttle();
    let start = world.clock.unix_millis();
    let mut guesses = 0;
    while world.clock.unix_millis() - start < DAY.as_millis() as i64 {
        match attempt(&throttle, "alice").await {
            Ok(_failed) => guesses += 1,
            Err(wait) => world.clock.advance(wait),
        }
    }
    assert_eq!(guesses, 109);
}

#[tokio::test]
async fn success_clears_the_count() {
    let world = World::new();
    let throttle = world.manager.throttle();
    fail(&throttle, "alice", 4).await;
    let permit = attempt(&throttle, "alice").await.unwrap();
    assert_eq!(permit.failures(), 4);
    permit.succeeded().await.unwrap();
    assert_eq!(attempt(&throttle, "alice").await.unwrap().failures(), 0);
    fail(&throttle, "alice", 4).await;
    assert!(attempt(&throttle, "alice").await.is_err());
}

#[tokio::test]
async fn success_clears_no_other_name() {
    let world = World::new();
    let throttle = world.manager.throttle();
    fail(&throttle, "alice", 5).await;
    let permit = attempt(&throttle, "mallory").await.unwrap();
    permit.succeeded().await.unwrap();
    assert!(attempt(&throttle, "alice").await.is_err());
}

#[tokio::test]
async fn response_is_429_with_retry_after() {
    let world = World::new();
    let throttle = world.manager.throttle();
    fail(&throttle, "alice", 5).await;
    world.clock.advance(SECOND / 4);
    let Attempt::Wait(wait) = throttle.attempt("alice").await.unwrap() else {
        panic!("the sixth guess waits");
    };
    assert_eq!(wait.duration(), SECOND * 3 / 4);
    let response = wait.into_response();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let body = axum::body::to_bytes(response.into_body(), 1000).await;
    let text = "Too many attempts. Please try again later.\n";
    assert_eq!(body.unwrap(), text);
}

#[tokio::test]
async fn stop_lasts_until_it_is_cleared() {
    let world = World::new();
    let throttle = world.manager.throttle().free(3).stop_after(3);
    fail(&throttle, "alice", 3).await;
    world.clock.advance(300 * DAY);
    assert_eq!(
        attempt(&throttle, "alice").await.unwrap_err(),
        100 * DAY,
        "a stop is not forgotten after a day"
    );
    throttle.clear("alice").await.unwrap();
    fail(&throttle, "alice", 3).await;
    assert!(attempt(&throttle, "alice").await.is_err());
}

#[tokio::test]
async fn clear_forgets_one_name() {
    let world = World::new();
    let throttle = world.manager.throttle();
    fail(&throttle, "alice", 5).await;
    fail(&throttle, "bob", 5).await;
    throttle.clear("alice").await.unwrap();
    throttle.clear("").await.unwrap();
    fail(&throttle, "alice", 1).await;
    assert!(attempt(&throttle, "bob").await.is_err());
}

#[tokio::test]
async fn clock_that_was_ahead_keeps_no_name_waiting() {
    let world = World::new();
    let throttle = world.manager.throttle();
    world.clock.advance(HOUR);
    fail(&throttle, "alice", 5).await;
    world.clock.turn_back(HOUR);
    fail(&throttle, "alice", 1).await;
    assert_eq!(attempt(&throttle, "alice").await.unwrap_err(), 2 * SECOND);
    world.clock.advance(MINUTE);
    fail(&throttle, "alice", 1).await;
}

#[tokio::test]
async fn count_begun_by_a_clock_ahead_is_forgotten_in_a_day() {
    let world = World::new();
    let throttle = world.manager.throttle();
    world.clock.advance(10 * DAY);
    fail(&throttle, "alice", 4).await;
    world.clock.turn_back(10 * DAY);
    fail(&throttle, "alice", 1).await;
    world.clock.advance(DAY);
    fail(&throttle, "alice", 5).await;
}
