//! What a request costs, counted: user loads and allocations, compared with the same router without
//! the layer.
//!
//! The limits are what is measured. If one is exceeded, find out what grew before raising it. Three
//! of the allocations are axum's and http's: `Router::layer` boxes a service and a future for each
//! request, and the extensions grow with the fourth entry. A guard layer adds three more of the
//! first kind.
//!
//! Between them, the tests count the cases of `benches/requests`. Their store calls are counted in
//! `app/store/calls.rs` and `nodes/round_trips.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails shall say so at once"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    ops::Range,
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
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
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

/// The guarded page with the extractor and with the layer.
fn guarded() -> [(&'static str, Router); 2] {
    let extractor = Router::new().route(
        "/",
        get(|LoginRequired(_): LoginRequired<Account>| async { "hello" }),
    );
    let layer = routes().route_layer(login_required::<Account>());
    [("extractor", extractor), ("layer", layer)]
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

/// The allocations of one request in the middle of many, in a router as `axum::serve` makes it
/// ready to serve.
async fn allocations(app: Router, uri: &str, cookie: Option<&str>, body: &str) -> usize {
    let mut app = app.with_state(());
    let mut counts = Vec::new();
    for _ in 0..20 {
        let (count, response) = count(&mut app, request(uri, cookie)).await;
        counts.push(count);
        assert_eq!(response.status(), 200);
        assert_eq!(text(response).await, body);
    }
    *counts.iter().min().unwrap()
}

/// The allocations of one request that is refused.
async fn refused(app: Router, cookie: Option<&str>) -> usize {
    let mut app = app.with_state(());
    let mut counts = Vec::new();
    for _ in 0..20 {
        let (count, response) = count(&mut app, request("/", cookie)).await;
        counts.push(count);
        assert_eq!(response.status(), 401);
    }
    *counts.iter().min().unwrap()
}

/// The allocations of a login, and of the logout that follows.
async fn login_and_logout(app: Router) -> (usize, usize) {
    let mut app = app.with_state(());
    let (mut logins, mut logouts) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let mut login = request("/login", None);
        *login.method_mut() = Method::POST;
        let (login, response) = count(&mut app, login).await;
        assert_eq!(response.status(), 200);
        let cookie = response.headers().get(header::SET_COOKIE).map(cookie);
        let mut logout = request("/logout", cookie.as_deref());
        *logout.method_mut() = Method::POST;
        let (logout, response) = count(&mut app, logout).await;
        assert_eq!(response.status(), 200);
        logins.push(login);
        logouts.push(logout);
    }
    (
        *logins.iter().min().unwrap(),
        *logouts.iter().min().unwrap(),
    )
}

async fn count(app: &mut Router, request: Request<Body>) -> (usize, Response<Body>) {
    let service = ServiceExt::<Request<Body>>::ready(app).await.unwrap();
    let before = COUNT.with(Cell::get);
    let response = service.call(request).await.unwrap();
    (COUNT.with(Cell::get) - before, response)
}

async fn text(response: Response<Body>) -> String {
    let body = axum::body::to_bytes(response.into_body(), 1024).await;
    String::from_utf8(body.unwrap().into()).unwrap()
}

async fn log_in(app: &Router) -> String {
    let request = Request::post("/login").body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    cookie(&response.headers()[header::SET_COOKIE])
}

/// What a browser sends back of a `Set-Cookie` header.
fn cookie(set_cookie: &HeaderValue) -> String {
    let cookie = set_cookie.to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn logout(auth: Auth<Account>) -> Result<(), login_manager::Error> {
    auth.logout().await
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
    let [(_, extractor), (_, layer)] = guarded();
    let both = extractor.clone().route_layer(login_required::<Account>());
    for (name, guarded, limit) in [
        ("extractor", extractor, 9),
        ("layer", layer, 13),
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

#[tokio::test]
async fn methods_of_a_session_allocate_nothing() {
    let by_two = async |auth: Auth<Account>| {
        let login = auth.login(Account).by("password").by("totp");
        login.await.map(drop)
    };
    let mut counts = Vec::new();
    for login in [post(login), post(by_two)] {
        let guarded = routes().route_layer(login_required::<Account>());
        let app = guarded
            .route("/login", login)
            .layer(manager(&Arc::default()));
        let cookie = log_in(&app).await;
        counts.push(allocations(app, "/", Some(&cookie), "hello").await);
    }
    println!("without and with methods: {counts:?}");
    assert_eq!(counts[0], counts[1]);
}

#[tokio::test]
async fn other_cookies_allocate_nothing() {
    let others = |numbers: Range<u8>| numbers.map(|n| format!("other{n}={}", "x".repeat(110)));
    for (name, app) in guarded() {
        let app = app
            .route("/login", post(login))
            .layer(manager(&Arc::default()));
        let ours = log_in(&app).await;
        let cookies = others(0..6).chain([ours.clone()]).chain(others(6..12));
        let among = cookies.collect::<Vec<_>>().join("; ");
        let alone = allocations(app.clone(), "/", Some(&ours), "hello").await;
        let among = allocations(app, "/", Some(&among), "hello").await;
        println!("{name}: alone {alone}, among others {among}");
        assert_eq!(among, alone, "{name}");
    }
}

#[tokio::test]
async fn refusal_allocates_at_most_9_times_more() {
    let denied = Router::new().route("/", get(|| async { StatusCode::UNAUTHORIZED }));
    let bare = refused(denied, None).await;
    let limits = [[6, 6, 7], [8, 8, 9]];
    for ((name, app), limits) in guarded().into_iter().zip(limits) {
        let site = || {
            let app = app.clone().route("/login", post(login));
            app.layer(manager(&Arc::default()))
        };
        let elsewhere = log_in(&site()).await;
        let garbage = format!("{}=garbage", elsewhere.split('=').next().unwrap());
        let cookies = [None, Some(&*garbage), Some(&*elsewhere)];
        for (cookie, limit) in cookies.into_iter().zip(limits) {
            let more = refused(site(), cookie).await - bare;
            println!("beside a bare router's {bare}: {name} {more} with {cookie:?}");
            assert!(more <= limit, "{name}: {more} with {cookie:?}");
        }
    }
}

#[tokio::test]
async fn login_allocates_21_times_more_and_logout_14() {
    let routes = Router::new()
        .route("/login", post(|| async {}))
        .route("/logout", post(|| async {}));
    let bare = login_and_logout(routes).await;
    let app = Router::new()
        .route("/login", post(login))
        .route("/logout", post(logout))
        .layer(manager(&Arc::default()));
    let ours = login_and_logout(app).await;
    let (login, logout) = (ours.0 - bare.0, ours.1 - bare.1);
    println!("beside a bare router's {bare:?}: login {login}, logout {logout}");
    assert!(login <= 21, "{login}");
    assert!(logout <= 14, "{logout}");
}
