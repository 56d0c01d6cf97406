//! Your own cookies next to those of the login manager: `CookieManagerLayer` keeps a theme.
//!
//! ```sh
//! cargo run -p with_tower_cookies
//! ```
//!
//! ```sh
//! curl -i -c jar -X POST http://localhost:3000/login       # sets the session cookie
//! curl -i -b jar -c jar -X POST http://localhost:3000/dark # sets the theme
//! curl -b jar http://localhost:3000                        # alice, in dark
//! ```
//!
//! The order of the two layers does not matter: neither reads the other's cookies, and each adds
//! its own to the response.

use std::{env, error::Error};

use axum::{
    Router,
    routing::{get, post},
};
use login_manager::{Auth, AuthUser, CurrentUser, LoginManager, MemoryStore};
use tokio::{net::TcpListener, signal};
use tower_cookies::{
    Cookie, CookieManagerLayer, Cookies,
    cookie::{SameSite, time::Duration},
};
use tower_http::csrf::CsrfLayer;

const THEME: &str = "theme";

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
    .with_realm("reader");

    Router::new()
        .route("/", get(home))
        .route("/login", post(log_in))
        .route("/dark", post(dark))
        .layer(login_manager)
        .layer(CookieManagerLayer::new())
        .layer(CsrfLayer::new())
}

async fn home(CurrentUser(user): CurrentUser<Account>, cookies: Cookies) -> String {
    let name = user.map_or("stranger".to_owned(), |user| user.name.clone());
    let theme = cookies
        .get(THEME)
        .map_or("light".to_owned(), |cookie| cookie.value().to_owned());
    format!("Hello, {name}, in {theme}!\n")
}

/// Check the credentials here; see the quickstart.
async fn log_in(auth: Auth<Account>) -> Result<&'static str, login_manager::Error> {
    let name = "alice".to_owned();
    auth.login(Account { name }).await?;
    Ok("Logged in.\n")
}

/// A preference is not a secret, so a plain cookie that the visitor can change is enough.
async fn dark(cookies: Cookies) -> &'static str {
    let theme = Cookie::build((THEME, "dark"))
        .path("/")
        .same_site(SameSite::Lax)
        .max_age(Duration::days(365));
    cookies.add(theme.build());
    "The theme is now dark.\n"
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
