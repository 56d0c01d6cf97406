//! A WebSocket that ends with the login.
//!
//! ```sh
//! cargo run -p websocket
//! ```
//!
//! Open <http://localhost:3000>, log in, watch the clock, and log out in another tab: the
//! connection is closed within a second.
//!
//! A guard only checks the request that opens the connection. So the task that serves it keeps a
//! [`LoginHandle`], and checks before each message whether the login is still valid: not logged out
//! here or elsewhere, not expired, the user active, the password unchanged.
//!
//! Browsers send cookies with WebSockets to this site whichever site opened them, and there is no
//! CORS for them. [`CsrfLayer`] does not look at a GET, so the handler compares the origin.

use std::{env, error::Error, time::Duration};

use axum::extract::ws::CloseFrame;
use axum::{
    Router,
    extract::ws::{Message, WebSocket, WebSocketUpgrade, close_code},
    http::{HeaderMap, StatusCode, header},
    response::{Html, Redirect, Response, Result},
    routing::{any, get, post},
};
use login_manager::{
    Auth, AuthUser, CurrentUser, LoginManager, LoginRequired, MemoryStore, auth::LoginHandle,
};
use tokio::{net::TcpListener, signal, time};
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
    .with_realm("account");

    Router::new()
        .route("/", get(home))
        .route("/clock", any(open_clock))
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .layer(login_manager)
        .layer(CsrfLayer::new())
}

const PAGE: &str = r#"<!doctype html><title>Clock</title>
<p id="clock">closed</p>
<form method="post" action="/logout"><button>Log out</button></form>
<script>
const clock = document.getElementById("clock");
const socket = new WebSocket("/clock");
socket.onmessage = (message) => clock.textContent = message.data;
socket.onclose = (event) => clock.textContent = `closed: ${event.reason}`;
</script>"#;

const LOGIN: &str = r#"<!doctype html><title>Clock</title>
<form method="post" action="/login"><button>Log in</button></form>"#;

async fn home(CurrentUser(user): CurrentUser<Account>) -> Html<&'static str> {
    Html(if user.is_some() { PAGE } else { LOGIN })
}

async fn open_clock(
    _: LoginRequired<Account>,
    auth: Auth<Account>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response> {
    if !is_same_origin(&headers) {
        return Err(StatusCode::FORBIDDEN.into());
    }
    // None for a user whom a request loader found: such a login has no session that could end.
    let login = auth.handle().await?.ok_or(StatusCode::FORBIDDEN)?;
    Ok(upgrade.on_upgrade(|socket| clock(socket, login)))
}

/// Behind a proxy, compare with the public origin from the configuration instead of `Host`.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let value = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = value(header::ORIGIN) else {
        return true; // not a browser
    };
    let origin = origin.split_once("://").map(|(_, host)| host);
    origin.is_some() && origin == value(header::HOST)
}

async fn clock(mut socket: WebSocket, login: LoginHandle<Account>) {
    let mut seconds = time::interval(Duration::from_secs(1));
    for second in 0.. {
        seconds.tick().await;
        // If the store can't tell, send nothing more.
        if !login.still_valid().await.unwrap_or(false) {
            let frame = CloseFrame {
                code: close_code::POLICY,
                reason: "logged out".into(),
            };
            socket.send(Message::Close(Some(frame))).await.ok();
            return;
        }
        let text = format!("{second} seconds");
        if socket.send(Message::text(text)).await.is_err() {
            return;
        }
    }
}

async fn log_in(auth: Auth<Account>) -> Result<Redirect> {
    auth.login(Account { id: 7 }).await?; // check the password first
    Ok(Redirect::to("/"))
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
    axum::serve(listener, app())
        .with_graceful_shutdown(async { signal::ctrl_c().await.unwrap_or_default() })
        .await?;
    Ok(())
}
