//! Two verbs on one session at once: what comes out is what one after the other could have given.

use std::time::Duration;

use axum::routing::post;
use http::Method;
use login_manager::{Auth, Error, Session};

use crate::{
    browser::{Answer, Browser},
    faulty_store::{
        Call::{self, Create, Delete, DeleteAll, Load, Replace, Update},
        When::{self, After, Before},
    },
    world::{Account, World, account, routes},
};

const COOKIE: &str = "__Host-account-session";

async fn world(first: &str) -> (World, String) {
    let mut world = World::with(routes, |manager| {
        manager.with_deadline(Duration::from_secs(3600))
    });
    assert_eq!(world.browser.post(first).await.status, 200);
    let token = world.browser.cookie("session").unwrap();
    world.store.take_calls();
    (world, token)
}

/// Sends the first request, holds it at a gate while the second runs, and lets it go on. `None`: it never comes there.
async fn hold(
    world: &World,
    held: &str,
    (call, when): (Call, When),
    meanwhile: &str,
) -> Option<((Browser, Answer), (Browser, Answer))> {
    let gate = world.store.gate(call, when);
    let mut first = world.browser.start(Method::POST, held);
    tokio::select! {
        () = gate.reached() => {}
        _ = &mut first => return None,
    }
    let second = world.browser.start(Method::POST, meanwhile).await.unwrap();
    gate.open();
    Some((first.await.unwrap(), second))
}

async fn bearer(browser: &Browser, token: &str) -> String {
    let mut thief = browser.another();
    thief.plant(COOKIE, token);
    thief.get("/who").await.body
}

fn status(answer: &Answer) -> u16 {
    answer.status.as_u16()
}

/// Every point of a verb at which the other may run.
const POINTS: [(Call, When); 8] = [
    (Load, After),
    (Create, Before),
    (Create, After),
    (Delete, Before),
    (Delete, After),
    (Replace, Before),
    (Replace, After),
    (DeleteAll, Before),
];

#[tokio::test]
async fn fault_16_two_logins_on_one_anonymous_session() {
    for second in ["alice", "bob"] {
        for point in POINTS {
            let (world, old) = world("/put/cart/apples").await;
            let meanwhile = format!("/login/{second}");
            let Some(((mut one, first), (mut two, other))) =
                hold(&world, "/login/alice", point, &meanwhile).await
            else {
                continue;
            };
            let case = format!("{second} at {point:?}");
            assert_eq!((status(&first), status(&other)), (200, 200), "{case}");
            assert_eq!(one.get("/me").await.body, "alice", "{case}");
            assert_eq!(two.get("/me").await.body, second, "{case}");
            assert_ne!(one.cookie("session"), two.cookie("session"), "{case}");
            assert_eq!(bearer(&one, &old).await, "nobody", "{case}");
            assert!(world.store.inner.len() <= 2, "{case}");
            one.post("/put/mine/1").await;
            assert_eq!(two.get("/get/mine").await.body, "", "{case}");
        }
    }
}

#[tokio::test]
async fn fault_17_two_logins_over_somebody_elses_session() {
    for point in POINTS {
        let (mut world, old) = world("/login/zoe").await;
        world.browser.post("/put/secret/zoes").await;
        let Some(((mut one, _), (mut two, _))) =
            hold(&world, "/login/alice", point, "/login/bob").await
        else {
            continue;
        };
        assert_eq!(one.get("/me").await.body, "alice", "{point:?}");
        assert_eq!(two.get("/me").await.body, "bob", "{point:?}");
        for browser in [&mut one, &mut two] {
            assert_eq!(browser.get("/get/secret").await.body, "", "{point:?}");
        }
        assert_eq!(bearer(&one, &old).await, "nobody", "{point:?}");
    }
}

#[tokio::test]
async fn fault_18_two_logouts() {
    for start in ["/login/alice", "/put/a/1"] {
        for point in [
            (Load, Before),
            (Load, After),
            (Delete, Before),
            (Delete, After),
            (DeleteAll, Before),
            (DeleteAll, After),
        ] {
            let (world, old) = world(start).await;
            let Some(((one, first), (two, second))) =
                hold(&world, "/logout", point, "/logout").await
            else {
                continue;
            };
            assert_eq!((status(&first), status(&second)), (200, 200), "{point:?}");
            assert!(one.cookie_names().is_empty() && two.cookie_names().is_empty());
            assert!(world.store.inner.is_empty(), "{start} {point:?}");
            assert_eq!(bearer(&one, &old).await, "nobody");
        }
    }
}

/// A login that says it succeeded has a session, and what it sends is the cookie of that session.
async fn assert_one_after_the_other(start: &str, point: (Call, When)) {
    let (world, old) = world(start).await;
    let Some(((mut one, login), (two, logout))) =
        hold(&world, "/login/alice", point, "/logout").await
    else {
        return;
    };
    let case = format!("{start}, held at {point:?}");
    assert_eq!(status(&logout), 200, "{case}");
    assert!(two.cookie_names().is_empty(), "{case}");
    assert_eq!(bearer(&one, &old).await, "nobody", "{case}");
    if status(&login) == 200 {
        assert_eq!(one.get("/who").await.body, "alice", "{case}");
        assert_eq!(world.store.inner.len(), 1, "{case}");
    } else {
        assert!(login.set_cookies().is_empty(), "{case}");
        assert!(world.store.inner.is_empty(), "{case}");
    }
}

#[tokio::test]
async fn fault_19_a_logout_while_a_login_runs() {
    for start in ["/login/bob", "/put/cart/apples"] {
        for point in POINTS {
            assert_one_after_the_other(start, point).await;
        }
    }
    for point in [
        (Load, After),
        (Create, Before),
        (Delete, After),
        (Replace, Before),
        (Replace, After),
    ] {
        assert_one_after_the_other("/login/alice", point).await;
    }
}

/// The new session is of the same family as the old one: a logout that finds both ends both.
#[tokio::test]
async fn fault_19_a_logout_while_the_same_user_logs_in_again() {
    for point in [(Create, After), (Delete, Before)] {
        assert_one_after_the_other("/login/alice", point).await;
    }
}

#[tokio::test]
async fn fault_19_a_login_while_a_logout_runs() {
    for start in ["/login/alice", "/login/bob", "/put/cart/apples"] {
        for point in [
            (Load, Before),
            (Load, After),
            (Delete, Before),
            (Delete, After),
            (DeleteAll, Before),
            (DeleteAll, After),
        ] {
            let (world, old) = world(start).await;
            let Some(((_, logout), (mut two, login))) =
                hold(&world, "/logout", point, "/login/alice").await
            else {
                continue;
            };
            let case = format!("{start}, held at {point:?}");
            assert_eq!((status(&logout), status(&login)), (200, 200), "{case}");
            assert_eq!(bearer(&two, &old).await, "nobody", "{case}");
            // Login before logout, or logout before login: the session is there or it isn't, and there is no other.
            let expected = match two.get("/who").await.body.as_str() {
                "alice" => 1,
                "nobody" => 0,
                other => panic!("{case}: {other}"),
            };
            assert_eq!(world.store.inner.len(), expected, "{case}");
        }
    }
}

async fn login_and_write(auth: Auth<Account>, session: Session) -> Result<(), Error> {
    auth.login(account(1, "alice")).await?;
    session.insert("a", "1").await
}

/// The save at the end of the request meets the end of the session that the request itself has made.
#[tokio::test]
async fn fault_19_a_cookie_of_a_session_that_is_known_to_be_dead_stays_here() {
    let mut world = World::with(
        |accounts| routes(accounts).route("/both", post(login_and_write)),
        |manager| manager.with_deadline(Duration::from_secs(3600)),
    );
    world.browser.post("/login/alice").await;
    let (out, save) = (
        world.store.gate(DeleteAll, Before),
        world.store.gate(Update, Before),
    );
    let logout = world.browser.start(Method::POST, "/logout");
    out.reached().await;
    let both = world.browser.start(Method::POST, "/both");
    save.reached().await;
    out.open();
    assert_eq!(status(&logout.await.unwrap().1), 200);
    assert!(world.store.inner.is_empty());
    save.open();
    let (_, answer) = both.await.unwrap();
    assert_eq!(status(&answer), 200);
    assert!(world.store.inner.is_empty());
    assert_eq!(answer.set_cookies(), [""; 0]);
}

#[tokio::test]
async fn fault_20_of_two_renewals_one_wins_and_the_other_sends_no_cookie() {
    for verb in ["/renew", "/confirm"] {
        for point in POINTS {
            let (mut world, old) = world("/login/alice").await;
            world.browser.post("/put/a/1").await;
            let Some(((one, first), (two, second))) = hold(&world, verb, point, "/renew").await
            else {
                continue;
            };
            let case = format!("{verb} {point:?}");
            // Who comes when the other is done has an old token, and nothing to renew.
            let is_late = [(Delete, After), (Replace, After)].contains(&point);
            let (mut winner, loser) = match (status(&first), status(&second)) {
                (200, _) if status(&second) != 200 || is_late => (one, second),
                (409, 200) => (two, first),
                other => panic!("{case}: {other:?}"),
            };
            let expected = if is_late { 200 } else { 409 };
            assert_eq!(status(&loser), expected, "{case}");
            assert!(loser.set_cookies().is_empty(), "{case}");
            assert_eq!(winner.get("/who").await.body, "alice", "{case}");
            assert_eq!(winner.get("/get/a").await.body, "1", "{case}");
            assert_eq!(world.store.inner.len(), 1, "{case}");
            assert_eq!(bearer(&winner, &old).await, "nobody", "{case}");
        }
    }
}

#[tokio::test]
async fn b6_a_confirmation_or_renewal_that_a_logout_overtakes_is_gone_and_sends_no_cookie() {
    for verb in ["/confirm", "/renew"] {
        for point in [
            (Load, After),
            (Create, Before),
            (Create, After),
            (Delete, Before),
            (Replace, Before),
        ] {
            let (world, old) = world("/login/alice").await;
            let ((mut browser, answer), _) = hold(&world, verb, point, "/logout").await.unwrap();
            let case = format!("{verb} {point:?}");
            assert_eq!(status(&answer), 409, "{case}");
            assert!(answer.set_cookies().is_empty(), "{case}");
            assert!(world.store.inner.is_empty(), "{case}");
            assert_eq!(bearer(&browser, &old).await, "nobody", "{case}");
            assert_eq!(browser.get("/who").await.body, "nobody", "{case}");
        }
    }
}

#[tokio::test]
async fn b4_what_late_writers_put_into_a_session_goes_over_to_the_new_one() {
    let cases = [
        ("/login/alice", "/renew"),
        ("/login/alice", "/confirm"),
        ("/login/alice", "/login/alice"),
        ("/put/first/1", "/login/alice"),
        ("/put/first/1", "/renew"),
    ];
    let in_steps_and_at_once = [Delete, Replace];
    for ((start, verb), call) in cases
        .into_iter()
        .flat_map(|case| in_steps_and_at_once.map(|call| (case, call)))
    {
        let (mut world, old) = world(start).await;
        world.browser.post("/put/early/1").await;
        // One writer comes after the copy was made, the next after the copy of the copy was.
        let (first, second) = (
            world.store.gate(call, Before),
            world.store.gate(call, Before),
        );
        let renewal = world.browser.start(Method::POST, verb);
        for (gate, uri) in [(first, "/put/late/1"), (second, "/put/later/1")] {
            gate.reached().await;
            assert_eq!(status(&world.browser.post(uri).await), 200);
            gate.open();
        }
        let (mut browser, answer) = renewal.await.unwrap();
        assert_eq!(status(&answer), 200, "{start} {verb}");
        for key in ["early", "late", "later"] {
            let value = browser.get(&format!("/get/{key}")).await.body;
            assert_eq!(value, "1", "{key} after {start} {verb}");
        }
        assert_eq!(world.store.inner.len(), 1, "{start} {verb}");
        assert_eq!(bearer(&browser, &old).await, "nobody", "{start} {verb}");
    }
}

#[tokio::test]
async fn fault_21_a_request_beside_a_renewal_ends_as_it_began_or_is_anonymous() {
    for (point, expected) in [((Load, Before), "nobody"), ((Load, After), "alice")] {
        let (mut world, _) = world("/login/alice").await;
        let gate = world.store.gate(point.0, point.1);
        let plain = world.browser.start(Method::GET, "/who");
        gate.reached().await;
        assert_eq!(status(&world.browser.post("/renew").await), 200);
        gate.open();
        let (_, plain) = plain.await.unwrap();
        assert_eq!((status(&plain), &*plain.body), (200, expected));
        world.browser.receive(&plain);
        assert_eq!(world.browser.get("/who").await.body, "alice");
    }
}

#[tokio::test]
async fn b6_a_writer_held_while_its_copy_is_carried_over_changes_neither() {
    let (world, _) = world("/login/alice").await;
    let write = world.store.gate(Update, Before);
    let writer = world.browser.start(Method::POST, "/put/late/1");
    write.reached().await;
    let ((mut browser, renewed), (_, put)) =
        hold(&world, "/renew", (Delete, Before), "/put/other/1")
            .await
            .unwrap();
    assert_eq!((status(&renewed), status(&put)), (200, 200));
    write.open();
    let (_, late) = writer.await.unwrap();
    assert!(late.set_cookies().is_empty());
    assert_eq!(browser.get("/get/other").await.body, "1");
    assert_eq!(browser.get("/get/late").await.body, "");
    assert_eq!(world.store.inner.len(), 1);
}
