//! Whole applications, driven in process by browsers.
#![allow(unreachable_pub, reason = "there is no outside to a test crate")]
#![allow(dead_code, reason = "a helper for the next test does no harm")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where it is surprised"
)]

mod browser;
mod events;
mod faulty_store;
mod world;

mod after_the_head;
mod contained;
mod faults;
mod faults_of_verbs;
mod hang_ups;
mod life_cycle;
mod memory_store;
mod races;
mod races_of_verbs;
mod remember;
mod service;
