//! Knowing a session id does not allow a client to open, end, change or block the session.

use axum::{Router, extract::Path, routing::post};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use login_manager::{
    Auth, Error,
    event::EventKind,
    store::{SessionId, SessionRecord},
};

use crate::support::{
    faulty_store::{Call, Fault},
    world::{Account, Accounts, MINUTE, REMEMBER, SESSION, World, routes},
};

fn more_routes(accounts: &Accounts) -> Router {
    let revoke = async |auth: Auth<Account>, Path(id): Path<SessionId>| {
        auth.revoke(id).await.map(|revoked| revoked.to_string())
    };
    let kind = async |auth: Auth<Account>| {
        let kind = auth.logout().await.map_err(|error| error.kind());
        Ok::<_, Error>(format!("{kind:?} {:?}", auth.anonymous_reason().await?))
    };
    routes(accounts)
        .route("/revoke/{id}", post(revoke))
        .route("/logout-kind", post(kind))
}

/// A cookie with the id of this session and forged secrets.
fn forged(id: SessionId, length: usize) -> String {
    let mut bytes = vec![7; length];
    bytes[..16].copy_from_slice(id.as_bytes());
    Base64UrlUnpadded::encode_string(&bytes)
}

/// Each secret of a genuine cookie with one bit changed.
fn nearly(token: &str) -> Vec<String> {
    let bytes = Base64UrlUnpadded::decode_vec(token).unwrap();
    let bits = [16 * 8, bytes.len() * 8 - 1];
    bits.into_iter()
        .map(|bit| {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            Base64UrlUnpadded::encode_string(&bytes)
        })
        .collect()
}

/// Alice logged in and remembered, or a visitor with data.
async fn victim(start: &str) -> (World, SessionRecord) {
    let mut world = World::with(more_routes, |manager| manager);
    world.browser.post(start).await;
    let record = world.store.inner.records().remove(0);
    world.events.take();
    (world, record)
}

fn is_untouched(world: &World, record: &SessionRecord) -> bool {
    world.store.inner.records().contains(record)
}

#[tokio::test]
async fn no_verb_of_a_forged_cookie_touches_the_session() {
    for start in ["/remember/alice", "/put/cart/apples"] {
        let (world, record) = victim(start).await;
        let session = world.token();
        let mut cookies = vec![(SESSION, forged(record.id, 48))];
        cookies.extend(nearly(&session).into_iter().map(|value| (SESSION, value)));
        cookies.push((REMEMBER, forged(record.id, 80)));
        if let Some(remember) = world.browser.cookie("remember") {
            // The first has another series secret; one whose token alone is wrong would be a theft.
            cookies.push((REMEMBER, nearly(&remember).remove(0)));
        }
        for (name, value) in cookies {
            for verb in [
                "/who",
                "/me",
                "/how",
                "/get/cart",
                "/confirm",
                "/rotate",
                "/put/cart/pears",
                "/clear",
                "/login/bob",
                "/remember/bob",
                "/logout",
                "/do/put,logout",
                "/do/bob,logout",
            ] {
                let mut attacker = world.browser.another();
                attacker.plant(name, &value);
                let case = format!("{start}: {verb} with {name}");
                let answer = match verb {
                    "/who" | "/me" | "/how" | "/get/cart" => attacker.get(verb).await,
                    _ => attacker.post(verb).await,
                };
                assert!(!answer.body.contains("alice"), "{case}: {}", answer.body);
                assert!(!answer.body.contains("apples"), "{case}: {}", answer.body);
                assert!(is_untouched(&world, &record), "{case}");
            }
        }
        world.clock.advance(2 * MINUTE);
        let mut owner = world.browser.clone();
        let expected = if start.contains("alice") {
            "alice"
        } else {
            "nobody"
        };
        assert_eq!(owner.get("/who").await.body, expected);
        assert_eq!(owner.post("/logout").await.body, "bye");
    }
}

#[tokio::test]
async fn logout_by_a_forged_cookie_is_incomplete_and_ends_nothing() {
    let (world, record) = victim("/remember/alice").await;
    for (name, value) in [
        (SESSION, forged(record.id, 48)),
        (REMEMBER, forged(record.id, 80)),
    ] {
        let mut attacker = world.browser.another();
        attacker.plant(name, &value);
        let answer = attacker.post("/logout-kind").await;
        assert_eq!(answer.body, "Err(LogoutIncomplete) Some(LoggedOut)");
        assert_eq!(answer.set_cookies().len(), 2, "both are cleared");
        assert!(attacker.cookie_names().is_empty(), "{name}");
        assert_eq!(world.events.take(), [EventKind::LogoutIncomplete], "{name}");

        attacker.plant(name, &value);
        assert_eq!(attacker.post("/logout").await.status, 409);
        assert!(is_untouched(&world, &record), "{name}");
        world.events.take();
    }
    assert_eq!(world.browser.clone().get("/who").await.body, "alice");
}

#[tokio::test]
async fn logout_beside_a_planted_forged_cookie_ends_its_own_session() {
    let (mut world, record) = victim("/login/alice").await;
    let mut other = world.browser.another();
    other.post("/login/bob").await;
    let own = other.cookie("-session").unwrap();
    let cookies = format!("{SESSION}={}; {SESSION}={own}", forged(record.id, 48));
    other.forget_cookies();
    other.headers.insert("cookie", cookies.parse().unwrap());
    assert_eq!(other.get("/who").await.body, "bob");
    assert_eq!(other.post("/logout").await.status, 409);
    assert_eq!(world.who_has(&own).await, "nobody");
    assert_eq!(world.browser.get("/who").await.body, "alice");
}

#[tokio::test]
async fn revoke_of_another_users_session_does_nothing() {
    for start in ["/remember/alice", "/put/cart/apples"] {
        let (world, record) = victim(start).await;
        for who in ["/login/bob", "/"] {
            let mut attacker = world.browser.another();
            attacker.post(who).await;
            let answer = attacker.post(&format!("/revoke/{}", record.id)).await;
            assert_eq!((answer.status.as_u16(), &*answer.body), (200, "false"));
            assert!(is_untouched(&world, &record), "{start} {who}");
        }
    }
}

/// The store is down while the forged logout runs, so its deletion is retried: with the secret
/// checked again.
#[tokio::test(start_paused = true)]
async fn retried_logout_by_a_forged_cookie_ends_nothing() {
    for fails in [Call::Load, Call::Delete] {
        let (world, record) = victim("/remember/alice").await;
        for (name, value) in [
            (SESSION, forged(record.id, 48)),
            (REMEMBER, forged(record.id, 80)),
        ] {
            let mut attacker = world.browser.another();
            attacker.plant(name, &value);
            world.store.fail(fails, Fault::Fails);
            let status = attacker.post("/logout").await.status.as_u16();
            assert_eq!(status, if fails == Call::Load { 503 } else { 409 });
            world.store.heal();
        }
        tokio::time::sleep(3 * MINUTE).await;
        assert!(is_untouched(&world, &record), "{fails:?}");
    }
}
