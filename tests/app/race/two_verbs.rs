//! Two concurrent verbs on one session have the result of one of the two orders.

use std::time::Duration;

use axum::routing::post;
use http::Method;
use login_manager::{Auth, Error, Session};

use crate::support::{
    browser::{Answer, Browser},
    faulty_store::{
        Call::{self, Create, Delete, Load, Update},
        When::{self, After, Before},
    },
    world::{Account, SESSION, World, account, routes},
};

async fn world(first: &str) -> (World, String) {
    let mut world = World::with(routes, |manager| {
        manager.with_deadline(Duration::from_secs(3600))
    });
    assert_eq!(world.browser.post(first).await.status, 200);
    let token = world.browser.cookie("session").unwrap();
    world.store.take_calls();
    (world, token)
}

/// Sends the first request, holds it at a gate while the second runs, and lets it go on. `None`: it
/// never comes there.
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
    thief.plant(SESSION, token);
    thief.get("/who").await.body
}

fn status(answer: &Answer) -> u16 {
    answer.status.as_u16()
}

/// Every point of a verb at which the other may run.
const POINTS: [(Call, When); 6] = [
    (Load, After),
    (Create, Before),
    (Create, After),
    (Update, Before),
    (Update, After),
    (Delete, Before),
];

#[tokio::test]
async fn two_logins_over_one_anonymous_session_both_work() {
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
            assert_eq!(world.live_sessions(), 2, "{case}");
            one.post("/put/mine/1").await;
            assert_eq!(two.get("/get/mine").await.body, "", "{case}");
        }
    }
}

#[tokio::test]
async fn two_logins_over_another_users_session_both_work() {
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
async fn two_concurrent_logouts_both_return_ok() {
    for start in ["/login/alice", "/put/a/1"] {
        for point in [
            (Load, Before),
            (Load, After),
            (Delete, Before),
            (Delete, After),
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

async fn login_and_write(auth: Auth<Account>, session: Session) -> Result<(), Error> {
    auth.login(account(1, "alice")).await?;
    session.insert("a", "1").await
}

/// The save at the end of the request finds that a logout has ended the session that the request
/// itself made.
#[tokio::test]
async fn cookie_of_a_session_known_to_have_ended_is_not_sent() {
    let mut world = World::with(
        |accounts| routes(accounts).route("/both", post(login_and_write)),
        |manager| manager.with_deadline(Duration::from_secs(3600)),
    );
    world.browser.post("/login/alice").await;
    let out = world.store.gate(Delete, Before);
    let logout = world.browser.start(Method::POST, "/logout");
    out.reached().await;
    // Load and the update of the login come before the save.
    let save = world.store.gate_after(2, Before);
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
async fn of_two_rotations_one_wins_and_the_other_sends_no_cookie() {
    for verb in ["/rotate", "/confirm"] {
        for point in [
            (Load, Before),
            (Load, After),
            (Update, Before),
            (Update, After),
        ] {
            let (mut world, old) = world("/login/alice").await;
            world.browser.post("/put/a/1").await;
            let ((one, first), (two, second)) = hold(&world, verb, point, "/rotate").await.unwrap();
            let case = format!("{verb} {point:?}");
            let (mut winner, loser) = match (status(&first), status(&second)) {
                (200, 409) => (one, second),
                (409, 200) => (two, first),
                other => panic!("{case}: {other:?}"),
            };
            assert!(loser.set_cookies().is_empty(), "{case}");
            assert_eq!(bearer(&winner, &old).await, "alice", "{case}: it joins");
            world.let_grace_pass();
            assert_eq!(winner.get("/who").await.body, "alice", "{case}");
            assert_eq!(winner.get("/get/a").await.body, "1", "{case}");
            assert_eq!(world.store.inner.len(), 1, "{case}");
            assert_eq!(bearer(&winner, &old).await, "nobody", "{case}");
        }
    }
}

/// Writes twice while the verb tries to write: the session has changed each time.
#[tokio::test]
async fn data_saved_while_a_verb_writes_is_kept() {
    // The store calls of the verb between its first write and its next try.
    let cases = [
        ("/login/alice", "/rotate", 1),
        ("/login/alice", "/confirm", 1),
        ("/login/alice", "/login/alice", 1),
        ("/put/first/1", "/rotate", 1),
        // Here the data is copied to the new session in between.
        ("/put/first/1", "/login/alice", 2),
    ];
    for (start, verb, between) in cases {
        let (mut world, old) = world(start).await;
        world.browser.post("/put/early/1").await;
        let updates = if between == 2 { 2 } else { 1 };
        let mut gate = world.store.gate_after(updates, Before);
        let held = world.browser.start(Method::POST, verb);
        for uri in ["/put/late/1", "/put/later/1"] {
            gate.reached().await;
            assert_eq!(status(&world.browser.post(uri).await), 200);
            let next = world.store.gate_after(between, Before);
            gate.open();
            gate = next;
        }
        gate.reached().await;
        gate.open();
        let (mut browser, answer) = held.await.unwrap();
        assert_eq!(status(&answer), 200, "{start} {verb}");
        for key in ["early", "late", "later"] {
            let value = browser.get(&format!("/get/{key}")).await.body;
            assert_eq!(value, "1", "{key} after {start} {verb}");
        }
        assert_eq!(world.live_sessions(), 1, "{start} {verb}");
        world.let_grace_pass();
        assert_eq!(bearer(&browser, &old).await, "nobody", "{start} {verb}");
    }
}

#[tokio::test]
async fn request_beside_a_rotation_joins() {
    for when in [Before, After] {
        let (mut world, _) = world("/login/alice").await;
        let gate = world.store.gate(Load, when);
        let plain = world.browser.start(Method::GET, "/who");
        gate.reached().await;
        assert_eq!(status(&world.browser.post("/rotate").await), 200);
        gate.open();
        let (_, plain) = plain.await.unwrap();
        assert_eq!((status(&plain), &*plain.body), (200, "alice"));
        assert_eq!(plain.set_cookies(), [""; 0]);
        world.browser.receive(&plain);
        assert_eq!(world.browser.get("/who").await.body, "alice");
    }
}
