//! Panics and errors of handlers, stores, loaders and user types: contained, nothing half done, and the next request is fine.

use std::{borrow::Cow, time::Duration};

use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use http::{Method, StatusCode};
use login_manager::{
    Auth, AuthUser, CurrentUser, Error, ErrorKind, EventKind, LoginManager, LoginRequired,
    MemoryStore, Session, login_required,
};

use crate::{
    browser::{Answer, Browser},
    events::Events,
    faulty_store::{Call::Update, Fault::Fails, FaultyStore},
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

/// Sends a request on a task of its own; `None` where that panicked.
async fn survives(browser: &Browser, method: Method, uri: &str) -> Option<Answer> {
    match browser.start(method, uri).await {
        Ok((_, answer)) => Some(answer),
        Err(error) => {
            assert!(error.is_panic());
            None
        }
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
async fn fault_26_a_handler_that_panics_saves_nothing_and_sends_nothing() {
    for what in ["nothing", "write", "read"] {
        let (mut world, _) = world(Router::new().route("/panics/{what}", post(panics_after)));
        world.browser.post("/login/alice").await;
        world.browser.post("/put/a/1").await;
        let before = world.store.inner.records();
        let panics = survives(&world.browser, Method::POST, &format!("/panics/{what}")).await;
        assert!(panics.is_none());
        assert_eq!(world.store.inner.records(), before, "{what}");
        assert_eq!(world.browser.get("/get/a").await.body, "1", "{what}");
        assert_eq!(world.browser.post("/put/a/2").await.status, 200, "{what}");
    }
}

#[tokio::test]
async fn fault_26_a_handler_that_panics_after_a_verb_leaves_a_clean_anonymous_browser() {
    for what in ["login", "logout"] {
        let (mut world, _) = world(Router::new().route("/panics/{what}", post(panics_after)));
        world.browser.post("/login/alice").await;
        assert!(
            survives(&world.browser, Method::POST, &format!("/panics/{what}"))
                .await
                .is_none()
        );
        assert_eq!(world.browser.get("/who").await.body, "nobody", "{what}");
        assert!(world.store.inner.len() <= 1, "one that nobody can reach");
        assert_eq!(world.browser.post("/login/alice").await.body, "alice");
        assert_eq!(world.browser.get("/me").await.body, "alice");
    }
}

#[tokio::test]
async fn n4_data_that_panics_while_it_is_read_poisons_nothing() {
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
async fn fault_27_a_loader_that_panics_is_a_500_and_not_nobody() {
    let (mut world, events) = world(
        Router::new()
            .route("/guarded", get(|| async { "in" }))
            .route_layer(login_required::<Account>()),
    );
    world.browser.post("/login/alice").await;
    world.accounts.trouble(Trouble::Panics);
    for uri in ["/me", "/who", "/guarded"] {
        let answer = survives(&world.browser, Method::GET, uri).await.unwrap();
        assert_eq!(answer.status, 500, "{uri}");
        assert!(
            answer.set_cookies().is_empty() && answer.body.is_empty(),
            "{uri}"
        );
    }
    assert!(events.take().contains(&EventKind::LoaderFailed));
    world.accounts.trouble(None);
    assert_eq!(world.browser.get("/guarded").await.body, "in");
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

/// An application whose users break, each when it is loaded and, at another address, when it is logged in.
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
async fn fault_27_a_user_type_that_panics_at_login_logs_nobody_in() {
    for breaks in ["id", "active", "stamp"] {
        let store = MemoryStore::new();
        let mut browser = fragile("nothing", &store);
        let uri = format!("/login/{breaks}");
        let answer = survives(&browser, Method::POST, &uri).await.unwrap();
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{breaks}");
        assert!(
            answer.set_cookies().is_empty() && store.is_empty(),
            "{breaks}"
        );
        assert_eq!(browser.post("/login/nothing").await.body, "in", "{breaks}");
        assert_eq!(browser.get("/me").await.body, "in", "{breaks}");
    }
}

#[tokio::test]
async fn fault_27_a_user_type_that_panics_when_asked_who_it_is_is_contained() {
    for breaks in ["id", "active", "stamp"] {
        let store = MemoryStore::new();
        let mut sound = fragile("nothing", &store);
        sound.post("/login/nothing").await;
        let mut broken = fragile(breaks, &store);
        broken.plant("__Host-fragile-session", &sound.cookie("session").unwrap());
        for uri in ["/me", "/who"] {
            let answer = survives(&broken, Method::GET, uri).await;
            let answer = answer.unwrap_or_else(|| panic!("{breaks} at {uri} ends the task"));
            assert_eq!(answer.status, 500, "{breaks} at {uri}");
        }
        assert_eq!(sound.get("/me").await.body, "in", "{breaks}");
    }
}

#[tokio::test]
async fn fault_30_a_5xx_keeps_the_verbs_and_drops_the_data() {
    let fails_after = |auth: Auth<Account>, session: Session, Path(what): Path<String>| async move {
        match &*what {
            "login" => drop(auth.login(account(2, "bob")).await.unwrap()),
            "logout" => auth.logout().await.unwrap(),
            "renew" => auth.renew().await.unwrap(),
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
        ("renew", "alice", 1),
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
        assert!(events.take().contains(&EventKind::DataDiscarded), "{what}");
    }
}

#[tokio::test]
async fn p13_data_that_cannot_be_saved_makes_a_503_that_still_brings_the_new_cookie() {
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
async fn p15_a_check_that_fails_is_not_a_403() {
    for (fails, status) in [("error", 503), ("hangs", 503), ("panics", 500), ("no", 403)] {
        let guard = login_required::<Account>().and_authorize(
            move |_: std::sync::Arc<Account>, _: &http::request::Parts| async move {
                match fails {
                    "error" => Err("the permissions are down"),
                    "hangs" => std::future::pending().await,
                    "panics" => panic!("the check panics"),
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
        let answer = survives(&world.browser, Method::GET, "/guarded")
            .await
            .unwrap();
        assert_eq!(answer.status.as_u16(), status, "{fails}");
        assert!(answer.set_cookies().is_empty(), "{fails}");
    }
}

#[test]
fn without_a_runtime_a_verb_says_so_and_does_nothing() {
    let store = FaultyStore::new();
    let manager = LoginManager::new(store.clone(), Accounts::new());
    let (sender, receiver) = std::sync::mpsc::channel();
    let app = Router::new()
        .route(
            "/",
            post(move |auth: Auth<Account>| async move { sender.send(auth).unwrap() }),
        )
        .layer(manager);
    // The request itself is in flight and never ends, so that it isn't too late.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let auth = runtime.block_on(async {
        Browser::new(app).post("/").await;
        receiver.recv().unwrap()
    });
    drop(runtime);

    let errors = [
        poll_now(auth.login(account(1, "alice")).into_future()).map(drop),
        poll_now(auth.logout()),
        poll_now(auth.renew()),
        poll_now(auth.confirm()).map(drop),
    ];
    for error in errors {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::NoRuntime);
    }
    assert!(
        poll_now(auth.user()).unwrap().is_none(),
        "a question needs none"
    );
    assert_eq!(store.take_calls(), []);
}

/// The answer of a future that has it at once.
fn poll_now<T>(future: impl Future<Output = T>) -> T {
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut cx) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("it waits"),
    }
}
