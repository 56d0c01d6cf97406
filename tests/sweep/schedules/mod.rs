//! Schedules: up to six requests, three of them at once, of which each store call waits for its
//! turn. A seed decides who sends what, whose call is next, which response arrives and which is
//! lost, when the browser is closed and when the grace ends.
//!
//! Two thousand run by default and a hundred thousand with `LOGIN_MANAGER_SWEEP=all`. With the text
//! that a failed one prints, such as `LOGIN_MANAGER_SWEEP="seed: 42"`, it alone runs, and with
//! `"seeds: 5000"` the first so many.

mod checks;
mod walk;

use std::env;

use tokio::time::sleep;

use self::walk::Walk;
use super::{RETRIED, Tally, block_on};

const SAMPLE: u64 = 2_000;
const ALL: u64 = 100_000;

fn seeds() -> Vec<u64> {
    let number = |text: &str| text.parse().expect("a number");
    let count = match env::var("LOGIN_MANAGER_SWEEP") {
        Err(_) => SAMPLE,
        Ok(all) if all == "all" => ALL,
        Ok(text) => match (text.strip_prefix("seed: "), text.strip_prefix("seeds: ")) {
            (Some(seed), _) => return vec![number(seed)],
            (_, Some(count)) => number(count),
            _ => 0,
        },
    };
    (0..count).collect()
}

async fn run(seeds: Vec<u64>) -> Tally {
    let mut tally = Tally::default();
    for seed in seeds {
        let done = tokio::spawn(async move { Walk::new(seed).await.run().await });
        match done.await {
            Ok(()) => tally.ran += 1,
            Err(_) => tally.failed += 1,
        }
        sleep(RETRIED).await;
    }
    tally
}

#[test]
fn schedules_of_three_requests_keep_every_promise() {
    let seeds = seeds();
    let tally = super::share(&seeds, |seeds| block_on(run(seeds)));
    assert_eq!(tally.failed, 0, "of {}", seeds.len());
}
