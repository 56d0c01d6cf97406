//! Logging in, staying logged in and logging out.

use std::time::Duration;

use axum::routing::post;
use login_manager::{Auth, Error};

use crate::support::{
    faulty_store::Call,
    world::{Account, HOUR, REMEMBER, SESSION, World, routes},
};

#[tokio::test]
async fn user_logs_in_stays_logged_in_and_logs_out() {
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
    assert_eq!(browser.cookie_names(), [SESSION]);
    store.take_calls();
    let loads = accounts.loads();
    assert_eq!(browser.get("/me").await.body, "alice");
    assert_eq!(store.take_calls(), [Call::Load]);
    assert_eq!(accounts.loads(), loads + 1);

    let token = browser.cookie("session").unwrap();
    assert_eq!(browser.post("/logout").await.body, "bye");
    assert!(browser.cookie_names().is_empty());
    assert!(store.inner.is_empty());
    browser.plant(SESSION, &token);
    assert_eq!(browser.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn session_cookie_has_the_same_attributes_set_and_deleted() {
    let World { mut browser, .. } = World::new();
    let [set] = &browser.post("/login/alice").await.set_cookies()[..] else {
        panic!()
    };
    let (pair, attributes) = set.split_once("; ").unwrap();
    assert_eq!(pair.split_once('=').unwrap().0, SESSION);
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
async fn data_of_a_user_is_not_passed_to_the_next_one() {
    let mut world = World::new();
    let browser = &mut world.browser;
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
    assert_eq!(world.live_sessions(), 1);
}

#[tokio::test]
async fn cookie_planted_before_a_login_is_invalid_after_it() {
    let mut world = World::new();
    let mut attacker = world.browser.another();
    attacker.post("/put/cart/apples").await;
    let planted = attacker.cookie("session").unwrap();
    world.browser.plant(SESSION, &planted);
    assert_eq!(world.browser.get("/get/cart").await.body, "apples");
    world.browser.post("/login/alice").await;
    assert_ne!(world.token(), planted);
    assert_eq!(attacker.get("/who").await.body, "nobody");
    assert_eq!(attacker.get("/get/cart").await.body, "");
    assert_eq!(world.live_sessions(), 1);
    world.let_grace_pass();
    assert_eq!(attacker.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn every_change_of_identity_replaces_the_session_secret() {
    // The users of the new secret and, for 30 seconds after a change that keeps the user, of the
    // old one.
    for (verb, who, joins) in [
        ("/login/alice", "alice", "alice"),
        ("/login/bob", "bob", "nobody"),
        ("/confirm", "alice", "alice"),
        ("/rotate", "alice", "alice"),
        ("/do/logout,alice", "alice", "nobody"),
        ("/do/logout,put", "nobody", "nobody"),
    ] {
        let mut world = World::new();
        world.browser.post("/login/alice").await;
        let old = world.token();
        assert_eq!(world.browser.post(verb).await.status, 200, "{verb}");
        assert_ne!(world.token(), old, "{verb}");
        assert_eq!(world.browser.get("/who").await.body, who, "{verb}");
        assert_eq!(world.live_sessions(), 1, "{verb}");
        assert_eq!(world.who_has(&old).await, joins, "{verb}");
        world.let_grace_pass();
        assert_eq!(world.who_has(&old).await, "nobody", "{verb}");
    }
}

/// An attacker knows the earlier cookie: planted, copied or from a backup.
#[tokio::test]
async fn every_login_confirmation_and_restore_replaces_the_secret() {
    let (replaced, unknown) = ("Some(SessionReplaced)", "Some(UnknownSession)");
    for (start, verb, who, why) in [
        ("/put/cart/apples", "/login/alice", "alice", replaced),
        ("/put/cart/apples", "/remember/alice", "alice", replaced),
        ("/put/cart/apples", "/rotate", "nobody", replaced),
        ("/login/alice", "/login/alice", "alice", "None"),
        ("/login/alice", "/login/bob", "bob", replaced),
        ("/login/alice", "/do/logout,alice", "alice", unknown),
        ("/login/alice", "/do/logout,put", "nobody", unknown),
        ("/login/alice", "/do/logout,put,bob", "bob", unknown),
        ("/login/alice", "/confirm", "alice", "None"),
        ("/login/alice", "/rotate", "alice", "None"),
        ("restore", "/put/a/b", "alice", replaced),
    ] {
        let case = format!("{start}, {verb}");
        let mut world = World::new();
        if start == "restore" {
            world.browser.post("/remember/alice").await;
            let remember = world.browser.cookie("remember").unwrap();
            world.browser.forget_cookies();
            world.browser.post("/put/cart/apples").await;
            world.browser.plant(REMEMBER, &remember);
        } else {
            world.browser.post(start).await;
        }
        let old = world.token();
        if start == "restore" {
            world.browser.get("/who").await;
        }
        assert_eq!(world.browser.post(verb).await.status, 200, "{case}");
        assert_ne!(world.token(), old, "{case}");
        assert_eq!(world.browser.get("/who").await.body, who, "{case}");
        let mut thief = world.browser.another();
        thief.plant(SESSION, &old);
        assert_eq!(thief.get("/why").await.body, why, "{case}");
        assert_eq!(thief.get("/get/cart").await.body, "", "{case}");
        world.let_grace_pass();
        assert_eq!(thief.get("/why").await.body, unknown, "{case}");
        for key in ["cart", "key", "a"] {
            assert_eq!(thief.get(&format!("/get/{key}")).await.body, "", "{case}");
        }
    }
}

#[tokio::test]
async fn two_rotations_in_one_handler_make_one_cookie_and_record() {
    let mut world = World::new();
    world.browser.post("/do/alice,put").await;
    let old = world.token();
    let answer = world.browser.post("/do/rotate,rotate").await;
    assert_eq!(answer.set_cookies().len(), 1);
    assert_eq!(world.store.inner.len(), 1);
    assert_eq!(world.browser.get("/get/key").await.body, "value");
    assert_eq!(world.browser.get("/who").await.body, "alice");
    world.let_grace_pass();
    assert_eq!(world.who_has(&old).await, "nobody");
}

#[tokio::test]
async fn rotation_keeps_anonymous_data_from_bearers_of_old_cookie() {
    let mut world = World::new();
    world.browser.post("/do/put").await;
    let old = world.token();
    world.browser.post("/rotate").await;
    assert_ne!(world.token(), old);
    assert_eq!(world.browser.get("/get/key").await.body, "value");
    assert_eq!(world.store.inner.len(), 1);
    let mut planter = world.browser.another();
    planter.plant(SESSION, &old);
    let answer = planter.get("/get/key").await;
    assert_eq!((&*answer.body, answer.set_cookies().len()), ("", 0));
    assert_eq!(planter.get("/why").await.body, "Some(SessionReplaced)");
}

#[tokio::test]
async fn logout_needs_neither_user_nor_loader() {
    let vanish: [fn(&World); 3] = [
        |world| world.accounts.remove(1),
        |world| world.accounts.fail(true),
        |world| world.accounts.change(1, |alice| alice.active = false),
    ];
    for vanish in vanish {
        let mut world = World::new();
        world.browser.post("/login/alice").await;
        let token = world.token();
        let before = world.accounts.get(1).unwrap();
        vanish(&world);
        let answer = world.browser.post("/logout").await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (200, "bye"));
        assert!(world.browser.cookie_names().is_empty());
        assert!(world.store.inner.is_empty());
        world.accounts.fail(false);
        world.accounts.put(before);
        assert_eq!(world.who_has(&token).await, "nobody");
    }
}

#[tokio::test]
async fn logout_removes_a_malformed_cookie() {
    let World {
        mut browser, store, ..
    } = World::new();
    browser.plant(SESSION, "garbage");
    assert_eq!(browser.post("/logout").await.body, "bye");
    assert!(browser.cookie_names().is_empty());
    assert_eq!(store.take_calls(), []);
}

#[tokio::test]
async fn cookie_of_a_logged_out_session_stays_invalid() {
    let mut world = World::new();
    world.browser.post("/do/alice,put").await;
    let token = world.token();
    let copy = world.browser.clone();
    world.browser.post("/logout").await;
    assert!(world.store.inner.is_empty());
    for wait in [Duration::ZERO, HOUR, 24 * HOUR, 8760 * HOUR] {
        world.clock.advance(wait);
        for verb in ["/confirm", "/rotate", "/put/a/b", "/logout"] {
            copy.clone().post(verb).await;
            assert_eq!(world.who_has(&token).await, "nobody", "{verb}");
        }
        assert_eq!(copy.clone().get("/me").await.status, 303);
        world.browser.post("/login/alice").await;
        assert_eq!(world.who_has(&token).await, "nobody", "nor by a new login");
        world.browser.post("/logout").await;
    }
}

#[tokio::test]
async fn logout_response_can_set_clear_site_data() {
    let logout = async |auth: Auth<Account>| {
        auth.logout().await?;
        Ok::<_, Error>(([("clear-site-data", "\"cache\", \"storage\"")], "bye"))
    };
    let mut world = World::with(
        |accounts| routes(accounts).route("/leave", post(logout)),
        |manager| manager,
    );
    world.browser.post("/remember/alice").await;
    let answer = world.browser.post("/leave").await;
    assert_eq!(
        answer.header("clear-site-data"),
        Some("\"cache\", \"storage\"")
    );
    assert_eq!(answer.set_cookies().len(), 2, "ours go by themselves");
    assert!(world.browser.cookie_names().is_empty());
    let answer = world.browser.post("/logout").await;
    assert_eq!(answer.header("clear-site-data"), None, "nobody is made to");
}

#[tokio::test]
async fn logout_is_seen_in_the_same_request() {
    let mut world = World::new();
    world.browser.post("/do/alice,put").await;
    assert_eq!(world.browser.post("/do/logout").await.body, "nobody");
    assert_eq!(world.browser.get("/get/key").await.body, "");
    assert_eq!(world.browser.get("/why").await.body, "Some(NoCookie)");
}

#[tokio::test]
async fn logout_without_a_session_creates_none() {
    let World {
        mut browser, store, ..
    } = World::new();
    for _ in 0..100 {
        assert_eq!(browser.post("/logout").await.body, "bye");
    }
    assert!(store.inner.is_empty());
    assert_eq!(store.take_calls(), []);
    assert!(browser.cookie_names().is_empty());
}

#[tokio::test]
async fn reads_and_failed_logins_create_no_record_or_cookie() {
    let World {
        mut browser,
        store,
        accounts,
        ..
    } = World::new();
    accounts.change(1, |alice| alice.active = false);
    for _ in 0..250 {
        for path in ["/", "/who", "/me", "/get/cart"] {
            assert_eq!(browser.get(path).await.set_cookies(), [""; 0], "{path}");
        }
        for path in ["/login/alice", "/confirm", "/rotate"] {
            assert_eq!(browser.post(path).await.set_cookies(), [""; 0], "{path}");
        }
    }
    assert!(store.inner.is_empty());
    assert_eq!(store.take_calls(), []);
}

#[tokio::test]
async fn login_of_an_inactive_user_changes_nothing() {
    let mut world = World::new();
    world.browser.post("/do/bob,put").await;
    let token = world.token();
    world.accounts.change(1, |alice| alice.active = false);
    let answer = world.browser.post("/login/alice").await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.set_cookies(), [""; 0]);
    assert_eq!(world.who_has(&token).await, "bob");
    assert_eq!(world.browser.get("/get/key").await.body, "value");
}

#[tokio::test]
async fn session_data_logs_no_user_in() {
    let names = [
        "_user_id",
        "user_id",
        "_id",
        "id",
        "user",
        "owner",
        "uid",
        "_fresh",
        "fresh",
        "stamp",
        "proof",
        "forced",
        "family",
        "key",
        "",
        "app::support::world::Account",
    ];
    let mut world = World::new();
    for name in names {
        world.browser.post("/do/put").await;
        let set = format!("/put/{}/1", if name.is_empty() { "%00" } else { name });
        assert_eq!(world.browser.post(&set).await.status, 200, "{name}");
        assert_eq!(world.browser.get("/who").await.body, "nobody", "{name}");
    }
    world.browser.post("/login/bob").await;
    for name in names.into_iter().filter(|name| !name.is_empty()) {
        world.browser.post(&format!("/put/{name}/1")).await;
        assert_eq!(world.browser.get("/who").await.body, "bob", "{name}");
        assert_eq!(world.browser.get(&format!("/get/{name}")).await.body, "1");
    }
}
