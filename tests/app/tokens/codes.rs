//! Short codes: counted tries, the asking browser, and nothing to guess by.

use std::collections::HashSet;

use login_manager::{
    event::EventKind,
    tokens::{Purpose, RefusedReason},
};
use tokio::task::JoinSet;

use super::{MILLISECOND, RESET, Scene, is_some, scene};
use crate::support::{
    faulty_store::Call,
    world::{Account, MINUTE},
};

const CODE: Purpose = Purpose::code();

async fn try_code(scene: &Scene, code: &str) -> bool {
    is_some(scene.tokens.redeem_code(&scene.alice, CODE, code).await)
}

/// Another code than this one.
fn wrong(code: &str) -> String {
    let digit = if code.starts_with('0') { "1" } else { "0" };
    format!("{digit}{}", &code[1..])
}

#[tokio::test]
async fn code_is_six_random_digits_and_redeemed_once() {
    let scene = scene();
    let mut codes = HashSet::new();
    for _ in 0..20 {
        let code = scene.issue(CODE).await;
        assert_eq!(code.len(), 6);
        assert!(code.bytes().all(|b| b.is_ascii_digit()), "{code}");
        codes.insert(code);
        scene.tokens.withdraw(&scene.alice, CODE).await.unwrap();
    }
    assert!(codes.len() > 15, "{codes:?}");

    let issue = scene.tokens.issue(&scene.alice, CODE).carry("/next");
    let code = issue.await.unwrap().unwrap();
    let typed = format!("{} {}", &code.text()[..3], &code.text()[3..]);
    let redeemed = scene.tokens.redeem_code(&scene.alice, CODE, &typed).await;
    let redeemed = redeemed.unwrap().unwrap();
    assert_eq!(redeemed.user().id, 1);
    assert_eq!(redeemed.data::<String>().unwrap(), "/next");
    assert!(!try_code(&scene, code.text()).await);
    assert_eq!(scene.refusals(), [RefusedReason::Used]);
}

#[tokio::test]
async fn code_has_as_many_digits_as_its_purpose_says() {
    let scene = scene();
    let long = Purpose::new_code("payment").digits(12).tries(1);
    let code = scene.issue(long).await;
    assert_eq!(code.len(), 12);
    let redeem = |code: &str| {
        scene
            .tokens
            .redeem_code(&scene.alice, long, code)
            .into_future()
    };
    assert!(!is_some(redeem(&wrong(&code)).await));
    assert!(!is_some(redeem(&code).await));
    use RefusedReason::{NoTriesLeft, WrongCode};
    assert_eq!(scene.refusals(), [WrongCode, NoTriesLeft]);
}

#[tokio::test]
async fn fifth_try_is_the_last_one() {
    for wrong_tries in [4, 5] {
        let scene = scene();
        let code = scene.issue(CODE).await;
        for _ in 0..wrong_tries {
            assert!(!try_code(&scene, &wrong(&code)).await);
        }
        assert_eq!(try_code(&scene, &code).await, wrong_tries == 4);
    }
}

#[tokio::test]
async fn text_that_is_no_code_is_not_counted() {
    let scene = scene();
    let code = scene.issue(CODE).await;
    scene.world.store.take_calls();
    for text in ["", "12345", "1234567890123", "12345a", "１２３４５６"] {
        assert!(!try_code(&scene, text).await);
    }
    assert_eq!(scene.world.store.take_calls(), []);
    for _ in 0..4 {
        assert!(!try_code(&scene, &wrong(&code)).await);
    }
    assert!(try_code(&scene, &code).await);
}

#[tokio::test]
async fn code_expires_to_the_millisecond() {
    let scene = scene();
    let code = scene.issue(CODE).await;
    scene.world.clock.advance(10 * MINUTE);
    assert!(!try_code(&scene, &code).await);
    assert_eq!(
        scene.refusals(),
        [RefusedReason::Unknown],
        "the entry is over, too"
    );
    scene.world.clock.turn_back(MILLISECOND);
    assert!(try_code(&scene, &code).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_parallel_guesses_five_are_compared() {
    let scene = scene();
    scene.world.store.be_remote();
    let code = scene.issue(CODE).await;
    let mut guesses = JoinSet::new();
    for _ in 0..64 {
        let (tokens, alice) = (scene.tokens.clone(), scene.alice.clone());
        let guess = wrong(&code);
        guesses.spawn(async move { is_some(tokens.redeem_code(&alice, CODE, &guess).await) });
    }
    assert_eq!(guesses.join_all().await, [false; 64]);
    let count = |why| scene.world.events.count(EventKind::TokenRefused(why));
    assert_eq!(count(RefusedReason::WrongCode), 5);
    assert_eq!(count(RefusedReason::NoTriesLeft), 59);
    assert!(!try_code(&scene, &code).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn right_code_sent_in_parallel_is_redeemed_once() {
    let scene = scene();
    scene.world.store.be_remote();
    let code = scene.issue(CODE).await;
    let mut tries = JoinSet::new();
    for _ in 0..5 {
        let (tokens, alice, code) = (scene.tokens.clone(), scene.alice.clone(), code.clone());
        tries.spawn(async move { is_some(tokens.redeem_code(&alice, CODE, &code).await) });
    }
    let redeemed = tries.join_all().await;
    assert_eq!(redeemed.iter().filter(|redeemed| **redeemed).count(), 1);
}

#[tokio::test]
async fn only_the_browser_that_asked_can_redeem_or_use_up_a_code() {
    let scene = scene();
    let issue = scene.tokens.issue(&scene.alice, CODE).bound_to("mine");
    let code = issue.await.unwrap().unwrap();
    let redeem = || scene.tokens.redeem_code(&scene.alice, CODE, code.text());
    for _ in 0..10 {
        assert!(!is_some(redeem().bound_to("yours").await));
        assert!(!is_some(redeem().await));
    }
    assert_eq!(scene.refusals(), [RefusedReason::OtherBrowser; 20]);
    assert!(is_some(redeem().bound_to("mine").await));
}

#[tokio::test]
async fn code_belongs_to_one_user_and_one_purpose() {
    let scene = scene();
    let code = scene.issue(CODE).await;
    let bob = scene.world.accounts.get(2).unwrap();
    assert!(!is_some(scene.tokens.redeem_code(&bob, CODE, &code).await));
    assert!(!is_some(
        scene
            .tokens
            .redeem_code(None::<&Account>, CODE, &code)
            .await
    ));
    let other = Purpose::new_code("payment");
    assert!(!is_some(
        scene.tokens.redeem_code(&scene.alice, other, &code).await
    ));
    assert_eq!(scene.refusals(), [RefusedReason::Unknown; 3]);
    assert!(!scene.redeems(&code, RESET).await);
    assert!(try_code(&scene, &code).await);
}

/// Otherwise the time of the answer would tell which users exist.
#[tokio::test]
async fn code_of_no_user_costs_what_one_that_never_was_does() {
    let scene = scene();
    for (code, calls) in [("123456", &[Call::LoadFresh][..]), ("12345", &[])] {
        for user in [Some(&scene.alice), None] {
            scene.world.store.take_calls();
            assert!(!is_some(scene.tokens.redeem_code(user, CODE, code).await));
            assert_eq!(scene.world.store.take_calls(), calls, "{code}");
        }
        let refusals = scene.refusals();
        assert_eq!(refusals[0], refusals[1]);
    }
}

#[tokio::test]
async fn change_of_stamp_or_address_makes_a_code_invalid() {
    for by_stamp in [true, false] {
        let scene = scene();
        let code = scene.issue(CODE).await;
        scene.world.accounts.change(1, |alice| match by_stamp {
            true => alice.stamp = "new".into(),
            false => alice.name = "new".into(),
        });
        assert!(!try_code(&scene, &code).await);
        let reason = match by_stamp {
            true => RefusedReason::StampChanged,
            false => RefusedReason::AddressChanged,
        };
        assert_eq!(scene.refusals(), [reason]);
    }
}
