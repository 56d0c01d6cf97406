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

mod support;

mod api_keys;
mod config;
mod cookies;
mod events;
mod failure;
mod guard;
mod known_browsers;
mod login;
mod race;
mod redirect;
mod remember;
mod session;
mod store;
mod throttle;
mod tokens;
