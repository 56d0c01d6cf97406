//! Tokens presented as session cookies, and session cookies as tokens.

use login_manager::{event::EventKind, store::SessionId};

use super::{RESET, scene};
use crate::support::{
    browser::Browser,
    world::{REMEMBER, SESSION},
};

#[tokio::test]
async fn session_cookie_made_of_a_token_opens_and_ends_nothing() {
    let scene = scene();
    let token = scene.issue(RESET).await;
    let before = scene.world.store.inner.records();
    // The token itself, and its id with another secret; each also as a remember cookie.
    let with_other_secret = format!("{}{}", &token[..22], "A".repeat(42));
    for value in [&token, &with_other_secret] {
        for (name, value) in [
            (SESSION, value.clone()),
            (REMEMBER, format!("{value}{}", "A".repeat(43))),
        ] {
            for path in ["/put/key/value", "/rotate", "/clear", "/logout"] {
                let mut thief: Browser = scene.world.browser.another();
                thief.plant(name, &value);
                assert_eq!(thief.get("/who").await.body, "nobody");
                let answer = thief.post(path).await;
                assert!(answer.status.is_success(), "{path}: {}", answer.body);
            }
        }
    }
    let kept = scene.world.store.inner.records();
    assert!(before.iter().all(|record| kept.contains(record)));
    assert!(scene.redeems(&token, RESET).await);
}

#[tokio::test]
async fn session_cookie_is_no_token() {
    let mut scene = scene();
    scene.world.browser.post("/login/alice").await;
    let cookie = scene.world.token();
    assert!(!scene.redeems(&cookie, RESET).await);
    assert_eq!(scene.world.browser.get("/who").await.body, "alice");
}

#[tokio::test]
async fn tokens_are_in_no_list_of_sessions() {
    let mut scene = scene();
    let token = scene.issue(RESET).await;
    scene.world.browser.post("/login/alice").await;
    let sessions = scene.world.manager.sessions_of(&1).await.unwrap();
    assert_eq!(sessions.len(), 1);

    let [id] = *ids_of_tokens(&scene.world.store.inner.records()) else {
        panic!("there is one token");
    };
    assert!(!scene.world.manager.revoke(&1, id).await.unwrap());
    assert!(scene.redeems(&token, RESET).await);
    assert_eq!(scene.world.events.count(EventKind::Revoked), 0);
}

fn ids_of_tokens(records: &[login_manager::store::SessionRecord]) -> Vec<SessionId> {
    let is_token = |owner: &str| owner.contains("~tokens/");
    let tokens = records
        .iter()
        .filter(|record| record.owner.as_deref().is_some_and(is_token));
    tokens.map(|record| record.id).collect()
}

#[tokio::test]
async fn logout_of_everyone_deletes_tokens_too() {
    let scene = scene();
    let token = scene.issue(RESET).await;
    assert_eq!(scene.world.manager.logout_everyone().await.unwrap(), 1);
    assert!(!scene.redeems(&token, RESET).await);
}
