//! A store that fails at each call, before and after the call took effect.

use login_manager::{ErrorKind, tokens::Purpose};

use super::{RESET, is_some, scene};
use crate::support::{
    faulty_store::{Call, Fault},
    world::MINUTE,
};

const FAULTS: [Fault; 4] = [
    Fault::Fails,
    Fault::DoesAndFails,
    Fault::Hangs,
    Fault::DoesLater,
];
const CODE: Purpose = Purpose::code();

#[tokio::test(start_paused = true)]
async fn failed_issue_returns_no_token_and_keeps_the_older_one() {
    for fault in FAULTS {
        for with_older in [false, true] {
            let mut calls = 0;
            loop {
                let scene = scene();
                let older = match with_older {
                    true => Some(scene.issue(RESET).await),
                    false => None,
                };
                scene.world.clock.advance(5 * MINUTE);
                scene.world.store.fail_after(calls, fault);
                let issued = scene.tokens.issue(&scene.alice, RESET).await;
                if scene.world.store.is_still_to_fail() {
                    assert_eq!(calls, 2);
                    break;
                }
                tokio::time::sleep(10 * MINUTE).await;
                let case = format!("{fault:?} {calls} {with_older}");
                match (issued, older) {
                    (Ok(token), _) => {
                        let token = token.unwrap();
                        assert!(scene.redeems(token.text(), RESET).await, "{case}");
                    }
                    (Err(error), older) => {
                        assert_eq!(error.kind(), ErrorKind::Store);
                        if let Some(older) = older {
                            assert!(scene.redeems(&older, RESET).await, "{case}");
                        }
                    }
                }
                calls += 1;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_fault_loses_no_token_and_redeems_none_twice() {
    for fault in FAULTS {
        let mut calls = 0;
        loop {
            let scene = scene();
            let token = scene.issue(RESET).await;
            scene.world.store.fail_after(calls, fault);
            let first = scene.tokens.redeem(&token, RESET).await;
            if scene.world.store.is_still_to_fail() {
                assert_eq!(calls, 3);
                break;
            }
            tokio::time::sleep(MINUTE).await;
            // Accepted now, or still valid.
            let is_redeemed = first.is_ok_and(|redeemed| redeemed.is_some());
            let again = scene.redeems(&token, RESET).await;
            assert_ne!(is_redeemed, again, "{fault:?} {calls}");
            assert!(!scene.redeems(&token, RESET).await);
            calls += 1;
        }
    }
}

#[tokio::test]
async fn token_is_used_up_if_the_store_never_said_so() {
    let scene = scene();
    let token = scene.issue(RESET).await;
    scene
        .world
        .store
        .fail_once(Call::Update, Fault::DoesAndFails);
    // The read that would show the mark.
    scene.world.store.fail_after(3, Fault::Fails);
    let redeemed = scene.tokens.redeem(&token, RESET).await;
    assert_eq!(redeemed.unwrap_err().kind(), ErrorKind::Store);
    assert!(!scene.world.store.is_still_to_fail());
    assert!(!scene.redeems(&token, RESET).await);
}

#[tokio::test]
async fn no_call_succeeds_during_an_outage() {
    let scene = scene();
    let token = scene.issue(RESET).await;
    let code = scene.issue(CODE).await;
    scene.world.store.fail_all(Fault::Fails);
    let tokens = &scene.tokens;
    let errors = [
        tokens.issue(&scene.alice, RESET).await.unwrap_err(),
        tokens.peek(&token, RESET).await.unwrap_err(),
        tokens.redeem(&token, RESET).await.unwrap_err(),
        tokens
            .redeem_code(&scene.alice, CODE, &code)
            .await
            .unwrap_err(),
        tokens.withdraw(&scene.alice, RESET).await.unwrap_err(),
        tokens.withdraw_all(&scene.alice).await.unwrap_err(),
        tokens.invite("carol", RESET).await.unwrap_err(),
        tokens.peek_invitation(&token, RESET).await.unwrap_err(),
        tokens.accept(&token, RESET).await.unwrap_err(),
    ];
    assert_eq!(errors.map(|error| error.kind()), [ErrorKind::Store; 9]);
    scene.world.store.heal();
    assert!(scene.redeems(&token, RESET).await);
    assert!(is_some(
        scene.tokens.redeem_code(&scene.alice, CODE, &code).await
    ));
}

#[tokio::test]
async fn failed_withdrawal_is_an_error_and_can_be_repeated() {
    for fault in [Fault::Fails, Fault::DoesAndFails] {
        let scene = scene();
        let token = scene.issue(RESET).await;
        scene.world.store.fail_once(Call::Delete, fault);
        assert!(scene.tokens.withdraw(&scene.alice, RESET).await.is_err());
        scene.world.store.fail_once(Call::DeleteAll, fault);
        assert!(scene.tokens.withdraw_all(&scene.alice).await.is_err());
        scene.tokens.withdraw_all(&scene.alice).await.unwrap();
        assert!(!scene.redeems(&token, RESET).await);
    }
}

#[tokio::test(start_paused = true)]
async fn try_that_the_store_did_not_count_is_not_compared() {
    for fault in FAULTS {
        let mut calls = 0;
        loop {
            let scene = scene();
            let code = scene.issue(CODE).await;
            scene.world.store.fail_after(calls, fault);
            let first = scene.tokens.redeem_code(&scene.alice, CODE, &code).await;
            if scene.world.store.is_still_to_fail() {
                assert_eq!(calls, 4);
                break;
            }
            tokio::time::sleep(MINUTE).await;
            let is_redeemed = first.is_ok_and(|redeemed| redeemed.is_some());
            let again = scene.tokens.redeem_code(&scene.alice, CODE, &code).await;
            assert_ne!(is_redeemed, is_some(again), "{fault:?} {calls}");
            calls += 1;
        }
    }
}
