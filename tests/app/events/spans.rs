//! Verbs run inside the tracing span of their request and with its task-locals.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::Request, middleware, middleware::Next, routing::post};
use http::Method;
use login_manager::{LoginManager, Session, event::EventKind};
use tracing::{Dispatch, Instrument as _, dispatcher, info_span};
use tracing_subscriber::{
    Layer, Registry,
    layer::{Context, SubscriberExt as _},
    registry::LookupSpan,
};

use crate::support::{
    browser::Browser,
    faulty_store::{Call, When},
    settle,
    world::{Account, Accounts, World, routes},
};

tokio::task_local! {
    static REQUEST: &'static str;
}

/// The task-local of the request, if there is one.
fn request() -> Option<&'static str> {
    REQUEST.try_with(|name| *name).ok()
}

/// The events and loads, each with its span or task-local.
type Heard = Arc<Mutex<Vec<(String, Option<String>)>>>;

/// Hears the events of this crate, with the span around each.
struct Ear(Heard);

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Ear {
    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        if event.metadata().target() != "login_manager::event" {
            return;
        }
        let mut kind = Kind(String::new());
        event.record(&mut kind);
        let span = context.event_span(event).map(|span| span.name().to_owned());
        self.0.lock().unwrap().push((kind.0, span));
    }
}

struct Kind(String);

impl tracing::field::Visit for Kind {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        if field.name() == "kind" {
            self.0 = format!("{value:?}");
        }
    }
}

/// Loads users and records the task-local of each load.
fn manager(world: &World, heard: &Heard) -> LoginManager<Account> {
    let (accounts, loads, events) = (world.accounts.clone(), Arc::clone(heard), Arc::clone(heard));
    let load = move |id: i64| {
        let (accounts, loads) = (accounts.clone(), Arc::clone(&loads));
        async move {
            let around = request().map(str::to_owned);
            loads.lock().unwrap().push(("load".into(), around));
            accounts.get(id)
        }
    };
    LoginManager::new(world.store.clone(), load)
        .with_clock(&world.clock)
        .with_on_event(move |event| {
            let around = request().map(str::to_owned);
            let kind = format!("{:?}", event.kind());
            events.lock().unwrap().push((kind, around));
        })
}

fn with_take(accounts: &Accounts) -> Router {
    let take = async |session: Session| session.take::<String>("a").await.map(Option::unwrap);
    routes(accounts).route("/take", post(take))
}

async fn in_a_span(request: Request, next: Next) -> axum::response::Response {
    next.run(request)
        .instrument(info_span!("the request"))
        .await
}

async fn in_a_scope(request: Request, next: Next) -> axum::response::Response {
    REQUEST.scope("the request", next.run(request)).await
}

/// A browser whose every request has an event: logs in, confirms, rotates, takes, restores, logs
/// out.
async fn use_every_verb(browser: &mut Browser, world: &World) {
    for uri in [
        "/remember/alice",
        "/confirm",
        "/rotate",
        "/put/a/b",
        "/take",
    ] {
        assert_eq!(browser.post(uri).await.status, 200, "{uri}");
    }
    assert_eq!(browser.get("/me").await.body, "alice");
    world.clock.advance(Duration::from_secs(25 * 60 * 60));
    assert_eq!(browser.get("/me").await.body, "alice", "restored");
    assert_eq!(browser.post("/login/bob").await.body, "bob");
    assert_eq!(browser.post("/logout").await.body, "bye");
}

const KINDS: [&str; 6] = [
    "LoggedIn",
    "Confirmed",
    "Rotated",
    "Restored",
    "LoggedOut",
    "Resolved",
];

#[tokio::test]
async fn events_of_verbs_lie_in_the_span_of_the_request() {
    let heard = Heard::default();
    let subscriber = Registry::default().with(Ear(Arc::clone(&heard)));
    let _guard = dispatcher::set_default(&Dispatch::new(subscriber));
    let world = World::new();
    world.store.be_remote();
    let app = with_take(&world.accounts)
        .layer(manager(&world, &Heard::default()))
        .layer(middleware::from_fn(in_a_span));
    use_every_verb(&mut Browser::new(app), &world).await;
    let heard = heard.lock().unwrap();
    for kind in KINDS {
        assert!(
            heard.iter().any(|(heard, _)| heard == kind),
            "no {kind}: {heard:?}"
        );
    }
    for (kind, span) in &*heard {
        assert_eq!(span.as_deref(), Some("the request"), "{kind}");
    }
}

#[tokio::test]
async fn task_local_of_a_request_is_seen_by_loader_and_on_event() {
    let heard = Heard::default();
    let world = World::new();
    world.store.be_remote();
    let app = with_take(&world.accounts)
        .layer(manager(&world, &heard))
        .layer(middleware::from_fn(in_a_scope));
    use_every_verb(&mut Browser::new(app), &world).await;
    let heard = heard.lock().unwrap();
    for kind in KINDS.into_iter().chain(["load"]) {
        assert!(
            heard.iter().any(|(heard, _)| heard == kind),
            "no {kind}: {heard:?}"
        );
    }
    for (kind, around) in &*heard {
        assert_eq!(around.as_deref(), Some("the request"), "{kind}");
    }
}

/// The rest of the verb has no request any more, but it is done.
#[tokio::test]
async fn verb_of_a_client_that_hung_up_ends_outside_the_request() {
    let heard = Heard::default();
    let world = World::new();
    let app = with_take(&world.accounts)
        .layer(manager(&world, &heard))
        .layer(middleware::from_fn(in_a_scope));
    let gate = world.store.gate(Call::Create, When::After);
    let login = Browser::new(app).start(Method::POST, "/login/alice");
    gate.reached().await;
    login.abort();
    assert!(login.await.is_err_and(|error| error.is_cancelled()));
    assert!(heard.lock().unwrap().is_empty());
    gate.open();
    settle().await;
    let expected = (format!("{:?}", EventKind::LoggedIn), None);
    assert_eq!(*heard.lock().unwrap(), [expected]);
    assert_eq!(world.live_sessions(), 1);
}
