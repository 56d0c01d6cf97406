//! The rules for a presented remember cookie, and what a joined request may do.

use std::time::Duration;

use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use http::Method;
use login_manager::manager::RememberMe;
use login_manager::{
    Auth, LoginManager, SessionStore as _, event::EventKind, manager::RememberGrace,
    manager::Timeouts, testing::TestClock,
};

use crate::support::{
    browser::{Answer, Browser},
    events::Events,
    faulty_store::{
        Call::{Delete, Load, Update},
        Gate,
        When::{After, Before},
    },
    settle,
    world::{Account, Accounts, HOUR, MINUTE, REMEMBER, SESSION, World, routes},
};

const GRACE: Duration = Duration::from_secs(30);
const SKEW: Duration = MINUTE.saturating_mul(5);
const TICK: Duration = Duration::from_millis(1);

/// `/asked/…` reads the user first; `/others` logs the other sessions out; `/look` reads the user
/// without using the session.
fn more_routes(accounts: &Accounts) -> Router {
    let others = |auth: Auth<Account>| async move { auth.logout_others().await };
    let look = |auth: Auth<Account>| async move {
        let user = auth.user().await?;
        Ok::<_, login_manager::Error>(user.map_or("nobody".into(), |user| user.name.clone()))
    };
    let users = accounts.clone();
    let login = move |auth: Auth<Account>, Path(id): Path<i64>| async move {
        auth.user().await?;
        auth.login(users.get(id).unwrap()).await.map(drop)
    };
    let rotate = |auth: Auth<Account>| async move {
        auth.user().await?;
        auth.rotate().await
    };
    routes(accounts)
        .route("/asked/login/{id}", post(login))
        .route("/asked/rotate", post(rotate))
        .route("/others", post(others))
        .route("/look", get(look))
}

/// alice is remembered, by a login that this clock shows.
async fn remembered_with(
    configure: impl FnOnce(LoginManager<Account>) -> LoginManager<Account>,
) -> World {
    let mut world = World::with(more_routes, |manager| {
        configure(manager).with_deadline(HOUR)
    });
    world.browser.post("/remember/alice").await;
    world.events.take();
    world.store.take_calls();
    world
}

async fn remembered() -> World {
    remembered_with(|manager| manager).await
}

/// A world in which the first token has just been exchanged, and a copy of the browser from before.
async fn exchanged() -> (World, Browser) {
    exchanged_with(|manager| manager).await
}

async fn exchanged_with(
    configure: impl FnOnce(LoginManager<Account>) -> LoginManager<Account>,
) -> (World, Browser) {
    let mut world = remembered_with(configure).await;
    world.browser.restart();
    let before = world.browser.clone();
    assert_eq!(world.browser.get("/who").await.body, "alice");
    world.events.take();
    (world, before)
}

/// The same, and the browser has shown the session cookie of the exchange.
async fn exchanged_and_seen() -> (World, Browser) {
    let (mut world, before) = exchanged().await;
    assert_eq!(world.browser.get("/who").await.body, "alice");
    settle().await;
    (world, before)
}

fn is_theft(events: &Events) -> bool {
    events.take().contains(&EventKind::RememberTheft)
}

fn sets_no_cookie(answer: &Answer) -> bool {
    answer.set_cookies().is_empty()
}

/// Another process of the same application, with a clock of its own.
struct Node {
    app: Router,
    clock: TestClock,
    events: Events,
}

fn another_node(
    world: &World,
    configure: impl FnOnce(LoginManager<Account>) -> LoginManager<Account>,
) -> Node {
    let (clock, events) = (TestClock::new(), Events::default());
    let manager = LoginManager::new(world.store.clone(), world.accounts.clone())
        .with_clock(&clock)
        .with_deadline(HOUR);
    let manager = events.watch(configure(manager));
    let app = more_routes(&world.accounts).layer(manager);
    Node { app, clock, events }
}

#[tokio::test]
async fn previous_secret_with_the_current_token_joins() {
    for (later, joins) in [(Duration::ZERO, true), (GRACE, true), (GRACE + TICK, false)] {
        let mut world = remembered().await;
        let mut late = world.browser.clone();
        assert_eq!(world.browser.post("/rotate").await.status, 200);
        assert_eq!(late.cookie("remember"), world.browser.cookie("remember"));
        world.clock.advance(later);
        world.store.take_calls();
        let answer = late.get("/how").await;
        assert_eq!(answer.body, "alice stale remembered", "{later:?}");
        assert_eq!(sets_no_cookie(&answer), joins, "{later:?}");
        let is_exchanged = world.store.take_calls().contains(&Update);
        assert_eq!(is_exchanged, !joins, "{later:?}");
        assert_eq!(
            world.events.take().contains(&EventKind::Restored),
            !joins,
            "{later:?}"
        );
    }
}

/// The session part is read by the request that saves before another one restores.
#[tokio::test]
async fn restore_over_a_live_session_keeps_its_data_and_epoch() {
    let mut world = remembered().await;
    world.browser.post("/put/cart/apples").await;
    let tab = world.browser.clone();
    world.browser.restart();
    let gate = world.store.gate(Update, Before);
    let saving = tab.start(Method::POST, "/put/name/late");
    gate.reached().await;
    assert_eq!(
        world.browser.get("/how").await.body,
        "alice stale remembered"
    );
    gate.open();
    assert_eq!(saving.await.unwrap().1.status, 200);
    assert_eq!(world.browser.get("/get/cart").await.body, "apples");
    assert_eq!(world.browser.get("/get/name").await.body, "late");
    assert!(!world.events.take().contains(&EventKind::DataDropped));
}

#[tokio::test]
async fn restore_after_the_session_ended_starts_a_new_epoch() {
    let mut world = remembered().await;
    world.browser.post("/put/cart/apples").await;
    let tab = world.browser.clone();
    let gate = world.store.gate(Update, Before);
    let saving = tab.start(Method::POST, "/put/name/late");
    gate.reached().await;
    world.clock.advance(24 * HOUR);
    assert_eq!(
        world.browser.get("/how").await.body,
        "alice stale remembered"
    );
    gate.open();
    assert_eq!(saving.await.unwrap().1.status, 200);
    for name in ["cart", "name"] {
        let uri = format!("/get/{name}");
        assert_eq!(world.browser.get(&uri).await.body, "", "{name}");
    }
    assert!(world.events.take().contains(&EventKind::DataDropped));
}

#[tokio::test]
async fn previous_token_joins_for_thirty_seconds() {
    for later in [Duration::ZERO, GRACE] {
        let (world, mut before) = exchanged_and_seen().await;
        world.clock.advance(later);
        let version = world.store.inner.records()[0].version;
        let answer = before.get("/how").await;
        assert_eq!(answer.body, "alice stale remembered");
        assert!(sets_no_cookie(&answer));
        assert_eq!(world.events.take(), [EventKind::Joined]);
        assert_eq!(world.store.inner.records()[0].version, version);
    }
    let (world, mut before) = exchanged_and_seen().await;
    world.clock.advance(GRACE + TICK);
    assert_eq!(before.get("/who").await.body, "nobody");
    assert!(is_theft(&world.events));
}

/// A world with `/slow`, whose handler waits at the gate before it reads the user.
async fn remembered_with_slow_page() -> (World, Gate) {
    let gate = Gate::new();
    let waits = gate.clone();
    let slow = move |auth: Auth<Account>| async move {
        waits.pass().await;
        let user = auth.user().await?;
        Ok::<_, login_manager::Error>(user.map_or("nobody".into(), |user| user.name.clone()))
    };
    let mut world = World::with(
        |accounts| more_routes(accounts).route("/slow", get(slow)),
        |manager| manager,
    );
    world.browser.post("/remember/alice").await;
    world.browser.restart();
    world.events.take();
    (world, gate)
}

/// As with a body that is uploaded slowly.
#[tokio::test]
async fn grace_counts_from_the_arrival_of_the_request() {
    for (arrives_after, waits, joins) in [
        (Duration::ZERO, Duration::from_secs(121), true),
        (GRACE, 10 * HOUR, true),
        (GRACE + TICK, Duration::ZERO, false),
    ] {
        let (mut world, gate) = remembered_with_slow_page().await;
        let before = world.browser.clone();
        for _ in 0..2 {
            assert_eq!(world.browser.get("/who").await.body, "alice");
            settle().await;
        }
        world.clock.advance(arrives_after);
        let slow = before.start(Method::GET, "/slow");
        gate.reached().await;
        world.clock.advance(waits);
        world.events.take();
        gate.open();
        let (_, answer) = slow.await.unwrap();
        assert_eq!(answer.body == "alice", joins, "{waits:?}");
        let emitted = world.events.take();
        assert_eq!(emitted.contains(&EventKind::Joined), joins, "{waits:?}");
        assert_eq!(emitted.contains(&EventKind::RememberTheft), !joins);
    }
}

/// The same for the previous session secret.
#[tokio::test]
async fn previous_secret_is_judged_by_the_arrival_of_the_request() {
    let (mut world, gate) = remembered_with_slow_page().await;
    assert_eq!(world.browser.get("/who").await.body, "alice");
    let late = world.browser.clone();
    assert_eq!(world.browser.post("/rotate").await.status, 200);
    world.clock.advance(GRACE);
    let slow = late.start(Method::GET, "/slow");
    gate.reached().await;
    world.clock.advance(HOUR);
    gate.open();
    let (_, answer) = slow.await.unwrap();
    assert_eq!(answer.body, "alice");
    assert!(sets_no_cookie(&answer));
}

#[tokio::test]
async fn request_that_arrived_before_the_exchange_joins() {
    let outside = SKEW + TICK;
    for (waits, joins) in [
        (Duration::from_secs(121), true),
        (SKEW, true),
        (outside, false),
    ] {
        let (mut world, gate) = remembered_with_slow_page().await;
        let slow = world.browser.start(Method::GET, "/slow");
        gate.reached().await;
        world.clock.advance(waits);
        for _ in 0..2 {
            assert_eq!(world.browser.get("/who").await.body, "alice");
            settle().await;
        }
        world.clock.advance(HOUR);
        gate.open();
        let (_, answer) = slow.await.unwrap();
        assert_eq!(answer.body == "alice", joins, "{waits:?}");
        assert_eq!(is_theft(&world.events), !joins, "{waits:?}");
    }
}

/// The time of the exchange is read right before it is written, not when its request began.
#[tokio::test]
async fn grace_begins_with_the_exchange_not_with_its_request() {
    let mut world = remembered().await;
    world.browser.restart();
    let mut tab = world.browser.clone();
    let gate = world.accounts.gate();
    let slow = world.browser.start(Method::GET, "/who");
    gate.reached().await;
    world.clock.advance(10 * MINUTE);
    gate.open();
    let (mut browser, answer) = slow.await.unwrap();
    assert_eq!(answer.body, "alice");
    assert_eq!(browser.get("/who").await.body, "alice");
    settle().await;
    world.clock.advance(GRACE);
    assert_eq!(tab.get("/who").await.body, "alice");
    assert!(!is_theft(&world.events));
}

#[tokio::test]
async fn exchange_by_another_process_extends_the_grace() {
    for (later, here, there) in [
        (GRACE, "alice", "alice"),
        (GRACE + TICK, "nobody", "alice"),
        (GRACE + SKEW, "nobody", "alice"),
        (GRACE + SKEW + TICK, "nobody", "nobody"),
    ] {
        for (is_here, expected) in [(true, here), (false, there)] {
            let (world, mut before) = exchanged_and_seen().await;
            let node = another_node(&world, |manager| manager);
            set_to(&node.clock, &world.clock);
            for clock in [&world.clock, &node.clock] {
                clock.advance(later);
            }
            if !is_here {
                before = before.moved_to(node.app.clone());
            }
            let answer = before.get("/who").await;
            assert_eq!(answer.body, expected, "{later:?}, here: {is_here}");
            let events = if is_here { &world.events } else { &node.events };
            assert_eq!(is_theft(events), expected == "nobody", "{later:?}");
        }
    }
}

fn set_to(clock: &TestClock, other: &TestClock) {
    if let Ok(ahead) = other.now().duration_since(clock.now()) {
        clock.advance(ahead);
    } else {
        clock.turn_back(clock.now().duration_since(other.now()).unwrap());
    }
}

#[tokio::test]
async fn previous_token_restores_again_if_its_successor_was_not_seen() {
    for later in [GRACE + TICK, 24 * HOUR] {
        let (world, mut before) = exchanged().await;
        world.clock.advance(later);
        assert_eq!(before.get("/how").await.body, "alice stale remembered");
        assert_eq!(world.events.take(), [EventKind::Restored]);
        // The session of the response that was lost is over, and this one goes on.
        world.clock.advance(GRACE + TICK);
        assert_eq!(world.who_has(&world.token()).await, "nobody");
        assert_eq!(before.get("/who").await.body, "alice");
    }
}

#[tokio::test]
async fn skipped_token_is_accepted_until_one_of_the_two_is_seen() {
    for is_seen in [false, true] {
        let (mut world, mut before) = exchanged().await;
        world.clock.advance(GRACE + TICK);
        assert_eq!(before.get("/who").await.body, "alice");
        if is_seen {
            assert_eq!(before.get("/who").await.body, "alice");
            settle().await;
        }
        // The response of the first exchange arrives now, and its cookies are the browser's.
        world.browser.restart();
        let expected = if is_seen { "nobody" } else { "alice" };
        assert_eq!(world.browser.get("/who").await.body, expected);
        assert_eq!(is_theft(&world.events), is_seen);
        if !is_seen {
            // It was seen now: the cookie of the second exchange is invalid.
            assert_eq!(world.browser.get("/who").await.body, "alice");
            settle().await;
            before.restart();
            assert_eq!(before.get("/who").await.body, "nobody");
            assert!(is_theft(&world.events));
        }
    }
}

/// The remember cookie with some of its bytes inverted.
fn changed(cookie: &str, bytes: std::ops::Range<usize>) -> String {
    let mut decoded = Base64UrlUnpadded::decode_vec(cookie).unwrap();
    decoded[bytes].iter_mut().for_each(|byte| *byte = !*byte);
    Base64UrlUnpadded::encode_string(&decoded)
}

#[tokio::test]
async fn wrong_token_with_the_right_series_is_theft() {
    let mut world = remembered().await;
    let mut thief = world.browser.another();
    thief.plant(
        REMEMBER,
        &changed(&world.browser.cookie("remember").unwrap(), 48..80),
    );
    let answer = thief.get("/who").await;
    assert_eq!(answer.body, "nobody");
    assert_eq!(answer.set_cookies().len(), 2, "both are removed");
    assert!(thief.cookie_names().is_empty());
    assert!(is_theft(&world.events));
    assert!(world.store.inner.is_empty());
    assert_eq!(world.browser.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn wrong_series_and_unknown_id_are_ignored_alike() {
    let mut world = remembered().await;
    let cookie = world.browser.cookie("remember").unwrap();
    let mut seen = Vec::new();
    for bytes in [0..16, 16..48, 16..80] {
        let mut stranger = world.browser.another();
        stranger.plant(REMEMBER, &changed(&cookie, bytes));
        let answer = stranger.get("/who").await;
        assert!(sets_no_cookie(&answer));
        seen.push((
            format!("{:?} {}", answer.headers, answer.body),
            world.events.take(),
            world.store.take_calls(),
        ));
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    assert_eq!(seen[0].1, [EventKind::UnknownSession]);
    assert_eq!(world.browser.get("/who").await.body, "alice");
}

#[tokio::test]
async fn cookie_of_an_ended_remember_part_is_ignored() {
    let (mut world, mut before) = exchanged_and_seen().await;
    world.clock.advance(30 * 24 * HOUR);
    for browser in [&mut world.browser, &mut before] {
        assert_eq!(browser.get("/who").await.body, "nobody");
        assert!(!is_theft(&world.events));
    }
}

/// The used token is judged a theft, and a login gives the record new secrets before it is deleted.
#[tokio::test]
async fn theft_is_judged_again_if_the_record_has_changed() {
    let (mut world, before) = exchanged_and_seen().await;
    world.clock.advance(GRACE + TICK);
    let gate = world.store.gate(Delete, Before);
    let thief = before.start(Method::GET, "/who");
    gate.reached().await;
    assert_eq!(world.browser.post("/login/alice").await.status, 200);
    gate.open();
    let (_, answer) = thief.await.unwrap();
    assert_eq!(answer.body, "nobody");
    assert!(sets_no_cookie(&answer));
    assert!(!is_theft(&world.events));
    assert_eq!(
        world.browser.get("/how").await.body,
        "alice fresh remembered"
    );
}

#[tokio::test]
async fn strict_grace_is_theft_when_over_seen_or_not() {
    for is_seen in [false, true] {
        for is_here in [false, true] {
            let strict = |manager: LoginManager<Account>| {
                manager.with_remember_me(RememberMe::new().grace(RememberGrace::Strict(MINUTE)))
            };
            let (mut world, mut before) = exchanged_with(strict).await;
            let node = another_node(&world, strict);
            set_to(&node.clock, &world.clock);
            if is_seen {
                world.browser.get("/who").await;
                settle().await;
            }
            if !is_here {
                before = before.moved_to(node.app.clone());
            }
            for clock in [&world.clock, &node.clock] {
                clock.advance(MINUTE);
            }
            assert_eq!(before.get("/who").await.body, "alice");
            for clock in [&world.clock, &node.clock] {
                clock.advance(TICK);
            }
            assert_eq!(before.get("/who").await.body, "nobody");
            let events = if is_here { &world.events } else { &node.events };
            assert!(is_theft(events), "seen: {is_seen}, here: {is_here}");
            assert!(world.store.inner.is_empty());
        }
    }
}

/// Shown with or without the remember cookie, or by a request that does not count as use.
#[tokio::test]
async fn current_session_secret_marks_the_exchange_as_seen() {
    for (uri, with_remember_cookie) in [("/who", true), ("/who", false), ("/look", true)] {
        let (mut world, mut before) =
            exchanged_with(|manager| manager.without_touch(|head| head.uri.path() == "/look"))
                .await;
        if !with_remember_cookie {
            world.browser.forget(REMEMBER);
        }
        world.store.take_calls();
        for _ in 0..3 {
            assert_eq!(world.browser.get(uri).await.body, "alice");
            settle().await;
        }
        let calls = world.store.take_calls();
        let updates = calls.iter().filter(|call| **call == Update).count();
        assert_eq!(updates, 1, "{uri}: once");
        world.clock.advance(GRACE + TICK);
        assert_eq!(before.get("/who").await.body, "nobody");
        assert!(is_theft(&world.events), "{uri} {with_remember_cookie}");
    }
}

#[tokio::test]
async fn passive_request_does_not_extend_the_session() {
    let (mut world, _) =
        exchanged_with(|manager| manager.without_touch(|head| head.uri.path() == "/look")).await;
    let touched = world.store.inner.records()[0].touched;
    world.clock.advance(12 * HOUR);
    for _ in 0..2 {
        assert_eq!(world.browser.get("/look").await.body, "alice");
        settle().await;
    }
    assert_eq!(world.store.inner.records()[0].touched, touched);
    world.clock.advance(12 * HOUR);
    assert_eq!(world.who_has(&world.token()).await, "nobody");
}

#[tokio::test]
async fn token_of_a_login_counts_as_seen() {
    for verb in ["/remember/alice", "/login/alice"] {
        let mut world = remembered().await;
        world.browser.post(verb).await;
        world.store.take_calls();
        assert_eq!(world.browser.get("/who").await.body, "alice");
        settle().await;
        assert_eq!(world.store.take_calls(), [Load], "{verb}");
    }
}

#[tokio::test]
async fn failed_mark_is_made_by_the_next_request() {
    let (mut world, mut before) = exchanged().await;
    world
        .store
        .fail_once(Update, crate::support::faulty_store::Fault::Fails);
    for _ in 0..2 {
        assert_eq!(world.browser.get("/who").await.body, "alice");
        settle().await;
    }
    world.clock.advance(GRACE + TICK);
    assert_eq!(before.get("/who").await.body, "nobody");
    assert!(is_theft(&world.events));
}

/// By the used token or by the previous session secret.
#[tokio::test]
async fn join_marks_nothing_as_seen_and_extends_nothing() {
    let timeouts = Timeouts::new(2 * MINUTE, 24 * HOUR);
    for shows_secret in [false, true] {
        let mut world = remembered_with(|manager| manager.with_timeouts(timeouts)).await;
        let mut late = world.browser.clone();
        if !shows_secret {
            late.restart();
        }
        world.browser.restart();
        assert_eq!(world.browser.get("/who").await.body, "alice");
        let record = world.store.inner.records().remove(0);
        world.clock.advance(Duration::from_secs(20));
        assert_eq!(late.get("/who").await.body, "alice");
        assert_eq!(late.post("/do/put").await.body, "alice");
        settle().await;
        let after = world.store.inner.records().remove(0);
        assert_eq!(
            (after.touched, after.expires),
            (record.touched, record.expires)
        );
        // The successor was not seen, so the used token restores.
        world.clock.advance(GRACE);
        late.restart();
        assert_eq!(late.get("/who").await.body, "alice");
        assert!(!is_theft(&world.events), "{shows_secret}");
        assert_eq!(late.get("/get/key").await.body, "value");
    }
}

/// Each handler reads the user and then tries to get a new secret.
#[tokio::test]
async fn joined_request_gets_no_lasting_secret() {
    for shows_secret in [false, true] {
        for (uri, status) in [
            ("/do/put", 200),
            ("/confirm", 409),
            ("/do/confirm", 409),
            ("/asked/rotate", 409),
            ("/others", 409),
        ] {
            let mut world = remembered().await;
            let mut late = world.browser.clone();
            if !shows_secret {
                late.restart();
            }
            world.browser.restart();
            assert_eq!(world.browser.get("/who").await.body, "alice");
            world.events.take();
            let secrets = world.store.inner.records()[0].payload[..75].to_vec();
            let answer = late.post(uri).await;
            assert_eq!(answer.status, status, "{uri}");
            assert!(sets_no_cookie(&answer), "{uri} {shows_secret}");
            let is_joined = world.events.take().contains(&EventKind::Joined);
            assert!(is_joined, "{uri} {shows_secret}");
            let [record] = &world.store.inner.records()[..] else {
                panic!("{uri}")
            };
            assert_eq!(record.payload[..75], secrets, "{uri}");
            assert_eq!(world.browser.get("/who").await.body, "alice", "{uri}");
        }
    }
}

/// The record that the request joined could be a thief's by now.
#[tokio::test]
async fn login_ends_the_session_that_its_request_joined() {
    for verb in ["/asked/login/1", "/asked/login/2"] {
        for shows_secret in [false, true] {
            let world = remembered().await;
            let mut owner = world.browser.clone();
            if !shows_secret {
                owner.restart();
            }
            let mut thief = world.browser.another();
            thief.plant(REMEMBER, &owner.cookie("remember").unwrap());
            assert_eq!(thief.get("/who").await.body, "alice");
            assert_eq!(owner.post(verb).await.status, 200);
            assert_eq!(thief.get("/who").await.body, "nobody", "{verb}");
            assert_ne!(owner.get("/who").await.body, "nobody", "{verb}");
        }
    }
}

/// A page with several requests: one restores and closes the anonymous session that all of them
/// show.
#[tokio::test]
async fn late_request_joins_by_its_used_token() {
    let mut world = remembered().await;
    world.browser.restart();
    world.browser.post("/put/cart/apples").await;
    let mut late = world.browser.clone();
    assert_eq!(world.browser.get("/who").await.body, "alice");
    world.events.take();
    let answer = late.get("/who").await;
    assert_eq!(answer.body, "alice");
    assert!(sets_no_cookie(&answer));
    assert_eq!(world.events.take(), [EventKind::Joined]);
    assert_eq!(late.post("/rotate").await.status, 200);
    assert_eq!(world.browser.get("/get/cart").await.body, "apples");
}

/// Its session was replaced, and another request sets the cookies.
#[tokio::test]
async fn late_request_does_not_restore() {
    let mut world = remembered().await;
    world.browser.restart();
    world.browser.post("/put/cart/apples").await;
    let closed = world.token();
    assert_eq!(world.browser.get("/who").await.body, "alice");
    let mut late = world.browser.clone();
    late.plant(SESSION, &closed);
    let answer = late.get("/why").await;
    assert_eq!(answer.body, "Some(SessionReplaced)");
    assert!(sets_no_cookie(&answer));
    world.clock.advance(GRACE + TICK);
    assert_eq!(late.get("/who").await.body, "alice");
    assert!(!is_theft(&world.events));
}

#[tokio::test]
async fn restart_restore_and_login_leave_one_valid_secret() {
    let mut world = remembered().await;
    let mut secrets = vec![world.token()];
    world.browser.restart();
    assert_eq!(world.browser.get("/who").await.body, "alice");
    secrets.push(world.token());
    assert_eq!(world.browser.post("/login/alice").await.status, 200);
    world.clock.advance(GRACE + TICK);
    for secret in &secrets {
        assert_eq!(world.who_has(secret).await, "nobody");
    }
    assert_eq!(world.who_has(&world.token()).await, "alice");
    assert_eq!(world.store.inner.len(), 1);
}

#[tokio::test]
async fn logout_others_invalidates_a_copy_of_this_session_cookie() {
    let mut world = remembered().await;
    let copy = world.token();
    let other = world.browser.another();
    let mut other = other;
    other.post("/remember/alice").await;
    assert_eq!(world.browser.post("/others").await.status, 200);
    assert_ne!(world.token(), copy);
    assert_eq!(other.get("/who").await.body, "nobody");
    world.clock.advance(GRACE + TICK);
    assert_eq!(world.who_has(&copy).await, "nobody");
    assert_eq!(
        world.browser.get("/how").await.body,
        "alice fresh remembered"
    );
}

#[tokio::test]
async fn restore_beside_another_exchange_joins() {
    let mut world = remembered().await;
    world.browser.restart();
    let gate = world.store.gate(Update, Before);
    let slow = world.browser.start(Method::GET, "/how");
    gate.reached().await;
    assert_eq!(world.browser.get("/who").await.body, "alice");
    gate.open();
    let (_, answer) = slow.await.unwrap();
    assert_eq!(answer.body, "alice stale remembered");
    assert!(sets_no_cookie(&answer));
    assert_eq!(
        world.events.take(),
        [EventKind::Restored, EventKind::Joined]
    );
    assert_eq!(world.who_has(&world.token()).await, "alice");
}

/// A cookie of this login is presented after the record was deleted between two store calls.
#[tokio::test]
async fn restore_beside_a_revocation_stays_anonymous() {
    let mut world = remembered().await;
    world.browser.restart();
    for when in [Before, After] {
        let gate = world.store.gate(Load, when);
        let slow = world.browser.start(Method::GET, "/who");
        gate.reached().await;
        world.manager.logout_user(&1).await.unwrap();
        gate.open();
        let (_, answer) = slow.await.unwrap();
        assert_eq!(answer.body, "nobody");
        assert!(!is_theft(&world.events));
        assert!(world.store.inner.is_empty());
        world.browser.forget_cookies();
        world.browser.post("/remember/alice").await;
        world.browser.restart();
    }
    assert!(
        world
            .store
            .load(&world.store.inner.records()[0].id)
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(world.browser.cookie(SESSION), None);
}
