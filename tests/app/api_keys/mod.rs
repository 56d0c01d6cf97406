//! Request loaders, and parts of an application without cookies.

mod cookie_free;
mod request_loaders;
