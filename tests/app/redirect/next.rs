//! `next` in a cookie, in a form field, or under another name.

use axum::{
    Form, Router,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{Method, header::CONTENT_TYPE};
use login_manager::manager::Cookies;
use login_manager::manager::LoginPage;
use login_manager::{
    Auth, Error, LoginManager, LoginRequired, NextPath, guard::Notice, manager::NextIn,
};

use crate::support::world::{Account, Accounts, SESSION, World, account, routes};

const KEPT: &str = "__Host-account-next";

fn app(accounts: &Accounts) -> Router {
    let page = async |next: NextPath, notice: Option<Notice>| {
        let category = notice.map_or("none", Notice::category);
        format!("{category} {}", next.or("-"))
    };
    let submit = async |auth: Auth<Account>, next: NextPath| -> Result<Response, Error> {
        auth.login(account(1, "alice")).await?;
        Ok(next.redirect_or("/dashboard").into_response())
    };
    let fail = async |_: NextPath| "wrong password";
    routes(accounts)
        .route("/login", get(page).post(submit).put(fail))
        .route(
            "/private-form",
            axum::routing::post(async |_: LoginRequired<Account>| "done"),
        )
        .route("/private", get(async |_: LoginRequired<Account>| "secret"))
}

fn kept_in(next_in: NextIn) -> World {
    World::with(app, |manager| {
        manager.with_login_page(LoginPage::new("/login").next_in(next_in))
    })
}

#[tokio::test]
async fn cookie_keeps_next_until_the_login() {
    let mut world = kept_in(NextIn::Cookie);
    let refused = world.browser.get("/private?tab=2&x=%26;y,z").await;
    assert_eq!(refused.location(), "/login?notice=login");
    let [cookie] = &refused.set_cookies()[..] else {
        panic!("{:?}", refused.set_cookies())
    };
    assert!(cookie.starts_with("__Host-account-next="), "{cookie}");
    for attribute in [
        "HttpOnly",
        "Secure",
        "SameSite=Lax",
        "Path=/",
        "Max-Age=1800",
    ] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert_eq!(refused.header("cache-control"), Some("no-store"));
    assert!(world.store.inner.is_empty(), "nothing waits on the server");

    let page = world.browser.get("/login?notice=login").await;
    assert_eq!(page.body, "message /private?tab=2&x=%26;y,z");
    assert_eq!(page.header("vary"), Some("cookie"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    world.browser.send(Method::PUT, "/login").await; // a wrong password uses nothing up
    let answer = world.browser.post("/login").await;
    assert_eq!(answer.location(), "/private?tab=2&x=%26;y,z");
    assert_eq!(world.browser.cookie_names(), [SESSION], "it is used up");
    assert_eq!(world.browser.get("/private").await.body, "secret");
    let names: Vec<_> = answer
        .set_cookies()
        .iter()
        .map(|cookie| cookie.split('=').next().unwrap().to_owned())
        .collect();
    assert_eq!(names, [SESSION, KEPT]);

    // If there is none, none is removed.
    assert_eq!(world.browser.post("/login").await.set_cookies().len(), 1);
}

#[tokio::test]
async fn next_cookie_is_checked_when_it_is_read() {
    let mut world = kept_in(NextIn::Cookie);
    // base64url of //evil.example, https://evil.example/ and /login, and invalid text.
    for planted in [
        "Ly9ldmlsLmV4YW1wbGU",
        "aHR0cHM6Ly9ldmlsLmV4YW1wbGUv",
        "L2xvZ2lu",
        "/private",
        "=",
        "",
        "_w",
    ] {
        let mut browser = world.browser.another();
        browser.plant(KEPT, planted);
        let answer = browser.post("/login").await;
        assert_eq!(answer.location(), "/dashboard", "{planted}");
        assert_eq!(browser.cookie(KEPT), None, "{planted}");
    }
    // The query is no place for it then.
    world.browser.plant(KEPT, "L3ByaXZhdGU");
    assert_eq!(
        world.browser.get("/login?next=/other").await.body,
        "none /private"
    );
    world.browser.forget(KEPT);
    assert_eq!(world.browser.get("/login?next=/other").await.body, "none -");
}

#[derive(serde::Deserialize)]
struct LoginForm {
    #[serde(default)]
    next: NextPath,
}

/// The field of a form is as untrusted as the query.
#[tokio::test]
async fn next_field_of_a_form_is_checked_when_it_is_read() {
    let submit = async |auth: Auth<Account>, Form(form): Form<LoginForm>| {
        auth.login(account(1, "alice")).await?;
        Ok::<_, Error>(form.next.redirect_or("/dashboard").into_response())
    };
    let world = World::with(
        |_| Router::new().route("/login", axum::routing::post(submit)),
        |manager| manager,
    );
    for (field, location) in [
        ("next=/private%3Ftab%3D2", Some("/private?tab=2")),
        ("next=https://evil.example/", Some("/dashboard")),
        ("next=//evil.example", Some("/dashboard")),
        ("next=/%255Cevil.example", Some("/dashboard")),
        ("next=/%09/evil.example", Some("/dashboard")),
        ("next=%0d%0aSet-Cookie:a=b", Some("/dashboard")),
        ("next=", Some("/dashboard")),
        ("", Some("/dashboard")),
        ("next=/a&next=//evil.example", None),
        ("next=//evil.example&next=/a", None),
    ] {
        let mut browser = world.browser.another();
        let mut request = browser.request(Method::POST, "/login");
        let kind = "application/x-www-form-urlencoded".parse().unwrap();
        request.headers_mut().insert(CONTENT_TYPE, kind);
        let request = request.map(|_| axum::body::Body::from(field));
        let answer = browser.deliver(request).await;
        assert_eq!(answer.header("location"), location, "{field}");
        let status = if location.is_some() { 303 } else { 422 };
        assert_eq!(answer.status.as_u16(), status, "{field}");
    }
}

/// The only cookie whose value depends on the requested path.
#[tokio::test]
async fn uri_adds_no_attribute_or_header_to_the_next_cookie() {
    let world = kept_in(NextIn::Cookie);
    for query in [
        "a=;Domain=evil.example",
        "a=b;%20Secure;Path=/evil",
        "a=b,c=d",
        "a=\"b\"",
        "a=%0d%0aSet-Cookie:%20evil=1",
        "a=%00%0a%0d%3b",
        "=",
        "a=\\b",
        "__Host-account-session=x",
        "{|}^`<>",
    ] {
        let Ok(uri) = format!("/private?{query}").parse::<http::Uri>() else {
            continue;
        };
        let mut browser = world.browser.another();
        let answer = browser.get(&uri.to_string()).await;
        let [cookie] = &answer.set_cookies()[..] else {
            panic!("{query}: {:?}", answer.set_cookies())
        };
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        let value = pair.strip_prefix("__Host-account-next=").unwrap();
        let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        assert!(value.bytes().all(harmless), "{query}: {value}");
        assert_eq!(
            attributes, "HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=1800",
            "{query}"
        );
        for header in ["evil", "set-cookie2", "domain"] {
            assert_eq!(answer.header(header), None, "{query}");
        }
    }
}

#[tokio::test]
async fn only_redirects_set_a_next_cookie() {
    let mut world = kept_in(NextIn::Cookie);
    let mut script = world.browser.another();
    script
        .headers
        .insert("accept", "application/json".parse().unwrap());
    let answer = script.get("/private").await;
    assert_eq!(
        (answer.status.as_u16(), answer.set_cookies().len()),
        (401, 0)
    );
    let mut form = world.browser.another();
    let answer = form.post("/private").await;
    assert_eq!(
        answer.set_cookies(),
        [""; 0],
        "there is no way back to a form that was sent"
    );
    let mut htmx = world.browser.another();
    htmx.headers.insert("hx-request", "true".parse().unwrap());
    let answer = htmx.get("/private").await;
    assert_eq!(answer.header("hx-redirect"), Some("/login?notice=login"));
    assert_eq!(answer.set_cookies(), [""; 0], "nor to a part of a page");
    let mut inside = htmx.another();
    let page = "https://shop.example/cart?page=2".parse().unwrap();
    inside.headers.insert("hx-current-url", page);
    inside.get("/private").await;
    assert!(inside.cookie(KEPT).is_some(), "but to the page around it");
    htmx.headers.insert("hx-boosted", "true".parse().unwrap());
    assert_eq!(htmx.get("/private").await.set_cookies().len(), 1);
    // A later redirect to the login page replaces the earlier path.
    let mut elsewhere = world.browser.another();
    elsewhere.get("/private").await;
    assert!(elsewhere.cookie(KEPT).is_some());
    elsewhere
        .headers
        .insert("accept", "text/html".parse().unwrap());
    let answer = elsewhere.post("/private-form").await;
    assert_eq!(answer.status, 303);
    assert_eq!(elsewhere.cookie(KEPT), None);
    // A confirmation uses it up as well.
    world.browser.get("/private").await;
    let mut other = world.browser.clone();
    other.plant(SESSION, "");
    assert!(world.browser.cookie(KEPT).is_some());
    world.browser.post("/login/alice").await;
    world.browser.plant(KEPT, "L3ByaXZhdGU");
    world.browser.post("/confirm").await;
    assert_eq!(world.browser.cookie(KEPT), None);
}

#[tokio::test]
async fn next_cookie_is_removed_with_the_attributes_it_was_set_with() {
    type Configure = fn(LoginManager<Account>) -> LoginManager<Account>;
    let cases: [(Configure, &str); 3] = [
        (
            |manager| manager.with_cookies(Cookies::new().domain("app.example")),
            "__Secure-account-next",
        ),
        (
            |manager| manager.with_cookies(Cookies::new().insecure()),
            "account-next",
        ),
        (
            |manager| manager.with_cookies(Cookies::new().names("sid", "rid")),
            "__Host-sid-next",
        ),
    ];
    for (configure, name) in cases {
        let with_cookie = |manager: LoginManager<Account>| {
            configure(manager).with_login_page(LoginPage::new("/login").next_in(NextIn::Cookie))
        };
        let mut world = World::with(app, with_cookie);
        world.browser.get("/private").await;
        assert_eq!(world.browser.cookie_names(), [name]);
        assert_eq!(world.browser.post("/login").await.location(), "/private");
        assert!(!world.browser.cookie_names().contains(&name));
    }
}

#[tokio::test]
async fn next_can_be_turned_off() {
    let mut world = kept_in(NextIn::Nowhere);
    let refused = world.browser.get("/private").await;
    assert_eq!(refused.location(), "/login?notice=login");
    assert_eq!(refused.set_cookies(), [""; 0]);
    let answer = world.browser.post("/login?next=/private").await;
    assert_eq!(answer.location(), "/dashboard", "whatever the link says");
}

#[tokio::test]
async fn next_field_can_have_another_name() {
    let mut world = World::with(app, |manager| {
        manager.with_login_page(LoginPage::new("/login").next_field("return.to"))
    });
    let refused = world.browser.get("/private").await;
    assert_eq!(refused.location(), "/login?return.to=/private&notice=login");
    let location = refused.location().to_owned();
    assert_eq!(world.browser.get(&location).await.body, "message /private");
    assert_eq!(
        world.browser.get("/login?next=/private").await.body,
        "none -"
    );
    assert_eq!(world.browser.post(&location).await.location(), "/private");
    let long = "f".repeat(65);
    for bad in [
        "", "notice", "method", "a b", "a=b", "a&b", "\u{e9}", "a%20b", &long,
    ] {
        let page = LoginPage::new("/login").next_field(bad.to_owned());
        let error = page.check().unwrap_err();
        assert!(error.to_string().contains(&format!("{bad:?}")), "{error}");
    }
}
