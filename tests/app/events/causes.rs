//! Causes of failures: events have them, the log only those that are safe to log.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use axum::Router;
use http::request::Parts;
use login_manager::{
    BoxError, LoginManager, SessionStore,
    event::Event,
    event::EventKind,
    login_required,
    store::StoreError,
    store::{CreateOutcome, Outcome, Page, SessionId, SessionRecord},
};
use tracing::Level;

use crate::support::{
    browser::Browser,
    faulty_store::{
        Call::Load,
        Fault::{Fails, Hangs},
    },
    log::Log,
    world::{Account, REMEMBER, SESSION, World, routes},
};

/// All events.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Event>>>);

impl Heard {
    fn listen(&self, manager: LoginManager<Account>) -> LoginManager<Account> {
        let heard = self.clone();
        manager.with_on_event(move |event| heard.0.lock().unwrap().push(event.clone()))
    }

    /// The one event of this kind since the last call.
    fn take(&self, kind: EventKind) -> Event {
        let events = std::mem::take(&mut *self.0.lock().unwrap());
        let mut events = events.into_iter().filter(|event| event.kind() == kind);
        let event = events.next().unwrap_or_else(|| panic!("no {kind:?}"));
        assert!(events.next().is_none(), "{kind:?} once");
        event
    }
}

fn world(routes: impl FnOnce(&crate::support::world::Accounts) -> Router) -> (World, Heard) {
    let heard = Heard::default();
    let world = World::with(routes, |manager| heard.listen(manager));
    (world, heard)
}

#[tokio::test(start_paused = true)]
async fn store_failure_event_has_its_cause_and_the_log_does_not() {
    let (mut world, heard) = world(routes);
    world.browser.post("/login/alice").await;
    let log = Log::listen();
    for (fault, cause, logged) in [
        (Fails, "the store is down", None),
        (
            Hangs,
            "no answer within the deadline",
            Some("cause=\"no answer within the deadline\""),
        ),
    ] {
        world.store.fail(Load, fault);
        assert_eq!(world.browser.get("/me").await.status, 503);
        let event = heard.take(EventKind::StoreFailed);
        assert_eq!(event.cause(), Some(cause));
        let warnings = log.at(Level::WARN);
        let line = warnings.last().unwrap();
        assert!(line.contains("kind=StoreFailed"), "{line}");
        assert_eq!(line.contains("cause"), logged.is_some(), "{line}");
        assert!(logged.is_none_or(|logged| line.contains(logged)), "{line}");
        let debug = format!("{event:?}");
        assert_eq!(debug.contains(cause), logged.is_some(), "{debug}");
    }
}

/// An error that can't be displayed.
#[derive(Debug)]
struct Speechless;

impl fmt::Display for Speechless {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

impl std::error::Error for Speechless {}

/// Has an error that is fit for a log, and one that is fit for nothing.
struct Down;

#[async_trait]
impl SessionStore for Down {
    async fn create(&self, _: SessionRecord) -> Result<CreateOutcome, BoxError> {
        Err(StoreError::new("no such table: login_sessions").into())
    }

    async fn load(&self, _: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
        Err(Box::new(Speechless))
    }

    async fn update(&self, _: SessionRecord, _: i64) -> Result<Outcome, BoxError> {
        Err("unused".into())
    }

    async fn touch(&self, _: &SessionId, _: i64, _: i64) -> Result<Outcome, BoxError> {
        Err("unused".into())
    }

    async fn delete(&self, _: &SessionId, _: Option<u64>) -> Result<Outcome, BoxError> {
        Ok(Outcome::Gone)
    }

    async fn list(&self, _: &str, _: Page, _: i64) -> Result<Vec<SessionRecord>, BoxError> {
        Err("unused".into())
    }

    async fn delete_all(&self, _: &str, _: Option<SessionId>) -> Result<u64, BoxError> {
        Err("unused".into())
    }

    async fn delete_expired(&self, _: i64, _: usize) -> Result<u64, BoxError> {
        Err("unused".into())
    }
}

#[tokio::test]
async fn store_error_marked_safe_is_logged() {
    let world = World::new();
    let manager = LoginManager::new(Down, world.accounts.clone());
    let mut browser = Browser::new(routes(&world.accounts).layer(manager));
    let log = Log::listen();
    assert_eq!(browser.post("/login/alice").await.status, 503);
    let warnings = log.at(Level::WARN).join("\n");
    assert!(
        warnings.contains("cause=\"no such table: login_sessions\""),
        "{warnings}"
    );
}

#[tokio::test]
async fn store_error_without_a_display_is_an_ordinary_failure() {
    let world = World::new();
    let heard = Heard::default();
    let manager = heard.listen(LoginManager::new(Down, world.accounts.clone()));
    let mut browser = Browser::new(routes(&world.accounts).layer(manager));
    browser.plant(SESSION, &"A".repeat(64));
    assert_eq!(browser.get("/who").await.status, 503);
    assert_eq!(heard.take(EventKind::StoreFailed).cause(), Some(""));
}

async fn permissions(query: Option<String>) -> Result<bool, BoxError> {
    match query.as_deref() {
        Some("down") => Err("the table is gone".into()),
        _ => Ok(false),
    }
}

#[tokio::test]
async fn denied_and_failed_check_events_name_the_user() {
    let guard = login_required::<Account>().and_authorize(|_: Arc<Account>, head: &Parts| {
        permissions(head.uri.query().map(str::to_owned))
    });
    let (mut world, heard) = world(|accounts| {
        let inside = routes(accounts).route_layer(guard);
        Router::new().nest("/in", inside).merge(routes(accounts))
    });
    assert_eq!(world.browser.get("/in/me").await.status, 401);
    let why = login_manager::auth::AnonymousReason::NoCookie;
    let event = heard.take(EventKind::Denied(
        login_manager::guard::DeniedReason::LoginRequired(why),
    ));
    assert_eq!((event.user_id(), event.session_id()), (None, None));

    world.browser.post("/login/alice").await;
    let family = heard.take(EventKind::LoggedIn).session_id();
    assert_eq!(world.browser.get("/in/me").await.status, 403);
    let event = heard.take(EventKind::Denied(
        login_manager::guard::DeniedReason::Forbidden,
    ));
    assert_eq!((event.user_id(), event.session_id()), (Some("1"), family));

    let log = Log::listen();
    assert_eq!(world.browser.get("/in/me?down").await.status, 503);
    let event = heard.take(EventKind::AuthorizeFailed);
    assert_eq!((event.user_id(), event.session_id()), (Some("1"), family));
    assert_eq!(event.cause(), Some("the table is gone"));
    let warnings = log.at(Level::WARN);
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("kind=AuthorizeFailed"));
    assert!(!warnings[0].contains("the table is gone"));
}

#[tokio::test]
async fn failed_loader_event_has_cause_and_user_id() {
    let (mut world, heard) = world(routes);
    world.browser.post("/login/alice").await;
    world.accounts.fail(true);
    assert_eq!(world.browser.get("/me").await.status, 503);
    let event = heard.take(EventKind::LoaderFailed);
    assert_eq!(event.user_id(), Some("1"));
    assert!(event.cause().is_some_and(|cause| !cause.is_empty()));
}

#[tokio::test]
async fn failures_log_at_warn_and_logins_at_info() {
    let (mut world, _) = world(routes);
    let log = Log::listen();
    world.browser.post("/remember/alice").await;
    let stolen = world.browser.cookie("remember").unwrap();
    world.browser.forget(SESSION);
    world.browser.get("/me").await;
    world.browser.get("/me").await;
    world.browser.post("/confirm").await;
    tokio::task::yield_now().await;
    let infos = log.at(Level::INFO).join("\n");
    for kind in ["LoggedIn", "Restored", "Confirmed"] {
        assert!(infos.contains(&format!("kind={kind} ")), "{infos}");
    }
    assert_eq!(log.at(Level::WARN), [""; 0]);

    world.clock.advance(Duration::from_secs(61));
    let mut thief = world.browser.another();
    thief.plant(REMEMBER, &stolen);
    assert_eq!(thief.get("/who").await.body, "nobody");
    let warnings = log.at(Level::WARN).join("\n");
    assert!(warnings.contains("kind=RememberTheft "), "{warnings}");
}
