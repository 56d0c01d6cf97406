//! A signed token in a cookie. Nothing is kept on the server, so a logout can't end it.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    extract::{FromRequestParts, Path, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, StatusCode, request::Parts};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use rand::{TryRng, rngs::SysRng};
use serde::{Deserialize, Serialize};

use super::{cookie, hs256, public};
use crate::users::{User, Users};

const COOKIE: &str = "__Host-jwt";
const LIFETIME_SECONDS: u64 = 24 * 60 * 60;

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: i64,
    exp: u64,
}

#[derive(Clone)]
struct Auth(Arc<Keys>);

struct Keys {
    sign: EncodingKey,
    verify: DecodingKey,
    /// The rules that check the signature and `exp`.
    rules: Validation,
    users: Users,
}

impl Auth {
    fn new(users: Users) -> Self {
        hs256::install();
        let mut secret = [0; 32];
        SysRng.try_fill_bytes(&mut secret).unwrap();
        Self(Arc::new(Keys {
            sign: EncodingKey::from_secret(&secret),
            verify: DecodingKey::from_secret(&secret),
            rules: Validation::new(Algorithm::HS256),
            users,
        }))
    }

    fn token(&self, user: i64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let claims = Claims {
            sub: user,
            exp: now.as_secs() + LIFETIME_SECONDS,
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.0.sign).unwrap()
    }

    fn user(&self, headers: &HeaderMap) -> Option<User> {
        let token = cookie::find(headers, COOKIE)?;
        let token = decode::<Claims>(token, &self.0.verify, &self.0.rules).ok()?;
        self.0.users.find(token.claims.sub)
    }
}

struct LoggedIn(User);

impl FromRequestParts<Auth> for LoggedIn {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, auth: &Auth) -> Result<Self, StatusCode> {
        let user = auth.user(&parts.headers);
        user.map(Self).ok_or(StatusCode::UNAUTHORIZED)
    }
}

pub(super) fn site(users: Users) -> Router {
    Router::new()
        .route("/public", get(public))
        .route(
            "/private",
            get(|LoggedIn(user): LoggedIn| async { user.name }),
        )
        .route("/login/{id}", post(login))
        .route("/logout", post(|| async { cookie::remove(COOKIE) }))
        .with_state(Auth::new(users))
}

async fn login(State(auth): State<Auth>, Path(id): Path<i64>) -> Response {
    let user = auth.0.users.find(id).unwrap();
    cookie::set(COOKIE, &auth.token(user.id)).into_response()
}
