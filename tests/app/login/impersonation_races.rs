//! Impersonation beside other verbs, with a store that fails, and with clients that hang up.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use http::Method;
use tokio::time::sleep;
use tower::ServiceExt;

use super::impersonation::{impersonating, world};
use crate::support::{
    browser::{Answer, Browser},
    faulty_store::{
        Call::{self, Create, Delete, Load, LoadFresh, Update},
        Fault::{DoesAndFails, DoesLater, Fails, Hangs},
        When::{self, After, Before},
    },
    settle,
    world::{HOUR, World},
};

/// Retries and late writes are over by then.
const A_WHILE: Duration = Duration::from_secs(100);

/// Every point of a verb at which another may run.
const POINTS: [(Call, When); 9] = [
    (Load, Before),
    (Load, After),
    (LoadFresh, Before),
    (LoadFresh, After),
    (Create, Before),
    (Create, After),
    (Update, Before),
    (Update, After),
    (Delete, Before),
];

async fn impersonated() -> (World, String) {
    impersonating(|manager| manager.with_deadline(HOUR)).await
}

/// Holds a request at a point while the other runs. `None`: it doesn't come there.
async fn hold(
    world: &World,
    held: &str,
    (call, when): (Call, When),
    meanwhile: impl AsyncFnOnce() -> (Browser, Answer),
) -> Option<((Browser, Answer), (Browser, Answer))> {
    let gate = world.store.gate(call, when);
    let mut first = world.browser.start(Method::POST, held);
    tokio::select! {
        () = gate.reached() => {}
        _ = &mut first => return None,
    }
    let second = meanwhile().await;
    gate.open();
    Some((first.await.unwrap(), second))
}

async fn beside(
    world: &World,
    held: &str,
    point: (Call, When),
    other: &str,
) -> Option<((Browser, Answer), (Browser, Answer))> {
    let browser = world.browser.clone();
    hold(world, held, point, async || {
        browser.start(Method::POST, other).await.unwrap()
    })
    .await
}

fn status(answer: &Answer) -> u16 {
    answer.status.as_u16()
}

#[tokio::test]
async fn of_two_stops_one_leads_back_and_the_other_sets_no_cookie() {
    let mut forced = 0;
    for point in POINTS {
        let (world, _) = impersonated().await;
        let other_token = world.token();
        let Some(((one, first), (two, second))) = beside(&world, "/stop", point, "/stop").await
        else {
            continue;
        };
        forced += 1;
        let first_won = first.body == "alice";
        let (mut winner, loser) = match first_won {
            true => (one, second),
            false => (two, first),
        };
        assert_eq!(loser.set_cookies(), [""; 0], "{point:?}");
        assert!(loser.body.is_empty() || loser.body == "nobody", "{point:?}");
        assert!(matches!(status(&loser), 200 | 409), "{point:?}");
        assert_eq!(winner.get("/acts").await.body, "alice", "{point:?}");
        // The loser's response arrives last.
        winner.receive(&loser);
        world.let_grace_pass();
        assert_eq!(winner.get("/acts").await.body, "alice", "{point:?}");
        assert_eq!(world.who_has(&other_token).await, "nobody", "{point:?}");
        assert_eq!(world.live_sessions(), 1, "{point:?}");
    }
    assert!(forced >= 5, "{forced}");
}

#[tokio::test]
async fn stop_beside_a_logout_ends_with_no_session() {
    for (held, other) in [("/stop", "/logout"), ("/logout", "/stop")] {
        for point in POINTS {
            let case = format!("{held} held at {point:?}");
            let (world, own) = impersonated().await;
            let impersonation = world.token();
            let Some(((one, _), (two, _))) = beside(&world, held, point, other).await else {
                continue;
            };
            for token in [
                Some(own),
                Some(impersonation),
                one.cookie("-session"),
                two.cookie("-session"),
            ]
            .into_iter()
            .flatten()
            {
                assert_eq!(world.who_has(&token).await, "nobody", "{case}");
            }
            assert_eq!(world.live_sessions(), 0, "{case}");
        }
    }
}

#[tokio::test]
async fn stop_beside_the_actors_logout_elsewhere_logs_out() {
    for point in POINTS {
        let (world, own) = impersonated().await;
        let impersonation = world.token();
        let held = hold(&world, "/stop", point, async || {
            world.manager.logout_user(&1).await.unwrap();
            let mut browser = world.browser.another();
            let answer = browser.get("/").await;
            (browser, answer)
        });
        let Some(((one, answer), _)) = held.await else {
            continue;
        };
        assert!(matches!(status(&answer), 200 | 409), "{point:?}");
        for token in [Some(own), Some(impersonation), one.cookie("-session")]
            .into_iter()
            .flatten()
        {
            assert_eq!(world.who_has(&token).await, "nobody", "{point:?}");
        }
        assert_eq!(world.live_sessions(), 0, "{point:?}");
    }
}

#[tokio::test]
async fn stop_beside_a_login_ends_the_impersonation() {
    for (held, other) in [("/stop", "/login/zoe"), ("/login/zoe", "/stop")] {
        for point in POINTS {
            let case = format!("{held} held at {point:?}");
            let (world, _) = impersonated().await;
            let impersonation = world.token();
            let Some((one, two)) = beside(&world, held, point, other).await else {
                continue;
            };
            let (mut stopped, mut logged_in) = match held {
                "/stop" => (one.0, two.0),
                _ => (two.0, one.0),
            };
            assert_eq!(logged_in.get("/acts").await.body, "zoe", "{case}");
            assert_eq!(world.who_has(&impersonation).await, "nobody", "{case}");
            let back = stopped.get("/acts").await.body;
            assert!(matches!(&*back, "alice" | "nobody"), "{case}: {back}");
        }
    }
}

#[tokio::test]
async fn start_beside_a_logout_ends_with_no_session() {
    for (held, other) in [("/as/bob", "/logout"), ("/logout", "/as/bob")] {
        for point in POINTS {
            let case = format!("{held} held at {point:?}");
            let mut world = world(|manager| manager.with_deadline(HOUR));
            world.browser.post("/login/alice").await;
            let own = world.token();
            let Some(((one, _), (two, _))) = beside(&world, held, point, other).await else {
                continue;
            };
            for token in [Some(own), one.cookie("-session"), two.cookie("-session")]
                .into_iter()
                .flatten()
            {
                assert_eq!(world.who_has(&token).await, "nobody", "{case}");
            }
            assert_eq!(world.live_sessions(), 0, "{case}");
        }
    }
}

/// A stop ends every impersonation that was started from the session.
#[tokio::test]
async fn of_two_impersonations_at_once_a_stop_ends_both() {
    let mut world = world(|manager| manager.with_deadline(HOUR));
    world.browser.post("/login/alice").await;
    let point = (Create, Before);
    let both = beside(&world, "/as/bob", point, "/as/zoe").await.unwrap();
    let ((mut one, _), (mut two, _)) = both;
    assert_eq!(one.get("/acts").await.body, "bob by alice");
    assert_eq!(two.get("/acts").await.body, "zoe by alice");
    assert_eq!(one.post("/stop").await.body, "alice");
    assert_eq!(two.get("/why").await.body, "Some(SessionReplaced)");
    let late = two.post("/put/a/1").await;
    assert_eq!(late.set_cookies(), [""; 0]);
    assert_eq!(one.get("/acts").await.body, "alice");
    assert_eq!(world.live_sessions(), 1);
}

/// A request that was sent before the stop arrives after it.
#[tokio::test]
async fn request_that_is_late_for_a_stop_is_anonymous() {
    let (mut world, _) = impersonated().await;
    let mut late = world.browser.clone();
    world.browser.post("/stop").await;
    assert_eq!(late.get("/why").await.body, "Some(SessionReplaced)");
    assert_eq!(late.post("/put/a/1").await.set_cookies(), [""; 0]);
    let stop = late.post("/stop").await;
    assert_eq!((&*stop.body, stop.set_cookies().len()), ("nobody", 0));
    assert_eq!(world.browser.get("/acts").await.body, "alice");
    assert_eq!(world.live_sessions(), 1);
    // A logout, though, ends the session into which the stop has led.
    late.post("/logout").await;
    assert_eq!(world.browser.get("/acts").await.body, "nobody");
    assert_eq!(world.live_sessions(), 0);
}

/// One call of the store goes wrong, whichever it is.
#[tokio::test(start_paused = true)]
async fn stop_is_done_or_can_be_repeated_if_a_call_fails() {
    for fault in [Fails, DoesAndFails, Hangs, DoesLater] {
        for calls in 0..6 {
            let case = format!("{fault:?} after {calls} calls");
            let (mut world, _) = impersonating(|manager| manager).await;
            let impersonation = world.token();
            world.store.fail_after(calls, fault);
            let answer = world.browser.post("/stop").await;
            world.store.heal();
            sleep(A_WHILE).await;
            if status(&answer) == 503 {
                assert_eq!(answer.set_cookies(), [""; 0], "{case}");
                assert_eq!(
                    world.browser.get("/acts").await.body,
                    "bob by alice",
                    "{case}"
                );
                assert_eq!(world.browser.post("/stop").await.body, "alice", "{case}");
            } else {
                assert_eq!(answer.body, "alice", "{case}");
            }
            assert_eq!(world.browser.get("/acts").await.body, "alice", "{case}");
            assert_eq!(world.who_has(&impersonation).await, "nobody", "{case}");
            assert_eq!(world.live_sessions(), 1, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn start_is_done_or_leaves_nothing_if_a_call_fails() {
    for fault in [Fails, DoesAndFails, Hangs, DoesLater] {
        for calls in 0..4 {
            let case = format!("{fault:?} after {calls} calls");
            let mut world = world(|manager| manager);
            world.browser.post("/login/alice").await;
            world.store.fail_after(calls, fault);
            let answer = world.browser.post("/as/bob").await;
            world.store.heal();
            sleep(A_WHILE).await;
            let (user, live) = match status(&answer) {
                200 => ("bob by alice", 2),
                _ => ("alice", 1),
            };
            assert_eq!(world.browser.get("/acts").await.body, user, "{case}");
            assert_eq!(world.live_sessions(), live, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn logout_and_login_end_both_sessions_if_a_call_fails() {
    for verb in ["/logout", "/login/zoe"] {
        for fault in [Fails, DoesAndFails, Hangs, DoesLater] {
            for calls in 0..7 {
                let case = format!("{verb}, {fault:?} after {calls} calls");
                let (mut world, own) = impersonating(|manager| manager).await;
                let impersonation = world.token();
                world.store.fail_after(calls, fault);
                let answer = world.browser.post(verb).await;
                sleep(A_WHILE).await;
                world.store.heal();
                if verb == "/login/zoe" && status(&answer) != 200 {
                    assert_eq!(
                        world.browser.get("/acts").await.body,
                        "bob by alice",
                        "{case}"
                    );
                    continue;
                }
                for token in [&own, &impersonation] {
                    assert_eq!(world.who_has(token).await, "nobody", "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn stop_whose_client_hangs_up_is_complete_or_not_begun() {
    for polls in 0.. {
        let (mut world, _) = impersonated().await;
        world.store.be_remote();
        let request = world.browser.request(Method::POST, "/stop");
        let mut answered = false;
        {
            let mut answer = pin!(world.browser.app().oneshot(request));
            for _ in 0..polls {
                answered = poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx).is_ready())).await;
                if answered {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        settle().await;
        let now = world.browser.get("/acts").await.body;
        let expected = if polls == 0 { "bob by alice" } else { "nobody" };
        assert_eq!(now, expected, "after {polls} polls");
        let live = if polls == 0 { 2 } else { 1 };
        assert_eq!(world.live_sessions(), live, "after {polls} polls");
        if answered {
            assert!(polls > 3);
            break;
        }
    }
}
