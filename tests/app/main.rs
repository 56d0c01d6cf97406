//! Whole applications, driven in process by browsers.
#![allow(unreachable_pub, reason = "there is no outside to a test crate")]
#![allow(dead_code, reason = "a helper for the next test does no harm")]

mod browser;
mod faulty_store;
mod log;
mod world;

mod cookies;
mod freshness_and_time;
mod guards;
mod ids;
mod life_cycle;
mod realms;
mod responses;
mod tokens;
