//! One app on any store: only one line differs.
//!
//! ```sh
//! cargo run -p stores                                        # in memory
//! STORE=sqlite:sessions.db cargo run -p stores
//! STORE=postgres://postgres@localhost/app cargo run -p stores
//! STORE=mysql://root@localhost/app cargo run -p stores       # MariaDB too
//! STORE=redis://localhost cargo run -p stores                # Valkey too
//! ```
//!
//! Log in, stop the app and start it again: with every store except the first you are still logged
//! in. Start a second app with `PORT=3001` on the same store: a login or logout in one app applies
//! to both.
//!
//! ```sh
//! curl -c jar -X POST http://localhost:3000/login
//! curl -b jar http://localhost:3000/
//! curl -b jar -X POST http://localhost:3000/logout
//! ```

use std::{env, str::FromStr, sync::Arc, time::Duration};

use axum::{
    Router,
    routing::{get, post},
};
use login_manager::{
    Auth, AuthUser, BoxError, CurrentUser, Error, LoginManager, MemoryStore, MySqlStore,
    PostgresStore, RedisStore, SessionStore, SqliteStore,
};
use sqlx::{
    mysql::MySqlPoolOptions,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};
use tokio::{net::TcpListener, signal};
use tower_http::csrf::CsrfLayer;

/// A time limit below the manager's deadline of two seconds for a store call.
const SECOND: Duration = Duration::from_secs(1);

/// Opens the store at a URL. A real application needs only one of these arms.
pub(crate) async fn open(address: &str) -> Result<Arc<dyn SessionStore>, BoxError> {
    let (kind, _) = address.split_once(':').unwrap_or((address, ""));
    Ok(match kind {
        "memory" => Arc::new(MemoryStore::new()),
        "sqlite" => {
            let options = SqliteConnectOptions::from_str(address)?
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .busy_timeout(SECOND);
            let pool = SqlitePoolOptions::new().acquire_timeout(SECOND);
            let store = SqliteStore::new(pool.connect_with(options).await?);
            store.migrate().await?;
            Arc::new(store)
        }
        "postgres" | "postgresql" => {
            let pool = PgPoolOptions::new().acquire_timeout(SECOND);
            let store = PostgresStore::new(pool.connect(address).await?);
            store.migrate().await?;
            Arc::new(store)
        }
        "mysql" | "mariadb" => {
            let pool = MySqlPoolOptions::new().acquire_timeout(SECOND);
            let store = MySqlStore::new(pool.connect(address).await?);
            store.migrate().await?;
            Arc::new(store)
        }
        "redis" => {
            let client = redis::Client::open(address)?;
            let options = redis::aio::ConnectionManagerConfig::new().set_number_of_retries(1);
            let connection = client.get_connection_manager_with_config(options);
            Arc::new(RedisStore::new(connection.await?))
        }
        _ => {
            return Err(format!(
                "STORE begins with memory, sqlite:, postgres:, mysql: or redis:, not {kind:?}"
            )
            .into());
        }
    })
}

/// The whole app. Tests call it too.
pub(crate) fn app(store: Arc<dyn SessionStore>) -> Router {
    // Your database. An async closure works because it captures nothing; with a pool it would be
    // `move |name| { let pool = pool.clone(); async move { … } }`.
    let login_manager =
        LoginManager::new(store, async |name: String| Some(Account { name })).with_realm("visitor");
    login_manager.spawn_cleanup(3600 * SECOND);

    Router::new()
        .route("/", get(home))
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .layer(login_manager)
        .layer(CsrfLayer::new())
}

struct Account {
    name: String,
}

impl AuthUser for Account {
    type Id = String;

    fn id(&self) -> String {
        self.name.clone()
    }
}

async fn home(CurrentUser(user): CurrentUser<Account>) -> String {
    let name = user.as_ref().map_or("stranger", |user| &user.name);
    format!("Hello, {name}!\n")
}

/// Logs every visitor in as alice. The other examples check passwords.
async fn log_in(auth: Auth<Account>) -> Result<(), Error> {
    let name = "alice".to_owned();
    auth.login(Account { name }).await.map(drop)
}

async fn log_out(auth: Auth<Account>) -> Result<(), Error> {
    auth.logout().await
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "output for the terminal")]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt::init();
    let store = open(&env::var("STORE").unwrap_or("memory".to_owned())).await?;
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
    axum::serve(listener, app(store))
        .with_graceful_shutdown(async { signal::ctrl_c().await.unwrap_or_default() })
        .await?;
    Ok(())
}
