//! Keys are created, listed and revoked, and expire.

use std::time::Duration;

use axum::{extract::State, routing::get};
use login_manager::{
    Auth, Error, ErrorKind,
    api_keys::{ApiKeySettings, ApiKeys},
    event::EventKind,
};
use serde_json::json;

use super::key_world::{INVALID, MILLISECOND, challenge, key_of_alice, key_routes, program, world};
use crate::support::{
    browser::Browser,
    faulty_store::Call,
    settle,
    world::{Account, DAY, MINUTE, World, account, routes},
};

#[tokio::test]
async fn text_of_a_key_is_one_word_with_the_prefix() {
    let (_world, keys) = world();
    let (text, info) = key_of_alice(&keys, &[]).await;
    let rest = text.strip_prefix("shop_").unwrap();
    assert_eq!(rest.len(), 49);
    assert!(rest.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_eq!(info.last4(), &rest[45..]);
}

#[tokio::test]
async fn store_has_only_a_digest_of_the_key() {
    let (world, keys) = world();
    let (text, _) = key_of_alice(&keys, &[]).await;
    for record in world.store.inner.records() {
        let contains = |part: &[u8]| record.payload.windows(part.len()).any(|w| w == part);
        assert!(contains(b"CI"));
        assert!(!contains(&text.as_bytes()[5..15]));
    }
}

#[tokio::test]
async fn key_expires_to_the_millisecond() {
    let (world, keys) = world();
    let (text, info) = key_of_alice(&keys, &[]).await;
    assert_eq!(info.expires().unwrap(), info.created() + 90 * DAY);
    let mut program = program(&world.browser, &text);
    world.clock.advance(90 * DAY - MILLISECOND);
    assert_eq!(program.get("/me").await.body, "alice");
    assert_eq!(keys.list(&1).await.unwrap().len(), 1);
    settle().await;
    world.clock.advance(MILLISECOND);
    let answer = program.get("/me").await;
    assert_eq!((answer.status.as_u16(), challenge(&answer)), (401, INVALID));
    assert_eq!(program.get("/why").await.body, "Some(UnknownApiKey)");
    assert_eq!(keys.list(&1).await.unwrap(), []);
    assert!(!keys.revoke(&1, info.id()).await.unwrap());
}

#[tokio::test]
async fn endless_key_is_valid_for_a_hundred_years() {
    let (world, keys) = world();
    let new = keys.create(&account(1, "alice"));
    let (key, info) = new.never_expires().await.unwrap();
    assert_eq!((info.expires(), info.name()), (None, ""));
    world.clock.advance(100 * 365 * DAY);
    let mut program = program(&world.browser, key.expose());
    assert_eq!(program.get("/me").await.body, "alice");
    let listed = keys.list(&1).await.unwrap();
    assert_eq!((listed.len(), listed[0].expires()), (1, None));
}

#[tokio::test]
async fn revoked_key_is_refused_and_only_its_owner_revokes_it() {
    let (world, keys) = world();
    let (text, info) = key_of_alice(&keys, &[]).await;
    let mut program = program(&world.browser, &text);
    assert!(!keys.revoke(&2, info.id()).await.unwrap(), "bob's is none");
    assert_eq!(program.get("/me").await.body, "alice");
    assert!(keys.revoke(&1, info.id()).await.unwrap());
    assert!(!keys.revoke(&1, info.id()).await.unwrap());
    let answer = program.get("/me").await;
    assert_eq!((answer.status.as_u16(), challenge(&answer)), (401, INVALID));
    assert!(world.store.inner.is_empty());
}

#[tokio::test]
async fn all_keys_of_one_user_are_revoked_at_once() {
    let (world, keys) = world();
    let (first, _) = key_of_alice(&keys, &[]).await;
    key_of_alice(&keys, &[]).await;
    let bobs = keys.create(&account(2, "bob")).never_expires();
    let (bobs, _) = bobs.await.unwrap();
    world.events.take();
    assert_eq!(keys.revoke_all(&1).await.unwrap(), 2);
    assert_eq!(keys.revoke_all(&1).await.unwrap(), 0);
    assert_eq!(world.events.take(), [EventKind::ApiKeyRevoked]);
    assert_eq!(program(&world.browser, &first).get("/me").await.status, 401);
    let mut program = program(&world.browser, bobs.expose());
    assert_eq!(program.get("/me").await.body, "bob");
}

#[tokio::test]
async fn list_shows_everything_but_the_text_newest_first() {
    let (world, keys) = world();
    let (_, first) = key_of_alice(&keys, &["read", "write", "read"]).await;
    world.clock.advance(MINUTE);
    let (_, second) = key_of_alice(&keys, &[]).await;
    let listed = keys.list(&1).await.unwrap();
    assert_eq!(listed, [second, first.clone()]);
    assert_eq!(keys.list(&2).await.unwrap(), []);
    assert_eq!(first.scopes().collect::<Vec<_>>(), ["read", "write"]);
    assert!(first.has_scope("read") && !first.has_scope("rea") && !first.has_scope(""));
    let created = first.created().duration_since(std::time::UNIX_EPOCH);
    let created = created.unwrap().as_secs();
    assert_eq!(
        serde_json::to_value(&first).unwrap(),
        json!({
            "id": first.id().to_string(),
            "name": "CI",
            "scopes": ["read", "write"],
            "created": created,
            "expires": created + (90 * DAY).as_secs(),
            "last_used": null,
            "last4": first.last4(),
        })
    );
}

#[tokio::test]
async fn last_use_is_recorded_every_five_minutes() {
    let (world, keys) = world();
    let (text, info) = key_of_alice(&keys, &[]).await;
    let mut program = program(&world.browser, &text);
    let last_used = async || {
        settle().await;
        keys.list(&1).await.unwrap()[0].last_used()
    };
    assert_eq!(last_used().await, None);
    program.get("/me").await;
    let first = info.created() + MILLISECOND;
    assert_eq!(last_used().await, Some(first), "a first use is always seen");
    world.clock.advance(5 * MINUTE);
    world.store.take_calls();
    program.get("/me").await;
    assert_eq!(last_used().await, Some(first));
    world.clock.advance(MILLISECOND);
    program.get("/me").await;
    assert_eq!(last_used().await, Some(first + 5 * MINUTE));
    let calls = world.store.take_calls();
    assert_eq!(calls.iter().filter(|call| **call == Call::Touch).count(), 1);
    assert_eq!(keys.list(&1).await.unwrap()[0].expires(), info.expires());
}

#[tokio::test]
async fn name_scopes_and_lifetime_are_bounded() {
    let (world, keys) = world();
    let alice = account(1, "alice");
    let new = || keys.create(&alice);
    let invalid = [
        new().name("x".repeat(101)).never_expires(),
        new().name("a\nb").never_expires(),
        new().scopes([""]).never_expires(),
        new().scopes(["a b"]).never_expires(),
        new().scopes(["x".repeat(65)]).never_expires(),
        new().scopes((0..33).map(|n| n.to_string())).never_expires(),
        new().expires_in(Duration::ZERO),
        new().expires_in(Duration::from_millis(999)),
        new().expires_in(400 * DAY + MILLISECOND),
        new().expires_in(Duration::MAX),
    ];
    for new in invalid {
        let error = new.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidApiKey);
        assert_eq!(error.status(), 422);
    }
    assert_eq!(world.store.take_calls(), []);
    let scopes: Vec<_> = (0..32).map(|n| format!("{n:064}")).collect();
    let new = new().name("ä".repeat(50)).scopes(&scopes);
    let (key, info) = new.expires_in(400 * DAY).await.unwrap();
    assert_eq!(info.name(), "ä".repeat(50));
    let mut program = program(&world.browser, key.expose());
    assert_eq!(program.get("/key").await.body, "ä".repeat(50));
    assert!(keys.list(&1).await.unwrap()[0].has_scope(&scopes[31]));
}

#[tokio::test]
async fn key_of_an_inactive_user_is_not_created() {
    let (world, keys) = world();
    let new = keys.create(&Account {
        active: false,
        ..account(1, "alice")
    });
    let error = new.never_expires().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Inactive);
    assert!(world.store.inner.is_empty());
}

#[tokio::test]
async fn number_of_live_keys_is_limited() {
    let world = World::with(routes, |manager| {
        manager.with_api_keys(ApiKeySettings::new("shop").max_per_user(2))
    });
    let keys = world.manager.api_keys();
    let (_, first) = key_of_alice(&keys, &[]).await;
    world.clock.advance(DAY);
    key_of_alice(&keys, &[]).await;
    let again = || keys.create(&account(1, "alice")).never_expires();
    let error = again().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status().as_u16()),
        (ErrorKind::TooManyApiKeys, 409)
    );
    assert_eq!(world.store.inner.len(), 2);
    let bobs = keys.create(&account(2, "bob")).never_expires();
    bobs.await.unwrap();
    world.clock.advance(89 * DAY);
    again().await.expect("the first has expired");
    assert!(!keys.revoke(&1, first.id()).await.unwrap());
    again().await.unwrap_err();
}

#[tokio::test]
async fn handler_reads_the_key_that_the_state_creates() {
    async fn create(
        auth: Auth<Account>,
        State(keys): State<ApiKeys<Account>>,
    ) -> Result<String, Error> {
        let user = auth.user().await?.unwrap();
        let (key, _) = keys.create(&user).name("by hand").never_expires().await?;
        Ok(key.expose().to_owned())
    }
    let (world, keys) = world();
    let create = get(create).with_state(keys);
    let app = key_routes(&world.accounts).route("/create", create);
    let mut browser = Browser::new(app.layer(world.manager.clone()));
    browser.post("/login/alice").await;
    let text = browser.get("/create").await.body;
    assert_eq!(program(&browser, &text).get("/key").await.body, "by hand");
}
