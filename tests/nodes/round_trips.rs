//! What a request costs: how often it asks the store, and how often it waits for the server.

use http::Method;
use libtest_mimic::Trial;

use crate::{
    address::Way,
    app,
    browser::Browser,
    counted::Counted,
    place::{Kind, Place},
    trials::{eventually, trials},
    world::{DEADLINE, World},
};

pub fn trials() -> Vec<Trial> {
    trials![
        Kind::ALL =>
            n8_calls_of_the_store,
            n8_calls_of_the_store_for_who_is_remembered;
        Kind::SERVERS =>
            n8_a_warm_session_costs_one_round_trip,
            n8_a_login_over_a_session_costs_two_round_trips;
        Kind::POOLS => n8_a_connection_that_is_asked_first_costs_another_one;
    ]
}

async fn n8_calls_of_the_store(place: Place) {
    let store = Counted::new(place.address.open(&Way::default()).store());
    let manager = app::manager(store.clone());
    let mut browser = Browser::new(app::routes().layer(manager));
    let mut stranger = browser.another();

    for uri in ["/", "/who", "/me", "/get/key"] {
        stranger.get(uri).await;
        assert!(store.take_calls().is_empty(), "{uri}");
    }
    assert_eq!(browser.post("/login/1").await.body, "1");
    assert_eq!(store.take_calls(), ["create"]);
    for _ in 0..3 {
        assert_eq!(browser.get("/me").await.body, "1");
        assert_eq!(store.take_calls(), ["load"]);
    }
    stranger.post("/put/key/value").await;
    assert_eq!(store.take_calls(), ["create"]);
    assert_eq!(stranger.post("/login/2").await.body, "2");
    assert_eq!(store.take_calls(), ["load", "replace"]);
    assert_eq!(stranger.get("/get/key").await.body, "value");
    assert_eq!(store.take_calls(), ["load"]);
    assert_eq!(stranger.post("/login/2").await.body, "2");
    assert_eq!(store.take_calls(), ["load", "replace"], "once more");
    assert_eq!(stranger.post("/logout").await.status, 200);
    assert_eq!(store.take_calls(), ["load", "delete_all"]);
}

/// The series is there before anything that was there is given up: should it fail, all is as it was.
async fn n8_calls_of_the_store_for_who_is_remembered(place: Place) {
    let store = Counted::new(place.address.open(&Way::default()).store());
    let manager = app::manager(store.clone());
    let mut browser = Browser::new(app::routes().layer(manager));

    assert_eq!(browser.post("/remember/1").await.body, "1");
    assert_eq!(calls_of_login(&store).await, ["create", "create"]);
    browser.forget_cookies();
    browser.post("/put/key/value").await;
    assert_eq!(store.take_calls(), ["create"]);
    assert_eq!(browser.post("/remember/2").await.body, "2");
    assert_eq!(calls_of_login(&store).await, ["load", "create", "replace"]);
}

/// Behind the answer of such a login a list says whether the user is remembered in too many browsers.
async fn calls_of_login(store: &Counted) -> Vec<&'static str> {
    let mut calls = Vec::new();
    eventually("somebody lists", || {
        calls.extend(store.take_calls());
        std::future::ready(calls.contains(&"list"))
    })
    .await;
    calls.retain(|call| *call != "list");
    calls
}

/// One connection, so that every statement is known on it; no call may take longer than any is allowed to.
async fn world(place: Place, test_before_acquire: bool) -> World {
    let configure = |way: &mut Way| {
        way.connections = 1;
        way.patience = DEADLINE * 10;
        way.test_before_acquire = test_before_acquire;
    };
    World::with(place, configure).await
}

/// How often a request waited, and how often it was asked whether the connection lives, before the answer or after it.
async fn cost(world: &mut World, method: Method, uri: &str) -> (usize, usize) {
    world.is_at_rest().await;
    world.proxy.take_round_trips();
    let answer = world.browser.send(method, uri).await;
    assert_eq!(answer.status, 200, "{uri}");
    world.is_at_rest().await;
    let (all, pings) = world.proxy.take_round_trips();
    (all - pings, pings)
}

async fn n8_a_warm_session_costs_one_round_trip(place: Place) {
    // A pool asks a connection once more when it gets it back, behind the answer.
    let pings = usize::from(place.address.kind != Kind::Redis);
    let mut world = world(place, false).await;
    world.browser.post("/login/1").await;
    world.browser.get("/me").await;
    for _ in 0..5 {
        assert_eq!(cost(&mut world, Method::GET, "/me").await, (1, pings));
        assert_eq!(cost(&mut world, Method::GET, "/").await, (0, 0));
    }
    for user in 2..5 {
        world.browser.forget_cookies();
        let uri = format!("/login/{user}");
        assert_eq!(cost(&mut world, Method::POST, &uri).await, (1, pings));
    }
}

/// A visitor with something in their cart, and somebody who logs in once more.
async fn n8_a_login_over_a_session_costs_two_round_trips(place: Place) {
    let pings = usize::from(place.address.kind != Kind::Redis);
    let mut world = world(place, false).await;
    for round in 0..4 {
        world.browser.forget_cookies();
        world.browser.post("/put/cart/apples").await;
        for (login, name) in [("/login/1", "the first"), ("/login/1", "once more")] {
            let (trips, asked) = cost(&mut world, Method::POST, login).await;
            // The first time a statement is new to its connection.
            if round > 0 {
                assert_eq!((trips, asked), (2, 2 * pings), "{name}");
            }
        }
    }
}

async fn n8_a_connection_that_is_asked_first_costs_another_one(place: Place) {
    let mut world = world(place, true).await;
    world.browser.post("/login/1").await;
    world.browser.get("/me").await;
    for _ in 0..5 {
        assert_eq!(cost(&mut world, Method::GET, "/me").await, (1, 2));
    }
}
