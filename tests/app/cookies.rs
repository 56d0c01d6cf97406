//! What is written to the browser, and what is read from it.

use std::time::{Duration, Instant};

use login_manager::{ConfigError, EventKind, LoginManager, MemoryStore, SameSite};
use tracing::Level;

use crate::{
    browser::Browser,
    faulty_store::Call,
    log::Log,
    world::{Account, Named, People, SESSION, World, routes},
};

type Configure = fn(LoginManager<Account>) -> Result<LoginManager<Account>, ConfigError>;

fn configured(configure: Configure) -> World {
    World::with(routes, |manager| configure(manager).unwrap())
}

#[tokio::test]
async fn e1_every_configuration_has_exactly_its_attributes_set_and_deleted() {
    let cases: [(Configure, &str, &[&str]); 9] = [
        (
            Ok,
            "__Host-account-session",
            &["HttpOnly", "SameSite=Lax", "Secure", "Path=/"],
        ),
        (
            |manager| manager.with_same_site(SameSite::Strict),
            "__Host-account-session",
            &["HttpOnly", "SameSite=Strict", "Secure", "Path=/"],
        ),
        (
            |manager| manager.with_same_site(SameSite::None),
            "__Host-account-session",
            &["HttpOnly", "SameSite=None", "Secure", "Path=/"],
        ),
        (
            |manager| manager.with_cookie_domain("app.example"),
            "__Secure-account-session",
            &[
                "HttpOnly",
                "SameSite=Lax",
                "Secure",
                "Path=/",
                "Domain=app.example",
            ],
        ),
        (
            |manager| manager.with_cookie_path("/do"),
            "__Secure-account-session",
            &["HttpOnly", "SameSite=Lax", "Secure", "Path=/do"],
        ),
        (
            |manager| {
                manager
                    .with_cookie_domain("app.example")?
                    .with_cookie_path("/do")
            },
            "__Secure-account-session",
            &[
                "HttpOnly",
                "SameSite=Lax",
                "Secure",
                "Path=/do",
                "Domain=app.example",
            ],
        ),
        (
            LoginManager::with_insecure_cookies,
            "account-session",
            &["HttpOnly", "SameSite=Lax", "Path=/"],
        ),
        (
            |manager| {
                manager
                    .with_insecure_cookies()?
                    .with_cookie_domain("app.example")
            },
            "account-session",
            &["HttpOnly", "SameSite=Lax", "Path=/", "Domain=app.example"],
        ),
        (
            |manager| manager.with_realm("shop::customers"),
            "__Host-customers-session",
            &["HttpOnly", "SameSite=Lax", "Secure", "Path=/"],
        ),
    ];
    for (configure, name, attributes) in cases {
        let mut world = configured(configure);
        let mut set = Vec::new();
        for verbs in [
            "/do/put",
            "/do/alice",
            "/do/renew",
            "/do/confirm",
            "/do/alice",
        ] {
            let [cookie] = &world.browser.post(verbs).await.set_cookies()[..] else {
                panic!("{verbs} {name}")
            };
            set.push(cookie.clone());
        }
        assert_eq!(
            world.browser.cookie_names(),
            [name],
            "the browser accepts it"
        );
        let [removed] = &world.browser.post("/do/logout").await.set_cookies()[..] else {
            panic!("{name}")
        };
        assert_eq!(
            world.browser.cookie_names(),
            [""; 0],
            "the browser obeys it"
        );

        let sorted = |mut list: Vec<String>| {
            list.sort();
            list
        };
        let expected = sorted(
            attributes
                .iter()
                .map(|&attribute| attribute.into())
                .collect(),
        );
        for cookie in &set {
            assert_eq!(cookie.split('=').next(), Some(name));
            assert!(cookie.len() < 4096);
            let found = cookie.split("; ").skip(1).map(str::to_owned).collect();
            assert_eq!(sorted(found), expected, "{cookie}");
        }
        let mut parts = removed.split("; ").map(str::to_owned);
        assert_eq!(parts.next().unwrap(), format!("{name}="));
        let (ends, found): (Vec<_>, _) =
            parts.partition(|part| part.starts_with("Max-Age=") || part.starts_with("Expires="));
        assert_eq!(sorted(found), expected, "{removed}");
        assert!(ends.contains(&"Max-Age=0".to_owned()), "{removed}");
    }
}

#[tokio::test]
async fn p23_what_is_written_is_what_is_read_in_every_configuration() {
    let cases: [Configure; 5] = [
        Ok,
        |manager| manager.with_cookie_domain("app.example"),
        |manager| manager.with_realm("a.very-odd:realm_0"),
        LoginManager::with_insecure_cookies,
        |manager| manager.with_same_site(SameSite::None),
    ];
    for configure in cases {
        let mut world = configured(configure);
        world.browser.post("/login/alice").await;
        let names = world.browser.cookie_names().join(" ");
        assert_eq!(world.browser.get("/who").await.body, "alice", "{names}");
    }
}

#[tokio::test]
async fn e1_a_cookie_below_a_path_is_sent_below_it_only() {
    let mut world = configured(|manager| manager.with_cookie_path("/do"));
    world.browser.post("/do/alice").await;
    assert_eq!(world.browser.post("/do/renew").await.body, "alice");
    assert_eq!(world.browser.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn e2_what_browsers_would_refuse_is_refused_when_it_is_configured() {
    let manager = || World::new().manager;
    let long_realm = "r".repeat(65);
    let long_path = format!("/{}", "p".repeat(1024));
    let long_domain = format!("{}example", "a.".repeat(130));
    let domains = [
        "",
        ".",
        " ",
        "exa mple.org",
        "app.example;",
        "app.example; Secure",
        "app.example\r\nSet-Cookie: a=b",
        "a,b",
        "https://app.example",
        "app.example/",
        "app.example:443",
        "caf\u{e9}.example",
        "*.example",
        "a..b",
        "app\0.example",
        "\"app.example\"",
        &long_domain,
    ];
    let paths = [
        "",
        "app",
        "./app",
        "/app;",
        "/app; Domain=evil.example",
        "/a b",
        "/caf\u{e9}",
        "/a\r\nSet-Cookie: a=b",
        "/a\0b",
        "/\x7f",
        " /app",
        "\\app",
        &long_path,
    ];
    let realms = [
        "",
        " ",
        "a/b",
        "a b",
        "a;b",
        "a=b",
        "a\r\nb",
        "\0",
        "caf\u{e9}",
        "a<b>",
        &long_realm,
    ];
    let refused = (domains
        .iter()
        .map(|given| (given, manager().with_cookie_domain(given))))
    .chain(
        paths
            .iter()
            .map(|given| (given, manager().with_cookie_path(given))),
    )
    .chain(
        realms
            .iter()
            .map(|given| (given, manager().with_realm(given))),
    );
    for (given, result) in refused {
        let Err(error) = result else {
            panic!("{given:?} is accepted");
        };
        let error = error.to_string();
        assert!(error.contains(&format!("{given:?}")), "{error}");
    }
    for result in [
        manager()
            .with_insecure_cookies()
            .unwrap()
            .with_same_site(SameSite::None),
        manager()
            .with_same_site(SameSite::None)
            .unwrap()
            .with_insecure_cookies(),
    ] {
        assert!(result.unwrap_err().to_string().contains("None"));
    }
}

#[tokio::test]
async fn e3_whatever_the_verbs_and_their_order_one_cookie_says_how_it_ended() {
    const VERBS: [&str; 5] = ["alice", "logout", "renew", "confirm", "put"];
    let mut scripts = vec![Vec::new()];
    for length in 1..=4 {
        let longer: Vec<_> = scripts
            .iter()
            .filter(|script| script.len() == length - 1)
            .flat_map(|script| VERBS.map(|verb| [&script[..], &[verb]].concat()))
            .collect();
        scripts.extend(longer);
    }
    assert_eq!(scripts.len(), 1 + 5 + 25 + 125 + 625);
    for start in ["nobody", "visitor", "bob"] {
        for script in scripts.iter().skip(1) {
            let mut world = World::new();
            let (mut user, mut data) = ("nobody", false);
            match start {
                "visitor" => {
                    world.browser.post("/do/put").await;
                    data = true;
                }
                "bob" => {
                    world.browser.post("/do/bob,put").await;
                    (user, data) = ("bob", true);
                }
                _ => {}
            }
            let old = world.browser.cookie("session");
            let mut changed = false;
            for verb in script {
                match *verb {
                    "alice" => {
                        data &= user != "bob";
                        (user, changed) = ("alice", true);
                    }
                    "logout" => (user, data, changed) = ("nobody", false, true),
                    "put" => data = true,
                    "confirm" => changed |= user != "nobody",
                    _ => changed |= user != "nobody" || data,
                }
            }
            let described = format!("{start}: {script:?}");

            let answer = world
                .browser
                .post(&format!("/do/{}", script.join(",")))
                .await;
            assert_eq!(
                (answer.status.as_u16(), &*answer.body),
                (200, user),
                "{described}"
            );
            assert!(answer.set_cookies().len() <= 1, "{described}");
            assert_eq!(world.browser.get("/who").await.body, user, "{described}");
            let kept = world.browser.get("/get/key").await.body;
            assert_eq!(kept, if data { "value" } else { "" }, "{described}");
            let lives = data || user != "nobody";
            assert_eq!(world.store.inner.len(), usize::from(lives), "{described}");
            assert_eq!(
                world.browser.cookie("session").is_some(),
                lives,
                "{described}"
            );
            if let Some(old) = old.filter(|_| changed) {
                assert_ne!(
                    world.browser.cookie("session"),
                    Some(old.clone()),
                    "{described}"
                );
                assert_eq!(world.who_has(&old).await, "nobody", "{described}");
            }
        }
    }
}

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
async fn e5_a_name_is_read_by_its_exact_bytes() {
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
async fn e5_a_value_is_read_by_its_exact_bytes() {
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
async fn e6_our_name_twice_with_different_values_is_nobody() {
    let (world, alice, bob) = two_logins().await;
    for other in [&*bob, "", "garbage", &"x".repeat(1000)] {
        for (first, second) in [(&*alice, other), (other, &*alice)] {
            let pairs = [format!("{SESSION}={first}"), format!("{SESSION}={second}")];
            for headers in [vec![pairs.join("; ")], pairs.to_vec()] {
                let answer = world.browser.get_with_cookies("/why", &headers).await;
                assert_eq!(answer.body, "Some(AmbiguousCookie)");
                assert_eq!(answer.set_cookies(), [""; 0]);
                assert!(world.events.take().contains(&EventKind::AmbiguousCookie));
                assert_eq!(world.store.take_calls(), []);
            }
        }
    }
    let third = format!("{SESSION}={alice}; {SESSION}={alice}; {SESSION}={bob}");
    assert_eq!(
        world.browser.get_with_cookies("/who", &[third]).await.body,
        "nobody"
    );
    assert_eq!(
        world.who_has(&alice).await,
        "alice",
        "the session itself lives on"
    );
}

#[tokio::test]
async fn e6_our_name_twice_with_one_value_is_fine() {
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
async fn e6_a_login_is_possible_though_the_cookie_is_ambiguous() {
    let (world, alice, bob) = two_logins().await;
    let mut request = world
        .browser
        .another()
        .request(http::Method::POST, "/login/alice");
    let both = format!("{SESSION}={alice}; {SESSION}={bob}");
    request
        .headers_mut()
        .insert("cookie", both.parse().unwrap());
    let mut browser = world.browser.another();
    assert_eq!(browser.deliver(request).await.body, "alice");
    assert_eq!(browser.get("/who").await.body, "alice");
}

#[tokio::test]
async fn e7_garbage_in_other_cookies_does_not_touch_ours() {
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
async fn e8_a_full_jar_in_one_header_or_many_is_read() {
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
async fn e8_a_header_beyond_all_measure_is_nobody_at_once() {
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
        vec![format!("{SESSION}={}", "A".repeat(1 << 20))],
        many_headers,
    ];
    for headers in huge {
        let begin = headers[0].chars().take(30).collect::<String>();
        let start = Instant::now();
        let answer = world.browser.get_with_cookies("/who", &headers).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (200, "nobody"),
            "{begin}"
        );
        // Copying the header takes most of it; anything that isn't linear takes minutes.
        assert!(start.elapsed() < Duration::from_secs(2), "{begin}");
        assert_eq!(world.store.take_calls(), [], "{begin}");
        assert!(
            world.events.take().contains(&EventKind::AmbiguousCookie),
            "{begin}"
        );
    }
}

#[tokio::test]
async fn e10_nothing_of_a_user_reaches_a_header() {
    for id in [
        "a\r\nSet-Cookie: evil=1",
        "a; Domain=evil.example",
        "\0",
        "caf\u{e9}",
        "\"",
        "a,b",
    ] {
        let people = People::new([Named(id.into())]);
        let manager = people.manager(MemoryStore::new());
        let mut browser = Browser::new(people.routes().layer(manager));
        let answer = browser.post("/login/0").await;
        assert_eq!(answer.status, 200, "{id:?}");
        let [cookie] = &answer.set_cookies()[..] else {
            panic!("{id:?}")
        };
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        let (name, token) = pair.split_once('=').unwrap();
        assert_eq!((name, token.len()), ("__Host-named-session", 43));
        assert_eq!(attributes, "HttpOnly; SameSite=Lax; Secure; Path=/");
        assert_eq!(browser.get("/who").await.body, format!("<{id}>"));
    }
}

#[tokio::test]
async fn e10_nothing_of_the_address_reaches_a_header_as_it_is() {
    let World { mut browser, .. } = World::new();
    for uri in [
        "/me?a=%0d%0aSet-Cookie:%20a=b",
        "/me?a=;b&c=\"d\"",
        "/me?{|}^`<>",
    ] {
        let Ok(_) = uri.parse::<http::Uri>() else {
            continue;
        };
        let answer = browser.get(uri).await;
        assert_eq!(answer.status, 303, "{uri}");
        assert_eq!(answer.set_cookies(), [""; 0]);
        let (view, query) = answer.location().split_once('?').unwrap();
        assert_eq!(view, "/login");
        let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%=&".contains(&byte);
        assert!(query.bytes().all(harmless), "{query}");
    }
}

#[tokio::test]
async fn e11_no_header_turns_secure_off_and_none_turns_it_on() {
    for (configure, secure) in [
        (Ok as Configure, true),
        (LoginManager::with_insecure_cookies, false),
    ] {
        for scheme in ["http", "https"] {
            let mut world = configured(configure);
            for header in ["x-forwarded-proto", "x-forwarded-scheme", "x-scheme"] {
                world
                    .browser
                    .headers
                    .insert(header, scheme.parse().unwrap());
            }
            let forwarded = format!("proto={scheme}").parse().unwrap();
            world.browser.headers.insert("forwarded", forwarded);
            for verb in ["/login/alice", "/renew", "/logout"] {
                let [cookie] = &world.browser.post(verb).await.set_cookies()[..] else {
                    panic!()
                };
                assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
            }
        }
    }
}

#[tokio::test]
async fn e11_insecure_cookies_are_a_loud_choice() {
    let log = Log::listen();
    let World { manager, .. } = World::new();
    assert_eq!(log.at(Level::WARN), [""; 0]);
    manager.with_insecure_cookies().unwrap();
    let [warning] = &log.at(Level::WARN)[..] else {
        panic!()
    };
    assert!(warning.contains("http"), "{warning}");
}

#[tokio::test]
async fn e12_what_is_outside_or_does_not_ask_costs_nothing() {
    let outside = axum::Router::new().route("/static", axum::routing::get(|| async { "file" }));
    let mut world = World::new();
    world.browser.post("/login/alice").await;
    let cookie = world.browser.cookie_header("/").unwrap();
    let app = routes(&world.accounts)
        .layer(world.manager.clone())
        .merge(outside);
    let browser = Browser::new(app);
    let loads = world.accounts.loads();
    world.store.take_calls();
    for path in ["/static", "/", "/nowhere"] {
        let answer = browser.get_with_cookies(path, &[&cookie]).await;
        assert_eq!(world.store.take_calls(), [], "{path}");
        assert_eq!(world.accounts.loads(), loads, "{path}");
        for header in ["set-cookie", "vary", "cache-control"] {
            assert_eq!(answer.header(header), None, "{path}");
        }
    }
    let answer = browser.get_with_cookies("/who", &[&cookie]).await;
    assert_eq!(answer.body, "alice");
    assert_eq!(world.store.take_calls(), [Call::Load]);
}

#[tokio::test]
async fn a_user_type_of_any_name_has_a_cookie_that_browsers_take() {
    mod odd {
        #[derive(Clone)]
        pub struct Größe<T>(pub std::marker::PhantomData<T>);

        impl<T: Send + Sync + Clone + 'static> login_manager::AuthUser for Größe<T> {
            type Id = u8;

            fn id(&self) -> u8 {
                7
            }
        }
    }
    let people = People::new([odd::Größe::<Option<Vec<Account>>>(
        std::marker::PhantomData,
    )]);
    let manager = people.manager(MemoryStore::new());
    let mut browser = Browser::new(people.routes().layer(manager));
    browser.post("/login/0").await;
    let [name] = browser.cookie_names()[..] else {
        panic!()
    };
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    assert!(name.bytes().all(token), "{name}");
    assert!(name.starts_with("__Host-"), "{name}");
    assert_eq!(browser.get("/who").await.body, "<7>");
}
