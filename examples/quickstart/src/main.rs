//! The smallest app with a login: two users, all data in memory.
//!
//! ```sh
//! cargo run -p quickstart
//! ```
//!
//! Open <http://localhost:3000> and log in as `alice` with the password `wonderland`, or use
//! another terminal:
//!
//! ```sh
//! curl -i http://localhost:3000/dashboard                                  # 401: not a page load
//! curl -i http://localhost:3000/dashboard -H 'Accept: text/html'           # 303: as browsers send it
//! curl -c jar -d 'username=alice&password=wonderland' 'http://localhost:3000/login?next=/dashboard' -i
//! curl -b jar http://localhost:3000/dashboard                              # Hello, alice!
//! curl -b jar -X POST http://localhost:3000/logout -i
//! curl -b jar -i http://localhost:3000/dashboard                           # 401: logged out
//! ```
//!
//! The session cookie is `Secure`. Chrome, Firefox and curl (since 7.79) also accept it on
//! `http://localhost`; Safari does not (WebKit bug 281149). In Safari, or at a LAN address, use
//! https or call `with_cookies(Cookies::new().insecure())` during development. If the
//! login succeeds, but the next page requires a login again, the browser has rejected the cookie.
//! `PORT=8080` changes the port.

use std::{collections::HashMap, env, error::Error, future, sync::Arc};

use axum::{
    Form, Router,
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response, Result},
    routing::{get, post},
};
use login_manager::{
    Auth, AuthUser, CurrentUser, LoginManager, LoginRequired, MemoryStore, NextPath, Passwords,
    password::PasswordError,
};
use serde::Deserialize;
use tokio::{net::TcpListener, signal};
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
    accounts: Arc<HashMap<String, Account>>,
    passwords: Passwords,
}

/// The whole app. Tests call it too.
pub(crate) async fn app() -> Result<Router, Box<dyn Error>> {
    let passwords = Passwords::new();
    let accounts = Arc::new(accounts(&passwords).await?);
    let login_manager = LoginManager::new(MemoryStore::new(), {
        let accounts = Arc::clone(&accounts);
        move |name: String| future::ready(accounts.get(&name).cloned()) // your database
    })
    .with_realm("user") // the default is the type's path, so moving the type would log all users out
    .with_login_page("/login");

    Ok(Router::new()
        .route("/", get(home))
        .route("/dashboard", get(dashboard))
        .route("/login", get(login_form).post(log_in))
        .route("/logout", post(log_out))
        .layer(login_manager)
        .layer(CsrfLayer::new()) // rejects forms sent from other sites
        .with_state(App {
            accounts,
            passwords,
        }))
}

async fn accounts(passwords: &Passwords) -> Result<HashMap<String, Account>, PasswordError> {
    let mut accounts = HashMap::new();
    for (name, password) in [("alice", "wonderland"), ("bob", "builder")] {
        let account = Account {
            name: name.to_owned(),
            password_hash: passwords.hash(password).await?,
        };
        accounts.insert(account.name.clone(), account);
    }
    Ok(accounts)
}

async fn home(CurrentUser(user): CurrentUser<Account>) -> Html<String> {
    let name = user.as_ref().map_or("stranger", |user| &user.name);
    Html(format!(
        r#"<p>Hello, {name}! <a href="/dashboard">Dashboard</a></p>"#
    ))
}

async fn dashboard(LoginRequired(user): LoginRequired<Account>) -> Html<String> {
    let name = &user.name;
    Html(format!(
        r#"<p>Hello, {name}!</p><form method="post" action="/logout"><button>Log out</button></form>"#
    ))
}

/// Without an `action` the form is sent to the URL of the page, including `?next=`.
const LOGIN_FORM: &str = r#"<form method="post">
  <label>User name <input name="username" autocomplete="username" required></label>
  <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <button>Log in</button>
</form>"#;

async fn login_form() -> Html<&'static str> {
    Html(LOGIN_FORM)
}

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

async fn log_in(
    State(app): State<App>,
    auth: Auth<Account>,
    next: NextPath,
    Form(form): Form<Credentials>,
) -> Result<Response> {
    let account = app.accounts.get(&form.username);
    let stored = account.map(|account| &*account.password_hash);
    let verdict = app.passwords.verify(form.password, stored).await?;
    let Some(account) = account.filter(|_| verdict.is_valid()) else {
        let page = Html(format!("<p>Wrong user name or password.</p>{LOGIN_FORM}"));
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    };
    auth.login(account.clone()).await?;
    Ok(next.redirect_or("/dashboard").into_response())
}

async fn log_out(auth: Auth<Account>) -> Result<Redirect> {
    auth.logout().await?;
    Ok(Redirect::to("/"))
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
    axum::serve(listener, app().await?)
        .with_graceful_shutdown(async { signal::ctrl_c().await.unwrap_or_default() })
        .await?;
    Ok(())
}
