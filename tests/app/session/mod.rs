//! Sessions: their lifetime, secrets, data and limits, and how they are listed and revoked.

mod client_changes;
mod copied_cookies;
mod data_limit;
mod flash;
mod known_ids;
mod lifetime;
mod limits;
mod list_and_revoke;
mod passive_requests;
mod secrets;
mod take;
