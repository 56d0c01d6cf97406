//! A front end that calls this JSON API from another origin of the same site: here from another
//! port of `localhost`, in production from `app.example.com` to `api.example.com`, for example.
//!
//! ```sh
//! cargo run -p single_page_app
//! ```
//!
//! Open <http://localhost:3000> and log in as `alice` with the password `wonderland`. The API is at
//! another port, which the program prints.
//!
//! The session cookie keeps `SameSite=Lax`: browsers ignore subdomain and port when they compare
//! sites. The front end calls `fetch` with `credentials: 'include'`, and the API names the front
//! end's origin twice:
//!
//! - for `CorsLayer`, so that the front end may read the responses. It is the outermost layer: it
//!   responds to preflight requests, which have no cookies, and lets the front end also read the
//!   rejections of the other layers.
//! - for `CsrfLayer`, so that the front end may send POST requests. All other origins are rejected,
//!   even those of the same site, whose requests have the cookie.
//!
//! The cookie belongs to the API's host, and scripts cannot read it. The front end calls `GET /me`
//! to find out who is logged in.
//!
//! # A front end at another site
//!
//! If the two are at different *sites* (`example.com` and `example.net`), scripts of the front end
//! send no `Lax` cookie. With `Cookies::new().same_site(SameSite::None)` it becomes a third-party
//! cookie, which many browsers block. With `.partitioned()`, browsers that support it keep one such
//! cookie for each site from which the API is used. It is simpler and safer to let a reverse proxy
//! serve the API below the front end's own origin: then neither CORS nor a trusted origin is
//! needed.

use std::{env, error::Error};

use axum::{
    Json, Router,
    http::{HeaderValue, Method, StatusCode, header::CONTENT_TYPE},
    response::{Html, Result},
    routing::{get, post},
};
use login_manager::{Auth, AuthUser, LoginManager, LoginRequired, MemoryStore};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpListener, signal};
use tower_http::{cors::CorsLayer, csrf::CsrfLayer};

struct Account {
    name: String,
}

impl AuthUser for Account {
    type Id = String;

    fn id(&self) -> String {
        self.name.clone()
    }
}

/// The whole API, for a front end at this origin. Tests call it too.
pub(crate) fn app(front_end: &str) -> Result<Router, Box<dyn Error>> {
    let login_manager = LoginManager::new(MemoryStore::new(), |name| async move {
        Some(Account { name }) // your database
    })
    .with_realm("account")
    // Without a login page, the status is 401 or 403. The reason is added as JSON.
    .with_unauthorized(async |denied| {
        let (head, _) = denied.default_response().into_parts();
        let body = Json(json!({ "error": denied.reason() }));
        (head.status, head.headers, body)
    });

    let cors = CorsLayer::new()
        .allow_origin(front_end.parse::<HeaderValue>()?)
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([CONTENT_TYPE]);

    Ok(Router::new()
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .route("/me", get(me))
        .layer(login_manager)
        .layer(CsrfLayer::new().add_trusted_origin(front_end)?)
        .layer(cors))
}

/// The front end, for an API at this origin.
pub(crate) fn front_end(api: &str) -> Router {
    let page = include_str!("index.html").replace("{api}", api);
    Router::new().route("/", get(async || Html(page)))
}

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

/// Check the password with `Passwords`; see the quickstart.
async fn log_in(auth: Auth<Account>, Json(form): Json<Credentials>) -> Result<Json<Value>> {
    if (&*form.username, &*form.password) != ("alice", "wonderland") {
        let body = Json(json!({ "error": "wrong_credentials" }));
        return Err((StatusCode::UNPROCESSABLE_ENTITY, body).into());
    }
    let name = form.username;
    auth.login(Account { name: name.clone() }).await?;
    Ok(Json(json!({ "name": name })))
}

async fn me(LoginRequired(user): LoginRequired<Account>) -> Json<Value> {
    Json(json!({ "name": user.name }))
}

async fn log_out(auth: Auth<Account>) -> Result<StatusCode> {
    auth.logout().await?;
    Ok(StatusCode::NO_CONTENT)
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
    let site = format!("http://localhost:{}", listener.local_addr()?.port());
    let api_listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let api = format!("http://localhost:{}", api_listener.local_addr()?.port());

    println!("Listening on {site}, with the API on {api}");
    let app = axum::serve(api_listener, app(&site)?);
    let front_end = axum::serve(listener, front_end(&api));
    tokio::select! {
        ended = app => ended?,
        ended = front_end => ended?,
        _ = signal::ctrl_c() => {}
    }
    Ok(())
}
