//! API keys, request loaders, and parts of an application without cookies.

mod cookie_free;
mod key_faults;
mod key_guards;
mod key_life;
mod key_world;
mod keys;
mod request_loaders;
