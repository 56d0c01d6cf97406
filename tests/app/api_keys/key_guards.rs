//! What guards tell clients that use keys, and the settings of keys.

use http::{HeaderValue, header::AUTHORIZATION};
use login_manager::{
    LoginManager, MemoryStore, api_keys::ApiKeySettings, event::EventKind, guard::DeniedReason,
    login_required,
};

use super::key_world::{INVALID, challenge, key_of_alice, key_routes, program, world};
use crate::support::{
    browser::Browser,
    log::panic_message,
    world::{Account, Accounts, World, routes},
};

#[tokio::test]
async fn guard_requires_the_scopes_of_a_key() {
    let (world, keys) = world();
    let (none, _) = key_of_alice(&keys, &[]).await;
    let (read, _) = key_of_alice(&keys, &["read"]).await;
    let (both, _) = key_of_alice(&keys, &["write", "x", "read"]).await;
    let expected = [
        (
            &none,
            ["/me"].as_slice(),
            ["/read", "/both", "/keys-only"].as_slice(),
        ),
        (&read, &["/me", "/read", "/keys-only"], &["/both"]),
        (&both, &["/me", "/read", "/keys-only", "/both"], &[]),
    ];
    for (text, allowed, denied) in expected {
        let mut program = program(&world.browser, text);
        for path in allowed {
            assert_eq!(program.get(path).await.body, "alice", "{path}");
        }
        for path in denied {
            let answer = program.get(path).await;
            let scopes = if *path == "/both" {
                "read write"
            } else {
                "read"
            };
            let expected = format!(r#"Bearer error="insufficient_scope", scope="{scopes}""#);
            assert_eq!(
                (answer.status.as_u16(), challenge(&answer)),
                (403, &*expected)
            );
            let denied = DeniedReason::InsufficientScope;
            assert_eq!(world.events.take_of(EventKind::Denied(denied)).len(), 1);
        }
        let answer = program.get("/admin").await;
        assert_eq!((answer.status.as_u16(), challenge(&answer)), (403, ""));
    }
}

#[tokio::test]
async fn user_with_a_session_needs_no_scope() {
    let (world, _) = world();
    let mut browser = world.browser.clone();
    browser.post("/login/alice").await;
    for path in ["/read", "/both", "/fresh"] {
        assert_eq!(browser.get(path).await.body, "alice");
    }
    let answer = browser.get("/keys-only").await;
    assert_eq!(
        (answer.status.as_u16(), challenge(&answer)),
        (401, "Bearer")
    );
    let anonymous = browser.another().get("/keys-only").await;
    assert_eq!(
        (anonymous.status.as_u16(), challenge(&anonymous)),
        (401, "Bearer")
    );
}

#[tokio::test]
async fn key_is_never_fresh() {
    let (world, keys) = world();
    let (text, _) = key_of_alice(&keys, &["read"]).await;
    let answer = program(&world.browser, &text).get("/fresh").await;
    assert_eq!(answer.status, 401);
    let expected = r#"Bearer error="insufficient_user_authentication""#;
    assert_eq!(challenge(&answer), expected);
}

#[tokio::test]
async fn client_with_a_bad_key_is_not_redirected() {
    let (world, _) = world();
    let mut browser = world.browser.another();
    let page = browser.get("/me").await;
    assert_eq!(page.location(), "/login?next=/me&notice=login");
    let token = HeaderValue::from_static("Bearer junk");
    browser.headers.insert(AUTHORIZATION, token);
    let answer = browser.get("/me").await;
    assert_eq!((answer.status.as_u16(), challenge(&answer)), (401, INVALID));
    assert_eq!(answer.header("location"), None);
}

#[tokio::test]
async fn configured_challenges_are_kept() {
    for (configured, none, junk) in [
        (vec![], vec!["Bearer"], vec![INVALID]),
        (vec!["Session"], vec!["Session"], vec![INVALID, "Session"]),
        (
            vec!["Negotiate", r#"bearer realm="api""#],
            vec!["Negotiate", r#"bearer realm="api""#],
            vec![r#"bearer realm="api", error="invalid_token""#, "Negotiate"],
        ),
    ] {
        let world = World::with(key_routes, |manager| {
            let manager = manager.with_api_keys("shop");
            configured.iter().fold(manager, |manager, challenge| {
                manager.with_challenge(challenge)
            })
        });
        let mut plain = world.browser.another();
        for (client, expected) in [
            (&mut plain, none),
            (&mut program(&world.browser, "junk"), junk),
        ] {
            let answer = client.get("/me").await;
            assert_eq!(answer.status, 401);
            let all = answer.headers.get_all("www-authenticate");
            assert_eq!(all.iter().collect::<Vec<_>>(), expected);
        }
    }
}

#[tokio::test]
async fn without_keys_a_bearer_token_changes_nothing() {
    let world = World::with(routes, |manager| manager.with_login_page("/login"));
    let mut client = program(&world.browser, "shop_junk");
    let answer = client.get("/me").await;
    assert_eq!(
        (answer.status.as_u16(), challenge(&answer)),
        (401, "Session")
    );
    assert_eq!(client.get("/why").await.body, "Some(NoCookie)");
}

#[tokio::test]
async fn cookie_free_manager_takes_keys() {
    let world = World::new();
    let by_key = world.manager.clone().with_api_keys("shop");
    let keys = by_key.api_keys();
    let (text, _) = key_of_alice(&keys, &[]).await;
    let accounts = world.accounts.clone();
    let api = routes(&accounts).layer(by_key.without_cookies());
    let app = routes(&accounts)
        .nest("/api", api)
        .layer(world.manager.clone());
    let mut browser = Browser::new(app);
    browser.post("/login/bob").await;
    assert_eq!(browser.get("/api/who").await.body, "nobody");
    let mut program = program(&browser, &text);
    assert_eq!(program.get("/api/me").await.body, "alice");
    assert_eq!(program.get("/who").await.body, "nobody");
}

#[test]
fn prefix_and_limit_are_checked() {
    let manager = || LoginManager::new(MemoryStore::new(), Accounts::new());
    for bad in ["", "Shop", "shop-", "a b", "é", "abcdefghijklmnopqrstu"] {
        let message = panic_message(|| manager().with_api_keys(bad));
        assert!(message.starts_with("ApiKeySettings::new: "), "{message}");
    }
    let settings = || ApiKeySettings::new("shop").max_per_user(0);
    assert!(settings().check().is_err());
    let message = panic_message(|| manager().with_api_keys(settings()));
    assert!(message.contains("max_per_user"), "{message}");
    let message = panic_message(|| manager().api_keys());
    assert!(message.contains("with_api_keys"), "{message}");
    for good in ["a", "my_shop_2", "abcdefghijklmnopqrst"] {
        assert_eq!(ApiKeySettings::new(good).check(), Ok(()));
        let _keys = manager().with_api_keys(good.to_owned()).api_keys();
    }
    for bad in ["", "a b", "\""] {
        let message = panic_message(|| login_required::<Account>().and_scope(bad));
        assert!(message.starts_with("and_scope: "), "{message}");
    }
}
