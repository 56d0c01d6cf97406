//! Two kinds of users in one application and one store: customers and staff.
//!
//! ```sh
//! cargo run -p two_realms
//! ```
//!
//! ```sh
//! curl -c jar -X POST http://localhost:3000/login               # customer 1
//! curl -b jar -c jar -X POST http://localhost:3000/staff/login  # also member of staff 1
//! curl -b jar http://localhost:3000                             # customer 1
//! curl -b jar http://localhost:3000/staff                       # member of staff 1
//! curl -b jar -c jar -X POST http://localhost:3000/staff/logout
//! curl -b jar http://localhost:3000                             # still customer 1
//! curl -i -b jar http://localhost:3000/staff                    # 401
//! ```

use std::{env, error::Error};

use axum::{
    Router,
    routing::{get, post},
};
use login_manager::{
    Auth, AuthUser, LoginManager, LoginRequired, MemoryStore, login_required, manager::Timeouts,
};
use tokio::{net::TcpListener, signal};
use tower_http::csrf::CsrfLayer;

struct Customer {
    id: u32,
}

impl AuthUser for Customer {
    type Id = u32;

    fn id(&self) -> u32 {
        self.id
    }
}

struct Staff {
    id: u32,
}

impl AuthUser for Staff {
    type Id = u32;

    fn id(&self) -> u32 {
        self.id
    }
}

/// The whole app. Tests call it too.
///
/// Each manager is a realm with its own cookies, sessions and limits. A handler chooses the realm
/// by the user type. Staff have shorter sessions, and every page below `/staff` except its login
/// requires a staff login.
pub(crate) fn app() -> Router {
    let store = MemoryStore::new();
    let customers = LoginManager::new(store.clone(), |id| async move { Some(Customer { id }) })
        .with_realm("customer")
        .with_login_page("/login");
    let staff = LoginManager::new(store, |id| async move { Some(Staff { id }) })
        .with_realm("staff")
        .with_login_page("/staff/login")
        .with_timeouts(Timeouts::aal2());

    let back_office = Router::new()
        .route("/", get(desk))
        .route("/login", post(staff_log_in))
        .route("/logout", post(staff_log_out))
        .layer(login_required::<Staff>().except(["/staff/login"]));

    Router::new()
        .route("/", get(shop))
        .route("/login", post(customer_log_in))
        .nest("/staff", back_office)
        .layer(customers)
        .layer(staff)
        .layer(CsrfLayer::new())
}

async fn shop(LoginRequired(customer): LoginRequired<Customer>) -> String {
    format!("Hello, customer {}.\n", customer.id)
}

async fn desk(LoginRequired(member): LoginRequired<Staff>) -> String {
    format!("Hello, member of staff {}.\n", member.id)
}

/// Check the credentials here and below; see the quickstart.
async fn customer_log_in(auth: Auth<Customer>) -> Result<(), login_manager::Error> {
    auth.login(Customer { id: 1 }).await.map(drop)
}

async fn staff_log_in(auth: Auth<Staff>) -> Result<(), login_manager::Error> {
    auth.login(Staff { id: 1 }).await.map(drop)
}

async fn staff_log_out(auth: Auth<Staff>) -> Result<(), login_manager::Error> {
    auth.logout().await
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
