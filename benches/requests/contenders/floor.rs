//! The least that sessions on the server can cost, written by hand.
//!
//! The layer puts one value into the extensions. The extractor reads the cookie, looks up its
//! SHA-256 digest and loads the user. There are no timeouts and no rotation, and everything else
//! that an application needs is missing, too.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll},
};

use axum::{
    Router,
    extract::{FromRequestParts, Path, Request, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64ct::{Base64UrlUnpadded, Encoding};
use http::{HeaderMap, StatusCode, request::Parts};
use rand::{TryRng, rngs::SysRng};
use sha2::{Digest, Sha256};
use tower::{Layer, Service};

use super::{cookie, public};
use crate::users::{User, Users};

const COOKIE: &str = "__Host-floor";
const SHARDS: usize = 16;

type Key = [u8; 32];

/// Digests of cookies, and the ids of their users.
#[derive(Default)]
struct Sessions([Mutex<HashMap<Key, i64>>; SHARDS]);

impl Sessions {
    fn shard(&self, key: &Key) -> MutexGuard<'_, HashMap<Key, i64>> {
        self.0[usize::from(key[0]) % SHARDS].lock().unwrap()
    }
}

/// What the layer puts into the extensions of each request.
#[derive(Clone)]
struct Auth(Arc<Shared>);

struct Shared {
    sessions: Sessions,
    users: Users,
}

impl Auth {
    fn key(headers: &HeaderMap) -> Option<Key> {
        let secret = cookie::find(headers, COOKIE)?;
        Some(Sha256::digest(secret).into())
    }

    fn user(&self, headers: &HeaderMap) -> Option<User> {
        let key = Self::key(headers)?;
        let id = *self.0.sessions.shard(&key).get(&key)?;
        self.0.users.find(id)
    }

    fn login(&self, id: i64) -> impl IntoResponse + use<> {
        let mut secret = [0; 32];
        SysRng.try_fill_bytes(&mut secret).unwrap();
        let secret = Base64UrlUnpadded::encode_string(&secret);
        let key = Sha256::digest(&secret).into();
        self.0.sessions.shard(&key).insert(key, id);
        cookie::set(COOKIE, &secret)
    }

    fn logout(&self, headers: &HeaderMap) -> impl IntoResponse + use<> {
        if let Some(key) = Self::key(headers) {
            self.0.sessions.shard(&key).remove(&key);
        }
        cookie::remove(COOKIE)
    }
}

impl<S> Layer<S> for Auth {
    type Service = Lazy<S>;

    fn layer(&self, inner: S) -> Lazy<S> {
        Lazy {
            inner,
            auth: self.clone(),
        }
    }
}

#[derive(Clone)]
struct Lazy<S> {
    inner: S,
    auth: Auth,
}

impl<S: Service<Request>> Service<Request> for Lazy<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> S::Future {
        request.extensions_mut().insert(self.auth.clone());
        self.inner.call(request)
    }
}

/// The guard.
struct LoggedIn(User);

impl<S: Sync> FromRequestParts<S> for LoggedIn {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let auth = parts.extensions.get::<Auth>().unwrap();
        let user = auth.user(&parts.headers);
        user.map(Self).ok_or(StatusCode::UNAUTHORIZED)
    }
}

pub(super) fn site(users: Users) -> Router {
    let auth = Auth(Arc::new(Shared {
        sessions: Sessions::default(),
        users,
    }));
    Router::new()
        .route("/public", get(public))
        .route(
            "/private",
            get(|LoggedIn(user): LoggedIn| async { user.name }),
        )
        .route("/login/{id}", post(login))
        .route("/logout", post(logout))
        .layer(auth.clone())
        .with_state(auth)
}

async fn login(State(auth): State<Auth>, Path(id): Path<i64>) -> Response {
    let user = auth.0.users.find(id).unwrap();
    auth.login(user.id).into_response()
}

async fn logout(State(auth): State<Auth>, headers: HeaderMap) -> Response {
    auth.logout(&headers).into_response()
}
