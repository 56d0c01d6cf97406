//! The session protocol as a small model, explored exhaustively.
//!
//! The model knows neither HTTP nor this crate: `protocol.rs` has records and rules, `verbs.rs`
//! what each verb asks of the store (with `resolve.rs` and `calls.rs`), `world.rs` the store, the
//! browsers and the network. A search takes every order of store calls, responses, faults and lost
//! responses, and `checks.rs` says what must hold after each step:
//!
//! - (a) after an acknowledged logout, nothing that the browser held then authenticates;
//! - (b) nothing is revived: neither an id nor a secret;
//! - (c) an acknowledged login works, and one that failed changed nothing;
//! - (d) a secret from before a login authenticates no user and writes to no user's session;
//! - (e) an honest browser never raises the theft alarm;
//! - (f) of thief and owner one is detected or out, and a join leaves no lasting secret;
//! - (g) a record has one valid session secret;
//! - (h) no user's data is visible to another, and saved data is kept;
//! - (i) knowing an id ends, changes and blocks nothing.
//!
//! `rules.rs` switches each rule off and shows that then one of them breaks: a model that can't
//! fail says nothing.
//!
//! By default a part of the scenes is explored. `LOGIN_MANAGER_MODEL=all` explores every three
//! verbs from every start, and of the same scenes with a fault, a lost response and the end of the
//! grace a part; a number in its place explores every so-manieth of those.
#![allow(unreachable_pub, reason = "there is no outside to a test crate")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that fails shall say so at once"
)]

mod calls;
mod checks;
mod describe;
mod end_checks;
mod protocol;
mod resolve;
mod rules;
mod scenes;
mod search;
mod verbs;
mod world;

use self::{
    protocol::ALL_RULES,
    scenes::{Scene, faulty_scenes, plain_scenes},
    search::explore_all,
};

#[test]
fn three_concurrent_requests_keep_every_promise() {
    let scenes = match std::env::var("LOGIN_MANAGER_MODEL").ok().as_deref() {
        None | Some("") => thin(plain_scenes(), 11),
        Some("all") => [plain_scenes(), thin(faulty_scenes(), 53)].concat(),
        Some(every) => thin(faulty_scenes(), every.parse().expect("`all` or a number")),
    };
    let (states, broken) = explore_all(&ALL_RULES, &scenes);
    println!("{} scenes, {states} states", scenes.len());
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
}

/// Every so-manieth scene.
fn thin(scenes: Vec<Scene>, every: usize) -> Vec<Scene> {
    scenes.into_iter().step_by(every).collect()
}
