//! Concurrent requests, with forced interleavings.

mod hang_ups;
mod late_requests;
mod nodes;
mod rules;
mod two_requests;
mod two_verbs;
