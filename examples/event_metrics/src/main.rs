//! Metrics: a counter for each kind of event, in the format of Prometheus.
//!
//! ```sh
//! cargo run -p event_metrics
//! curl -c jar -X POST http://localhost:3000/login
//! curl -b jar http://localhost:3000/private
//! curl http://localhost:3000/private                # 401
//! curl http://localhost:3000/metrics
//! ```
//!
//! The labels are the event's stable names. They contain no user and no session, of which there
//! would be too many for labels. In production, serve `/metrics` on a port of its own.

use std::{env, error::Error, sync::Arc};

use axum::{
    Router,
    http::StatusCode,
    routing::{get, post},
};
use login_manager::{
    Auth, AuthUser, LoginManager, LoginRequired, MemoryStore,
    event::{Event, EventKind},
};
use metrics::counter;
use metrics_exporter_prometheus::PrometheusBuilder;
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
    let recorder = Arc::new(PrometheusBuilder::new().build_recorder());
    let rendered = recorder.handle();
    let login_manager = LoginManager::new(MemoryStore::new(), |id| async move {
        Some(Account { id }) // your database
    })
    .with_realm("account")
    .with_on_event(move |event| {
        // An application with one recorder calls `metrics::set_global_recorder` instead.
        metrics::with_local_recorder(&*recorder, || count(event));
    });

    Router::new()
        .route("/private", get(private))
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .layer(login_manager)
        .layer(CsrfLayer::new())
        .route("/metrics", get(async move || rendered.render()))
}

fn count(event: &Event) {
    let reason = match event.kind() {
        EventKind::Denied(reason) => reason.as_str(),
        EventKind::Ended(reason) | EventKind::ApiKeyRefused(reason) => reason.as_str(),
        EventKind::TokenRefused(reason) => reason.as_str(),
        EventKind::Throttled(lane) => lane.as_str(),
        _ => "",
    };
    let labels = [
        ("realm", event.realm().to_owned()),
        ("event", event.kind().as_str().to_owned()),
        ("reason", reason.to_owned()),
    ];
    counter!("login_manager_events_total", &labels).increment(1);
}

async fn private(LoginRequired(user): LoginRequired<Account>) -> String {
    format!("user {}", user.id)
}

async fn log_in(auth: Auth<Account>) -> Result<StatusCode, login_manager::Error> {
    auth.login(Account { id: 7 }).await?; // check the password first
    Ok(StatusCode::NO_CONTENT)
}

async fn log_out(auth: Auth<Account>) -> Result<StatusCode, login_manager::Error> {
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
    println!(
        "Listening on http://localhost:{}",
        listener.local_addr()?.port()
    );
    axum::serve(listener, app())
        .with_graceful_shutdown(async { signal::ctrl_c().await.unwrap_or_default() })
        .await?;
    Ok(())
}
