//! Requests that are authenticated by a key of the application's.

use http::{HeaderValue, header::AUTHORIZATION};
use login_manager::{auth::AnonymousReason, event::EventKind};

use super::key_world::{INVALID, challenge, key_of_alice, key_routes, program, world};
use crate::support::{
    faulty_store::Call,
    settle,
    world::{REMEMBER, SESSION, World, account},
};

#[tokio::test]
async fn key_authenticates_one_request_without_session_or_cookie() {
    let (world, keys) = world();
    let (text, _) = key_of_alice(&keys, &[]).await;
    let creation = [Call::List, Call::LoadFresh, Call::Create, Call::List];
    assert_eq!(world.store.take_calls(), creation);
    let mut program = program(&world.browser, &text);
    assert_eq!(program.get("/key").await.body, "CI");
    settle().await;
    world.store.take_calls();
    let loads = world.accounts.loads();
    let answer = program.get("/me").await;
    assert_eq!(answer.body, "alice");
    assert!(answer.set_cookies().is_empty());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    settle().await;
    assert_eq!(world.store.take_calls(), [Call::LoadFresh]);
    assert_eq!(world.accounts.loads(), loads + 1);

    assert_eq!(program.get("/how").await.body, "alice stale");
    assert_eq!(program.post("/confirm").await.body, "false");
    let put = program.post("/put/cart/apples").await;
    assert_eq!((put.status.as_u16(), put.set_cookies().len()), (200, 0));
    assert_eq!(program.get("/get/cart").await.body, "");
    assert_eq!(program.post("/logout").await.body, "bye");
    assert_eq!(world.store.inner.len(), 1, "the key, which is still valid");
    assert_eq!(program.get("/me").await.body, "alice");
}

#[tokio::test]
async fn scheme_is_case_insensitive_and_only_the_header_is_read() {
    let (world, keys) = world();
    let (text, _) = key_of_alice(&keys, &[]).await;
    let mut client = world.browser.another();
    for (value, who) in [
        (format!("Bearer {text}"), "alice"),
        (format!("bEARER   {text}"), "alice"),
        (format!("Bearer{text}"), "nobody"),
        (format!("Basic {text}"), "nobody"),
        (format!("Bearer {text} x"), "nobody"),
        (format!("Bearer {text},"), "nobody"),
        ("Bearer".to_owned(), "nobody"),
        ("Bearer ".to_owned(), "nobody"),
        (text.clone(), "nobody"),
    ] {
        let header = HeaderValue::try_from(&value).unwrap();
        client.headers.insert(AUTHORIZATION, header);
        assert_eq!(client.get("/who").await.body, who, "{value}");
    }
    let header = HeaderValue::try_from(format!("Bearer {text}")).unwrap();
    client.headers.insert(AUTHORIZATION, header.clone());
    client.headers.append(AUTHORIZATION, header);
    assert_eq!(client.get("/who").await.body, "nobody", "two headers");

    client.headers.remove(AUTHORIZATION);
    for uri in [
        format!("/who?access_token={text}"),
        format!("/who?api_key={text}"),
    ] {
        assert_eq!(client.get(&uri).await.body, "nobody");
    }
    client.headers.insert("x-api-key", text.parse().unwrap());
    assert_eq!(client.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn junk_costs_no_store_call_and_no_load() {
    let (world, keys) = world();
    let (text, _) = key_of_alice(&keys, &[]).await;
    world.store.take_calls();
    let last = if text.ends_with('0') { '1' } else { '0' };
    let wrong_checksum = format!("{}{last}", &text[..text.len() - 1]);
    let another_prefix = text.replacen("shop", "shed", 1);
    for token in [
        &*wrong_checksum,
        &another_prefix,
        &text[1..],
        &text[..text.len() - 1],
        &format!("{text}0"),
        "eyJhbGciOiJIUzI1NiJ9.e30.x",
        "x",
        &"x".repeat(8000),
    ] {
        let mut program = program(&world.browser, token);
        let answer = program.get("/me").await;
        assert_eq!(answer.status, 401);
        assert_eq!(challenge(&answer), INVALID);
        assert_eq!(program.get("/why").await.body, "Some(MalformedApiKey)");
    }
    assert_eq!(world.store.take_calls(), []);
    assert_eq!(world.accounts.loads(), 0);
}

#[tokio::test]
async fn key_stops_while_its_user_is_inactive_or_gone() {
    let (world, keys) = world();
    let (text, info) = key_of_alice(&keys, &[]).await;
    let mut program = program(&world.browser, &text);
    world.accounts.change(1, |alice| alice.active = false);
    let answer = program.get("/me").await;
    assert_eq!((answer.status.as_u16(), challenge(&answer)), (401, INVALID));
    assert_eq!(program.get("/why").await.body, "Some(Inactive)");
    let refused = EventKind::ApiKeyRefused(AnonymousReason::Inactive);
    let refused = world.events.take_of(refused);
    assert_eq!(refused[0].api_key_id(), Some(info.id()));
    assert_eq!(refused[0].user_id(), Some("1"));
    world.accounts.change(1, |alice| alice.active = true);
    assert_eq!(program.get("/me").await.body, "alice");
    world.accounts.remove(1);
    assert_eq!(program.get("/why").await.body, "Some(UserGone)");
}

#[tokio::test]
async fn key_outlives_a_password_change_unless_bound_to_it() {
    let (world, keys) = world();
    let (plain, _) = key_of_alice(&keys, &[]).await;
    let bound = keys.create(&account(1, "alice")).ends_with_stamp();
    let (bound, _) = bound.never_expires().await.unwrap();
    let mut plain = program(&world.browser, &plain);
    let mut bound = program(&world.browser, bound.expose());
    assert_eq!(bound.get("/me").await.body, "alice");
    world.accounts.change(1, |alice| alice.stamp = "new".into());
    assert_eq!(plain.get("/me").await.body, "alice");
    let answer = bound.get("/me").await;
    assert_eq!((answer.status.as_u16(), challenge(&answer)), (401, INVALID));
    assert_eq!(bound.get("/why").await.body, "Some(StampChanged)");
}

#[tokio::test]
async fn key_bound_to_an_empty_stamp_ends_with_the_first_stamp() {
    let (world, keys) = world();
    world.accounts.change(1, |alice| alice.stamp.clear());
    let alice = world.accounts.get(1).unwrap();
    let new = keys.create(&alice).ends_with_stamp();
    let (key, _) = new.never_expires().await.unwrap();
    let mut program = program(&world.browser, key.expose());
    assert_eq!(program.get("/me").await.body, "alice");
    world.accounts.change(1, |alice| alice.stamp = "new".into());
    assert_eq!(program.get("/why").await.body, "Some(StampChanged)");
}

#[tokio::test]
async fn session_and_remember_cookie_outrank_a_key() {
    let (world, keys) = world();
    let (text, _) = key_of_alice(&keys, &[]).await;
    let mut client = program(&world.browser, &text);
    client.plant(SESSION, "junk");
    client.plant(REMEMBER, "junk");
    assert_eq!(client.get("/who").await.body, "alice");
    client.post("/remember/bob").await;
    assert_eq!(client.get("/who").await.body, "bob");
    assert_eq!(client.get("/key").await.body, "none");
    client.forget(SESSION);
    assert_eq!(client.get("/how").await.body, "bob stale remembered");
    client.post("/logout").await;
    assert_eq!(client.get("/who").await.body, "alice");
}

#[tokio::test]
async fn login_beside_a_key_makes_a_session_without_its_data() {
    let (world, keys) = world();
    let (text, _) = key_of_alice(&keys, &[]).await;
    let mut client = program(&world.browser, &text);
    assert_eq!(client.post("/do/put,bob").await.body, "bob");
    assert_eq!(client.get("/who").await.body, "bob");
    assert_eq!(client.get("/get/key").await.body, "", "it was alice's");
    assert_eq!(client.post("/put/key/kept").await.status, 200);
    assert_eq!(client.get("/get/key").await.body, "kept");
}

#[tokio::test]
async fn keys_are_tried_before_request_loaders() {
    let world = World::with(key_routes, |manager| {
        manager
            .with_api_keys("shop")
            .with_request_loader(|head: &http::request::Parts| {
                let token = head.headers.get(AUTHORIZATION).cloned();
                async move { token.map(|_| account(7, "by-loader")) }
            })
    });
    let keys = world.manager.api_keys();
    let (text, info) = key_of_alice(&keys, &[]).await;
    world.events.take();
    assert_eq!(
        program(&world.browser, &text).get("/who").await.body,
        "alice"
    );
    assert_eq!(world.events.take(), [EventKind::ApiKeyUsed]);
    let mut other = program(&world.browser, "a.b.c");
    assert_eq!(other.get("/who").await.body, "by-loader");
    assert_eq!(world.events.take(), [EventKind::LoadedByRequest]);
    assert_eq!(other.get("/keys-only").await.status, 401, "no key");
    assert_eq!(
        other.get("/read").await.body,
        "by-loader",
        "scopes are those of keys"
    );
    keys.revoke(&1, info.id()).await.unwrap();
    assert_eq!(
        program(&world.browser, &text).get("/who").await.body,
        "by-loader"
    );
}
