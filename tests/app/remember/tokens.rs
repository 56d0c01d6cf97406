//! The contents of a remember cookie, and how long it is valid.

use std::time::Duration;

use axum::{Router, extract::Path, routing::post};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use http::{header::AUTHORIZATION, request::Parts};
use login_manager::manager::RememberMe;
use login_manager::{Auth, LoginManager};

use crate::support::{
    browser::{Answer, Browser},
    world::{Account, Accounts, DAY, HOUR, REMEMBER, SESSION, World, account, routes},
};

/// `/remember-for/{days}` logs alice in.
fn more_routes(accounts: &Accounts) -> Router {
    let remember_for = async |auth: Auth<Account>, Path(days): Path<u32>| {
        let login = auth.login(account(1, "alice"));
        login.remember_for(DAY * days).await.map(drop)
    };
    let everywhere = async |auth: Auth<Account>| auth.logout_everywhere().await;
    routes(accounts)
        .route("/remember-for/{days}", post(remember_for))
        .route("/everywhere", post(everywhere))
}

fn world() -> World {
    World::with(more_routes, |manager| manager)
}

/// The session id, the series secret and the token of the browser's remember cookie.
fn remember_cookie(browser: &Browser) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let cookie = browser.cookie("remember").unwrap();
    let bytes = Base64UrlUnpadded::decode_vec(&cookie).unwrap();
    assert_eq!(bytes.len(), 16 + 32 + 32);
    (
        bytes[..16].to_vec(),
        bytes[16..48].to_vec(),
        bytes[48..].to_vec(),
    )
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

fn max_age(answer: &Answer) -> Duration {
    let cookies = answer.set_cookies();
    let cookie = cookies
        .iter()
        .find(|cookie| cookie.starts_with(REMEMBER))
        .unwrap();
    let age = cookie
        .split("; ")
        .find_map(|part| part.strip_prefix("Max-Age="));
    Duration::from_secs(age.unwrap().parse().unwrap())
}

#[tokio::test]
async fn remember_cookie_holds_two_secrets_unknown_to_the_store() {
    let mut world = world();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..200 {
        world.browser.post("/remember/alice").await;
        let (_, series, token) = remember_cookie(&world.browser);
        assert!(seen.insert(series) && seen.insert(token));
    }
    let (id, series, token) = remember_cookie(&world.browser);
    world.browser.restart();
    world.browser.get("/who").await;
    let (_, _, exchanged) = remember_cookie(&world.browser);
    let records = world.store.inner.records();
    let [record] = &records[..] else { panic!() };
    for secret in [series, token, exchanged] {
        let text = Base64UrlUnpadded::encode_string(&secret);
        for bytes in [text.as_bytes(), &secret] {
            for window in bytes.windows(8) {
                assert!(!contains(&record.payload, window));
            }
        }
    }

    // Nor do any 64 bytes of a record make a cookie: neither side by side, nor any 32 twice.
    let side_by_side = record.payload.windows(64).map(<[u8]>::to_vec);
    let twice = record.payload.windows(32).map(|window| window.repeat(2));
    for secrets in side_by_side.chain(twice) {
        let cookie = Base64UrlUnpadded::encode_string(&[&id[..], &secrets].concat());
        let cookie = format!("{REMEMBER}={cookie}");
        let answer = world.browser.get_with_cookies("/who", &[cookie]).await;
        assert_eq!(answer.body, "nobody");
    }
    assert_eq!(world.browser.get("/who").await.body, "alice");
}

#[tokio::test]
async fn each_restore_exchanges_the_token_and_the_session_secret() {
    let mut world = world();
    world.browser.post("/remember/alice").await;
    let (id, series, mut token) = remember_cookie(&world.browser);
    let mut attacker = world.browser.another();
    attacker.post("/put/cart/apples").await;
    let planted = attacker.cookie("session").unwrap();
    let mut used = Vec::new();
    for _ in 0..3 {
        world.browser.restart();
        world.browser.plant(SESSION, &planted);
        assert_eq!(world.browser.get("/who").await.body, "alice");
        let (same_id, same_series, exchanged) = remember_cookie(&world.browser);
        assert_eq!((&same_id, &same_series), (&id, &series));
        assert_ne!(exchanged, token);
        token = exchanged;
        assert!(!used.contains(&world.token()));
        used.push(world.token());
        assert_ne!(world.token(), planted);
        assert_eq!(attacker.get("/who").await.body, "nobody");
        assert_eq!(world.who_has(&planted).await, "nobody");
        world.clock.advance(HOUR);
        // The planted session was closed, and another one is planted.
        attacker.post("/put/cart/apples").await;
    }
    for old in &used[..2] {
        assert_eq!(world.who_has(old).await, "nobody");
    }
}

#[tokio::test]
async fn logout_ends_one_series_and_a_changed_stamp_all() {
    type Change = fn(&Accounts);
    let changes: [Change; 3] = [
        |accounts| accounts.change(1, |alice| alice.stamp.push('!')),
        |accounts| accounts.change(1, |alice| alice.active = false),
        |accounts| accounts.remove(1),
    ];
    for (case, change) in changes.into_iter().enumerate() {
        let mut world = world();
        let mut browsers = [(); 3].map(|()| world.browser.another());
        for browser in &mut browsers {
            browser.post("/remember/alice").await;
            browser.restart();
        }
        world.browser.post("/remember/bob").await;
        let mut copy = browsers[0].clone();
        browsers[0].post("/logout").await;
        assert_eq!(copy.get("/who").await.body, "nobody");
        assert_eq!(
            browsers[1].get("/who").await.body,
            "alice",
            "the others stay"
        );
        browsers[1].restart();

        let before = world.accounts.get(1).unwrap();
        change(&world.accounts);
        for browser in &mut browsers[1..] {
            let mut copy = browser.clone();
            assert_eq!(browser.get("/who").await.body, "nobody", "{case}");
            world.accounts.put(before.clone());
            assert_eq!(copy.get("/who").await.body, "nobody", "for good: {case}");
            change(&world.accounts);
        }
        world.browser.restart();
        assert_eq!(world.browser.get("/who").await.body, "bob");
    }

    let mut world = world();
    let mut other = world.browser.another();
    world.browser.post("/remember/alice").await;
    other.post("/remember/alice").await;
    other.restart();
    world.browser.post("/everywhere").await;
    assert_eq!(other.get("/who").await.body, "nobody");
    assert!(world.store.inner.is_empty());
}

#[tokio::test]
async fn remember_limit_of_no_time_or_above_400_days_is_rejected() {
    let most = 400 * DAY;
    for bad in [
        most + Duration::from_millis(1),
        Duration::MAX,
        Duration::ZERO,
    ] {
        let error = RememberMe::new().lifetime(bad).check().unwrap_err();
        assert!(error.to_string().contains(&format!("{bad:?}")), "{error}");
    }
    assert!(RememberMe::new().lifetime(most).check().is_ok());

    let mut world = world();
    for days in [0, 401, 1000] {
        let refused = world.browser.post(&format!("/remember-for/{days}")).await;
        assert_eq!(
            (refused.status.as_u16(), refused.set_cookies().len()),
            (500, 0)
        );
    }
    let answer = world.browser.post("/remember-for/400").await;
    assert_eq!(max_age(&answer), most);
    world.browser.restart();
    world.clock.advance(most);
    assert_eq!(world.browser.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn remember_cookie_with_one_character_changed_is_ignored() {
    for at in 0..107 {
        let mut world = world();
        world.browser.post("/remember/alice").await;
        let cookie = world.browser.cookie("remember").unwrap();
        assert_eq!(cookie.len(), 107);
        let other = if &cookie[at..=at] == "A" { "B" } else { "A" };
        let edited = format!("{}{other}{}", &cookie[..at], &cookie[at + 1..]);
        let mut thief = world.browser.another();
        thief.plant(REMEMBER, &edited);
        assert_eq!(thief.get("/who").await.body, "nobody", "{at}");
    }
}

/// Knows `Key carol`.
fn with_keys(manager: LoginManager<Account>) -> LoginManager<Account> {
    manager.with_request_loader(|head: &Parts| {
        let known = head.headers.get(AUTHORIZATION);
        let known = known.is_some_and(|value| value == "Key carol");
        async move { known.then(|| account(3, "carol")) }
    })
}

#[tokio::test]
async fn invalid_remember_cookie_is_removed_and_the_api_key_used() {
    let mut world = World::with(more_routes, with_keys);
    world.browser.post("/remember/alice").await;
    let good = world.browser.cookie("remember").unwrap();
    let unknown = "A".repeat(107);
    world.browser.post("/logout").await;
    world.browser.post("/remember/bob").await;
    let expired = world.browser.cookie("remember").unwrap();
    world.clock.advance(31 * DAY);
    for (cookie, malformed) in [
        ("junk", true),
        ("", true),
        (".", true),
        (&good[1..], true),
        (&*good, false),
        (&*unknown, false),
        (&*expired, false),
    ] {
        let mut client = world.browser.another();
        client
            .headers
            .insert(AUTHORIZATION, "Key carol".parse().unwrap());
        client.plant(REMEMBER, cookie);
        let mut stranger = client.clone();
        stranger.headers.remove(AUTHORIZATION);
        for (visitor, who) in [(&mut client, "carol"), (&mut stranger, "nobody")] {
            let answer = visitor.get("/who").await;
            assert_eq!(
                (answer.status.as_u16(), &*answer.body),
                (200, who),
                "{cookie}"
            );
            // A cookie that a newer login may have set is left alone.
            assert_eq!(
                answer.set_cookies().len(),
                usize::from(malformed),
                "{cookie} {who}"
            );
            assert_eq!(
                visitor.cookie("remember").is_none(),
                malformed,
                "{cookie} {who}"
            );
        }
    }
}

#[tokio::test]
async fn neither_use_nor_another_login_extends_a_series() {
    let mut world = world();
    let mut other = world.browser.another();
    world.browser.post("/remember-for/10").await;
    let mut left = 10;
    for verb in ["/who", "/confirm", "/rotate", "/put/a/b"] {
        world.clock.advance(2 * DAY);
        left -= 2;
        world.browser.restart();
        let restored = world.browser.get("/who").await;
        assert_eq!(&*restored.body, "alice", "{verb}");
        assert_eq!(max_age(&restored), left * DAY, "{verb}");
        let after = world.browser.post(verb).await.set_cookies();
        assert!(!after.iter().any(|cookie| cookie.starts_with(REMEMBER)));
        other.post("/remember-for/300").await;
    }
    world.clock.advance(2 * DAY);
    world.browser.restart();
    assert_eq!(world.browser.get("/who").await.body, "nobody");
    assert_eq!(other.get("/who").await.body, "alice");
    other.restart();
    assert_eq!(other.get("/who").await.body, "alice");
}
