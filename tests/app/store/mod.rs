//! The stores of the crate, their wrappers, and broken stores that the contract suite catches.

mod broken;
mod cached;
mod cached_apps;
mod calls;
mod cleanup;
mod memory;
mod pointers;
