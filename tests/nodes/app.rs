//! A small application around a store.

use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use login_manager::{
    Auth, AuthUser, CurrentUser, Error, LoginManager, LoginRequired, Session, SessionStore,
};

/// Every number is a user.
pub struct Account(i64);

impl AuthUser for Account {
    type Id = i64;

    fn id(&self) -> i64 {
        self.0
    }
}

pub const SESSION: &str = "__Host-nodes-session";
pub const REMEMBER: &str = "__Host-nodes-remember";

/// The owner of a user's records.
pub fn owner(id: i64) -> String {
    format!("nodes/{id}")
}

pub fn manager(store: impl SessionStore) -> LoginManager<Account> {
    LoginManager::new(store, |id| async move { Some(Account(id)) }).with_realm("nodes")
}

pub fn routes() -> Router {
    let login = |auth: Auth<Account>, Path(id): Path<i64>| async move {
        auth.login(Account(id)).await.map(|user| user.0.to_string())
    };
    let remember = |auth: Auth<Account>, Path(id): Path<i64>| async move {
        let login = auth.login(Account(id)).remember(true).await;
        login.map(|user| user.0.to_string())
    };
    Router::new()
        .route("/", get(|| async { "public" }))
        .route("/me", get(me))
        .route("/who", get(who))
        .route("/login/{id}", post(login))
        .route("/remember/{id}", post(remember))
        .route(
            "/logout",
            post(|auth: Auth<Account>| async move { auth.logout().await }),
        )
        .route(
            "/confirm",
            post(|auth: Auth<Account>| async move { auth.confirm().await.map(drop) }),
        )
        .route(
            "/rotate",
            post(|auth: Auth<Account>| async move { auth.rotate().await }),
        )
        .route("/put/{key}/{value}", post(put))
        .route("/get/{key}", get(read))
}

async fn me(LoginRequired(user): LoginRequired<Account>) -> String {
    user.0.to_string()
}

async fn who(CurrentUser(user): CurrentUser<Account>) -> String {
    user.map_or("nobody".into(), |user| user.0.to_string())
}

async fn put(session: Session, Path((key, value)): Path<(String, String)>) -> Result<(), Error> {
    session.insert(&key, &value).await
}

async fn read(session: Session, Path(key): Path<String>) -> Result<String, Error> {
    Ok(session.get(&key).await?.unwrap_or_default())
}
