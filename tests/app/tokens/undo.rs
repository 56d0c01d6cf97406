//! The way back from a change of address that the owner didn't want.

use login_manager::tokens::{Purpose, RefusedReason};

use super::{RESET, Scene, is_some, patient_world, scene, scene_of};
use crate::support::{
    faulty_store::{Call, Fault, When},
    world::{DAY, MINUTE},
};

const UNDO: Purpose = Purpose::undo();

/// Changes alice's address and issues the token that leads back.
async fn move_to(scene: &Scene, address: &str) -> String {
    scene.world.clock.advance(MINUTE);
    let alice = scene.world.accounts.get(1).unwrap();
    scene
        .world
        .accounts
        .change(1, |alice| alice.name = address.into());
    let issued = scene.tokens.issue(&alice, UNDO).await.unwrap();
    issued.unwrap().text().to_owned()
}

/// Redeems an undo, and leads back to its address.
async fn undo(scene: &Scene, token: &str) -> Option<String> {
    scene.world.clock.advance(MINUTE);
    let redeemed = scene.tokens.redeem(token, UNDO).await.unwrap()?;
    let address = redeemed.address().unwrap().to_owned();
    scene
        .world
        .accounts
        .change(1, |alice| alice.name = address.clone());
    Some(address)
}

#[tokio::test]
async fn undo_survives_what_an_intruder_does() {
    let scene = scene();
    let back = move_to(&scene, "thief").await;
    scene
        .world
        .accounts
        .change(1, |alice| alice.stamp = "of the thief".into());
    scene.tokens.withdraw_all(&scene.alice).await.unwrap();
    let thiefs_back = move_to(&scene, "thief2").await;
    scene.world.clock.advance(6 * DAY);
    assert_eq!(undo(&scene, &back).await.as_deref(), Some("alice"));
    // The thief's change was undone with the first one.
    assert_eq!(undo(&scene, &thiefs_back).await, None);
    scene.world.clock.advance(DAY - 10 * MINUTE);
    assert_eq!(undo(&scene, &thiefs_back).await, None);
    assert_eq!(scene.refusals(), [RefusedReason::Undone; 2]);
}

#[tokio::test]
async fn use_of_a_later_undo_keeps_the_earlier_one() {
    let scene = scene();
    let back = move_to(&scene, "thief").await;
    let thiefs_back = move_to(&scene, "thief2").await;
    assert_eq!(undo(&scene, &thiefs_back).await.as_deref(), Some("thief"));
    assert_eq!(undo(&scene, &back).await.as_deref(), Some("alice"));
}

#[tokio::test]
async fn change_after_an_undo_can_be_undone() {
    let scene = scene();
    let back = move_to(&scene, "thief").await;
    let thiefs_back = move_to(&scene, "thief2").await;
    assert_eq!(undo(&scene, &back).await.as_deref(), Some("alice"));
    scene.world.clock.advance(5 * MINUTE);
    let again = move_to(&scene, "alice@new").await;
    let further = move_to(&scene, "alice@newer").await;
    assert_eq!(undo(&scene, &further).await.as_deref(), Some("alice@new"));
    assert_eq!(undo(&scene, &again).await.as_deref(), Some("alice"));
    // Replacing the used token has not forgotten what it undid.
    assert_eq!(undo(&scene, &thiefs_back).await, None);
}

#[tokio::test]
async fn undo_is_withdrawn_by_its_name() {
    let scene = scene();
    let back = move_to(&scene, "alice@new").await;
    let reset = scene.world.accounts.get(1).unwrap();
    let reset = scene.tokens.issue(&reset, RESET).await.unwrap().unwrap();
    scene.tokens.withdraw(&scene.alice, UNDO).await.unwrap();
    assert_eq!(undo(&scene, &back).await, None);
    assert!(scene.peeks(reset.text(), RESET).await);
}

#[tokio::test]
async fn inactive_user_undoes_nothing() {
    let scene = scene();
    let back = move_to(&scene, "alice@new").await;
    scene.world.accounts.change(1, |alice| alice.active = false);
    assert_eq!(undo(&scene, &back).await, None);
}

/// What an undo has undone is known for as long as a token of the thief is valid.
#[tokio::test]
async fn late_undo_covers_tokens_that_outlive_its_own() {
    let scene = scene();
    let back = move_to(&scene, "thief").await;
    scene.world.clock.advance(6 * DAY);
    let thiefs_back = move_to(&scene, "thief2").await;
    assert_eq!(undo(&scene, &back).await.as_deref(), Some("alice"));
    scene.world.clock.advance(6 * DAY);
    assert_eq!(undo(&scene, &thiefs_back).await, None);
    assert_eq!(scene.refusals(), [RefusedReason::Undone]);
}

/// The thief's request has found its token, when the owner redeems the one before it.
#[tokio::test]
async fn undo_that_an_older_one_overtakes_is_refused() {
    let scene = scene_of(patient_world());
    let back = move_to(&scene, "thief").await;
    let thiefs_back = move_to(&scene, "thief2").await;
    let gate = scene.world.store.gate(Call::Update, When::Before);
    let thief = {
        let tokens = scene.tokens.clone();
        tokio::spawn(async move { is_some(tokens.redeem(&thiefs_back, UNDO).await) })
    };
    gate.reached().await;
    assert_eq!(undo(&scene, &back).await.as_deref(), Some("alice"));
    scene.refusals();
    gate.open();
    assert!(!thief.await.unwrap());
    assert_eq!(scene.refusals(), [RefusedReason::Undone]);
}

/// The last look at the older ones comes after the token was used up.
#[tokio::test]
async fn undo_is_not_lost_if_the_store_fails_afterwards() {
    use Call::{List, LoadFresh, Update};
    let scene = scene();
    let back = move_to(&scene, "thief").await;
    scene.world.store.take_calls();
    scene.world.store.fail_after(4, Fault::Fails);
    assert_eq!(undo(&scene, &back).await.as_deref(), Some("alice"));
    assert!(!scene.world.store.is_still_to_fail());
    let calls = [LoadFresh, List, LoadFresh, Update, List];
    assert_eq!(scene.world.store.take_calls(), calls);
}
