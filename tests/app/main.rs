//! Whole applications, driven in process by browsers.
#![allow(unreachable_pub, reason = "there is no outside to a test crate")]
#![allow(dead_code, reason = "a helper for the next test does no harm")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what clippy.toml allows in tests, for their helpers too"
)]

mod browser;
mod doors;
mod faulty_store;
mod log;
mod world;

mod broken_handlers;
mod cookie_configuration;
mod cookie_reading;
mod cookies;
mod freshness_and_time;
mod guard_paths;
mod guards;
mod ids;
mod late_requests;
mod life_cycle;
mod login_page;
mod permissions;
mod realms;
mod refusals;
mod responses;
mod secrets;
mod tokens;
mod user_changes;
