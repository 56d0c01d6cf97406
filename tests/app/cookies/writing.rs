//! The cookies that a response sets.

use std::collections::BTreeSet;

use login_manager::MemoryStore;

use crate::support::{
    browser::Browser,
    faulty_store::Call,
    world::{Account, Named, People, REMEMBER, World, routes},
};

/// Sends these verbs in one request, which ends with this user. No cookie is set twice.
async fn perform(
    browser: &mut Browser,
    script: &[&str],
    user: &str,
    described: &str,
) -> Vec<String> {
    let answer = browser.post(&format!("/do/{}", script.join(","))).await;
    let ended = (answer.status.as_u16(), &*answer.body);
    assert_eq!(ended, (200, user), "{described}");
    let cookies = answer.set_cookies();
    let names = cookies.iter().map(|cookie| cookie.split('=').next());
    let names: BTreeSet<_> = names.collect();
    assert_eq!(names.len(), cookies.len(), "{described}: {cookies:?}");
    cookies
}

#[tokio::test]
async fn verbs_in_any_order_set_one_cookie_with_the_final_state() {
    const VERBS: [&str; 5] = ["alice", "logout", "rotate", "confirm", "put"];
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
            let cookies = perform(&mut world.browser, script, user, &described).await;
            assert!(cookies.len() <= 2, "{described}: {cookies:?}");
            assert_eq!(world.browser.get("/who").await.body, user, "{described}");
            let kept = world.browser.get("/get/key").await.body;
            assert_eq!(kept, if data { "value" } else { "" }, "{described}");
            let lives = data || user != "nobody";
            assert_eq!(world.live_sessions(), usize::from(lives), "{described}");
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
                world.let_grace_pass();
                assert_eq!(world.who_has(&old).await, "nobody", "{described}");
            }
        }
    }
}

#[tokio::test]
async fn last_verb_decides_about_session_and_remember_cookie() {
    const VERBS: [&str; 7] = [
        "alice",
        "remember-alice",
        "remember-bob",
        "logout",
        "rotate",
        "confirm",
        "put",
    ];
    let mut scripts: Vec<Vec<&str>> = VERBS.iter().map(|verb| vec![*verb]).collect();
    for length in 2..=3 {
        let longer: Vec<_> = scripts
            .iter()
            .filter(|script| script.len() == length - 1)
            .flat_map(|script| VERBS.map(|verb| [&script[..], &[verb]].concat()))
            .collect();
        scripts.extend(longer);
    }
    for start in [None, Some("remember-bob")] {
        for script in &scripts {
            let mut world = World::new();
            let (mut user, mut remembered, mut data) = ("nobody", false, false);
            if let Some(start) = start {
                world.browser.post(&format!("/do/{start}")).await;
                (user, remembered) = ("bob", true);
            }
            for verb in script {
                match *verb {
                    "logout" => (user, remembered, data) = ("nobody", false, false),
                    "put" => data = true,
                    "rotate" | "confirm" => {}
                    name => {
                        let next = name.trim_start_matches("remember-");
                        data &= user == "nobody" || user == next;
                        // A login by the same user keeps a browser remembered.
                        remembered = name != next || (remembered && user == next);
                        user = next;
                    }
                }
            }
            let described = format!("{start:?}: {script:?}");
            let cookies = perform(&mut world.browser, script, user, &described).await;
            let kept = world.browser.cookie("remember");
            assert_eq!(kept.is_some(), remembered, "{described}: {cookies:?}");
            assert_eq!(world.browser.get("/who").await.body, user, "{described}");
            let session = user != "nobody" || data;
            assert_eq!(world.live_sessions(), usize::from(session), "{described}");
            let mut later = world.browser.another();
            if let Some(kept) = kept {
                later.plant(REMEMBER, &kept);
            }
            let who = if remembered { user } else { "nobody" };
            assert_eq!(later.get("/who").await.body, who, "{described}");
        }
    }
}

#[tokio::test]
async fn no_part_of_a_user_id_reaches_a_header() {
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
        assert_eq!((name, token.len()), ("__Host-named-session", 64));
        assert_eq!(attributes, "HttpOnly; SameSite=Lax; Secure; Path=/");
        assert_eq!(browser.get("/who").await.body, format!("<{id}>"));
    }
}

#[tokio::test]
async fn uri_is_percent_encoded_before_it_enters_a_header() {
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
async fn routes_that_do_not_use_auth_make_no_store_call() {
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
async fn any_user_type_name_gives_a_valid_cookie_name() {
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
