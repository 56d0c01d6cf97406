//! An API beside the pages: programs send a bearer token, browsers a cookie, and both use the same
//! handlers.
//!
//! ```sh
//! cargo run -p api_keys
//! ```
//!
//! ```sh
//! curl -i http://localhost:3000/me                                       # 401
//! curl -i http://localhost:3000/me -H 'Authorization: Bearer key-of-alice' # alice, and no cookie
//! curl -c jar -X POST http://localhost:3000/login
//! curl -b jar http://localhost:3000/me                                   # alice, by the cookie
//! curl -i -b jar http://localhost:3000/api/me                            # 401: no cookies here
//! ```

use std::{env, error::Error};

use axum::{
    Router,
    http::{header::AUTHORIZATION, request::Parts},
    routing::{get, post},
};
use login_manager::{Auth, AuthUser, LoginManager, LoginRequired, MemoryStore};
use sha2::{Digest, Sha256};
use tokio::{net::TcpListener, signal};
use tower_http::csrf::CsrfLayer;

struct Account {
    name: String,
}

impl AuthUser for Account {
    type Id = String;

    fn id(&self) -> String {
        self.name.clone()
    }
}

/// The whole app. Tests call it too.
pub(crate) fn app() -> Router {
    let login_manager = LoginManager::new(MemoryStore::new(), |name| async move {
        Some(Account { name }) // your database
    })
    // The future must not borrow the head, so the key is copied from it first.
    .with_request_loader(|head: &Parts| {
        let key = bearer_token(head).map(|token| Sha256::digest(token).into());
        async move { by_key(key?) }
    });

    let pages = Router::new()
        .route("/me", get(me))
        .route("/login", post(log_in))
        .layer(login_manager.clone())
        .layer(CsrfLayer::new());

    // This part accepts only keys. No other site can make a browser send one, so it needs no CSRF
    // protection.
    let api = Router::new()
        .route("/me", get(me))
        .layer(login_manager.without_cookies());

    pages.nest("/api", api)
}

fn bearer_token(head: &Parts) -> Option<&str> {
    let credentials = head.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = credentials.split_once(' ')?;
    // Schemes are case-insensitive (RFC 9110, 11.1).
    scheme
        .eq_ignore_ascii_case("Bearer")
        .then(|| token.trim_start())
}

/// Store digests of random keys, not the keys, so that a reader of the database can't use them.
fn by_key(digest: [u8; 32]) -> Option<Account> {
    let alices: [u8; 32] = Sha256::digest("key-of-alice").into();
    let name = "alice".to_owned();
    (digest == alices).then_some(Account { name })
}

async fn me(LoginRequired(user): LoginRequired<Account>) -> String {
    format!("{}\n", user.name)
}

/// Check the credentials here; see the quickstart.
async fn log_in(auth: Auth<Account>) -> Result<(), login_manager::Error> {
    let name = "alice".to_owned();
    auth.login(Account { name }).await.map(drop)
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "output for the terminal")]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt::init();
    let port = env::var("PORT").unwrap_or("3000".to_owned());
    let port: u16 = port
        .parse()
        .map_err(|_| format!("PORT must be a number up to 65535, not '{port}'"))?;
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| format!("can't listen on port {port}: {error}"))?;
    println!(
        "Listening on http://localhost:{}",
        listener.local_addr()?.port()
    );
    axum::serve(listener, app())
        .with_graceful_shutdown(async { signal::ctrl_c().await.unwrap_or_default() })
        .await?;
    Ok(())
}
