//! The time that each store takes for a request, a list and a cleanup, and the size of a session in
//! it.
//!
//! ```sh
//! cargo bench -p login-manager-benches --features stores --bench stores              # SQLite
//! POSTGRES_URL=postgres://postgres@localhost MYSQL_URL=mysql://root@localhost REDIS_URL=redis://localhost \
//!   cargo bench -p login-manager-benches --features stores --bench stores -- --quick # a tenth
//! ```
//!
//! The bench uses its own file, schema, database or key prefix, and drops it at the end. SQLite is
//! in WAL mode with `synchronous` at `FULL`, and the pools of the servers don't test connections
//! first, as the documentation recommends. A store call then takes one round trip
//! (`tests/nodes/round_trips.rs` checks it), except that a page of a list takes two in Redis.
//!
//! The stores of tower-sessions aren't measured: the one for SQL is on another version of sqlx, and
//! two of them can't both link SQLite.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench that fails should panic at once"
)]

mod counted;
mod place;
#[path = "../requests/site.rs"]
#[allow(dead_code, reason = "made for the other bench")]
mod site;
#[path = "../requests/table.rs"]
#[allow(dead_code, reason = "made for the other bench")]
mod table;

use std::{
    future::ready,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    routing::{get, post},
};
use login_manager::{
    Auth, AuthUser, Error, LoginManager, LoginRequired, MemoryStore, SessionStore,
    store::{CreateOutcome, SessionId, SessionRecord},
};
use rand::{TryRng, rngs::SysRng};
use tokio::task::JoinSet;

use crate::{
    counted::Counted,
    place::{Place, open_all},
    site::{Template, cookie_header, serve},
    table::{Table, median, thousands},
};

/// How many sessions one user has, and how many have expired.
const LISTED: usize = 10_000;
const EXPIRED: usize = 100_000;
/// The number of requests of each kind.
const REQUESTS: usize = 300;
/// The number of sessions that are created at the same time.
const FILLERS: usize = 8;
/// The user with many sessions. Another user logs in and out.
const LISTED_USER: i64 = 1;
const USER: i64 = 2;

struct Account(i64);

impl AuthUser for Account {
    type Id = i64;

    fn id(&self) -> i64 {
        self.0
    }
}

#[tokio::main]
async fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let share = if quick { 10 } else { 1 };
    let columns = ["measurement", "µs", "store calls"];
    let heading = "The median times of operations, in each store.";
    let mut times = Table::new(heading, &columns);
    let listed = thousands((LISTED / share) as f64);
    let heading = format!("Bytes per session, at {listed} sessions.");
    let mut sizes = Table::new(&heading, &["measurement", "bytes"]);
    for opened in open_all().await {
        let name = opened.name;
        let place = Arc::new(opened.place);
        let measured = measure(Arc::clone(&place), opened.store, share);
        // This runs on a task of its own, so that the place is removed even if it panics.
        let measured = tokio::spawn(measured).await;
        Arc::into_inner(place).unwrap().remove().await;
        let (rows, bytes) = measured.unwrap();
        for (operation, cost) in rows {
            let (time, calls) = (cost.time.as_nanos() as f64 / 1000.0, cost.calls);
            let name = format!("stores/{operation}/{name}");
            times.row(vec![name, thousands(time), calls.to_string()]);
        }
        sizes.row(vec![format!("stores/size/{name}"), thousands(bytes)]);
    }
    times.print();
    sizes.print();
}

/// The median time of an operation, and the store calls of each.
struct Cost {
    time: Duration,
    calls: usize,
}

/// Measures everything in one store: the operations with their costs, and the bytes per session.
async fn measure(
    place: Arc<Place>,
    store: Arc<dyn SessionStore>,
    share: usize,
) -> (Vec<(&'static str, Cost)>, f64) {
    let template = template().await;
    let empty = place.bytes().await;
    place.hurry(true).await;
    fill(&store, &template, LISTED / share).await;
    place.hurry(false).await;
    let bytes = (place.bytes().await - empty) as f64 / (LISTED / share) as f64;

    let store = Counted::new(store);
    let manager = manager(store.clone());
    let site = site(&manager);
    let mut rows = Vec::from(requests(&site, &store, REQUESTS / share).await);
    rows.push((CROWD, crowd(&site, &store, 10 * REQUESTS / share).await));
    rows.push((
        list_name(share),
        list(&manager, &store, LISTED / share).await,
    ));
    if place.needs_cleanup() {
        let expired = SessionRecord {
            expires: template.created,
            ..template
        };
        place.hurry(true).await;
        fill(&(Arc::new(store.clone()) as _), &expired, EXPIRED / share).await;
        place.hurry(false).await;
        store.take_calls();
        rows.push((
            cleanup_name(share),
            cleanup(&manager, &store, EXPIRED / share).await,
        ));
    }
    (rows, bytes)
}

fn list_name(share: usize) -> &'static str {
    if share == 1 {
        "list of 10,000"
    } else {
        "list of 1,000"
    }
}

fn cleanup_name(share: usize) -> &'static str {
    if share == 1 {
        "cleanup of 100,000"
    } else {
        "cleanup of 10,000"
    }
}

fn manager(store: impl SessionStore) -> LoginManager<Account> {
    LoginManager::new(store, |id| ready(Some(Account(id)))).with_realm("account")
}

fn site(manager: &LoginManager<Account>) -> Router {
    let log_in = |auth: Auth<Account>| async move { login(&auth, USER).await };
    let log_in_listed = |auth: Auth<Account>| async move { login(&auth, LISTED_USER).await };
    Router::new()
        .route(
            "/private",
            get(|LoginRequired(_): LoginRequired<Account>| async {}),
        )
        .route("/login", post(log_in))
        .route("/login/listed", post(log_in_listed))
        .route(
            "/logout",
            post(|auth: Auth<Account>| async move { auth.logout().await }),
        )
        .layer(manager.clone())
        .with_state(())
}

async fn login(auth: &Auth<Account>, user: i64) -> Result<(), Error> {
    auth.login(Account(user)).await.map(drop)
}

/// A record as a login creates it.
async fn template() -> SessionRecord {
    let store = MemoryStore::new();
    let site = site(&manager(store.clone()));
    serve(&site, Template::post("/login/listed", None).request()).await;
    store.records().swap_remove(0)
}

/// Creates copies of a record, several at a time.
async fn fill(store: &Arc<dyn SessionStore>, template: &SessionRecord, count: usize) {
    let mut fillers = JoinSet::new();
    for filler in 0..FILLERS {
        let (store, template) = (Arc::clone(store), template.clone());
        fillers.spawn(async move {
            for _ in (filler..count).step_by(FILLERS) {
                let mut record = template.clone();
                record.id = random_id();
                let outcome = store.create(record).await.unwrap();
                assert_eq!(outcome, CreateOutcome::Done);
            }
        });
    }
    fillers.join_all().await;
}

fn random_id() -> SessionId {
    let mut bytes = [0; 16];
    SysRng.try_fill_bytes(&mut bytes).unwrap();
    SessionId::from_bytes(bytes)
}

/// A browser logs in, requests a guarded page and logs out, repeatedly.
async fn requests(site: &Router, store: &Counted, count: usize) -> [(&'static str, Cost); 3] {
    let [mut logins, mut pages, mut logouts] = [const { Vec::new() }; 3];
    for _ in 0..count {
        let answer = timed(site, store, &Template::post("/login", None), &mut logins).await;
        let cookie = cookie_header(&answer);
        let page = Template::get("/private", cookie.as_deref());
        timed(site, store, &page, &mut pages).await;
        let logout = Template::post("/logout", cookie.as_deref());
        timed(site, store, &logout, &mut logouts).await;
    }
    [
        ("guarded request", typical(pages)),
        ("login", typical(logins)),
        ("logout", typical(logouts)),
    ]
}

const CROWD: &str = "login, 10 at once (p99)";

/// Logs in from ten browsers at once, again and again. The slowest hundredth is what counts, and no
/// login fails.
async fn crowd(site: &Router, store: &Counted, count: usize) -> Cost {
    let mut browsers = JoinSet::new();
    for _ in 0..10 {
        let site = site.clone();
        browsers.spawn(async move {
            let mut times = Vec::new();
            for _ in 0..count / 10 {
                let request = Template::post("/login", None).request();
                let start = Instant::now();
                let (status, _) = serve(&site, request).await;
                times.push(start.elapsed());
                assert!(status.is_success(), "{status}");
            }
            times
        });
    }
    let mut times: Vec<_> = browsers.join_all().await.into_iter().flatten().collect();
    times.sort();
    let calls = store.take_calls() / times.len();
    let time = times[times.len() * 99 / 100];
    Cost { time, calls }
}

async fn timed(
    site: &Router,
    store: &Counted,
    template: &Template,
    costs: &mut Vec<Cost>,
) -> http::HeaderMap {
    let request = template.request();
    let start = Instant::now();
    let (status, headers) = serve(site, request).await;
    let time = start.elapsed();
    assert!(status.is_success(), "{status}");
    costs.push(Cost {
        time,
        calls: store.take_calls(),
    });
    headers
}

fn typical(costs: Vec<Cost>) -> Cost {
    Cost {
        time: median(costs.iter().map(|cost| cost.time).collect()),
        calls: median(costs.iter().map(|cost| cost.calls).collect()),
    }
}

async fn list(manager: &LoginManager<Account>, store: &Counted, count: usize) -> Cost {
    let mut costs = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        let listed = manager.sessions_of(&LISTED_USER).await.unwrap();
        let time = start.elapsed();
        assert_eq!(listed.len(), count);
        costs.push(Cost {
            time,
            calls: store.take_calls(),
        });
    }
    typical(costs)
}

async fn cleanup(manager: &LoginManager<Account>, store: &Counted, count: usize) -> Cost {
    let start = Instant::now();
    let deleted = manager.cleanup().await.unwrap();
    let time = start.elapsed();
    assert_eq!(deleted, count as u64);
    Cost {
        time,
        calls: store.take_calls(),
    }
}
