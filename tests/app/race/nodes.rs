//! Several nodes of one application over one store, with different clocks and configurations.

use std::time::Duration;

use axum::Router;
use http::Method;
use login_manager::manager::Cookies;
use login_manager::{LoginManager, event::EventKind, manager::Timeouts, testing::TestClock};

use crate::support::{
    browser::{Answer, Browser, send},
    events::Events,
    faulty_store::{
        Call::{Create, Load},
        Fault::Fails,
        FaultyStore,
        When::After,
    },
    world::{Account, Accounts, HOUR, MINUTE, REMEMBER, World, routes},
};

/// A process: the application with a manager of its own.
struct Node {
    app: Router,
    clock: TestClock,
    events: Events,
}

fn node(
    store: &FaultyStore,
    accounts: &Accounts,
    configure: impl FnOnce(LoginManager<Account>) -> LoginManager<Account>,
) -> Node {
    let (clock, events) = (TestClock::new(), Events::default());
    let manager = LoginManager::new(store.clone(), accounts.clone())
        .with_clock(&clock)
        .with_deadline(HOUR);
    let manager = events.watch(configure(manager));
    Node {
        app: routes(accounts).layer(manager),
        clock,
        events,
    }
}

fn two_nodes() -> (FaultyStore, [Node; 2]) {
    let (store, accounts) = (FaultyStore::new(), Accounts::new());
    let nodes = [(); 2].map(|()| node(&store, &accounts, |manager| manager));
    (store, nodes)
}

/// The browser's next request lands here.
async fn ask(browser: &mut Browser, node: &Node, method: Method, uri: &str) -> Answer {
    let answer = send(&node.app, browser.request(method, uri)).await;
    browser.receive(&answer);
    answer
}

async fn who(browser: &mut Browser, node: &Node) -> String {
    ask(browser, node, Method::GET, "/who").await.body
}

#[tokio::test]
async fn stale_read_ends_no_session_and_removes_no_cookie() {
    let mut world = World::new();
    world.browser.post("/remember/alice").await;
    world.browser.forget(REMEMBER);
    let records = world.store.inner.records();
    world.store.forget_all().await;
    // The reads of a replica that has not received the login yet.
    for page in ["/who", "/me", "/get/a"] {
        let answer = world.browser.get(page).await;
        assert_ne!(answer.body, "alice", "{page}");
        assert_eq!(answer.set_cookies(), [""; 0], "{page}");
    }
    for record in records {
        let _created = login_manager::SessionStore::create(&world.store.inner, record)
            .await
            .unwrap();
    }
    assert_eq!(world.browser.get("/me").await.body, "alice");
}

#[tokio::test]
async fn clock_skew_between_nodes_does_not_end_a_session() {
    for (ahead, behind) in [(0, 1), (1, 0)] {
        let (store, nodes) = two_nodes();
        nodes[ahead].clock.advance(2 * MINUTE);
        nodes[behind].clock.turn_back(2 * MINUTE);
        let pass = |time: Duration| nodes.iter().for_each(|node| node.clock.advance(time));
        let mut browser = Browser::new(Router::new());
        ask(&mut browser, &nodes[0], Method::POST, "/login/alice").await;
        // A verb of one node is good on the other at once, and every use counts on both.
        for round in 0..60 {
            let (here, there) = (&nodes[round % 2], &nodes[(round + 1) % 2]);
            for verb in ["/rotate", "/confirm", "/put/a/b"] {
                let answer = ask(&mut browser, here, Method::POST, verb).await;
                assert_eq!(answer.status, 200, "{verb}");
                assert_eq!(who(&mut browser, there).await, "alice", "{verb}");
                let how = ask(&mut browser, there, Method::GET, "/how").await;
                assert_eq!(how.body, "alice fresh");
            }
            pass(HOUR);
        }
        // The idle timeout of one day is accurate to the difference of the clocks.
        pass(23 * HOUR - 5 * MINUTE);
        for node in &nodes {
            assert_eq!(who(&mut browser.clone(), node).await, "alice");
        }
        pass(24 * HOUR + 5 * MINUTE);
        for _ in 0..3 {
            for node in &nodes {
                assert_eq!(who(&mut browser, node).await, "nobody");
            }
        }
        assert!(store.inner.is_empty());
    }
}

#[tokio::test]
async fn clock_skew_between_nodes_raises_no_theft_alarm() {
    for (first, second) in [(0, 1), (1, 0)] {
        let (_, nodes) = two_nodes();
        nodes[0].clock.advance(2 * MINUTE);
        nodes[1].clock.turn_back(2 * MINUTE);
        let mut browser = Browser::new(Router::new());
        ask(&mut browser, &nodes[0], Method::POST, "/remember/alice").await;
        browser.restart();
        // A second tab is a moment later and lands elsewhere.
        let mut tab = browser.clone();
        assert_eq!(who(&mut browser, &nodes[first]).await, "alice");
        let answer = ask(&mut tab, &nodes[second], Method::GET, "/who").await;
        assert_eq!(answer.body, "alice");
        browser.receive(&answer); // the tabs have one jar
        for node in &nodes {
            assert_eq!(who(&mut browser, node).await, "alice");
            assert!(!node.events.take().contains(&EventKind::RememberTheft));
        }
    }
}

/// The clock of the other process may be behind, so the token from before may be in its grace there
/// or beyond it. Once the session of the exchange is there to join, once it has ended by then.
#[tokio::test]
async fn lost_restore_response_is_recovered_on_another_node() {
    for idle in [30 * MINUTE, 2 * MINUTE] {
        for later in [MINUTE / 2, 4 * MINUTE, 10 * MINUTE] {
            let (store, accounts) = (FaultyStore::new(), Accounts::new());
            let timeouts = Timeouts::new(idle, 24 * HOUR);
            let nodes = [(); 2]
                .map(|()| node(&store, &accounts, |manager| manager.with_timeouts(timeouts)));
            let mut browser = Browser::new(Router::new());
            ask(&mut browser, &nodes[0], Method::POST, "/remember/alice").await;
            browser.restart();
            assert_eq!(who(&mut browser.clone(), &nodes[0]).await, "alice");
            for node in &nodes {
                node.clock.advance(later);
            }
            let case = format!("idle for {idle:?}, back after {later:?}");
            for at in [1, 0] {
                let mut browser = browser.clone();
                assert_eq!(who(&mut browser, &nodes[at]).await, "alice", "{case}");
                let emitted = nodes[at].events.take();
                assert!(!emitted.contains(&EventKind::RememberTheft), "{case}");
            }
        }
    }
}

#[tokio::test]
async fn parallel_restores_on_two_nodes_all_succeed() {
    let (store, nodes) = two_nodes();
    let mut browser = Browser::new(Router::new());
    ask(&mut browser, &nodes[0], Method::POST, "/remember/alice").await;
    ask(&mut browser, &nodes[0], Method::POST, "/logout").await;
    ask(&mut browser, &nodes[1], Method::POST, "/remember/alice").await;
    browser.restart();
    store.be_remote();
    // Each has read the series before the first may exchange its secret.
    let gates: Vec<_> = (0..50).map(|_| store.gate(Load, After)).collect();
    let mut requests = tokio::task::JoinSet::new();
    for n in 0..50 {
        let (app, request) = (
            nodes[n % 2].app.clone(),
            browser.request(Method::GET, "/how"),
        );
        requests.spawn(async move { send(&app, request).await });
    }
    for gate in &gates {
        gate.reached().await;
    }
    gates
        .iter()
        .for_each(crate::support::faulty_store::Gate::open);
    let answers = requests.join_all().await;
    let mut winners = Vec::new();
    for answer in &answers {
        assert_eq!(answer.body, "alice stale remembered");
        if !answer.set_cookies().is_empty() {
            winners.push(answer);
        }
    }
    assert_eq!(winners.len(), 1, "one answer sets the cookies");
    for node in &nodes {
        assert!(!node.events.take().contains(&EventKind::RememberTheft));
    }
    assert_eq!(store.inner.len(), 1);
    browser.receive(winners[0]);
    for _ in 0..2 {
        for node in &nodes {
            assert_eq!(who(&mut browser, node).await, "alice");
        }
        browser.restart();
    }
}

#[tokio::test]
async fn full_store_rejects_only_new_sessions() {
    let mut world = World::new();
    world.browser.post("/login/alice").await;
    let mut late = world.browser.another();
    world.store.fail(Create, Fails);
    world.events.take();
    for uri in ["/login/bob", "/put/cart/apples"] {
        let answer = late.post(uri).await;
        assert_eq!(answer.status, 503, "{uri}");
        assert_eq!(answer.header("retry-after"), Some("1"), "{uri}");
        assert_eq!(answer.set_cookies(), [""; 0], "{uri}");
        assert!(
            world.events.take().contains(&EventKind::StoreFailed),
            "{uri}"
        );
    }
    assert_eq!(late.get("/who").await.body, "nobody");
    assert_eq!(world.browser.get("/me").await.body, "alice");
    assert_eq!(world.browser.post("/put/a/1").await.status, 200);
    assert_eq!(world.browser.get("/get/a").await.body, "1");
    assert_eq!(world.browser.post("/logout").await.body, "bye");
    world.store.heal();
    assert_eq!(late.post("/login/bob").await.body, "bob");
}

#[tokio::test]
async fn two_releases_with_different_cookies_do_not_interfere() {
    type Configure = fn(LoginManager<Account>) -> LoginManager<Account>;
    let configurations: [Configure; 3] = [
        |manager| manager.with_cookies(Cookies::new().names("sid", "rid")),
        |manager| manager.with_cookies(Cookies::new().domain("app.example")),
        |manager| manager.with_realm("customers"),
    ];
    for configure in configurations {
        for old_first in [true, false] {
            let (store, accounts) = (FaultyStore::new(), Accounts::new());
            let (old, new) = (
                node(&store, &accounts, |manager| manager),
                node(&store, &accounts, configure),
            );
            let (here, there) = if old_first {
                (&old, &new)
            } else {
                (&new, &old)
            };
            let mut browser = Browser::new(Router::new());
            ask(&mut browser, here, Method::POST, "/remember/alice").await;
            let cookies = browser.cookie_header("/");
            let answer = ask(&mut browser, there, Method::GET, "/who").await;
            assert_eq!((&*answer.body, answer.set_cookies().len()), ("nobody", 0));
            assert_eq!(there.events.take(), [], "it is no cookie of ours");
            assert_eq!(browser.cookie_header("/"), cookies);
            assert_eq!(who(&mut browser, here).await, "alice");

            ask(&mut browser, there, Method::POST, "/login/bob").await;
            assert_eq!(who(&mut browser, there).await, "bob");
            assert_eq!(who(&mut browser, here).await, "alice");
            ask(&mut browser, there, Method::POST, "/logout").await;
            assert_eq!(who(&mut browser, here).await, "alice");
            assert_eq!(browser.cookie_header("/"), cookies);
        }
    }
}
