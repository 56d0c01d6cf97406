//! Several cookies with one of our names, after a changed `Domain` or planted by an attacker.

use std::time::Duration;

use axum::body::Body;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use http::{Method, Request, header::COOKIE};
use login_manager::event::EventKind;

use crate::support::{
    browser::{Answer, Browser},
    faulty_store::{Call::Delete, Fault::Fails, When::Before},
    world::{DAY, REMEMBER, SESSION, World},
};

/// How many values under one name are looked at.
const MOST: usize = 8;

/// A session cookie that is well-formed and that no browser was ever given, another one for each
/// number.
fn made_up(number: u8) -> String {
    Base64UrlUnpadded::encode_string(&[number; 48])
}

fn pairs(name: &str, values: &[String]) -> String {
    let pairs: Vec<_> = values
        .iter()
        .map(|value| format!("{name}={value}"))
        .collect();
    pairs.join("; ")
}

fn request(browser: &Browser, method: Method, uri: &str, cookies: &str) -> Request<Body> {
    let mut request = browser.another().request(method, uri);
    let cookies = cookies.parse().unwrap();
    request.headers_mut().insert(COOKIE, cookies);
    request
}

/// The tokens of so many logins by this user, each in a browser of its own.
async fn logins(world: &World, name: &str, count: usize) -> Vec<String> {
    let mut tokens = Vec::new();
    for _ in 0..count {
        let mut browser = world.browser.another();
        browser.post(&format!("/login/{name}")).await;
        tokens.push(browser.cookie("-session").unwrap());
    }
    tokens
}

/// Sends the cookies, and then again with the new session cookie among them, as a browser does that
/// keeps them apart.
async fn answer_after(world: &World, before: &Answer, others: &[String], first: bool) -> String {
    let mut browser = world.browser.another();
    browser.receive(before);
    let mut values = others.to_vec();
    let at = if first { 0 } else { values.len() };
    values.insert(at, browser.cookie("-session").unwrap());
    let cookies = pairs(SESSION, &values);
    world
        .browser
        .get_with_cookies("/how", &[cookies])
        .await
        .body
}

#[tokio::test]
async fn live_session_is_found_among_eight_values() {
    let world = World::new();
    let alice = logins(&world, "alice", 1).await.remove(0);
    for at in 0..MOST {
        let mut values: Vec<_> = (1..MOST as u8).map(made_up).collect();
        values.insert(at, alice.clone());
        let cookies = pairs(SESSION, &values);
        let answer = world.browser.get_with_cookies("/who", &[cookies]).await;
        assert_eq!(answer.body, "alice", "at {at}");
    }
}

#[tokio::test]
async fn more_than_eight_values_are_not_looked_at() {
    let world = World::new();
    let alice = logins(&world, "alice", 1).await.remove(0);
    for (at, who) in [(0, "alice"), (MOST - 1, "alice"), (MOST, "nobody")] {
        let mut values: Vec<_> = (1..=MOST as u8).map(made_up).collect();
        values.insert(at, alice.clone());
        world.events.take();
        world.store.take_calls();
        let cookies = pairs(SESSION, &values);
        let answer = world.browser.get_with_cookies("/who", &[cookies]).await;
        assert_eq!(answer.body, who, "at {at}");
        assert!(world.events.take().contains(&EventKind::AmbiguousCookie));
        assert_eq!(world.store.take_calls().len(), MOST);
    }
}

#[tokio::test]
async fn user_who_logs_in_over_several_cookies_is_logged_in() {
    for (alices, bobs) in [(0, 1), (1, 0), (1, 1), (2, 0), (0, 2), (3, 3)] {
        for first in [true, false] {
            let world = World::new();
            let mut shown = logins(&world, "alice", alices).await;
            shown.extend(logins(&world, "bob", bobs).await);
            // An anonymous session as an attacker would plant it.
            let mut attacker = world.browser.another();
            attacker.post("/put/cart/apples").await;
            shown.push(attacker.cookie("-session").unwrap());

            let case = format!("{alices} alices, {bobs} bobs, first: {first}");
            let cookies = pairs(SESSION, &shown);
            let login = request(&world.browser, Method::POST, "/login/alice", &cookies);
            let answer = world.browser.another().deliver(login).await;
            assert_eq!((answer.status.as_u16(), &*answer.body), (200, "alice"));
            let who = answer_after(&world, &answer, &shown, first).await;
            assert_eq!(who, "alice fresh", "{case}");
            assert_eq!(world.live_sessions(), 1, "{case}");
            world.let_grace_pass();
            for token in &shown {
                assert_eq!(world.who_has(token).await, "nobody", "{case}");
            }
            let who = answer_after(&world, &answer, &shown, first).await;
            assert_eq!(who, "alice fresh", "{case}");
        }
    }
}

#[tokio::test]
async fn login_ends_what_several_remember_cookies_show() {
    let world = World::new();
    let mut shown = Vec::new();
    for name in ["alice", "bob", "zoe"] {
        let mut browser = world.browser.another();
        browser.post(&format!("/remember/{name}")).await;
        shown.push(browser.cookie("remember").unwrap());
    }
    let cookies = pairs(REMEMBER, &shown);
    let login = request(&world.browser, Method::POST, "/login/alice", &cookies);
    let answer = world.browser.another().deliver(login).await;
    assert_eq!(answer.status, 200);
    assert_eq!(world.live_sessions(), 1);
    for token in shown {
        let mut browser = world.browser.another();
        browser.plant(REMEMBER, &token);
        assert_eq!(browser.get("/who").await.body, "nobody");
    }
}

#[tokio::test]
async fn logout_ends_every_session_that_up_to_eight_values_open() {
    for (alices, bobs, remembered, unknown) in [
        (1, 0, 0, 1),
        (1, 1, 0, 0),
        (4, 4, 0, 0),
        (2, 2, 0, 4),
        (1, 1, 2, 0),
        (0, 0, 8, 0),
        (4, 4, 8, 0),
    ] {
        let world = World::new();
        let mut sessions = logins(&world, "alice", alices).await;
        sessions.extend(logins(&world, "bob", bobs).await);
        let live = sessions.clone();
        sessions.extend((1..=unknown).map(made_up));
        let mut remembers = Vec::new();
        for _ in 0..remembered {
            let mut browser = world.browser.another();
            browser.post("/remember/alice").await;
            remembers.push(browser.cookie("remember").unwrap());
        }
        let bystander = logins(&world, "alice", 1).await.remove(0);
        let case = format!("{alices} {bobs} {remembered} {unknown}");
        let cookies = [pairs(SESSION, &sessions), pairs(REMEMBER, &remembers)].join("; ");
        let logout = request(&world.browser, Method::POST, "/logout", &cookies);
        let answer = world.browser.another().deliver(logout).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (200, "bye"),
            "{case}"
        );
        assert_eq!(answer.set_cookies().len(), 2, "{case}");
        assert_eq!(world.store.inner.len(), 1, "{case}");
        for token in live {
            assert_eq!(world.who_has(&token).await, "nobody", "{case}");
        }
        assert_eq!(world.who_has(&bystander).await, "alice", "{case}");
    }
}

#[tokio::test]
async fn logout_with_more_than_eight_values_is_incomplete() {
    for name in [SESSION, REMEMBER] {
        let world = World::new();
        let mut tokens = Vec::new();
        for _ in 0..=MOST {
            let mut browser = world.browser.another();
            browser.post("/remember/alice").await;
            let ending = if name == SESSION {
                "-session"
            } else {
                "-remember"
            };
            tokens.push(browser.cookie(ending).unwrap());
        }
        world.events.take();
        let cookies = pairs(name, &tokens);
        let logout = request(&world.browser, Method::POST, "/logout", &cookies);
        let answer = world.browser.another().deliver(logout).await;
        assert_eq!(answer.status, 409, "{name}");
        assert_eq!(
            answer.set_cookies().len(),
            2,
            "{name}: cleared all the same"
        );
        assert!(
            answer
                .set_cookies()
                .iter()
                .all(|set| set.contains("Max-Age=0"))
        );
        assert!(world.events.take().contains(&EventKind::LogoutIncomplete));
        assert_eq!(world.live_sessions(), 1, "{name}: the one not looked at");
    }
}

#[tokio::test]
async fn cookie_behind_17_kilobytes_of_others_is_read_and_ended() {
    let filler: Vec<_> = (0..85)
        .map(|number| format!("c{number}={}", "x".repeat(200)))
        .collect();
    let filler = filler.join("; ");
    assert!(filler.len() > 17_000);
    let mut world = World::new();
    world.browser.post("/remember/alice").await;
    let old = world.token();
    let ours = world.browser.cookie_header("/").unwrap();
    let cookies = format!("{filler}; {ours}");
    let answer = world.browser.get_with_cookies("/how", &[&cookies]).await;
    assert_eq!(answer.body, "alice fresh remembered");

    let login = request(&world.browser, Method::POST, "/login/bob", &cookies);
    assert_eq!(world.browser.deliver(login).await.body, "bob");
    assert_eq!(world.who_has(&old).await, "nobody");
    assert_eq!(world.live_sessions(), 1);

    let ours = world.browser.cookie_header("/").unwrap();
    let cookies = format!("{filler}; {ours}");
    let new = world.token();
    let logout = request(&world.browser, Method::POST, "/logout", &cookies);
    assert_eq!(world.browser.deliver(logout).await.body, "bye");
    assert_eq!(world.who_has(&new).await, "nobody");
    assert_eq!(world.live_sessions(), 0);
    assert!(world.browser.cookie_names().is_empty());
}

/// The cookies of before a login, the closed session's behind one that is unknown.
#[tokio::test]
async fn late_request_with_several_cookies_makes_no_session() {
    let mut world = World::new();
    world.browser.post("/put/cart/apples").await;
    let old = world.token();
    world.browser.post("/login/alice").await;
    for values in [[made_up(1), old.clone()], [old, made_up(1)]] {
        let cookies = pairs(SESSION, &values);
        let late = request(&world.browser, Method::POST, "/put/cart/pears", &cookies);
        world.events.take();
        let answer = world.browser.another().deliver(late).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.set_cookies(), [""; 0]);
        assert!(world.events.take().contains(&EventKind::DataDropped));
        assert_eq!(world.live_sessions(), 1);
    }
}

/// B logs in over a session that A, a login over several cookies, is about to end as surplus.
#[tokio::test]
async fn login_leaves_a_session_with_a_newer_login_alone() {
    let world = World::new();
    let shown = [
        logins(&world, "alice", 1).await.remove(0),
        logins(&world, "bob", 1).await.remove(0),
    ];
    let cookies = pairs(SESSION, &shown);
    let login = request(&world.browser, Method::POST, "/login/alice", &cookies);
    let mut slow = world.browser.another();
    let gate = world.store.gate(Delete, Before);
    let login = tokio::spawn(async move { slow.deliver(login).await });
    gate.reached().await;
    // It is held before it deletes alice's old session.
    let mut beside = world.browser.another();
    beside.plant(SESSION, &shown[0]);
    assert_eq!(beside.post("/login/alice").await.body, "alice");
    gate.open();
    assert_eq!(login.await.unwrap().body, "alice");
    assert_eq!(beside.get("/who").await.body, "alice");
    assert_eq!(world.who_has(&shown[1]).await, "nobody");
}

/// The store fails for A's deletions, and B logs in before they are retried.
#[tokio::test(start_paused = true)]
async fn retried_deletion_leaves_a_session_with_a_newer_login_alone() {
    let world = World::new();
    let shown = [
        logins(&world, "alice", 1).await.remove(0),
        logins(&world, "alice", 1).await.remove(0),
    ];
    let cookies = pairs(SESSION, &shown);
    world.store.fail(Delete, Fails);
    let login = request(&world.browser, Method::POST, "/login/alice", &cookies);
    assert_eq!(world.browser.another().deliver(login).await.body, "alice");
    let mut beside = world.browser.another();
    beside.plant(SESSION, &shown[1]);
    assert_eq!(beside.post("/login/alice").await.body, "alice");
    world.store.heal();
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(beside.get("/who").await.body, "alice");
    assert!(!world.events.take().contains(&EventKind::LoggedOut));
}

/// A browser that keeps apart the cookies of two `Domain`s shows the old one beside its successor.
#[tokio::test]
async fn old_remember_cookie_beside_its_successor_is_no_theft() {
    for old_first in [false, true] {
        let mut world = World::new();
        world.browser.post("/remember/alice").await;
        let mut shown = Vec::new();
        for _ in 0..3 {
            shown.push(world.browser.cookie("remember").unwrap());
            world.clock.advance(DAY);
            world.browser.restart();
            for _ in 0..2 {
                assert_eq!(world.browser.get("/who").await.body, "alice");
            }
        }
        let mut shown = vec![shown.remove(0), world.browser.cookie("remember").unwrap()];
        if !old_first {
            shown.reverse();
        }
        world.clock.advance(DAY);
        world.events.take();
        let cookies = pairs(REMEMBER, &shown);
        let restore = request(&world.browser, Method::GET, "/who", &cookies);
        let answer = world.browser.another().deliver(restore).await;
        assert_eq!(answer.body, "alice", "{old_first}");
        assert!(!world.events.take().contains(&EventKind::RememberTheft));
        // Alone it still is.
        world.browser.receive(&answer);
        world.clock.advance(DAY);
        let old = &shown[usize::from(!old_first)];
        let mut thief = world.browser.another();
        thief.plant(REMEMBER, old);
        assert_eq!(thief.get("/who").await.body, "nobody");
        assert!(world.events.take().contains(&EventKind::RememberTheft));
    }
}

/// The cookies of before a login, sent with a logout.
#[tokio::test]
async fn logout_with_the_cookie_of_a_replaced_session_ends_nothing() {
    let mut world = World::new();
    world.browser.post("/login/alice").await;
    let old = world.token();
    world.browser.post("/login/bob").await;
    world.events.take();
    let late = request(
        &world.browser,
        Method::POST,
        "/logout",
        &pairs(SESSION, &[old]),
    );
    assert_eq!(world.browser.another().deliver(late).await.body, "bye");
    assert!(!world.events.take().contains(&EventKind::LoggedOut));
    assert_eq!(world.browser.get("/who").await.body, "bob");
}
