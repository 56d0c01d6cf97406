//! An API next to the pages: users create keys on a page, and give them to programs.
//!
//! ```sh
//! cargo run -p api_keys
//! ```
//!
//! ```sh
//! curl -c jar -X POST http://localhost:3000/login
//! curl -b jar http://localhost:3000/keys -d name=CI -d scopes=read # the key: it is shown only here
//! KEY=acme_…                                                       # paste it
//! curl -i http://localhost:3000/api/me -H "Authorization: Bearer $KEY"             # alice, and no cookie
//! curl -i -X POST http://localhost:3000/api/orders -H "Authorization: Bearer $KEY" # 403: it may only read
//! curl -i -b jar http://localhost:3000/api/me                      # 401: the API ignores cookies
//! curl -b jar http://localhost:3000/keys                           # her keys, each with its id
//! curl -b jar http://localhost:3000/keys/revoke -d id=…            # from now on it gets 401
//! ```

use std::{env, error::Error, time::Duration};

use axum::{
    Form, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use login_manager::{
    Auth, AuthUser, FreshLoginRequired, LoginManager, LoginRequired, MemoryStore,
    api_keys::{ApiKeyId, ApiKeyInfo, ApiKeys},
    login_required,
};
use serde::Deserialize;
use tokio::{net::TcpListener, signal};
use tower_http::csrf::CsrfLayer;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

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
    .with_realm("account");
    let login_by_key = login_manager
        .clone()
        .with_api_keys("acme")
        .without_cookies();

    let pages = Router::new()
        .route("/me", get(me))
        .route("/login", post(log_in))
        .route("/keys", get(list_keys).post(create_key))
        .route("/keys/revoke", post(revoke_key))
        .with_state(login_by_key.api_keys())
        .layer(login_manager)
        .layer(CsrfLayer::new());

    // This part accepts only keys. No other site can make a browser send one, so it needs no CSRF
    // protection.
    let may_write = login_required::<Account>().and_scope("write");
    let api = Router::new()
        .route("/me", get(me))
        .route("/orders", post(order).route_layer(may_write))
        .layer(login_by_key);

    pages.nest("/api", api)
}

async fn me(LoginRequired(user): LoginRequired<Account>) -> String {
    format!("{}\n", user.name)
}

async fn order(LoginRequired(user): LoginRequired<Account>) -> (StatusCode, String) {
    (StatusCode::CREATED, format!("ordered by {}\n", user.name))
}

#[derive(Deserialize)]
struct NewKey {
    name: String,
    /// Separated by spaces.
    scopes: String,
}

/// Only right after the login: a key outlives a stolen session. Tell the user by e-mail, too.
async fn create_key(
    FreshLoginRequired(user): FreshLoginRequired<Account>,
    State(keys): State<ApiKeys<Account>>,
    Form(new): Form<NewKey>,
) -> Result<(StatusCode, String), login_manager::Error> {
    // Users choose among the scopes that there are.
    let scopes = new
        .scopes
        .split(' ')
        .filter(|scope| matches!(*scope, "read" | "write"));
    let (key, _) = keys
        .create(&user)
        .name(&*new.name)
        .scopes(scopes)
        .expires_in(90 * DAY)
        .await?;
    Ok((StatusCode::CREATED, format!("{}\n", key.expose())))
}

async fn list_keys(
    LoginRequired(user): LoginRequired<Account>,
    State(keys): State<ApiKeys<Account>>,
) -> Result<String, login_manager::Error> {
    let keys = keys.list(&user.id()).await?;
    let line = |key: &ApiKeyInfo| {
        let scopes: Vec<_> = key.scopes().collect();
        let used = if key.last_used().is_some() {
            "used"
        } else {
            "never used"
        };
        format!(
            "{} {:?} acme_…{} {scopes:?} {used}\n",
            key.id(),
            key.name(),
            key.last4()
        )
    };
    Ok(keys.iter().map(line).collect())
}

#[derive(Deserialize)]
struct Chosen {
    id: ApiKeyId,
}

async fn revoke_key(
    LoginRequired(user): LoginRequired<Account>,
    State(keys): State<ApiKeys<Account>>,
    Form(chosen): Form<Chosen>,
) -> Result<StatusCode, login_manager::Error> {
    Ok(match keys.revoke(&user.id(), chosen.id).await? {
        true => StatusCode::NO_CONTENT,
        false => StatusCode::NOT_FOUND,
    })
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
