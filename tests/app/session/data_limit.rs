//! All data of a session takes at most 64 KiB, however many requests add to it.

use axum::{Router, extract::Path, routing::post};
use http::Method;
use login_manager::{Error, Session};

use crate::support::{
    faulty_store::{
        Call::{Create, Update},
        When::{After, Before},
    },
    world::{Accounts, World, routes},
};

const LIMIT: usize = 64 * 1024;

/// `/fill/{name}/{bytes}` inserts so much under this name.
fn with_filling(accounts: &Accounts) -> Router {
    let fill = async |session: Session, Path((name, bytes)): Path<(String, usize)>| {
        session.insert(&name, &"x".repeat(bytes)).await
    };
    let fill_and_tell = async |session: Session, Path((name, bytes)): Path<(String, usize)>| {
        session.insert(&name, &"x".repeat(bytes)).await?;
        let saved = session.save().await.map_err(|error| error.kind());
        session.remove(&name).await?;
        Ok::<_, Error>(format!("{saved:?}"))
    };
    routes(accounts)
        .route("/fill/{name}/{bytes}", post(fill))
        .route("/fill-and-tell/{name}/{bytes}", post(fill_and_tell))
}

fn largest_payload(world: &World) -> usize {
    let records = world.store.inner.records();
    let sizes = records.iter().map(|record| record.payload.len());
    sizes.max().unwrap()
}

#[tokio::test]
async fn of_64_parallel_inserts_of_60_kb_one_fits() {
    for start in ["/put/cart/apples", "/login/alice"] {
        let mut world = World::with(with_filling, |manager| manager);
        world.browser.post(start).await;
        // Each request reads before the first one writes.
        world.store.be_remote();
        let requests: Vec<_> = (0..64)
            .map(|number| {
                let uri = format!("/fill/name{number}/60000");
                world.browser.start(Method::POST, &uri)
            })
            .collect();
        let (mut saved, mut too_large) = (0, 0);
        for request in requests {
            let (_, answer) = request.await.unwrap();
            assert_eq!(answer.set_cookies(), [""; 0]);
            match answer.status.as_u16() {
                200 => saved += 1,
                413 => too_large += 1,
                status => panic!("{status}"),
            }
        }
        assert_eq!((saved, too_large), (1, 63), "{start}");
        assert!(largest_payload(&world) < LIMIT + 512);
        assert_eq!(world.store.inner.len(), 1);
    }
}

#[tokio::test]
async fn data_that_fits_alone_and_not_together_is_too_large() {
    let mut world = World::with(with_filling, |manager| manager);
    world.browser.post("/put/cart/apples").await;
    let gate = world.store.gate(Update, Before);
    let slow = world
        .browser
        .start(Method::POST, "/fill-and-tell/slow/40000");
    gate.reached().await;
    assert_eq!(world.browser.post("/fill/fast/40000").await.status, 200);
    gate.open();
    let (mut browser, answer) = slow.await.unwrap();
    assert_eq!(&*answer.body, "Err(TooLarge)");
    assert_eq!(browser.get("/get/slow").await.body, "");
    assert_eq!(browser.get("/get/fast").await.body.len(), 40_000);
    assert_eq!(browser.get("/get/cart").await.body, "apples");
}

#[tokio::test]
async fn login_takes_no_more_data_along_than_fits() {
    for start in ["/fill/a/60000", "/"] {
        let mut world = World::with(with_filling, |manager| manager);
        world.browser.post(start).await;
        let gate = world.store.gate(Create, After);
        let login = world.browser.start(Method::POST, "/login/alice");
        gate.reached().await;
        // Saved in the anonymous session after the login has read it.
        world.browser.post("/fill/a/50000").await;
        world.browser.post("/fill/b/10000").await;
        gate.open();
        let (mut browser, answer) = login.await.unwrap();
        assert_eq!(answer.body, "alice");
        assert_eq!(browser.get("/who").await.body, "alice");
        assert!(largest_payload(&world) < LIMIT + 512);
    }
}
