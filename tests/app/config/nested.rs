//! A proxy that removes a prefix, a manager inside another one, requests from other sites.

use axum::{
    Router,
    extract::Request,
    routing::{get, post},
};
use http::Method;
use login_manager::{
    Auth, Error, LoginRequired, NextPath, Session,
    event::EventKind,
    fresh_login_required, login_required,
    manager::{Cookies, LoginPage, NextIn, SameSite},
};
use tracing::Level;

use crate::support::{
    browser::Browser,
    log::Log,
    world::{Account, Accounts, World, account, routes},
};

/// Everything is guarded, also the login page.
fn all_guarded() -> Router {
    let log_in = async |auth: Auth<Account>, next: NextPath| -> Result<String, Error> {
        auth.login(account(1, "alice")).await?;
        Ok(next.or("-").to_owned())
    };
    Router::new()
        .route("/orders", get(|_: LoginRequired<Account>| async { "in" }))
        .route(
            "/login",
            get(async |next: NextPath| next.or("-").to_owned()).post(log_in),
        )
        .layer(login_required::<Account>().except(["/open"]))
}

#[tokio::test]
async fn next_begins_with_the_prefix_that_a_proxy_removes() {
    let app = |_: &_| {
        let page = async |auth: Auth<Account>, next: NextPath| {
            format!("{} {}", next.or("-"), auth.login_url().unwrap_or_default())
        };
        Router::new()
            .route("/orders", get(|_: LoginRequired<Account>| async { "in" }))
            .route("/login", get(page))
            .route("/page", get(page))
    };
    for next_in in [NextIn::Query, NextIn::Cookie] {
        let page = LoginPage::new("/shop/login")
            .path_prefix("/shop")
            .next_in(next_in);
        let mut world = World::with(app, |manager| manager.with_login_page(page));
        let denied = world.browser.get("/orders?page=2").await;
        let kept = match next_in {
            NextIn::Query => "/shop/login?next=/shop/orders%3Fpage%3D2&notice=login",
            _ => "/shop/login?notice=login",
        };
        assert_eq!(denied.location(), kept);
        let without_prefix = kept.strip_prefix("/shop").unwrap();
        let login_page = world.browser.get(without_prefix).await.body;
        assert!(
            login_page.starts_with("/shop/orders?page=2 /shop/login"),
            "{login_page}"
        );
        let own = world.browser.get("/page?next=/shop/login").await.body;
        assert!(own.starts_with("- ") || next_in == NextIn::Cookie, "{own}");
    }
}

#[tokio::test]
async fn guarded_login_page_behind_a_proxy_causes_no_loop() {
    for prefix in ["/shop", ""] {
        let log = Log::listen();
        let page = LoginPage::new("/shop/login").path_prefix(prefix);
        let mut world = World::with(|_| all_guarded(), |manager| manager.with_login_page(page));
        let location = world.browser.get("/orders").await.location().to_owned();
        let seen = location.strip_prefix("/shop").unwrap();
        assert_eq!(world.browser.get(seen).await.status, 401, "{prefix:?}");
        assert!(
            log.at(Level::ERROR)[0].contains("is itself guarded"),
            "{prefix:?}"
        );
        // Without the prefix, a page of the application may end like the login page.
        let other = world.browser.get("/login?tab=2").await;
        assert_eq!(other.status, if prefix.is_empty() { 303 } else { 401 });
    }
}

#[tokio::test]
async fn refresh_page_that_guards_itself_is_logged() {
    for guard in [
        fresh_login_required::<Account>(),
        login_required::<Account>().needs("totp"),
    ] {
        let log = Log::listen();
        let page = LoginPage::new("/login").refresh("/confirm-it");
        let app = |accounts: &Accounts| {
            let page = get(async || "in").route_layer(guard);
            routes(accounts).merge(Router::new().route("/confirm-it", page))
        };
        let mut world = World::with(app, |manager| manager.with_login_page(page));
        world.browser.post("/remember/alice").await;
        world.browser.restart();
        assert_eq!(world.browser.get("/confirm-it").await.status, 401);
        assert!(log.at(Level::ERROR)[0].contains("is itself guarded"));
    }
}

/// Anyone can write the notice of a redirect into a URL.
#[tokio::test]
async fn home_page_is_not_taken_for_a_login_page_with_a_slash() {
    let app = |_: &_| Router::new().route("/", get(|_: LoginRequired<Account>| async { "in" }));
    let log = Log::listen();
    let mut world = World::with(app, |manager| manager.with_login_page("/login/"));
    let denied = world.browser.get("/?notice=login").await;
    assert_eq!(
        denied.location(),
        "/login/?next=/%3Fnotice%3Dlogin&notice=login"
    );
    assert_eq!(log.at(Level::ERROR), [""; 0]);
}

#[test]
fn invalid_path_prefix_is_rejected() {
    for bad in [
        "shop",
        "/shop/",
        "/",
        "//shop",
        "/a b",
        "/shop?x",
        "/shop#x",
        "https://a.example",
    ] {
        let error = LoginPage::new("/login").path_prefix(bad).check();
        let error = error.unwrap_err().to_string();
        assert!(error.contains(&format!("{bad:?}")), "{error}");
    }
    LoginPage::new("/login")
        .path_prefix("/a/b")
        .check()
        .unwrap();
}

#[tokio::test]
async fn manager_inside_itself_with_other_settings_is_reported() {
    let world = World::new();
    let by_key = |head: &http::request::Parts| {
        let key = head.headers.contains_key("authorization");
        async move { key.then(|| account(1, "alice")) }
    };
    let inner = world.manager.clone().with_request_loader(by_key);
    let routes = || routes(&world.accounts);
    let log = Log::listen();
    for harmless in [world.manager.clone(), inner.clone().without_cookies()] {
        let app = routes().layer(harmless).layer(world.manager.clone());
        assert_eq!(Browser::new(app).get("/who").await.status, 200);
        assert_eq!(log.at(Level::ERROR), [""; 0]);
    }
    let app = routes().layer(inner).layer(world.manager.clone());
    let mut browser = Browser::new(app);
    browser
        .headers
        .insert("authorization", "Bearer key".parse().unwrap());
    assert_eq!(browser.get("/who").await.body, "nobody");
    let [error] = &log.at(Level::ERROR)[..] else {
        panic!("{:?}", log.lines())
    };
    assert!(error.contains("without_cookies()"), "{error}");
    browser.get("/who").await;
    assert_eq!(log.at(Level::ERROR).len(), 1, "once");
}

#[tokio::test]
async fn challenges_replace_the_default_one() {
    let challenges = async |configure: fn(_) -> _| {
        let mut world = World::with(routes, configure);
        world
            .browser
            .headers
            .insert("accept", "*/*".parse().unwrap());
        let denied = world.browser.get("/me").await;
        let values = denied.headers.get_all("www-authenticate").iter();
        values
            .map(|value| value.to_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(challenges(|manager| manager).await, ["Session"]);
    assert_eq!(
        challenges(|manager| manager.with_challenge("Bearer realm=\"api\"")).await,
        ["Bearer realm=\"api\""]
    );
    assert_eq!(
        challenges(|manager| manager.with_challenge("Session").with_challenge("Bearer")).await,
        ["Session", "Bearer"]
    );
}

/// `/callback` puts a value into the session, by POST and by GET.
fn callback() -> Router {
    let put = async |session: Session, request: Request| -> Result<String, Error> {
        session.insert("from", request.uri().path()).await?;
        Ok("saved".to_owned())
    };
    Router::new().route("/callback", post(put).get(put))
}

#[tokio::test]
async fn post_from_another_site_does_not_replace_the_login() {
    for (same_site, method, is_kept) in [
        (SameSite::Lax, Method::POST, true),
        (SameSite::Lax, Method::GET, false),
        (SameSite::Strict, Method::POST, true),
        (SameSite::Strict, Method::GET, true),
        (SameSite::None, Method::POST, false),
    ] {
        let mut world = World::with(
            |accounts| callback().merge(routes(accounts)),
            |manager| manager.with_cookies(Cookies::new().same_site(same_site)),
        );
        world.browser.post("/login/alice").await;
        world.events.take();
        // The browser withholds the cookies, and accepts those of the response.
        let mut from_elsewhere = world.browser.another();
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
        ] {
            from_elsewhere.headers.insert(name, value.parse().unwrap());
        }
        let answer = from_elsewhere.send(method.clone(), "/callback").await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (200, "saved"));
        let set = answer.set_cookies().len();
        assert_eq!(set, usize::from(!is_kept), "{same_site:?} {method}");
        let dropped = world.events.take().contains(&EventKind::DataDropped);
        assert_eq!(dropped, is_kept, "{same_site:?} {method}");
    }
}

#[tokio::test]
async fn post_from_another_site_may_log_in_and_save() {
    let callback = async |auth: Auth<Account>, session: Session| -> Result<(), Error> {
        auth.login(account(1, "alice")).await?;
        session.insert("cart", "apples").await
    };
    let mut world = World::with(
        |accounts| routes(accounts).route("/callback", post(callback)),
        |manager| manager,
    );
    world
        .browser
        .headers
        .insert("sec-fetch-site", "cross-site".parse().unwrap());
    world.browser.post("/callback").await;
    assert_eq!(world.browser.get("/who").await.body, "alice");
    assert_eq!(world.browser.get("/get/cart").await.body, "apples");
}

/// A browser that shows its cookie in spite of the other site, as Chrome does for two minutes.
#[tokio::test]
async fn post_from_another_site_with_a_cookie_saves_data() {
    let mut world = World::with(
        |accounts| callback().merge(routes(accounts)),
        |manager| manager,
    );
    world.browser.post("/login/alice").await;
    world
        .browser
        .headers
        .insert("sec-fetch-site", "cross-site".parse().unwrap());
    world.browser.post("/callback").await;
    assert_eq!(world.browser.get("/get/from").await.body, "/callback");
}
