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
//! | public page, anonymous | 2.7 | 6.5 | 21.8 | 0.0 |
//! | public page, logged in | 2.9 | 21.2 | 20.8 | 0.1 |
//! | guarded page, refused | 5.7 | 5.9 | 19.4 | 0.2 |
//! | guarded page, logged in | 4.5 | 11.3 | 10.9 | 5.0 |
//! | the same, between 12 other cookies | 2.8 | 11.3 | 11.5 | 3.2 |
//! | login and logout, without a password | 4.3 | 6.5 | 7.0 | 0.7 |
//! | guarded page, garbage cookie | 5.1 | 7.3 | 12.3 | 0.3 |
//! | guarded page, unknown session | 4.6 | 7.4 | 12.0 | 3.4 |
//!
//! In this run, `floor` added 263 ns to a public page, which is the layer itself, and 821 ns to a
//! guarded one. With the layer [`login_required`](crate::login_required) in place of the extractor,
//! a guarded page costs 5.4. A logout doesn't end a JWT, which is why it needs no store.
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
//! | login and logout | 37 | 18 | 88 | 107 | 16 |
//!
//! On a public page, two of them are made by axum for a layer on the router, and one by the map of
//! the request's extensions. The others are the entry in that map and the state that the handler
//! and the response share.
//!
//! # Memory
//!
//! A session in [`MemoryStore`](crate::MemoryStore) takes 289 bytes if a user has a hundred
//! sessions, and 373 bytes if each user has one, including the list of each user's sessions and the
//! order in which they expire. A login of axum-login takes 4138 bytes in the memory store of
//! tower-sessions, without either; most of it is the password hash, by which it notices a new
//! password.
//!
//! # Where this crate is slower
//!
//! - **A request that does not use the current user** costs 440 ns more than with a layer that does
//!   nothing: its state is created and dropped even if it is not used.
//! - **A denied request** takes about as long as with other crates that keep sessions, since the
//!   guard finds out which kind of client has sent it (see [page
//!   loads](super::guarding_pages#what-is-a-page-load)), and its response must not be cached.
//! - **A login** writes one record with digests of its own, and is carried out completely even if
//!   the client hangs up.
//!
//! # Stores
//!
//! On a real store, its calls are the cost. [Choosing a store](super::choosing_a_store#costs) lists
//! them, and `tests/nodes` counts them. The benchmark of the stores measures them on your servers:
//! `cargo bench -p login-manager-benches --features stores --bench stores`, with the variables that
//! `benches/stores` names. It took 45 seconds on the machine above, with all servers on the same
//! machine and the settings that each store's documentation recommends:
//!
//! | median | SQLite | PostgreSQL 15 | MariaDB 10.11 | Redis 7 |
//! |---|---:|---:|---:|---:|
//! | guarded page | 0.11 ms | 0.08 ms | 0.17 ms | 0.05 ms |
//! | login, without a password | 0.24 ms | 0.18 ms | 0.24 ms | 0.08 ms |
//! | logout | 0.34 ms | 0.21 ms | 0.36 ms | 0.11 ms |
//! | the slowest of 100 logins, 10 at once | 8.4 ms | 2.2 ms | 2.8 ms | 0.8 ms |
//! | list of a user with 10,000 sessions | 84 ms | 45 ms | 123 ms | 39 ms |
//! | cleanup of 100,000 expired sessions | 1.4 s | 0.4 s | 1.8 s | by itself |
//! | size of a session, with its indexes | 252 bytes | 328 bytes | 465 bytes | 409 bytes |
//!
//! # Next
//!
//! [Glossary](super::glossary). Reference: [`LoginManager`](crate::LoginManager),
//! [`login_required`](crate::login_required), [`MemoryStore`](crate::MemoryStore). [All
//! pages](super).
