//! The path that a guard matches, and the path that it stores in `next`.

use axum::{Router, body::Body, response::IntoResponse, routing::get};
use http::{Method, Request, Uri};
use login_manager::{
    Auth, LoginManager, LoginRequired, NextPath, fresh_login_required, guard::login_page,
    login_required, manager::LoginPage,
};

use crate::support::{
    browser::Browser,
    doors::{DOORS, HTML, Runs, with_login_page},
    world::{Account, Accounts, World, account, routes},
};

#[tokio::test]
async fn no_path_spelling_or_header_bypasses_a_guard() {
    let runs = Runs::default();
    let handler = {
        let runs = runs.clone();
        async move || runs.one()
    };
    let guard = login_required::<Account>().except(["/login", "/static/*"]);
    let guarded = |_: &Accounts| Router::new().fallback(handler).layer(guard);
    let mut world = World::with(guarded, with_login_page);
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
        let request = Request::builder()
            .uri(uri)
            .header("accept", HTML)
            .body(Body::empty())
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
async fn exception_matches_the_path_that_the_client_requested() {
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
async fn next_is_the_requested_path_whatever_headers_say() {
    for door in DOORS {
        let (mut world, _) = door.world(with_login_page);
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
            let request = Request::builder()
                .uri(uri)
                .header("accept", HTML)
                .body(Body::empty())
                .unwrap();
            assert_eq!(
                world.browser.deliver(request).await.location(),
                location,
                "{described}"
            );
        }
    }
}

/// The host that the client claims, in every header that can name one.
fn forged(uri: &str, html: bool) -> Request<Body> {
    let mut request = Request::builder().uri(uri);
    for header in [
        "host",
        "x-forwarded-host",
        "x-forwarded-server",
        "x-host",
        "x-original-host",
        "x-http-host-override",
    ] {
        request = request.header(header, "evil.example");
    }
    request = request
        .header("forwarded", "host=evil.example;proto=https")
        .header("origin", "https://evil.example")
        .header("referer", "https://evil.example/");
    request = if html {
        request.header("accept", HTML)
    } else {
        request.header("hx-request", "true")
    };
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn host_header_is_not_used_in_redirects() {
    let app = |accounts: &Accounts| {
        let go = async |next: NextPath| next.redirect_or("/dashboard");
        let fresh = Router::new()
            .route("/fresh", get(|| async {}))
            .route_layer(fresh_login_required::<Account>());
        let stale = async |auth: Auth<Account>| {
            auth.login(account(1, "alice")).fresh(false).await.map(drop)
        };
        let part = Router::new()
            .route("/page", get(|_: LoginRequired<Account>| async {}))
            .layer(login_page::<Account>("/part/login"));
        routes(accounts)
            .route(
                "/go",
                get(async move |next| IntoResponse::into_response(go(next).await.map(Body::from))),
            )
            .route("/stale", get(stale))
            .nest("/part", part)
            .merge(fresh)
    };
    let views = |manager: LoginManager<Account>| {
        manager.with_login_page(LoginPage::new("/login").refresh("/again"))
    };
    let mut world = World::with(app, views);
    let cookie = {
        let mut alice = world.browser.another();
        alice.get("/stale").await;
        alice.cookie_header("/").unwrap()
    };
    for (uri, location) in [
        ("/me", "/login?next=/me&notice=login"),
        ("http://evil.example/me", "/login?next=/me&notice=login"),
        ("/part/page", "/part/login?next=/part/page&notice=login"),
        ("/go", "/dashboard"),
        ("/go?next=/me", "/me"),
        ("/go?next=//evil.example", "/dashboard"),
        ("http://evil.example/go?next=/me", "/me"),
    ] {
        let answer = world.browser.deliver(forged(uri, true)).await;
        assert_eq!(answer.location(), location, "{uri}");
        // A part of a page has no way back, but the same place to log in.
        let part = world.browser.deliver(forged(uri, false)).await;
        if let Some(to) = part.header("hx-redirect") {
            let login = location.split('?').next().unwrap();
            assert_eq!(to, format!("{login}?notice=login"), "{uri}");
        }
    }
    let mut request = forged("/fresh", true);
    request
        .headers_mut()
        .insert("cookie", cookie.parse().unwrap());
    let answer = world.browser.deliver(request).await;
    assert_eq!(answer.location(), "/again?next=/fresh&notice=refresh");
}

/// Sends this request, and returns the address of the redirect to the login page.
async fn sent_to(app: Router, uri: &str) -> String {
    let answer = Browser::new(app).get(uri).await;
    assert_eq!(answer.status, 303, "{uri}");
    answer.location().to_owned()
}

#[tokio::test]
async fn next_has_the_full_path_in_nested_routers() {
    for door in DOORS {
        let (world, runs) = door.world(with_login_page);
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
async fn login_url_stays_below_two_kilobytes() {
    for door in DOORS {
        let (mut world, _) = door.world(with_login_page);
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
async fn login_page_on_another_host_gets_the_path_only() {
    for door in DOORS {
        let (mut world, _) =
            door.world(|manager| manager.with_login_page("https://id.example/in?app=7"));
        let answer = world.browser.get("/me?token=secret").await;
        assert_eq!(
            answer.location(),
            "https://id.example/in?app=7&next=/me&notice=login"
        );
    }
}
