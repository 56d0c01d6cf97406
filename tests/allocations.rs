//! What a request costs, counted: user loads and allocations, compared with the same router without the layer.
//!
//! The limits are what is measured. If one is exceeded, find out what grew before raising it. Three of the
//! allocations are axum's and http's: `Router::layer` boxes a service and a future for each request, and the
//! extensions grow with the fourth entry. A guard layer adds three more of the first kind.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails shall say so at once"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    routing::{get, post},
};
use http::{HeaderValue, Request, header};
use login_manager::{Auth, AuthUser, LoginManager, LoginRequired, MemoryStore, login_required};
use tower::{Service, ServiceExt};

/// Counts the allocations of each thread. A reallocation is one.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

#[allow(unsafe_code, reason = "a global allocator can't be written without")]
// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: as above.
        unsafe { System.realloc(block, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A user that costs nothing to load, so that only what the crate allocates is counted.
struct Account;

impl AuthUser for Account {
    type Id = i64;

    fn id(&self) -> i64 {
        7
    }
}

fn manager(loads: &Arc<AtomicUsize>) -> LoginManager<Account> {
    let loads = Arc::clone(loads);
    LoginManager::new(MemoryStore::new(), move |_id| {
        loads.fetch_add(1, Ordering::SeqCst);
        async { Some(Account) }
    })
}

fn routes() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

fn request(uri: &str, cookie: Option<&str>) -> Request<Body> {
    let mut request = Request::get(uri)
        .header("accept", "text/html")
        .body(Body::empty())
        .unwrap();
    if let Some(cookie) = cookie {
        let cookie: HeaderValue = cookie.parse().unwrap();
        // As a server's headers are: they share one buffer, so a clone allocates nothing.
        request.headers_mut().insert(header::COOKIE, cookie.clone());
    }
    request
}

/// The allocations of one request in the middle of many, in a router as `axum::serve` makes it ready to serve.
async fn allocations(app: Router, uri: &str, cookie: Option<&str>, body: &str) -> usize {
    let mut app = app.with_state(());
    let mut counts = Vec::new();
    for _ in 0..20 {
        let request = request(uri, cookie);
        let service = ServiceExt::<Request<Body>>::ready(&mut app).await.unwrap();
        let before = COUNT.with(Cell::get);
        let response = service.call(request).await.unwrap();
        counts.push(COUNT.with(Cell::get) - before);
        assert_eq!(response.status(), 200);
        assert_eq!(
            axum::body::to_bytes(response.into_body(), 1024)
                .await
                .unwrap(),
            body
        );
    }
    *counts.iter().min().unwrap()
}

async fn log_in(app: &Router) -> String {
    let request = Request::post("/login").body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn login(auth: Auth<Account>) -> Result<(), login_manager::Error> {
    auth.login(Account).await.map(drop)
}

#[tokio::test]
async fn request_that_does_not_ask_allocates_5_times_more() {
    let loads = Arc::default();
    let bare = allocations(routes(), "/", None, "hello").await;
    let layered = routes().route("/login", post(login)).layer(manager(&loads));
    let cookie = log_in(&layered).await;
    let anonymous = allocations(layered.clone(), "/", None, "hello").await - bare;
    let logged_in = allocations(layered.clone(), "/", Some(&cookie), "hello").await - bare;
    println!("beside a bare router's {bare}: anonymous {anonymous}, logged in {logged_in}");
    assert!(anonymous <= 5, "{anonymous}");
    assert!(logged_in <= 5, "{logged_in}");
    assert_eq!(loads.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn guarded_request_allocates_at_most_13_times_more() {
    let loads = Arc::default();
    let bare = allocations(routes(), "/", None, "hello").await;
    let extractor = Router::new().route(
        "/",
        get(|LoginRequired(_): LoginRequired<Account>| async { "hello" }),
    );
    let guarded = routes().route_layer(login_required::<Account>());
    let both = extractor.clone().route_layer(login_required::<Account>());
    for (name, guarded, limit) in [
        ("extractor", extractor, 9),
        ("layer", guarded, 13),
        ("both", both, 13),
    ] {
        let app = guarded.route("/login", post(login)).layer(manager(&loads));
        let cookie = log_in(&app).await;
        let before = loads.load(Ordering::SeqCst);
        let more = allocations(app, "/", Some(&cookie), "hello").await - bare;
        println!("beside a bare router's {bare}: {name} {more}");
        assert!(more <= limit, "{name}: {more}");
        assert_eq!(
            loads.load(Ordering::SeqCst) - before,
            20,
            "one load for each of 20 requests"
        );
    }
}
