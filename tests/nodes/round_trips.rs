//! The cost of a request: its store calls and its round trips to the server.

use http::Method;
use libtest_mimic::Trial;

use crate::{
    address::Way,
    app::{self, REMEMBER, SESSION},
    browser::Browser,
    counted::Counted,
    place::{Kind, Place},
    trials::{eventually, trials},
    world::{DEADLINE, World},
};

pub fn trials() -> Vec<Trial> {
    trials![
        Kind::ALL => requests_make_the_documented_store_calls;
        Kind::SERVERS => a_call_of_the_store_is_one_round_trip;
        Kind::POOLS => testing_a_connection_first_costs_another_round_trip;
    ]
}

/// A browser, and the cost of its requests.
trait Costs {
    type Cost;

    fn browser(&mut self) -> &mut Browser;

    /// Sends a request of user 1, which must succeed, and waits for its background update if it
    /// `marks_seen`.
    async fn send(&mut self, method: Method, uri: &str, marks_seen: bool) -> Self::Cost;
}

/// Sends one request of every kind and returns what each costs.
async fn costs<C: Costs>(costs: &mut C, round: usize) -> Vec<(&'static str, C::Cost)> {
    let (get, post) = (Method::GET, Method::POST);
    let mut all = Vec::new();
    macro_rules! cost {
        ($name:literal, $method:ident $uri:expr) => {
            all.push(($name, costs.send($method.clone(), $uri, false).await))
        };
    }

    costs.browser().forget_cookies();
    cost!("a guard or a handler without any cookie", get "/who");
    cost!("login without a session", post "/login/1");
    cost!("guarded request", get "/me");
    cost!("request that does not ask", get "/");
    cost!("change of the data", post & format!("/put/round/{round}"));
    cost!("login over a session of the same user", post "/login/1");
    cost!("confirm", post "/confirm");
    let before = costs.browser().clone();
    cost!("rotate", post "/rotate");
    let now = std::mem::replace(costs.browser(), before);
    cost!("join", get "/me");
    *costs.browser() = now.clone();
    let token = now.cookie("session").unwrap();
    let wrong = format!("{}{}", &token[..32], "A".repeat(32));
    costs.browser().plant(SESSION, &wrong);
    cost!("wrong secret", get "/who");
    *costs.browser() = now;
    cost!("logout", post "/logout");

    cost!(
        "data of a new visitor",
        post & format!("/put/round/{round}")
    );
    cost!("login over an anonymous session", post "/login/1");
    cost!("login over a session of another user", post "/login/2");

    costs.browser().forget_cookies();
    cost!("login with remember-me without a session", post "/remember/1");
    let remember = costs.browser().cookie("remember").unwrap();
    costs.browser().forget_cookies();
    costs.browser().plant(REMEMBER, &remember);
    cost!("restore", get "/me");
    let seen = costs.send(get.clone(), "/me", true).await;
    all.push(("first request after a restore", seen));
    cost!("second request after a restore", get "/me");
    all
}

/// How many updates the records of a user have had.
async fn updates(place: &Place, user: i64) -> u64 {
    let records = place.records(user).await;
    records.iter().map(|record| record.version).sum()
}

struct Calls {
    place: Place,
    browser: Browser,
    store: Counted,
}

impl Costs for Calls {
    type Cost = Vec<&'static str>;

    fn browser(&mut self) -> &mut Browser {
        &mut self.browser
    }

    async fn send(&mut self, method: Method, uri: &str, marks_seen: bool) -> Self::Cost {
        let before = updates(&self.place, 1).await;
        let answer = self.browser.send(method, uri).await;
        assert_eq!(answer.status, 200, "{uri}");
        eventually("the background update is done", || async {
            !marks_seen || updates(&self.place, 1).await > before
        })
        .await;
        self.store.take_calls()
    }
}

async fn requests_make_the_documented_store_calls(place: Place) {
    let store = Counted::new(place.address.open(&Way::default()).store());
    let manager = app::manager(store.clone());
    let browser = Browser::new(app::routes().layer(manager));
    let mut calls = Calls {
        place,
        browser,
        store,
    };
    let expected: [(&str, &[&str]); 18] = [
        ("a guard or a handler without any cookie", &[]),
        ("login without a session", &["create"]),
        ("guarded request", &["load"]),
        ("request that does not ask", &[]),
        ("change of the data", &["load", "update"]),
        ("login over a session of the same user", &["load", "update"]),
        ("confirm", &["load", "update"]),
        ("rotate", &["load", "update"]),
        ("join", &["load"]),
        ("wrong secret", &["load"]),
        ("logout", &["load", "delete"]),
        ("data of a new visitor", &["create"]),
        (
            "login over an anonymous session",
            &["load", "create", "update"],
        ),
        (
            "login over a session of another user",
            &["load", "create", "update"],
        ),
        ("login with remember-me without a session", &["create"]),
        ("restore", &["load", "update"]),
        ("first request after a restore", &["load", "update"]),
        ("second request after a restore", &["load"]),
    ];
    for round in 0..2 {
        let costs = costs(&mut calls, round).await;
        let costs: Vec<_> = costs
            .iter()
            .map(|(name, calls)| (*name, &**calls))
            .collect();
        assert_eq!(costs, expected, "round {round}");
    }
}

impl Costs for World {
    /// The round trips to the server, and those among them that only test a connection.
    type Cost = (usize, usize);

    fn browser(&mut self) -> &mut Browser {
        &mut self.browser
    }

    async fn send(&mut self, method: Method, uri: &str, marks_seen: bool) -> Self::Cost {
        let before = updates(&self.place, 1).await;
        self.is_at_rest().await;
        self.proxy.take_round_trips();
        let answer = self.browser.send(method, uri).await;
        assert_eq!(answer.status, 200, "{uri}");
        eventually("the background update is done", || async {
            !marks_seen || updates(&self.place, 1).await > before
        })
        .await;
        self.is_at_rest().await;
        let (all, pings) = self.proxy.take_round_trips();
        (all - pings, pings)
    }
}

/// One connection, so that every statement is known on it. No call may take longer than any is
/// allowed to.
async fn world(place: Place, test_before_acquire: bool) -> World {
    let configure = |way: &mut Way| {
        way.connections = 1;
        way.patience = DEADLINE * 10;
        way.test_before_acquire = test_before_acquire;
    };
    World::with(place, configure).await
}

async fn a_call_of_the_store_is_one_round_trip(place: Place) {
    // A pool tests a connection that it gets back, after the response.
    let pings = usize::from(place.address.kind != Kind::Redis);
    let mut world = world(place, false).await;
    let expected = [
        ("a guard or a handler without any cookie", 0),
        ("login without a session", 1),
        ("guarded request", 1),
        ("request that does not ask", 0),
        ("change of the data", 2),
        ("login over a session of the same user", 2),
        ("confirm", 2),
        ("rotate", 2),
        ("join", 1),
        ("wrong secret", 1),
        ("logout", 2),
        ("data of a new visitor", 1),
        ("login over an anonymous session", 3),
        ("login over a session of another user", 3),
        ("login with remember-me without a session", 1),
        ("restore", 2),
        ("first request after a restore", 2),
        ("second request after a restore", 1),
    ]
    .map(|(name, trips)| (name, (trips, trips * pings)));
    // In the first round, statements and scripts are new to the connection.
    costs(&mut world, 0).await;
    for round in 1..3 {
        assert_eq!(costs(&mut world, round).await, expected, "round {round}");
    }
}

async fn testing_a_connection_first_costs_another_round_trip(place: Place) {
    let mut world = world(place, true).await;
    world.browser.post("/login/1").await;
    world.browser.get("/me").await;
    for _ in 0..5 {
        assert_eq!(world.send(Method::GET, "/me", false).await, (1, 2));
    }
}
