//! Redeeming tokens: once, in time, and completely.

use std::{future::poll_fn, pin::pin, task::Poll};

use login_manager::{AuthUser, CachedStore, event::EventKind, tokens::RefusedReason};
use tokio::task::JoinSet;

use super::{MILLISECOND, RESET, Scene, is_some, patient_world, scene, scene_of};
use crate::support::{
    faulty_store::{Call, FaultyStore, When},
    settle,
    world::{HOUR, World, routes},
};

#[tokio::test]
async fn token_returns_user_address_and_data_once() {
    let scene = scene();
    let issue = scene
        .tokens
        .issue(&scene.alice, RESET)
        .carry("new@example.com");
    let token = issue.await.unwrap().unwrap();
    let peeked = scene
        .tokens
        .peek(token.text(), RESET)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((peeked.user().id(), peeked.address()), (1, Some("alice")));
    assert_eq!(peeked.data::<String>().unwrap(), "new@example.com");
    let redeemed = scene.tokens.redeem(token.text(), RESET).await;
    let redeemed = redeemed.unwrap().unwrap();
    assert_eq!(
        (redeemed.user().id(), redeemed.address()),
        (1, Some("alice"))
    );
    assert_eq!(redeemed.data::<String>().unwrap(), "new@example.com");
    assert_eq!(
        format!("{peeked:?} {redeemed:?}"),
        "Peeked { .. } Redeemed { .. }"
    );

    assert!(!scene.redeems(token.text(), RESET).await);
    assert!(!scene.peeks(token.text(), RESET).await);
    assert_eq!(scene.refusals(), [RefusedReason::Used; 2]);
    let [record] = &*scene.world.store.inner.records() else {
        panic!("there is one record");
    };
    let data = b"new@example.com";
    let is_there = record.payload.windows(data.len()).any(|part| part == data);
    assert!(!is_there, "the data of a used token is kept");
}

#[tokio::test]
async fn token_expires_to_the_millisecond() {
    let scene = scene();
    let token = scene.issue(RESET).await;
    scene.world.clock.advance(HOUR - MILLISECOND);
    assert!(scene.peeks(&token, RESET).await);
    scene.world.clock.advance(MILLISECOND);
    assert!(!scene.peeks(&token, RESET).await);
    assert!(!scene.redeems(&token, RESET).await);
    assert_eq!(scene.refusals(), [RefusedReason::Expired; 2]);
    scene.world.clock.turn_back(MILLISECOND);
    assert!(scene.redeems(&token, RESET).await);
}

#[tokio::test]
async fn token_that_expires_while_it_is_redeemed_is_refused() {
    let scene = scene_of(patient_world());
    let token = scene.issue(RESET).await;
    scene.world.clock.advance(HOUR - MILLISECOND);
    let gate = scene.world.accounts.gate();
    let redeem = tokio::spawn(scene.tokens.redeem(&token, RESET));
    gate.reached().await;
    scene.world.clock.advance(MILLISECOND);
    gate.open();
    assert!(!is_some(redeem.await.unwrap()));
}

#[tokio::test]
async fn peek_changes_nothing() {
    let scene = scene();
    let token = scene.issue(RESET).await;
    let before = scene.world.store.inner.records();
    scene.world.store.take_calls();
    for _ in 0..3 {
        assert!(scene.peeks(&token, RESET).await);
    }
    assert_eq!(scene.world.store.take_calls(), [Call::LoadFresh; 3]);
    assert!(scene.world.store.inner.records() == before);
    assert!(scene.redeems(&token, RESET).await);
    let calls = [Call::LoadFresh, Call::LoadFresh, Call::Update];
    assert_eq!(scene.world.store.take_calls(), calls);
}

#[tokio::test]
async fn text_that_is_no_token_costs_no_store_call() {
    let scene = scene();
    let token = scene.issue(RESET).await;
    scene.world.store.take_calls();
    let padded = format!("{token}=");
    for text in ["", "a", "123456", &token[1..], &padded, &"é".repeat(32)] {
        assert!(!scene.redeems(text, RESET).await);
        assert!(!scene.peeks(text, RESET).await);
    }
    assert_eq!(scene.world.store.take_calls(), []);
    assert_eq!(scene.refusals(), [RefusedReason::Malformed; 12]);
}

#[tokio::test]
async fn token_with_another_secret_is_unknown() {
    let scene = scene();
    let token = scene.issue(RESET).await;
    let bob = scene.world.accounts.get(2).unwrap();
    let other = scene.tokens.issue(&bob, RESET).await.unwrap().unwrap();
    // 16 bytes of id are 21 characters and a third.
    let mixed = format!("{}{}", &token[..24], &other.text()[24..]);
    assert!(!scene.redeems(&mixed, RESET).await);
    let unknown = "A".repeat(64);
    assert!(!scene.redeems(&unknown, RESET).await);
    assert_eq!(scene.refusals(), [RefusedReason::Unknown; 2]);
    assert_eq!(scene.world.accounts.loads(), 0, "no user is loaded");
    assert!(scene.redeems(&token, RESET).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_64_parallel_calls_redeems_a_token() {
    let scene = scene();
    scene.world.store.be_remote();
    let token = scene.issue(RESET).await;
    let mut calls = JoinSet::new();
    for _ in 0..64 {
        calls.spawn(scene.tokens.redeem(&token, RESET));
    }
    let outcomes = calls.join_all().await;
    let redeemed = outcomes
        .into_iter()
        .filter(|outcome| outcome.as_ref().unwrap().is_some());
    assert_eq!(redeemed.count(), 1);
    assert_eq!(scene.world.events.count(EventKind::TokenRedeemed), 1);
}

#[tokio::test]
async fn client_that_hangs_up_has_used_the_token_or_not_begun() {
    let mut completed = 0;
    for polls in 0..100 {
        let scene = scene_of(patient_world());
        scene.world.store.be_remote();
        let token = scene.issue(RESET).await;
        let is_done = {
            let mut redeem = pin!(scene.tokens.redeem(&token, RESET));
            let mut is_done = false;
            for _ in 0..polls {
                is_done |= poll_fn(|cx| Poll::Ready(redeem.as_mut().poll(cx).is_ready())).await;
                if is_done {
                    break;
                }
                tokio::task::yield_now().await;
            }
            is_done
        };
        settle().await;
        assert_eq!(scene.peeks(&token, RESET).await, polls == 0, "{polls}");
        completed = polls;
        if is_done {
            break;
        }
    }
    assert!((4..100).contains(&completed), "{completed}");
}

#[tokio::test]
async fn withdrawal_during_a_redemption_is_one_of_the_two_orders() {
    let scene = scene_of(patient_world());
    let token = scene.issue(RESET).await;
    let gate = scene.world.store.gate(Call::Update, When::Before);
    let redeem = tokio::spawn(scene.tokens.redeem(&token, RESET));
    gate.reached().await;
    // The token that is about to be used is withdrawn, and another one takes its place.
    scene.tokens.withdraw_all(&scene.alice).await.unwrap();
    let next = scene.issue(RESET).await;
    gate.open();
    assert!(!is_some(redeem.await.unwrap()));
    assert!(scene.redeems(&next, RESET).await);
}

#[tokio::test]
async fn cache_in_front_of_the_store_serves_no_stale_token() {
    let store = FaultyStore::new();
    let cache = CachedStore::new(store.clone(), 24 * HOUR);
    let World {
        manager,
        accounts,
        clock,
        ..
    } = World::over(store.clone(), cache, routes, |m| m);
    let tokens = manager.tokens();
    // Another node, with a cache of its own.
    let cache = CachedStore::new(store, 24 * HOUR);
    let other = login_manager::LoginManager::new(cache, accounts.clone()).with_clock(&clock);
    let other = other.tokens();

    let alice = accounts.get(1).unwrap();
    let token = tokens.issue(&alice, RESET).await.unwrap().unwrap();
    for tokens in [&tokens, &other] {
        assert!(is_some(tokens.peek(token.text(), RESET).await));
    }
    assert!(is_some(other.redeem(token.text(), RESET).await));
    for tokens in [&tokens, &other] {
        assert!(!is_some(tokens.peek(token.text(), RESET).await));
        assert!(!is_some(tokens.redeem(token.text(), RESET).await));
    }
}

#[tokio::test]
async fn redemption_is_a_future_without_borrows() {
    fn is_static<F: Future + Send + 'static>(future: F) -> F {
        future
    }
    let Scene { tokens, alice, .. } = scene();
    let token = tokens.issue(&alice, RESET).await.unwrap().unwrap();
    let text = token.text().to_owned();
    let redeem = is_static(tokens.redeem(&text, RESET));
    drop((tokens, text));
    assert!(is_some(redeem.await));
}
