//! A restore beside every other change of its record, before and after each store call.

use std::time::Duration;

use axum::routing::post;
use http::Method;
use login_manager::{Auth, Error, Session, event::EventKind};
use tokio::{task::JoinHandle, time::sleep};

use crate::support::{
    browser::{Answer, Browser},
    faulty_store::{
        Call::{Delete, Load, Update},
        Fault::{DoesAndFails, DoesLater, Fails, Hangs},
        Gate,
        When::{After, Before},
    },
    settle,
    world::{Account, Accounts, HOUR, MINUTE, REMEMBER, World, routes},
};

const AFTER_GRACE: Duration = Duration::from_secs(31);

async fn remembered() -> World {
    let mut world = World::with(routes, |manager| manager.with_deadline(HOUR));
    world.browser.post("/remember/alice").await;
    world.events.take();
    world
}

/// The browser was closed: session cookies are gone.
fn restarted(browser: &Browser) -> Browser {
    let mut restarted = browser.another();
    restarted.plant(REMEMBER, &browser.cookie("remember").unwrap());
    restarted
}

/// A restore that has read the record and is about to write it.
async fn restoring(world: &World) -> (Gate, JoinHandle<(Browser, Answer)>) {
    let gate = world.store.gate(Update, Before);
    let restore = restarted(&world.browser).start(Method::GET, "/who");
    gate.reached().await;
    (gate, restore)
}

/// A concurrent save or rotation is kept, and the restore starts again from the new record.
#[tokio::test]
async fn restore_outranks_a_concurrent_save_or_rotation() {
    for verb in ["/put/cart/apples", "/rotate", "/confirm"] {
        let mut world = remembered().await;
        let (gate, restore) = restoring(&world).await;
        assert_eq!(world.browser.post(verb).await.status, 200);
        let beside = world.token();
        gate.open();
        let (mut browser, answer) = restore.await.unwrap();
        assert_eq!(answer.body, "alice", "{verb}");
        assert_eq!(browser.get("/how").await.body, "alice stale remembered");
        let cart = browser.get("/get/cart").await.body;
        assert_eq!(cart == "apples", verb.starts_with("/put"));
        assert_eq!(world.who_has(&beside).await, "alice", "it joins");
        world.clock.advance(AFTER_GRACE);
        assert_eq!(world.who_has(&beside).await, "nobody");
        assert_eq!(browser.get("/who").await.body, "alice");
        assert!(!world.events.take().contains(&EventKind::RememberTheft));
    }
}

/// The login gives the record a new series, so the cookie of the restore is ignored.
#[tokio::test]
async fn restore_beside_a_login_of_the_same_user_gets_nothing() {
    for verb in ["/login/alice", "/remember/alice"] {
        let mut world = remembered().await;
        let (gate, restore) = restoring(&world).await;
        assert_eq!(world.browser.post(verb).await.status, 200);
        gate.open();
        let (_, answer) = restore.await.unwrap();
        assert_eq!(answer.body, "nobody", "{verb}");
        assert!(answer.set_cookies().is_empty(), "{verb}");
        assert!(!world.events.take().contains(&EventKind::RememberTheft));
        assert_eq!(
            world.browser.get("/how").await.body,
            "alice fresh remembered"
        );
    }
}

#[tokio::test]
async fn restore_beside_a_login_of_another_user_gets_nothing() {
    let mut world = remembered().await;
    let (gate, restore) = restoring(&world).await;
    assert_eq!(world.browser.post("/login/bob").await.status, 200);
    gate.open();
    let (_, answer) = restore.await.unwrap();
    assert_eq!(answer.body, "nobody");
    assert!(answer.set_cookies().is_empty());
    assert_eq!(world.browser.get("/who").await.body, "bob");
    let live = world.manager.sessions_of(&1).await.unwrap();
    assert_eq!(live, []);
}

/// The login has read the record and the restore replaces its secret: the login outranks it.
#[tokio::test]
async fn login_outranks_a_concurrent_restore() {
    let mut world = remembered().await;
    world.browser.post("/put/cart/apples").await;
    let gate = world.store.gate(Update, Before);
    let login = world.browser.start(Method::POST, "/login/alice");
    gate.reached().await;
    let mut tab = restarted(&world.browser);
    assert_eq!(tab.get("/who").await.body, "alice");
    gate.open();
    let (mut browser, answer) = login.await.unwrap();
    assert_eq!(answer.status, 200);
    world.clock.advance(AFTER_GRACE);
    assert_eq!(browser.get("/how").await.body, "alice fresh remembered");
    assert_eq!(browser.get("/get/cart").await.body, "apples");
    assert_eq!(tab.get("/who").await.body, "nobody");
    assert!(!world.events.take().contains(&EventKind::RememberTheft));
    assert_eq!(world.store.inner.len(), 1);
}

/// The stamp of the record has changed when the restore judges it, and a login puts it right before
/// the deletion.
#[tokio::test]
async fn stamp_is_judged_again_if_the_record_has_changed() {
    let mut world = remembered().await;
    world.accounts.change(1, |alice| alice.stamp.push('!'));
    let gate = world.store.gate(Delete, Before);
    let restore = restarted(&world.browser).start(Method::GET, "/who");
    gate.reached().await;
    assert_eq!(world.browser.post("/login/alice").await.status, 200);
    gate.open();
    let (_, answer) = restore.await.unwrap();
    assert_eq!(answer.body, "nobody");
    assert!(answer.set_cookies().is_empty());
    assert_eq!(
        world.browser.get("/how").await.body,
        "alice fresh remembered"
    );
}

/// The deletion of a restore that found a theft meets a mere use of the session: it is still theft.
#[tokio::test]
async fn theft_is_detected_beside_a_save() {
    let mut world = remembered().await;
    let thief = restarted(&world.browser);
    world.browser = thief.clone();
    for _ in 0..2 {
        assert_eq!(world.browser.get("/who").await.body, "alice");
        settle().await;
    }
    world.clock.advance(AFTER_GRACE);
    let gate = world.store.gate(Delete, Before);
    let stolen = thief.start(Method::GET, "/who");
    gate.reached().await;
    assert_eq!(world.browser.post("/put/a/b").await.status, 200);
    gate.open();
    assert_eq!(stolen.await.unwrap().1.body, "nobody");
    let emitted = world.events.take();
    let thefts = emitted
        .iter()
        .filter(|kind| **kind == EventKind::RememberTheft);
    assert_eq!(thefts.count(), 1);
    assert_eq!(world.browser.get("/who").await.body, "nobody");
}

/// The visitor saves after the restore has written and before it closes the anonymous session.
#[tokio::test]
async fn data_saved_while_a_restore_closes_the_session_is_kept() {
    let mut world = remembered().await;
    world.browser = restarted(&world.browser);
    world.browser.post("/put/cart/apples").await;
    let mut tab = world.browser.clone();
    let gate = world.store.gate(Update, After);
    let restore = world.browser.start(Method::GET, "/who");
    gate.reached().await;
    assert_eq!(tab.post("/put/name/late").await.status, 200);
    gate.open();
    let (mut browser, answer) = restore.await.unwrap();
    assert_eq!(answer.body, "alice");
    assert_eq!(browser.get("/get/cart").await.body, "apples");
    assert_eq!(browser.get("/get/name").await.body, "late");
    // A save after the closing is dropped and creates no session.
    let late = tab.post("/put/name/later").await;
    assert_eq!((late.status.as_u16(), late.set_cookies().len()), (200, 0));
    assert!(world.events.take().contains(&EventKind::DataDropped));
    assert_eq!(browser.get("/get/name").await.body, "late");
}

/// The mark is about to be written when a rotation replaces the secret, or another restore.
#[tokio::test(start_paused = true)]
async fn seen_mark_belongs_to_the_secret_that_was_presented() {
    for verb in ["/rotate", "restore"] {
        let mut world = remembered().await;
        let before = restarted(&world.browser);
        world.browser = before.clone();
        assert_eq!(world.browser.get("/who").await.body, "alice");
        let gate = world.store.gate(Update, Before);
        assert_eq!(world.browser.get("/who").await.body, "alice");
        gate.reached().await;
        world.clock.advance(AFTER_GRACE);
        let mut back = before.clone();
        match verb {
            "restore" => assert_eq!(back.get("/who").await.body, "alice"),
            verb => assert_eq!(world.browser.post(verb).await.status, 200),
        }
        gate.open();
        // It meets a conflict, and backs off before it decides anew.
        sleep(Duration::from_secs(1)).await;
        world.clock.advance(AFTER_GRACE);
        world.events.take();
        // The rotation marks the exchange itself; the second restore has not been seen.
        let who = if verb == "/rotate" { "nobody" } else { "alice" };
        assert_eq!(before.clone().get("/who").await.body, who);
        let is_theft = world.events.take().contains(&EventKind::RememberTheft);
        assert_eq!(is_theft, verb == "/rotate");
    }
}

/// The outcome of the exchange is unknown to the process that makes it.
#[tokio::test(start_paused = true)]
async fn restore_of_unknown_outcome_locks_no_user_out() {
    for fault in [Fails, DoesAndFails, Hangs, DoesLater] {
        for later in [Duration::ZERO, AFTER_GRACE, 10 * MINUTE] {
            let mut world = World::new();
            world.browser.post("/remember/alice").await;
            world.browser = restarted(&world.browser);
            world.store.fail_once(Update, fault);
            let first = world.browser.get("/who").await;
            let case = format!("{fault:?} {later:?} {first:?}");
            let succeeds = fault == DoesAndFails;
            assert_eq!(first.status == 200, succeeds, "{case}");
            assert_eq!(first.set_cookies().is_empty(), !succeeds, "{case}");
            sleep(Duration::from_secs(5)).await;
            world.clock.advance(later);
            for _ in 0..2 {
                assert_eq!(world.browser.get("/who").await.body, "alice", "{case}");
                settle().await;
            }
            world.clock.advance(10 * MINUTE);
            world.browser = restarted(&world.browser);
            assert_eq!(world.browser.get("/who").await.body, "alice", "{case}");
            assert!(!world.events.take().contains(&EventKind::RememberTheft));
            assert_eq!(world.store.inner.len(), 1, "{case}");
        }
    }
}

/// A client that hangs up after the exchange has lost a response, no more.
#[tokio::test]
async fn restore_whose_client_hangs_up_is_completed() {
    for when in [Before, After] {
        let mut world = remembered().await;
        world.browser = restarted(&world.browser);
        let gate = world.store.gate(Update, when);
        let restore = world.browser.start(Method::GET, "/who");
        gate.reached().await;
        restore.abort();
        assert!(restore.await.is_err());
        gate.open();
        settle().await;
        for later in [Duration::ZERO, AFTER_GRACE] {
            world.clock.advance(later);
            let who = world.browser.clone().get("/who").await.body;
            assert_eq!(who, "alice", "{when:?}");
        }
        assert!(!world.events.take().contains(&EventKind::RememberTheft));
    }
}

/// B saves data before it asks for the user; meanwhile A restores the login.
#[tokio::test(start_paused = true)]
async fn data_saved_before_a_join_is_kept_and_sets_no_cookie() {
    let saves_first = async |session: Session, auth: Auth<Account>| {
        session.insert("early", "1").await?;
        session.save().await?;
        let user = auth.user().await?;
        Ok::<_, Error>(user.map_or("nobody".to_owned(), |user| user.name.clone()))
    };
    let with_saves =
        |accounts: &Accounts| routes(accounts).route("/saves-first", post(saves_first));
    let mut world = World::with(with_saves, |manager| manager);
    world.browser.post("/remember/alice").await;
    world.browser.restart();
    let gate = world.store.gate(Load, Before);
    let late = world.browser.start(Method::POST, "/saves-first");
    gate.reached().await;
    assert_eq!(world.browser.get("/who").await.body, "alice");
    gate.open();
    let (_, answer) = late.await.unwrap();
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, "alice"));
    assert_eq!(answer.set_cookies(), [""; 0]);
    assert_eq!(world.browser.get("/get/early").await.body, "1");
    sleep(Duration::from_secs(100)).await;
    assert_eq!(world.store.inner.len(), 1);
}

/// The browser has come back twice while the request waited to read the record.
#[tokio::test]
async fn restore_that_reads_after_two_others_is_no_theft() {
    let world = remembered().await;
    let gate = world.store.gate(Load, Before);
    let restore = restarted(&world.browser).start(Method::GET, "/who");
    gate.reached().await;
    let mut browser = restarted(&world.browser);
    for _ in 0..2 {
        world.clock.advance(Duration::from_millis(1));
        assert_eq!(browser.get("/who").await.body, "alice");
        browser.restart();
    }
    gate.open();
    let (_, answer) = restore.await.unwrap();
    assert_eq!(answer.body, "nobody");
    assert_eq!(answer.set_cookies(), [""; 0]);
    assert!(!world.events.take().contains(&EventKind::RememberTheft));
    assert_eq!(browser.get("/who").await.body, "alice");
}

/// The browser has come back twice since the request read the record with its token in it.
#[tokio::test]
async fn restore_behind_two_others_is_no_theft() {
    let world = remembered().await;
    let (gate, restore) = restoring(&world).await;
    let mut browser = restarted(&world.browser);
    assert_eq!(browser.get("/who").await.body, "alice");
    browser.restart();
    assert_eq!(browser.get("/who").await.body, "alice");
    gate.open();
    let (_, answer) = restore.await.unwrap();
    assert_eq!(answer.body, "nobody");
    assert_eq!(answer.set_cookies(), [""; 0]);
    assert!(!world.events.take().contains(&EventKind::RememberTheft));
    assert_eq!(browser.get("/who").await.body, "alice");
}
