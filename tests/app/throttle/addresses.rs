//! Each address may try a limited number of different names a minute.

use super::{SECOND, attempt_from, fail};
use crate::support::world::{DAY, MINUTE, World};

#[tokio::test]
async fn address_tries_thirty_names_a_minute() {
    let world = World::new();
    let throttle = world.manager.throttle();
    for n in 0..30 {
        let name = format!("user{n}");
        assert!(
            attempt_from(&throttle, &name, Some("192.0.2.1"))
                .await
                .is_ok()
        );
    }
    world.clock.advance(SECOND);
    let wait = attempt_from(&throttle, "user30", Some("192.0.2.1")).await;
    assert_eq!(wait.unwrap_err(), 59 * SECOND);
    let known = attempt_from(&throttle, "user29", Some("192.0.2.1")).await;
    assert!(known.is_ok(), "this name has been counted already");
    let other = attempt_from(&throttle, "user30", Some("192.0.2.2")).await;
    assert!(other.is_ok());
    world.clock.advance(59 * SECOND);
    let later = attempt_from(&throttle, "user31", Some("192.0.2.1")).await;
    assert!(later.is_ok());
}

#[tokio::test]
async fn one_name_counts_once_for_its_address() {
    let world = World::new();
    let throttle = world.manager.throttle().names_per_address(1).free(100);
    for _ in 0..50 {
        assert!(
            attempt_from(&throttle, "alice", Some("192.0.2.1"))
                .await
                .is_ok()
        );
    }
    assert!(
        attempt_from(&throttle, "bob", Some("192.0.2.1"))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn ipv6_counts_by_network_and_ipv4_by_address() {
    let same = [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::2"),
        ("192.0.2.1", "::ffff:192.0.2.1"),
    ];
    let different = [
        ("2001:db8:1:2::1", "2001:db8:1:3::1"),
        ("192.0.2.1", "192.0.2.2"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2"),
        ("::ffff:192.0.2.1", "::1"),
    ];
    let cases = same.map(|pair| (pair, true));
    let cases = cases.into_iter().chain(different.map(|pair| (pair, false)));
    for ((one, other), is_same) in cases {
        let throttle = World::new().manager.throttle().names_per_address(1);
        assert!(attempt_from(&throttle, "alice", Some(one)).await.is_ok());
        let waits = attempt_from(&throttle, "bob", Some(other)).await.is_err();
        assert_eq!(waits, is_same, "{one} {other}");
    }
}

#[tokio::test]
async fn name_waits_at_every_address() {
    let world = World::new();
    let throttle = world.manager.throttle();
    for n in 1..=5 {
        let address = format!("192.0.2.{n}");
        assert!(
            attempt_from(&throttle, "alice", Some(&address))
                .await
                .is_ok()
        );
    }
    let botnet = attempt_from(&throttle, "alice", Some("192.0.2.6")).await;
    assert_eq!(botnet.unwrap_err(), SECOND);
}

#[tokio::test]
async fn waiting_address_counts_no_failure_of_a_name() {
    let world = World::new();
    let throttle = world.manager.throttle().names_per_address(1);
    assert!(
        attempt_from(&throttle, "bob", Some("192.0.2.1"))
            .await
            .is_ok()
    );
    for _ in 0..10 {
        assert!(
            attempt_from(&throttle, "alice", Some("192.0.2.1"))
                .await
                .is_err()
        );
    }
    fail(&throttle, "alice", 5).await;
}

#[tokio::test]
async fn success_does_not_clear_the_address() {
    let world = World::new();
    let throttle = world.manager.throttle().names_per_address(1);
    let permit = attempt_from(&throttle, "mallory", Some("192.0.2.1")).await;
    permit.unwrap().succeeded().await.unwrap();
    assert!(
        attempt_from(&throttle, "alice", Some("192.0.2.1"))
            .await
            .is_err()
    );
    world.clock.advance(MINUTE);
    assert!(
        attempt_from(&throttle, "alice", Some("192.0.2.1"))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn guess_without_a_name_counts_for_its_address_only() {
    let world = World::new();
    let throttle = world.manager.throttle();
    for _ in 0..30 {
        let permit = attempt_from(&throttle, " ", Some("192.0.2.1")).await;
        assert_eq!(permit.unwrap().failures(), 0);
    }
    assert!(
        attempt_from(&throttle, "", Some("192.0.2.1"))
            .await
            .is_err()
    );
    let elsewhere = attempt_from(&throttle, "", Some("192.0.2.2")).await;
    elsewhere.unwrap().succeeded().await.unwrap();
    assert!(attempt_from(&throttle, "", None).await.is_ok());
}

#[tokio::test]
async fn clock_that_was_ahead_keeps_no_address_waiting() {
    let world = World::new();
    let throttle = world.manager.throttle().names_per_address(2);
    world.clock.advance(DAY);
    for name in ["alice", "bob"] {
        assert!(
            attempt_from(&throttle, name, Some("192.0.2.1"))
                .await
                .is_ok()
        );
    }
    world.clock.turn_back(DAY);
    let wait = attempt_from(&throttle, "zoe", Some("192.0.2.1")).await;
    assert_eq!(wait.unwrap_err(), MINUTE);
    world.clock.advance(SECOND);
    let wait = attempt_from(&throttle, "zoe", Some("192.0.2.1")).await;
    assert_eq!(wait.unwrap_err(), 59 * SECOND);
    world.clock.advance(59 * SECOND);
    for name in ["zoe", "alice"] {
        assert!(
            attempt_from(&throttle, name, Some("192.0.2.1"))
                .await
                .is_ok()
        );
    }
    let third = attempt_from(&throttle, "bob", Some("192.0.2.1")).await;
    assert!(third.is_err(), "the limit holds meanwhile");
}

/// Otherwise each new name would start the minute anew until the clock has caught up.
#[tokio::test]
async fn window_begun_by_a_clock_ahead_is_a_minute_at_most() {
    let world = World::new();
    let throttle = world.manager.throttle().names_per_address(3);
    world.clock.advance(DAY);
    let first = attempt_from(&throttle, "alice", Some("192.0.2.1")).await;
    assert!(first.is_ok());
    world.clock.turn_back(DAY);
    for name in ["bob", "zoe"] {
        assert!(
            attempt_from(&throttle, name, Some("192.0.2.1"))
                .await
                .is_ok()
        );
        world.clock.advance(20 * SECOND);
    }
    let wait = attempt_from(&throttle, "eve", Some("192.0.2.1")).await;
    assert_eq!(wait.unwrap_err(), 20 * SECOND);
}
