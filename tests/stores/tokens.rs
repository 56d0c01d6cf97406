//! One-time tokens on every store: issued, replaced, redeemed once, counted and withdrawn.

use std::{sync::Arc, time::Duration};

use login_manager::{
    LoginManager, SessionStore,
    testing::TestClock,
    tokens::{Purpose, Tokens},
};
use tokio::task::JoinSet;

use crate::user::Account;

const RESET: Purpose = Purpose::reset();
const CODE: Purpose = Purpose::code();
const UNDO: Purpose = Purpose::undo();
const INVITATION: Purpose = Purpose::invitation();

pub(crate) async fn work(store: Arc<dyn SessionStore>) {
    let clock = TestClock::new();
    let manager = LoginManager::new(store, async |id: String| Some(Account(id)));
    let tokens = manager
        .with_realm("tokens-test")
        .with_clock(&clock)
        .tokens();
    let user = Account::new();

    links(&tokens, &clock, &user).await;
    expiry(&tokens, &clock, &user).await;
    codes(&tokens, &user).await;
    undo_and_invitation(&tokens, &user).await;
    tokens.withdraw_all(&user).await.unwrap();
}

async fn issue(tokens: &Tokens<Account>, user: &Account, purpose: Purpose) -> String {
    let issue = tokens.issue(user, purpose).for_address("a@example.com");
    let token = issue.carry(&[1, 2]).await.unwrap();
    token
        .expect("none was issued moments ago")
        .text()
        .to_owned()
}

async fn links(tokens: &Tokens<Account>, clock: &TestClock, user: &Account) {
    let older = issue(tokens, user, RESET).await;
    assert!(
        tokens
            .issue(user, RESET)
            .for_address("a@example.com")
            .await
            .unwrap()
            .is_none()
    );
    clock.advance(Duration::from_secs(5 * 60));
    let token = issue(tokens, user, RESET).await;
    assert!(tokens.peek(&older, RESET).await.unwrap().is_none());
    let peeked = tokens.peek(&token, RESET).await.unwrap().unwrap();
    assert_eq!(peeked.address(), Some("a@example.com"));

    let mut redeems = JoinSet::new();
    for _ in 0..64 {
        redeems.spawn(tokens.redeem(&token, RESET));
    }
    let redeemed = redeems.join_all().await.into_iter();
    let redeemed: Vec<_> = redeemed.filter_map(Result::unwrap).collect();
    assert_eq!(redeemed.len(), 1);
    assert_eq!(redeemed[0].user().0, user.0);
    assert_eq!(redeemed[0].data::<[u8; 2]>().unwrap(), [1, 2]);
    assert!(tokens.peek(&token, RESET).await.unwrap().is_none());

    tokens.withdraw(user, RESET).await.unwrap();
    let token = issue(tokens, user, RESET).await;
    tokens.withdraw_all(user).await.unwrap();
    assert!(tokens.redeem(&token, RESET).await.unwrap().is_none());
}

/// To the millisecond.
async fn expiry(tokens: &Tokens<Account>, clock: &TestClock, user: &Account) {
    let token = issue(tokens, user, RESET).await;
    clock.advance(Duration::from_millis(60 * 60 * 1_000 - 1));
    assert!(tokens.peek(&token, RESET).await.unwrap().is_some());
    clock.advance(Duration::from_millis(1));
    assert!(tokens.peek(&token, RESET).await.unwrap().is_none());
    assert!(tokens.redeem(&token, RESET).await.unwrap().is_none());
}

async fn codes(tokens: &Tokens<Account>, user: &Account) {
    let code = issue(tokens, user, CODE).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let mut guesses = JoinSet::new();
    for _ in 0..4 {
        let guess = tokens.redeem_code(user, CODE, wrong);
        guesses.spawn(async move { guess.await.unwrap().is_none() });
    }
    assert_eq!(guesses.join_all().await, [true; 4]);
    assert!(
        tokens
            .redeem_code(user, CODE, &code)
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        tokens
            .redeem_code(user, CODE, &code)
            .await
            .unwrap()
            .is_none()
    );

    tokens.withdraw(user, CODE).await.unwrap();
    let code = issue(tokens, user, CODE).await;
    for _ in 0..5 {
        assert!(
            tokens
                .redeem_code(user, CODE, wrong)
                .await
                .unwrap()
                .is_none()
        );
    }
    let is_right = code != wrong;
    let redeemed = tokens.redeem_code(user, CODE, &code).await.unwrap();
    assert!(is_right && redeemed.is_none());
}

async fn undo_and_invitation(tokens: &Tokens<Account>, user: &Account) {
    let back = issue(tokens, user, UNDO).await;
    tokens.withdraw_all(user).await.unwrap();
    assert!(tokens.redeem(&back, UNDO).await.unwrap().is_some());
    tokens.withdraw(user, UNDO).await.unwrap();

    let address = format!("{}@example.com", user.0);
    let issued = tokens.invite(&address, INVITATION).await.unwrap();
    let text = issued.unwrap().text().to_owned();
    let accepted = tokens.accept(&text, INVITATION).await.unwrap().unwrap();
    assert_eq!(accepted.address(), address);
    assert!(tokens.accept(&text, INVITATION).await.unwrap().is_none());
    tokens
        .withdraw_invitation(&address, INVITATION)
        .await
        .unwrap();
}
