//! Each change of a session emits one event, with its user and time.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    routing::{get, post},
};
use login_manager::{
    Auth, FreshLoginRequired, NextPath, auth::AnonymousReason, event::Event, event::EventKind,
    guard::DeniedReason,
};

use crate::support::{
    log::Log,
    world::{Account, Accounts, HOUR, REMEMBER, SESSION, World, account, routes},
};

fn more_routes(accounts: &Accounts) -> Router {
    let inactive = async |auth: Auth<Account>| {
        let carol = Account {
            active: false,
            ..account(3, "carol")
        };
        auth.login(carol).await.map(drop)
    };
    routes(accounts)
        .route("/inactive", post(inactive))
        .route("/next", get(async |_: NextPath| {}))
        .route("/fresh", get(async |_: FreshLoginRequired<Account>| {}))
        .route(
            "/others",
            post(async |auth: Auth<Account>| auth.logout_others().await),
        )
}

#[tokio::test]
async fn each_event_is_emitted_once() {
    use EventKind::{
        AmbiguousCookie, Confirmed, Denied, Ended, LoggedIn, LoggedOut, LoginRejected,
        MalformedCookie, NextRejected, RememberTheft, Restored, Revoked, Rotated, StoreFailed,
        UnknownSession,
    };
    let mut world = World::with(more_routes, |manager| manager);
    let emitted = |world: &World| world.events.take();

    world.browser.get("/").await;
    world.browser.get("/who").await;
    assert_eq!(emitted(&world), [], "an anonymous request emits no event");
    world.browser.get("/me").await;
    assert_eq!(
        emitted(&world),
        [Denied(DeniedReason::LoginRequired(
            AnonymousReason::NoCookie
        ))]
    );
    world.browser.post("/inactive").await;
    assert_eq!(emitted(&world), [LoginRejected]);
    world.browser.get("/next?next=//evil.example").await;
    assert_eq!(emitted(&world), [NextRejected]);

    world.browser.post("/remember/alice").await;
    assert_eq!(emitted(&world), [LoggedIn]);
    let session = world.browser.cookie(SESSION).unwrap();
    world.browser.get("/me").await;
    assert_eq!(emitted(&world), []);
    world.browser.post("/confirm").await;
    assert_eq!(emitted(&world), [Confirmed]);
    world.browser.post("/rotate").await;
    assert_eq!(emitted(&world), [Rotated]);
    world.browser.another().post("/login/alice").await;
    world.browser.post("/others").await;
    assert_eq!(emitted(&world), [LoggedIn, Revoked, Rotated]);
    let remember = world.browser.cookie(REMEMBER).unwrap();

    let mut late = world.browser.another();
    late.plant(SESSION, &session);
    late.get("/who").await;
    assert_eq!(emitted(&world), [UnknownSession], "two rotations ago");
    world.let_grace_pass();

    let mut thief = world.browser.another();
    thief.plant(SESSION, &session);
    thief.get("/who").await;
    assert_eq!(emitted(&world), [UnknownSession], "it was rotated since");
    thief.plant(SESSION, "junk");
    thief.get("/who").await;
    assert_eq!(emitted(&world), [MalformedCookie]);
    let mut twice = world.browser.another();
    twice.post("/login/bob").await;
    assert_eq!(emitted(&world), [LoggedIn]);
    let tokens = [&world.browser, &twice].map(|browser| browser.cookie(SESSION).unwrap());
    let cookies = format!("{SESSION}={}; {SESSION}={}", tokens[0], tokens[1]);
    twice.forget_cookies();
    twice.headers.insert("cookie", cookies.parse().unwrap());
    twice.get("/who").await;
    assert_eq!(emitted(&world), [AmbiguousCookie]);
    let mut junk = world.browser.another();
    junk.plant(REMEMBER, "junk");
    junk.get("/who").await;
    assert_eq!(emitted(&world), [MalformedCookie]);

    world.clock.advance(25 * HOUR);
    world.browser.get("/who").await;
    assert_eq!(emitted(&world), [Restored], "the record lives on");
    world.browser.get("/fresh").await;
    assert_eq!(emitted(&world), [Denied(DeniedReason::FreshLoginRequired)]);
    world.clock.advance(HOUR);
    let mut thief = world.browser.another();
    thief.plant(REMEMBER, &remember);
    thief.get("/who").await;
    assert_eq!(emitted(&world), [RememberTheft]);
    world.browser.get("/who").await;
    assert_eq!(
        emitted(&world),
        [UnknownSession, UnknownSession],
        "both cookies are worth nothing"
    );

    world.browser.post("/login/alice").await;
    for _ in 0..14 * 2 {
        world.clock.advance(12 * HOUR);
        world.browser.get("/who").await;
    }
    assert_eq!(
        emitted(&world),
        [
            UnknownSession,
            LoggedIn,
            Ended(AnonymousReason::AbsoluteTimeout)
        ]
    );
    world.browser.post("/login/alice").await;
    world.accounts.put(Account {
        stamp: "another".into(),
        ..account(1, "alice")
    });
    world.browser.get("/who").await;
    assert_eq!(
        emitted(&world),
        [
            UnknownSession,
            LoggedIn,
            Ended(AnonymousReason::StampChanged)
        ]
    );
    world.browser.post("/login/alice").await;
    world.browser.post("/logout").await;
    world.browser.post("/logout").await;
    assert_eq!(
        emitted(&world),
        [UnknownSession, LoggedIn, LoggedOut],
        "there was one session to log out of"
    );

    world.browser.post("/login/alice").await;
    world
        .store
        .fail_all(crate::support::faulty_store::Fault::Fails);
    world.browser.get("/who").await;
    assert_eq!(emitted(&world), [LoggedIn, StoreFailed]);
}

#[tokio::test]
async fn event_has_user_realm_and_time() {
    let events = Arc::new(Mutex::new(Vec::<Event>::new()));
    let heard = Arc::clone(&events);
    let mut world = World::with(more_routes, |manager| {
        manager.with_on_event(move |event| heard.lock().unwrap().push(event.clone()))
    });
    world.browser.post("/login/alice").await;
    world.clock.advance(HOUR);
    world.browser.post("/rotate").await;
    world.browser.post("/inactive").await;
    let events = events.lock().unwrap().clone();
    let [login, rotated, refused] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(
        (login.user_id(), rotated.user_id(), refused.user_id()),
        (Some("1"), Some("1"), Some("3"))
    );
    assert!(login.realm().ends_with("Account"));
    assert_eq!(
        (login.at() + HOUR, rotated.at()),
        (world.clock.now(), world.clock.now())
    );
    assert_eq!(refused.session_id(), None, "no user was authenticated");
}

#[tokio::test]
async fn events_name_a_session_by_an_id_that_is_no_secret() {
    let events = Arc::new(Mutex::new(Vec::<Event>::new()));
    let heard = Arc::clone(&events);
    let mut world = World::with(more_routes, |manager| {
        manager.with_on_event(move |event| heard.lock().unwrap().push(event.clone()))
    });
    world.browser.post("/remember/alice").await;
    for verb in ["/rotate", "/confirm", "/login/alice", "/logout"] {
        world.browser.post(verb).await;
    }
    let mut other = world.browser.another();
    other.post("/login/alice").await;
    let events = events.lock().unwrap().clone();
    let families: Vec<_> = events
        .iter()
        .map(|event| event.session_id().unwrap())
        .collect();
    let [one, others @ .., last] = &families[..] else {
        panic!("{events:?}")
    };
    assert!(others.len() >= 4, "{events:?}");
    assert!(
        others.iter().all(|other| other == one),
        "one browser has one name: {events:?}"
    );
    assert_ne!(one, last, "another has another");
    for name in [SESSION, REMEMBER] {
        let mut thief = world.browser.another();
        thief.plant(name, &last.to_string());
        assert_eq!(thief.get("/who").await.body, "nobody");
        thief.plant(name, &format!("{last}.{last}"));
        assert_eq!(thief.get("/who").await.body, "nobody");
    }
}

#[tokio::test]
async fn resolved_event_is_emitted_once_per_request_with_user() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let app = |accounts: &Accounts| {
        let thrice = async |auth: Auth<Account>, _: FreshLoginRequired<Account>| {
            auth.is_fresh().await.map(|fresh| fresh.to_string())
        };
        more_routes(accounts).route("/thrice", get(thrice))
    };
    let mut world = World::with(app, |manager| {
        manager.with_on_event(move |event| {
            if event.kind() == EventKind::Resolved {
                let id = event.user_id().map(str::to_owned);
                heard
                    .lock()
                    .unwrap()
                    .push((id, event.session_id().is_some()));
            }
        })
    });
    let emitted = || std::mem::take(&mut *asked.lock().unwrap());
    world.browser.get("/").await;
    assert_eq!(emitted(), [], "a page that doesn't ask");
    world.browser.get("/thrice").await;
    assert_eq!(emitted(), [(None, false)]);
    world.browser.post("/login/alice").await;
    assert_eq!(emitted(), [], "a login is no question");
    assert_eq!(world.browser.get("/thrice").await.body, "true");
    assert_eq!(emitted(), [(Some("1".to_owned()), true)]);
}

/// A user's id is the application's own text, and may be the visitor's.
#[derive(Clone)]
struct Named(String);

impl login_manager::AuthUser for Named {
    type Id = String;

    fn id(&self) -> String {
        self.0.clone()
    }
}

#[tokio::test]
async fn user_id_cannot_forge_a_log_line() {
    let name = "eve\n2026 WARN all is well\u{1b}[2J\u{2028}\r\t";
    let log = Log::listen();
    let manager = login_manager::LoginManager::new(
        login_manager::MemoryStore::new(),
        async |name: String| Some(Named(name)),
    );
    let login = async move |auth: Auth<Named>| auth.login(Named(name.to_owned())).await.map(drop);
    let app = Router::new().route("/login", post(login)).layer(manager);
    assert_eq!(
        crate::support::browser::Browser::new(app)
            .post("/login")
            .await
            .status,
        200
    );
    let lines = log.lines();
    let line = lines.iter().find(|line| line.contains("LoggedIn")).unwrap();
    assert!(
        line.contains("eve") && !line.contains(char::is_control) && !line.contains('\u{2028}'),
        "{line:?}"
    );
}
