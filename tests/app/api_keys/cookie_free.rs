//! Routes behind a cookie-free manager.

use axum::{Router, routing::get};
use http::{header::AUTHORIZATION, request::Parts};
use login_manager::{Auth, ErrorKind, LoginManager, MemoryStore};

use crate::support::{
    browser::Browser,
    world::{Account, Accounts, SESSION, World, account, routes},
};

fn with_keys(manager: LoginManager<Account>) -> LoginManager<Account> {
    manager.with_request_loader(|head: &Parts| {
        let known = head
            .headers
            .get(AUTHORIZATION)
            .is_some_and(|value| value == "Key carol");
        async move { known.then(|| account(3, "carol")) }
    })
}

/// The API beside the pages, or inside them.
async fn world(inside: bool) -> (Browser, World) {
    let mut world = World::new();
    let accounts = world.accounts.clone();
    let pages = world.manager.clone();
    let api = routes(&accounts)
        .route("/kind", get(kind))
        .layer(with_keys(pages.clone()).without_cookies());
    let app = match inside {
        true => routes(&accounts).nest("/api", api).layer(pages),
        false => routes(&accounts).layer(pages).nest("/api", api),
    };
    let mut browser = Browser::new(app);
    browser.post("/remember/alice").await;
    world.browser = browser.clone();
    (browser, world)
}

async fn kind(auth: Auth<Account>) -> String {
    let error = auth.login(account(1, "alice")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoCookies);
    error.to_string()
}

#[tokio::test]
async fn cookie_free_manager_reads_and_sends_no_cookies() {
    for inside in [false, true] {
        let (mut browser, world) = world(inside).await;
        assert_eq!(browser.get("/me").await.body, "alice");
        world.store.take_calls();
        let answer = browser.get("/api/who").await;
        assert_eq!(answer.body, "nobody", "a cookie is no proof here");
        assert_eq!(answer.header("vary"), None, "no answer depends on one");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(browser.get("/api/why").await.body, "Some(CookiesIgnored)");
        assert_eq!(browser.get("/api/me").await.status, 303);
        assert!(
            browser
                .get("/api/kind")
                .await
                .body
                .contains("ignores cookies")
        );
        for verb in ["/api/logout", "/api/confirm", "/api/rotate", "/api/put/a/b"] {
            assert_eq!(browser.post(verb).await.set_cookies(), [""; 0], "{verb}");
        }
        assert_eq!(world.store.take_calls(), [], "nor is the store asked");

        let mut carol = browser.clone();
        carol
            .headers
            .insert(AUTHORIZATION, "Key carol".parse().unwrap());
        assert_eq!(
            carol.get("/api/me").await.body,
            "carol",
            "though alice's cookie comes with it"
        );
        assert_eq!(
            carol.get("/me").await.body,
            "alice",
            "nor is a key any proof to the pages"
        );
        assert_eq!(
            browser.get("/me").await.body,
            "alice",
            "the login is as it was"
        );
    }
}

#[tokio::test]
async fn manager_inside_a_cookie_free_manager_takes_no_cookies() {
    let world = World::new();
    let (accounts, pages) = (world.accounts.clone(), world.manager.clone());
    let inmost = routes(&accounts).layer(pages.clone());
    let api = Router::new()
        .nest("/again", inmost)
        .layer(with_keys(pages.clone()).without_cookies());
    let mut browser = Browser::new(routes(&accounts).nest("/api", api).layer(pages));
    browser.post("/login/alice").await;
    assert_eq!(browser.get("/me").await.body, "alice");
    assert_eq!(browser.get("/api/again/who").await.body, "nobody");
    let answer = browser.post("/api/again/login/bob").await;
    assert_eq!(
        (answer.status.as_u16(), answer.set_cookies().len()),
        (500, 0)
    );
    assert_eq!(browser.get("/me").await.body, "alice");
}

#[tokio::test]
async fn cookie_free_manager_restores_no_login() {
    let (mut browser, _world) = world(true).await;
    browser.forget(SESSION);
    assert_eq!(browser.get("/api/who").await.body, "nobody");
    assert_eq!(browser.get("/who").await.body, "alice");
}

#[tokio::test]
async fn cookie_free_manager_works_alone() {
    let accounts = Accounts::new();
    let api = with_keys(LoginManager::new(MemoryStore::new(), accounts.clone())).without_cookies();
    let app: Router = routes(&accounts).layer(api.clone()).layer(api);
    let mut browser = Browser::new(app);
    browser
        .headers
        .insert(AUTHORIZATION, "Key carol".parse().unwrap());
    assert_eq!(browser.get("/me").await.body, "carol");
    browser
        .headers
        .insert(AUTHORIZATION, "Key eve".parse().unwrap());
    assert_eq!(browser.get("/me").await.status, 401);
}
