//! Logging in and out, and the users that can.

mod impersonation;
mod impersonation_races;
mod life_cycle;
mod many_at_once;
mod passwords;
mod two_factors;
mod user_changes;
mod user_ids;
