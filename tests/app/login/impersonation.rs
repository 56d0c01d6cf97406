//! Using the application as another user. Alice is the actor, bob the impersonated user.

use std::time::Duration;

use axum::{
    Router,
    extract::{Path, State},
    routing::{get, post},
};
use login_manager::{
    Auth, CachedStore, Error, LoginManager, Session,
    auth::AnonymousReason,
    event::EventKind::{
        Denied, Ended, ImpersonationEnded, ImpersonationStarted, LoggedIn, LoggedOut, Revoked,
    },
    flash::{Flash, Level},
    fresh_login_required,
    guard::DeniedReason,
    login_required,
    manager::{KnownBrowsers, LoginPage, Timeouts},
    store::{SessionId, SessionRecord},
};

use crate::support::{
    browser::Browser,
    faulty_store::{
        Call::{Create, Load},
        FaultyStore,
    },
    routes::with_sessions,
    world::{Account, Accounts, HOUR, MINUTE, SESSION, World, account},
};

pub(super) fn app(accounts: &Accounts) -> Router {
    let page = |path, layer| {
        Router::new()
            .route(path, get(|| async { "secret" }))
            .route_layer(layer)
    };
    let starts = Router::new()
        .route("/as/{name}", post(impersonate))
        .route("/as/{name}/{seconds}", post(impersonate_for))
        .route("/put-and-as/{name}", post(put_and_impersonate))
        .with_state(accounts.clone());
    with_sessions(accounts)
        .merge(starts)
        .route("/stop", post(stop))
        .route("/acts", get(acts))
        .route("/list", get(list))
        .route(
            "/totp",
            post(async |auth: Auth<Account>| auth.confirm().by("totp").await.map(drop)),
        )
        .merge(page("/needs", login_required::<Account>().needs("totp")))
        .merge(page("/fresh", fresh_login_required()))
}

async fn impersonate(
    State(accounts): State<Accounts>,
    auth: Auth<Account>,
    Path(name): Path<String>,
) -> Result<String, Error> {
    let user = accounts.by_name(&name).unwrap();
    Ok(auth.impersonate(user).await?.name.clone())
}

async fn impersonate_for(
    State(accounts): State<Accounts>,
    auth: Auth<Account>,
    Path((name, seconds)): Path<(String, u64)>,
) -> Result<(), Error> {
    let user = accounts.by_name(&name).unwrap();
    let lifetime = Duration::from_secs(seconds);
    auth.impersonate(user).at_most(lifetime).await.map(drop)
}

async fn put_and_impersonate(
    State(accounts): State<Accounts>,
    auth: Auth<Account>,
    session: Session,
    Path(name): Path<String>,
) -> Result<(), Error> {
    session.insert("mine", "1").await?;
    let user = accounts.by_name(&name).unwrap();
    auth.impersonate(user).await?;
    session.insert("theirs", "1").await
}

/// Whose session it is after the impersonation has been stopped.
async fn stop(auth: Auth<Account>) -> Result<String, Error> {
    let back = auth.stop_impersonating().await?;
    Ok(back.map_or("nobody".to_owned(), |actor| actor.name.clone()))
}

/// The current user, and who impersonates them.
async fn acts(auth: Auth<Account>) -> Result<String, Error> {
    let Some(user) = auth.user().await? else {
        return Ok("nobody".into());
    };
    Ok(match auth.actor().await? {
        Some(actor) => format!("{} by {}", user.name, actor.name),
        None => user.name.clone(),
    })
}

async fn list(auth: Auth<Account>) -> Result<String, Error> {
    let sessions = auth.sessions().await?;
    let actors = sessions.iter().map(|session| {
        assert_eq!(session.actor_id().is_some(), session.is_impersonated());
        session.actor_id().unwrap_or("-")
    });
    let actors: Vec<_> = actors.collect();
    assert!(!format!("{sessions:?}").contains("actor_id"));
    let json = serde_json::to_value(&sessions).unwrap();
    assert!(json.as_array().unwrap().iter().all(|session| {
        session.get("is_impersonated").is_some() && session.get("actor_id").is_none()
    }));
    Ok(actors.join(","))
}

pub(super) fn world(
    configure: impl FnOnce(LoginManager<Account>) -> LoginManager<Account>,
) -> World {
    World::with(app, |manager| {
        configure(manager.with_login_page(LoginPage::new("/login").refresh("/confirm")))
    })
}

/// Alice impersonates bob. Returns the token of her own session, too.
pub(super) async fn impersonating(
    configure: impl FnOnce(LoginManager<Account>) -> LoginManager<Account>,
) -> (World, String) {
    let mut world = world(configure);
    world.browser.post("/login/alice").await;
    let own = world.token();
    assert_eq!(world.browser.post("/as/bob").await.body, "bob");
    assert_eq!(world.browser.get("/acts").await.body, "bob by alice");
    world.events.take();
    world.store.take_calls();
    (world, own)
}

fn record_of(world: &World, user: i64) -> Option<SessionRecord> {
    let id = format!("/{user}");
    let is_theirs =
        |record: &SessionRecord| record.owner.as_deref().is_some_and(|is| is.ends_with(&id));
    world.store.inner.records().into_iter().find(is_theirs)
}

#[tokio::test]
async fn impersonation_is_a_session_of_its_own() {
    let mut world = world(|manager| manager);
    let browser = &mut world.browser;
    browser.post("/login/alice").await;
    browser.post("/put/mine/1").await;
    let (own, before) = (world.token(), record_of(&world, 1));
    world.store.take_calls();
    assert_eq!(world.browser.post("/as/bob").await.body, "bob");
    assert_eq!(world.store.take_calls(), [Load, Create]);
    assert_ne!(world.token(), own);
    let browser = &mut world.browser;
    assert_eq!(browser.get("/acts").await.body, "bob by alice");
    assert_eq!(browser.get("/how").await.body, "bob stale");
    assert_eq!(browser.get("/get/mine").await.body, "");
    browser.post("/put/theirs/1").await;
    assert_eq!(record_of(&world, 1), before);
    assert_eq!(world.who_has(&own).await, "alice");

    let (other, browser) = (world.token(), &mut world.browser);
    assert_eq!(browser.post("/stop").await.body, "alice");
    assert_eq!(browser.get("/acts").await.body, "alice");
    assert_eq!(browser.get("/how").await.body, "alice fresh");
    assert_eq!(browser.get("/get/mine").await.body, "1");
    assert_eq!(browser.get("/get/theirs").await.body, "");
    assert_eq!(world.live_sessions(), 1);
    assert_eq!(world.who_has(&other).await, "nobody");
    assert_eq!(world.who_has(&own).await, "alice", "it joins");
    world.let_grace_pass();
    assert_eq!(world.who_has(&own).await, "nobody");
    assert_eq!(world.browser.get("/who").await.body, "alice");
}

#[tokio::test]
async fn handler_sees_both_users_at_once() {
    let both = async |auth: Auth<Account>, State(accounts): State<Accounts>| {
        auth.impersonate(accounts.by_name("bob").unwrap()).await?;
        let during = acts(auth.clone()).await?;
        auth.stop_impersonating().await?;
        Ok::<_, Error>(format!("{during}, {}", acts(auth.clone()).await?))
    };
    let mut world = World::with(
        |accounts| {
            let both = Router::new().route("/both", post(both));
            app(accounts).merge(both.with_state(accounts.clone()))
        },
        |manager| manager,
    );
    world.browser.post("/login/alice").await;
    let answer = world.browser.post("/both").await;
    assert_eq!(answer.body, "bob by alice, alice");
    assert_eq!(world.browser.get("/acts").await.body, "alice");
    assert_eq!(world.live_sessions(), 1);
}

#[tokio::test]
async fn actors_unsaved_data_stays_with_the_actor() {
    let mut world = world(|manager| manager);
    let browser = &mut world.browser;
    browser.post("/login/alice").await;
    assert_eq!(browser.post("/put-and-as/bob").await.status, 200);
    assert_eq!(browser.get("/get/mine").await.body, "");
    assert_eq!(browser.get("/get/theirs").await.body, "1");
    browser.post("/stop").await;
    assert_eq!(browser.get("/get/mine").await.body, "1");
    assert_eq!(browser.get("/get/theirs").await.body, "");
}

#[tokio::test]
async fn impersonation_is_never_fresh_and_has_no_methods() {
    let mut world = world(|manager| manager);
    let browser = &mut world.browser;
    browser.post("/login/alice").await;
    browser.post("/totp").await;
    assert_eq!(browser.get("/needs").await.body, "secret");
    browser.post("/as/bob").await;
    world.events.take();
    // Not to the refresh page, where no credentials would help.
    for door in ["/fresh", "/needs"] {
        assert_eq!(browser.get(door).await.status, 403, "{door}");
        assert_eq!(world.events.take(), [Denied(DeniedReason::Forbidden)]);
    }
    let token = browser.cookie("-session");
    assert_eq!(browser.post("/totp").await.status, 403);
    assert_eq!(browser.post("/confirm").await.status, 403);
    assert_eq!(browser.cookie("-session"), token);
    assert_eq!(browser.get("/acts").await.body, "bob by alice");
    assert_eq!(browser.get("/how").await.body, "bob stale");
    browser.post("/stop").await;
    for door in ["/fresh", "/needs"] {
        assert_eq!(browser.get(door).await.body, "secret", "{door}");
    }
}

#[tokio::test]
async fn only_a_fresh_session_can_impersonate() {
    let mut world = world(|manager| manager.with_fresh_for(10 * MINUTE));
    let browser = &mut world.browser;
    assert_eq!(browser.post("/as/bob").await.status, 403);
    browser.post("/put/a/1").await;
    assert_eq!(browser.post("/as/bob").await.status, 403);
    browser.post("/remember/alice").await;
    world.clock.advance(11 * MINUTE);
    assert_eq!(browser.post("/as/bob").await.status, 403);
    browser.restart();
    assert_eq!(browser.post("/as/bob").await.status, 403);
    assert_eq!(browser.get("/acts").await.body, "alice");
    assert_eq!(world.events.count(ImpersonationStarted), 0);
    browser.post("/confirm").await;
    assert_eq!(browser.post("/as/bob").await.status, 200);
    assert_eq!(browser.post("/as/zoe").await.status, 403, "not nested");
    assert_eq!(browser.get("/acts").await.body, "bob by alice");
}

#[tokio::test]
async fn inactive_user_and_long_lifetimes_are_refused() {
    let mut world = world(|manager| manager);
    world.browser.post("/login/alice").await;
    let before = world.store.inner.records();
    world.accounts.change(2, |bob| bob.active = false);
    assert_eq!(world.browser.post("/as/bob").await.status, 403);
    world.accounts.change(2, |bob| bob.active = true);
    for seconds in ["0", "3601"] {
        let answer = world.browser.post(&format!("/as/bob/{seconds}")).await;
        assert_eq!(answer.status, 500, "{seconds}");
    }
    assert_eq!(world.store.inner.records(), before);
    assert_eq!(world.browser.get("/acts").await.body, "alice");
}

#[tokio::test]
async fn impersonation_ends_after_an_hour_or_less() {
    for (start, lifetime) in [("/as/bob", HOUR), ("/as/bob/600", 10 * MINUTE)] {
        let mut world = world(|manager| manager);
        world.browser.post("/login/alice").await;
        world.browser.post(start).await;
        for _ in 0..10 {
            assert_eq!(world.browser.get("/acts").await.body, "bob by alice");
            world.browser.post("/rotate").await;
            world
                .clock
                .advance(lifetime / 10 - Duration::from_millis(1));
        }
        assert_eq!(world.browser.get("/acts").await.body, "bob by alice");
        world.clock.advance(Duration::from_millis(10));
        world.events.take();
        assert_eq!(world.browser.get("/acts").await.body, "nobody");
        assert!(world.events.take().contains(&ImpersonationEnded));
        assert_eq!(world.browser.post("/stop").await.body, "nobody");
        assert_eq!(world.live_sessions(), 1, "the actor's");
    }
}

#[tokio::test]
async fn impersonation_does_not_outlive_the_actors_session() {
    // The absolute timeout of the actor's session.
    let short = Timeouts::new(HOUR, 20 * MINUTE);
    let mut world = world(|manager| manager.with_timeouts(short));
    world.browser.post("/login/alice").await;
    world.clock.advance(5 * MINUTE);
    world.browser.post("/as/bob").await;
    world.clock.advance(15 * MINUTE - Duration::from_millis(1));
    assert_eq!(world.browser.get("/acts").await.body, "bob by alice");
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(world.browser.get("/acts").await.body, "nobody");
    // Its idle timeout, which goes on.
    let (mut world, _) = impersonating(|manager| manager.with_timeouts(Timeouts::aal3())).await;
    world.clock.advance(14 * MINUTE);
    assert_eq!(world.browser.get("/acts").await.body, "bob by alice");
    world.clock.advance(MINUTE);
    assert_eq!(world.browser.get("/acts").await.body, "nobody");
}

#[tokio::test]
async fn restarted_browser_is_the_remembered_actors() {
    let mut world = world(|manager| manager);
    let browser = &mut world.browser;
    browser.post("/remember/alice").await;
    browser.post("/as/bob").await;
    assert_eq!(browser.get("/how").await.body, "bob stale");
    browser.restart();
    assert_eq!(browser.get("/how").await.body, "alice stale remembered");
    assert_eq!(browser.get("/acts").await.body, "alice");
}

#[tokio::test]
async fn stop_leads_back_to_the_same_freshness_and_methods() {
    let mut world = world(|manager| manager.with_fresh_for(10 * MINUTE));
    let browser = &mut world.browser;
    browser.post("/remember/alice").await;
    browser.post("/totp").await;
    browser.post("/as/bob").await;
    world.clock.advance(11 * MINUTE);
    assert_eq!(browser.post("/stop").await.body, "alice");
    assert_eq!(browser.get("/how").await.body, "alice stale remembered");
    assert_eq!(browser.get("/needs").await.body, "secret");
    browser.restart();
    assert_eq!(browser.get("/how").await.body, "alice stale remembered");
}

#[tokio::test]
async fn stop_does_nothing_without_an_impersonation() {
    let mut world = world(|manager| manager);
    for start in ["/", "/put/a/1", "/login/alice"] {
        world.browser.post(start).await;
        let before = world.store.inner.records();
        let answer = world.browser.post("/stop").await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (200, "nobody"));
        assert_eq!(answer.set_cookies(), [""; 0]);
        assert_eq!(world.store.inner.records(), before);
    }
    assert_eq!(world.browser.get("/who").await.body, "alice");
}

#[tokio::test]
async fn logout_ends_both_sessions() {
    for logout in ["/logout", "/everywhere"] {
        let (mut world, own) = impersonating(|manager| manager).await;
        let other = world.token();
        assert_eq!(world.browser.post(logout).await.status, 200);
        assert!(world.browser.cookie_names().is_empty());
        assert!(world.store.inner.is_empty(), "{logout}");
        for token in [own, other] {
            assert_eq!(world.who_has(&token).await, "nobody", "{logout}");
        }
        let events = world.events.take();
        assert!(events.contains(&ImpersonationEnded), "{events:?}");
        assert!(events.contains(&LoggedOut), "{events:?}");
    }
}

/// A copy of a replaced cookie joins for the grace, but leads nobody to the actor.
#[tokio::test]
async fn request_that_joins_an_impersonation_can_not_stop_it() {
    let (mut world, _) = impersonating(|manager| manager).await;
    let replaced = world.token();
    world.browser.post("/rotate").await;
    let mut late = world.browser.another();
    late.plant(SESSION, &replaced);
    assert_eq!(late.get("/acts").await.body, "bob by alice");
    let answer = late.post("/stop").await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.set_cookies(), [""; 0]);
    assert_eq!(world.browser.post("/stop").await.body, "alice");
}

/// What begins in the impersonation ends with it, and nothing of it is the actor's.
#[tokio::test]
async fn what_begins_in_an_impersonation_ends_with_it() {
    let mut world = World::with(
        |accounts| {
            let trust =
                async |auth: Auth<Account>| Ok::<_, Error>(auth.trust_browser().await?.to_string());
            app(accounts).route("/trust", post(trust)).route(
                "/flash",
                post(async |flash: Flash| flash.push(Level::Info, "bob's").await).get(
                    async |flash: Flash| Ok::<_, Error>(flash.take().await?.len().to_string()),
                ),
            )
        },
        |manager| manager.with_known_browsers(KnownBrowsers::new()),
    );
    let mut bob = world.browser.another();
    bob.post("/login/bob").await;
    world.browser.post("/login/alice").await;
    world.browser.post("/as/bob").await;
    let answer = world.browser.post("/trust").await;
    assert_eq!((&*answer.body, answer.set_cookies().len()), ("false", 0));
    world.browser.post("/flash").await;
    world.browser.post("/others").await;
    assert_eq!(bob.get("/who").await.body, "nobody");
    assert_eq!(world.browser.get("/acts").await.body, "bob by alice");
    assert_eq!(world.browser.post("/stop").await.body, "alice");
    assert_eq!(world.browser.get("/flash").await.body, "0");
}

/// Late requests are served for the grace; after it, the cookie is worth nothing.
#[tokio::test]
async fn cookie_of_a_stopped_impersonation_logs_nobody_out() {
    for (grace_is_over, left) in [(false, "nobody"), (true, "alice")] {
        let (mut world, _) = impersonating(|manager| manager).await;
        let stopped = world.token();
        world.browser.post("/stop").await;
        if grace_is_over {
            world.let_grace_pass();
        }
        let mut late = world.browser.another();
        late.plant(SESSION, &stopped);
        assert_eq!(late.post("/logout").await.status, 200);
        assert_eq!(world.browser.get("/who").await.body, left);
    }
}

#[tokio::test]
async fn login_is_of_a_new_user_and_ends_both_sessions() {
    for start in ["/login/alice", "/remember/alice"] {
        for user in ["alice", "bob", "zoe"] {
            let case = format!("{start}, {user}");
            let mut world = world(|manager| manager);
            world.browser.post(start).await;
            let own = world.token();
            world.browser.post("/put/mine/1").await;
            world.browser.post("/as/bob").await;
            world.browser.post("/put/theirs/1").await;
            let other = world.token();
            world.browser.post(&format!("/login/{user}")).await;
            assert_eq!(world.browser.get("/acts").await.body, user, "{case}");
            assert_eq!(world.live_sessions(), 1, "{case}");
            for name in ["mine", "theirs"] {
                let value = world.browser.get(&format!("/get/{name}")).await.body;
                assert_eq!(value, "", "{case}");
            }
            for token in [&own, &other] {
                assert_eq!(world.who_has(token).await, "nobody", "{case}");
            }
            assert_eq!(world.events.count(ImpersonationEnded), 1, "{case}");
            world.browser.restart();
            let remembered = start == "/remember/alice" && user == "alice";
            let back = if remembered { "alice" } else { "nobody" };
            assert_eq!(world.browser.get("/who").await.body, back, "{case}");
        }
    }
}

/// What ends the actor's login elsewhere.
async fn end_actor(world: &mut World, how: &str, own: &str) {
    match how {
        "everywhere" => {
            let mut elsewhere = world.browser.another();
            elsewhere.post("/login/alice").await;
            assert_eq!(elsewhere.post("/everywhere").await.status, 200);
        }
        "by an administrator" => world.manager.logout_user(&1).await.unwrap(),
        "here" => {
            let mut tab = world.browser.another();
            tab.plant(SESSION, own);
            assert_eq!(tab.post("/logout").await.status, 200);
        }
        "stamp" => world.accounts.change(1, |alice| alice.stamp.push('+')),
        "inactive" => world.accounts.change(1, |alice| alice.active = false),
        "removed" => world.accounts.remove(1),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn end_of_the_actors_login_ends_the_impersonation() {
    for how in [
        "everywhere",
        "by an administrator",
        "here",
        "stamp",
        "inactive",
        "removed",
    ] {
        let (mut world, own) = impersonating(|manager| manager).await;
        let other = world.token();
        end_actor(&mut world, how, &own).await;
        world.events.take();
        let why = world.browser.get("/why").await.body;
        assert_eq!(why, "Some(ActorNotLoggedIn)", "{how}");
        let events = world.events.take();
        let ended = Ended(AnonymousReason::ActorNotLoggedIn);
        assert_eq!(events, [ended, ImpersonationEnded], "{how}");
        assert_eq!(record_of(&world, 2), None, "{how}");
        assert_eq!(world.browser.post("/stop").await.body, "nobody", "{how}");
        // It doesn't come back.
        world.accounts.put(account(1, "alice"));
        assert_eq!(world.who_has(&other).await, "nobody", "{how}");
    }
}

#[tokio::test]
async fn change_of_the_impersonated_user_ends_it_too() {
    let (mut world, own) = impersonating(|manager| manager).await;
    world.accounts.change(2, |bob| bob.stamp.push('+'));
    assert_eq!(world.browser.get("/why").await.body, "Some(StampChanged)");
    assert_eq!(world.events.take().last(), Some(&ImpersonationEnded));
    assert_eq!(world.who_has(&own).await, "alice");
}

#[tokio::test]
async fn check_of_the_actor_costs_a_read_and_a_load() {
    let (mut world, _) = impersonating(|manager| manager).await;
    let loads = world.accounts.loads();
    world.browser.get("/me").await;
    assert_eq!(world.store.take_calls(), [Load, Load]);
    assert_eq!(world.accounts.loads() - loads, 2);
    world.browser.post("/stop").await;
    world.store.take_calls();
    let loads = world.accounts.loads();
    world.browser.get("/me").await;
    assert_eq!(world.store.take_calls(), [Load]);
    assert_eq!(world.accounts.loads() - loads, 1);
}

#[tokio::test]
async fn impersonation_does_not_count_for_the_limit() {
    let mut world = world(|manager| manager.with_max_sessions(1));
    let mut bob = world.browser.another();
    bob.post("/login/bob").await;
    world.browser.post("/login/alice").await;
    world.browser.post("/as/bob").await;
    assert_eq!(bob.get("/acts").await.body, "bob");
    assert_eq!(world.browser.get("/acts").await.body, "bob by alice");
    world.clock.advance(MINUTE);
    let mut second = bob.another();
    second.post("/login/bob").await;
    assert_eq!(bob.get("/acts").await.body, "nobody");
    assert_eq!(second.get("/acts").await.body, "bob");
    assert_eq!(world.browser.get("/acts").await.body, "bob by alice");
}

#[tokio::test]
async fn impersonated_user_sees_it_and_can_end_it() {
    let (mut world, own) = impersonating(|manager| manager).await;
    let mut bob = world.browser.another();
    world.clock.advance(MINUTE);
    bob.post("/login/bob").await;
    assert_eq!(bob.get("/list").await.body, "-,1");
    let listed = world.manager.sessions_of(&2).await.unwrap();
    let id: SessionId = listed
        .iter()
        .find(|session| session.is_impersonated())
        .unwrap()
        .id();
    assert_eq!(bob.post(&format!("/revoke/{id}")).await.body, "true");
    assert_eq!(world.browser.get("/acts").await.body, "nobody");
    assert_eq!(world.who_has(&own).await, "alice");
    let (events, kinds) = (world.events.take_all(), [Revoked, ImpersonationEnded]);
    let events = events.iter().filter(|it| kinds.contains(&it.kind()));
    let events: Vec<_> = events
        .map(|it| (it.kind(), it.user_id(), it.actor_id()))
        .collect();
    let ended = kinds.map(|kind| (kind, Some("2"), Some("1")));
    assert_eq!(events, ended);
}

#[tokio::test]
async fn events_name_both_users() {
    let (mut world, _) = impersonating(|manager| manager).await;
    world.browser.post("/stop").await;
    world.browser.post("/as/bob").await;
    for (kind, user, actor) in [
        (ImpersonationStarted, "2", Some("1")),
        (ImpersonationEnded, "2", Some("1")),
        (LoggedIn, "1", None),
    ] {
        world.browser.post("/login/alice").await;
        world.browser.post("/as/bob").await;
        world.browser.get("/fresh").await;
        let events = world.events.take_of(kind);
        let event = events.last().unwrap();
        assert_eq!((event.user_id(), event.actor_id()), (Some(user), actor));
        assert!(event.session_id().is_some());
    }
    world.browser.get("/fresh").await;
    let denied = world.events.take_of(Denied(DeniedReason::Forbidden));
    assert_eq!(denied[0].actor_id(), Some("1"));
}

#[tokio::test]
async fn handle_of_an_impersonation_ends_with_the_actors_login() {
    let handles: std::sync::Arc<std::sync::Mutex<Vec<_>>> = std::sync::Arc::default();
    let kept = handles.clone();
    let keep = async move |auth: Auth<Account>| {
        let handle = auth.handle().await?.unwrap();
        kept.lock().unwrap().push(handle);
        Ok::<_, Error>(())
    };
    let mut world = World::with(
        |accounts| app(accounts).route("/keep", post(keep)),
        |manager| manager,
    );
    world.browser.post("/login/alice").await;
    world.browser.post("/as/bob").await;
    world.browser.post("/keep").await;
    let handle = handles.lock().unwrap().pop().unwrap();
    assert!(handle.still_valid().await.unwrap());
    world.manager.logout_user(&1).await.unwrap();
    assert!(!handle.still_valid().await.unwrap());
}

/// A tab that was left open shows the actor's old cookie and logs in again.
#[tokio::test]
async fn actors_new_login_in_the_old_session_ends_it() {
    let (mut world, own) = impersonating(|manager| manager).await;
    let mut tab = world.browser.another();
    tab.plant(SESSION, &own);
    assert_eq!(tab.post("/login/alice").await.status, 200);
    let why = world.browser.get("/why").await.body;
    assert_eq!(why, "Some(SessionReplaced)");
    assert_eq!(world.live_sessions(), 1);
    assert_eq!(tab.get("/acts").await.body, "alice");
}

#[tokio::test]
async fn strong_protection_ends_an_impersonation_too() {
    let strong = login_manager::manager::SessionProtection::Strong;
    let (mut world, own) = impersonating(|manager| manager.with_session_protection(strong)).await;
    let agent = http::HeaderValue::from_static("Other/1.0");
    let mut thief = world.browser.clone();
    thief.headers.insert(http::header::USER_AGENT, agent);
    assert_eq!(thief.post("/stop").await.body, "nobody");
    assert_eq!(world.browser.get("/acts").await.body, "nobody");
    assert_eq!(world.who_has(&own).await, "alice");
}

/// Two nodes, each with a cache of its own.
#[tokio::test(start_paused = true)]
async fn stop_and_start_are_seen_behind_a_cache() {
    let (store, accounts) = (FaultyStore::new(), Accounts::new());
    let node = || {
        let cache = CachedStore::new(store.clone(), HOUR);
        let manager = LoginManager::new(cache, accounts.clone()).with_realm("account");
        app(&accounts).layer(manager)
    };
    let mut browser = Browser::new(node());
    let other = node();
    browser.post("/login/alice").await;
    for _ in 0..2 {
        let mut there = browser.moved_to(other.clone());
        assert_eq!(there.get("/acts").await.body, "alice");
        assert_eq!(browser.post("/as/bob").await.body, "bob");
        let mut there = browser.moved_to(other.clone());
        assert_eq!(there.get("/acts").await.body, "bob by alice");
        assert_eq!(there.post("/stop").await.body, "alice");
        browser = there.moved_to(browser.app());
        assert_eq!(browser.get("/acts").await.body, "alice");
        assert_eq!(browser.post("/confirm").await.status, 200);
    }
    let own = browser.cookie("-session").unwrap();
    assert_eq!(browser.post("/as/bob").await.body, "bob");
    assert_eq!(browser.get("/acts").await.body, "bob by alice");
    let impersonation = browser.cookie("-session").unwrap();
    assert_eq!(browser.post("/logout").await.status, 200);
    for token in [own, impersonation] {
        browser.plant(SESSION, &token);
        assert_eq!(browser.get("/acts").await.body, "nobody");
    }
}
