//! The cookies of each configuration, and rejected configurations.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use login_manager::{
    LoginManager,
    manager::{Cookies, LoginPage, NextIn, RememberMe, SameSite, Timeouts},
};
use tracing::Level;

use crate::support::{
    log::{Log, panic_message},
    world::{Account, SESSION, World, routes},
};

type Configure = fn(LoginManager<Account>) -> LoginManager<Account>;

fn configured(configure: Configure) -> World {
    World::with(routes, configure)
}

#[tokio::test]
async fn each_configuration_sets_exactly_its_attributes() {
    let cases: [(Configure, &str, &[&str]); 12] = [
        (
            |manager| manager,
            SESSION,
            &["HttpOnly", "SameSite=Lax", "Secure", "Path=/"],
        ),
        (
            |manager| manager.with_cookies(Cookies::new().same_site(SameSite::Strict)),
            SESSION,
            &["HttpOnly", "SameSite=Strict", "Secure", "Path=/"],
        ),
        (
            |manager| manager.with_cookies(Cookies::new().same_site(SameSite::None)),
            SESSION,
            &["HttpOnly", "SameSite=None", "Secure", "Path=/"],
        ),
        (
            |manager| manager.with_cookies(Cookies::new().same_site(SameSite::None).partitioned()),
            SESSION,
            &[
                "HttpOnly",
                "SameSite=None",
                "Partitioned",
                "Secure",
                "Path=/",
            ],
        ),
        (
            |manager| manager.with_cookies(Cookies::new().domain("app.example")),
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
            |manager| manager.with_cookies(Cookies::new().path("/do")),
            "__Secure-account-session",
            &["HttpOnly", "SameSite=Lax", "Secure", "Path=/do"],
        ),
        (
            |manager| manager.with_cookies(Cookies::new().domain("app.example").path("/do")),
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
            |manager| manager.with_cookies(Cookies::new().insecure()),
            "account-session",
            &["HttpOnly", "SameSite=Lax", "Path=/"],
        ),
        (
            |manager| manager.with_cookies(Cookies::new().insecure().domain("app.example")),
            "account-session",
            &["HttpOnly", "SameSite=Lax", "Path=/", "Domain=app.example"],
        ),
        (
            |manager| manager.with_realm("shop::customers"),
            "__Host-customers-session",
            &["HttpOnly", "SameSite=Lax", "Secure", "Path=/"],
        ),
        (
            // The names have the prefix that newer browsers know.
            |manager| {
                manager.with_cookies(Cookies::new().names("Http-sid-session", "Http-sid-remember"))
            },
            "__Host-Http-sid-session",
            &["HttpOnly", "SameSite=Lax", "Secure", "Path=/"],
        ),
        (
            |manager| {
                manager
                    .with_cookies(
                        Cookies::new()
                            .names("sid-session", "sid-remember")
                            .path("/do"),
                    )
                    .with_realm("another")
            },
            "__Secure-sid-session",
            &["HttpOnly", "SameSite=Lax", "Secure", "Path=/do"],
        ),
    ];
    for (configure, name, attributes) in cases {
        let mut world = configured(configure);
        let mut set = Vec::new();
        for verbs in [
            "/do/put",
            "/do/alice",
            "/do/rotate",
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
        let [removed, remember] = &world.browser.post("/do/logout").await.set_cookies()[..] else {
            panic!("{name}")
        };
        assert_eq!(*remember, removed.replace("-session=", "-remember="));
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
async fn cookies_written_in_each_configuration_are_read_back() {
    let cases: [Configure; 5] = [
        |manager| manager,
        |manager| manager.with_cookies(Cookies::new().domain("app.example")),
        |manager| manager.with_realm("a.very-odd:realm_0"),
        |manager| manager.with_cookies(Cookies::new().insecure()),
        |manager| manager.with_cookies(Cookies::new().same_site(SameSite::None)),
    ];
    for configure in cases {
        let mut world = configured(configure);
        world.browser.post("/login/alice").await;
        let names = world.browser.cookie_names().join(" ");
        assert_eq!(world.browser.get("/who").await.body, "alice", "{names}");
    }
}

/// A cookie's name, and its attributes without those that say until when.
fn attributes(cookie: &str) -> (String, BTreeSet<String>) {
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    let attributes = attributes
        .split("; ")
        .filter(|part| !part.starts_with("Max-Age=") && !part.starts_with("Expires="))
        .map(str::to_owned)
        .collect();
    (pair.split_once('=').unwrap().0.to_owned(), attributes)
}

#[tokio::test]
async fn cookies_are_deleted_with_the_attributes_they_were_set_with() {
    let cases: [Configure; 6] = [
        |manager| manager,
        |manager| manager.with_cookies(Cookies::new().domain("app.example")),
        |manager| manager.with_cookies(Cookies::new().path("/do")),
        |manager| manager.with_cookies(Cookies::new().same_site(SameSite::Strict)),
        |manager| manager.with_cookies(Cookies::new().names("sid", "rid")),
        |manager| manager.with_cookies(Cookies::new().insecure()),
    ];
    for configure in cases {
        let mut world = World::with(routes, |manager| {
            configure(manager).with_login_page(LoginPage::new("/login").next_in(NextIn::Cookie))
        });
        let refused = world.browser.get("/me").await;
        let mut set = refused.set_cookies();
        assert_eq!(set.len(), 1, "the way back");
        let next = attributes(&set[0]).0;
        world.browser.plant(&next, "L21l");
        let login = world.browser.post("/do/remember-alice").await;
        let (removed, others): (Vec<_>, Vec<_>) = login
            .set_cookies()
            .into_iter()
            .partition(|cookie| cookie.contains("Max-Age=0"));
        set.extend(others);
        let mut removed: Vec<_> = removed;
        removed.extend(world.browser.post("/do/logout").await.set_cookies());
        assert!(removed.iter().all(|cookie| cookie.contains("Max-Age=0")));

        let set: BTreeMap<_, _> = set.iter().map(|cookie| attributes(cookie)).collect();
        let removed: BTreeMap<_, _> = removed.iter().map(|cookie| attributes(cookie)).collect();
        assert_eq!(set.len(), 3, "{set:?}");
        assert_eq!(set, removed);
    }
}

/// Browsers keep 4096 bytes of name and value, and attributes of 1024 (RFC 6265bis, 5.6).
#[tokio::test]
async fn longest_configurable_cookies_fit_browser_limits() {
    let domain = format!("{}.example", vec!["d".repeat(60); 4].join("."));
    let path = format!("/{}", "p".repeat(1023));
    type Manager = LoginManager<Account>;
    let cases: [&dyn Fn(Manager) -> Manager; 3] = [
        &|manager| manager.with_cookies(Cookies::new().names("s".repeat(64), "r".repeat(64))),
        &|manager| manager.with_realm(&"r".repeat(64)),
        &|manager| {
            manager.with_cookies(
                Cookies::new()
                    .names("s".repeat(64), "r".repeat(64))
                    .domain(domain.clone())
                    .path(path.clone()),
            )
        },
    ];
    for configure in cases {
        let mut world = World::with(routes, |manager| {
            configure(manager).with_login_page(LoginPage::new("/login").next_in(NextIn::Cookie))
        });
        let longest = format!("/me?{}", "q".repeat(2048 - "/me?".len()));
        let mut cookies = world.browser.get(&longest).await.set_cookies();
        assert_eq!(cookies.len(), 1, "the longest way back is kept");
        cookies.extend(world.browser.post("/do/remember-alice").await.set_cookies());
        cookies.extend(world.browser.post("/do/logout").await.set_cookies());
        assert!(cookies.len() >= 5);
        for cookie in &cookies {
            let mut parts = cookie.split("; ");
            let pair = parts.next().unwrap();
            assert!(pair.len() - "=".len() <= 4096, "{} bytes", pair.len());
            for attribute in parts {
                let value = attribute.split_once('=').map_or("", |(_, value)| value);
                assert!(value.len() <= 1024, "{attribute}");
            }
        }
        let longer = world.browser.get(&format!("{longest}q")).await;
        assert_eq!(longer.set_cookies(), [""; 0], "a longer one isn't");
    }
}

#[tokio::test]
async fn custom_cookie_names_get_the_strictest_allowed_prefix() {
    let mut world =
        configured(|manager| manager.with_cookies(Cookies::new().names("Http-sid", "Http-rid")));
    world.browser.post("/remember/alice").await;
    assert_eq!(
        world.browser.cookie_names(),
        ["__Host-Http-rid", "__Host-Http-sid"]
    );
    world.browser.forget("__Host-Http-sid");
    assert_eq!(world.browser.get("/who").await.body, "alice");
    world.browser.post("/logout").await;
    assert_eq!(world.browser.cookie_names(), [""; 0]);
}

#[tokio::test]
async fn invalid_cookie_names_are_rejected() {
    let long = "n".repeat(65);
    let bad = [
        "",
        "a b",
        "a;b",
        "a=b",
        "s\u{e9}",
        "a\r\nb",
        "__Host-sid",
        "__Secure-sid",
        "__Http-sid",
        &long,
    ];
    for name in bad {
        for (session, remember) in [(name, "rid"), ("sid", name)] {
            let cookies = Cookies::new().names(session.to_owned(), remember.to_owned());
            let error = cookies.check().unwrap_err();
            assert!(error.to_string().contains(&format!("{name:?}")), "{error}");
        }
    }
    for (session, remember) in [("sid", "sid-next"), ("a-session", "A-next")] {
        let error = Cookies::new().names(session, remember).check().unwrap_err();
        assert!(error.to_string().contains("keeps `next`"));
    }
    let same = Cookies::new().names("sid", "SID").check();
    assert!(same.unwrap_err().to_string().contains("\"SID\""));
}

#[tokio::test]
async fn cookie_with_a_path_is_sent_only_below_it() {
    let mut world = configured(|manager| manager.with_cookies(Cookies::new().path("/do")));
    world.browser.post("/do/alice").await;
    assert_eq!(world.browser.post("/do/rotate").await.body, "alice");
    assert_eq!(world.browser.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn configurations_that_browsers_reject_are_errors() {
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
    let cookies = Cookies::new;
    let refused = (domains
        .iter()
        .map(|&given| (given, cookies().domain(given.to_owned()).check())))
    .chain(
        paths
            .iter()
            .map(|&given| (given, cookies().path(given.to_owned()).check())),
    );
    for (given, result) in refused {
        let Err(error) = result else {
            panic!("{given:?} is accepted");
        };
        let error = error.to_string();
        assert!(error.contains(&format!("{given:?}")), "{error}");
    }
    for given in realms {
        let error = panic_message(|| World::new().manager.with_realm(given));
        assert!(error.contains(&format!("{given:?}")), "{error}");
    }
    for cookies in [
        cookies().insecure().same_site(SameSite::None),
        cookies().same_site(SameSite::None).insecure(),
        cookies().same_site(SameSite::None).partitioned().insecure(),
    ] {
        assert!(cookies.check().unwrap_err().to_string().contains("None"));
    }
    for same_site in [SameSite::Lax, SameSite::Strict] {
        let error = cookies().partitioned().same_site(same_site).check();
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains(&format!("SameSite={same_site:?}")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn manager_does_not_start_with_an_invalid_setting() {
    let manager = || World::new().manager;
    let second = Duration::from_secs(1);
    for (setting, message) in [
        (
            "Cookies::path",
            panic_message(|| manager().with_cookies(Cookies::new().path("x"))),
        ),
        (
            "LoginPage::new",
            panic_message(|| manager().with_login_page("login")),
        ),
        (
            "RememberMe::sliding",
            panic_message(|| {
                manager().with_remember_me(RememberMe::new().sliding(2 * second, second))
            }),
        ),
        (
            "Timeouts::new",
            panic_message(|| manager().with_timeouts(Timeouts::new(second, second / 2))),
        ),
        ("with_realm", panic_message(|| manager().with_realm("a b"))),
        (
            "with_challenge",
            panic_message(|| manager().with_challenge("a\r\nb")),
        ),
        (
            "with_challenge",
            panic_message(|| manager().with_challenge("")),
        ),
        (
            "with_max_sessions",
            panic_message(|| manager().with_max_sessions(0)),
        ),
        (
            "with_fresh_for",
            panic_message(|| manager().with_fresh_for(second / 2)),
        ),
        (
            "with_deadline",
            panic_message(|| manager().with_deadline(Duration::ZERO)),
        ),
    ] {
        assert!(message.starts_with(&format!("{setting}: ")), "{message}");
        assert!(message.contains(" is not accepted; "), "{message}");
    }
}

#[tokio::test]
async fn no_request_header_changes_the_secure_attribute() {
    for (configure, secure) in [
        ((|manager| manager) as Configure, true),
        (
            |manager| manager.with_cookies(Cookies::new().insecure()),
            false,
        ),
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
            for verb in ["/login/alice", "/rotate", "/logout"] {
                let cookies = world.browser.post(verb).await.set_cookies();
                assert!(!cookies.is_empty(), "{verb}");
                for cookie in cookies {
                    assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
                }
            }
        }
    }
}

#[tokio::test]
async fn insecure_cookies_are_logged_as_a_warning() {
    let log = Log::listen();
    let World { manager, .. } = World::new();
    assert_eq!(log.at(Level::WARN), [""; 0]);
    drop(manager.with_cookies(Cookies::new().insecure()));
    let [warning] = &log.at(Level::WARN)[..] else {
        panic!()
    };
    assert!(warning.contains("http"), "{warning}");
}
