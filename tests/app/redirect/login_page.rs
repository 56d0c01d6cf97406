//! The redirect to the login page and back.

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
use login_manager::{Auth, Error, NextPath, guard::Notice};

use crate::support::{
    doors::{DOORS, Runs, with_login_page},
    world::{Account, Accounts, World},
};

/// A login page with a form as a template would render it, and the route that it posts to.
fn login_page(accounts: &Accounts) -> Router {
    let page = async |next: NextPath, notice: Option<Notice>| {
        let notice = notice.map(|notice| notice.to_string()).unwrap_or_default();
        format!("{notice}|{}", next.or("-"))
    };
    let accounts = accounts.clone();
    let submit = async move |auth: Auth<Account>, next: NextPath| -> Result<Response, Error> {
        auth.login(accounts.by_name("alice").unwrap()).await?;
        Ok(next.redirect_or("/dashboard").into_response())
    };
    Router::new().route("/login", get(page).post(submit))
}

#[tokio::test]
async fn login_page_redirects_back_to_the_denied_page() {
    for door in DOORS {
        let runs = Runs::default();
        let app = |accounts: &Accounts| {
            let private = Router::new().nest("/app", door.router(&runs));
            private.merge(login_page(accounts))
        };
        let mut world = World::with(app, with_login_page);
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
        let there = world.browser.get(answer.location()).await;
        assert_eq!((&*there.body, runs.take()), ("secret", 1), "{door:?}");
    }
}

#[tokio::test]
async fn next_in_the_link_never_leads_to_another_site() {
    let mut world = World::with(login_page, with_login_page);
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
