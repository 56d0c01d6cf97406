//! Flask-Login's model for tower and axum.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

// The way of a request, from the layer down to the store.

pub mod manager;

#[cfg(feature = "axum")]
mod extract;

pub mod guard;

mod refusal;

mod auth;

mod identity;

mod session;

mod realm;

mod cookies;

pub mod store;

// What an application brings, and what it is told.

mod user;

pub mod loader;

#[cfg(feature = "argon2")]
pub mod password;

mod timeouts;

mod event;

mod why;

mod error;

mod clock;

#[cfg(feature = "testing")]
pub mod testing;

#[cfg(feature = "axum")]
pub use crate::extract::{CurrentUser, LoginRequired};
#[cfg(feature = "argon2")]
pub use crate::password::{Argon2Cost, PasswordError, Passwords, Verdict};
pub use crate::{
    auth::{Auth, Login},
    cookies::SameSite,
    error::{BoxError, ConfigError, Error, ErrorKind},
    event::{Event, EventKind},
    guard::{Authorize, login_required},
    loader::UserLoader,
    manager::LoginManager,
    refusal::{Denied, InvalidNext, NextPath, Notice, Reason},
    session::Session,
    store::{MemoryStore, SessionStore},
    timeouts::Timeouts,
    user::AuthUser,
    why::Why,
};
