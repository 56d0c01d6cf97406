//! Reading the cookies of a request: exact bytes, in linear time.

use std::time::{Duration, Instant};

use http::{HeaderValue, Method, Request};
use login_manager::manager::LoginPage;
use login_manager::{LoginManager, NextPath, event::EventKind, manager::NextIn};
use proptest::prelude::*;
use tracing::Level;

use crate::support::{
    browser::send,
    faulty_store::Call::Load,
    log::Log,
    world::{Account, REMEMBER, SESSION, World, routes},
};

async fn two_logins() -> (World, String, String) {
    let mut world = World::new();
    world.browser.post("/login/bob").await;
    let bob = world.token();
    world.browser.forget_cookies();
    world.browser.post("/login/alice").await;
    let alice = world.token();
    world.store.take_calls();
    world.events.take();
    (world, alice, bob)
}

#[tokio::test]
async fn cookie_name_is_compared_byte_by_byte() {
    let (world, alice, bob) = two_logins().await;
    let names: Vec<Vec<u8>> = [
        "__%48ost-account-session",
        "%5F%5FHost-account-session",
        "\u{2000}__Host-account-session",
        "\u{a0}__Host-account-session",
        "__Host-account-session\u{2000}",
        "\u{feff}__Host-account-session",
        "__host-account-session",
        "__HOST-ACCOUNT-SESSION",
        "__Host-Account-session",
        "=__Host-account-session",
        "\"__Host-account-session\"",
        "\"__Host-account-session",
        "$__Host-account-session",
        "$Version=1,__Host-account-session",
        "x__Host-account-session",
        "__Host-account-sessions",
        "__Host-account-session.",
        "__Host-account-session[]",
        "account-session",
        "__Secure-account-session",
        "__Host-account",
    ]
    .iter()
    .map(|name| name.as_bytes().to_vec())
    .chain([
        b"\xa0__Host-account-session".to_vec(),
        b"\x85__Host-account-session".to_vec(),
    ])
    .collect();
    let genuine = format!("{SESSION}={alice}").into_bytes();
    for name in names {
        let forged = [&*name, b"=", bob.as_bytes()].concat();
        let described = name.escape_ascii().to_string();
        let answer = world.browser.get_with_cookies("/who", &[&forged]).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (200, "nobody"),
            "{described}"
        );
        assert_eq!(world.store.take_calls(), [], "{described}");
        for both in [
            [&*forged, b"; ", &genuine].concat(),
            [&*genuine, b"; ", &forged].concat(),
        ] {
            let answer = world.browser.get_with_cookies("/who", &[both]).await;
            assert_eq!(answer.body, "alice", "{described}");
        }
        world.store.take_calls();
    }
}

#[tokio::test]
async fn cookie_value_is_compared_byte_by_byte() {
    let (world, alice, _) = two_logins().await;
    for value in [
        format!("\"{alice}\""),
        alice.replacen(&alice[..1], &format!("%{:02X}", alice.as_bytes()[0]), 1),
        format!("\u{a0}{alice}"),
        format!("={alice}"),
        format!("{alice}, {alice}"),
    ] {
        let cookie = format!("{SESSION}={value}");
        let answer = world.browser.get_with_cookies("/who", &[cookie]).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (200, "nobody"),
            "{value}"
        );
    }
    assert_eq!(world.store.take_calls(), []);
}

#[tokio::test]
async fn cookies_of_two_users_under_our_name_are_ambiguous() {
    let (world, alice, bob) = two_logins().await;
    for (first, second) in [(&alice, &bob), (&bob, &alice)] {
        let pairs = [format!("{SESSION}={first}"), format!("{SESSION}={second}")];
        for headers in [vec![pairs.join("; ")], pairs.to_vec()] {
            let answer = world.browser.get_with_cookies("/why", &headers).await;
            assert_eq!(answer.body, "Some(AmbiguousCookie)");
            assert_eq!(answer.set_cookies(), [""; 0]);
            assert!(world.events.take().contains(&EventKind::AmbiguousCookie));
            assert_eq!(world.store.take_calls(), [Load, Load]);
        }
    }
    let third = format!("{SESSION}={alice}; {SESSION}={alice}; {SESSION}={bob}");
    assert_eq!(
        world.browser.get_with_cookies("/who", &[third]).await.body,
        "nobody"
    );
    for (token, name) in [(alice, "alice"), (bob, "bob")] {
        assert_eq!(world.who_has(&token).await, name, "looking ends nothing");
    }
}

#[tokio::test]
async fn one_live_session_among_our_cookies_is_the_session() {
    let (world, alice, _) = two_logins().await;
    let made_up = "A".repeat(64);
    for (other, loads) in [
        ("", 1),
        ("garbage", 1),
        (&*"x".repeat(1000), 1),
        (&*made_up, 2),
    ] {
        for (first, second) in [(&*alice, other), (other, &*alice)] {
            let pairs = [format!("{SESSION}={first}"), format!("{SESSION}={second}")];
            for headers in [vec![pairs.join("; ")], pairs.to_vec()] {
                let answer = world.browser.get_with_cookies("/who", &headers).await;
                assert_eq!(answer.body, "alice", "{other}");
                assert_eq!(answer.set_cookies(), [""; 0]);
                assert_eq!(world.store.take_calls().len(), loads, "{other}");
            }
        }
    }
}

#[tokio::test]
async fn repeated_cookie_with_one_value_is_accepted() {
    let (world, alice, _) = two_logins().await;
    let pair = format!("{SESSION}={alice}");
    for headers in [
        vec![format!("{pair}; {pair}")],
        vec![pair.clone(), pair.clone()],
    ] {
        let answer = world.browser.get_with_cookies("/who", &headers).await;
        assert_eq!(answer.body, "alice");
    }
}

#[tokio::test]
async fn login_works_with_ambiguous_cookies() {
    let (world, alice, bob) = two_logins().await;
    let mut request = world
        .browser
        .another()
        .request(Method::POST, "/login/alice");
    let both = format!("{SESSION}={alice}; {SESSION}={bob}");
    request
        .headers_mut()
        .insert("cookie", both.parse().unwrap());
    let mut browser = world.browser.another();
    assert_eq!(browser.deliver(request).await.body, "alice");
    assert_eq!(browser.get("/who").await.body, "alice");
}

#[tokio::test]
async fn malformed_other_cookies_do_not_affect_ours() {
    let (world, alice, bob) = two_logins().await;
    let ours = format!("{SESSION}={alice}").into_bytes();
    let bobs = format!("=__Host-account-session={bob}");
    let corpus: [&[u8]; 22] = [
        b"",
        b";",
        b";;;",
        b" ; ; ",
        b"=",
        b"==",
        b"=x",
        b"x",
        b"x=",
        b"$Version=1",
        b"$Version=\"1\"; $Path=\"/\"",
        b"a=\"b",
        b"a=\"b\"",
        b"a=\xff\xfe",
        b"\xff=\xff",
        b"\x80",
        b"a=b,c=d",
        b"a=b=c=d",
        "caf\u{e9}=\u{1f4a1}".as_bytes(),
        b"a=%",
        b"a=\tb",
        bobs.as_bytes(),
    ];
    for garbage in corpus {
        for cookie in [
            [garbage, b"; ", &*ours].concat(),
            [&*ours, b"; ", garbage].concat(),
            [garbage, b";", &*ours, b";"].concat(),
        ] {
            let answer = world.browser.get_with_cookies("/who", &[&cookie]).await;
            assert_eq!(
                (answer.status.as_u16(), &*answer.body),
                (200, "alice"),
                "{}",
                cookie.escape_ascii()
            );
        }
        for headers in [[garbage, &*ours], [&*ours, garbage]] {
            let answer = world.browser.get_with_cookies("/who", &headers).await;
            assert_eq!(answer.body, "alice", "{}", garbage.escape_ascii());
        }
    }
}

#[tokio::test]
async fn many_cookies_in_one_or_more_headers_are_read() {
    let (world, alice, _) = two_logins().await;
    let mut pairs: Vec<_> = (0..60)
        .map(|n| format!("cookie{n}={}", "v".repeat(200)))
        .collect();
    pairs.insert(30, format!("{SESSION}={alice}"));
    for headers in [vec![pairs.join("; ")], pairs] {
        let answer = world.browser.get_with_cookies("/who", &headers).await;
        assert_eq!(answer.body, "alice", "{} headers", headers.len());
    }
}

#[tokio::test]
async fn headers_of_any_size_are_read_in_linear_time() {
    let (world, alice, _) = two_logins().await;
    let ours = format!("{SESSION}={alice}");
    let mut many_headers = vec!["a=b".to_owned(); 20_000];
    many_headers.push(ours.clone());
    let huge = [
        vec![format!("a={}; {ours}", "x".repeat(1 << 20))],
        vec![format!("{ours}; a={}", "x".repeat(1 << 20))],
        vec![format!("{}{ours}", "a=b; ".repeat(100_000))],
        vec![format!("{ours}{}", "; a=b".repeat(100_000))],
        vec![format!("{ours}{}", ";".repeat(1 << 20))],
        vec![format!("{ours};{}", " ".repeat(1 << 20))],
        vec![vec![ours.clone(); 100_000].join("; ")],
        vec![format!("{ours}; {SESSION}={}", "A".repeat(1 << 20))],
        many_headers,
    ];
    for headers in huge {
        let begin = headers[0].chars().take(30).collect::<String>();
        let start = Instant::now();
        let answer = world.browser.get_with_cookies("/who", &headers).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (200, "alice"),
            "{begin}"
        );
        // It takes milliseconds. Anything that isn't linear takes minutes, on any machine.
        assert!(start.elapsed() < Duration::from_secs(30), "{begin}");
        assert_eq!(world.store.take_calls(), [Load], "{begin}");
    }
}

const OURS: [&str; 3] = [SESSION, REMEMBER, "__Host-account-next"];

fn with_all_cookies(manager: LoginManager<Account>) -> LoginManager<Account> {
    manager.with_login_page(LoginPage::new("/login").next_in(NextIn::Cookie))
}

/// Reads all three cookies.
fn reads_all() -> World {
    World::with(
        |accounts| {
            let page = async |next: NextPath| next.or("-").to_owned();
            routes(accounts).route("/login", axum::routing::get(page))
        },
        with_all_cookies,
    )
}

#[tokio::test]
async fn malformed_cookies_cause_no_5xx_and_log_at_debug_only() {
    let world = reads_all();
    let long = [64, 200, 4_000, 20_000].map(|length| "A".repeat(length));
    let mut values: Vec<Vec<u8>> = [
        "",
        "x",
        "=",
        "==",
        ".",
        "..",
        "null",
        "\"\"",
        "%",
        "%00",
        "a b",
        "a,b",
        "\t",
        "é",
        "💡",
        "\u{feff}",
        "{\"id\":1}",
        "-1",
        "../..",
    ]
    .into_iter()
    .chain(long.iter().map(String::as_str))
    .map(|value| value.as_bytes().to_vec())
    .collect();
    values.extend([
        vec![0xff; 43],
        vec![0x80, 0xfe],
        [&[b'A'; 43][..], b".\xff"].concat(),
    ]);
    let log = Log::listen();
    for name in OURS {
        for value in &values {
            let pair = [name.as_bytes(), b"=", value].concat();
            let twice = [&pair[..], b"; ", name.as_bytes(), b"=other"].concat();
            for headers in [vec![pair.clone()], vec![twice], vec![pair.clone(), pair]] {
                let described = || headers[0].escape_ascii().to_string();
                for page in ["/", "/who", "/why", "/how", "/get/a", "/login"] {
                    let answer = world.browser.get_with_cookies(page, &headers).await;
                    assert_eq!(answer.status, 200, "{page}: {}", described());
                }
                let answer = world.browser.get_with_cookies("/me", &headers).await;
                assert_eq!(answer.status, 303, "{}", described());
            }
        }
    }
    for level in [Level::INFO, Level::WARN, Level::ERROR] {
        assert_eq!(log.at(level), [""; 0]);
    }
    assert!(world.store.inner.is_empty());
}

/// Bytes that are valid in a header, mostly those with a meaning in cookies.
fn header_value() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        4 => prop::sample::select(
            OURS.iter().map(|name| format!("{name}=").into_bytes()).collect::<Vec<_>>()
        ),
        2 => prop::sample::select(
            ["; ", ";", "=", ".", ",", "\"", "%", "$", "__Host-", "A", " "].map(|part| part.as_bytes().to_vec()).to_vec()
        ),
        2 => "[A-Za-z0-9_-]{43}".prop_map(String::into_bytes),
        1 => prop::collection::vec(0x20_u8..=0xff, 0..20),
    ];
    prop::collection::vec(word, 0..12).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn no_cookie_or_uri_makes_a_request_panic(
        cookies in prop::collection::vec(header_value(), 0..3),
        query in "[!-~]{0,40}",
        accept in header_value(),
        agent in header_value(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let world = reads_all();
            for path in ["/who", "/me", "/login", "/get/a", "/how"] {
                let Ok(mut request) = Request::builder()
                    .uri(format!("{path}?next=/{query}"))
                    .body(axum::body::Body::empty())
                else {
                    continue;
                };
                let headers = cookies
                    .iter()
                    .map(|value| ("cookie", value))
                    .chain([("accept", &accept), ("user-agent", &agent)]);
                for (name, value) in headers {
                    if let Ok(value) = HeaderValue::from_bytes(value) {
                        request.headers_mut().append(name, value);
                    }
                }
                let answer = send(&world.browser.app(), request).await;
                assert!(answer.status.as_u16() < 500, "{path}: {}", answer.status);
            }
        });
    }
}
