//! The cookie: set at a login with credentials, kept, and opening nothing.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use login_manager::manager::{Cookies, KnownBrowsers};

use super::{BROWSER, known, more_routes, world};
use crate::support::{
    faulty_store::{Call, Fault},
    world::{DAY, SESSION, World},
};

#[tokio::test]
async fn login_sets_a_cookie_that_logout_keeps() {
    let mut world = world();
    let answer = world.browser.post("/login/alice").await;
    let cookies = answer.set_cookies();
    let cookie = cookies.iter().find(|cookie| cookie.starts_with(BROWSER));
    let cookie = cookie.unwrap();
    for attribute in [
        "HttpOnly",
        "Secure",
        "SameSite=Lax",
        "Path=/",
        "Max-Age=31536000",
    ] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let value = world.browser.cookie(BROWSER).unwrap();
    assert_eq!(Base64UrlUnpadded::decode_vec(&value).unwrap().len(), 32);

    let answer = world.browser.post("/logout").await;
    assert!(
        !answer
            .set_cookies()
            .iter()
            .any(|cookie| cookie.starts_with(BROWSER))
    );
    assert_eq!(world.browser.cookie(BROWSER).unwrap(), value);
    world.browser.post("/login/alice").await;
    assert_eq!(world.browser.cookie(BROWSER).unwrap(), value);
}

#[tokio::test]
async fn cookie_opens_nothing() {
    let mut world = world();
    world.browser.post("/login/alice").await;
    let browser = world.browser.cookie(BROWSER).unwrap();
    let records = world.store.inner.records();
    let entry = records.iter().find(|record| {
        record
            .owner
            .as_deref()
            .is_some_and(|owner| owner.contains("~browsers/"))
    });
    let id = *entry.unwrap().id.as_bytes();
    let forged = Base64UrlUnpadded::encode_string(&[&id[..], &[0; 32]].concat());
    assert_eq!(world.who_has(&forged).await, "nobody");
    let mut thief = world.browser.another();
    thief.plant(BROWSER, &browser);
    assert_eq!(thief.get("/who").await.body, "nobody");
    thief.plant(SESSION, &browser);
    assert_eq!(thief.get("/who").await.body, "nobody");
    thief.plant(SESSION, &forged);
    thief.post("/logout").await;
    assert_eq!(world.browser.get("/who").await.body, "alice");
    assert_eq!(world.browser.get("/knows/alice").await.body, "true");
}

#[tokio::test]
async fn without_the_setting_there_is_no_cookie_and_no_call() {
    use Call::Create;
    let mut world = World::with(more_routes, |manager| manager);
    world.browser.post("/login/alice").await;
    assert_eq!(world.store.take_calls(), [Create]);
    assert_eq!(world.browser.cookie_names(), [SESSION]);
    assert_eq!(
        world.browser.another().get("/knows/alice").await.body,
        "false"
    );
    assert_eq!(
        world.browser.another().get("/trusts/alice").await.body,
        "false"
    );
    assert_eq!(world.store.take_calls(), []);
    assert_eq!(world.browser.post("/trust").await.body, "false");
    assert_eq!(world.browser.cookie_names(), [SESSION]);
}

#[tokio::test]
async fn login_without_credentials_sets_no_cookie() {
    let mut world = world();
    world.browser.post("/stale/alice").await;
    assert_eq!(world.browser.cookie(BROWSER), None);
}

#[tokio::test]
async fn login_succeeds_while_the_browser_cannot_be_recorded() {
    let mut world = world();
    world.store.fail(Call::LoadFresh, Fault::Fails);
    assert_eq!(world.browser.post("/login/alice").await.status, 200);
    assert_eq!(world.browser.cookie(BROWSER), None);
    world.store.heal();
    assert_eq!(world.browser.get("/who").await.body, "alice");
}

#[tokio::test]
async fn malformed_cookie_is_replaced_at_the_login() {
    let mut world = world();
    for value in ["", "x", "%00", &"A".repeat(44), &"B".repeat(43)] {
        world.browser.plant(BROWSER, value);
        assert_eq!(world.browser.get("/knows/alice").await.body, "false");
        world.browser.post("/login/alice").await;
        assert_ne!(world.browser.cookie(BROWSER).unwrap(), value);
    }
}

#[tokio::test]
async fn names_of_cookies_follow_the_session_cookie() {
    let cookies = Cookies::new().names("sid", "sid-browser");
    assert!(cookies.check().is_err());
    let mut world = World::with(more_routes, |manager| {
        known(manager).with_cookies(Cookies::new().names("sid", "rid").path("/"))
    });
    world.browser.post("/login/alice").await;
    assert_eq!(
        world.browser.cookie_names(),
        ["__Host-sid", "__Host-sid-browser"]
    );
}

#[tokio::test]
async fn invalid_settings_are_rejected() {
    let settings = KnownBrowsers::new();
    assert!(settings.check().is_ok());
    assert!(settings.max_browsers(0).check().is_err());
    assert!(settings.max_browsers(201).check().is_err());
    assert!(settings.lifetime(401 * DAY).check().is_err());
    assert!(settings.trusted_for(Duration::ZERO).check().is_err());
}
