//! axum-login on the memory store of tower-sessions, set up as in its documentation.

use std::convert::Infallible;

use axum::{
    Router,
    extract::{Path, State},
    routing::{get, post},
};
use axum_login::{
    AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend, login_required,
    tower_sessions::SessionManagerLayer,
};
use tower_sessions::MemoryStore;

use super::public;
use crate::users::{User, Users};

impl AuthUser for User {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }

    fn session_auth_hash(&self) -> &[u8] {
        self.password_hash.as_bytes()
    }
}

impl AuthnBackend for Users {
    type User = User;
    type Credentials = i64;
    type Error = Infallible;

    async fn authenticate(&self, id: i64) -> Result<Option<User>, Infallible> {
        Ok(self.find(id))
    }

    async fn get_user(&self, id: &i64) -> Result<Option<User>, Infallible> {
        Ok(self.find(*id))
    }
}

pub(super) fn site(users: Users) -> Router {
    let sessions = SessionManagerLayer::new(MemoryStore::default());
    let private = Router::new()
        .route("/private", get(private))
        .route_layer(login_required!(Users));
    Router::new()
        .route("/public", get(public))
        .route("/login/{id}", post(login))
        .route("/logout", post(logout))
        .with_state(users.clone())
        .merge(private)
        .layer(AuthManagerLayerBuilder::new(users, sessions).build())
}

async fn private(auth: AuthSession<Users>) -> String {
    auth.user.unwrap().name
}

async fn login(mut auth: AuthSession<Users>, State(users): State<Users>, Path(id): Path<i64>) {
    auth.login(&users.find(id).unwrap()).await.unwrap();
}

async fn logout(mut auth: AuthSession<Users>) {
    auth.logout().await.unwrap();
}
