//! Panics of handlers, stores, loaders and user types end only their request.

use std::{borrow::Cow, time::Duration};

use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use http::{Method, StatusCode};
use login_manager::{
    Auth, AuthUser, CurrentUser, Error, LoginManager, LoginRequired, MemoryStore, Session,
    event::EventKind, login_required,
};

use crate::support::{
    browser::Browser,
    events::Events,
    faulty_store::{
        Call::{Create, Delete, Update},
        Fault::{Fails, Panics},
    },
    world::{Account, Accounts, Trouble, World, account, routes},
};

fn world(more: Router) -> (World, Events) {
    let events = Events::default();
    let world = World::with(
        |accounts| routes(accounts).merge(more),
        |manager| events.watch(manager),
    );
    (world, events)
}

/// Sends a request on a task of its own, which panics.
async fn panics(browser: &Browser, method: Method, uri: &str) {
    match browser.start(method, uri).await {
        Ok((_, answer)) => panic!("{uri} answers {}", answer.status),
        Err(error) => assert!(error.is_panic()),
    }
}

async fn panics_after(auth: Auth<Account>, session: Session, Path(what): Path<String>) {
    match &*what {
        "nothing" => {}
        "write" => session.insert("a", "changed").await.unwrap(),
        "login" => drop(auth.login(account(2, "bob")).await.unwrap()),
        "logout" => auth.logout().await.unwrap(),
        "read" => assert!(session.get::<Explosive>("a").await.is_ok()),
        _ => panic!("no such case"),
    }
    panic!("the handler panics");
}

/// Panics while the session's data is being read.
struct Explosive;

impl<'de> serde::Deserialize<'de> for Explosive {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("the type panics")
    }
}

#[tokio::test]
async fn panicking_handler_saves_no_data_and_sends_no_cookie() {
    for what in ["nothing", "write", "read"] {
        let (mut world, _) = world(Router::new().route("/panics/{what}", post(panics_after)));
        world.browser.post("/login/alice").await;
        world.browser.post("/put/a/1").await;
        let before = world.store.inner.records();
        panics(&world.browser, Method::POST, &format!("/panics/{what}")).await;
        assert_eq!(world.store.inner.records(), before, "{what}");
        assert_eq!(world.browser.get("/get/a").await.body, "1", "{what}");
        assert_eq!(world.browser.post("/put/a/2").await.status, 200, "{what}");
    }
}

#[tokio::test]
async fn handler_that_panics_after_a_verb_keeps_the_verb() {
    for what in ["login", "logout"] {
        let (mut world, _) = world(Router::new().route("/panics/{what}", post(panics_after)));
        world.browser.post("/login/alice").await;
        panics(&world.browser, Method::POST, &format!("/panics/{what}")).await;
        assert_eq!(world.browser.get("/who").await.body, "nobody", "{what}");
        assert!(world.live_sessions() <= 1, "one whose cookie no client has");
        assert_eq!(world.browser.post("/login/alice").await.body, "alice");
        assert_eq!(world.browser.get("/me").await.body, "alice");
    }
}

#[tokio::test]
async fn data_that_panics_while_it_is_read_poisons_no_lock() {
    let reads = |session: Session| async move {
        let other = session.clone();
        let read = tokio::spawn(async move { other.get::<Explosive>("a").await.is_ok() }).await;
        assert!(read.is_err());
        session.insert("b", "2").await?;
        Ok::<_, Error>(session.get::<String>("a").await?.unwrap())
    };
    let (mut world, _) = world(Router::new().route("/reads", post(reads)));
    world.browser.post("/put/a/1").await;
    assert_eq!(world.browser.post("/reads").await.body, "1");
    assert_eq!(world.browser.get("/get/b").await.body, "2");
}

#[tokio::test]
async fn loader_that_panics_ends_the_request_and_no_session() {
    let (mut world, _) = world(
        Router::new()
            .route("/guarded", get(|| async { "in" }))
            .route_layer(login_required::<Account>()),
    );
    world.browser.post("/login/alice").await;
    let before = world.store.inner.records();
    world.accounts.trouble(Trouble::Panics);
    for uri in ["/me", "/who", "/guarded"] {
        panics(&world.browser, Method::GET, uri).await;
    }
    assert_eq!(world.store.inner.records(), before);
    world.accounts.trouble(None);
    assert_eq!(world.browser.get("/guarded").await.body, "in");
}

/// The handler goes on after the panic, as a task that was spawned in it does.
#[tokio::test]
async fn loader_that_panics_poisons_nothing_in_the_request() {
    let tries_twice = |accounts: &Accounts| {
        let accounts = accounts.clone();
        move |auth: Auth<Account>, session: Session| async move {
            let other = auth.clone();
            accounts.trouble(Trouble::Panics);
            assert!(
                tokio::spawn(async move { other.user().await.is_ok() })
                    .await
                    .is_err()
            );
            accounts.trouble(None);
            session.insert("a", "1").await?;
            auth.confirm().await?;
            Ok::<_, Error>(auth.user().await?.unwrap().name.clone())
        }
    };
    let mut world = World::with(
        |accounts| routes(accounts).route("/twice", post(tries_twice(accounts))),
        |manager| manager,
    );
    world.browser.post("/login/alice").await;
    assert_eq!(world.browser.post("/twice").await.body, "alice");
    assert_eq!(world.browser.get("/get/a").await.body, "1");
}

#[tokio::test]
async fn store_that_panics_in_a_verb_leaves_it_done_or_undone() {
    for (verb, call, before, after) in [
        ("/login/alice", Create, "nobody", "nobody"),
        ("/login/alice", Update, "visitor", "nobody"),
        ("/login/alice", Update, "alice", "alice"),
        ("/confirm", Update, "alice", "alice"),
        ("/rotate", Update, "alice", "alice"),
        ("/put/a/2", Update, "alice", "alice"),
        ("/logout", Delete, "alice", "alice"),
    ] {
        let case = format!("{verb} as {before}: {call:?} panics");
        let (mut world, _) = world(Router::new());
        match before {
            "nobody" => {}
            "visitor" => _ = world.browser.post("/put/a/1").await,
            name => {
                world.browser.post(&format!("/login/{name}")).await;
                world.browser.post("/put/a/1").await;
            }
        }
        world.store.fail_once(call, Panics);
        panics(&world.browser, Method::POST, verb).await;
        assert!(!world.store.is_still_to_fail(), "{case}");
        assert_eq!(world.browser.get("/who").await.body, after, "{case}");
        let data = if before == "nobody" { "" } else { "1" };
        assert_eq!(world.browser.get("/get/a").await.body, data, "{case}");
        assert_eq!(world.browser.post(verb).await.status, 200, "{case}");
    }
}

/// A user some part of which panics.
struct Fragile {
    breaks: &'static str,
}

impl AuthUser for Fragile {
    type Id = String;

    fn id(&self) -> String {
        assert!(self.breaks != "id", "the id panics");
        "fragile".into()
    }

    fn is_active(&self) -> bool {
        assert!(self.breaks != "active", "is_active panics");
        true
    }

    fn security_stamp(&self) -> Cow<'_, [u8]> {
        assert!(self.breaks != "stamp", "the stamp panics");
        Cow::Borrowed(b"stamp")
    }
}

/// An application whose users break, each when it is loaded and, at another address, when it is
/// logged in.
fn fragile(loaded: &'static str, store: &MemoryStore) -> Browser {
    let manager = LoginManager::new(store.clone(), move |_| async move {
        Some(Fragile { breaks: loaded })
    });
    let login = |auth: Auth<Fragile>, Path(breaks): Path<String>| async move {
        auth.login(Fragile {
            breaks: breaks.leak(),
        })
        .await
        .map(|_| "in")
    };
    let app = Router::new()
        .route("/me", get(|_: LoginRequired<Fragile>| async { "in" }))
        .route(
            "/who",
            get(|CurrentUser::<Fragile>(user)| async move { user.is_some().to_string() }),
        )
        .route("/login/{breaks}", post(login))
        .layer(manager);
    Browser::new(app)
}

#[tokio::test]
async fn user_type_that_panics_at_login_logs_no_user_in() {
    for breaks in ["id", "active", "stamp"] {
        let store = MemoryStore::new();
        let mut browser = fragile("nothing", &store);
        panics(&browser, Method::POST, &format!("/login/{breaks}")).await;
        assert!(store.is_empty(), "{breaks}");
        assert_eq!(browser.post("/login/nothing").await.body, "in", "{breaks}");
        assert_eq!(browser.get("/me").await.body, "in", "{breaks}");
    }
}

#[tokio::test]
async fn user_type_that_panics_when_it_is_checked_ends_no_session() {
    for breaks in ["id", "active", "stamp"] {
        let store = MemoryStore::new();
        let mut sound = fragile("nothing", &store);
        sound.post("/login/nothing").await;
        let mut broken = fragile(breaks, &store);
        broken.plant("__Host-fragile-session", &sound.cookie("session").unwrap());
        for uri in ["/me", "/who"] {
            panics(&broken, Method::GET, uri).await;
        }
        assert_eq!(sound.get("/me").await.body, "in", "{breaks}");
    }
}

#[tokio::test]
async fn server_error_keeps_the_verbs_and_drops_the_data() {
    let fails_after = |auth: Auth<Account>, session: Session, Path(what): Path<String>| async move {
        match &*what {
            "login" => drop(auth.login(account(2, "bob")).await.unwrap()),
            "logout" => auth.logout().await.unwrap(),
            "rotate" => auth.rotate().await.unwrap(),
            "save" => {
                session.insert("saved", "1").await.unwrap();
                session.save().await.unwrap();
            }
            _ => {}
        }
        session.insert("b", "2").await.unwrap();
        StatusCode::BAD_GATEWAY
    };
    for (what, user, cookies) in [
        ("nothing", "alice", 0),
        ("save", "alice", 0),
        ("login", "bob", 1),
        ("rotate", "alice", 1),
        ("logout", "nobody", 2),
    ] {
        let (mut world, events) = world(Router::new().route("/fails/{what}", post(fails_after)));
        world.browser.post("/login/alice").await;
        let answer = world.browser.post(&format!("/fails/{what}")).await;
        assert_eq!(answer.status, 502);
        assert_eq!(answer.set_cookies().len(), cookies, "{what}");
        assert_eq!(world.browser.get("/who").await.body, user, "{what}");
        assert_eq!(world.browser.get("/get/b").await.body, "", "{what}");
        let saved = if what == "save" { "1" } else { "" };
        assert_eq!(world.browser.get("/get/saved").await.body, saved, "{what}");
        assert!(events.take().contains(&EventKind::DataRolledBack), "{what}");
    }
}

#[tokio::test]
async fn failed_save_is_503_and_still_sets_the_new_cookie() {
    let login_and_write = |auth: Auth<Account>, session: Session| async move {
        auth.login(account(1, "alice")).await?;
        session.insert("a", "1").await
    };
    let (mut world, _) = world(Router::new().route("/both", post(login_and_write)));
    world.browser.post("/put/cart/apples").await;
    world.store.fail(Update, Fails);
    let answer = world.browser.post("/both").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("retry-after"), Some("1"));
    world.store.heal();
    assert_eq!(world.browser.get("/who").await.body, "alice");
    assert_eq!(world.browser.get("/get/cart").await.body, "apples");
    assert_eq!(world.browser.get("/get/a").await.body, "");
}

#[tokio::test]
async fn failed_permission_check_is_not_a_403() {
    for (fails, status) in [("error", 503), ("hangs", 503), ("no", 403)] {
        let guard = login_required::<Account>().and_authorize(
            move |_: std::sync::Arc<Account>, _: &http::request::Parts| async move {
                match fails {
                    "error" => Err("the permissions are down"),
                    "hangs" => std::future::pending().await,
                    _ => Ok(false),
                }
            },
        );
        let guarded = Router::new()
            .route("/guarded", get(|| async { "in" }))
            .route_layer(guard);
        let mut world = World::with(
            |accounts: &Accounts| routes(accounts).merge(guarded),
            |manager| manager.with_deadline(Duration::from_millis(1)),
        );
        world.browser.post("/login/alice").await;
        let answer = world.browser.get("/guarded").await;
        assert_eq!(answer.status.as_u16(), status, "{fails}");
        assert!(answer.set_cookies().is_empty(), "{fails}");
    }
}

/// The store panics while a logout is retried in the background.
#[tokio::test(start_paused = true)]
async fn panic_in_a_retried_deletion_stops_no_later_retry() {
    let (mut world, _) = world(Router::new());
    let mut other = world.browser.another();
    for browser in [&mut world.browser, &mut other] {
        browser.post("/login/alice").await;
    }
    world.store.fail(Delete, Fails);
    assert_eq!(world.browser.post("/logout").await.status, 503);
    world.store.fail(Delete, Panics);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(world.store.inner.len(), 2);

    world.store.fail(Delete, Fails);
    assert_eq!(other.post("/logout").await.status, 503);
    world.store.heal();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(world.store.inner.is_empty());
}
