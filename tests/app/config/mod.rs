//! Realms, serialized types, and the manager as a tower service.

mod realms;
mod serialized;
mod service;
