//! Idle and absolute timeouts, and freshness.

use axum::{
    Router,
    routing::{get, post},
};
use login_manager::{Auth, Error, auth::AnonymousReason, event::EventKind, manager::Timeouts};

use crate::support::{
    faulty_store::Call,
    world::{Account, Accounts, DAY, HOUR, MINUTE, World, account, routes},
};

const MILLI: std::time::Duration = std::time::Duration::from_millis(1);

fn world(timeouts: Timeouts) -> World {
    World::with(fresh_routes, |manager| manager.with_timeouts(timeouts))
}

fn fresh_routes(accounts: &Accounts) -> Router {
    let login =
        async |auth: Auth<Account>| auth.login(account(1, "alice")).fresh(false).await.map(drop);
    let short = async |auth: Auth<Account>| {
        let limits = Timeouts::new(10 * MINUTE, HOUR);
        let login = auth.login(account(1, "alice")).timeouts(limits);
        login.await.map(drop)
    };
    let fresh = async |auth: Auth<Account>| auth.is_fresh().await.map(|fresh| fresh.to_string());
    let both = async |auth: Auth<Account>| {
        let (before, done) = (auth.is_fresh().await?, auth.confirm().await?);
        Ok::<_, Error>(format!("{before} {done} {}", auth.is_fresh().await?))
    };
    routes(accounts)
        .route("/stale-login", post(login))
        .route("/short-login", post(short))
        .route("/fresh", get(fresh))
        .route("/confirm-and-look", post(both))
}

#[tokio::test]
async fn use_keeps_a_session_alive_until_the_idle_timeout() {
    let mut world = world(Timeouts::new(30 * MINUTE, DAY));
    world.browser.post("/login/alice").await;
    for _ in 0..10 {
        world.clock.advance(20 * MINUTE);
        assert_eq!(world.browser.get("/me").await.body, "alice");
    }
    world.clock.advance(31 * MINUTE);
    assert!(world.browser.cookie("session").is_some());
    assert_eq!(world.browser.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn login_can_have_its_own_timeouts() {
    let mut world = world(Timeouts::default());
    let mut other = world.browser.another();
    other.post("/login/alice").await;
    world.browser.post("/short-login").await;
    // Use, a rotation and a change of data keep them.
    for verbs in ["/rotate", "/put/a/b", "/put/a/c", "/rotate"] {
        world.clock.advance(9 * MINUTE);
        world.browser.post(verbs).await;
        assert_eq!(world.browser.get("/me").await.body, "alice", "{verbs}");
    }
    world.clock.advance(10 * MINUTE);
    assert_eq!(world.browser.get("/why").await.body, "Some(IdleTimeout)");
    assert_eq!(other.get("/me").await.body, "alice", "the manager's");

    // So does the absolute one, which only a confirmation begins anew.
    world.browser.post("/short-login").await;
    for _ in 0..5 {
        world.clock.advance(9 * MINUTE);
        assert_eq!(world.browser.get("/me").await.body, "alice");
    }
    world.browser.post("/confirm").await;
    for _ in 0..6 {
        world.clock.advance(9 * MINUTE);
        assert_eq!(world.browser.get("/me").await.body, "alice");
    }
    world.clock.advance(6 * MINUTE);
    assert_eq!(
        world.browser.get("/why").await.body,
        "Some(AbsoluteTimeout)"
    );

    // The next login has the manager's again.
    world.browser.post("/login/alice").await;
    world.clock.advance(HOUR);
    assert_eq!(world.browser.get("/me").await.body, "alice");
}

#[tokio::test]
async fn expired_session_is_reported_and_deleted_when_presented() {
    let mut world = world(Timeouts::default());
    world.browser.post("/login/alice").await;
    world.events.take();
    world.clock.advance(25 * HOUR);
    assert_eq!(world.browser.get("/why").await.body, "Some(IdleTimeout)");
    assert_eq!(
        world.events.take(),
        [EventKind::Ended(AnonymousReason::IdleTimeout)]
    );
    assert!(world.store.inner.is_empty());
}

#[tokio::test]
async fn idle_timeout_is_exact_to_the_millisecond() {
    for (wait, who) in [(30 * MINUTE - MILLI, "alice"), (30 * MINUTE, "nobody")] {
        let mut world = world(Timeouts::new(30 * MINUTE, DAY));
        world.browser.post("/login/alice").await;
        world.clock.advance(wait);
        assert_eq!(world.browser.get("/who").await.body, who, "{wait:?}");
    }
}

#[tokio::test]
async fn idle_timeout_applies_to_anonymous_sessions() {
    let mut world = world(Timeouts::new(30 * MINUTE, DAY));
    world.browser.post("/do/put").await;
    world.clock.advance(20 * MINUTE);
    assert_eq!(world.browser.get("/get/key").await.body, "value");
    world.clock.advance(20 * MINUTE);
    assert_eq!(world.browser.get("/get/key").await.body, "value");
    world.clock.advance(31 * MINUTE);
    assert_eq!(world.browser.get("/get/key").await.body, "");
}

#[tokio::test]
async fn no_use_or_rotation_extends_the_absolute_timeout() {
    for verb in ["", "/rotate", "/do/put,save"] {
        let mut world = world(Timeouts::new(HOUR, DAY));
        world.browser.post("/login/alice").await;
        for _ in 0..47 {
            world.clock.advance(30 * MINUTE);
            assert_eq!(world.browser.get("/who").await.body, "alice", "{verb}");
            if !verb.is_empty() {
                assert_eq!(world.browser.post(verb).await.status, 200);
            }
        }
        world.clock.advance(30 * MINUTE - MILLI);
        assert_eq!(world.browser.get("/who").await.body, "alice", "{verb}");
        world.clock.advance(MILLI);
        assert_eq!(world.browser.get("/who").await.body, "nobody", "{verb}");
    }
}

#[tokio::test]
async fn login_or_confirm_restarts_the_absolute_timeout() {
    for verb in ["/confirm", "/login/alice"] {
        let mut world = world(Timeouts::new(20 * HOUR, DAY));
        world.browser.post("/login/alice").await;
        world.clock.advance(12 * HOUR);
        world.browser.post(verb).await;
        world.clock.advance(12 * HOUR);
        assert_eq!(world.browser.get("/who").await.body, "alice", "{verb}");
        world.clock.advance(12 * HOUR - MILLI);
        assert_eq!(world.browser.get("/who").await.body, "alice", "{verb}");
        world.clock.advance(MILLI);
        assert_eq!(world.browser.get("/who").await.body, "nobody", "{verb}");
    }
}

#[tokio::test]
async fn login_keeps_anonymous_data_but_not_the_session_age() {
    let mut world = world(Timeouts::new(20 * HOUR, DAY));
    world.browser.post("/do/put").await;
    world.clock.advance(19 * HOUR);
    world.browser.post("/login/alice").await;
    world.clock.advance(19 * HOUR);
    assert_eq!(world.browser.get("/who").await.body, "alice");
    assert_eq!(world.browser.get("/get/key").await.body, "value");
}

#[tokio::test]
async fn timeout_presets_have_the_documented_values() {
    let cases = [
        (Timeouts::default(), DAY, 14 * DAY),
        (Timeouts::aal1(), 7 * DAY, 30 * DAY),
        (Timeouts::aal2(), HOUR, DAY),
        (Timeouts::aal3(), 15 * MINUTE, 12 * HOUR),
    ];
    for (timeouts, idle, absolute) in cases {
        assert_eq!((timeouts.idle(), timeouts.absolute()), (idle, absolute));
        let mut world = world(timeouts);
        world.browser.post("/login/alice").await;
        let mut lived = idle / 2;
        while lived < absolute {
            world.clock.advance(idle / 2);
            assert_eq!(
                world.browser.get("/who").await.body,
                "alice",
                "{timeouts:?}"
            );
            lived += idle / 2;
        }
        world.clock.advance(idle / 2);
        assert_eq!(
            world.browser.get("/who").await.body,
            "nobody",
            "{timeouts:?}"
        );
    }
}

#[tokio::test]
async fn timeouts_are_enforced_by_the_record_not_the_cookie() {
    let mut world = world(Timeouts::default());
    let set = &world.browser.post("/login/alice").await.set_cookies()[0].to_lowercase();
    assert!(
        !set.contains("max-age") && !set.contains("expires"),
        "{set}"
    );
    let token = world.token();
    world.clock.advance(DAY - MILLI);
    let records = world.store.inner.records();
    assert_eq!(world.who_has(&token).await, "alice");
    world.clock.advance(15 * DAY);
    assert_eq!(world.who_has(&token).await, "nobody");
    assert_eq!(records.len(), 1);
}

#[tokio::test]
async fn use_makes_one_write_per_tenth_of_the_idle_timeout() {
    let mut world = world(Timeouts::new(10 * HOUR, 10 * DAY));
    world.browser.post("/login/alice").await;
    world.store.take_calls();
    for part in 1..=3 {
        for _ in 0..50 {
            world.browser.get("/me").await;
            world.clock.advance(MINUTE);
        }
        let calls = world.store.take_calls();
        let touches = calls.iter().filter(|call| **call == Call::Touch).count();
        assert_eq!(touches, usize::from(part > 1), "part {part}");
        assert_eq!(
            calls.len(),
            50 + touches,
            "one load per request, and nothing else"
        );
        world.clock.advance(10 * MINUTE);
    }
}

#[tokio::test]
async fn confirm_rotates_the_secret_and_restarts_both_timeouts() {
    let mut world = world(Timeouts::new(HOUR, DAY));
    world.browser.post("/stale-login").await;
    world.browser.post("/do/put").await;
    let stale = world.token();
    world.clock.advance(HOUR - MILLI);
    assert_eq!(world.browser.post("/confirm").await.body, "true");
    assert_ne!(world.token(), stale);
    assert_eq!(world.browser.get("/fresh").await.body, "true");
    assert_eq!(world.browser.get("/get/key").await.body, "value");
    world.clock.advance(HOUR - MILLI);
    assert_eq!(world.who_has(&stale).await, "nobody");
    assert_eq!(world.browser.get("/who").await.body, "alice", "idle");
    for _ in 0..45 {
        world.clock.advance(30 * MINUTE);
        assert_eq!(world.browser.get("/who").await.body, "alice", "absolute");
    }
    world.clock.advance(30 * MINUTE + MILLI);
    assert_eq!(
        world.browser.get("/why").await.body,
        "Some(AbsoluteTimeout)"
    );
}

#[tokio::test]
async fn credentials_of_another_user_do_not_refresh_a_session() {
    for verb in ["/login/bob", "/do/bob,confirm"] {
        let mut world = world(Timeouts::default());
        world.browser.post("/stale-login").await;
        world.browser.post("/do/put").await;
        let alices = world.token();
        world.browser.post(verb).await;
        assert_eq!(world.browser.get("/how").await.body, "bob fresh");
        assert_eq!(world.browser.get("/get/key").await.body, "");
        assert_eq!(world.who_has(&alices).await, "nobody", "alice's has ended");
        assert_eq!(world.live_sessions(), 1);
    }
}

/// The browser may keep its cookie for ever, lose it, or send it again.
#[tokio::test]
async fn server_enforces_both_timeouts_with_few_writes() {
    let mut world = world(Timeouts::new(10 * HOUR, 5 * DAY));
    world.browser.post("/login/alice").await;
    let token = world.token();
    world.store.take_calls();
    let hours = 5 * 24 - 1;
    for hour in 0..hours * 4 {
        world.clock.advance(15 * MINUTE);
        assert_eq!(world.who_has(&token).await, "alice", "{hour}");
    }
    let calls = world.store.take_calls();
    let writes = calls.iter().filter(|call| **call != Call::Load).count();
    assert!((hours / 2..=hours).contains(&writes), "{writes}");
    world.clock.advance(HOUR);
    assert_eq!(world.who_has(&token).await, "nobody", "after five days");

    world.browser.post("/login/alice").await;
    let token = world.token();
    world.clock.advance(9 * HOUR);
    assert_eq!(world.who_has(&token).await, "alice");
    world.clock.advance(10 * HOUR);
    assert_eq!(
        world.who_has(&token).await,
        "nobody",
        "after ten idle hours"
    );
}

#[tokio::test]
async fn clock_jump_ends_sessions_and_turning_back_revives_none() {
    let mut world = world(Timeouts::default());
    world.browser.post("/login/alice").await;
    let ten_years = 3650 * DAY;
    world.clock.advance(ten_years);
    assert_eq!(world.browser.get("/who").await.body, "nobody");
    world.clock.turn_back(ten_years);
    assert_eq!(world.browser.get("/who").await.body, "nobody");
    assert!(world.store.inner.is_empty());
    world.browser.post("/login/alice").await;
    assert_eq!(world.browser.get("/who").await.body, "alice");
}

#[tokio::test]
async fn session_from_the_future_is_not_valid_until_then() {
    for jump in [5 * MINUTE + MILLI, HOUR, 20 * DAY, 400 * 365 * DAY] {
        let mut world = world(Timeouts::default());
        world.browser.post("/login/alice").await;
        let token = world.token();
        world.clock.turn_back(jump);
        let answer = world.browser.get("/why").await;
        assert_eq!(answer.body, "Some(NotYetValid)", "{jump:?}");
        assert_eq!(answer.set_cookies(), [""; 0], "{jump:?}");
        assert_eq!(world.browser.get("/fresh").await.body, "false", "{jump:?}");
        let mut again = world.browser.clone();
        assert_eq!(again.post("/login/alice").await.body, "alice", "{jump:?}");
        assert_eq!(again.get("/how").await.body, "alice fresh", "{jump:?}");
        if jump == HOUR {
            // The clock was right and goes on: the session is still there.
            world.clock.advance(jump);
            assert_eq!(world.who_has(&token).await, "alice");
        }
        // A logout ends it, valid or not.
        world.browser.post("/logout").await;
        world.clock.advance(jump);
        assert_eq!(world.who_has(&token).await, "nobody", "{jump:?}");
    }
}

#[tokio::test]
async fn clock_set_back_by_five_minutes_ends_no_session() {
    let mut world = world(Timeouts::default());
    world.browser.post("/login/alice").await;
    world.clock.turn_back(5 * MINUTE);
    assert_eq!(world.browser.get("/fresh").await.body, "true");
    for verb in ["/do/put", "/rotate", "/confirm", "/login/alice"] {
        assert_eq!(world.browser.post(verb).await.status, 200, "{verb}");
        assert_eq!(world.browser.get("/who").await.body, "alice", "{verb}");
    }
    world.clock.advance(DAY + 5 * MINUTE);
    assert_eq!(world.browser.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn invalid_timeouts_are_rejected() {
    let second = std::time::Duration::from_secs(1);
    for bad in [
        std::time::Duration::ZERO,
        std::time::Duration::from_nanos(1),
        second - MILLI,
        400 * DAY + MILLI,
        std::time::Duration::MAX,
    ] {
        for timeouts in [Timeouts::new(bad, DAY), Timeouts::new(HOUR, bad)] {
            let error = timeouts.check().unwrap_err().to_string();
            assert!(error.contains(&format!("{bad:?}")), "{error}");
        }
    }
    for good in [second, 400 * DAY] {
        Timeouts::new(good, 400 * DAY).check().unwrap();
    }
}

#[tokio::test]
async fn login_is_fresh_unless_fresh_false() {
    let mut world = world(Timeouts::default());
    assert_eq!(world.browser.get("/fresh").await.body, "false");
    world.browser.post("/login/alice").await;
    assert_eq!(world.browser.get("/fresh").await.body, "true");
    world.browser.post("/stale-login").await;
    assert_eq!(world.browser.get("/fresh").await.body, "false");
    assert_eq!(world.browser.get("/me").await.body, "alice");
    world.browser.post("/rotate").await;
    assert_eq!(
        world.browser.get("/fresh").await.body,
        "false",
        "a rotation is no proof of identity"
    );
    assert_eq!(
        world.browser.post("/confirm-and-look").await.body,
        "false true true"
    );
    assert_eq!(world.browser.get("/fresh").await.body, "true");
}

#[tokio::test]
async fn confirm_does_nothing_if_anonymous() {
    let mut world = world(Timeouts::default());
    assert_eq!(
        world.browser.post("/confirm-and-look").await.body,
        "false false false"
    );
    world.browser.post("/do/put").await;
    let token = world.token();
    assert_eq!(
        world.browser.post("/confirm-and-look").await.body,
        "false false false"
    );
    assert_eq!(world.token(), token);
    assert_eq!(world.browser.get("/fresh").await.body, "false");
}

#[tokio::test]
async fn is_fresh_is_false_after_the_stamp_changed() {
    let mut world = world(Timeouts::default());
    world.browser.post("/login/alice").await;
    world.accounts.change(1, |alice| alice.stamp.push('!'));
    assert_eq!(world.browser.get("/fresh").await.body, "false");
}

#[tokio::test]
async fn login_with_invalid_timeouts_fails() {
    let app = |accounts: &Accounts| {
        let log_in = async |auth: Auth<Account>| {
            let timeouts = Timeouts::new(HOUR, std::time::Duration::ZERO);
            let error = auth.login(account(1, "alice")).timeouts(timeouts).await;
            format!("{:?}", error.map(drop).unwrap_err().kind())
        };
        routes(accounts).route("/invalid", post(log_in))
    };
    let mut world = World::with(app, |manager| manager);
    let answer = world.browser.post("/invalid").await;
    assert_eq!(
        (&*answer.body, answer.set_cookies().len()),
        ("InvalidLifetime", 0)
    );
    assert_eq!(world.browser.get("/who").await.body, "nobody");
}
