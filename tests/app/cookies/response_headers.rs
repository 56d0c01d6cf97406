//! The headers that the manager adds to a response, and what a request costs.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Path,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use http::{HeaderValue, Method, header};
use login_manager::{Auth, Error, LoginRequired, Session, login_required};

use crate::support::{
    browser::Answer,
    faulty_store::Call,
    world::{Account, Accounts, World, account, routes},
};

/// `/page/{asks}/{own}`: what the handler reads or does, and which headers it sets itself.
async fn page(
    auth: Auth<Account>,
    session: Session,
    Path((asks, own)): Path<(String, String)>,
) -> Result<Response, Error> {
    match &*asks {
        "user" => _ = auth.user().await?,
        "id" => _ = auth.user_id().await?,
        "why" => _ = auth.anonymous_reason().await?,
        "fresh" => _ = auth.is_fresh().await?,
        "data" => _ = session.get::<String>("key").await?,
        "put" => session.insert("key", "value").await?,
        "login" => _ = auth.login(account(1, "alice")).await?,
        "rotate" => auth.rotate().await?,
        "confirm" => _ = auth.confirm().await?,
        "logout" => auth.logout().await?,
        _ => {}
    }
    let mut response = "page".into_response();
    for line in own_headers(&own) {
        let (name, value) = *line;
        response
            .headers_mut()
            .append(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

fn own_headers(own: &str) -> &'static [(&'static str, &'static str)] {
    match own {
        "public" => &[("cache-control", "public, max-age=60")],
        "private" => &[("cache-control", "private, no-cache")],
        "vary" => &[("vary", "Accept-Encoding"), ("vary", "Accept")],
        "cookie" => &[("vary", "Accept, cookie")],
        "star" => &[("vary", "*")],
        "set" => &[("set-cookie", "theme=dark"), ("set-cookie", "lang=de")],
        _ => &[],
    }
}

fn vary(answer: &Answer) -> Vec<String> {
    let values = answer.headers.get_all(header::VARY).iter();
    let names = values.flat_map(|value| value.to_str().unwrap().split(','));
    names.map(|name| name.trim().to_ascii_lowercase()).collect()
}

#[tokio::test]
async fn responses_that_depend_on_the_user_are_marked_private() {
    let asking = [
        "user", "id", "why", "fresh", "data", "put", "login", "rotate", "confirm", "logout",
    ];
    for logged_in in [false, true] {
        for asks in asking.iter().chain(&["nothing"]) {
            for own in ["none", "public", "private", "vary", "cookie", "star", "set"] {
                let mut world = World::with(
                    |accounts| routes(accounts).route("/page/{asks}/{own}", get(page)),
                    |manager| manager,
                );
                if logged_in {
                    world.browser.post("/login/alice").await;
                }
                let asked = *asks != "nothing";
                let answer = world.browser.get(&format!("/page/{asks}/{own}")).await;
                let described = format!("{logged_in} {asks} {own}");
                assert_eq!(
                    (answer.status.as_u16(), &*answer.body),
                    (200, "page"),
                    "{described}"
                );

                let own = own_headers(own);
                let cache_control = own.iter().find(|(name, _)| *name == "cache-control");
                // A response that sets one of our cookies is never stored by a shared cache.
                let ours = answer
                    .set_cookies()
                    .iter()
                    .any(|cookie| cookie.contains("account-"));
                let expected = cache_control
                    .map(|(_, value)| *value)
                    .filter(|value| !ours || value.contains("private"))
                    .or(asked.then_some("no-store"));
                assert_eq!(answer.header("cache-control"), expected, "{described}");

                let mut expected: BTreeSet<_> = own
                    .iter()
                    .filter(|(name, _)| *name == "vary")
                    .flat_map(|(_, value)| value.split(", "))
                    .map(str::to_ascii_lowercase)
                    .collect();
                // `*` says it already.
                if asked && !expected.contains("*") {
                    expected.insert("cookie".into());
                }
                let mut found = vary(&answer);
                found.retain(|name| !(expected.contains("*") && name == "cookie"));
                assert_eq!(found.len(), expected.len(), "{described}: {found:?}");
                assert_eq!(BTreeSet::from_iter(found), expected, "{described}");

                let theirs = own.iter().filter(|(name, _)| *name == "set-cookie").count();
                let foreign = answer
                    .set_cookies()
                    .into_iter()
                    .filter(|set| !set.starts_with("__Host-"));
                assert_eq!(
                    foreign.count(),
                    theirs,
                    "a handler's own cookies stay: {described}"
                );
            }
        }
    }
}

#[tokio::test]
async fn denied_and_failed_responses_are_marked_private() {
    let guarded = |accounts: &Accounts| {
        let guard = login_required::<Account>().and(|account| account.admin);
        let admin = Router::new().route("/admin", get(|| async { "secret" }));
        routes(accounts).merge(admin.route_layer(guard))
    };
    let mut world = World::with(guarded, |manager| manager.with_login_page("/login"));
    let mut answers = vec![
        world.browser.get("/me").await,
        world.browser.get("/admin").await,
    ];
    let mut script = world.browser.another();
    script.headers.clear();
    answers.push(script.get("/me").await);
    world.browser.post("/login/alice").await;
    answers.push(world.browser.get("/admin").await);
    world.accounts.fail(true);
    answers.extend([
        world.browser.get("/me").await,
        world.browser.get("/admin").await,
    ]);
    let statuses: Vec<_> = answers
        .iter()
        .map(|answer| answer.status.as_u16())
        .collect();
    assert_eq!(statuses, [303, 303, 401, 403, 503, 503]);
    for answer in answers {
        assert_eq!(
            answer.header("cache-control"),
            Some("no-store"),
            "{}",
            answer.status
        );
        assert_eq!(vary(&answer), ["cookie"], "{}", answer.status);
        assert_eq!(answer.set_cookies(), [""; 0]);
    }
}

#[tokio::test]
async fn only_responses_that_read_the_session_are_uncacheable() {
    let parts = |accounts: &Accounts| {
        let guard = login_required::<Account>().except(["/app/open"]);
        let app = Router::new()
            .route("/page", get(|| async { "the same for all who are in" }))
            .route("/open", get(|| async { "the same for all" }))
            .layer(guard);
        routes(accounts).nest("/app", app)
    };
    let mut world = World::with(parts, |manager| manager);
    for logged_in in [false, true] {
        if logged_in {
            world.browser.post("/remember/alice").await;
        }
        for page in ["/", "/app/open", "/nowhere"] {
            let answer = world.browser.get(page).await;
            for header in ["vary", "cache-control", "set-cookie"] {
                assert_eq!(answer.header(header), None, "{page} {header}");
            }
        }
        for page in ["/app/page", "/who", "/me", "/why", "/get/a"] {
            let answer = world.browser.get(page).await;
            assert_eq!(vary(&answer), ["cookie"], "{page}");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{page}");
        }
    }
}

#[tokio::test]
async fn request_makes_one_store_read_and_one_user_load() {
    let guarded = |accounts: &Accounts| {
        let handler = async |auth: Auth<Account>, session: Session, _: LoginRequired<Account>| {
            auth.user().await?;
            auth.is_fresh().await?;
            session.get::<String>("key").await
        };
        let page = Router::new().route(
            "/page",
            get(async move |a, s, l| handler(a, s, l).await.map(|_| ())),
        );
        routes(accounts).merge(page.layer(login_required::<Account>()))
    };
    for login in ["/login/alice", "/remember/alice"] {
        let mut world = World::with(guarded, |manager| manager);
        for page in ["/page", "/me", "/who"] {
            world.browser.get(page).await;
        }
        assert_eq!(
            (world.store.take_calls(), world.accounts.loads()),
            (vec![], 0)
        );
        world.browser.post(login).await;
        world.store.take_calls();
        let loads = world.accounts.loads();
        for n in 1..=100 {
            let page = ["/page", "/me", "/who"][n % 3];
            assert_eq!(world.browser.get(page).await.status, 200);
            assert_eq!(
                world.store.take_calls(),
                [Call::Load],
                "{page} after {login}"
            );
            assert_eq!(world.accounts.loads(), loads + n, "{page} after {login}");
        }
    }
}

#[tokio::test]
async fn request_without_changes_writes_nothing() {
    let same = async |session: Session| {
        session.insert("key", "value").await?;
        session.remove("no such key").await?;
        let taken: Option<String> = session.take("nor this one").await?;
        assert_eq!(taken, None);
        Ok::<_, Error>("same")
    };
    let back_and_forth = async |session: Session| {
        session.insert("key", "other").await?;
        session.remove("key").await?;
        session.insert("key", "value").await
    };
    let mut world = World::with(
        |accounts| {
            routes(accounts)
                .route("/same", get(same))
                .route("/there-and-back", get(back_and_forth))
        },
        |manager| manager,
    );
    world.browser.post("/do/alice,put").await;
    for page in [
        "/same",
        "/there-and-back",
        "/who",
        "/me",
        "/get/key",
        "/why",
        "/",
    ] {
        world.store.take_calls();
        let answer = world.browser.get(page).await;
        assert_eq!(
            (answer.status.as_u16(), answer.set_cookies().len()),
            (200, 0),
            "{page}"
        );
        let calls = world.store.take_calls();
        assert!(
            calls.iter().all(|call| *call == Call::Load),
            "{page}: {calls:?}"
        );
        assert!(calls.len() <= 1, "{page}: {calls:?}");
    }
}

#[tokio::test]
async fn anonymous_request_without_data_gets_no_cookie() {
    let nothing_left = async |session: Session| {
        session.insert("key", "value").await?;
        session.remove("key").await
    };
    let World {
        mut browser, store, ..
    } = World::with(
        |accounts| {
            routes(accounts).route(
                "/nothing-left",
                get(async move |session| nothing_left(session).await.map(|_| ())),
            )
        },
        |manager| manager,
    );
    for page in ["/nothing-left", "/get/key", "/who", "/me"] {
        assert_eq!(browser.get(page).await.set_cookies(), [""; 0], "{page}");
    }
    assert!(store.inner.is_empty());
    assert_eq!(store.take_calls(), []);
}

/// Fields that shared caches of some vendors obey, whatever `Cache-Control` says.
const TARGETED: [&str; 8] = [
    "CDN-Cache-Control",
    "Surrogate-Control",
    "Cloudflare-CDN-Cache-Control",
    "Vercel-CDN-Cache-Control",
    "Netlify-CDN-Cache-Control",
    "Akamai-Cache-Control",
    "Edge-Control",
    "X-Accel-Expires",
];

#[tokio::test]
async fn targeted_cache_fields_go_where_our_cookie_is_set() {
    let cacheable = || {
        let mut headers = http::HeaderMap::new();
        for name in TARGETED {
            let name: header::HeaderName = name.parse().unwrap();
            headers.append(name.clone(), HeaderValue::from_static("max-age=60"));
            headers.append(name, HeaderValue::from_static("public"));
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public"));
        headers
    };
    let verb = async move |auth: Auth<Account>, session: Session, Path(verb): Path<String>| {
        match &*verb {
            "login" => drop(auth.login(account(1, "alice")).remember(true).await?),
            "rotate" => auth.rotate().await?,
            "confirm" => _ = auth.confirm().await?,
            "logout" => auth.logout().await?,
            "put" => session.insert("a", "1").await?,
            "look" => _ = auth.user().await?,
            _ => {}
        }
        Ok::<_, Error>(cacheable())
    };
    let world = World::with(
        |accounts| routes(accounts).route("/cacheable/{verb}", any(verb)),
        |manager| manager,
    );
    let mut browser = world.browser.clone();
    for (step, sets) in [
        ("nothing", false),
        ("look", false),
        ("put", true),
        ("put", false),
        ("login", true),
        ("look", false),
        ("rotate", true),
        ("confirm", true),
        ("logout", true),
        ("nothing", false),
    ] {
        let answer = browser.get(&format!("/cacheable/{step}")).await;
        assert_eq!(answer.status, 200, "{step}");
        assert_eq!(!answer.set_cookies().is_empty(), sets, "{step}");
        for name in TARGETED {
            let kept = answer.headers.get_all(name).iter().count();
            assert_eq!(kept, if sets { 0 } else { 2 }, "{step}: {name}");
        }
        let expected = if sets { "no-store" } else { "public" };
        assert_eq!(answer.header("cache-control"), Some(expected), "{step}");
    }
}

/// A body that must not be read.
struct Unread;

impl http_body::Body for Unread {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        panic!("the body was read")
    }
}

#[tokio::test]
async fn guard_decides_before_the_body_is_read() {
    let upload = async |_: LoginRequired<Account>, body: String| body;
    let plain = async |body: String| body;
    let doors = |accounts: &Accounts| {
        let layer = Router::new()
            .route("/layer", any(plain))
            .route_layer(login_required::<Account>());
        routes(accounts)
            .route("/extractor", any(upload))
            .merge(layer)
    };
    let mut world = World::with(doors, |manager| manager);
    for door in ["/extractor", "/layer"] {
        let request = world
            .browser
            .request(Method::POST, door)
            .map(|_| Body::new(Unread));
        assert_eq!(world.browser.deliver(request).await.status, 401, "{door}");
    }
    world.browser.post("/login/alice").await;
    for door in ["/extractor", "/layer"] {
        let request = world
            .browser
            .request(Method::POST, door)
            .map(|_| Body::from("text"));
        assert_eq!(world.browser.deliver(request).await.body, "text", "{door}");
    }
}
