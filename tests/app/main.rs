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
mod doors;
mod events;
mod faulty_store;
mod log;
mod world;

mod after_the_head;
mod broken_handlers;
mod broken_stores;
mod cached_apps;
mod cached_store;
mod causes;
mod cleanup;
mod closed_by_default;
mod concurrency_rules;
mod contained;
mod cookie_configuration;
mod cookie_free;
mod cookie_reading;
mod cookies;
mod data_limit;
mod faults;
mod faults_of_verbs;
mod freshness;
mod freshness_and_time;
mod guard_paths;
mod guards;
mod hang_ups;
mod ids;
mod known_ids;
mod late_requests;
mod life_cycle;
mod life_cycle_events;
mod login_page;
mod login_pages_of_parts;
mod login_storm;
mod logout_later;
mod memory_store;
mod next_kept;
mod nodes;
mod page_loads;
mod passwords;
mod permissions;
mod protection;
mod races;
mod races_of_verbs;
mod realms;
mod refusals;
mod remember;
mod remember_attacks;
mod remember_interrupted;
mod remember_kept;
mod remember_races;
mod remember_table;
mod remember_thefts;
mod remember_tokens;
mod request_loaders;
mod responses;
mod secrets;
mod serialized;
mod service;
mod session_limits;
mod sessions;
mod several_cookies;
mod spans;
mod store_calls;
mod store_pointers;
mod take_once;
mod tokens;
mod two_factors;
mod unknown_outcomes;
mod user_changes;
mod verb_beside_verb;
mod without_touch;
