//! What is in the store, and that no session cookie opens it.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use login_manager::store::SessionId;

use super::{attempt, attempt_from, fail};
use crate::support::world::{DAY, REMEMBER, SESSION, World};

fn forged(id: SessionId, length: usize) -> String {
    let mut bytes = vec![0; length];
    bytes[..16].copy_from_slice(id.as_bytes());
    Base64UrlUnpadded::encode_string(&bytes)
}

#[tokio::test]
async fn cookie_with_the_id_of_a_count_opens_and_ends_nothing() {
    let mut world = World::new();
    let throttle = world.manager.throttle();
    drop(attempt_from(&throttle, "alice", Some("192.0.2.1")).await);
    let counts = world.store.inner.records();
    assert_eq!(counts.len(), 2);
    for record in &counts {
        for (name, length) in [(SESSION, 48), (REMEMBER, 80)] {
            for path in [
                "/who",
                "/me",
                "/put/cart/apples",
                "/logout",
                "/confirm",
                "/rotate",
            ] {
                let mut thief = world.browser.another();
                thief.plant(name, &forged(record.id, length));
                let method = match path {
                    "/logout" | "/confirm" | "/rotate" => http::Method::POST,
                    _ => http::Method::GET,
                };
                let answer = thief.send(method, path).await;
                assert!(!answer.status.is_server_error(), "{path} {answer:?}");
                assert!(world.store.inner.records().contains(record), "{path}");
            }
        }
        assert_eq!(world.who_has(&forged(record.id, 48)).await, "nobody");
    }
    world.browser.post("/login/alice").await;
    let sessions = world.manager.sessions_of(&1).await.unwrap();
    assert_eq!(sessions.len(), 1);
    world.manager.logout_user(&1).await.unwrap();
    for record in &counts {
        assert!(!world.manager.revoke(&1, record.id).await.unwrap());
        assert!(world.store.inner.records().contains(record));
    }
}

#[tokio::test]
async fn store_contains_no_name_and_no_address() {
    let world = World::new();
    let throttle = world.manager.throttle();
    drop(attempt_from(&throttle, "alice", Some("203.0.113.77")).await);
    for record in world.store.inner.records() {
        let owner = record.owner.unwrap();
        assert!(
            !owner.contains("alice") && !owner.contains("203"),
            "{owner}"
        );
        let contains = |part: &[u8]| record.payload.windows(part.len()).any(|at| at == part);
        assert!(!contains(b"alice") && !contains(&[203, 0, 113, 77]));
    }
    let debug = format!(
        "{throttle:?} {:?} {:?}",
        throttle.attempt("alice"),
        throttle.attempt("alice").await
    );
    assert!(!debug.contains("alice"), "{debug}");
}

#[tokio::test]
async fn counts_expire_and_are_cleaned_up() {
    let world = World::new();
    let throttle = world.manager.throttle();
    for n in 0..20 {
        drop(attempt_from(&throttle, &format!("user{n}"), Some("192.0.2.1")).await);
    }
    assert_eq!(world.store.inner.len(), 21);
    assert!(
        world
            .store
            .inner
            .records()
            .iter()
            .all(|record| record.payload.len() <= 10 + 20 * 8)
    );
    world.clock.advance(DAY);
    assert_eq!(world.manager.cleanup().await.unwrap(), 21);
}

#[tokio::test]
async fn count_that_cannot_be_read_permits_no_guess() {
    let world = World::new();
    let throttle = world.manager.throttle();
    fail(&throttle, "alice", 1).await;
    world
        .store
        .rewrite(|record| record.payload = record.payload[..12].into())
        .await;
    assert!(throttle.attempt("alice").await.is_err());
    throttle.clear("alice").await.unwrap();
    assert!(attempt(&throttle, "alice").await.is_ok());
}
