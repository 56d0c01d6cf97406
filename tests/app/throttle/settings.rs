//! Settings that make no sense are rejected at once.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use login_manager::throttle::Throttle;

use crate::support::world::World;

#[tokio::test]
async fn invalid_settings_panic() {
    let throttle = World::new().manager.throttle();
    let invalid: [fn(Throttle) -> Throttle; 10] = [
        |throttle| throttle.named(""),
        |throttle| throttle.named("a/b"),
        |throttle| throttle.named(&"x".repeat(65)),
        |throttle| throttle.free(0),
        |throttle| throttle.first_wait(Duration::ZERO),
        |throttle| throttle.longest_wait(Duration::ZERO),
        |throttle| throttle.forget_after(Duration::MAX),
        |throttle| throttle.names_per_address(0),
        |throttle| throttle.names_per_address(1025),
        |throttle| throttle.stop_after(0),
    ];
    for (n, set) in invalid.into_iter().enumerate() {
        let throttle = throttle.clone();
        let outcome = catch_unwind(AssertUnwindSafe(|| set(throttle)));
        assert!(outcome.is_err(), "setting {n} is accepted");
    }
}
