//! Tokens of users who have changed since.

use login_manager::{
    AuthUser, ErrorKind, LoginManager,
    event::EventKind,
    tokens::{Purpose, RefusedReason},
};

use super::{MILLISECOND, RESET, VERIFY, is_some, scene};
use crate::support::world::{Account, HOUR, Trouble};

#[tokio::test]
async fn change_of_stamp_makes_tokens_invalid() {
    let scene = scene();
    let token = scene.issue(RESET).await;
    let stamp = scene.alice.stamp.clone();
    scene
        .world
        .accounts
        .change(1, |alice| alice.stamp = "new".into());
    assert!(!scene.peeks(&token, RESET).await);
    assert!(!scene.redeems(&token, RESET).await);
    scene.world.accounts.change(1, |alice| alice.stamp.clear());
    assert!(!scene.redeems(&token, RESET).await);
    assert_eq!(scene.refusals(), [RefusedReason::StampChanged; 3]);
    scene.world.accounts.change(1, |alice| alice.stamp = stamp);
    assert!(scene.redeems(&token, RESET).await, "no refusal uses it up");
}

#[tokio::test]
async fn change_of_address_makes_tokens_invalid() {
    let scene = scene();
    let token = scene.issue(VERIFY).await;
    scene
        .world
        .accounts
        .change(1, |alice| alice.name = "Alice".into());
    assert!(!scene.peeks(&token, VERIFY).await);
    assert!(!scene.redeems(&token, VERIFY).await);
    scene.world.accounts.change(1, |alice| alice.name.clear());
    assert!(!scene.redeems(&token, VERIFY).await);
    assert_eq!(scene.refusals(), [RefusedReason::AddressChanged; 3]);
    // Without the current address there is nothing to compare.
    let tokens = scene.world.manager.tokens();
    let redeemed = tokens.redeem(&token, VERIFY).await.unwrap().unwrap();
    assert_eq!(redeemed.address(), Some("alice"));
}

#[tokio::test]
async fn user_without_an_address_gets_a_token_without_one() {
    let scene = scene();
    scene.world.accounts.change(1, |alice| alice.name.clear());
    let alice = scene.world.accounts.get(1).unwrap();
    let token = scene.tokens.issue(&alice, RESET).await.unwrap().unwrap();
    assert_eq!(token.address(), None);
    let redeemed = scene.tokens.redeem(token.text(), RESET).await.unwrap();
    assert_eq!(redeemed.unwrap().address(), None);
}

#[tokio::test]
async fn tokens_of_inactive_and_missing_users_are_refused() {
    let scene = scene();
    let token = scene.issue(RESET).await;
    scene.world.accounts.change(1, |alice| alice.active = false);
    assert!(!scene.redeems(&token, RESET).await);
    scene.world.accounts.remove(1);
    assert!(!scene.peeks(&token, RESET).await);
    let reasons = [RefusedReason::Inactive, RefusedReason::UserGone];
    assert_eq!(scene.refusals(), reasons);
}

#[tokio::test]
async fn loader_in_trouble_is_an_error_and_keeps_the_token() {
    let scene = scene();
    let token = scene.issue(RESET).await;
    for (trouble, kind, event) in [
        (Trouble::Fails, ErrorKind::Loader, EventKind::LoaderFailed),
        (
            Trouble::FindsBob,
            ErrorKind::WrongUser,
            EventKind::WrongUser,
        ),
    ] {
        scene.world.accounts.trouble(trouble);
        let redeemed = scene.tokens.redeem(&token, RESET).await;
        assert_eq!(redeemed.unwrap_err().kind(), kind);
        let peeked = scene.tokens.peek(&token, RESET).await;
        assert_eq!(peeked.unwrap_err().kind(), kind);
        assert_eq!(scene.world.events.count(event), 2);
    }
    scene.world.accounts.trouble(None);
    assert!(scene.redeems(&token, RESET).await);
}

/// It shares the realm with `Account`, by mistake.
struct Visitor;

impl AuthUser for Visitor {
    type Id = i64;

    fn id(&self) -> i64 {
        1
    }
}

#[tokio::test]
async fn token_of_another_user_type_in_the_realm_is_refused() {
    let scene = scene();
    let token = scene.issue(RESET).await;
    let store = scene.world.store.clone();
    let visitors = LoginManager::new(store, async |_: i64| Some(Visitor));
    let visitors = visitors.with_realm(realm_of(&scene.world.manager));
    let visitors = scene
        .world
        .events
        .watch(visitors)
        .with_clock(&scene.world.clock);
    assert!(!is_some(visitors.tokens().redeem(&token, RESET).await));
    assert_eq!(scene.refusals(), [RefusedReason::OtherUserType]);
}

fn realm_of(_: &LoginManager<Account>) -> &'static str {
    std::any::type_name::<Account>()
}

#[tokio::test]
async fn logout_of_a_user_leaves_tokens_alone() {
    let scene = scene();
    let token = scene.issue(RESET).await;
    scene.world.manager.logout_user(&1).await.unwrap();
    assert!(scene.redeems(&token, RESET).await);
}

#[tokio::test]
async fn own_lifetime_is_kept_from_the_issue_on() {
    let scene = scene();
    let long = Purpose::new("long", 48 * HOUR);
    let token = scene.issue(long).await;
    scene.world.clock.advance(48 * HOUR - MILLISECOND);
    // What counts is the lifetime with which it was issued.
    let short = Purpose::new("long", HOUR);
    assert!(scene.redeems(&token, short).await);
}
