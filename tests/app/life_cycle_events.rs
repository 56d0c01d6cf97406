//! Each thing that happens to a session is told once, and who and when with it.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    routing::{get, post},
};
use login_manager::{
    Auth, FreshLoginRequired, NextPath, auth::AnonymousReason, event::Event, event::EventKind,
    guard::DeniedReason,
};

use crate::{
    log::Log,
    world::{Account, Accounts, HOUR, World, account, routes},
};

const SESSION: &str = "__Host-account-session";
const REMEMBER: &str = "__Host-account-remember";

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
    let told = |world: &World| world.events.take();

    world.browser.get("/").await;
    world.browser.get("/who").await;
    assert_eq!(told(&world), [], "a visitor is no event");
    world.browser.get("/me").await;
    assert_eq!(
        told(&world),
        [Denied(DeniedReason::LoginRequired(
            AnonymousReason::NoCookie
        ))]
    );
    world.browser.post("/inactive").await;
    assert_eq!(told(&world), [LoginRejected]);
    world.browser.get("/next?next=//evil.example").await;
    assert_eq!(told(&world), [NextRejected]);

    world.browser.post("/remember/alice").await;
    assert_eq!(told(&world), [LoggedIn]);
    let (session, remember) = (
        world.browser.cookie(SESSION).unwrap(),
        world.browser.cookie(REMEMBER).unwrap(),
    );
    world.browser.get("/me").await;
    assert_eq!(told(&world), []);
    world.browser.post("/confirm").await;
    assert_eq!(told(&world), [Confirmed]);
    world.browser.post("/renew").await;
    assert_eq!(told(&world), [Rotated]);
    world.browser.another().post("/login/alice").await;
    world.browser.post("/others").await;
    assert_eq!(told(&world), [LoggedIn, Revoked, Rotated]);

    let mut late = world.browser.another();
    late.plant(SESSION, &session);
    late.get("/who").await;
    assert_eq!(told(&world), [UnknownSession], "two rotations ago");
    world.let_grace_pass();

    let mut thief = world.browser.another();
    thief.plant(SESSION, &session);
    thief.get("/who").await;
    assert_eq!(told(&world), [UnknownSession], "it was renewed since");
    thief.plant(SESSION, "junk");
    thief.get("/who").await;
    assert_eq!(told(&world), [MalformedCookie]);
    let mut twice = world.browser.another();
    twice.post("/login/bob").await;
    assert_eq!(told(&world), [LoggedIn]);
    let tokens = [&world.browser, &twice].map(|browser| browser.cookie(SESSION).unwrap());
    let cookies = format!("{SESSION}={}; {SESSION}={}", tokens[0], tokens[1]);
    twice.forget_cookies();
    twice.headers.insert("cookie", cookies.parse().unwrap());
    twice.get("/who").await;
    assert_eq!(told(&world), [AmbiguousCookie]);
    let mut junk = world.browser.another();
    junk.plant(REMEMBER, "junk");
    junk.get("/who").await;
    assert_eq!(told(&world), [MalformedCookie]);

    world.clock.advance(25 * HOUR);
    world.browser.get("/who").await;
    assert_eq!(told(&world), [Restored], "the record lives on");
    world.browser.get("/fresh").await;
    assert_eq!(told(&world), [Denied(DeniedReason::FreshLoginRequired)]);
    world.clock.advance(HOUR);
    let mut thief = world.browser.another();
    thief.plant(REMEMBER, &remember);
    thief.get("/who").await;
    assert_eq!(told(&world), [RememberTheft]);
    world.browser.get("/who").await;
    assert_eq!(
        told(&world),
        [UnknownSession, UnknownSession],
        "both cookies are worth nothing"
    );

    world.browser.post("/login/alice").await;
    for _ in 0..14 * 2 {
        world.clock.advance(12 * HOUR);
        world.browser.get("/who").await;
    }
    assert_eq!(
        told(&world),
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
        told(&world),
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
        told(&world),
        [UnknownSession, LoggedIn, LoggedOut],
        "there was one session to log out of"
    );

    world.browser.post("/login/alice").await;
    world.store.fail_all(crate::faulty_store::Fault::Fails);
    world.browser.get("/who").await;
    assert_eq!(told(&world), [LoggedIn, StoreFailed]);
}

#[tokio::test]
async fn l1_an_event_says_who_where_and_when() {
    let events = Arc::new(Mutex::new(Vec::<Event>::new()));
    let heard = Arc::clone(&events);
    let mut world = World::with(more_routes, |manager| {
        manager.with_on_event(move |event| heard.lock().unwrap().push(event.clone()))
    });
    world.browser.post("/login/alice").await;
    world.clock.advance(HOUR);
    world.browser.post("/renew").await;
    world.browser.post("/inactive").await;
    let events = events.lock().unwrap().clone();
    let [login, renewed, refused] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(
        (login.user_id(), renewed.user_id(), refused.user_id()),
        (Some("1"), Some("1"), Some("3"))
    );
    assert!(login.realm().ends_with("Account"));
    assert_eq!(
        (login.at() + HOUR, renewed.at()),
        (world.clock.now(), world.clock.now())
    );
    assert_eq!(refused.session_id(), None, "nobody got in");
}

#[tokio::test]
async fn l4_events_name_a_browser_whatever_its_token_by_what_opens_nothing() {
    let events = Arc::new(Mutex::new(Vec::<Event>::new()));
    let heard = Arc::clone(&events);
    let mut world = World::with(more_routes, |manager| {
        manager.with_on_event(move |event| heard.lock().unwrap().push(event.clone()))
    });
    world.browser.post("/remember/alice").await;
    for verb in ["/renew", "/confirm", "/login/alice", "/logout"] {
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
async fn l1_the_first_question_of_a_request_is_told_once_and_whose_it_was() {
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
    let told = || std::mem::take(&mut *asked.lock().unwrap());
    world.browser.get("/").await;
    assert_eq!(told(), [], "a page that doesn't ask");
    world.browser.get("/thrice").await;
    assert_eq!(told(), [(None, false)]);
    world.browser.post("/login/alice").await;
    assert_eq!(told(), [], "a login is no question");
    assert_eq!(world.browser.get("/thrice").await.body, "true");
    assert_eq!(told(), [(Some("1".to_owned()), true)]);
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
async fn l3_an_id_can_forge_no_line_of_the_log() {
    let name = "eve\n2026 WARN all is well\u{1b}[2J\u{2028}\r\t";
    let log = Log::listen();
    let manager = login_manager::LoginManager::new(
        login_manager::MemoryStore::new(),
        async |name: String| Some(Named(name)),
    );
    let login = async move |auth: Auth<Named>| auth.login(Named(name.to_owned())).await.map(drop);
    let app = Router::new().route("/login", post(login)).layer(manager);
    assert_eq!(
        crate::browser::Browser::new(app)
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
