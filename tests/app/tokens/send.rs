//! Sending in the background: the caller learns nothing, and the mail goes out once.

use std::{
    future::pending,
    io,
    sync::{Arc, Mutex},
};

use login_manager::{
    event::EventKind::{StoreFailed, TokenIssued, TokenNotSent},
    tokens::{Issue, Purpose, Token},
};

use super::{RESET, Scene, Unserializable, is_some, patient_world, scene, scene_of};
use crate::support::{
    faulty_store::{Call, Fault, When},
    settle,
    world::{Account, MINUTE},
};

/// The texts of the tokens that were delivered.
#[derive(Clone, Default)]
struct Mailbox(Arc<Mutex<Vec<(String, String)>>>);

impl Mailbox {
    fn put(&self, account: &Account, token: &Token) -> io::Result<()> {
        let mail = (account.name.clone(), token.text().to_owned());
        self.0.lock().unwrap().push(mail);
        Ok(())
    }

    fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn send(scene: &Scene, account: Option<Account>, mailbox: &Mailbox) {
    let mailbox = mailbox.clone();
    let deliver = async move |account: Arc<Account>, token: Token| mailbox.put(&account, &token);
    scene.tokens.send(account, RESET, deliver);
}

async fn fail(_: Arc<Account>, _: Token) -> io::Result<()> {
    Err(io::Error::other("no route to mail.example"))
}

#[tokio::test]
async fn token_reaches_the_account_and_the_gap_is_kept() {
    let scene = scene();
    let mailbox = Mailbox::default();
    send(&scene, Some(scene.alice.clone()), &mailbox);
    settle().await;
    let [(to, token)] = &*mailbox.take() else {
        panic!("there is one mail");
    };
    assert_eq!(to, "alice");
    send(&scene, Some(scene.alice.clone()), &mailbox);
    settle().await;
    assert_eq!(mailbox.take(), []);
    assert_eq!(scene.world.events.take(), [TokenIssued]);
    assert!(scene.redeems(token, RESET).await);
}

#[tokio::test]
async fn token_is_issued_as_configured() {
    let scene = scene();
    let mailbox = Mailbox::default();
    let put = mailbox.clone();
    let deliver = async move |account: Arc<Account>, token: Token| put.put(&account, &token);
    let code = Purpose::code();
    let configure = |issue: Issue<Account>| issue.carry("/next").bound_to("mine");
    let account = Arc::new(scene.alice.clone());
    scene
        .tokens
        .send_with(Some(account), code, configure, deliver);
    settle().await;
    let [(_, text)] = &*mailbox.take() else {
        panic!("there is one mail");
    };
    let redeem = || scene.tokens.redeem_code(&scene.alice, code, text);
    assert!(!is_some(redeem().await));
    let redeemed = redeem().bound_to("mine").await.unwrap().unwrap();
    assert_eq!(redeemed.data::<String>().unwrap(), "/next");

    scene.world.events.take();
    let configure = |issue: Issue<Account>| issue.carry(&Unserializable);
    let account = Some(scene.alice.clone());
    scene.tokens.send_with(account, RESET, configure, fail);
    settle().await;
    assert_eq!(scene.world.events.take(), [TokenNotSent]);
}

#[tokio::test]
async fn without_an_active_account_nothing_is_sent() {
    let scene = scene();
    let mailbox = Mailbox::default();
    let inactive = Account {
        active: false,
        ..scene.alice.clone()
    };
    for account in [None, Some(inactive)] {
        send(&scene, account, &mailbox);
        settle().await;
        assert_eq!(scene.world.store.take_calls(), [Call::LoadFresh]);
    }
    assert_eq!(mailbox.take(), []);
    assert_eq!(scene.world.events.take(), []);
    assert!(scene.world.store.inner.is_empty());
}

#[tokio::test]
async fn caller_waits_for_neither_store_nor_mail_server() {
    let scene = scene_of(patient_world());
    let gate = scene.world.store.gate(Call::LoadFresh, When::Before);
    let mailbox = Mailbox::default();
    send(&scene, Some(scene.alice.clone()), &mailbox);
    // `send` has returned, and the task is at its first call.
    gate.reached().await;
    assert_eq!(mailbox.take(), []);
    gate.open();
    settle().await;
    assert_eq!(mailbox.take().len(), 1);
}

#[tokio::test]
async fn failed_delivery_is_reported_and_ends_the_gap() {
    let scene = scene();
    let kept = Mailbox::default();
    let keep = kept.clone();
    scene.tokens.send(
        Some(scene.alice.clone()),
        RESET,
        async move |account: Arc<Account>, token: Token| {
            keep.put(&account, &token)?;
            Err(io::Error::other("no route to mail.example"))
        },
    );
    settle().await;
    let events = scene.world.events.take_of(TokenNotSent);
    assert_eq!(events[0].user_id(), Some("1"));
    assert_eq!(events[0].purpose(), Some("reset"));
    assert_eq!(events[0].cause(), Some("no route to mail.example"));
    assert!(!format!("{:?}", events[0]).contains("route"));
    // The mail may have been sent nevertheless.
    assert!(scene.peeks(&kept.take()[0].1, RESET).await);
    let mailbox = Mailbox::default();
    send(&scene, Some(scene.alice.clone()), &mailbox);
    settle().await;
    assert_eq!(mailbox.take().len(), 1);
}

#[tokio::test]
async fn failing_store_is_reported() {
    let scene = scene();
    scene.world.store.fail_all(Fault::Fails);
    send(&scene, Some(scene.alice.clone()), &Mailbox::default());
    settle().await;
    assert_eq!(scene.world.events.take(), [StoreFailed, TokenNotSent]);
    send(&scene, None, &Mailbox::default());
    settle().await;
    assert_eq!(scene.world.events.take(), [StoreFailed, TokenNotSent]);
}

#[tokio::test]
async fn panic_of_the_delivery_is_reported() {
    let scene = scene();
    async fn panics(_: Arc<Account>, _: Token) -> io::Result<()> {
        panic!("the mailer panics")
    }
    scene.tokens.send(Some(scene.alice.clone()), RESET, panics);
    settle().await;
    assert_eq!(scene.world.events.take(), [TokenIssued, TokenNotSent]);
}

#[tokio::test(start_paused = true)]
async fn delivery_ends_after_a_minute() {
    let scene = scene();
    let hangs = async |_: Arc<Account>, _: Token| pending::<io::Result<()>>().await;
    scene.tokens.send(Some(scene.alice.clone()), RESET, hangs);
    tokio::time::sleep(MINUTE - super::MILLISECOND).await;
    assert_eq!(scene.world.events.count(TokenNotSent), 0);
    tokio::time::sleep(2 * super::MILLISECOND).await;
    let events = scene.world.events.take_of(TokenNotSent);
    assert_eq!(events[0].cause(), Some("no answer within a minute"));
    assert!(is_some(scene.tokens.issue(&scene.alice, RESET).await));
}

#[tokio::test]
async fn at_most_256_are_sent_at_a_time() {
    let scene = scene_of(patient_world());
    let mailbox = Mailbox::default();
    let gate = scene.world.store.gate(Call::LoadFresh, When::Before);
    scene.world.store.fail(Call::LoadFresh, Fault::Hangs);
    for _ in 0..256 {
        send(&scene, None, &mailbox);
    }
    gate.reached().await;
    assert_eq!(scene.world.events.take(), []);
    for account in [None, Some(scene.alice.clone())] {
        send(&scene, account, &mailbox);
        let events = scene.world.events.take_of(TokenNotSent);
        assert_eq!(events[0].cause(), Some("too many tokens are being sent"));
    }
    assert_eq!(mailbox.take(), []);
}
