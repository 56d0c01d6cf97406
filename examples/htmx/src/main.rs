//! htmx: parts of a page, and what happens when the session ends while the page is open.
//!
//! ```sh
//! cargo run -p htmx
//! ```
//!
//! Open <http://localhost:3000/notes>, log in, add notes, log out in another tab and add one more:
//! htmx goes to the login page, and after the login you are back on the page around the part.
//!
//! ```sh
//! curl -i http://localhost:3000/notes -H 'Accept: text/html'        # 303: a page load
//! curl -i -d text=tea http://localhost:3000/notes -H 'HX-Request: true' \
//!   -H 'HX-Current-URL: http://localhost:3000/notes'                # 401 with HX-Redirect
//! ```
//!
//! A redirect would be followed inside the request, and the login page would land in the middle of
//! the page. So htmx gets 401 with `HX-Redirect`, which makes it load the login page as a whole.
//! This needs nothing but [`with_login_page`](LoginManager::with_login_page).

use std::{env, error::Error};

use axum::{
    Form, Router,
    response::{Html, IntoResponse, Redirect, Result},
    routing::{get, post},
};
use login_manager::{Auth, AuthUser, LoginManager, MemoryStore, NextPath, Session, login_required};
use serde::Deserialize;
use tokio::{net::TcpListener, signal};
use tower_http::csrf::CsrfLayer;

struct Account {
    id: i64,
}

impl AuthUser for Account {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }
}

/// The whole app. Tests call it too.
pub(crate) fn app() -> Router {
    let login_manager = LoginManager::new(MemoryStore::new(), |id| async move {
        Some(Account { id }) // your database
    })
    .with_realm("account")
    .with_login_page("/login");

    Router::new()
        .route("/notes", get(notes).post(add))
        .route_layer(login_required::<Account>())
        .route("/login", get(Html(LOGIN)).post(log_in))
        .route("/logout", post(log_out))
        .layer(login_manager)
        .layer(CsrfLayer::new())
}

const LOGIN: &str = r#"<!doctype html><title>Log in</title>
<form method="post"><button>Log in</button></form>"#;

async fn notes(session: Session) -> Result<Html<String>> {
    let notes: Vec<String> = session.get("notes").await?.unwrap_or_default();
    let list = list(&notes);
    Ok(Html(format!(
        r##"<!doctype html><title>Notes</title>
<script src="https://unpkg.com/htmx.org@2"></script>
<form hx-post="/notes" hx-target="#notes">
  <input name="text" maxlength="100" required><button>Add</button>
</form>
<div id="notes">{list}</div>
<form method="post" action="/logout"><button>Log out</button></form>"##
    )))
}

#[derive(Deserialize)]
struct Note {
    text: String,
}

/// Returns the part of the page that has changed.
async fn add(session: Session, Form(note): Form<Note>) -> Result<Html<String>> {
    let mut notes: Vec<String> = session.get("notes").await?.unwrap_or_default();
    notes.push(note.text.chars().take(100).collect());
    session.insert("notes", &notes).await?;
    Ok(Html(list(&notes)))
}

fn list(notes: &[String]) -> String {
    let escape = |text: &String| text.replace('&', "&amp;").replace('<', "&lt;");
    let items = notes.iter().map(|note| format!("<li>{}", escape(note)));
    format!("<ul>{}</ul>", items.collect::<String>())
}

async fn log_in(auth: Auth<Account>, next: NextPath) -> Result<impl IntoResponse> {
    auth.login(Account { id: 7 }).await?; // check the password first
    Ok(next.redirect_or("/notes"))
}

async fn log_out(auth: Auth<Account>) -> Result<Redirect> {
    auth.logout().await?;
    Ok(Redirect::to("/login"))
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
