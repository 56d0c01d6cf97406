//! Stores, loaders and handlers that fail, hang or panic.

mod after_response_head;
mod handlers;
mod logout_retry;
mod panics;
mod store_and_loader;
mod unknown_outcomes;
mod verbs;
