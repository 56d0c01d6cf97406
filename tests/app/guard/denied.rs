//! The response to a denied request in each configuration, and the errors for a wrong order of
//! layers.

use axum::body::Bytes;
use axum::{Router, body::Body, handler::Handler, response::Html, routing::get};
use http::{Method, StatusCode};
use http_body_util::{BodyExt, Full};
use login_manager::{
    Auth, CurrentUser, FreshLoginRequired, LoginRequired, Session, auth::AnonymousReason,
    guard::Denied, guard::DeniedReason, guard::login_page, login_required,
};
use tracing::Level;

use crate::support::{
    browser::{Answer, Browser},
    doors::{DOORS, Runs, guarded, with_login_page},
    log::{Log, panic_message},
    world::{Account, SESSION, World, routes},
};

#[tokio::test]
async fn guard_can_have_its_own_login_page() {
    let runs = Runs::default();
    let layer = login_required::<Account>().with_login_page("/staff/login");
    let mut world = World::with(guarded(layer, &runs), with_login_page);
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
        let error = panic_message(|| login_required::<Account>().with_login_page(bad));
        assert!(error.contains(&format!("{bad:?}")), "{error}");
    }
}

#[tokio::test]
async fn custom_denied_response_replaces_ours_in_both_guards() {
    let unauthorized = async |denied: Denied| {
        let reason = match denied.reason() {
            DeniedReason::LoginRequired(why) => format!("{why:?}"),
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
        let mut response = http::Response::new(said);
        *response.status_mut() = StatusCode::IM_A_TEAPOT;
        response
            .headers_mut()
            .insert("x-mine", "yes".parse().unwrap());
        response
    };
    for door in DOORS {
        let (mut world, runs) =
            door.world(|manager| with_login_page(manager).with_unauthorized(unauthorized));
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
async fn guarded_login_page_causes_no_loop_and_is_logged() {
    for door in DOORS {
        let log = Log::listen();
        let (mut world, runs) = door.world(with_login_page);
        let answer = world.browser.get("/me").await;
        assert_eq!(log.at(Level::ERROR), [""; 0]);
        let answer = world.browser.get(answer.location()).await;
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

/// Debug builds say in the response what to add, release builds say nothing.
fn assert_hint(answer: &Answer, hint: &str) {
    if cfg!(debug_assertions) {
        assert!(answer.body.contains(hint), "{}", answer.body);
        let layer = "`.layer(login_manager)` is missing on this router";
        assert!(answer.body.contains(layer), "{}", answer.body);
        let text = Some("text/plain; charset=utf-8");
        assert_eq!(answer.header("content-type"), text);
    } else {
        assert_eq!((&*answer.body, answer.header("content-type")), ("", None));
    }
}

#[tokio::test]
async fn missing_layer_is_a_500_that_says_what_to_add() {
    let app = Router::new()
        .route("/required", get(|_: LoginRequired<Account>| async { "in" }))
        .route(
            "/optional",
            get(|_: Option<LoginRequired<Account>>| async { "in" }),
        )
        .route("/current", get(|_: CurrentUser<Account>| async { "in" }))
        .route("/auth", get(|_: Auth<Account>| async { "in" }))
        .route(
            "/fresh",
            get(|_: FreshLoginRequired<Account>| async { "in" }),
        )
        .route(
            "/layer",
            get((|| async { "in" }).layer(login_required::<Account>())),
        )
        .route(
            "/view",
            get((|| async { "in" }).layer(login_page::<Account>("/login"))),
        );
    for path in [
        "/required",
        "/optional",
        "/current",
        "/auth",
        "/fresh",
        "/layer",
        "/view",
    ] {
        let log = Log::listen();
        let answer = Browser::new(app.clone()).get(path).await;
        assert_eq!(answer.status, 500, "{path}");
        assert_hint(&answer, "LoginManager<app::support::world::Account>");
        let [error] = &log.at(Level::ERROR)[..] else {
            panic!("{path}: {:?}", log.lines())
        };
        assert!(
            error.contains("LoginManager<app::support::world::Account>"),
            "{error}"
        );
        assert!(error.contains(".layer("), "{error}");
    }
    let session = Router::new().route("/session", get(|_: Session| async { "in" }));
    let log = Log::listen();
    let answer = Browser::new(session).get("/session").await;
    assert_eq!(answer.status, 500);
    assert_hint(&answer, "Session was used");
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
async fn guard_outside_the_manager_is_a_500_that_says_so() {
    let log = Log::listen();
    let world = World::new();
    let app = routes(&world.accounts)
        .layer(world.manager.clone())
        .layer(login_required::<Account>());
    let answer = Browser::new(app).get("/me").await;
    assert_eq!(answer.status, 500);
    assert_hint(&answer, "LoginManager<app::support::world::Account>");
    assert!(log.at(Level::ERROR)[0].contains("LoginManager<app::support::world::Account>"));
}

#[tokio::test]
async fn manager_added_twice_works() {
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
        assert_eq!(browser.post("/logout").await.set_cookies().len(), 2);
        assert_eq!(browser.get("/me").await.status, 303);
    }
    assert!(world.store.inner.is_empty());
}

#[tokio::test]
async fn denied_reason_says_why_the_user_is_anonymous() {
    let reasons = async |denied: Denied| {
        assert_ne!(
            denied.reason(),
            DeniedReason::LoginRequired(AnonymousReason::LoggedOut)
        );
        format!("{:?}", denied.reason())
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
                world.browser.plant(SESSION, cookie);
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

#[tokio::test]
async fn fragment_request_returns_to_its_page_after_login() {
    for door in DOORS {
        let (world, _) = door.world(with_login_page);
        for (page, url) in [
            (
                "https://shop.example/cart?page=2",
                "/login?next=/cart?page%3D2&notice=login",
            ),
            ("http://localhost:3000/", "/login?next=/&notice=login"),
            ("https://evil.example//evil.example", "/login?notice=login"),
            ("//evil.example", "/login?notice=login"),
            ("javascript:alert(1)", "/login?notice=login"),
            ("not a url", "/login?notice=login"),
            ("", "/login?notice=login"),
        ] {
            for method in [Method::GET, Method::POST] {
                let mut htmx = world.browser.another();
                htmx.headers.insert("hx-request", "true".parse().unwrap());
                let current = page.parse().unwrap();
                htmx.headers.insert("hx-current-url", current);
                let answer = htmx.send(method, "/me").await;
                assert_eq!(answer.status, 401, "{page}");
                let url_sent = answer.header("hx-redirect");
                assert_eq!(url_sent.map(decoded), Some(decoded(url)), "{page}");
            }
        }
    }
}

/// However the query of the way back is written in the query.
fn decoded(url: &str) -> String {
    url.replace("%3F", "?").replace("%3D", "=")
}

#[tokio::test]
async fn custom_denied_response_can_start_from_the_default() {
    let page_for_forbidden = async |denied: Denied| {
        let mut response = denied.default_response();
        if denied.reason() == DeniedReason::Forbidden {
            *response.body_mut() = "not for you".to_owned();
        }
        response
    };
    let runs = Runs::default();
    let layer = login_required::<Account>().and(|account| account.admin);
    let mut world = World::with(guarded(layer, &runs), |manager| {
        with_login_page(manager).with_unauthorized(page_for_forbidden)
    });
    let answer = world.browser.get("/me").await;
    assert_eq!(answer.location(), "/login?next=/me&notice=login");
    world.browser.post("/open/login/alice").await;
    let answer = world.browser.get("/me").await;
    assert_eq!(
        (answer.status.as_u16(), &*answer.body),
        (403, "not for you")
    );
}

#[tokio::test]
async fn custom_denied_response_may_await_and_be_any_response() {
    let unauthorized = async |denied: Denied| {
        tokio::task::yield_now().await;
        let page = Html(format!("<h1>{}</h1>", denied.uri().path()));
        (StatusCode::UNAUTHORIZED, [("x-mine", "yes")], page)
    };
    for door in DOORS {
        let (mut world, _) = door.world(|manager| manager.with_unauthorized(unauthorized));
        let answer = world.browser.get("/me").await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (401, "<h1>/me</h1>")
        );
        assert_eq!(answer.header("x-mine"), Some("yes"));
        assert_eq!(
            answer.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        let head = world.browser.send(Method::HEAD, "/me").await;
        assert_eq!((head.status.as_u16(), &*head.body), (401, ""));
    }
}

#[tokio::test]
async fn custom_denied_response_with_a_failing_body_is_a_500() {
    let unauthorized = async |_: Denied| {
        let half = Full::new(Bytes::from("half of it")).map_err(|never| match never {});
        Body::new(half.with_trailers(async { Some(Err("the disk is full")) }))
    };
    for door in DOORS {
        let log = Log::listen();
        let (mut world, _) = door.world(|manager| manager.with_unauthorized(unauthorized));
        let answer = world.browser.get("/me").await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (500, ""));
        assert!(
            log.at(Level::ERROR)[0].contains("the disk is full"),
            "{door:?}"
        );
    }
}
