//! Realms, serialized types, and the manager as a tower service.

mod layers;
mod nested;
mod realms;
mod serialized;
mod service;
