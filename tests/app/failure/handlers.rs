//! Requests whose handler returns an error, panics or is dropped.

use std::sync::{Arc, Mutex};

use axum::routing::post;
use login_manager::{Auth, Error, ErrorKind, Session, event::EventKind};
use tower_http::catch_panic::CatchPanicLayer;

use crate::support::{
    browser::Browser,
    faulty_store::{Call, Fault},
    world::{Account, World, account, routes},
};

#[tokio::test]
async fn server_error_keeps_verbs_and_drops_unsaved_data() {
    // The verbs, the current user afterwards and whether the data was saved. Each starts as bob
    // without data.
    for (script, who, data) in [
        ("fail", "bob", false),
        ("put,fail", "bob", false),
        ("put,save,fail", "bob", true),
        ("alice,fail", "alice", false),
        ("alice,put,fail", "alice", false),
        ("logout,fail", "nobody", false),
        ("logout,put,fail", "nobody", false),
        ("rotate,fail", "bob", false),
        ("confirm,put,fail", "bob", false),
        ("put,refuse", "bob", true),
        ("alice,put,refuse", "alice", true),
    ] {
        let mut world = World::new();
        world.browser.post("/login/bob").await;
        let old = world.token();
        world.events.take();
        let answer = world.browser.post(&format!("/do/{script}")).await;
        let status = if script.contains("fail") { 500 } else { 422 };
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (status, who),
            "{script}"
        );
        assert_eq!(world.browser.get("/who").await.body, who, "{script}");
        let kept = world.browser.get("/get/key").await.body;
        assert_eq!(kept, if data { "value" } else { "" }, "{script}");
        let discarded = world.events.take().contains(&EventKind::DataRolledBack);
        assert_eq!(discarded, script.contains("put,fail"), "{script}");
        if ["alice", "logout", "rotate", "confirm"]
            .iter()
            .any(|verb| script.contains(verb))
        {
            world.let_grace_pass();
            assert_eq!(world.who_has(&old).await, "nobody", "{script}");
        }
    }
}

#[tokio::test]
async fn server_error_saves_no_anonymous_session() {
    let World {
        mut browser, store, ..
    } = World::new();
    assert_eq!(browser.post("/do/put,fail").await.set_cookies(), [""; 0]);
    assert!(store.inner.is_empty());
}

#[tokio::test]
async fn failed_save_turns_the_response_into_503() {
    for (call, start, script, who) in [
        (Call::Update, "bob", "put", "bob"),
        (Call::Create, "put", "put", "nobody"),
        // The login was whole before the save failed: its cookie leaves.
        (Call::Update, "bob", "alice,put", "alice"),
    ] {
        let mut world = World::new();
        if start == "bob" {
            world.browser.post("/login/bob").await;
        }
        world.store.fail(call, Fault::Fails);
        let answer = world.browser.post(&format!("/do/{script}")).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (503, ""),
            "{script}"
        );
        assert_eq!(answer.header("retry-after"), Some("1"));
        world.store.heal();
        assert_eq!(world.browser.get("/who").await.body, who, "{script}");
        assert_eq!(world.browser.get("/get/key").await.body, "", "{script}");
    }
}

/// Panicked, and so the browser heard nothing.
async fn crash(browser: &Browser, uri: &'static str) {
    let mut browser = browser.clone();
    let task = tokio::spawn(async move { browser.post(uri).await });
    assert!(task.await.unwrap_err().is_panic());
}

#[tokio::test]
async fn panicking_handler_saves_no_data_and_ends_no_session() {
    let mut world = World::new();
    world.browser.post("/login/bob").await;
    let records = world.store.inner.records();
    crash(&world.browser, "/do/panic").await;
    crash(&world.browser, "/do/put,panic").await;
    assert_eq!(world.store.inner.records(), records);
    assert_eq!(world.browser.get("/get/key").await.body, "");
    assert_eq!(world.browser.post("/do/put").await.body, "bob");
    assert_eq!(world.browser.get("/get/key").await.body, "value");
}

#[tokio::test]
async fn handler_that_panics_after_a_verb_leaves_a_usable_browser() {
    // Its cookie is that of before: after a change that keeps the user it joins for a while.
    for (uri, who) in [
        ("/do/alice,panic", "nobody"),
        ("/do/alice,put,panic", "nobody"),
        ("/do/logout,panic", "nobody"),
        ("/do/rotate,panic", "bob"),
        ("/do/confirm,panic", "bob"),
    ] {
        let mut world = World::new();
        world.browser.post("/login/bob").await;
        crash(&world.browser, uri).await;
        assert_eq!(world.browser.get("/who").await.body, who, "{uri}");
        world.let_grace_pass();
        assert_eq!(world.browser.get("/who").await.body, "nobody", "{uri}");
        assert_eq!(
            world.browser.post("/login/alice").await.body,
            "alice",
            "{uri}"
        );
        assert_eq!(world.browser.get("/who").await.body, "alice", "{uri}");
    }
}

#[tokio::test]
async fn client_that_hangs_up_after_a_login_is_anonymous() {
    let mut world = World::new();
    world.browser.post("/login/bob").await;
    world.events.take();
    let mut browser = world.browser.clone();
    let request = tokio::spawn(async move { browser.post("/do/alice,hang").await });
    while !world.events.take().contains(&EventKind::LoggedIn) {
        tokio::task::yield_now().await;
    }
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    assert_eq!(world.browser.get("/who").await.body, "nobody");
    assert_eq!(world.live_sessions(), 1, "no client has its cookie");
}

#[tokio::test]
async fn panic_caught_inside_or_outside_the_manager_saves_no_data() {
    for inside in [true, false] {
        let world = World::new();
        let app = routes(&world.accounts);
        let app = if inside {
            app.layer(CatchPanicLayer::new())
                .layer(world.manager.clone())
        } else {
            app.layer(world.manager.clone())
                .layer(CatchPanicLayer::new())
        };
        let mut browser = Browser::new(app);
        browser.post("/login/bob").await;
        let answer = browser.post("/do/alice,put,panic").await;
        assert_eq!(answer.status, 500);
        assert_eq!(answer.set_cookies().len(), usize::from(inside));
        let who = if inside { "alice" } else { "nobody" };
        assert_eq!(browser.get("/who").await.body, who);
        assert_eq!(browser.get("/get/key").await.body, "");
    }
}

#[tokio::test]
async fn verbs_after_the_head_are_too_late_if_they_need_a_cookie() {
    type Kept = Arc<Mutex<Option<(Auth<Account>, Session)>>>;
    let kept = Kept::default();
    let keeper = Arc::clone(&kept);
    let keep = async move |auth: Auth<Account>, session: Session| {
        auth.user().await?;
        *keeper.lock().unwrap() = Some((auth, session));
        Ok::<_, Error>("kept")
    };
    let mut world = World::with(
        |accounts| routes(accounts).route("/keep", post(keep)),
        |manager| manager,
    );
    world.browser.post("/login/bob").await;
    assert_eq!(world.browser.post("/keep").await.body, "kept");
    let (auth, session) = kept.lock().unwrap().take().unwrap();

    world.store.take_calls();
    let late = [
        auth.login(account(1, "alice")).await.map(drop),
        auth.confirm().await.map(drop),
        auth.rotate().await,
    ];
    for late in late {
        assert_eq!(late.unwrap_err().kind(), ErrorKind::TooLate);
    }
    assert_eq!(world.store.take_calls(), []);
    assert_eq!(world.browser.get("/who").await.body, "bob");

    session.insert("key", "late").await.unwrap();
    session.save().await.unwrap();
    assert_eq!(world.browser.get("/get/key").await.body, "late");
    auth.logout().await.unwrap();
    assert_eq!(world.browser.get("/who").await.body, "nobody");
    assert!(world.store.inner.is_empty());
}

#[tokio::test]
async fn late_save_without_a_session_is_too_late() {
    let kept = Arc::<Mutex<Option<Session>>>::default();
    let keeper = Arc::clone(&kept);
    let keep = async move |session: Session| _ = keeper.lock().unwrap().replace(session);
    let mut world = World::with(
        |accounts| routes(accounts).route("/keep", post(keep)),
        |manager| manager,
    );
    world.browser.post("/keep").await;
    let session = kept.lock().unwrap().take().unwrap();
    session.insert("key", "late").await.unwrap();
    assert_eq!(session.save().await.unwrap_err().kind(), ErrorKind::TooLate);
    assert!(world.store.inner.is_empty());
}
