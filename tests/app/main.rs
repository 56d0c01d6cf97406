//! Whole applications, driven in process by browsers.
#![allow(unreachable_pub, reason = "there is no outside to a test crate")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails shall say so at once"
)]
#![allow(dead_code, reason = "a helper for the next test does no harm")]

mod browser;
mod faulty_store;
mod world;

mod life_cycle;
mod remember;
