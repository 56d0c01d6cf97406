//! Servers that go down, are slow or silent, or send garbage log no user in or out and delay no
//! other request.

use std::time::Duration;

use http::Method;
use libtest_mimic::Trial;
use tokio::{task::JoinSet, time::Instant};

use crate::{
    address::Way,
    app::{REMEMBER, SESSION},
    place::{Kind, Place},
    proxy::{
        Fault::{self, Down, Garbage, Lost, Silent, Slow},
        GARBAGE, REFUSALS,
    },
    trials::{eventually, eventually_within, trials},
    world::{self, CONNECTIONS, DEADLINE, SLACK, World, assert_unavailable},
};

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<_> = trials![
        Kind::SERVERS =>
            an_application_starts_while_its_server_is_down,
            an_outage_logs_no_user_out,
            a_server_goes_down_under_a_request,
            a_silent_server_is_down_after_the_deadline,
            malformed_server_responses_are_an_outage,
            a_login_during_an_outage_fails_without_a_cookie,
            a_logout_during_an_outage_fails_and_clears_cookies,
            waiting_requests_hold_up_no_others,
            an_outage_leaves_no_task_and_no_connection;
        Kind::POOLS =>
            lost_connections_are_replaced,
            lost_connections_are_replaced_on_release;
    ];
    let known: Vec<_> = trials![
        [Kind::Redis] => malformed_handshake_does_not_affect_later_connections;
    ];
    trials.extend(known.into_iter().map(|trial| trial.with_ignored_flag(true)));
    trials
}

/// The task that retries deletions in the background.
const RETRIES: usize = 1;
const TWO_SECONDS: Fault = Slow(Duration::from_secs(2));

async fn an_application_starts_while_its_server_is_down(place: Place) {
    let mut world = World::new(place).await;
    world.proxy.suffer(Down).await;
    assert_eq!(world.browser.get("/").await.body, "public");
    assert_eq!(world.browser.get("/who").await.body, "nobody");
    assert_eq!(world.browser.get("/me").await.status, 401);
    assert!(world.store.take_calls().is_empty());
    let answer = world.within(2, Method::POST, "/login/1").await;
    assert_unavailable(&answer, "login");
    world.browser.plant(SESSION, &"A".repeat(64));
    let answer = world.within(1, Method::GET, "/me").await;
    assert_unavailable(&answer, "guarded");

    world.proxy.heal().await;
    assert_eq!(world.browser.get("/me").await.status, 401);
    assert_eq!(world.browser.post("/login/1").await.body, "1");
    assert_eq!(world.browser.get("/me").await.body, "1");
}

async fn an_outage_logs_no_user_out(place: Place) {
    let mut world = World::logged_in(place).await;
    for fault in [Down, TWO_SECONDS, Silent] {
        outage(&mut world, fault).await;
    }
}

async fn malformed_server_responses_are_an_outage(place: Place) {
    let nonsense = nonsense(&place);
    let panics = world::panics();
    let mut world = World::logged_in(place).await;
    for garbage in nonsense {
        outage(&mut world, Garbage(garbage)).await;
    }
    assert_eq!(world::panics(), panics);
}

/// The `redis` crate's `ConnectionManager` keeps a handshake that failed by anything but an error
/// of the network, and tries no other (1.8.1).
async fn malformed_handshake_does_not_affect_later_connections(place: Place) {
    let mut world = World::logged_in(place).await;
    for garbage in GARBAGE {
        outage(&mut world, Garbage(garbage)).await;
    }
}

/// Malformed responses of the server.
fn nonsense(place: &Place) -> &'static [&'static [u8]] {
    match place.address.kind {
        Kind::Redis => &REFUSALS,
        _ => &GARBAGE,
    }
}

/// All that can happen to a server.
fn faults(place: &Place) -> [Fault; 4] {
    [Down, TWO_SECONDS, Silent, Garbage(nonsense(place)[1])]
}

/// Requests with a cookie get 503 and keep the cookie, which is valid again afterwards. Other
/// requests are unaffected.
async fn outage(world: &mut World, fault: Fault) {
    let cookies = world.browser.cookie_header("/");
    world.proxy.suffer(fault).await;
    for uri in ["/me", "/who", "/get/key"] {
        let answer = world.within(1, Method::GET, uri).await;
        assert_unavailable(&answer, &format!("{fault:?} {uri}"));
    }
    assert_eq!(world.store.take_calls(), ["load"; 3], "{fault:?}");

    let mut stranger = world.browser.another();
    let start = Instant::now();
    assert_eq!(world.browser.get("/").await.body, "public", "{fault:?}");
    assert_eq!(stranger.get("/who").await.body, "nobody", "{fault:?}");
    assert_eq!(stranger.get("/me").await.status, 401, "{fault:?}");
    assert!(start.elapsed() < DEADLINE, "{fault:?}");
    assert!(world.store.take_calls().is_empty(), "{fault:?}");

    assert_eq!(world.browser.cookie_header("/"), cookies, "{fault:?}");
    world.proxy.heal().await;
    world.recovers().await;
    assert_eq!(world.browser.cookie_header("/"), cookies, "{fault:?}");
    world.store.take_calls();
}

async fn a_server_goes_down_under_a_request(place: Place) {
    let mut world = World::with(place, |way| way.test_before_acquire = false).await;
    world.browser.post("/login/1").await;
    assert_eq!(world.browser.get("/me").await.body, "1");
    for how in [Some(Down), None] {
        // The question is on its way, the answer isn't.
        world.is_at_rest().await;
        world.proxy.suffer(Silent).await;
        let said = world.proxy.said();
        let start = Instant::now();
        let request = world.browser.start(Method::GET, "/me");
        let is_asked = || async { world.proxy.said() > said };
        eventually("the server is asked", is_asked).await;
        match how {
            Some(fault) => world.proxy.suffer(fault).await,
            None => world.proxy.cut().await,
        }
        let (_, answer) = request.await.unwrap();
        assert!(start.elapsed() < DEADLINE + SLACK);
        assert_unavailable(&answer, &format!("{how:?}"));
        world.proxy.heal().await;
        world.recovers().await;
    }
}

async fn a_silent_server_is_down_after_the_deadline(place: Place) {
    // An existing connection and a new one, tested before use and not.
    let mut world = World::logged_in(place).await;
    for (fault, is_new) in [(Silent, false), (Silent, true), (TWO_SECONDS, true)] {
        world.proxy.suffer(fault).await;
        if is_new {
            world.proxy.cut().await;
        }
        let answer = world.within(1, Method::GET, "/me").await;
        assert_unavailable(&answer, &format!("{fault:?} {is_new}"));
        world.proxy.heal().await;
        world.recovers().await;
    }
}

async fn a_login_during_an_outage_fails_without_a_cookie(place: Place) {
    let faults = faults(&place);
    let mut world = World::logged_in(place).await;
    for fault in faults {
        world.proxy.suffer(fault).await;
        let mut stranger = world.browser.another();
        std::mem::swap(&mut stranger, &mut world.browser);
        let answer = world.within(2, Method::POST, "/remember/2").await;
        assert_unavailable(&answer, &format!("{fault:?}"));
        assert!(world.browser.cookie_names().is_empty());
        std::mem::swap(&mut stranger, &mut world.browser);
        // An authenticated user stays authenticated.
        let answer = world.within(2, Method::POST, "/login/2").await;
        assert_unavailable(&answer, &format!("{fault:?}"));
        world.proxy.heal().await;
        world.recovers().await;
        assert_eq!(stranger.get("/me").await.status, 401);
        assert_eq!(stranger.post("/login/2").await.body, "2");
    }
}

async fn a_logout_during_an_outage_fails_and_clears_cookies(place: Place) {
    let faults = faults(&place);
    let mut world = World::new(place).await;
    for fault in faults {
        world.browser.post("/remember/1").await;
        assert_eq!(world.browser.get("/me").await.body, "1", "{fault:?}");
        world.proxy.suffer(fault).await;
        let answer = world.within(3, Method::POST, "/logout").await;
        assert_eq!(answer.status, 503, "{fault:?}");
        assert_eq!(answer.body, "", "{fault:?}");
        let mut removed = answer.set_cookies();
        removed.retain(|cookie| cookie.contains("Max-Age=0"));
        for name in [SESSION, REMEMBER] {
            assert!(
                removed.iter().any(|cookie| cookie.starts_with(name)),
                "{fault:?}: {name} stays"
            );
        }
        assert!(world.browser.cookie_names().is_empty(), "{fault:?}");
        world.proxy.heal().await;
        assert_eq!(world.browser.get("/me").await.status, 401, "{fault:?}");
        world.lets_in_again().await;
    }
}

/// A firewall silently drops idle connections.
async fn lost_connections_are_replaced(place: Place) {
    lose_connections(World::logged_in(place).await).await;
}

/// sqlx waits for ever to hear whether a connection lives that it gets back, and each one that it
/// waits for is missing in the pool. Where no connection is asked before its use, that wait has to
/// have an end.
async fn lost_connections_are_replaced_on_release(place: Place) {
    let configure = |way: &mut Way| {
        way.test_before_acquire = false;
        way.release_within = Some(DEADLINE);
    };
    lose_connections(World::with(place, configure).await).await;
}

async fn lose_connections(mut world: World) {
    world.browser.post("/login/1").await;
    for _ in 0..2 {
        world.crowd().await;
        world.is_at_rest().await;
        assert_eq!(world.size(), CONNECTIONS);
        world.proxy.suffer(Lost).await;
        world.recovers().await;
        world.is_at_rest().await;
    }
}

async fn waiting_requests_hold_up_no_others(place: Place) {
    const MANY: usize = 200;
    let mut world = World::logged_in(place).await;
    world.proxy.suffer(Silent).await;
    let start = Instant::now();
    let mut waiting = JoinSet::new();
    for _ in 0..MANY {
        let mut browser = world.browser.clone();
        waiting.spawn(async move { browser.get("/me").await });
    }
    let mut stranger = world.browser.another();
    for _ in 0..50 {
        assert_eq!(world.browser.get("/").await.body, "public");
        assert_eq!(stranger.get("/who").await.body, "nobody");
        assert!(world.size() <= CONNECTIONS);
    }
    let others = start.elapsed();
    assert!(others < DEADLINE, "others waited for {others:?}");
    let answers = waiting.join_all().await;
    assert!(start.elapsed() < DEADLINE + SLACK);
    for answer in answers {
        assert_unavailable(&answer, "silent");
    }
    assert!(world.size() <= CONNECTIONS);
    world.proxy.heal().await;
    world.recovers().await;
}

async fn an_outage_leaves_no_task_and_no_connection(place: Place) {
    let faults = faults(&place);
    let mut world = World::logged_in(place).await;
    world.comes_to_rest(usize::MAX).await;
    let tasks = World::tasks();
    for fault in faults {
        world.proxy.suffer(fault).await;
        world.crowd().await;
        world.proxy.heal().await;
        world.lets_in_again().await;
        world.comes_to_rest(tasks + RETRIES).await;
    }
    // Deletions are retried for about a minute.
    let patience = Duration::from_secs(90);
    eventually_within(patience, "no deletion is retried any more", || async {
        World::tasks() <= tasks
    })
    .await;
}
