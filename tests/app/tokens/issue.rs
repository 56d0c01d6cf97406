//! Issuing tokens: what they look like, how many there are, and how often one is issued.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use login_manager::{
    AuthUser, ErrorKind, LoginManager, MemoryStore,
    event::EventKind,
    tokens::{Purpose, RefusedReason},
};

use super::{MILLISECOND, RESET, Unserializable, VERIFY, is_some, scene};
use crate::support::{
    faulty_store::Call::{Create, List, LoadFresh, Update},
    log::panic_message,
    world::{Account, Accounts, HOUR, MINUTE},
};

#[tokio::test]
async fn token_is_64_characters_and_stored_as_digest() {
    let scene = scene();
    let issued = scene.tokens.issue(&scene.alice, RESET).await.unwrap();
    let token = issued.unwrap();
    assert_eq!(token.text().len(), 64);
    let is_safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    assert!(token.text().chars().all(is_safe), "{}", token.text());
    assert_eq!(token.address(), Some("alice"));
    assert_eq!(token.expires(), scene.world.clock.now() + HOUR);
    assert_eq!(format!("{token:?}"), "Token { .. }");

    let bytes = Base64UrlUnpadded::decode_vec(token.text()).unwrap();
    let [record] = &*scene.world.store.inner.records() else {
        panic!("there is one record");
    };
    let secret = &bytes[16..];
    let is_there = record.payload.windows(32).any(|window| window == secret);
    assert!(!is_there, "the secret is in the store");
}

#[tokio::test]
async fn newer_token_replaces_the_older_one() {
    let scene = scene();
    let older = scene.issue(RESET).await;
    let other_purpose = scene.issue(VERIFY).await;
    scene.world.clock.advance(5 * MINUTE);
    let newer = scene.issue(RESET).await;
    assert_eq!(scene.world.store.inner.len(), 2);
    assert!(!scene.redeems(&older, RESET).await);
    assert_eq!(scene.refusals(), [RefusedReason::Unknown]);
    assert!(scene.redeems(&newer, RESET).await);
    assert!(scene.redeems(&other_purpose, VERIFY).await);
}

#[tokio::test]
async fn within_the_gap_nothing_is_issued() {
    let scene = scene();
    let older = scene.issue(RESET).await;
    scene.world.clock.advance(5 * MINUTE - MILLISECOND);
    assert!(!is_some(scene.tokens.issue(&scene.alice, RESET).await));
    assert!(scene.peeks(&older, RESET).await, "it is still valid");
    let other = scene.world.accounts.get(2).unwrap();
    assert!(is_some(scene.tokens.issue(&other, RESET).await));
    scene.world.clock.advance(MILLISECOND);
    scene.issue(RESET).await;
}

#[tokio::test]
async fn use_of_a_token_does_not_end_its_gap() {
    let scene = scene();
    let token = scene.issue(RESET).await;
    assert!(scene.redeems(&token, RESET).await);
    assert!(!is_some(scene.tokens.issue(&scene.alice, RESET).await));
    scene.world.clock.advance(5 * MINUTE);
    scene.issue(RESET).await;
}

#[tokio::test]
async fn gap_outlasts_a_token_with_a_shorter_lifetime() {
    let scene = scene();
    let short = Purpose::new("short", Duration::from_secs(1));
    let token = scene.issue(short).await;
    scene.world.clock.advance(Duration::from_secs(1));
    assert!(!scene.redeems(&token, short).await);
    assert!(!is_some(scene.tokens.issue(&scene.alice, short).await));
    scene.world.clock.advance(5 * MINUTE);
    scene.issue(short).await;
}

#[tokio::test]
async fn gap_is_a_setting_and_ends_with_a_change_of_address() {
    let scene = scene();
    let eager = RESET.gap(Duration::ZERO);
    scene.issue(eager).await;
    scene.issue(eager).await;

    let mut moved = scene.alice.clone();
    moved.name = "alice2".into();
    scene.world.accounts.put(moved.clone());
    assert!(is_some(scene.tokens.issue(&moved, RESET).await));
    assert!(!is_some(scene.tokens.issue(&moved, RESET).await));
}

#[tokio::test]
async fn clock_that_was_far_ahead_does_not_stop_the_issue_of_tokens() {
    let scene = scene();
    scene.world.clock.advance(24 * HOUR);
    let early = scene.issue(RESET).await;
    scene.world.clock.turn_back(24 * HOUR);
    assert!(!scene.redeems(&early, RESET).await);
    assert_eq!(scene.refusals(), [RefusedReason::NotYetValid]);
    let token = scene.issue(RESET).await;
    assert!(scene.redeems(&token, RESET).await);
}

#[tokio::test]
async fn withdrawn_token_is_invalid_and_its_gap_is_over() {
    let scene = scene();
    let first = scene.issue(RESET).await;
    let kept = scene.issue(VERIFY).await;
    scene.tokens.withdraw(&scene.alice, RESET).await.unwrap();
    assert!(!scene.redeems(&first, RESET).await);
    let second = scene.issue(RESET).await;
    assert!(scene.peeks(&kept, VERIFY).await);

    let bob = scene.world.accounts.get(2).unwrap();
    let of_bob = scene.tokens.issue(&bob, RESET).await.unwrap().unwrap();
    scene.tokens.withdraw_all(&scene.alice).await.unwrap();
    scene.tokens.withdraw_all(&scene.alice).await.unwrap();
    assert!(!scene.peeks(&second, RESET).await);
    assert!(!scene.peeks(&kept, VERIFY).await);
    assert!(scene.peeks(of_bob.text(), RESET).await);
    assert_eq!(scene.world.store.inner.len(), 1);
}

#[tokio::test]
async fn token_carries_up_to_4_kib() {
    let scene = scene();
    // Two bytes are the quotes.
    for (length, is_accepted) in [(4094, true), (4095, false)] {
        let data = "a".repeat(length);
        let issued = scene.tokens.issue(&scene.alice, RESET).carry(&data).await;
        if is_accepted {
            let token = issued.unwrap().unwrap();
            let redeemed = scene.tokens.redeem(token.text(), RESET).await.unwrap();
            assert_eq!(redeemed.unwrap().data::<String>().unwrap(), data);
        } else {
            assert_eq!(issued.unwrap_err().kind(), ErrorKind::TooLarge);
        }
        scene.tokens.withdraw_all(&scene.alice).await.unwrap();
    }
    let address = "a".repeat(255);
    let issued = scene
        .tokens
        .issue(&scene.alice, RESET)
        .for_address(&address);
    assert_eq!(issued.await.unwrap_err().kind(), ErrorKind::TooLarge);
    assert!(scene.world.store.inner.is_empty());
}

#[tokio::test]
async fn data_that_can_not_be_read_or_written_is_an_error() {
    let scene = scene();
    let issued = scene
        .tokens
        .issue(&scene.alice, RESET)
        .carry(&Unserializable)
        .await;
    assert_eq!(issued.unwrap_err().kind(), ErrorKind::Data);
    let token = scene.issue(RESET).await;
    let redeemed = scene.tokens.redeem(&token, RESET).await.unwrap().unwrap();
    assert_eq!(redeemed.data::<u8>().unwrap_err().kind(), ErrorKind::Data);
}

#[tokio::test]
async fn token_belongs_to_one_purpose_and_one_realm() {
    let scene = scene();
    let token = scene.issue(RESET).await;
    assert!(!scene.redeems(&token, VERIFY).await);
    let own = Purpose::new("close_account", HOUR);
    assert!(!scene.redeems(&token, own).await);
    assert!(!scene.redeems(&token, Purpose::undo()).await);
    use RefusedReason::{OtherPurpose, Unknown};
    assert_eq!(scene.refusals(), [OtherPurpose, OtherPurpose, Unknown]);

    let store = scene.world.store.clone();
    let accounts = scene.world.accounts.clone();
    let other = LoginManager::new(store, accounts).with_realm("admin");
    let other = other.with_clock(&scene.world.clock).tokens();
    assert!(!is_some(other.redeem(&token, RESET).await));
    assert!(is_some(other.issue(&scene.alice, RESET).await));
    assert!(scene.redeems(&token, RESET).await);
}

#[tokio::test]
async fn events_name_the_user_and_the_purpose() {
    let scene = scene();
    let token = scene.issue(RESET).await;
    assert!(scene.redeems(&token, RESET).await);
    assert!(!scene.redeems(&token, RESET).await);
    for kind in [
        EventKind::TokenIssued,
        EventKind::TokenRedeemed,
        EventKind::TokenRefused(RefusedReason::Used),
    ] {
        assert_eq!(scene.world.events.count(kind), 1, "{kind}");
    }
    let issued = scene.world.events.take_of(EventKind::TokenIssued);
    assert_eq!(issued[0].user_id(), Some("1"));
    assert_eq!(issued[0].purpose(), Some("reset"));
    assert_eq!(issued[0].session_id(), None);
}

#[tokio::test]
async fn expired_tokens_are_deleted_with_expired_sessions() {
    let scene = scene();
    scene.issue(RESET).await;
    scene.issue(VERIFY).await;
    scene.world.clock.advance(HOUR);
    assert_eq!(scene.world.manager.cleanup().await.unwrap(), 1);
    assert_eq!(scene.world.store.inner.len(), 1);
}

struct Odd;

impl AuthUser for Odd {
    type Id = OddId;

    fn id(&self) -> OddId {
        OddId
    }
}

#[derive(Clone, PartialEq)]
struct OddId;

impl std::fmt::Display for OddId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("odd")
    }
}

impl std::str::FromStr for OddId {
    type Err = ();

    fn from_str(_: &str) -> Result<Self, ()> {
        Err(())
    }
}

#[tokio::test]
async fn user_whose_id_does_not_parse_back_gets_no_token() {
    let manager = LoginManager::new(MemoryStore::new(), async |_: OddId| None::<Odd>);
    let issued = manager.tokens().issue(&Odd, RESET).await;
    assert_eq!(issued.unwrap_err().kind(), ErrorKind::UnstableId);
}

#[tokio::test]
async fn invalid_settings_panic_where_they_are_used() {
    let tokens = LoginManager::new(MemoryStore::new(), Accounts::new()).tokens();
    let alice = crate::support::world::account(1, "alice");
    let too_long = RESET.lifetime(25 * HOUR);
    let message =
        "Purpose::lifetime: \"90000s\" is not accepted; such a token is valid for at most 24 hours";
    assert_eq!(panic_message(|| tokens.issue(&alice, too_long)), message);
    assert_eq!(panic_message(|| tokens.redeem("", too_long)), message);
    assert_eq!(panic_message(|| tokens.peek("", too_long)), message);
    assert_eq!(panic_message(|| tokens.withdraw(&alice, too_long)), message);
    let send = || {
        tokens.send(None::<Account>, too_long, async |_, _| {
            Ok::<_, std::io::Error>(())
        });
    };
    assert_eq!(panic_message(send), message);
    let code = panic_message(|| tokens.redeem("", Purpose::code()));
    assert!(
        code.contains("codes are redeemed by `redeem_code`"),
        "{code}"
    );
    let link = panic_message(|| tokens.redeem_code(&alice, RESET, "123456"));
    assert!(link.contains("`redeem_code` is only for codes"), "{link}");
}

/// As the manual says in "What else is in the store".
#[tokio::test]
async fn tokens_cost_the_documented_store_calls() {
    let scene = scene();
    let calls = || scene.world.store.take_calls();
    scene.issue(RESET).await;
    assert_eq!(calls(), [LoadFresh, Create]);
    scene.world.clock.advance(5 * MINUTE);
    let token = scene.issue(RESET).await;
    assert_eq!(calls(), [LoadFresh, Update]);
    assert!(scene.peeks(&token, RESET).await);
    assert_eq!(calls(), [LoadFresh]);
    assert!(scene.redeems(&token, RESET).await);
    assert_eq!(calls(), [LoadFresh, LoadFresh, Update]);

    let undo = scene.issue(Purpose::undo()).await;
    calls();
    assert!(scene.peeks(&undo, Purpose::undo()).await);
    assert_eq!(calls(), [LoadFresh, List]);
}
