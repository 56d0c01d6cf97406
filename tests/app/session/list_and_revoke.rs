//! Listing and revoking the sessions of a user.

use std::time::Duration;

use axum::routing::post;
use login_manager::{
    Auth, Error, ErrorKind, SessionStore as _,
    event::EventKind,
    store::{SessionId, SessionRecord},
};

use crate::support::{
    browser::Browser,
    faulty_store::{Call::DeleteExpired, Fault::Fails, When::After},
    routes::with_sessions,
    world::{Account, SESSION, World},
};

/// alice in three browsers, one of them remembered, and bob.
async fn world() -> (World, Vec<Browser>, Browser) {
    let mut world = World::with(with_sessions, |manager| manager);
    let mut browsers = Vec::new();
    for login in ["/login/alice", "/remember/alice", "/login/alice"] {
        let mut browser = world.browser.another();
        browser.post(login).await;
        world.clock.advance(Duration::from_secs(1));
        browsers.push(browser);
    }
    world.browser.post("/login/bob").await;
    let bob = world.browser.clone();
    (world, browsers, bob)
}

fn id_of(line: &str) -> &str {
    line.split(' ').next().unwrap()
}

#[tokio::test]
async fn sessions_list_each_browser_most_recently_used_first() {
    let (world, mut browsers, mut bob) = world().await;
    let list = browsers[0].get("/sessions").await.body;
    let lines: Vec<_> = list.lines().collect();
    assert_eq!(lines.len(), 3, "{list}");
    assert!(lines[2].ends_with(" current"), "{list}");
    assert!(lines[1].ends_with(" remembered"), "{list}");
    assert_eq!(bob.get("/sessions").await.body.lines().count(), 1);
    assert_eq!(browsers[0].another().get("/sessions").await.body, "");
    let listed = world.manager.sessions_of(&1).await.unwrap();
    let ids: Vec<_> = listed
        .iter()
        .map(|device| device.id().to_string())
        .collect();
    assert_eq!(
        ids,
        lines.iter().map(|line| id_of(line)).collect::<Vec<_>>()
    );
    assert!(
        listed
            .iter()
            .all(|device| !device.is_current() && device.logged_in() <= world.clock.now())
    );
}

#[tokio::test]
async fn malformed_session_id_is_a_bad_request() {
    let (_, mut browsers, _) = world().await;
    for id in ["rubbish", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAB"] {
        let answer = browsers[0].post(&format!("/revoke/{id}")).await;
        assert_eq!(answer.status, 400, "{id}");
    }
    let nobodys = browsers[0].post("/revoke/AAAAAAAAAAAAAAAAAAAAAA").await;
    assert_eq!((nobodys.status.as_u16(), &*nobodys.body), (200, "false"));
}

#[tokio::test]
async fn sessions_show_a_short_label_of_the_browser() {
    let mut world = World::new();
    let labels = async |world: &World| {
        let sessions = world.manager.sessions_of(&1).await.unwrap();
        sessions
            .iter()
            .map(login_manager::auth::SessionInfo::browser)
            .collect::<Vec<_>>()
    };
    world.browser.post("/remember/alice").await;
    assert_eq!(labels(&world).await, ["a browser on Linux"]);
    for verb in ["/put/a/b", "/rotate", "/confirm", "/put/a/c"] {
        world.browser.post(verb).await;
        assert_eq!(labels(&world).await, ["a browser on Linux"], "{verb}");
    }
    world.browser.forget(SESSION);
    world.clock.advance(Duration::from_secs(3 * 24 * 60 * 60));
    assert_eq!(
        labels(&world).await,
        ["a browser on Linux"],
        "only remembered"
    );
    let firefox = "Mozilla/5.0 (Android 15; Mobile; rv:142.0) Gecko/142.0 Firefox/142.0";
    world
        .browser
        .headers
        .insert("user-agent", firefox.parse().unwrap());
    world.browser.post("/login/alice").await;
    assert_eq!(labels(&world).await, ["Firefox on Android"]);
}

#[tokio::test]
async fn revoke_ends_one_session_by_an_id_that_is_no_secret() {
    let (_, mut browsers, mut bob) = world().await;
    let list = browsers[0].get("/sessions").await.body;
    let remembered = id_of(list.lines().nth(1).unwrap());
    assert_eq!(
        bob.post(&format!("/revoke/{remembered}")).await.body,
        "false",
        "a session of another user is not revoked"
    );
    let mut thief = bob.another();
    thief.plant(SESSION, remembered);
    assert_eq!(thief.get("/who").await.body, "nobody");

    assert_eq!(
        browsers[0]
            .post(&format!("/revoke/{remembered}"))
            .await
            .body,
        "true"
    );
    assert_eq!(
        browsers[1].get("/who").await.body,
        "nobody",
        "nor does its remember cookie help"
    );
    assert_eq!(browsers[0].get("/who").await.body, "alice");
    assert_eq!(browsers[2].get("/who").await.body, "alice");
    assert_eq!(
        browsers[0]
            .post(&format!("/revoke/{remembered}"))
            .await
            .body,
        "false"
    );

    let current = browsers[0].get("/sessions").await.body;
    let current = current
        .lines()
        .find(|line| line.ends_with("current"))
        .unwrap();
    assert_eq!(
        browsers[0]
            .post(&format!("/revoke/{}", id_of(current)))
            .await
            .body,
        "true"
    );
    assert!(
        browsers[0].cookie_names().is_empty(),
        "one's own is a logout"
    );
}

#[tokio::test]
async fn logout_others_and_everywhere_end_the_right_sessions() {
    let (world, mut browsers, mut bob) = world().await;
    browsers[0].post("/others").await;
    for (n, user) in [(0, "alice"), (1, "nobody"), (2, "nobody")] {
        assert_eq!(browsers[n].get("/who").await.body, user, "{n}");
    }
    browsers[1].post("/remember/alice").await;
    browsers[0].post("/everywhere").await;
    for browser in &mut browsers[..2] {
        assert_eq!(browser.get("/who").await.body, "nobody");
    }
    assert_eq!(bob.get("/who").await.body, "bob");
    assert_eq!(world.store.inner.len(), 1, "bob's");
    assert_eq!(
        bob.another().post("/others").await.status,
        200,
        "it does nothing if anonymous"
    );
}

#[tokio::test]
async fn administrator_logs_a_user_out() {
    let (world, mut browsers, mut bob) = world().await;
    world.manager.logout_user(&1).await.unwrap();
    for browser in &mut browsers {
        assert_eq!(browser.get("/who").await.body, "nobody");
    }
    let [device] = &world.manager.sessions_of(&2).await.unwrap()[..] else {
        panic!()
    };
    assert!(world.manager.revoke(&2, device.id()).await.unwrap());
    assert_eq!(bob.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn administrator_logs_everyone_out() {
    let (world, mut browsers, bob) = world().await;
    let mut visitor = world.browser.another();
    visitor.post("/put/cart/apples").await;
    world.events.take();
    let records = world.store.inner.len() as u64;
    assert_eq!(world.manager.logout_everyone().await.unwrap(), records);
    assert_eq!(world.events.take(), [EventKind::Revoked]);
    assert!(world.store.inner.is_empty());
    browsers.extend([bob, visitor]);
    for browser in &mut browsers {
        assert_eq!(browser.get("/who").await.body, "nobody");
        assert_eq!(browser.get("/get/cart").await.body, "");
    }
    browsers[0].post("/login/alice").await;
    assert_eq!(browsers[0].get("/who").await.body, "alice");
    assert_eq!(world.manager.logout_everyone().await.unwrap(), 1);
    world.store.fail_all(Fails);
    let failed = world.manager.logout_everyone().await.unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Store);
}

/// The first batch of an incident's logout succeeds, the second fails.
#[tokio::test]
async fn logging_everyone_out_halfway_is_reported() {
    let world = World::new();
    for number in 0_u32..5_001 {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let record = SessionRecord {
            id: SessionId::from_bytes(id),
            owner: None,
            version: 0,
            created: 0,
            touched: 0,
            expires: i64::MAX - 1,
            ends: i64::MAX - 1,
            payload: [][..].into(),
        };
        let _ = world.store.inner.create(record).await.unwrap();
    }
    let gate = world.store.gate(DeleteExpired, After);
    let manager = world.manager.clone();
    let everyone = tokio::spawn(async move { manager.logout_everyone().await });
    gate.reached().await;
    world.store.fail_all(Fails);
    gate.open();
    assert_eq!(
        everyone.await.unwrap().unwrap_err().kind(),
        ErrorKind::Store
    );
    assert_eq!(world.store.inner.len(), 1);
    assert_eq!(
        world.events.take(),
        [EventKind::StoreFailed, EventKind::Revoked]
    );
}

#[tokio::test]
async fn login_beyond_max_sessions_ends_the_oldest() {
    let mut world = World::with(with_sessions, |manager| manager.with_max_sessions(2));
    let mut browsers = Vec::new();
    for _ in 0..3 {
        let mut browser = world.browser.another();
        browser.post("/remember/alice").await;
        world.clock.advance(Duration::from_secs(1));
        browsers.push(browser);
    }
    for (n, user) in [(0, "nobody"), (1, "alice"), (2, "alice")] {
        assert_eq!(browsers[n].get("/who").await.body, user, "{n}");
    }
    browsers[2].post("/login/alice").await;
    assert_eq!(
        browsers[1].get("/who").await.body,
        "alice",
        "the same browser again is none more"
    );
    world.browser.post("/login/bob").await;
    assert_eq!(
        browsers[1].get("/who").await.body,
        "alice",
        "nor is a session of another user"
    );
}

#[tokio::test]
async fn concurrent_logins_keep_max_sessions() {
    let world = World::with(with_sessions, |manager| manager.with_max_sessions(1));
    world.store.be_remote(); // so that none is through before the next begins
    let mut logins = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let mut browser = world.browser.another();
        logins.spawn(async move {
            browser.post("/login/alice").await;
            browser
        });
    }
    let mut in_now = 0;
    for mut browser in logins.join_all().await {
        in_now += usize::from(browser.get("/who").await.body == "alice");
    }
    assert_eq!((in_now, world.store.inner.len()), (1, 1));
}

#[tokio::test]
async fn auth_handle_reports_whether_its_login_is_still_valid() {
    let kept = std::sync::Arc::new(std::sync::Mutex::new(None));
    let keep = std::sync::Arc::clone(&kept);
    let mut world = World::with(
        |accounts| {
            let handle = move |auth: Auth<Account>| async move {
                let handle = auth.handle().await?;
                let is_some = handle.is_some();
                *keep.lock().unwrap() = handle;
                Ok::<_, Error>(is_some.to_string())
            };
            with_sessions(accounts).route("/handle", post(handle))
        },
        |manager| manager,
    );
    assert_eq!(world.browser.post("/handle").await.body, "false");
    for end in ["/logout", "/everywhere", "stamp", "time", "gone"] {
        world.browser.post("/login/alice").await;
        assert_eq!(world.browser.post("/handle").await.body, "true");
        let handle = kept.lock().unwrap().take().unwrap();
        assert!(handle.still_valid().await.unwrap());
        world.browser.post("/confirm").await;
        assert!(
            handle.still_valid().await.unwrap(),
            "a confirmation is no end"
        );
        match end {
            "stamp" => world
                .accounts
                .change(1, |alice| alice.stamp = "changed".into()),
            "time" => world.clock.advance(Duration::from_secs(24 * 60 * 60)),
            "gone" => world.accounts.remove(1),
            verb => assert_eq!(world.browser.post(verb).await.status, 200),
        }
        assert!(!handle.still_valid().await.unwrap(), "{end}");
        world.browser.forget_cookies();
    }
}

#[tokio::test]
async fn login_for_tests_returns_a_valid_cookie() {
    use login_manager::manager::SessionProtection::{Basic, Off, Strong};
    for protection in [Off, Basic, Strong] {
        for (fresh, how) in [(true, "alice fresh"), (false, "alice stale")] {
            let world = World::with(with_sessions, |manager| {
                manager.with_session_protection(protection)
            });
            let alice = world.accounts.get(1).unwrap();
            let cookie = world
                .manager
                .login_for_tests(&alice)
                .fresh(fresh)
                .await
                .unwrap();
            for _ in 0..2 {
                let answer = world
                    .browser
                    .get_with_cookies("/how", &[cookie.as_bytes()])
                    .await;
                assert_eq!(answer.body, how);
            }
        }
    }
}

/// A user whom the request brings has no session here, and may see and end all that there are.
#[tokio::test]
async fn a_user_with_an_api_key_manages_their_browsers() {
    let by_key = |head: &http::request::Parts| {
        let is_key = head.headers.contains_key("x-key");
        async move { is_key.then(|| crate::support::world::account(1, "alice")) }
    };
    let world = World::with(with_sessions, |manager| manager.with_request_loader(by_key));
    let mut key = world.browser.another();
    key.headers.insert("x-key", "alice's".parse().unwrap());
    let new = || world.browser.another();
    let (mut one, mut two, mut bob) = (new(), new(), new());
    one.post("/login/alice").await;
    two.post("/remember/alice").await;
    bob.post("/login/bob").await;

    let listed = key.get("/sessions").await.body;
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(!listed.contains("current"), "{listed}");
    let first = listed.lines().find(|line| !line.contains("remembered"));
    let uri = format!("/revoke/{}", first.unwrap());
    assert_eq!(key.post(&uri).await.body, "true");
    assert_eq!(one.get("/who").await.body, "nobody");
    assert_eq!(two.get("/who").await.body, "alice");

    for uri in ["/others", "/everywhere"] {
        let mut again = new();
        again.post("/login/alice").await;
        assert_eq!(again.get("/who").await.body, "alice");
        assert_eq!(key.post(uri).await.status, 200);
        assert_eq!(again.get("/who").await.body, "nobody", "{uri}");
        assert_eq!(two.get("/who").await.body, "nobody", "{uri}");
        assert_eq!(bob.get("/who").await.body, "bob", "{uri}");
    }
    assert_eq!(key.get("/who").await.body, "alice");
}
