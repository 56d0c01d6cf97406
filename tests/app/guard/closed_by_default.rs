//! One guard around all routes: every path that is not excepted is denied.

use axum::{
    Router,
    routing::{get, post},
};
use http::Method;
use login_manager::login_required;

use crate::support::{
    doors::with_login_page,
    world::{Account, Accounts, World, routes},
};

/// `/new` and the nested routes were added without a thought of the guard.
fn closed(accounts: &Accounts) -> Router {
    let later = Router::new()
        .route("/deep", get(|| async { "deep" }))
        .fallback(|| async { "deep fallback" });
    routes(accounts)
        .route("/login", get(|| async { "login page" }))
        .route("/static/{file}", get(|| async { "file" }))
        .route("/new", get(|| async { "new" }))
        .route("/form", post(|| async { "sent" }))
        .nest("/later", later)
        .layer(login_required::<Account>().except(["/login", "/login/alice", "/static/*"]))
}

#[tokio::test]
async fn routes_not_excepted_and_unknown_paths_are_denied() {
    let mut world = World::with(closed, with_login_page);
    for (page, body) in [("/login", "login page"), ("/static/app.css", "file")] {
        assert_eq!(world.browser.get(page).await.body, body, "{page}");
    }
    let paths = [
        "/new",
        "/form",
        "/",
        "/later/deep",
        "/later/nowhere",
        "/later",
        "/nowhere",
        "/static",
        "/login/bob",
        "/new/",
    ];
    for path in paths {
        for method in [Method::GET, Method::POST, Method::OPTIONS, Method::DELETE] {
            let answer = world.browser.send(method.clone(), path).await;
            assert_eq!(answer.status, 303, "{method} {path}");
            assert_eq!(answer.body, "", "{method} {path}");
            assert!(answer.location().starts_with("/login?"), "{method} {path}");
        }
    }
    assert_eq!(world.store.take_calls(), []);

    world.browser.post("/login/alice").await;
    for (path, status) in [
        ("/new", 200),
        ("/later/deep", 200),
        ("/later/nowhere", 200),
        ("/nowhere", 404),
        ("/form", 405),
    ] {
        assert_eq!(
            world.browser.get(path).await.status.as_u16(),
            status,
            "{path}"
        );
    }
}

#[tokio::test]
async fn fetch_requests_get_401_not_a_redirect() {
    let mut world = World::with(closed, with_login_page);
    world.browser.headers.clear();
    for path in ["/new", "/nowhere", "/later/nowhere"] {
        let answer = world.browser.get(path).await;
        assert_eq!(answer.status, 401, "{path}");
        assert!(answer.header("www-authenticate").is_some(), "{path}");
    }
}
