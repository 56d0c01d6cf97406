//! A login that withstands guessing: by one client, by a botnet, and in parallel.
//!
//! ```sh
//! cargo run -p throttled_login
//! ```
//!
//! ```sh
//! login() { curl -i -b jar -c jar http://localhost:3000/login --json "{\"username\":\"alice\",\"password\":\"$1\"}"; }
//! for n in 1 2 3 4 5; do login wrong; done                     # 422: five guesses are free
//! login wonderland                                             # 429 with Retry-After: 1
//! sleep 1; login wonderland                                    # 200, and the count is cleared
//! for n in 1 2 3 4 5 6; do curl -o /dev/null -w '%{http_code}\n' http://localhost:3000/login \
//!   --json '{"username":"alice","password":"wrong"}'; done     # strangers have to wait
//! login wonderland                                             # 200: alice's browser is known
//! ```
//!
//! Two limits work together:
//!
//! - tower_governor limits all requests of an address, in the memory of this process, before
//!   anything else happens. It keeps a single client from occupying the server.
//! - The throttle counts guesses in the store, by name and by address, so nodes share the counts
//!   and a botnet gets no more guesses of one password than one client. It counts before the
//!   password is checked, so parallel guesses don't slip through.
//!
//! Both use the address of the connection. Behind a proxy, let both read it from the header that
//! your proxy overwrites.

use std::{collections::HashMap, env, error::Error, future, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{ConnectInfo, State},
    http::StatusCode,
    response::{IntoResponse, Response, Result},
    routing::{get, post},
};
use login_manager::{
    Auth, AuthUser, LoginManager, LoginRequired, MemoryStore, Passwords,
    manager::KnownBrowsers,
    throttle::{Attempt, Throttle},
};
use serde::Deserialize;
use tokio::{net::TcpListener, signal};
use tower_governor::{GovernorLayer, governor::GovernorConfigBuilder};
use tower_http::csrf::CsrfLayer;

#[derive(Clone)]
struct Account {
    name: String,
    password_hash: String,
}

impl AuthUser for Account {
    type Id = String;

    fn id(&self) -> String {
        self.name.clone()
    }
}

#[derive(Clone)]
struct App {
    accounts: Arc<HashMap<String, Account>>, // your database
    passwords: Passwords,
    guesses: Throttle,
}

/// The whole app. Tests call it too.
pub(crate) async fn app() -> Result<Router, Box<dyn Error>> {
    let passwords = Passwords::new();
    let mut accounts = HashMap::new();
    for (name, password) in [("alice", "wonderland"), ("bob", "builder")] {
        let account = Account {
            name: name.to_owned(),
            password_hash: passwords.hash(password).await?,
        };
        accounts.insert(account.name.clone(), account);
    }
    let accounts = Arc::new(accounts);
    let login_manager = LoginManager::new(MemoryStore::new(), {
        let accounts = Arc::clone(&accounts);
        move |name: String| future::ready(accounts.get(&name).cloned())
    })
    .with_realm("account")
    .with_known_browsers(KnownBrowsers::new());

    // 30 requests at once, then one more each second.
    let by_address = GovernorConfigBuilder::default()
        .burst_size(30)
        .per_second(1)
        .finish()
        .ok_or("a limit is zero")?;

    Ok(Router::new()
        .route("/login", post(log_in))
        .route("/me", get(me))
        .layer(login_manager.clone())
        .layer(CsrfLayer::new())
        .layer(GovernorLayer::new(by_address))
        .with_state(App {
            accounts,
            passwords,
            guesses: login_manager.throttle(),
        }))
}

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

async fn log_in(
    State(app): State<App>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    auth: Auth<Account>,
    Json(credentials): Json<Credentials>,
) -> Result<Response> {
    // A name that no user has is counted and checked like any other.
    let account = app.accounts.get(&credentials.username);
    let browser = auth
        .known_browser(account.map(|account| &account.name))
        .await?;
    let guess = app.guesses.attempt(&credentials.username);
    let permit = match guess.from(client.ip()).browser(browser).await? {
        Attempt::Permit(permit) => permit,
        Attempt::Wait(wait) => return Ok(wait.into_response()),
    };
    let stored = account.map(|account| &*account.password_hash);
    let verdict = app.passwords.verify(credentials.password, stored).await?;
    let Some(account) = account.filter(|_| verdict.is_valid()) else {
        let message = "Wrong user name or password\n";
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, message).into_response());
    };
    permit.succeeded().await?;
    auth.login(account.clone()).await?;
    Ok("Welcome\n".into_response())
}

async fn me(LoginRequired(user): LoginRequired<Account>) -> String {
    format!("{}\n", user.name)
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
    // The handler and tower_governor read the address of the connection.
    let app = app()
        .await?
        .into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app)
        .with_graceful_shutdown(async { signal::ctrl_c().await.unwrap_or_default() })
        .await?;
    Ok(())
}
