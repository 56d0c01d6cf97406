//! Tokens for addresses without a user.

use login_manager::{
    ErrorKind,
    event::EventKind,
    tokens::{Purpose, RefusedReason},
};

use super::{RESET, Scene, is_some, scene};
use crate::support::world::{DAY, MINUTE};

const INVITATION: Purpose = Purpose::invitation();
const CAROL: &str = "carol@example.com";

async fn invite(scene: &Scene) -> String {
    let issue = scene.tokens.invite(CAROL, INVITATION).carry(&7);
    issue.await.unwrap().unwrap().text().to_owned()
}

#[tokio::test]
async fn invitation_returns_address_and_data_once() {
    let scene = scene();
    let token = invite(&scene).await;
    for _ in 0..2 {
        let peeked = scene.tokens.peek_invitation(&token, INVITATION).await;
        let peeked = peeked.unwrap().unwrap();
        assert_eq!(
            (peeked.address(), peeked.data::<i64>().unwrap()),
            (CAROL, 7)
        );
    }
    let accepted = scene
        .tokens
        .accept(&token, INVITATION)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (accepted.address(), accepted.data::<i64>().unwrap()),
        (CAROL, 7)
    );
    assert_eq!(format!("{accepted:?}"), "Invitation { .. }");
    assert!(!is_some(scene.tokens.accept(&token, INVITATION).await));
    assert!(!is_some(
        scene.tokens.peek_invitation(&token, INVITATION).await
    ));
    assert_eq!(scene.world.accounts.loads(), 0);
    let redeemed = scene.world.events.take_of(EventKind::TokenRedeemed);
    assert_eq!(redeemed[0].user_id(), None);
    assert_eq!(redeemed[0].purpose(), Some("invitation"));
}

#[tokio::test]
async fn invitation_has_a_gap_expires_and_is_withdrawn() {
    let scene = scene();
    let first = invite(&scene).await;
    assert!(!is_some(scene.tokens.invite(CAROL, INVITATION).await));
    scene.world.clock.advance(5 * MINUTE);
    let second = invite(&scene).await;
    assert!(!is_some(scene.tokens.accept(&first, INVITATION).await));
    scene.world.clock.advance(7 * DAY);
    assert!(!is_some(scene.tokens.accept(&second, INVITATION).await));
    assert_eq!(
        scene.refusals(),
        [RefusedReason::Unknown, RefusedReason::Expired]
    );
    let third = invite(&scene).await;
    scene
        .tokens
        .withdraw_invitation(CAROL, INVITATION)
        .await
        .unwrap();
    assert!(!is_some(scene.tokens.accept(&third, INVITATION).await));
    invite(&scene).await;
}

#[tokio::test]
async fn invitation_is_no_token_of_a_user_and_the_reverse() {
    let scene = scene();
    // An address that is spelled like the id of a user.
    let issue = scene.tokens.invite("1", RESET).await.unwrap().unwrap();
    assert!(!scene.redeems(issue.text(), RESET).await);
    let token = scene.issue(RESET).await;
    assert!(!is_some(scene.tokens.accept(&token, RESET).await));
    assert_eq!(scene.refusals(), [RefusedReason::Unknown; 2]);
    scene.tokens.withdraw_all(&scene.alice).await.unwrap();
    assert!(is_some(scene.tokens.accept(issue.text(), RESET).await));
}

#[tokio::test]
async fn address_of_an_invitation_has_a_limit() {
    let scene = scene();
    let address = "a".repeat(255);
    let issued = scene.tokens.invite(&address, INVITATION).await;
    assert_eq!(issued.unwrap_err().kind(), ErrorKind::TooLarge);
}
