//! How many sessions and remembered browsers a user may have, and for how long.

use std::time::Duration;

use axum::{Router, routing::post};
use http::Method;
use login_manager::manager::RememberMe;
use login_manager::{Auth, LoginManager, manager::Timeouts, testing::TestClock};
use tokio::task::JoinSet;

use crate::support::{
    browser::{Answer, Browser, send},
    faulty_store::{Call, Fault, FaultyStore, When},
    settle,
    world::{Account, Accounts, DAY, MINUTE, REMEMBER, SESSION, World, account, routes},
};

/// Two processes, the clock of the second of which is two minutes behind.
struct Nodes {
    apps: [Router; 2],
    clocks: [TestClock; 2],
    manager: LoginManager<Account>,
    store: FaultyStore,
}

fn nodes(configure: impl Fn(LoginManager<Account>) -> LoginManager<Account>) -> Nodes {
    let (store, accounts) = (FaultyStore::new(), Accounts::new());
    let clocks = [(); 2].map(|()| TestClock::new());
    clocks[1].turn_back(2 * MINUTE);
    let managers = [0, 1].map(|at| {
        let manager = LoginManager::new(store.clone(), accounts.clone());
        configure(manager.with_clock(&clocks[at]))
    });
    Nodes {
        apps: [0, 1].map(|at| routes(&accounts).layer(managers[at].clone())),
        clocks,
        manager: managers[0].clone(),
        store,
    }
}

async fn log_in(app: &Router) -> Browser {
    let mut browser = Browser::new(app.clone());
    assert_eq!(browser.post("/remember/alice").await.body, "alice");
    settle().await;
    browser
}

#[tokio::test]
async fn max_sessions_never_ends_the_session_just_made() {
    let nodes = nodes(|manager| manager.with_max_sessions(1));
    let mut before = log_in(&nodes.apps[0]).await;
    // All in one millisecond of either clock.
    for at in [0, 0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0] {
        let mut browser = log_in(&nodes.apps[at]).await;
        assert_eq!(browser.get("/who").await.body, "alice", "{at}");
        assert_eq!(before.get("/who").await.body, "nobody", "{at}");
        assert_eq!(nodes.store.inner.len(), 1);
        before = browser;
    }
}

#[tokio::test]
async fn max_remembered_never_forgets_the_login_just_made() {
    let nodes = nodes(|manager| manager.with_remember_me(RememberMe::new().max_browsers(1)));
    let mut before = log_in(&nodes.apps[0]).await;
    for at in [0, 0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0] {
        let mut browser = log_in(&nodes.apps[at]).await;
        let sessions = nodes.manager.sessions_of(&1).await.unwrap();
        let remembered = sessions.iter().filter(|session| session.is_remembered());
        assert_eq!(remembered.count(), 1, "{at}");
        before.forget(SESSION);
        assert_eq!(before.get("/who").await.body, "nobody", "{at}");
        browser.forget(SESSION);
        assert_eq!(browser.get("/who").await.body, "alice", "{at}");
        before = browser;
    }
}

/// None has written its record before the others have read the list.
#[tokio::test]
async fn logins_at_once_on_two_nodes_keep_the_limits() {
    for limit_remembered in [false, true] {
        let nodes = nodes(|manager| match limit_remembered {
            true => manager.with_remember_me(RememberMe::new().max_browsers(2)),
            false => manager.with_max_sessions(2),
        });
        nodes.store.be_remote();
        let mut logins = JoinSet::new();
        for n in 0..20 {
            let app = nodes.apps[n % 2].clone();
            logins.spawn(async move { log_in(&app).await });
        }
        logins.join_all().await;
        let sessions = nodes.manager.sessions_of(&1).await.unwrap();
        let counted = match limit_remembered {
            true => sessions.iter().filter(|it| it.is_remembered()).count(),
            false => sessions.len(),
        };
        assert_eq!(counted, 2, "{limit_remembered}");
    }
}

/// A login over a session of the same user makes none more.
#[tokio::test]
async fn login_in_the_same_browser_counts_once() {
    let nodes = nodes(|manager| {
        let manager = manager.with_max_sessions(2);
        manager.with_remember_me(RememberMe::new().max_browsers(2))
    });
    let (mut one, mut two) = (log_in(&nodes.apps[0]).await, log_in(&nodes.apps[1]).await);
    for browser in [&mut one, &mut two] {
        for _ in 0..3 {
            browser.post("/remember/alice").await;
            browser.post("/login/alice").await;
        }
    }
    for browser in [&mut one, &mut two] {
        browser.forget(SESSION);
        assert_eq!(browser.get("/who").await.body, "alice");
    }
}

/// A record that a clock made which was far ahead takes no login's place in the order.
#[tokio::test]
async fn remembered_login_from_the_future_disturbs_no_later_one() {
    let nodes = nodes(|manager| manager.with_remember_me(RememberMe::new().max_browsers(1)));
    nodes.clocks[0].advance(3650 * DAY);
    log_in(&nodes.apps[0]).await;
    nodes.clocks[0].turn_back(3650 * DAY);
    for at in [0, 1, 0] {
        let mut browser = log_in(&nodes.apps[at]).await;
        browser.forget(SESSION);
        assert_eq!(browser.get("/who").await.body, "alice", "{at}");
    }
}

fn max_age(answer: &Answer) -> Duration {
    let cookies = answer.set_cookies();
    let cookie = cookies.iter().find(|it| it.starts_with(REMEMBER)).unwrap();
    let age = cookie
        .split("; ")
        .find_map(|it| it.strip_prefix("Max-Age="));
    Duration::from_secs(age.unwrap().parse().unwrap())
}

fn sliding() -> World {
    World::with(routes, |manager| {
        manager.with_remember_me(RememberMe::new().sliding(30 * DAY, 100 * DAY))
    })
}

#[tokio::test]
async fn sliding_remember_cookie_lasts_while_it_is_used() {
    let mut world = sliding();
    let login = world.browser.post("/remember/alice").await;
    assert_eq!(max_age(&login), 30 * DAY);
    for week in 1..=14 {
        world.clock.advance(7 * DAY);
        world.browser.restart();
        let answer = world.browser.get("/who").await;
        assert_eq!(answer.body, "alice", "{week}");
        let left = 100 * DAY - week * 7 * DAY;
        assert_eq!(max_age(&answer), left.min(30 * DAY), "{week}");
    }
    // 98 days have passed.
    world.clock.advance(2 * DAY - Duration::from_millis(1));
    world.browser.restart();
    assert_eq!(world.browser.clone().get("/who").await.body, "alice");
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(world.browser.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn sliding_remember_cookie_ends_if_it_is_not_used() {
    let mut world = sliding();
    world.browser.post("/remember/alice").await;
    for (waits, who) in [
        (30 * DAY - Duration::from_millis(1), "alice"),
        (30 * DAY, "nobody"),
    ] {
        world.clock.advance(waits);
        world.browser.restart();
        assert_eq!(world.browser.get("/who").await.body, who);
    }
}

/// A login that keeps remember-me moves neither its end nor its upper bound.
#[tokio::test]
async fn login_does_not_move_the_bound_of_a_sliding_cookie() {
    let mut world = sliding();
    world.browser.post("/remember/alice").await;
    let mut days = 0;
    while days < 90 {
        world.clock.advance(10 * DAY);
        days += 10;
        world.browser.restart();
        let restored = world.browser.get("/who").await;
        let login = world.browser.post("/login/alice").await;
        assert_eq!(max_age(&login), max_age(&restored));
    }
    world.clock.advance(10 * DAY);
    world.browser.restart();
    assert_eq!(world.browser.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn sliding_limits_are_checked() {
    for (idle, at_most) in [
        (30 * DAY, 29 * DAY),
        (Duration::ZERO, DAY),
        (DAY, 401 * DAY),
        (Duration::MAX, Duration::MAX),
    ] {
        let error = RememberMe::new()
            .sliding(idle, at_most)
            .check()
            .unwrap_err();
        assert!(error.to_string().contains("RememberMe::sliding"));
    }
}

/// Without the setting no use stretches the end.
#[tokio::test]
async fn fixed_end_is_not_moved_by_use() {
    let mut world = World::new();
    world.browser.post("/remember/alice").await;
    for week in 1..=4 {
        world.clock.advance(7 * DAY);
        world.browser.restart();
        let request = world.browser.request(Method::GET, "/who");
        let answer = send(&world.browser.app(), request).await;
        world.browser.receive(&answer);
        assert_eq!(max_age(&answer), 30 * DAY - 7 * DAY * week);
    }
}

/// B counts the sessions, A logs in, then B's session is created: it comes before A's in the order,
/// and no later login would end it.
#[tokio::test]
async fn login_created_late_does_not_exceed_the_limit() {
    let world = World::with(routes, |manager| manager.with_max_sessions(1));
    let gate = world.store.gate(Call::Create, When::Before);
    let late = world.browser.another().start(Method::POST, "/login/alice");
    gate.reached().await;
    world.clock.advance(Duration::from_millis(1));
    let mut first = world.browser.another();
    assert_eq!(first.post("/login/alice").await.status, 200);
    gate.open();
    let (mut late, answer) = late.await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(world.store.inner.len(), 1);
    assert_eq!(first.get("/who").await.body, "alice");
    assert_eq!(late.get("/who").await.body, "nobody");
}

/// A list that fails leaves the login's place in the order open, not whether it is new.
#[tokio::test]
async fn login_over_a_session_is_not_new_if_the_list_failed() {
    let mut world = World::with(routes, |manager| manager.with_max_sessions(1));
    world.browser.post("/login/alice").await;
    world.clock.advance(MINUTE);
    // Beyond the limit, since this one can't count either.
    world.store.fail(Call::List, Fault::Fails);
    let mut other = world.browser.another();
    assert_eq!(other.post("/login/alice").await.status, 200);
    world.store.heal();
    world.store.fail_once(Call::List, Fault::Fails);
    assert_eq!(world.browser.post("/login/alice").await.status, 200);
    assert!(!world.store.is_still_to_fail());
    assert_eq!(world.browser.get("/who").await.body, "alice");
}

/// A session may outlive its remember cookie.
#[tokio::test]
async fn ended_remember_cookie_counts_no_more() {
    let remember_for_a_day = async |auth: Auth<Account>| {
        let login = auth.login(account(1, "alice"));
        login.remember_for(DAY).await.map(drop)
    };
    let with_days = |accounts: &Accounts| {
        routes(accounts).route("/remember-for-a-day", post(remember_for_a_day))
    };
    let world = World::with(with_days, |manager| {
        let manager = manager.with_remember_me(RememberMe::new().max_browsers(2));
        manager.with_timeouts(Timeouts::new(90 * DAY, 90 * DAY))
    });
    let mut remembered = world.browser.another();
    remembered.post("/remember/alice").await;
    world.clock.advance(MINUTE);
    let mut for_a_day = world.browser.another();
    for_a_day.post("/remember-for-a-day").await;
    world.clock.advance(2 * DAY);
    assert_eq!(for_a_day.get("/who").await.body, "alice");
    world.browser.another().post("/remember/alice").await;
    settle().await;
    remembered.forget(SESSION);
    assert_eq!(remembered.get("/who").await.body, "alice");
}
