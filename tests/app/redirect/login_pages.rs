//! Login pages of parts of an application, and login pages that depend on the request.

use axum::{Router, routing::get};
use http::StatusCode;
use login_manager::{
    Auth, FreshLoginRequired, LoginManager, LoginRequired, NextPath, event::EventKind,
    fresh_login_required, guard::DeniedReason, guard::Notice, guard::login_page, login_required,
    manager::LoginPage, manager::NextIn,
};

use crate::support::{
    log::{Log, panic_message},
    world::{Account, Accounts, World, account, routes},
};

async fn asks(_: LoginRequired<Account>) {}

async fn asks_fresh(_: FreshLoginRequired<Account>) {}

/// `/top`, the part `/admin` with a login page of its own, `/admin/deep` in it, `/admin/audit` with
/// its own in that.
fn parts(accounts: &Accounts) -> Router {
    let audit = Router::new()
        .route("/log", get(asks))
        .route("/fresh", get(asks_fresh))
        .layer(login_page::<Account>("/audit-login"));
    let deep = Router::new()
        .route(
            "/layer",
            get(|| async {}).route_layer(login_required::<Account>()),
        )
        .route(
            "/fresh",
            get(|| async {}).route_layer(fresh_login_required::<Account>()),
        )
        .route("/extractor", get(asks));
    let admin = Router::new()
        .route("/extractor", get(asks))
        .nest("/deep", deep)
        .nest("/audit", audit)
        .layer(login_page::<Account>("/admin-login").refresh("/admin-refresh"));
    let stale =
        async |auth: Auth<Account>| auth.login(account(1, "alice")).fresh(false).await.map(drop);
    routes(accounts)
        .route("/top", get(asks))
        .route("/top-fresh", get(asks_fresh))
        .route("/stale", get(stale))
        .nest("/admin", admin)
}

fn with_pages(manager: LoginManager<Account>) -> LoginManager<Account> {
    manager.with_login_page(LoginPage::new("/login").refresh("/refresh"))
}

async fn sent_to(world: &mut World, uri: &str) -> String {
    let answer = world.browser.get(uri).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{uri}");
    answer.location().split('?').next().unwrap().to_owned()
}

#[tokio::test]
async fn nested_routes_inherit_the_login_page() {
    let mut world = World::with(parts, with_pages);
    for (uri, page) in [
        ("/top", "/login"),
        ("/top-fresh", "/login"),
        ("/admin/extractor", "/admin-login"),
        ("/admin/deep/layer", "/admin-login"),
        ("/admin/deep/extractor", "/admin-login"),
        ("/admin/deep/fresh", "/admin-login"),
        ("/admin/audit/log", "/audit-login"),
        ("/admin/audit/fresh", "/audit-login"),
    ] {
        assert_eq!(sent_to(&mut world, uri).await, page, "{uri}");
    }
    world.browser.get("/stale").await;
    for (uri, page) in [
        ("/top-fresh", "/refresh"),
        ("/admin/deep/fresh", "/admin-refresh"),
        ("/admin/audit/fresh", "/audit-login"),
    ] {
        assert_eq!(sent_to(&mut world, uri).await, page, "{uri}");
    }
}

#[tokio::test]
async fn login_page_of_a_guard_applies_to_the_routes_inside() {
    let part = |_: &Accounts| {
        let inner = Router::new().route("/inside", get(asks_fresh)).route(
            "/deep",
            get(|| async {}).route_layer(fresh_login_required::<Account>()),
        );
        let stale = async |auth: Auth<Account>| {
            auth.login(account(1, "alice")).fresh(false).await.map(drop)
        };
        inner
            .route("/excepted", get(asks))
            .layer(
                login_required::<Account>()
                    .with_login_page("/part-login")
                    .except(["/excepted"]),
            )
            .route("/stale", get(stale))
    };
    let mut world = World::with(part, with_pages);
    assert_eq!(sent_to(&mut world, "/inside").await, "/part-login");
    assert_eq!(sent_to(&mut world, "/excepted").await, "/part-login");
    world.browser.get("/stale").await;
    assert_eq!(sent_to(&mut world, "/inside").await, "/part-login");
    assert_eq!(sent_to(&mut world, "/deep").await, "/part-login");
}

#[tokio::test]
async fn login_page_outside_the_manager_is_a_500_that_says_so() {
    let log = Log::listen();
    let accounts = Accounts::new();
    let world = World::with(routes, with_pages);
    let outside = routes(&accounts)
        .layer(world.manager.clone())
        .layer(login_page::<Account>("/a"));
    let mut browser = crate::support::browser::Browser::new(outside);
    assert_eq!(browser.get("/").await.status, 500);
    assert!(
        log.lines().join("\n").contains("login_page was used"),
        "{}",
        log.lines().join("\n")
    );
    for invalid in [
        panic_message(|| login_page::<Account>("//evil.example")),
        panic_message(|| login_page::<Account>("/a").refresh("//evil.example")),
    ] {
        assert!(
            invalid.contains("\"//evil.example\" is not accepted"),
            "{invalid}"
        );
    }
}

/// In the language with which the path begins; an invalid address for `/junk`.
fn by_language(manager: LoginManager<Account>) -> LoginManager<Account> {
    let page = LoginPage::new("/login").refresh("/refresh");
    manager.with_login_page(page.chosen_by(|denied| {
        let page = match denied.reason() {
            DeniedReason::FreshLoginRequired => "refresh",
            _ => "login",
        };
        match denied.uri().path().get(..4)? {
            language @ ("/de/" | "/fr/") => Some(format!("{language}{page}")),
            "/jun" => Some("//evil.example".to_owned()),
            _ => None,
        }
    }))
}

#[tokio::test]
async fn login_page_can_depend_on_the_request() {
    let log = Log::listen();
    let app = |accounts: &Accounts| {
        let ask = Router::new()
            .route("/page", get(asks))
            .route("/fresh", get(asks_fresh));
        let own = ask.clone().layer(login_page::<Account>("/own"));
        parts(accounts)
            .nest("/de", ask.clone().nest("/own", own))
            .nest("/fr", ask.clone())
            .nest("/junk", ask)
    };
    let mut world = World::with(app, by_language);
    for (uri, page) in [
        ("/de/page", "/de/login"),
        ("/fr/page", "/fr/login"),
        ("/top", "/login"),
        ("/de/own/page", "/own"),
    ] {
        assert_eq!(sent_to(&mut world, uri).await, page, "{uri}");
    }
    assert!(!log.lines().join("\n").contains("LoginPage::chosen_by"));
    assert_eq!(sent_to(&mut world, "/junk/page").await, "/login");
    assert!(
        log.lines().join("\n").contains("LoginPage::chosen_by"),
        "{}",
        log.lines().join("\n")
    );
    world.browser.get("/stale").await;
    assert_eq!(sent_to(&mut world, "/fr/fresh").await, "/fr/refresh");
    assert_eq!(sent_to(&mut world, "/top-fresh").await, "/refresh");
}

#[tokio::test]
async fn next_never_leads_to_a_login_page() {
    let app = |_: &Accounts| {
        let page =
            async |next: NextPath, notice: Option<Notice>| format!("{notice:?} {}", next.or("-"));
        let part = Router::new()
            .route("/login", get(page))
            .route("/sign-in", get(page))
            .layer(login_page::<Account>("/part/login").refresh("/part/again"));
        Router::new().nest("/part", part)
    };
    let mut world = World::with(app, with_pages);
    for next in [
        "/part/login",
        "/part/again",
        "/part/sign-in",
        "/login",
        "/refresh",
    ] {
        let uri = format!("/part/sign-in?next={next}");
        assert_eq!(world.browser.get(&uri).await.body, "None -", "{next}");
    }
    let answer = world.browser.get("/part/sign-in?next=/part/x").await;
    assert_eq!(answer.body, "None /part/x");
    assert_eq!(world.events.take(), [], "none of them is an attack");
    world.browser.get("/part/login?next=//evil.example").await;
    assert_eq!(world.events.take(), [EventKind::NextRejected]);
}

#[tokio::test]
async fn login_url_names_the_nearest_login_page_and_this_page() {
    let link = async |auth: Auth<Account>| auth.login_url().unwrap_or_default();
    let app = |_: &Accounts| {
        let admin = Router::new()
            .route("/page", get(link))
            .layer(login_page::<Account>("/admin-login"));
        Router::new()
            .route("/page", get(link))
            .route("/login", get(link))
            .nest("/admin", admin)
    };
    let mut world = World::with(app, with_pages);
    for (page, url) in [
        ("/page", "/login?next=/page"),
        (
            "/page?q=a%20b&x=1",
            "/login?next=/page%3Fq%3Da%2520b%26x%3D1",
        ),
        ("/admin/page", "/admin-login?next=/admin/page"),
        ("/login", "/login"),
        ("/login?next=/cart", "/login?next=/cart"),
        ("/login?next=//evil.example", "/login"),
    ] {
        let answer = world.browser.get(page).await;
        assert_eq!(answer.body, url, "{page}");
        assert!(answer.set_cookies().is_empty());
    }
    assert!(
        world.store.take_calls().is_empty(),
        "nobody asked who it is"
    );

    let mut without = World::with(app, |manager| manager);
    assert_eq!(without.browser.get("/page").await.body, "");
    assert_eq!(
        without.browser.get("/admin/page").await.body,
        "/admin-login?next=/admin/page"
    );
    let mut in_a_cookie = World::with(app, |manager| {
        manager.with_login_page(LoginPage::new("/login").next_in(NextIn::Cookie))
    });
    assert_eq!(in_a_cookie.browser.get("/page").await.body, "/login");
}
