//! Who is let in, and what the others get: through the extractor and through the layer alike.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{
    Router,
    handler::Handler,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use http::{HeaderMap, Method, StatusCode, Uri, header, request::Parts};
use login_manager::{
    Auth, Authorize, BoxError, CurrentUser, Denied, LoginManager, LoginRequired, NextPath, Notice,
    Reason, Session, Why, guard::LoginRequiredLayer, login_required,
};
use tracing::Level;

use crate::{
    browser::{Answer, Browser},
    faulty_store::Fault,
    log::Log,
    world::{Account, Accounts, World, routes},
};

/// How often a guarded handler ran.
#[derive(Clone, Default)]
struct Runs(Arc<AtomicUsize>);

impl Runs {
    fn take(&self) -> usize {
        self.0.swap(0, SeqCst)
    }

    fn one(&self) -> &'static str {
        self.0.fetch_add(1, SeqCst);
        "secret"
    }
}

/// The two doors: every address of an application behind one of them.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Door {
    Extractor,
    Layer,
}

const DOORS: [Door; 2] = [Door::Extractor, Door::Layer];

impl Door {
    fn router(self, runs: &Runs) -> Router {
        let runs = runs.clone();
        match self {
            Self::Extractor => {
                let handler = async move |_: LoginRequired<Account>| runs.one();
                Router::new()
                    .route("/me", any(handler.clone()))
                    .fallback(handler)
            }
            Self::Layer => {
                let handler = async move || runs.one();
                let open = Router::new()
                    .route("/me", any(handler.clone()))
                    .fallback(handler);
                open.layer(login_required::<Account>())
            }
        }
    }

    /// An application that has nothing but this door, and a way to log in beside it.
    fn world(
        self,
        configure: impl FnOnce(LoginManager<Account>) -> LoginManager<Account>,
    ) -> (World, Runs) {
        let runs = Runs::default();
        let world = World::with(
            |accounts| {
                Router::new()
                    .nest("/open", routes(accounts))
                    .merge(self.router(&runs))
            },
            configure,
        );
        (world, runs)
    }
}

fn with_view(manager: LoginManager<Account>) -> LoginManager<Account> {
    manager.with_login_view("/login").unwrap()
}

/// A guarded page with whatever else the layer is told.
fn guarded(layer: LoginRequiredLayer<Account>, runs: &Runs) -> impl FnOnce(&Accounts) -> Router {
    let runs = runs.clone();
    move |accounts| {
        let handler = async move || runs.one();
        Router::new()
            .route("/me", any(handler))
            .layer(layer)
            .merge(routes_beside(accounts))
    }
}

fn routes_beside(accounts: &Accounts) -> Router {
    Router::new().nest("/open", routes(accounts))
}

const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

#[tokio::test]
async fn g5_both_doors_give_the_answer_that_the_request_asks_for() {
    let page_load: &[&[(&str, &str)]] = &[
        &[("accept", HTML)],
        &[("accept", HTML), ("sec-fetch-mode", "navigate")],
        &[
            ("accept", HTML),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ],
    ];
    let script: &[&[(&str, &str)]] = &[
        &[],
        &[("accept", "*/*")],
        &[("accept", "application/json")],
        &[("accept", "application/json, text/plain, */*")],
        &[("accept", HTML), ("x-requested-with", "XMLHttpRequest")],
        &[("accept", HTML), ("sec-fetch-mode", "cors")],
        &[("accept", HTML), ("sec-fetch-mode", "no-cors")],
        &[("accept", HTML), ("sec-fetch-mode", "same-origin")],
        &[("accept", HTML), ("sec-fetch-mode", "websocket")],
    ];
    let htmx: &[&[(&str, &str)]] = &[
        &[("accept", "*/*"), ("hx-request", "true")],
        &[("accept", HTML), ("hx-request", "true")],
        &[
            ("accept", "*/*"),
            ("hx-request", "true"),
            ("sec-fetch-mode", "cors"),
        ],
    ];
    let methods = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND",
    ];
    for view in [true, false] {
        for method in methods.map(|method| Method::from_bytes(method.as_bytes()).unwrap()) {
            let kinds = [("page", page_load), ("script", script), ("htmx", htmx)];
            for (kind, headers) in kinds
                .iter()
                .flat_map(|(kind, all)| all.iter().map(|headers| (*kind, *headers)))
            {
                let described = format!("{method} {view} {headers:?}");
                let mut answers = Vec::new();
                for door in DOORS {
                    let (mut world, runs) =
                        door.world(|manager| if view { with_view(manager) } else { manager });
                    world.browser.headers = headers
                        .iter()
                        .map(|(name, value)| {
                            (
                                name.parse::<header::HeaderName>().unwrap(),
                                value.parse().unwrap(),
                            )
                        })
                        .collect::<HeaderMap>();
                    let answer = world.browser.send(method.clone(), "/me?tab=2").await;
                    assert_eq!(runs.take(), 0, "{described}");
                    assert_eq!(world.store.take_calls(), [], "{described}");
                    assert_eq!(answer.set_cookies(), [""; 0], "{described}");
                    assert_eq!(answer.body, "", "{described}");
                    answers.push(answer);
                }
                let [extractor, layer] = &answers[..] else {
                    panic!()
                };
                assert_eq!(
                    (extractor.status, &extractor.headers),
                    (layer.status, &layer.headers),
                    "{described}"
                );

                let repeatable = [Method::GET, Method::HEAD].contains(&method);
                let to_login = match (kind, repeatable) {
                    ("page", true) => "/login?next=/me%3Ftab%3D2&notice=login",
                    _ => "/login?notice=login",
                };
                let (location, hx) = (layer.header("location"), layer.header("hx-redirect"));
                if kind == "page" && view {
                    assert_eq!(
                        (layer.status.as_u16(), location, hx),
                        (303, Some(to_login), None),
                        "{described}"
                    );
                } else {
                    let expected = (kind == "htmx" && view).then_some(to_login);
                    assert_eq!(
                        (layer.status.as_u16(), location, hx),
                        (401, None, expected),
                        "{described}"
                    );
                    assert!(layer.header("www-authenticate").is_some(), "{described}");
                }
            }
        }
    }
}

#[tokio::test]
async fn p44_a_guarded_handler_runs_once_and_for_every_method() {
    for door in DOORS {
        let (mut world, runs) = door.world(with_view);
        world.browser.post("/open/login/alice").await;
        for method in [Method::GET, Method::POST, Method::DELETE, Method::OPTIONS] {
            let answer = world.browser.send(method, "/me").await;
            assert_eq!(
                (answer.status.as_u16(), &*answer.body, runs.take()),
                (200, "secret", 1),
                "{door:?}"
            );
        }
        let answer = world.browser.send(Method::HEAD, "/me").await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.body, runs.take()),
            (200, "", 1),
            "{door:?}"
        );
    }
}

#[tokio::test]
async fn g8_the_user_is_loaded_once_per_request_and_only_where_it_is_asked() {
    let many = async |_: CurrentUser<Account>,
                      _: LoginRequired<Account>,
                      auth: Auth<Account>,
                      _: Option<LoginRequired<Account>>| {
        auth.user().await.map(|user| user.unwrap().name.clone())
    };
    let twice = |accounts: &Accounts| {
        let guard = login_required::<Account>();
        routes(accounts).merge(
            Router::new()
                .route("/many", get(many))
                .layer(guard.clone())
                .layer(guard),
        )
    };
    let mut world = World::with(twice, |manager| manager);
    world.browser.post("/login/alice").await;
    world.store.take_calls();
    let loads = world.accounts.loads();
    assert_eq!(world.browser.get("/many").await.body, "alice");
    assert_eq!(
        (world.accounts.loads(), world.store.take_calls().len()),
        (loads + 1, 1)
    );
    world.browser.get("/").await;
    assert_eq!(
        (world.accounts.loads(), world.store.take_calls().len()),
        (loads + 1, 0)
    );
}

#[tokio::test]
async fn p21_two_tasks_of_one_request_load_the_user_once() {
    let both = async |auth: Auth<Account>| {
        let (one, other) = (auth.clone(), auth);
        let (one, other) = tokio::join!(
            tokio::spawn(async move { one.user().await }),
            tokio::spawn(async move { other.user().await })
        );
        let (one, other) = (one.unwrap()?.unwrap(), other.unwrap()?.unwrap());
        Ok::<_, login_manager::Error>(Arc::ptr_eq(&one, &other).to_string())
    };
    let mut world = World::with(
        |accounts| routes(accounts).route("/both", get(both)),
        |manager| manager,
    );
    world.browser.post("/login/alice").await;
    let loads = world.accounts.loads();
    assert_eq!(world.browser.get("/both").await.body, "true");
    assert_eq!(world.accounts.loads(), loads + 1);
}

#[tokio::test]
async fn g3_a_failure_is_never_taken_for_nobody() {
    let optional = async |user: Option<LoginRequired<Account>>| {
        user.map_or("nobody".to_owned(), |user| user.0.name.clone())
    };
    for door in DOORS {
        let (world, runs) = door.world(with_view);
        let app = door
            .router(&runs)
            .merge(routes_beside(&world.accounts))
            .route("/optional", get(optional));
        let mut browser = Browser::new(app.layer(world.manager.clone()));
        assert_eq!(browser.get("/optional").await.body, "nobody");
        browser.post("/open/login/alice").await;
        assert_eq!(browser.get("/optional").await.body, "alice");
        type Break = fn(&World);
        let breaks: [Break; 3] = [
            |world| world.accounts.fail(true),
            |world| world.store.fail_all(Fault::Fails),
            |world| world.store.fail_all(Fault::Panics),
        ];
        for (index, breaks) in breaks.into_iter().enumerate() {
            breaks(&world);
            for page in ["/me", "/optional", "/open/who", "/open/me", "/open/why"] {
                let answer = browser.get(page).await;
                let status = if index == 2 { 500..=503 } else { 503..=503 };
                assert!(
                    status.contains(&answer.status.as_u16()),
                    "{page} {index} {}",
                    answer.status
                );
                assert_eq!((&*answer.body, runs.take()), ("", 0), "{page}");
                assert_eq!(answer.set_cookies(), [""; 0], "an outage logs nobody out");
            }
            // Who has no cookie doesn't notice, nor does a page that doesn't ask.
            assert_eq!(browser.another().get("/open/who").await.body, "nobody");
            assert_eq!(browser.get("/open").await.body, "public");
            world.accounts.fail(false);
            world.store.heal();
        }
        assert_eq!(browser.get("/me").await.body, "secret");
    }
}

#[tokio::test]
async fn g4_no_spelling_and_no_header_gets_past_a_guard() {
    let runs = Runs::default();
    let handler = {
        let runs = runs.clone();
        async move || runs.one()
    };
    let guard = login_required::<Account>().except(["/login", "/static/*"]);
    let guarded = |_: &Accounts| Router::new().fallback(handler).layer(guard);
    let mut world = World::with(guarded, with_view);
    for path in [
        "/login",
        "/login?next=/me",
        "/static/app.css",
        "/static/a/b/c.js?v=2",
    ] {
        assert_eq!(world.browser.get(path).await.body, "secret", "{path}");
        assert_eq!(runs.take(), 1);
    }
    for path in [
        "//login",
        "/login/",
        "/./login",
        "/%6Cogin",
        "/log%69n",
        "/login;x",
        "/login;/../me",
        "/LOGIN",
        "/Login",
        "/login%00",
        "/login%2f",
        "/login/../me",
        "/x/../login",
        "/login.html",
        "/loginx",
        "/login\\",
        "/static",
        "/static/../me",
        "/static/./../me",
        "/static/%2e%2e/me",
        "/static/%2E%2E/me",
        "/static/.%2e/me",
        "/static/..%2fme",
        "/static/..%2Fme",
        "/static%2f..%2fme",
        "/static/%2e%2e%2fme",
        "/static/%252e%252e/me",
        "/static/..%252fme",
        "/static/..;/me",
        "/static/..\\me",
        "/static/..%5cme",
        "/static//../me",
        "//static/a",
        "/STATIC/a",
        "/static;x/a",
        "/%73tatic/a",
        "/me",
        "/",
        "/new",
        "/me?/static/",
        "/me;/static/a",
        "/login%3Fnext",
        "http://app.example/me",
        "http://login/me",
        "http://static/static",
    ] {
        let Ok(uri) = path.parse::<Uri>() else {
            continue;
        };
        let request = http::Request::builder()
            .uri(uri)
            .header("accept", HTML)
            .body(axum::body::Body::empty())
            .unwrap();
        let answer = world.browser.deliver(request).await;
        assert_eq!((answer.status.as_u16(), runs.take()), (303, 0), "{path}");
    }
    for header in [
        "x-original-url",
        "x-rewrite-url",
        "x-middleware-subrequest",
        "x-http-method-override",
        "x-forwarded-uri",
        "x-forwarded-path",
        "x-forwarded-prefix",
        "x-override-url",
        "x-user",
        "x-authenticated-user",
        "remote-user",
        "authorization",
    ] {
        for value in [
            "/login",
            "/static/a",
            "middleware",
            "1",
            "alice",
            "OPTIONS",
            "Bearer alice",
        ] {
            let mut request = world.browser.request(Method::GET, "/me");
            request.headers_mut().insert(header, value.parse().unwrap());
            assert_eq!(
                world.browser.deliver(request).await.status,
                303,
                "{header}: {value}"
            );
            assert_eq!(runs.take(), 0);
        }
    }
}

#[tokio::test]
async fn g4_an_exception_is_for_the_address_that_the_client_asked_for() {
    let runs = Runs::default();
    let handler = {
        let runs = runs.clone();
        async move || runs.one()
    };
    let guard = login_required::<Account>().except(["/app/free"]);
    let inner = Router::new()
        .route("/free", get(handler.clone()))
        .route("/app/free", get(handler))
        .layer(guard);
    let mut world = World::with(|_| Router::new().nest("/app", inner), |manager| manager);
    assert_eq!(world.browser.get("/app/free").await.status, 200);
    assert_eq!(world.browser.get("/app/app/free").await.status, 401);
    assert_eq!(runs.take(), 1);
}

#[tokio::test]
async fn g6_the_way_back_is_the_path_that_was_asked_for_and_nothing_that_a_client_claims() {
    for door in DOORS {
        let (mut world, _) = door.world(with_view);
        for header in [
            "referer",
            "host",
            "origin",
            "x-forwarded-host",
            "x-forwarded-for",
            "x-original-url",
            "x-forwarded-prefix",
            "forwarded",
        ] {
            let mut request = world.browser.request(Method::GET, "/me?tab=2");
            request
                .headers_mut()
                .insert(header, "https://evil.example/x".parse().unwrap());
            let answer = world.browser.deliver(request).await;
            assert_eq!(
                answer.location(),
                "/login?next=/me%3Ftab%3D2&notice=login",
                "{header}"
            );
        }
        for (uri, location) in [
            (
                "http://evil.example/me?tab=2",
                "/login?next=/me%3Ftab%3D2&notice=login",
            ),
            (
                "https://me:pw@evil.example:1/me",
                "/login?next=/me&notice=login",
            ),
            ("//evil.example/me", "/login?notice=login"),
            (
                "/me?next=/other&nextish=1",
                "/login?next=/me%3Fnext%3D/other%26nextish%3D1&notice=login",
            ),
        ] {
            let uri: Uri = uri.parse().unwrap();
            let described = format!("{door:?} {uri}");
            let request = http::Request::builder()
                .uri(uri)
                .header("accept", HTML)
                .body(axum::body::Body::empty())
                .unwrap();
            assert_eq!(
                world.browser.deliver(request).await.location(),
                location,
                "{described}"
            );
        }
    }
}

/// Sends this request to the login page and answers where to.
async fn sent_to(app: Router, uri: &str) -> String {
    let answer = Browser::new(app).get(uri).await;
    assert_eq!(answer.status, 303, "{uri}");
    answer.location().to_owned()
}

#[tokio::test]
async fn p28_the_way_back_is_whole_wherever_the_manager_is() {
    for door in DOORS {
        let (world, runs) = door.world(with_view);
        let (manager, inner) = (world.manager.clone(), door.router(&runs));
        let nested: [Router; 6] = [
            Router::new()
                .nest("/app", inner.clone())
                .layer(manager.clone()),
            Router::new().nest("/app", inner.clone().layer(manager.clone())),
            Router::new()
                .nest(
                    "/app",
                    Router::new().merge(inner.clone().layer(manager.clone())),
                )
                .layer(manager.clone()),
            Router::new().nest_service("/app", inner.clone().layer(manager.clone())),
            Router::new()
                .nest_service("/app", inner.clone())
                .layer(manager.clone()),
            Router::new().nest_service("/{tenant}", inner.clone().layer(manager.clone())),
        ];
        for (index, app) in nested.into_iter().enumerate() {
            let location = sent_to(app, "/app/me?tab=2").await;
            assert_eq!(
                location, "/login?next=/app/me%3Ftab%3D2&notice=login",
                "{door:?} {index}"
            );
        }
        let deep = Router::new().nest("/b", inner.clone().layer(manager.clone()));
        let location = sent_to(Router::new().nest("/a", deep), "/a/b/me").await;
        assert_eq!(location, "/login?next=/a/b/me&notice=login", "{door:?}");
    }
}

#[tokio::test]
async fn the_address_of_the_login_page_stays_below_two_kilobytes() {
    for door in DOORS {
        let (mut world, _) = door.world(with_view);
        for (length, comes_back) in [(10, true), (500, true), (3000, false), (60_000, false)] {
            let answer = world
                .browser
                .get(&format!("/me?x={}", "y".repeat(length)))
                .await;
            assert_eq!(answer.status, 303);
            assert!(answer.location().len() < 2048, "{length}");
            assert_eq!(answer.location().contains("next="), comes_back, "{length}");
            assert!(answer.location().contains("notice=login"), "{length}");
        }
        let answer = world
            .browser
            .get(&format!("/me?x={}", "%22".repeat(600)))
            .await;
        assert!(answer.location().len() < 2048);
    }
}

#[tokio::test]
async fn a_login_view_on_another_host_learns_the_path_only() {
    for door in DOORS {
        let (mut world, _) = door.world(|manager| {
            manager
                .with_login_view("https://id.example/in?app=7")
                .unwrap()
        });
        let answer = world.browser.get("/me?token=secret").await;
        assert_eq!(
            answer.location(),
            "https://id.example/in?app=7&next=/me&notice=login"
        );
    }
}

#[tokio::test]
async fn a_guard_can_have_its_own_login_view() {
    let runs = Runs::default();
    let layer = login_required::<Account>()
        .with_login_view("/staff/login")
        .unwrap();
    let mut world = World::with(guarded(layer, &runs), with_view);
    assert_eq!(
        world.browser.get("/me").await.location(),
        "/staff/login?next=/me&notice=login"
    );
    assert_eq!(
        world.browser.get("/open/me").await.location(),
        "/login?next=/open/me&notice=login"
    );
    for bad in [
        "",
        "login",
        "//evil.example",
        "javascript:alert(1)",
        "/a\r\nb",
    ] {
        let error = login_required::<Account>()
            .with_login_view(bad)
            .unwrap_err()
            .to_string();
        assert!(error.contains(&format!("{bad:?}")), "{error}");
    }
}

#[tokio::test]
async fn p31_who_may_not_gets_403_and_who_is_not_logged_in_is_sent_to_log_in() {
    let runs = Runs::default();
    let layer = login_required::<Account>()
        .and(|account| account.admin)
        .and(|account| account.name != "bob");
    let mut world = World::with(guarded(layer, &runs), with_view);
    assert_eq!(world.browser.get("/me").await.status, 303);
    world.accounts.change(2, |bob| bob.admin = true);
    for name in ["alice", "bob"] {
        world.browser.post(&format!("/open/login/{name}")).await;
        for method in [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS] {
            let answer = world.browser.send(method, "/me").await;
            assert_eq!(
                (answer.status.as_u16(), &*answer.body, runs.take()),
                (403, "", 0),
                "{name}"
            );
            assert_eq!(answer.header("location"), None);
            assert_eq!(answer.set_cookies(), [""; 0]);
        }
        assert_eq!(
            world.browser.get("/open/who").await.body,
            name,
            "still logged in"
        );
    }
    world.accounts.change(1, |alice| alice.admin = true);
    world.browser.post("/open/login/alice").await;
    assert_eq!(
        (world.browser.get("/me").await.body, runs.take()),
        ("secret".into(), 1)
    );
}

/// Answers by the query of the request; as a trait of its own.
struct ByQuery(Arc<AtomicUsize>);

#[async_trait::async_trait]
impl Authorize<Account> for ByQuery {
    async fn authorize(&self, user: &Arc<Account>, head: &Parts) -> Result<bool, BoxError> {
        self.0.fetch_add(1, SeqCst);
        assert_eq!(user.name, "alice");
        answer(head.uri.query().unwrap_or_default().to_owned()).await
    }
}

async fn answer(query: String) -> Result<bool, BoxError> {
    match &*query {
        "yes" => Ok(true),
        "no" => Ok(false),
        "slow" => std::future::pending().await,
        "panic" => panic!("the check panics"),
        _ => Err("the permissions are down".into()),
    }
}

#[tokio::test(start_paused = true)]
async fn p15_a_check_that_fails_or_is_slow_is_503_and_never_403() {
    let asked = Arc::new(AtomicUsize::new(0));
    let by_trait = login_required::<Account>().and_authorize(ByQuery(Arc::clone(&asked)));
    let by_closure = login_required::<Account>().and_authorize(|_: Arc<Account>, head: &Parts| {
        answer(head.uri.query().unwrap_or_default().to_owned())
    });
    let after_predicate = login_required::<Account>()
        .and(|_| true)
        .and_authorize(|_: Arc<Account>, _: &Parts| async { true });
    let both = after_predicate.and_authorize(ByQuery(Arc::clone(&asked)));
    for layer in [by_trait, by_closure, both] {
        let runs = Runs::default();
        let deadline = Duration::from_millis(50);
        let mut world = World::with(guarded(layer, &runs), |manager| {
            with_view(manager).with_deadline(deadline)
        });
        asked.store(0, SeqCst);
        assert_eq!(world.browser.get("/me?yes").await.status, 303);
        assert_eq!(asked.load(SeqCst), 0, "nobody is logged in: nothing to ask");
        world.browser.post("/open/login/alice").await;
        for (query, status, runs_expected) in [
            ("yes", 200, 1),
            ("no", 403, 0),
            ("slow", 503, 0),
            ("down", 503, 0),
            ("panic", 500, 0),
        ] {
            let start = tokio::time::Instant::now();
            let answer = world.browser.get(&format!("/me?{query}")).await;
            assert_eq!(
                (answer.status.as_u16(), runs.take()),
                (status, runs_expected),
                "{query}"
            );
            assert!(start.elapsed() <= 2 * deadline, "{query}");
            assert_eq!(
                answer.header("retry-after"),
                (status == 503).then_some("1"),
                "{query}"
            );
            assert_eq!(answer.set_cookies(), [""; 0], "{query}");
        }
        assert_eq!(world.browser.get("/open/who").await.body, "alice");
    }
}

#[tokio::test]
async fn the_database_is_not_asked_about_who_is_refused_without_it() {
    let asked = Arc::new(AtomicUsize::new(0));
    let runs = Runs::default();
    let layer = login_required::<Account>()
        .and_authorize(ByQuery(Arc::clone(&asked)))
        .and(|account| account.admin);
    let mut world = World::with(guarded(layer, &runs), with_view);
    world.browser.post("/open/login/alice").await;
    assert_eq!(world.browser.get("/me?down").await.status, 403);
    assert_eq!(asked.load(SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn n2_a_store_that_hangs_is_a_503_at_the_deadline() {
    for door in DOORS {
        let (mut world, runs) = door.world(with_view);
        world.browser.post("/open/login/alice").await;
        world.store.fail_all(Fault::Hangs);
        let start = tokio::time::Instant::now();
        let answer = world.browser.get("/me").await;
        assert_eq!((answer.status.as_u16(), runs.take()), (503, 0), "{door:?}");
        let waited = start.elapsed();
        assert!(
            (Duration::from_secs(2)..Duration::from_millis(2100)).contains(&waited),
            "{waited:?}"
        );
        world.store.heal();
        assert_eq!(world.browser.get("/me").await.body, "secret");
    }
}

#[tokio::test]
async fn an_answer_of_the_applications_own_replaces_all_of_ours_at_both_doors() {
    let unauthorized = |denied: &Denied<'_>| {
        let reason = match denied.reason() {
            Reason::LoginRequired(why) => format!("{why:?}"),
            _ => "Forbidden".into(),
        };
        let said = format!(
            "{} {} {reason} {:?} {:?} {}",
            denied.method(),
            denied.uri(),
            denied.next().as_str(),
            denied.login_url(),
            denied.headers().contains_key("accept"),
        );
        let mut response = http::Response::new(said.into_bytes());
        *response.status_mut() = StatusCode::IM_A_TEAPOT;
        response
            .headers_mut()
            .insert("x-mine", "yes".parse().unwrap());
        response
    };
    for door in DOORS {
        let (mut world, runs) =
            door.world(|manager| with_view(manager).with_unauthorized(unauthorized));
        for (method, uri, body) in [
            (
                Method::GET,
                "/me?a=b",
                r#"GET /me?a=b NoCookie Some("/me?a=b") Some("/login?next=/me%3Fa%3Db&notice=login") true"#,
            ),
            (
                Method::POST,
                "/me?a=b",
                r#"POST /me?a=b NoCookie None Some("/login?notice=login") true"#,
            ),
        ] {
            let answer = world.browser.send(method, uri).await;
            assert_eq!(
                (answer.status.as_u16(), &*answer.body),
                (418, body),
                "{door:?}"
            );
            assert_eq!(answer.header("x-mine"), Some("yes"));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(runs.take(), 0);
        }
        // A failure is not a refusal.
        world.browser.post("/open/login/alice").await;
        world.accounts.fail(true);
        assert_eq!(world.browser.get("/me").await.status, 503);
    }
    let runs = Runs::default();
    let layer = login_required::<Account>().and(|account| account.admin);
    let mut world = World::with(guarded(layer, &runs), |manager| {
        manager.with_unauthorized(unauthorized)
    });
    world.browser.post("/open/login/alice").await;
    assert_eq!(
        world.browser.get("/me").await.body,
        r#"GET /me Forbidden Some("/me") None true"#
    );
}

#[tokio::test]
async fn a_login_view_that_is_guarded_itself_is_no_loop_and_is_told() {
    for door in DOORS {
        let log = Log::listen();
        let (mut world, runs) = door.world(with_view);
        let answer = world.browser.get("/me").await;
        assert_eq!(log.at(Level::ERROR), [""; 0]);
        let answer = world.browser.get(&answer.location().to_owned()).await;
        assert_eq!(
            (
                answer.status.as_u16(),
                answer.header("location"),
                runs.take()
            ),
            (401, None, 0),
            "{door:?}"
        );
        let [error] = &log.at(Level::ERROR)[..] else {
            panic!("{:?}", log.lines())
        };
        assert!(
            error.contains("/login") && error.contains("except"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn p40_a_layer_that_was_forgotten_is_a_500_that_says_what_to_write() {
    let app = Router::new()
        .route("/required", get(|_: LoginRequired<Account>| async { "in" }))
        .route(
            "/optional",
            get(|_: Option<LoginRequired<Account>>| async { "in" }),
        )
        .route("/current", get(|_: CurrentUser<Account>| async { "in" }))
        .route("/auth", get(|_: Auth<Account>| async { "in" }))
        .route(
            "/layer",
            get((|| async { "in" }).layer(login_required::<Account>())),
        );
    for path in ["/required", "/optional", "/current", "/auth", "/layer"] {
        let log = Log::listen();
        let answer = Browser::new(app.clone()).get(path).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (500, ""), "{path}");
        let [error] = &log.at(Level::ERROR)[..] else {
            panic!("{path}: {:?}", log.lines())
        };
        assert!(
            error.contains("LoginManager<app::world::Account>"),
            "{error}"
        );
        assert!(error.contains(".layer("), "{error}");
    }
    let session = Router::new().route("/session", get(|_: Session| async { "in" }));
    let log = Log::listen();
    let answer = Browser::new(session).get("/session").await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (500, ""));
    let [error] = &log.at(Level::ERROR)[..] else {
        panic!("{:?}", log.lines())
    };
    assert!(
        error.contains("LoginManager") && error.contains(".layer("),
        "{error}"
    );
    assert!(
        !error.contains("LoginManager<login_manager::"),
        "a session is no user type: {error}"
    );
}

#[tokio::test]
async fn p40_a_guard_outside_the_manager_is_a_500_that_says_so() {
    let log = Log::listen();
    let world = World::new();
    let app = routes(&world.accounts)
        .layer(world.manager.clone())
        .layer(login_required::<Account>());
    let answer = Browser::new(app).get("/me").await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (500, ""));
    assert!(log.at(Level::ERROR)[0].contains("LoginManager<app::world::Account>"));
}

#[tokio::test]
async fn p40_a_manager_that_was_added_twice_just_works() {
    let world = World::new();
    let (routes, manager) = (routes(&world.accounts), world.manager.clone());
    let apps = [
        routes.clone().layer(manager.clone()).layer(manager.clone()),
        Router::new()
            .merge(routes.clone().layer(manager.clone()))
            .layer(manager.clone()),
        routes
            .clone()
            .route_layer(login_required::<Account>().except(["/login/alice"]))
            .layer(manager.clone())
            .layer(manager),
    ];
    for app in apps {
        let mut browser = Browser::new(app);
        assert_eq!(browser.post("/login/alice").await.set_cookies().len(), 1);
        assert_eq!(browser.get("/me").await.body, "alice");
        browser.post("/put/cart/apples").await;
        let answer = browser.get("/get/cart").await;
        assert_eq!(answer.body, "apples");
        assert_eq!(answer.headers.get_all("vary").iter().count(), 1);
        assert_eq!(browser.post("/logout").await.set_cookies().len(), 1);
        assert_eq!(browser.get("/me").await.status, 303);
    }
    assert!(world.store.inner.is_empty());
}

#[tokio::test]
async fn outer_middleware_sees_the_login_that_the_handler_did() {
    let seen = async |auth: Auth<Account>,
                      request: axum::extract::Request,
                      next: axum::middleware::Next| {
        let mut response = next.run(request).await;
        let user = auth.user().await.unwrap();
        let name = user.map_or("nobody".to_owned(), |user| user.name.clone());
        response
            .headers_mut()
            .insert("x-user", name.parse().unwrap());
        response
    };
    let mut world = World::with(
        |accounts| routes(accounts).layer(axum::middleware::from_fn(seen)),
        |manager| manager,
    );
    for (uri, user) in [
        ("/login/alice", "alice"),
        ("/login/bob", "bob"),
        ("/logout", "nobody"),
    ] {
        assert_eq!(
            world.browser.post(uri).await.header("x-user"),
            Some(user),
            "{uri}"
        );
    }
}

/// A login page with the form that a template would make, and what the form is sent to.
fn login_page(accounts: &Accounts) -> Router {
    let page = async |next: NextPath, notice: Option<Notice>| {
        let notice = notice.map(|notice| notice.to_string()).unwrap_or_default();
        format!("{notice}|{}", next.or("-"))
    };
    let accounts = accounts.clone();
    let submit = async move |auth: Auth<Account>,
                             next: NextPath|
                -> Result<Response, login_manager::Error> {
        auth.login(accounts.by_name("alice").unwrap()).await?;
        Ok(next.redirect_or("/dashboard").into_response())
    };
    Router::new().route("/login", get(page).post(submit))
}

#[tokio::test]
async fn p34_the_login_page_knows_where_the_visitor_came_from_and_leads_back_there() {
    for door in DOORS {
        let runs = Runs::default();
        let app = |accounts: &Accounts| {
            let private = Router::new().nest("/app", door.router(&runs));
            private.merge(login_page(accounts))
        };
        let mut world = World::with(app, with_view);
        let refused = world.browser.get("/app/me?tab=2&x=%26y").await;
        assert_eq!(world.browser.cookie_names(), [""; 0]);
        assert!(
            world.store.inner.is_empty(),
            "a refusal leaves nothing behind"
        );
        let login = refused.location().to_owned();
        assert_eq!(
            world.browser.get(&login).await.body,
            "Please log in to access this page.|/app/me?tab=2&x=%26y"
        );
        let answer = world.browser.post(&login).await;
        assert_eq!(
            (answer.status.as_u16(), answer.location()),
            (303, "/app/me?tab=2&x=%26y")
        );
        let there: Answer = world.browser.get(&answer.location().to_owned()).await;
        assert_eq!((&*there.body, runs.take()), ("secret", 1), "{door:?}");
    }
}

#[tokio::test]
async fn p29_whatever_stands_in_the_link_login_leads_to_a_path_of_this_site() {
    let mut world = World::with(login_page, with_view);
    for (query, location) in [
        ("", "/dashboard"),
        ("?", "/dashboard"),
        ("?nextish=/evil", "/dashboard"),
        ("?xnext=/evil", "/dashboard"),
        ("?next", "/dashboard"),
        ("?next=", "/dashboard"),
        ("?next=/me", "/me"),
        ("?next=%2Fme%3Ftab%3D2", "/me?tab=2"),
        ("?next=https://evil.example", "/dashboard"),
        ("?next=//evil.example", "/dashboard"),
        ("?next=%2F%2Fevil.example", "/dashboard"),
        ("?next=/%5Cevil.example", "/dashboard"),
        ("?next=/%09/evil.example", "/dashboard"),
        ("?next=%0d%0aSet-Cookie:a=b", "/dashboard"),
        ("?next=javascript:alert(1)", "/dashboard"),
        ("?next=me", "/dashboard"),
        ("?next=@evil.example", "/dashboard"),
        ("?next=/me&next=/other", "/dashboard"),
        ("?next=/me&next=//evil.example", "/dashboard"),
        ("?next=//evil.example&next=/me", "/dashboard"),
    ] {
        let answer = world.browser.post(&format!("/login{query}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.location()),
            (303, location),
            "{query}"
        );
    }
    let page = world
        .browser
        .get("/login?notice=%3Cscript%3E&next=//evil.example")
        .await;
    assert_eq!(page.body, "|-", "neither is taken from the link as it is");
}

#[tokio::test]
async fn a_refusal_says_why_in_its_reason() {
    let reasons = |denied: &Denied<'_>| {
        assert_ne!(denied.reason(), Reason::LoginRequired(Why::LoggedOut));
        http::Response::new(format!("{:?}", denied.reason()).into_bytes())
    };
    for door in DOORS {
        let (mut world, _) = door.world(|manager| manager.with_unauthorized(reasons));
        world.browser.post("/open/login/alice").await;
        let old = world.token();
        world.browser.post("/open/logout").await;
        for (cookie, why) in [
            ("", "NoCookie"),
            ("garbage", "MalformedCookie"),
            (&*old, "UnknownSession"),
        ] {
            if !cookie.is_empty() {
                world.browser.plant(crate::world::SESSION, cookie);
            }
            assert_eq!(
                world.browser.get("/me").await.body,
                format!("LoginRequired({why})"),
                "{door:?}"
            );
        }
        world.browser.post("/open/do/put").await;
        assert_eq!(
            world.browser.get("/me").await.body,
            "LoginRequired(NotLoggedIn)"
        );
    }
}
