//! The serialized form of our types, in templates, APIs and sessions.

use std::collections::HashSet;

use axum::{
    Json, Router,
    extract::Path,
    routing::{get, post},
};
use login_manager::{
    Auth, Error, NextPath, Session, auth::AnonymousReason, auth::SessionInfo, event::EventKind,
    guard::DeniedReason, guard::Notice,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::support::world::{Account, Accounts, HOUR, World, routes};

fn to_json(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

/// `/start/{next}` keeps the way back while the user is at an identity provider, `/callback` reads
/// it.
fn with_oauth(accounts: &Accounts) -> Router {
    let start = |session: Session, Path(next): Path<String>| async move {
        let next = NextPath::try_from(next).unwrap_or_default();
        session.insert("next", &next).await
    };
    let callback = |session: Session| async move {
        let next: Option<NextPath> = session.take("next").await?;
        Ok::<_, Error>(next.unwrap_or_default().redirect_or("/dashboard"))
    };
    let forge = |session: Session| async move { session.insert("next", "//evil.example/").await };
    let sessions = |auth: Auth<Account>| async move { auth.sessions().await.map(Json) };
    routes(accounts)
        .route("/start/{next}", post(start))
        .route("/forge", post(forge))
        .route("/callback", get(callback))
        .route("/sessions", get(sessions))
}

fn world() -> World {
    World::with(with_oauth, |manager| manager)
}

#[tokio::test]
async fn next_path_is_kept_in_a_session() {
    let mut world = world();
    for (next, location) in [
        ("%2Fphotos%3Fpage=2", "/photos?page=2"),
        ("elsewhere", "/dashboard"),
    ] {
        world.browser.post(&format!("/start/{next}")).await;
        assert_eq!(world.browser.get("/callback").await.location(), location);
        assert_eq!(
            world.browser.get("/callback").await.location(),
            "/dashboard"
        );
    }
}

#[tokio::test]
async fn next_path_is_checked_when_it_is_read_back() {
    let mut world = world();
    world.browser.post("/forge").await;
    assert_eq!(
        world.browser.get("/callback").await.location(),
        "/dashboard"
    );
}

#[test]
fn next_path_is_its_path_or_the_empty_string() {
    let next = NextPath::try_from("/photos?page=2").unwrap();
    assert_eq!(to_json(&next), json!("/photos?page=2"));
    assert_eq!(to_json(NextPath::none()), json!(""));
    for next in [next, NextPath::none()] {
        let read: NextPath = serde_json::from_value(to_json(&next)).unwrap();
        assert_eq!(read, next);
    }
}

#[test]
fn reasons_are_stable_names() {
    for (reason, name) in [
        (
            DeniedReason::LoginRequired(AnonymousReason::NoCookie),
            "login_required",
        ),
        (DeniedReason::FreshLoginRequired, "fresh_login_required"),
        (DeniedReason::MethodRequired, "method_required"),
        (DeniedReason::Forbidden, "forbidden"),
    ] {
        assert_eq!((reason.as_str(), &*reason.to_string()), (name, name));
        assert_eq!(to_json(reason), json!(name));
    }
    for (notice, name) in [(Notice::Login, "login"), (Notice::Refresh, "refresh")] {
        assert_eq!((notice.as_str(), to_json(notice)), (name, json!(name)));
    }
    assert_eq!(
        Notice::Login.to_string(),
        "Please log in to access this page."
    );
}

#[test]
fn each_anonymous_reason_has_its_own_name() {
    use AnonymousReason::*;
    let all = [
        (NoCookie, "no_cookie"),
        (CookiesIgnored, "cookies_ignored"),
        (AmbiguousCookie, "ambiguous_cookie"),
        (MalformedCookie, "malformed_cookie"),
        (UnknownSession, "unknown_session"),
        (SessionReplaced, "session_replaced"),
        (NotYetValid, "not_yet_valid"),
        (IdleTimeout, "idle_timeout"),
        (AbsoluteTimeout, "absolute_timeout"),
        (NotLoggedIn, "not_logged_in"),
        (Unreadable, "unreadable"),
        (NewerRecord, "newer_record"),
        (BadId, "bad_id"),
        (UserGone, "user_gone"),
        (Inactive, "inactive"),
        (StampChanged, "stamp_changed"),
        (RememberTheft, "remember_theft"),
        (ActorNotLoggedIn, "actor_not_logged_in"),
        (ClientChanged, "client_changed"),
        (LoggedOut, "logged_out"),
    ];
    for (why, name) in all {
        assert_eq!((why.as_str(), &*why.to_string()), (name, name));
        assert_eq!(to_json(why), json!(name));
        assert_eq!(to_json(EventKind::Ended(why)), json!("ended"));
    }
    let names: HashSet<_> = all.iter().map(|(why, _)| why.as_str()).collect();
    assert_eq!(names.len(), all.len());
}

#[test]
fn each_event_kind_has_its_own_name() {
    use EventKind::*;
    let all = [
        (Resolved, "resolved"),
        (LoggedIn, "logged_in"),
        (LoggedOut, "logged_out"),
        (Confirmed, "confirmed"),
        (Rotated, "rotated"),
        (ImpersonationStarted, "impersonation_started"),
        (ImpersonationEnded, "impersonation_ended"),
        (Joined, "joined"),
        (Denied(DeniedReason::Forbidden), "denied"),
        (LoadedByRequest, "loaded_by_request"),
        (Restored, "restored"),
        (RememberTheft, "remember_theft"),
        (ClientChanged, "client_changed"),
        (Revoked, "revoked"),
        (Forgotten, "forgotten"),
        (Ended(AnonymousReason::IdleTimeout), "ended"),
        (AmbiguousCookie, "ambiguous_cookie"),
        (MalformedCookie, "malformed_cookie"),
        (UnknownSession, "unknown_session"),
        (LoginRejected, "login_rejected"),
        (NextRejected, "next_rejected"),
        (Unreadable, "unreadable"),
        (StoreFailed, "store_failed"),
        (LoaderFailed, "loader_failed"),
        (AuthorizeFailed, "authorize_failed"),
        (WrongUser, "wrong_user"),
        (DataDropped, "data_dropped"),
        (DataRolledBack, "data_rolled_back"),
        (LogoutIncomplete, "logout_incomplete"),
    ];
    for (kind, name) in all {
        assert_eq!((kind.as_str(), &*kind.to_string()), (name, name));
        assert_eq!(to_json(kind), json!(name));
    }
    let names: HashSet<_> = all.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(names.len(), all.len());
}

#[tokio::test]
async fn a_session_list_is_a_list_of_maps() {
    let mut world = world();
    let mut other = world.browser.another();
    other.post("/remember/alice").await;
    world.clock.advance(HOUR);
    world.browser.post("/login/alice").await;
    let now = world.clock.unix_millis() / 1000;
    let list = world.browser.get("/sessions").await.body;
    let list: Vec<Value> = serde_json::from_str(&list).unwrap();
    let [here, there] = &list[..] else {
        panic!("{list:?}")
    };
    let id = here["id"].as_str().unwrap();
    let expected = json!({
        "id": id,
        "logged_in": now,
        "last_seen": now,
        "browser": "a browser on Linux",
        "is_current": true,
        "is_logged_in": true,
        "is_remembered": false,
        "is_impersonated": false,
    });
    assert_eq!(*here, expected);
    assert_eq!(there["logged_in"], json!(now - 3600));
    assert_eq!(
        (&there["is_current"], &there["is_remembered"]),
        (&json!(false), &json!(true))
    );
}

/// A list goes into a template by itself.
const _: fn() = || {
    fn is_serialize<T: Serialize>() {}
    is_serialize::<Vec<SessionInfo>>();
};
