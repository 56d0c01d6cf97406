//! Restore: a remembered browser is logged in again, and a copied cookie is detected.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use login_manager::manager::RememberMe;
use login_manager::{
    event::EventKind, manager::RememberGrace, store::SessionRecord, testing::TestClock,
};

use crate::support::{
    browser::Browser,
    events::Events,
    faulty_store::{Call, Fault, FaultyStore, When},
    settle,
    world::{Accounts, DAY, MINUTE, REMEMBER, SESSION, World, routes},
};

/// A world in which alice has logged in with remember-me.
struct Remembered {
    browser: Browser,
    store: FaultyStore,
    accounts: Accounts,
    clock: TestClock,
    events: Events,
}

async fn remembered() -> Remembered {
    remembered_with(RememberGrace::default()).await
}

async fn remembered_with(grace: RememberGrace) -> Remembered {
    let World {
        mut browser,
        store,
        accounts,
        clock,
        events,
        ..
    } = World::with(routes, |manager| {
        manager.with_remember_me(RememberMe::new().grace(grace))
    });
    browser.post("/remember/alice").await;
    assert_eq!(browser.get("/how").await.body, "alice fresh remembered");
    Remembered {
        browser,
        store,
        accounts,
        clock,
        events,
    }
}

fn thefts(events: &Events) -> usize {
    events.count(EventKind::RememberTheft)
}

#[tokio::test]
async fn max_remembered_forgets_the_oldest_browser() {
    let limits = [(None, 15), (Some(3), 3)];
    for (limit, kept) in limits {
        let mut world = World::with(routes, |manager| match limit {
            Some(limit) => manager.with_remember_me(RememberMe::new().max_browsers(limit)),
            None => manager,
        });
        let mut bob = world.browser.another();
        bob.post("/remember/bob").await;
        let mut browsers = Vec::new();
        for _ in 0..15 {
            let mut browser = world.browser.another();
            browser.post("/remember/alice").await;
            world.clock.advance(MINUTE);
            browsers.push(browser);
        }
        // The oldest sessions are ended in the background.
        let remembered = async |world: &World| {
            let devices = world.manager.sessions_of(&1).await.unwrap();
            devices
                .iter()
                .filter(|device| device.is_remembered())
                .count()
        };
        settle().await;
        assert_eq!(remembered(&world).await, kept);
        let events = world.events.take();
        let forgotten = events.iter().filter(|kind| **kind == EventKind::Forgotten);
        assert_eq!(forgotten.count(), 15 - kept);
        for (n, browser) in browsers.iter_mut().enumerate() {
            assert_eq!(
                browser.get("/who").await.body,
                "alice",
                "its session goes on"
            );
            browser.forget(SESSION);
            let who = if n < 15 - kept { "nobody" } else { "alice" };
            assert_eq!(browser.get("/who").await.body, who, "{n}");
        }
        bob.forget(SESSION);
        assert_eq!(
            bob.get("/who").await.body,
            "bob",
            "sessions of other users stay"
        );
        world.store.fail(Call::List, Fault::Fails);
        let answer = world.browser.post("/remember/alice").await;
        assert_eq!(answer.body, "alice", "a list that fails spoils no login");
    }
}

#[tokio::test]
async fn restored_login_is_not_fresh_until_confirmed() {
    let Remembered {
        mut browser, store, ..
    } = remembered().await;
    let before = browser.cookie("remember").unwrap();
    browser.restart();
    assert_eq!(browser.get("/how").await.body, "alice stale remembered");
    assert_ne!(
        browser.cookie("remember").unwrap(),
        before,
        "d3: a token is good for one use"
    );
    assert_eq!(browser.get("/how").await.body, "alice stale remembered");
    assert_eq!(browser.post("/confirm").await.body, "true");
    assert_eq!(browser.get("/how").await.body, "alice fresh remembered");
    assert_eq!(store.inner.len(), 1);
}

#[tokio::test]
async fn remember_cookie_has_session_attributes_and_max_age() {
    let World { mut browser, .. } = World::new();
    let cookies = browser.post("/remember/alice").await.set_cookies();
    let [_, remember] = &cookies[..] else {
        panic!("{cookies:?}")
    };
    assert!(remember.starts_with("__Host-account-remember="));
    assert!(
        remember.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000"),
        "{remember}"
    );
}

#[tokio::test]
async fn logout_ends_the_remember_cookie_in_browser_and_store() {
    let Remembered {
        mut browser, store, ..
    } = remembered().await;
    let copy = browser.clone();
    browser.post("/logout").await;
    assert!(browser.cookie_names().is_empty());
    assert!(store.inner.is_empty());
    let mut thief = copy;
    thief.restart();
    assert_eq!(thief.get("/who").await.body, "nobody");

    // Also if only the remember cookie is left and the user can't be loaded.
    let Remembered {
        mut browser,
        store,
        accounts,
        ..
    } = remembered().await;
    browser.restart();
    accounts.fail(true);
    assert_eq!(browser.post("/logout").await.status, 200);
    assert!(store.inner.is_empty());
}

#[tokio::test]
async fn login_as_another_user_ends_the_remembered_session() {
    let Remembered { mut browser, .. } = remembered().await;
    let mut copy = browser.clone();
    browser.post("/login/bob").await;
    assert_eq!(browser.cookie_names(), [SESSION]);
    assert_eq!(copy.get("/who").await.body, "nobody");
    copy.restart();
    assert_eq!(copy.get("/who").await.body, "nobody");

    let Remembered {
        mut browser, store, ..
    } = remembered().await;
    browser.restart();
    browser.post("/remember/bob").await;
    let live = |record: &SessionRecord| record.owner.as_deref().unwrap().ends_with("/2");
    let records = store.inner.records();
    assert_eq!(records.iter().filter(|record| live(record)).count(), 1);
    browser.restart();
    assert_eq!(browser.get("/who").await.body, "bob");
}

#[tokio::test]
async fn each_remembered_browser_has_one_record() {
    let Remembered {
        mut browser, store, ..
    } = remembered().await;
    let mut other = browser.another();
    other.post("/remember/alice").await;
    browser.post("/remember/alice").await;
    assert_eq!(store.inner.len(), 2, "two browsers");
    browser.post("/logout").await;
    other.restart();
    assert_eq!(other.get("/who").await.body, "alice");
}

#[tokio::test]
async fn parallel_requests_with_one_remember_cookie_all_succeed() {
    let Remembered {
        mut browser,
        store,
        events,
        ..
    } = remembered().await;
    browser.post("/logout").await;
    browser.post("/remember/alice").await;
    browser.restart();
    let update = store.gate(Call::Update, When::Before);
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let mut browser = browser.clone();
        requests.spawn(async move { (browser.get("/how").await.body, browser) });
    }
    // The first to exchange the secret is held until the others have come as far.
    update.reached().await;
    settle().await;
    update.open();
    let answers = requests.join_all().await;
    assert!(
        answers
            .iter()
            .all(|(body, _)| body == "alice stale remembered"),
        "{answers:?}",
        answers = answers.iter().map(|(body, _)| body).collect::<Vec<_>>()
    );
    let winners: Vec<_> = answers
        .into_iter()
        .map(|(_, browser)| browser)
        .filter(|browser| browser.cookie("session").is_some())
        .collect();
    assert_eq!(winners.len(), 1, "one answer sets the cookies");
    assert_eq!(thefts(&events), 0);
    assert_eq!(store.inner.len(), 1);
    let mut winner = winners.into_iter().next().unwrap();
    assert_eq!(winner.get("/who").await.body, "alice");
    settle().await;
    winner.restart();
    assert_eq!(winner.get("/who").await.body, "alice");
}

#[tokio::test]
async fn used_token_after_its_successor_was_seen_is_theft() {
    let Remembered {
        mut browser,
        store,
        clock,
        events,
        ..
    } = remembered().await;
    browser.restart();
    let mut thief = browser.clone();
    assert_eq!(browser.get("/who").await.body, "alice");
    assert_eq!(
        browser.get("/who").await.body,
        "alice",
        "shows that the new secret has arrived"
    );
    settle().await;
    clock.advance(2 * MINUTE);
    assert_eq!(thief.get("/who").await.body, "nobody");
    assert!(thief.cookie_names().is_empty());
    assert_eq!(thefts(&events), 1);
    assert!(store.inner.is_empty());
    assert_eq!(
        browser.get("/who").await.body,
        "nobody",
        "both parties are out"
    );
}

#[tokio::test]
async fn lost_restore_response_still_lets_the_browser_back_in() {
    for after in [MINUTE / 6, MINUTE * 60] {
        let Remembered {
            mut browser,
            store,
            clock,
            events,
            ..
        } = remembered().await;
        browser.restart();
        let lost = browser.request(http::Method::GET, "/who");
        browser.clone().deliver(lost).await;
        clock.advance(after);
        assert_eq!(browser.get("/how").await.body, "alice stale remembered");
        assert_eq!(thefts(&events), 0);
        assert_eq!(store.inner.len(), 1);
    }
}

#[tokio::test]
async fn strict_grace_takes_a_lost_response_for_theft() {
    let Remembered {
        mut browser,
        clock,
        events,
        ..
    } = remembered_with(RememberGrace::Strict(MINUTE)).await;
    browser.restart();
    browser.clone().get("/who").await;
    clock.advance(MINUTE);
    assert_eq!(browser.get("/who").await.body, "alice");
    clock.advance(Duration::from_millis(1));
    assert_eq!(browser.get("/who").await.body, "nobody");
    assert_eq!(thefts(&events), 1);
}

#[tokio::test]
async fn use_does_not_extend_the_remember_limit() {
    let Remembered {
        mut browser, clock, ..
    } = remembered().await;
    for _ in 0..29 {
        clock.advance(DAY);
        browser.restart();
        assert_eq!(browser.get("/who").await.body, "alice");
        settle().await;
    }
    clock.advance(DAY - Duration::from_millis(1));
    let mut kept = browser.clone();
    browser.restart();
    assert_eq!(browser.get("/who").await.body, "alice");
    clock.advance(Duration::from_millis(1));
    assert_eq!(
        browser.get("/who").await.body,
        "nobody",
        "nor does the session outlive it"
    );
    kept.restart();
    assert_eq!(kept.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn restore_writes_nothing_before_the_user_is_loaded() {
    let Remembered {
        mut browser,
        store,
        accounts,
        ..
    } = remembered().await;
    browser.restart();
    accounts.fail(true);
    store.take_calls();
    assert_eq!(browser.get("/who").await.status, 503);
    assert_eq!(store.take_calls(), [Call::Load]);
    accounts.fail(false);
    assert_eq!(
        browser.clone().get("/who").await.body,
        "alice",
        "an outage logs no user out"
    );
    accounts.change(1, |alice| alice.active = false);
    store.take_calls();
    assert_eq!(browser.get("/who").await.body, "nobody");
    assert!(!store.take_calls().contains(&Call::Create));
    assert!(browser.cookie_names().is_empty());
    accounts.change(1, |alice| alice.active = true);
    assert!(store.inner.is_empty(), "p6: nothing is left to be revived");
}

#[tokio::test]
async fn changed_stamp_ends_the_remember_cookie() {
    let Remembered {
        mut browser,
        accounts,
        ..
    } = remembered().await;
    browser.restart();
    accounts.change(1, |alice| alice.stamp = "changed".into());
    assert_eq!(browser.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn each_kind_of_token_is_invalid_in_the_other_cookie() {
    let Remembered { mut browser, .. } = remembered().await;
    let (session, remember) = (
        browser.cookie("session").unwrap(),
        browser.cookie("remember").unwrap(),
    );
    let decode = |text: &str| Base64UrlUnpadded::decode_vec(text).unwrap();
    let encode = |parts: &[&[u8]]| Base64UrlUnpadded::encode_string(&parts.concat());
    let (session_bytes, remember_bytes) = (decode(&session), decode(&remember));
    let (id, secret) = session_bytes.split_at(16);
    let (series, token) = remember_bytes[16..].split_at(32);
    for (name, value) in [
        (SESSION, encode(&[id, series])),
        (SESSION, encode(&[id, token])),
        (SESSION, remember.clone()),
        (REMEMBER, session.clone()),
        (REMEMBER, encode(&[id, secret, token])),
        (REMEMBER, encode(&[id, secret, secret])),
        (REMEMBER, encode(&[id, token, series])),
    ] {
        let mut attacker = browser.another();
        attacker.plant(name, &value);
        assert_eq!(attacker.get("/who").await.body, "nobody");
    }
    assert_eq!(browser.get("/who").await.body, "alice");
}

#[tokio::test]
async fn malformed_remember_cookie_is_removed_without_store_calls() {
    let World {
        mut browser, store, ..
    } = World::new();
    browser.plant(REMEMBER, "junk");
    let answer = browser.get("/who").await;
    assert_eq!(
        (answer.status.as_u16(), answer.body.as_str()),
        (200, "nobody")
    );
    assert!(browser.cookie_names().is_empty());
    assert!(store.take_calls().is_empty());
}

#[tokio::test]
async fn store_failure_during_restore_keeps_the_browser_remembered() {
    for call in [Call::Load, Call::Update] {
        for fault in [Fault::Fails, Fault::DoesAndFails] {
            let Remembered {
                mut browser,
                store,
                events,
                ..
            } = remembered().await;
            browser.restart();
            store.fail(call, fault);
            let answer = browser.get("/who").await;
            let came_through = (call, fault) == (Call::Update, Fault::DoesAndFails);
            if came_through {
                assert_eq!(
                    answer.body, "alice",
                    "what the store says afterwards counts"
                );
            } else {
                assert_eq!(answer.status, 503, "{call:?} {fault:?}");
                assert!(answer.set_cookies().is_empty(), "{call:?} {fault:?}");
            }
            store.heal();
            assert_eq!(
                browser.get("/who").await.body,
                "alice",
                "{call:?} {fault:?}"
            );
            assert_eq!(thefts(&events), 0);
        }
    }
}

#[tokio::test]
async fn restore_beside_a_logout_stays_anonymous() {
    let Remembered {
        mut browser, store, ..
    } = remembered().await;
    browser.restart();
    let gate = store.gate(Call::Update, When::Before);
    let mut slow = browser.clone();
    let restoring = tokio::spawn(async move { slow.get("/who").await });
    gate.reached().await;
    browser.post("/logout").await;
    gate.open();
    let answer = restoring.await.unwrap();
    assert_eq!(answer.body, "nobody");
    assert!(answer.set_cookies().is_empty());
    assert!(store.inner.is_empty());
}
