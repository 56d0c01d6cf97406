//! Where it can't be told whether one record took another's place: no logout is undone by that, no login is lost, and nothing that
//! nobody has stays in the store.

use std::time::Duration;

use http::Method;
use tokio::time::{Instant, sleep};

use crate::{
    devices::with_devices,
    faulty_store::{
        Call::{Create, Delete, DeleteAll, Replace},
        Fault::{DoesAndFails, DoesLater, Fails, Hangs},
        When::{After, Before},
    },
    world::{HOUR, SESSION, World},
};

/// How long what is tried again in the background may take, and a little more.
const A_WHILE: Duration = Duration::from_secs(100);

/// A logout, and what carries a session on.
const OUT_AND_ON: [(&str, &str); 3] = [
    ("/logout", "/renew"),
    ("/logout", "/confirm"),
    ("/everywhere", "/renew"),
];

async fn patient(start: &str) -> World {
    let mut world = World::with(with_devices, |manager| manager.with_deadline(HOUR));
    assert_eq!(world.browser.post(start).await.status, 200);
    world
}

async fn hasty(start: &str) -> World {
    let mut world = World::with(with_devices, |manager| manager);
    assert_eq!(world.browser.post(start).await.status, 200);
    world
}

/// The new session is written after the logout, and what would tell that the old one had ended says nothing.
#[tokio::test(start_paused = true)]
async fn b6_no_renewal_revives_what_a_logout_ended_where_a_deletion_fails() {
    for (out, verb) in OUT_AND_ON {
        let world = patient("/login/alice").await;
        let made = world.store.gate(Create, Before);
        let renewal = world.browser.start(Method::POST, verb);
        made.reached().await;
        assert_eq!(world.browser.clone().post(out).await.status, 200);
        assert!(world.store.inner.is_empty());
        world.store.fail_once(Delete, Fails);
        made.open();
        let (mut browser, answer) = renewal.await.unwrap();
        assert_eq!(answer.status, 409, "{out}, {verb}");
        assert_eq!(answer.set_cookies(), [""; 0], "{out}, {verb}");
        assert_eq!(browser.get("/who").await.body, "nobody", "{out}, {verb}");
        sleep(A_WHILE).await;
        assert!(world.store.inner.is_empty(), "{out}, {verb}");
    }
}

/// The store has said that the old session was gone, and fails when the new one is taken back.
#[tokio::test(start_paused = true)]
async fn b6_no_renewal_revives_what_a_logout_ended_where_taking_it_back_fails() {
    for (out, verb) in OUT_AND_ON {
        for fault in [Fails, DoesAndFails, Hangs] {
            let world = hasty("/login/alice").await;
            let made = world.store.gate(Create, Before);
            let deleted = world.store.gate(Delete, After);
            let renewal = world.browser.start(Method::POST, verb);
            made.reached().await;
            assert_eq!(world.browser.clone().post(out).await.status, 200);
            made.open();
            deleted.reached().await;
            world.store.fail_once(Delete, fault);
            deleted.open();
            let (mut browser, answer) = renewal.await.unwrap();
            let case = format!("{out}, {verb}, {fault:?}");
            assert!([409, 503].contains(&answer.status.as_u16()), "{case}");
            assert_eq!(answer.set_cookies(), [""; 0], "{case}");
            assert_eq!(browser.get("/who").await.body, "nobody", "{case}");
            sleep(A_WHILE).await;
            assert!(world.store.inner.is_empty(), "{case}");
        }
    }
}

/// Every call takes a third of the deadline, so the deadline of the three calls that a replacement is passes in the last.
#[tokio::test(start_paused = true)]
async fn b6_nor_does_a_slow_store_revive_it_in_which_nothing_fails() {
    let world = hasty("/login/alice").await;
    world.store.be_slow(Duration::from_millis(700));
    let logout = world.browser.start(Method::POST, "/logout");
    sleep(Duration::from_millis(100)).await;
    let renewal = world.browser.start(Method::POST, "/renew");
    assert_eq!(logout.await.unwrap().1.status, 200);
    assert!(world.store.inner.is_empty());
    let (mut browser, answer) = renewal.await.unwrap();
    assert_ne!(answer.status, 200);
    assert_eq!(answer.set_cookies(), [""; 0]);
    sleep(A_WHILE).await;
    assert!(world.store.inner.is_empty());
    assert_eq!(browser.get("/who").await.body, "nobody");
}

#[tokio::test(start_paused = true)]
async fn fault_20_two_renewals_do_not_both_win_where_a_deletion_fails() {
    for verb in ["/renew", "/confirm"] {
        let world = patient("/login/alice").await;
        let made = world.store.gate(Create, After);
        let first = world.browser.start(Method::POST, verb);
        made.reached().await;
        let (mut winner, answer) = world.browser.start(Method::POST, "/renew").await.unwrap();
        assert_eq!(answer.status, 200, "{verb}");
        world.store.fail_once(Delete, Fails);
        made.open();
        let (_, answer) = first.await.unwrap();
        assert_eq!(answer.status, 409, "{verb}");
        assert_eq!(answer.set_cookies(), [""; 0], "{verb}");
        sleep(A_WHILE).await;
        assert_eq!(winner.get("/who").await.body, "alice", "{verb}");
        assert_eq!(world.store.inner.len(), 1, "{verb}");
    }
}

/// The person has just proved who they are, so nothing is revived by it.
#[tokio::test(start_paused = true)]
async fn fault_3_a_login_whose_answer_from_the_store_got_lost_is_in() {
    for start in ["/put/cart/apples", "/login/alice"] {
        for (verb, records) in [("/login/alice", 1), ("/remember/alice", 2)] {
            let case = format!("{start}, {verb}");
            let mut world = hasty(start).await;
            world.browser.post("/put/cart/apples").await;
            let old = world.token();
            world.store.replace_at_once();
            world.store.fail_once(Replace, DoesAndFails);
            let answer = world.browser.post(verb).await;
            assert!(!world.store.is_still_to_fail(), "{case}");
            assert_eq!(answer.status, 200, "{case}");
            assert_eq!(world.browser.get("/who").await.body, "alice", "{case}");
            assert_eq!(
                world.browser.get("/get/cart").await.body,
                "apples",
                "{case}"
            );
            assert_eq!(world.who_has(&old).await, "nobody", "{case}");
            sleep(A_WHILE).await;
            assert_eq!(world.store.inner.len(), records, "{case}");
        }
    }
}

/// Nobody is in, so there is no logout that it could undo.
#[tokio::test(start_paused = true)]
async fn b4_an_anonymous_session_keeps_its_data_where_the_answer_to_its_renewal_got_lost() {
    let mut world = hasty("/put/cart/apples").await;
    let old = world.token();
    world.store.replace_at_once();
    world.store.fail_once(Replace, DoesAndFails);
    assert_eq!(world.browser.post("/renew").await.status, 200);
    assert!(!world.store.is_still_to_fail());
    assert_ne!(world.token(), old);
    sleep(A_WHILE).await;
    assert_eq!(world.browser.get("/get/cart").await.body, "apples");
    assert_eq!(world.store.inner.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn fault_5_a_replacement_that_comes_late_leaves_no_session_that_nobody_has() {
    for verb in ["/renew", "/confirm"] {
        let mut world = hasty("/login/alice").await;
        world.store.replace_at_once();
        world.store.fail_once(Replace, DoesLater);
        let answer = world.browser.post(verb).await;
        assert_eq!(answer.status, 503, "{verb}");
        assert_eq!(answer.set_cookies(), [""; 0], "{verb}");
        sleep(A_WHILE).await;
        let in_store = match world.browser.get("/who").await.body.as_str() {
            "alice" => 1,
            "nobody" => 0,
            other => panic!("{verb}: {other}"),
        };
        assert_eq!(world.store.inner.len(), in_store, "{verb}");
    }
}

/// The store doesn't answer the login in time, and another tab has rotated the session meanwhile.
#[tokio::test(start_paused = true)]
async fn a_login_beside_a_rotation_outlives_its_own_cleanup() {
    for start in ["/put/cart/apples", "/login/alice"] {
        for login in ["/login/alice", "/remember/alice"] {
            for fault in [Fails, Hangs, DoesLater] {
                let case = format!("{start}, {login}, {fault:?}");
                let world = hasty(start).await;
                world.store.replace_at_once();
                world.store.fail_once(Replace, fault);
                let gate = world.store.gate(Replace, Before);
                let login = world.browser.start(Method::POST, login);
                gate.reached().await;
                let rotated = world.browser.clone().post("/renew").await;
                assert_eq!(rotated.status, 200, "{case}");
                gate.open();
                let (mut browser, answer) = login.await.unwrap();
                assert_eq!(answer.status, 200, "{case}");
                assert_eq!(browser.get("/who").await.body, "alice", "{case}");
                sleep(A_WHILE).await;
                assert_eq!(browser.get("/who").await.body, "alice", "{case}");
                let restored = browser.cookie("remember").is_some();
                if restored {
                    browser.forget(SESSION);
                    assert_eq!(browser.get("/who").await.body, "alice", "{case}");
                }
            }
        }
    }
}

/// The same by the two steps of a store that can't replace at once: its creation comes late.
#[tokio::test(start_paused = true)]
async fn a_login_whose_creation_comes_late_outlives_its_cleanup() {
    for fault in [Fails, Hangs, DoesLater, DoesAndFails] {
        let world = hasty("/login/alice").await;
        world.store.fail_once(Create, fault);
        let gate = world.store.gate(Create, Before);
        let login = world.browser.start(Method::POST, "/login/alice");
        gate.reached().await;
        let rotated = world.browser.clone().post("/renew").await;
        assert_eq!(rotated.status, 200, "{fault:?}");
        gate.open();
        let (mut browser, answer) = login.await.unwrap();
        assert_eq!(answer.status, 200, "{fault:?}");
        sleep(A_WHILE).await;
        assert_eq!(browser.get("/who").await.body, "alice", "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn b5_what_a_store_writes_after_a_logout_everywhere_goes_again() {
    let world = hasty("/login/alice").await;
    world.store.fail_once(Create, DoesLater);
    let renewal = world.browser.start(Method::POST, "/renew");
    sleep(Duration::from_secs(1)).await;
    let answer = world.browser.clone().post("/everywhere").await;
    assert_eq!(answer.status, 200);
    assert_eq!(renewal.await.unwrap().1.status, 409);
    sleep(A_WHILE).await;
    assert!(world.store.inner.is_empty());
}

#[tokio::test(start_paused = true)]
async fn n2_a_verb_gives_up_after_two_deadlines_wherever_the_store_begins_to_hang() {
    let mut hung = 0;
    for (start, verb) in [
        ("/put/cart/apples", "/login/alice"),
        ("/put/cart/apples", "/remember/alice"),
        ("/login/alice", "/renew"),
        ("/login/alice", "/remember/alice"),
        ("/login/bob", "/login/alice"),
        ("/login/bob", "/remember/alice"),
    ] {
        for point in [
            (Create, After),
            (Replace, Before),
            (Delete, Before),
            (DeleteAll, Before),
        ] {
            let world = hasty(start).await;
            let gate = world.store.gate(point.0, point.1);
            let begin = Instant::now();
            let mut verbing = world.browser.start(Method::POST, verb);
            tokio::select! {
                () = gate.reached() => {}
                _ = &mut verbing => continue,
            }
            hung += 1;
            world.store.fail_all(Hangs);
            let (_, answer) = verbing.await.unwrap();
            let (case, took) = (format!("{start}, {verb}, {point:?}"), begin.elapsed());
            assert!(took <= Duration::from_millis(4050), "{case}: {took:?}");
            assert_eq!(answer.status, 503, "{case}");
        }
    }
    assert!(hung > 12, "{hung}");
}
