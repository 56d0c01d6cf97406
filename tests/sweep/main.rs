//! Concurrent requests in every order, in one process.
//!
//! ```sh
//! cargo test --test sweep                                        # a sample
//! LOGIN_MANAGER_SWEEP=all cargo test --profile optimized --test sweep
//! ```
#![allow(unreachable_pub, reason = "there is no outside to a test crate")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where it is surprised"
)]

#[path = "../app/support/mod.rs"]
#[allow(dead_code, reason = "made for the tests of applications")]
mod support;

#[path = "mod.rs"]
#[allow(dead_code, reason = "the tests of stores run a sample, too")]
mod sweep;
