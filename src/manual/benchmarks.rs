//! Benchmarks: the cost that session authentication adds to a request, here and in other crates.
//!
//! `cargo bench -p login-manager-benches` prints these figures, in about three minutes. They come
//! from one run on two cores (AMD EPYC, Rust 1.95). The contenders guard the same site, load the
//! same users and keep their sessions in memory. They take turns in rounds of 64 requests, so that
//! other load on the machine affects all of them alike. The time of the bare router in the same
//! round is subtracted, and each figure is the median over the rounds. The responses are checked
//! first.
//!
//! # Time
//!
//! The figures are multiples of the time that `floor` adds. `floor` is the least that sessions on
//! the server can cost: a layer written by hand, without timeouts, rotation, remember-me or
//! anything else.
//!
//! | request | this crate | axum-login 0.18 | axum_session_auth 0.22 | JWT in a cookie |
//! |---|---:|---:|---:|---:|
//! | public page, anonymous | 2.6 | 5.8 | 22.7 | 0.0 |
//! | public page, logged in | 2.8 | 17.7 | 18.6 | 0.0 |
//! | guarded page, refused | 5.7 | 6.0 | 22.2 | 0.2 |
//! | guarded page, logged in | 3.9 | 10.2 | 9.6 | 4.2 |
//! | the same, between 12 other cookies | 2.8 | 12.2 | 12.2 | 3.1 |
//! | login and logout, without a password | 3.6 | 5.3 | 6.5 | 0.6 |
//! | guarded page, garbage cookie | 4.7 | 6.5 | 11.6 | 0.2 |
//! | guarded page, unknown session | 4.4 | 6.7 | 11.3 | 3.4 |
//!
//! In this run, `floor` added 160 to 340 ns to a request, of which the layer itself takes 160. With
//! the layer [`login_required`](crate::login_required) in place of the extractor, a guarded page
//! costs 4.7. A logout doesn't end a JWT, which is why it needs no store.
//!
//! # Allocations
//!
//! Allocations in addition to those of the bare router:
//!
//! | request | this crate | floor | axum-login | axum_session_auth | JWT |
//! |---|---:|---:|---:|---:|---:|
//! | public page | 6 | 5 | 13 to 33 | 40 to 47 | 0 |
//! | guarded page, refused | 5 | 5 | 14 | 41 | 0 |
//! | guarded page, logged in | 9 | 5 | 42 | 48 | 11 |
//! | login and logout | 36 | 18 | 88 | 107 | 16 |
//!
//! On a public page, two of them are made by axum for a layer on the router, and one by the map of
//! the request's extensions. The others are the entry in that map and the state that the handler
//! and the response share.
//!
//! # Memory
//!
//! A session in [`MemoryStore`](crate::MemoryStore) takes 326 bytes if a user has a hundred
//! sessions, and 591 bytes if each user has one, including the list of each user's sessions and the
//! order in which they expire. A login of axum-login takes 4138 bytes in the memory store of
//! tower-sessions, without either; most of it is the password hash, by which it notices a new
//! password.
//!
//! # Where this crate is slower
//!
//! - **A request that does not use the current user** costs 250 ns more than with a layer that does
//!   nothing: its state is created and dropped even if it is not used.
//! - **A denied request** takes about as long as with other crates that keep sessions, since the
//!   guard finds out which kind of client has sent it (see [page
//!   loads](super::guarding_pages#what-is-a-page-load)), and its response must not be cached.
//! - **A login** writes one record with digests of its own, and is carried out completely even if
//!   the client hangs up.
//!
//! On a real store, its calls are the cost. `tests/nodes` counts them; [choosing a
//! store](super::choosing_a_store#costs) lists them. To measure them on your servers, run the
//! benchmark of the stores: see `benches/stores`.
//!
//! # Next
//!
//! [Glossary](super::glossary). Reference: [`LoginManager`](crate::LoginManager),
//! [`login_required`](crate::login_required), [`MemoryStore`](crate::MemoryStore). [All
//! pages](super).
