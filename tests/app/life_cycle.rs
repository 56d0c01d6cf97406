//! The life of a session: logging in, staying logged in, logging out.

use crate::{faulty_store::Call, world::World};

#[tokio::test]
async fn logs_in_stays_logged_in_and_logs_out() {
    let World {
        mut browser,
        store,
        accounts,
        ..
    } = World::new();
    assert_eq!(browser.get("/who").await.body, "nobody");
    let answer = browser.get("/me").await;
    assert_eq!(
        (answer.status.as_u16(), answer.location()),
        (303, "/login?next=/me&notice=login")
    );

    assert_eq!(browser.post("/login/alice").await.body, "alice");
    assert_eq!(browser.cookie_names(), ["__Host-account-session"]);
    store.take_calls();
    let loads = accounts.loads();
    assert_eq!(browser.get("/me").await.body, "alice");
    assert_eq!(store.take_calls(), [Call::Load]);
    assert_eq!(accounts.loads(), loads + 1);

    let token = browser.cookie("session").unwrap();
    assert_eq!(browser.post("/logout").await.body, "bye");
    assert!(browser.cookie_names().is_empty());
    assert!(store.inner.is_empty());
    browser.plant("__Host-account-session", &token);
    assert_eq!(browser.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn e1_the_session_cookie_has_exactly_these_attributes_set_and_deleted() {
    let World { mut browser, .. } = World::new();
    let [set] = &browser.post("/login/alice").await.set_cookies()[..] else {
        panic!()
    };
    let (pair, attributes) = set.split_once("; ").unwrap();
    assert_eq!(pair.split_once('=').unwrap().0, "__Host-account-session");
    assert_eq!(attributes, "HttpOnly; SameSite=Lax; Secure; Path=/");
    let [session, remember] = &browser.post("/logout").await.set_cookies()[..] else {
        panic!()
    };
    assert_eq!(*remember, session.replace("session", "remember"));
    assert_eq!(
        session,
        "__Host-account-session=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
    );
}

#[tokio::test]
async fn b3_nothing_of_a_user_is_left_for_the_next_one() {
    let World {
        mut browser, store, ..
    } = World::new();
    browser.post("/put/cart/apples").await;
    browser.post("/login/alice").await;
    assert_eq!(
        browser.get("/get/cart").await.body,
        "apples",
        "an anonymous cart comes along"
    );
    browser.post("/put/secret/alices").await;
    browser.post("/login/alice").await;
    assert_eq!(
        browser.get("/get/secret").await.body,
        "alices",
        "the same user keeps it"
    );
    browser.post("/login/bob").await;
    assert_eq!(browser.get("/get/secret").await.body, "");
    assert_eq!(browser.get("/get/cart").await.body, "");
    assert_eq!(store.inner.len(), 1);
}
