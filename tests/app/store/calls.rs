//! How many store calls each verb makes.

use http::Method;

use crate::support::{
    faulty_store::Call::{self, Create, Delete, Load, Update},
    world::{SESSION, World},
};

async fn world(start: &[&str]) -> World {
    let mut world = World::new();
    for uri in start {
        assert_eq!(world.browser.post(uri).await.status, 200, "{uri}");
    }
    world.store.take_calls();
    world
}

async fn assert_calls(world: &mut World, method: Method, uri: &str, calls: &[Call]) {
    let answer = world.browser.send(method, uri).await;
    assert_eq!(answer.status, 200, "{uri}");
    assert_eq!(world.store.take_calls(), calls, "{uri}");
}

#[tokio::test]
async fn guarded_request_makes_one_store_call() {
    let mut world = world(&["/remember/alice"]).await;
    assert_calls(&mut world, Method::GET, "/me", &[Load]).await;
}

#[tokio::test]
async fn wrong_secret_makes_one_store_call() {
    let mut world = world(&["/login/alice"]).await;
    let token = world.token();
    let wrong = format!("{}{}", &token[..24], "A".repeat(40));
    world.browser.plant(SESSION, &wrong);
    assert_calls(&mut world, Method::GET, "/who", &[Load]).await;
}

#[tokio::test]
async fn verbs_make_the_documented_store_calls() {
    let cases: [(&[&str], &str, &[Call]); 13] = [
        (&[], "/login/alice", &[Create]),
        (&[], "/remember/alice", &[Create]),
        (&["/login/alice"], "/login/alice", &[Load, Update]),
        (&["/remember/alice"], "/login/alice", &[Load, Update]),
        (&["/put/a/1"], "/login/alice", &[Load, Create, Update]),
        (&["/login/bob"], "/login/alice", &[Load, Create, Update]),
        (&["/login/alice"], "/confirm", &[Load, Update]),
        (&["/login/alice"], "/rotate", &[Load, Update]),
        (&["/put/a/1"], "/rotate", &[Load, Update]),
        (&["/login/alice"], "/logout", &[Load, Delete]),
        (&["/remember/alice"], "/logout", &[Load, Delete]),
        (&["/login/alice"], "/put/a/1", &[Load, Update]),
        (&[], "/put/a/1", &[Create]),
    ];
    for (start, uri, calls) in cases {
        let mut world = world(start).await;
        assert_calls(&mut world, Method::POST, uri, calls).await;
    }
}

#[tokio::test]
async fn restore_makes_two_store_calls_and_one_in_the_background() {
    for keeps_session_cookie in [false, true] {
        let mut world = world(&["/remember/alice"]).await;
        if keeps_session_cookie {
            world.clock.advance(25 * crate::support::world::HOUR);
        } else {
            world.browser.forget(SESSION);
        }
        assert_calls(&mut world, Method::GET, "/who", &[Load, Update]).await;
        assert_calls(&mut world, Method::GET, "/who", &[Load, Update]).await;
        assert_calls(&mut world, Method::GET, "/who", &[Load]).await;
    }
}

#[tokio::test]
async fn join_makes_one_store_call() {
    let mut world = world(&["/remember/alice"]).await;
    let mut before_rotation = world.browser.clone();
    world.browser.post("/rotate").await;
    world.store.take_calls();
    assert_eq!(before_rotation.get("/who").await.body, "alice");
    assert_eq!(world.store.take_calls(), [Load]);

    world.browser.forget(SESSION);
    let mut before_restore = world.browser.clone();
    world.browser.get("/who").await;
    world.store.take_calls();
    assert_eq!(before_restore.get("/who").await.body, "alice");
    assert_eq!(world.store.take_calls(), [Load]);
}
