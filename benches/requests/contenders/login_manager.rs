//! This crate with its defaults, guarded by the extractor or by the layer.

use std::future::ready;

use axum::{
    Router,
    extract::{Path, State},
    response::Result,
    routing::{get, post},
};
use http::StatusCode;
use login_manager::{
    Auth, AuthUser, CurrentUser, Error, LoginManager, LoginRequired, MemoryStore, Passwords,
    login_required,
};

use super::public;
use crate::users::{User, Users};

impl AuthUser for User {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }
}

pub(super) fn site(users: Users) -> Router {
    let private = Router::new().route("/private", get(extracted));
    around(private, users)
}

pub(super) fn site_with_layer(users: Users) -> Router {
    let private = Router::new()
        .route("/private", get(current))
        .route_layer(login_required::<User>());
    around(private, users)
}

/// The site with the extractor, and a login at `/password/{id}` that checks the password in the
/// body.
pub(crate) fn site_with_passwords(users: Users, passwords: Passwords) -> Router {
    let state = (users.clone(), passwords);
    let logins = Router::new().route("/password/{id}", post(login_with_password));
    let private = Router::new().route("/private", get(extracted));
    around(private.merge(logins.with_state(state)), users).with_state(())
}

fn around(private: Router, users: Users) -> Router {
    let loader = users.clone();
    let manager = LoginManager::new(MemoryStore::new(), move |id| ready(loader.find(id)));
    Router::new()
        .route("/public", get(public))
        .route("/login/{id}", post(login))
        .route("/logout", post(logout))
        .with_state(users)
        .merge(private)
        .layer(manager)
}

async fn extracted(LoginRequired(user): LoginRequired<User>) -> String {
    user.name.clone()
}

async fn current(CurrentUser(user): CurrentUser<User>) -> String {
    user.unwrap().name.clone()
}

async fn login(
    auth: Auth<User>,
    State(users): State<Users>,
    Path(id): Path<i64>,
) -> Result<(), Error> {
    auth.login(users.find(id).unwrap()).await.map(drop)
}

async fn logout(auth: Auth<User>) -> Result<(), Error> {
    auth.logout().await
}

async fn login_with_password(
    auth: Auth<User>,
    State((users, passwords)): State<(Users, Passwords)>,
    Path(id): Path<i64>,
    password: String,
) -> Result<StatusCode> {
    let user = users.find(id).unwrap();
    let hash = Some(user.password_hash.as_str());
    if !passwords.verify(password, hash).await?.is_valid() {
        return Ok(StatusCode::UNAUTHORIZED);
    }
    auth.login(user).await?;
    Ok(StatusCode::OK)
}
