//! A node of the application: this program, started as a process of its own.

use std::{
    env,
    fmt::Debug,
    fs,
    io::{self, Read as _, Write as _},
    process::{self, ExitCode, Stdio},
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Path, Request},
    response::IntoResponse as _,
    routing::{get, post},
};
use http::StatusCode;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use login_manager::{event::EventKind, testing::TestClock};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpListener,
    process::{Child, ChildStdin, Command},
    runtime,
    time::timeout,
};

use crate::{
    address::{Address, Way},
    app, world,
};

const ADDRESS: &str = "LOGIN_MANAGER_NODE";
const CLOCK: &str = "LOGIN_MANAGER_NODE_CLOCK";
const MAX_SESSIONS: &str = "LOGIN_MANAGER_NODE_MAX_SESSIONS";
const PATIENCE: &str = "LOGIN_MANAGER_NODE_PATIENCE";

/// The settings of one node.
#[derive(Clone, Copy, Default)]
pub struct Settings {
    /// How many seconds its clock is ahead. Only `POST /advance/{seconds}` moves it.
    pub clock: Option<i64>,
    pub max_sessions: Option<usize>,
    /// The deadline for store calls in seconds, instead of the default.
    pub patience: Option<u64>,
}

/// A running node. It is killed when this is dropped.
pub struct Node {
    child: Child,
    port: u16,
    // It ends when this is closed: also when the trials are killed.
    _lifeline: ChildStdin,
}

impl Node {
    pub async fn start(address: &Address, settings: Settings) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.env(ADDRESS, address.to_string());
        let settings = [
            (CLOCK, settings.clock.map(|clock| clock.to_string())),
            (
                MAX_SESSIONS,
                settings.max_sessions.map(|max| max.to_string()),
            ),
            (
                PATIENCE,
                settings.patience.map(|patience| patience.to_string()),
            ),
        ];
        for (name, value) in settings {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = timeout(Duration::from_secs(30), said.next_line()).await;
        let port = port.expect("it starts").unwrap().expect("it says its port");
        Self {
            port: port.parse().unwrap(),
            _lifeline: child.stdin.take().unwrap(),
            child,
        }
    }

    /// The memory that it occupies, in bytes, or `None` where the system doesn't tell.
    pub fn memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kilobytes * 1024)
    }

    /// With no time to do anything about it.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// All nodes behind one name: `/1/me` is `/me` of the second one.
pub fn balancer<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> Router {
    let ports: Arc<[u16]> = nodes.into_iter().map(|node| node.port).collect();
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    Router::new().fallback(move |mut request: Request| async move {
        let uri = request.uri().to_string();
        let (node, path) = uri.trim_start_matches('/').split_once('/').unwrap();
        let port = ports[node.parse::<usize>().unwrap()];
        *request.uri_mut() = format!("http://127.0.0.1:{port}/{path}").parse().unwrap();
        match client.request(request).await {
            Ok(answer) => answer.map(Body::new),
            Err(_) => StatusCode::BAD_GATEWAY.into_response(),
        }
    })
}

/// Serves as a node if this process was started as one.
pub fn serve_if_asked() -> Option<ExitCode> {
    let address = env::var(ADDRESS).ok()?.parse().unwrap();
    thread::spawn(|| {
        let _closed = io::stdin().read(&mut [0]);
        process::exit(0);
    });
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(serve(address));
    Some(ExitCode::SUCCESS)
}

async fn serve(address: Address) {
    world::count_panics();
    let alarms = Arc::new(AtomicUsize::new(0));
    let heard = Arc::clone(&alarms);
    let patience = setting(PATIENCE).map(Duration::from_secs);
    let way = patience.map_or_else(Way::default, |patience| Way {
        patience,
        ..Way::default()
    });
    let mut manager = app::manager(address.open(&way).store()).with_on_event(move |event| {
        if event.kind() == EventKind::RememberTheft {
            heard.fetch_add(1, SeqCst);
        }
    });
    let clock = TestClock::new();
    if let Some(patience) = patience {
        manager = manager.with_deadline(2 * patience);
    }
    if let Some(ahead) = setting::<i64>(CLOCK) {
        let by = Duration::from_secs(ahead.unsigned_abs());
        if ahead < 0 {
            clock.turn_back(by);
        } else {
            clock.advance(by);
        }
        manager = manager.with_clock(&clock);
    }
    if let Some(limit) = setting(MAX_SESSIONS) {
        manager = manager.with_max_sessions(limit);
    }
    let advance = |Path(seconds)| async move { clock.advance(Duration::from_secs(seconds)) };
    let routes = app::routes()
        .route(
            "/alarms",
            get(|| async move { alarms.load(SeqCst).to_string() }),
        )
        .route("/panics", get(|| async { world::panics().to_string() }))
        .route("/advance/{seconds}", post(advance));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    io::stdout()
        .write_all(format!("{port}\n").as_bytes())
        .unwrap();
    axum::serve(listener, routes.layer(manager)).await.unwrap();
}

fn setting<T: FromStr<Err: Debug>>(name: &str) -> Option<T> {
    Some(env::var(name).ok()?.parse().unwrap())
}
