//! User ids of every kind, and ids that do not round-trip through text.

use std::{
    fmt,
    str::FromStr,
    sync::atomic::{AtomicBool, Ordering},
};

use axum::{
    Router,
    routing::{get, post},
};
use login_manager::{Auth, AuthUser, Error, ErrorKind, MemoryStore};

use crate::support::{
    browser::Browser,
    faulty_store::Call,
    world::{Account, Accounts, Named, People, World, account, routes},
};

async fn logs_in_as<U: AuthUser + Clone>(user: U) {
    let people = People::new([user.clone()]);
    let app = people.routes().layer(people.manager(MemoryStore::new()));
    let mut browser = Browser::new(app);
    assert_eq!(browser.post("/login/0").await.status, 200);
    assert_eq!(browser.get("/who").await.body, format!("<{}>", user.id()));
    assert_eq!(browser.get("/me").await.status, 200);
}

#[tokio::test]
async fn users_with_unusual_ids_log_in() {
    for id in [0, -1, 1, i64::MIN, i64::MAX] {
        logs_in_as(account(id, "somebody")).await;
    }
    for id in [
        "",
        " ",
        "None",
        "null",
        "nobody",
        "0",
        "false",
        "a b",
        "a:b",
        "a/b",
        "\0",
        "\r\nSet-Cookie: a=b",
        "; a=b",
        "é",
        "\u{2028}",
        "💡",
    ] {
        logs_in_as(Named(id.into())).await;
    }
    logs_in_as(Named("x".repeat(10_000))).await;
}

#[tokio::test]
async fn similar_ids_are_different_users() {
    let people =
        People::new(["", " ", "1", "01", "a", "A", "é", "e\u{301}"].map(|id| Named(id.into())));
    let app = people.routes().layer(people.manager(MemoryStore::new()));
    let mut browsers = Vec::new();
    for index in 0..people.0.len() {
        let mut browser = Browser::new(app.clone());
        browser.post(&format!("/login/{index}")).await;
        browsers.push(browser);
    }
    for (browser, user) in browsers.iter_mut().zip(&*people.0) {
        assert_eq!(browser.get("/who").await.body, format!("<{}>", user.0));
    }
    browsers[0].post("/logout").await;
    assert_eq!(browsers[1].get("/who").await.body, "< >");
}

/// An id whose type took any text once, and takes only numbers since.
#[derive(Clone, PartialEq)]
struct Narrowed(String);

static IS_NARROW: AtomicBool = AtomicBool::new(false);

impl fmt::Display for Narrowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Narrowed {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        match IS_NARROW.load(Ordering::SeqCst) && !is_number {
            true => Err(()),
            false => Ok(Self(text.to_owned())),
        }
    }
}

#[derive(Clone)]
struct Renumbered(Narrowed);

impl AuthUser for Renumbered {
    type Id = Narrowed;

    fn id(&self) -> Narrowed {
        self.0.clone()
    }
}

#[tokio::test]
async fn session_whose_id_no_longer_parses_is_anonymous() {
    let people = People::new([Renumbered(Narrowed("zoe".into()))]);
    let app = people.routes().layer(people.manager(MemoryStore::new()));
    let mut browser = Browser::new(app);
    browser.post("/login/0").await;
    assert_eq!(browser.get("/who").await.body, "<zoe>");
    IS_NARROW.store(true, Ordering::SeqCst);
    assert_eq!(browser.get("/why").await.body, "Some(BadId)");
    assert_eq!(browser.get("/who").await.body, "nobody");
    assert_eq!(browser.get("/me").await.status, 401);
    IS_NARROW.store(false, Ordering::SeqCst);
    assert_eq!(browser.get("/who").await.body, "<zoe>", "it was left alone");
}

/// Forgets its case when it is written down.
#[derive(Clone, PartialEq)]
struct Loud(String);

impl fmt::Display for Loud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_lowercase())
    }
}

impl FromStr for Loud {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "unreadable" {
            Err(())
        } else {
            Ok(Self(text.into()))
        }
    }
}

#[derive(Clone)]
struct Shouter(&'static str);

impl AuthUser for Shouter {
    type Id = Loud;

    fn id(&self) -> Loud {
        Loud(self.0.into())
    }
}

#[tokio::test]
async fn login_with_an_id_that_does_not_round_trip_is_rejected() {
    let people = People::new(["ALICE", "unreadable", "bob"].map(Shouter));
    let store = MemoryStore::new();
    let kind = async |auth: Auth<Shouter>| {
        let error = auth.login(Shouter("ALICE")).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::UnstableId);
        assert!(auth.user().await.unwrap().is_none());
    };
    let impersonate = async |auth: Auth<Shouter>| {
        let error = auth.impersonate(Shouter("ALICE")).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::UnstableId);
    };
    let app: Router = people
        .routes()
        .route("/kind", post(kind))
        .route("/as", post(impersonate));
    let mut browser = Browser::new(app.layer(people.manager(store.clone())));
    assert_eq!(browser.post("/kind").await.status, 200);
    for (index, status) in [(0, 500), (1, 500), (2, 200)] {
        let answer = browser.post(&format!("/login/{index}")).await;
        assert_eq!(answer.status, status, "{index}");
        assert_eq!(store.len(), usize::from(status == 200));
        assert_eq!(answer.set_cookies().len(), store.len());
    }
    assert_eq!(browser.post("/as").await.status, 200);
    assert_eq!(browser.get("/who").await.body, "<bob>");
}

#[tokio::test]
async fn loader_that_returns_another_user_is_an_error() {
    let wrong = |_: i64| async { Some(account(2, "bob")) };
    let people = People::new([account(1, "alice")]);
    let manager = login_manager::LoginManager::<Account>::new(MemoryStore::new(), wrong);
    let mut browser = Browser::new(people.routes().layer(manager));
    browser.post("/login/0").await;
    for page in ["/who", "/me", "/why"] {
        let answer = browser.get(page).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (500, ""), "{page}");
    }
    assert_eq!(browser.cookie_names().len(), 1);
}

/// The id of a session's user costs one read of the store, and no load.
#[tokio::test]
async fn user_id_is_known_without_loading_the_user() {
    let app = |accounts: &Accounts| {
        let id = async |auth: Auth<Account>| {
            let id = auth.user_id().await?;
            let user = auth.user().await?;
            let same = auth.user_id().await?;
            assert_eq!(same, user.map(|user| user.id), "once it is loaded");
            Ok::<_, Error>(format!("{id:?}"))
        };
        let only_id = async |auth: Auth<Account>| {
            let id = auth.user_id().await?;
            Ok::<_, Error>(format!("{id:?}"))
        };
        routes(accounts)
            .route("/id", get(id))
            .route("/only-id", get(only_id))
    };
    let mut world = World::with(app, |manager| manager);
    assert_eq!(world.browser.get("/id").await.body, "None");
    world.browser.post("/put/cart/apples").await;
    assert_eq!(world.browser.get("/id").await.body, "None");
    world.browser.post("/remember/alice").await;
    let loads = world.accounts.loads();
    world.store.take_calls();
    assert_eq!(world.browser.get("/only-id").await.body, "Some(1)");
    assert_eq!(world.store.take_calls(), [Call::Load]);
    assert_eq!(world.accounts.loads(), loads);
    assert_eq!(world.browser.get("/id").await.body, "Some(1)");
    // A returning browser is only recognized when the user is looked up.
    world.browser.restart();
    assert_eq!(world.browser.get("/only-id").await.body, "None");
    assert_eq!(world.browser.get("/id").await.body, "None");
    assert_eq!(world.browser.get("/only-id").await.body, "Some(1)");
}
