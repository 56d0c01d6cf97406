//! What session auth adds to a request, beside the other crates and the least that it can cost.
//!
//! ```sh
//! cargo bench -p login-manager-benches                            # everything: about three minutes
//! cargo bench -p login-manager-benches -- --quick                 # a tenth of the time, less exactly
//! cargo bench -p login-manager-benches -- requests/d              # measurements named so
//! cargo bench -p login-manager-benches -- requests/d/login_manager
//! ```
//!
//! Measurements are named `group/case/contender`. The groups are
//!
//! - `requests`: what a request costs in addition to the bare router, in time, allocations and
//!   bytes allocated;
//! - `heap`: the memory of live sessions;
//! - `threads`: the requests per second with one and with two threads; if `bare` doesn't double,
//!   other programs are using the cores;
//! - `storm`: the time of a public page while people log in with passwords.
//!
//! The cost of each store is measured by a separate bench, which compiles all stores: see
//! `stores/main.rs`.
//!
//! # Method
//!
//! Each contender guards the same site, and its responses are checked before it is timed. Requests
//! are built before the clock starts, and each is served in process by
//! `site.clone().oneshot(request)`, with its body drained. The contenders take turns of 64
//! requests. Each round begins with another contender, and every other round goes backwards, so
//! that other programs on the machine affect all contenders alike. The time of `bare` in the same
//! round is subtracted from each time, and the median of the rounds is printed. `bare (again)`
//! shows how much of it is noise. If the others deny a request, `bare` returns `401` without a
//! check. Allocations are counted in a separate pass, and don't vary.
//!
//! Times of different runs can't be compared, but multiples of the time that `floor` adds can.
//!
//! # Contenders
//!
//! All contenders load the same users, by value, from the same table in memory, and keep their
//! sessions in memory.
//!
//! - `bare`: the router without auth;
//! - `floor`: the least that sessions on the server can cost, written by hand;
//! - `login_manager`, `login_manager (layer)`: this crate with its defaults, guarded by the
//!   extractor or by the layer;
//! - `axum-login` on tower-sessions, with the password hash as the session's auth hash, as in its
//!   documentation; it takes most of a session's memory;
//! - `axum_session_auth` on axum_session, without its cache of users; it creates a session for each
//!   visitor of a page;
//! - `jwt`: a signed token in a cookie, which a logout doesn't end.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench that fails should panic at once"
)]

mod alloc;
mod cases;
mod contenders;
mod heap;
mod report;
mod requests;
mod site;
mod storm;
mod table;
mod threads;
mod users;

use tokio::task::unconstrained;

use crate::{
    report::Options,
    users::{PASSWORD_HASH, Users},
};

fn main() {
    let options = Options::from_args();
    if options.wants_stores() {
        println!("cargo bench -p login-manager-benches --features stores --bench stores");
        return;
    }
    let users = Users::new(100, PASSWORD_HASH);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    // A loop of so many requests would exceed tokio's budget for a task, which one request never
    // does.
    runtime.block_on(unconstrained(async {
        requests::run(&options, &users).await;
        heap::run(&options).await;
        threads::run(&options, &users).await;
    }));
    storm::run(&options);
}
