//! What session auth adds to a request, beside the other crates and the least that it can cost.
//!
//! ```sh
//! cargo bench -p login-manager-benches                            # all of it, about three minutes
//! cargo bench -p login-manager-benches -- --quick                 # a tenth of the time, less exact
//! cargo bench -p login-manager-benches -- requests/d              # what has this in its name
//! cargo bench -p login-manager-benches -- requests/d/login_manager
//! ```
//!
//! Measurements are named `group/case/contender`. The groups are
//!
//! - `requests`: what a request costs more than with the bare router, in time, allocations and bytes allocated;
//! - `heap`: the memory of live sessions;
//! - `threads`: the requests that one and two threads serve; if `bare` doesn't double, other programs have the cores;
//! - `storm`: the time of a public page while people log in with passwords.
//!
//! What each store costs is a bench of its own, which compiles all of them: see `stores/main.rs`.
//!
//! # Method
//!
//! Each contender guards the same site, and its answers are checked before it is timed. Requests are built before the
//! clock starts, and each is served in process by `site.clone().oneshot(request)`, with its body drained. The contenders
//! take turns of 64 requests, each round beginning with another one and every other round going backwards, so that
//! whatever else the machine does hits all alike. From each round the time of `bare` in the same round is subtracted;
//! the median over the rounds is what is printed. `bare (again)` shows how much of it is noise. Where the others refuse,
//! `bare` answers `401` without looking. Allocations are counted in a pass of their own, and don't vary.
//!
//! The time of one run can't be compared with that of another; what a contender adds, as a multiple of what `floor`
//! adds, can.
//!
//! # Contenders
//!
//! All of them load the same users, by value, from the same table in memory, and keep their sessions in memory.
//!
//! - `bare`: the router without auth;
//! - `floor`: the least that sessions on the server can cost, written by hand;
//! - `login_manager`, `login_manager (layer)`: this crate with its defaults, guarded by the extractor or by the layer;
//! - `axum-login` on tower-sessions, with the password hash as the session's auth hash, as its documentation has it,
//!   which is most of a session;
//! - `axum_session_auth` on axum_session, without its cache of users; it gives a session to each visitor of a page;
//! - `jwt`: a signed token in a cookie, which a logout doesn't end.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench that fails shall say so at once"
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
    // A loop of so many requests would run out of tokio's budget, which one request never does.
    runtime.block_on(unconstrained(async {
        requests::run(&options, &users).await;
        heap::run(&options).await;
        threads::run(&options, &users).await;
    }));
    storm::run(&options);
}
