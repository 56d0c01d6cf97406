//! axum_session_auth on axum_session, which keeps sessions in memory if no database is set.
//!
//! Its cache of users, which can be hours out of date, is off, so that it does the same work as the
//! others.

use anyhow::Context;
use async_trait::async_trait;
use axum::{
    Router,
    extract::{Path, State},
    routing::{get, post},
};
use axum_session::{SessionConfig, SessionLayer, SessionNullPool, SessionStore};
use axum_session_auth::{AuthConfig, AuthSession, AuthSessionLayer, Authentication};
use http::StatusCode;

use super::public;
use crate::users::{User, Users};

type Auth = AuthSession<User, i64, SessionNullPool, Users>;

#[async_trait]
impl Authentication<User, i64, Users> for User {
    async fn load_user(id: i64, users: Option<&Users>) -> anyhow::Result<User> {
        let user = users.and_then(|users| users.find(id));
        user.context("there is no such user")
    }

    fn is_authenticated(&self) -> bool {
        true
    }

    fn is_active(&self) -> bool {
        true
    }

    fn is_anonymous(&self) -> bool {
        false
    }
}

pub(super) async fn site(users: Users) -> Router {
    let config = SessionConfig::default();
    let store = SessionStore::<SessionNullPool>::new(None, config)
        .await
        .unwrap();
    let auth = AuthSessionLayer::<User, i64, SessionNullPool, Users>::new(Some(users.clone()));
    Router::new()
        .route("/public", get(public))
        .route("/private", get(private))
        .route("/login/{id}", post(login))
        .route("/logout", post(logout))
        .with_state(users)
        .layer(auth.with_config(AuthConfig::default().set_cache(false)))
        .layer(SessionLayer::new(store))
}

async fn private(auth: Auth) -> Result<String, StatusCode> {
    let user = auth.current_user.ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(user.name)
}

async fn login(auth: Auth, State(users): State<Users>, Path(id): Path<i64>) {
    auth.login_user(users.find(id).unwrap().id);
}

async fn logout(auth: Auth) {
    auth.logout_user();
}
