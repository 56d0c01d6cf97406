//! Whole applications on real servers: with a network between them that fails, killed under load,
//! and several at once.
//!
//! ```sh
//! POSTGRES_URL=postgres://postgres@localhost MYSQL_URL=mysql://root@localhost REDIS_URL=redis://localhost \
//!     cargo test --test nodes
//! cargo test --test nodes sqlite                           # one kind of store
//! ```
//!
//! Each trial has a file, a schema, a database or a prefix of its own, and removes it. What is left
//! out because its server isn't given is reported as ignored with the reason, never as passed.
#![allow(unreachable_pub, reason = "there is no outside to a test crate")]
#![allow(dead_code, reason = "a helper for the next test does no harm")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where it is surprised"
)]

#[path = "../app/support/browser.rs"]
mod browser;
#[path = "../stores/sql.rs"]
mod sql;
#[path = "../stores/sql_database.rs"]
mod sql_database;

mod address;
mod app;
mod counted;
mod node;
mod place;
mod proxy;
mod relay;
mod trials;
mod world;

mod faults;
mod file_faults;
mod killed;
mod round_trips;
mod soak;
mod two_nodes;

use std::process::ExitCode;

use libtest_mimic::Arguments;

fn main() -> ExitCode {
    if let Some(exit) = node::serve_if_asked() {
        return exit;
    }
    world::count_panics();
    let trials = [
        faults::trials(),
        file_faults::trials(),
        killed::trials(),
        two_nodes::trials(),
        round_trips::trials(),
        soak::trials(),
    ];
    let trials = trials.into_iter().flatten().collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
