//! What is written to the browser, and what no configuration lets through.

use login_manager::{ConfigError, LoginManager, MemoryStore, SameSite};
use tracing::Level;

use crate::{
    browser::Browser,
    faulty_store::Call,
    log::Log,
    world::{Account, Named, People, World, routes},
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
