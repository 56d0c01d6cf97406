//! The site without auth. If the others deny `/private`, it is compared with `/denied`.

use axum::{
    Router,
    extract::{Path, State},
    routing::{get, post},
};
use http::StatusCode;

use super::public;
use crate::users::Users;

pub(super) fn site(users: Users) -> Router {
    let name = users.find(crate::site::USER).unwrap().name;
    Router::new()
        .route("/public", get(public))
        .route("/private", get(move || async move { name.clone() }))
        .route("/denied", get(|| async { StatusCode::UNAUTHORIZED }))
        .route("/login/{id}", post(login))
        .route("/logout", post(|| async {}))
        .with_state(users)
}

async fn login(State(users): State<Users>, Path(id): Path<i64>) {
    std::hint::black_box(users.find(id).unwrap());
}
