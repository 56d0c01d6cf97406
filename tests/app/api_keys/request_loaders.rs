//! Requests that carry their own credentials.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{Router, extract::State, routing::post};
use http::{header::AUTHORIZATION, request::Parts};
use login_manager::{Auth, BoxError, Error, LoginManager, Session, event::EventKind};

use crate::support::{
    browser::Browser,
    world::{Account, Accounts, REMEMBER, SESSION, World, account, routes},
};

/// Accepts `Key <name>`: carol is in no other loader, dora is inactive.
async fn by_key(key: Option<String>) -> Option<Account> {
    match key.as_deref() {
        Some("Key carol") => Some(account(3, "carol")),
        Some("Key dora") => Some(Account {
            active: false,
            ..account(4, "dora")
        }),
        _ => None,
    }
}

fn header(head: &Parts) -> Option<String> {
    head.headers
        .get(AUTHORIZATION)
        .map(|value| value.to_str().unwrap().to_owned())
}

fn with_keys(manager: LoginManager<Account>) -> LoginManager<Account> {
    manager.with_request_loader(|head: &Parts| by_key(header(head)))
}

fn key(browser: &Browser, key: &str) -> Browser {
    let mut client = browser.another();
    client.headers.insert(AUTHORIZATION, key.parse().unwrap());
    client
}

#[tokio::test]
async fn request_with_an_api_key_creates_no_session_or_cookie() {
    let world = World::with(routes, with_keys);
    let mut carol = key(&world.browser, "Key carol");
    let answer = carol.get("/me").await;
    assert_eq!(answer.body, "carol");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(carol.get("/how").await.body, "carol stale");
    assert_eq!(
        carol.post("/confirm").await.body,
        "false",
        "there is no session to confirm"
    );
    for uri in ["/me", "/who", "/how"] {
        assert!(carol.get(uri).await.set_cookies().is_empty());
    }
    assert!(world.store.inner.is_empty());
    assert!(world.store.take_calls().is_empty());
    assert_eq!(
        key(&world.browser, "Key nobody").get("/who").await.body,
        "nobody"
    );
    assert_eq!(
        key(&world.browser, "Key dora").get("/why").await.body,
        "Some(Inactive)"
    );
}

/// The handler reads data and never the user.
#[tokio::test]
async fn data_of_a_request_with_an_api_key_is_not_saved() {
    let world = World::with(routes, with_keys);
    let mut carol = key(&world.browser, "Key carol");
    for _ in 0..2 {
        let answer = carol.post("/put/cart/apples").await;
        assert_eq!(
            (answer.status.as_u16(), answer.set_cookies().len()),
            (200, 0)
        );
    }
    assert!(world.store.inner.is_empty());
    assert_eq!(carol.get("/get/cart").await.body, "");

    let mut visitor = world.browser.another();
    visitor.post("/put/cart/apples").await;
    assert_eq!(visitor.get("/get/cart").await.body, "apples");
    assert_eq!(world.store.inner.len(), 1);
}

/// Saves data for the current user, and then logs bob in.
async fn write_and_log_in(
    State(accounts): State<Accounts>,
    auth: Auth<Account>,
    session: Session,
) -> Result<String, Error> {
    let before = auth.user().await?.map(|user| user.name.clone());
    session.insert("secret", "before the login").await?;
    auth.login(accounts.by_name("bob").unwrap()).await?;
    Ok(before.unwrap_or_default())
}

fn with_login(accounts: &Accounts) -> Router {
    let login = post(write_and_log_in).with_state(accounts.clone());
    routes(accounts).route("/write-and-log-in", login)
}

#[tokio::test]
async fn login_beside_an_api_key_finds_no_data_of_that_user() {
    let world = World::with(with_login, with_keys);
    let mut carol = key(&world.browser, "Key carol");
    assert_eq!(carol.post("/write-and-log-in").await.body, "carol");
    assert_eq!(carol.get("/who").await.body, "bob");
    assert_eq!(carol.get("/get/secret").await.body, "");

    let mut visitor = world.browser.another();
    assert_eq!(visitor.post("/write-and-log-in").await.body, "");
    let kept = visitor.get("/get/secret").await.body;
    assert_eq!(kept, "before the login", "a visitor's own goes along");
}

#[tokio::test]
async fn login_beside_an_api_key_ends_the_old_session() {
    let world = World::with(with_login, with_keys);
    let mut browser = key(&world.browser, "Key carol");
    let mut visitor = world.browser.another();
    visitor.post("/put/cart/apples").await;
    browser.plant(SESSION, &visitor.cookie("session").unwrap());
    assert_eq!(browser.post("/write-and-log-in").await.body, "carol");
    assert_eq!(browser.get("/who").await.body, "bob");
    assert_eq!(browser.get("/get/secret").await.body, "");
    assert_eq!(visitor.get("/get/cart").await.body, "");
    assert_eq!(world.live_sessions(), 1);
}

#[tokio::test]
async fn session_outranks_an_api_key_and_malformed_cookies_do_not() {
    let world = World::with(routes, with_keys);
    let mut client = key(&world.browser, "Key carol");
    client.plant(SESSION, "junk");
    client.plant(REMEMBER, "junk");
    assert_eq!(client.get("/who").await.body, "carol");
    client.post("/login/alice").await;
    assert_eq!(client.get("/who").await.body, "alice");
    client.post("/logout").await;
    assert_eq!(
        client.get("/who").await.body,
        "carol",
        "its key is still good"
    );
}

#[tokio::test]
async fn request_loaders_run_in_order_until_a_user_or_an_error() {
    let fails = Arc::new(AtomicBool::new(false));
    let broken = Arc::clone(&fails);
    let world = World::with(routes, |manager| {
        with_keys(manager).with_request_loader(move |head: &Parts| {
            let (key, fails) = (header(head), broken.load(Ordering::SeqCst));
            async move {
                match key.as_deref() {
                    _ if fails => Err(BoxError::from("the key store is down")),
                    Some("Key carol" | "Key dora") => Ok(Some(account(5, "second"))),
                    _ => Ok(None),
                }
            }
        })
    });
    assert_eq!(
        key(&world.browser, "Key carol").get("/who").await.body,
        "carol"
    );
    assert_eq!(
        key(&world.browser, "Key dora").get("/who").await.body,
        "second",
        "one who isn't active is passed over"
    );
    fails.store(true, Ordering::SeqCst);
    assert_eq!(
        key(&world.browser, "Key carol").get("/who").await.body,
        "carol"
    );
    let mut other = key(&world.browser, "Key other");
    assert_eq!(other.get("/who").await.status, 503);
    assert_eq!(other.get("/").await.body, "public");
}

#[tokio::test]
async fn request_loader_that_awaits_the_current_user_is_an_error() {
    let events = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&events);
    let world = World::with(routes, |manager| {
        manager
            .with_on_event(move |event| {
                seen.lock()
                    .unwrap()
                    .push((event.kind(), event.user_id().map(str::to_owned)));
            })
            .with_request_loader(|head: &Parts| {
                let found = Auth::<Account>::from_extensions(&head.extensions).is_some();
                async move { (!found).then(|| account(3, "carol")) }
            })
    });
    assert_eq!(world.browser.another().get("/who").await.body, "carol");
    assert_eq!(
        *events.lock().unwrap(),
        [
            (EventKind::LoadedByRequest, Some("3".to_owned())),
            (EventKind::Resolved, Some("3".to_owned()))
        ]
    );
}
