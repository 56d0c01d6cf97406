//! Which requests a guard lets through: the extractor and the layer give the same responses.

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::Request, middleware, routing::get};
use http::{HeaderMap, Method, header};
use login_manager::{Auth, CurrentUser, Error, LoginRequired, login_required};

use crate::support::{
    browser::Browser,
    doors::{DOORS, HTML, Runs, guarded, routes_beside, with_login_page},
    faulty_store::Fault,
    world::{Account, Accounts, World, routes},
};

#[tokio::test]
async fn extractor_and_layer_give_the_same_response() {
    let page_load: &[&[(&str, &str)]] = &[
        &[("accept", HTML)],
        &[("accept", HTML), ("sec-fetch-mode", "navigate")],
        &[
            ("accept", HTML),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ],
        &[("accept", HTML), ("sec-fetch-mode", "cors")],
        &[("accept", HTML), ("sec-fetch-mode", "same-origin")],
    ];
    let script: &[&[(&str, &str)]] = &[
        &[],
        &[("accept", "*/*")],
        &[("accept", "application/json")],
        &[("accept", "application/json, text/plain, */*")],
        &[("accept", HTML), ("x-requested-with", "XMLHttpRequest")],
        &[("accept", HTML), ("sec-fetch-mode", "no-cors")],
        &[("accept", HTML), ("sec-fetch-mode", "websocket")],
    ];
    let htmx: &[&[(&str, &str)]] = &[
        &[("accept", "*/*"), ("hx-request", "true")],
        &[("accept", HTML), ("hx-request", "true")],
        &[
            ("accept", "*/*"),
            ("hx-request", "true"),
            ("sec-fetch-mode", "cors"),
        ],
    ];
    let methods = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND",
    ];
    for view in [true, false] {
        for method in methods.map(|method| Method::from_bytes(method.as_bytes()).unwrap()) {
            let kinds = [("page", page_load), ("script", script), ("htmx", htmx)];
            for (kind, headers) in kinds
                .iter()
                .flat_map(|(kind, all)| all.iter().map(|headers| (*kind, *headers)))
            {
                let described = format!("{method} {view} {headers:?}");
                let mut answers = Vec::new();
                for door in DOORS {
                    let (mut world, runs) = door.world(|manager| {
                        if view {
                            with_login_page(manager)
                        } else {
                            manager
                        }
                    });
                    world.browser.headers = headers
                        .iter()
                        .map(|(name, value)| {
                            (
                                name.parse::<header::HeaderName>().unwrap(),
                                value.parse().unwrap(),
                            )
                        })
                        .collect::<HeaderMap>();
                    let answer = world.browser.send(method.clone(), "/me?tab=2").await;
                    assert_eq!(runs.take(), 0, "{described}");
                    assert_eq!(world.store.take_calls(), [], "{described}");
                    assert_eq!(answer.set_cookies(), [""; 0], "{described}");
                    assert_eq!(answer.body, "", "{described}");
                    answers.push(answer);
                }
                let [extractor, layer] = &answers[..] else {
                    panic!()
                };
                assert_eq!(
                    (extractor.status, &extractor.headers),
                    (layer.status, &layer.headers),
                    "{described}"
                );

                let repeatable = [Method::GET, Method::HEAD].contains(&method);
                let to_login = match (kind, repeatable) {
                    ("page", true) => "/login?next=/me%3Ftab%3D2&notice=login",
                    _ => "/login?notice=login",
                };
                let (location, hx) = (layer.header("location"), layer.header("hx-redirect"));
                if kind == "page" && view {
                    assert_eq!(
                        (layer.status.as_u16(), location, hx),
                        (303, Some(to_login), None),
                        "{described}"
                    );
                } else {
                    let expected = (kind == "htmx" && view).then_some(to_login);
                    assert_eq!(
                        (layer.status.as_u16(), location, hx),
                        (401, None, expected),
                        "{described}"
                    );
                    assert!(layer.header("www-authenticate").is_some(), "{described}");
                }
            }
        }
    }
}

#[tokio::test]
async fn guard_applies_to_every_method() {
    let methods = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND",
        "get", "X",
    ];
    let methods = methods.map(|method| Method::from_bytes(method.as_bytes()).unwrap());
    for door in DOORS {
        let (mut world, runs) = door.world(|manager| manager);
        for method in &methods {
            for path in ["/me", "/nowhere"] {
                let answer = world.browser.send(method.clone(), path).await;
                assert_eq!(answer.status, 401, "{door:?} {method} {path}");
                assert_eq!((&*answer.body, runs.take()), ("", 0), "{door:?} {method}");
            }
        }
    }
    // A forbidden user runs no handler either.
    let runs = Runs::default();
    let layer = login_required::<Account>().and(|account| account.admin);
    let mut world = World::with(guarded(layer, &runs), with_login_page);
    world.browser.post("/open/login/alice").await;
    for method in &methods {
        let answer = world.browser.send(method.clone(), "/me").await;
        assert_eq!((answer.status.as_u16(), runs.take()), (403, 0), "{method}");
    }
}

#[tokio::test]
async fn anonymous_options_runs_no_handler_and_head_acts_as_get() {
    for door in DOORS {
        let (mut world, runs) = door.world(with_login_page);
        let mut preflight = world.browser.request(Method::OPTIONS, "/me");
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("access-control-request-method", "POST"),
        ] {
            preflight.headers_mut().insert(name, value.parse().unwrap());
        }
        let answer = world.browser.deliver(preflight).await;
        assert_eq!((answer.status.as_u16(), runs.take()), (303, 0), "{door:?}");
        for header in ["allow", "access-control-allow-origin"] {
            assert_eq!(answer.header(header), None, "{door:?}");
        }
        for logged_in in [false, true] {
            if logged_in {
                world.browser.post("/open/login/alice").await;
            }
            for uri in ["/me?tab=2", "/open/who", "/open/me"] {
                let get = world.browser.get(uri).await;
                let ran = runs.take();
                let mut head = world.browser.send(Method::HEAD, uri).await;
                assert_eq!(runs.take(), ran, "{door:?} {uri}");
                assert_eq!(head.body, "");
                let mut headers = get.headers;
                for length in [&mut headers, &mut head.headers] {
                    length.remove("content-length");
                }
                assert_eq!(
                    (head.status, head.headers),
                    (get.status, headers),
                    "{door:?} {uri}"
                );
            }
        }
    }
}

#[tokio::test]
async fn guarded_handler_runs_once_for_every_method() {
    for door in DOORS {
        let (mut world, runs) = door.world(with_login_page);
        world.browser.post("/open/login/alice").await;
        for method in [Method::GET, Method::POST, Method::DELETE, Method::OPTIONS] {
            let answer = world.browser.send(method, "/me").await;
            assert_eq!(
                (answer.status.as_u16(), &*answer.body, runs.take()),
                (200, "secret", 1),
                "{door:?}"
            );
        }
        let answer = world.browser.send(Method::HEAD, "/me").await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.body, runs.take()),
            (200, "", 1),
            "{door:?}"
        );
    }
}

#[tokio::test]
async fn user_is_loaded_at_most_once_per_request() {
    let many = async |_: CurrentUser<Account>,
                      _: LoginRequired<Account>,
                      auth: Auth<Account>,
                      _: Option<LoginRequired<Account>>| {
        auth.user().await.map(|user| user.unwrap().name.clone())
    };
    let twice = |accounts: &Accounts| {
        let guard = login_required::<Account>();
        routes(accounts).merge(
            Router::new()
                .route("/many", get(many))
                .layer(guard.clone())
                .layer(guard),
        )
    };
    let mut world = World::with(twice, |manager| manager);
    world.browser.post("/login/alice").await;
    world.store.take_calls();
    let loads = world.accounts.loads();
    assert_eq!(world.browser.get("/many").await.body, "alice");
    assert_eq!(
        (world.accounts.loads(), world.store.take_calls().len()),
        (loads + 1, 1)
    );
    world.browser.get("/").await;
    assert_eq!(
        (world.accounts.loads(), world.store.take_calls().len()),
        (loads + 1, 0)
    );
}

#[tokio::test]
async fn two_tasks_of_one_request_load_the_user_once() {
    let both = async |auth: Auth<Account>| {
        let (one, other) = (auth.clone(), auth);
        let (one, other) = tokio::join!(
            tokio::spawn(async move { one.user().await }),
            tokio::spawn(async move { other.user().await })
        );
        let (one, other) = (one.unwrap()?.unwrap(), other.unwrap()?.unwrap());
        Ok::<_, Error>(Arc::ptr_eq(&one, &other).to_string())
    };
    let mut world = World::with(
        |accounts| routes(accounts).route("/both", get(both)),
        |manager| manager,
    );
    world.browser.post("/login/alice").await;
    let loads = world.accounts.loads();
    assert_eq!(world.browser.get("/both").await.body, "true");
    assert_eq!(world.accounts.loads(), loads + 1);
}

#[tokio::test]
async fn failure_is_never_taken_for_an_anonymous_request() {
    let optional = async |user: Option<LoginRequired<Account>>| {
        user.map_or("nobody".to_owned(), |user| user.0.name.clone())
    };
    for door in DOORS {
        let (world, runs) = door.world(with_login_page);
        let app = door
            .router(&runs)
            .merge(routes_beside(&world.accounts))
            .route("/optional", get(optional));
        let mut browser = Browser::new(app.layer(world.manager.clone()));
        assert_eq!(browser.get("/optional").await.body, "nobody");
        browser.post("/open/login/alice").await;
        assert_eq!(browser.get("/optional").await.body, "alice");
        type Break = fn(&World);
        let breaks: [Break; 2] = [
            |world| world.accounts.fail(true),
            |world| world.store.fail_all(Fault::Fails),
        ];
        for breaks in breaks {
            breaks(&world);
            for page in ["/me", "/optional", "/open/who", "/open/me", "/open/why"] {
                let answer = browser.get(page).await;
                assert_eq!(answer.status, 503, "{page}");
                assert_eq!((&*answer.body, runs.take()), ("", 0), "{page}");
                assert_eq!(answer.set_cookies(), [""; 0], "an outage logs nobody out");
            }
            // Requests without a cookie and pages that read no user are unaffected.
            assert_eq!(browser.another().get("/open/who").await.body, "nobody");
            assert_eq!(browser.get("/open").await.body, "public");
            world.accounts.fail(false);
            world.store.heal();
        }
        assert_eq!(browser.get("/me").await.body, "secret");
    }
}

#[tokio::test(start_paused = true)]
async fn hanging_store_is_503_at_the_deadline() {
    for door in DOORS {
        let (mut world, runs) = door.world(with_login_page);
        world.browser.post("/open/login/alice").await;
        world.store.fail_all(Fault::Hangs);
        let start = tokio::time::Instant::now();
        let answer = world.browser.get("/me").await;
        assert_eq!((answer.status.as_u16(), runs.take()), (503, 0), "{door:?}");
        let waited = start.elapsed();
        assert!(
            (Duration::from_secs(2)..Duration::from_millis(2100)).contains(&waited),
            "{waited:?}"
        );
        world.store.heal();
        assert_eq!(world.browser.get("/me").await.body, "secret");
    }
}

#[tokio::test]
async fn outer_middleware_sees_the_login_that_the_handler_did() {
    let seen = async |auth: Auth<Account>, request: Request, next: middleware::Next| {
        let mut response = next.run(request).await;
        let user = auth.user().await.unwrap();
        let name = user.map_or("nobody".to_owned(), |user| user.name.clone());
        response
            .headers_mut()
            .insert("x-user", name.parse().unwrap());
        response
    };
    let mut world = World::with(
        |accounts| routes(accounts).layer(middleware::from_fn(seen)),
        |manager| manager,
    );
    for (uri, user) in [
        ("/login/alice", "alice"),
        ("/login/bob", "bob"),
        ("/logout", "nobody"),
    ] {
        assert_eq!(
            world.browser.post(uri).await.header("x-user"),
            Some(user),
            "{uri}"
        );
    }
}
