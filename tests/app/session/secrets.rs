//! Session secrets: the browser has the secret and the store its digest.

use std::collections::HashSet;

use axum::body::Body;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use http::{Method, header};
use login_manager::{MemoryStore, store::SessionRecord};

use crate::support::{
    browser::Browser,
    world::{Named, People, REMEMBER, SESSION, World},
};

/// How many bytes a session cookie holds: 16 of id, 32 of secret.
const SESSION_BYTES: usize = 48;
/// A remember cookie has two secrets.
const REMEMBER_BYTES: usize = 80;

/// A well-formed session cookie that was never issued.
fn made_up() -> String {
    made_up_of::<SESSION_BYTES>()
}

fn made_up_of<const BYTES: usize>() -> String {
    let mut bytes = [0; BYTES];
    for (at, byte) in (0_u8..).zip(&mut bytes) {
        *byte = at.wrapping_mul(7).wrapping_add(3);
    }
    Base64UrlUnpadded::encode_string(&bytes)
}

pub fn dump(record: &SessionRecord) -> Vec<u8> {
    let mut bytes = record.id.as_bytes().to_vec();
    bytes.extend(record.owner.iter().flat_map(|owner| owner.bytes()));
    for number in [record.created, record.touched, record.expires, record.ends] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend(&*record.payload);
    bytes
}

pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

#[tokio::test]
async fn session_ids_and_secrets_are_random_bits() {
    const TOKENS: i32 = 2000;
    let World { mut browser, .. } = World::new();
    let mut ones = [0_i32; 8 * SESSION_BYTES];
    let mut seen = HashSet::new();
    for _ in 0..TOKENS {
        browser.forget_cookies();
        browser.post("/login/alice").await;
        let token = Base64UrlUnpadded::decode_vec(&browser.cookie("session").unwrap()).unwrap();
        assert_eq!(token.len(), SESSION_BYTES);
        for (bit, ones) in ones.iter_mut().enumerate() {
            *ones += i32::from(token[bit / 8] >> (bit % 8) & 1);
        }
        assert!(seen.insert(token));
    }
    // Six standard deviations: one run in two million errs.
    let deviation = 6.0 * f64::from(TOKENS).sqrt() / 2.0;
    for ones in ones {
        assert!(f64::from(ones - TOKENS / 2).abs() < deviation, "{ones}");
    }
}

#[tokio::test]
async fn dump_of_the_store_opens_no_session() {
    let mut world = World::new();
    world.browser.post("/put/cart/apples").await;
    let anonymous = world.token();
    let [before] = &world.store.inner.records()[..] else {
        panic!()
    };
    let mut dumped = dump(before);
    world.browser.post("/login/alice").await;
    let token = world.token();
    let records = world.store.inner.records();
    records
        .iter()
        .for_each(|record| dumped.extend(dump(record)));
    let record = records
        .iter()
        .find(|record| record.owner.is_some())
        .unwrap();

    for token in [&anonymous, &token] {
        let decoded = Base64UrlUnpadded::decode_vec(token).unwrap();
        // The id is the store's key; the secret is not there.
        for secret in [token.as_bytes(), &decoded[16..]] {
            for window in secret.windows(8) {
                assert!(!contains(&dumped, window));
            }
        }
    }
    let hex: String = record
        .id
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let stored = [
        Base64UrlUnpadded::encode_string(record.id.as_bytes()),
        hex,
        record.id.to_string(),
        record.owner.as_deref().unwrap().to_owned(),
    ];
    for stored in stored {
        assert_eq!(world.who_has(&stored).await, "nobody", "{stored}");
    }
    assert_eq!(world.who_has(&token).await, "alice");
}

#[tokio::test]
async fn store_does_not_contain_the_security_stamp() {
    let mut world = World::new();
    world.browser.post("/login/alice").await;
    let stamp = world.accounts.get(1).unwrap().stamp;
    for record in world.store.inner.records() {
        assert!(!contains(&dump(&record), stamp.as_bytes()));
    }
}

#[tokio::test]
async fn unknown_session_cookie_is_never_adopted() {
    let planted = made_up();
    for change in ["/put/cart/apples", "/login/alice", "/do/put,alice,rotate"] {
        let mut world = World::new();
        world.browser.plant(SESSION, &planted);
        assert_eq!(world.browser.get("/who").await.body, "nobody");
        assert_eq!(world.browser.get("/why").await.body, "Some(UnknownSession)");
        world.browser.post("/confirm").await;
        world.browser.post("/rotate").await;
        assert_eq!(world.store.inner.len(), 0, "looking makes no record");

        world.browser.post(change).await;
        assert_eq!(world.store.inner.len(), 1);
        assert_ne!(world.token(), planted);
        assert_eq!(world.who_has(&planted).await, "nobody");
        assert_eq!(world.store.inner.len(), 1);
    }
}

#[tokio::test]
async fn unknown_cookie_creates_no_record_and_is_not_sent_back() {
    let token = made_up();
    let series = made_up_of::<REMEMBER_BYTES>();
    for planted in [
        &[(SESSION, &token)][..],
        &[(REMEMBER, &series)],
        &[(SESSION, &token), (REMEMBER, &series)],
    ] {
        let mut world = World::new();
        for (name, value) in planted {
            world.browser.plant(name, value);
        }
        for page in ["/", "/who", "/me", "/how", "/get/cart"] {
            assert_eq!(
                world.browser.get(page).await.set_cookies(),
                [""; 0],
                "{page}"
            );
        }
        for verb in ["/confirm", "/rotate", "/logout"] {
            world.browser.clone().post(verb).await;
        }
        assert!(world.store.inner.is_empty());
        for change in ["/put/cart/apples", "/remember/alice"] {
            let answer = world.browser.clone().post(change).await;
            assert!(!answer.set_cookies().is_empty(), "{change}");
            for cookie in answer.set_cookies() {
                assert!(!cookie.contains(&token), "{change}: {cookie}");
                assert!(!cookie.contains(&series), "{change}: {cookie}");
            }
        }
        for record in world.store.inner.records() {
            assert!(!contains(&dump(&record), token.as_bytes()));
        }
    }
}

/// How long a store looks for a key may tell how much of it was right. Of a secret it tells
/// nothing.
#[tokio::test]
async fn store_is_called_with_the_id_and_never_with_a_secret() {
    let world = World::new();
    for (name, length) in [(SESSION, SESSION_BYTES), (REMEMBER, REMEMBER_BYTES)] {
        let token = Base64UrlUnpadded::decode_vec(&match length {
            SESSION_BYTES => made_up(),
            _ => made_up_of::<REMEMBER_BYTES>(),
        })
        .unwrap();
        for bit in [128, 255, 8 * length - 1] {
            let mut token = token.clone();
            token[bit / 8] ^= 1 << (bit % 8);
            let cookie = format!("{name}={}", Base64UrlUnpadded::encode_string(&token));
            world.store.take_asked();
            world.browser.get_with_cookies("/who", &[cookie]).await;
            let [id] = world.store.take_asked()[..] else {
                panic!("it is asked once")
            };
            assert_eq!(id.as_bytes(), &token[..16], "{name}");
        }
    }
}

#[tokio::test]
async fn forged_cookies_do_not_fill_the_store() {
    let world = World::new();
    for made_up in 0_u8..=255 {
        let token = Base64UrlUnpadded::encode_string(&[made_up; SESSION_BYTES]);
        assert_eq!(world.who_has(&token).await, "nobody");
    }
    assert!(world.store.inner.is_empty());
}

#[tokio::test]
async fn session_secret_is_read_from_the_cookie_only() {
    let mut world = World::new();
    world.browser.post("/login/alice").await;
    let token = world.token();
    let stranger = world.browser.another();
    let pair = format!("{SESSION}={token}");

    let mut requests = vec![
        stranger.request(
            Method::GET,
            &format!("/who?{pair}&session={token}&id={token}"),
        ),
        stranger.request(Method::GET, &format!("/who?{token}")),
    ];
    for header in [
        "x-session",
        "x-session-id",
        "set-cookie",
        "cookie2",
        SESSION,
        "x-cookie",
    ] {
        for value in [&token, &pair] {
            let mut request = stranger.request(Method::GET, "/who");
            let name: header::HeaderName = header.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
            requests.push(request);
        }
    }
    for scheme in ["Bearer", "Session", "Token", "Basic"] {
        let mut request = stranger.request(Method::GET, "/who");
        let value = format!("{scheme} {token}").parse().unwrap();
        request.headers_mut().insert(header::AUTHORIZATION, value);
        requests.push(request);
    }
    let mut form = stranger
        .request(Method::GET, "/who")
        .map(|_| Body::from(pair));
    let media_type = "application/x-www-form-urlencoded".parse().unwrap();
    form.headers_mut().insert(header::CONTENT_TYPE, media_type);
    requests.push(form);

    world.store.take_calls();
    for request in requests {
        let described = format!("{} {:?}", request.uri(), request.headers());
        let mut stranger = stranger.clone();
        assert_eq!(
            stranger.deliver(request).await.body,
            "nobody",
            "{described}"
        );
    }
    assert_eq!(world.store.take_calls(), []);
}

#[tokio::test]
async fn malformed_session_cookie_costs_no_store_call() {
    let mut world = World::new();
    world.browser.post("/login/alice").await;
    let token = world.token();
    assert_eq!(token.len(), 64);
    let (most, _) = token.split_at(63);
    let mut malformed: Vec<Vec<u8>> = Vec::from(
        [
            String::new(),
            "x".into(),
            "null".into(),
            most.into(),
            format!("{token}A"),
            format!("{token}="),
            format!("{token}=="),
            format!("{most} "),
            format!("{most}+"),
            format!("{most}/"),
            format!("{most}%41"),
            format!("\"{token}\""),
            format!("%{:02x}{}", token.as_bytes()[0], &token[1..]),
            format!("{token},{token}"),
            format!("{token}\u{a0}"),
            format!("{}\u{e9}", &token[..62]),
            token.repeat(100),
            "A".repeat(4000),
            "../../etc/passwd".into(),
            "{\"user\":1}".into(),
        ]
        .map(String::into_bytes),
    );
    malformed.push([most.as_bytes(), b"\xff"].concat());
    malformed.push(vec![0x80; 64]);

    world.store.take_calls();
    for value in malformed {
        let cookie = [SESSION.as_bytes(), b"=", &value].concat();
        let answer = world.browser.get_with_cookies("/who", &[&cookie]).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (200, "nobody"),
            "{}",
            value.escape_ascii()
        );
        assert_eq!(world.store.take_calls(), [], "{}", value.escape_ascii());
    }
    assert_eq!(world.who_has(&token).await, "alice");
}

/// The last character has two bits to spare: these spell the same bytes, but not as we do.
#[tokio::test]
async fn remember_cookie_in_another_spelling_is_malformed() {
    let mut world = World::new();
    world.browser.post("/remember/alice").await;
    let token = world.browser.cookie("remember").unwrap();
    assert_eq!(token.len(), 107);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (most, last) = token.split_at(106);
    let at = alphabet.find(last).unwrap();
    world.store.take_calls();
    for spare in 1..4 {
        let cookie = format!("{REMEMBER}={most}{}", &alphabet[at + spare..=at + spare]);
        let answer = world.browser.get_with_cookies("/who", &[cookie]).await;
        assert_eq!(answer.body, "nobody");
        assert_eq!(world.store.take_calls(), []);
    }
    let cookie = format!("{REMEMBER}={token}");
    let answer = world.browser.get_with_cookies("/who", &[cookie]).await;
    assert_eq!(answer.body, "alice");
}

#[tokio::test]
async fn malformed_session_cookie_is_reported_as_malformed() {
    let World { browser, .. } = World::new();
    for value in ["", "x", &"A".repeat(63), &"A".repeat(65), &"A".repeat(4000)] {
        let cookie = format!("{SESSION}={value}");
        let answer = browser.get_with_cookies("/why", &[cookie]).await;
        assert_eq!(
            answer.body,
            "Some(MalformedCookie)",
            "{} bytes",
            value.len()
        );
    }
}

#[tokio::test]
async fn session_id_that_exists_already_is_a_store_failure() {
    for path in ["/login/alice", "/put/cart/apples"] {
        let mut world = World::new();
        world.store.collide(usize::MAX);
        let answer = world.browser.post(path).await;
        assert_eq!(answer.status, 503, "{path}");
        assert_eq!(answer.set_cookies(), [""; 0]);
        assert!(world.store.take_calls().len() < 20, "it gives up soon");
        world.store.collide(0);
        assert_eq!(world.browser.get("/who").await.body, "nobody");
        assert!(world.store.inner.is_empty());
    }
}

#[tokio::test]
async fn cookies_contain_nothing_about_the_user() {
    let people = People::new([Named("alice@example.org".into())]);
    let app = people.routes().layer(people.manager(MemoryStore::new()));
    let mut values = Vec::new();
    for _ in 0..2 {
        let mut browser = Browser::new(app.clone());
        assert_eq!(browser.post("/login/0").await.body, "in");
        for name in browser.cookie_names() {
            let decoded = Base64UrlUnpadded::decode_vec(&browser.cookie(name).unwrap()).unwrap();
            for part in ["alice", "exam", "Named", "user"] {
                assert!(!contains(&decoded, part.as_bytes()), "{part}");
            }
            values.push(decoded);
        }
    }
    // The same user in the same second: no part of the value is the same.
    let [one, other] = &values[..] else { panic!() };
    let equal = one.iter().zip(other).filter(|(one, other)| one == other);
    assert!(equal.count() < 8);
}

#[tokio::test]
async fn cookie_names_do_not_reveal_the_crate() {
    let World { mut browser, .. } = World::new();
    browser.post("/login/alice").await;
    for name in browser.cookie_names() {
        for word in ["login-manager", "login_manager", "flask", "tower", "axum"] {
            assert!(!name.to_lowercase().contains(word), "{name}");
        }
    }
}

#[tokio::test]
async fn session_secret_is_invalid_under_another_cookie_name() {
    let mut world = World::new();
    world.browser.post("/login/alice").await;
    let token = world.token();
    for name in [
        REMEMBER,
        "__Host-accounts-session",
        "__Secure-account-session",
        "account-session",
        "session",
        "remember_token",
    ] {
        let cookie = format!("{name}={token}");
        let answer = world.browser.get_with_cookies("/who", &[cookie]).await;
        assert_eq!(answer.body, "nobody", "{name}");
    }
}
