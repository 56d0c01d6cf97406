//! What may be shared between threads, and kept in an application's state.

use login_manager::{
    Auth, AuthUser, ConfigError, CurrentUser, Error, ErrorKind, FreshLoginRequired, LoginManager,
    LoginRequired, MemoryStore, NextPath, Passwords, Session,
    auth::{Login, LoginHandle, SessionInfo},
    event::{Event, EventKind},
    guard::{Denied, DeniedReason, LoginPageLayer, LoginRequiredLayer, LoginRequiredService, Notice},
    manager::{
        CleanupTask, Cookies, LoginPage, LoginService, NextIn, RememberGrace, RememberMe, SameSite,
        SessionProtection, Timeouts,
    },
    store::{SessionId, SessionRecord},
};

struct Account;

impl AuthUser for Account {
    type Id = i64;

    fn id(&self) -> i64 {
        1
    }
}

fn is_shared<T: Send + Sync + 'static>() {}
fn is_cloned<T: Clone + Send + Sync + 'static>() {}

fn main() {
    is_cloned::<Auth<Account>>();
    is_cloned::<CurrentUser<Account>>();
    is_cloned::<FreshLoginRequired<Account>>();
    is_cloned::<LoginManager<Account>>();
    is_cloned::<LoginPageLayer<Account>>();
    is_cloned::<LoginRequired<Account>>();
    is_cloned::<LoginRequiredLayer<Account>>();
    is_cloned::<LoginRequiredService<axum::Router, Account>>();
    is_cloned::<LoginService<axum::Router, Account>>();
    is_cloned::<MemoryStore>();
    is_cloned::<Passwords>();
    is_cloned::<Session>();
    is_cloned::<(ConfigError, Denied, DeniedReason, ErrorKind, EventKind, NextPath, Notice)>();
    is_cloned::<(Cookies, LoginPage, NextIn, RememberGrace, RememberMe, SameSite)>();
    is_cloned::<(SessionProtection, Timeouts, SessionId, SessionInfo, SessionRecord)>();
    is_shared::<CleanupTask>();
    is_shared::<Error>();
    is_shared::<Event>();
    is_shared::<Login<Account>>();
    is_shared::<LoginHandle<Account>>();
}
