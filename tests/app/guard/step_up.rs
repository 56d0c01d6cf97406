//! Guards that require a recent login, or credentials of a certain kind.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use http::{HeaderValue, Method, StatusCode, header};
use login_manager::{
    Auth, Error, LoginManager, RequestLoader,
    auth::{Confirm, Login, Method as UsedMethod},
    event::EventKind,
    fresh_login_required,
    guard::DeniedReason,
    login_required,
    manager::LoginPage,
};

use crate::support::{
    faulty_store::{
        Call::Update,
        Fault::{DoesAndFails, Fails},
        When::Before,
    },
    world::{Account, Accounts, HOUR, MINUTE, SESSION, World, routes},
};

const FIVE: Duration = Duration::from_secs(5 * 60);

fn doors(accounts: &Accounts) -> Router {
    let page = |path, layer| {
        Router::new()
            .route(path, get(|| async { "secret" }))
            .route_layer(layer)
    };
    let users = accounts.clone();
    let log_in = async move |auth: Auth<Account>, Path(methods): Path<String>| {
        let login = auth.login(users.by_name("alice").unwrap()).remember(true);
        let login = methods.split(',').fold(login, Login::by);
        login.await.map(drop)
    };
    let confirm = async |auth: Auth<Account>, Path(methods): Path<String>| {
        let names = methods.split(',');
        let confirm = names.fold(auth.confirm(), Confirm::by);
        confirm.await.map(|done| done.to_string())
    };
    routes(accounts)
        .route("/by/{methods}", post(log_in))
        .route("/confirm/{methods}", post(confirm))
        .route("/methods", get(methods))
        .merge(page(
            "/recent",
            fresh_login_required::<Account>().within(FIVE),
        ))
        .merge(page("/totp", login_required::<Account>().needs("totp")))
        .merge(page(
            "/both",
            login_required().needs("totp").needs("password"),
        ))
        .merge(page(
            "/totp/recent",
            login_required().needs("totp").within(HOUR).within(FIVE),
        ))
}

async fn methods(auth: Auth<Account>) -> Result<String, Error> {
    let methods = auth.methods().await?;
    let names: Vec<_> = methods.iter().map(UsedMethod::name).collect();
    Ok(names.join(","))
}

fn world(configure: impl FnOnce(LoginManager<Account>) -> LoginManager<Account>) -> World {
    World::with(doors, |manager| {
        configure(manager.with_login_page(LoginPage::new("/login").refresh("/confirm")))
    })
}

#[tokio::test]
async fn login_counts_as_long_as_the_guard_says() {
    let mut world = world(|manager| manager);
    let browser = &mut world.browser;
    browser.post("/login/alice").await;
    world.clock.advance(FIVE);
    assert_eq!(browser.get("/recent").await.body, "secret");
    world.clock.advance(Duration::from_millis(1));
    let denied = browser.get("/recent").await;
    assert_eq!(
        (denied.status.as_u16(), denied.location()),
        (303, "/confirm?next=/recent&notice=refresh")
    );
    assert_eq!(browser.get("/how").await.body, "alice fresh");
    browser
        .headers
        .insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    assert_eq!(browser.get("/recent").await.status, 401);
    browser.post("/confirm").await;
    assert_eq!(browser.get("/recent").await.body, "secret");
    let denied = EventKind::Denied(DeniedReason::FreshLoginRequired);
    assert_eq!(world.events.count(denied), 2);
}

#[tokio::test]
async fn smaller_of_the_ages_counts() {
    for (fresh_for, age) in [(2 * MINUTE, 2 * MINUTE), (HOUR, FIVE)] {
        let mut world = world(|manager| manager.with_fresh_for(fresh_for));
        world.browser.post("/by/totp").await;
        for door in ["/recent", "/totp/recent"] {
            world.browser.post("/confirm/totp").await;
            world.clock.advance(age);
            assert_eq!(world.browser.get(door).await.status, 200, "{door}");
            world.clock.advance(Duration::from_millis(1));
            assert_eq!(world.browser.get(door).await.status, 303, "{door}");
        }
        assert_eq!(world.browser.get("/totp").await.status, 200);
    }
}

#[tokio::test]
async fn method_that_was_not_used_leads_to_the_refresh_page() {
    let mut world = world(|manager| manager);
    let browser = &mut world.browser;
    assert_eq!(
        browser.get("/totp").await.location(),
        "/login?next=/totp&notice=login"
    );
    browser.post("/by/password").await;
    assert_eq!(
        browser.get("/totp?a=b").await.location(),
        "/confirm?next=/totp%3Fa%3Db&notice=refresh&method=totp"
    );
    browser.post("/confirm").await;
    assert_eq!(browser.get("/totp").await.status, 303);
    assert_eq!(browser.post("/confirm/totp").await.body, "true");
    assert_eq!(browser.get("/totp").await.body, "secret");
    let denied = EventKind::Denied(DeniedReason::MethodRequired);
    assert_eq!(world.events.count(denied), 2);
}

#[tokio::test]
async fn every_method_is_needed_and_the_first_missing_is_named() {
    let mut world = world(|manager| manager);
    let browser = &mut world.browser;
    browser.post("/login/alice").await;
    assert!(browser.get("/both").await.location().ends_with("=totp"));
    browser.post("/confirm/totp").await;
    assert!(browser.get("/both").await.location().ends_with("=password"));
    browser.post("/confirm/password").await;
    assert_eq!(browser.get("/both").await.body, "secret");
    browser.post("/by/password,totp").await;
    assert_eq!(browser.get("/both").await.body, "secret");
}

#[tokio::test]
async fn method_must_be_as_recent_as_the_login() {
    let mut world = world(|manager| manager);
    let browser = &mut world.browser;
    browser.post("/by/totp").await;
    assert_eq!(browser.get("/totp/recent").await.body, "secret");
    world.clock.advance(FIVE + Duration::from_millis(1));
    // Fresh again, but by another method.
    browser.post("/confirm/password").await;
    assert_eq!(browser.get("/recent").await.body, "secret");
    let denied = browser.get("/totp/recent").await;
    assert!(denied.location().ends_with("&method=totp"));
    assert_eq!(browser.get("/totp").await.body, "secret");
    browser.post("/confirm/totp").await;
    assert_eq!(browser.get("/totp/recent").await.body, "secret");
}

#[tokio::test]
async fn application_sees_which_method_is_needed() {
    let seen: Arc<Mutex<Vec<_>>> = Arc::default();
    let writer = Arc::clone(&seen);
    let mut world = world(|manager| {
        manager.with_unauthorized(move |denied| {
            let method = denied.needed_method().map(str::to_owned);
            writer.lock().unwrap().push((denied.reason(), method));
            async { StatusCode::UNAUTHORIZED }
        })
    });
    world.browser.post("/login/alice").await;
    world.browser.get("/totp").await;
    world.clock.advance(HOUR);
    world.browser.get("/recent").await;
    assert_eq!(
        *seen.lock().unwrap(),
        [
            (DeniedReason::MethodRequired, Some("totp".to_owned())),
            (DeniedReason::FreshLoginRequired, None)
        ]
    );
}

#[tokio::test]
async fn methods_are_kept_by_rotate_and_set_anew_by_login() {
    let mut world = world(|manager| manager);
    let browser = &mut world.browser;
    assert_eq!(browser.get("/methods").await.body, "");
    browser.post("/by/password,totp").await;
    browser.post("/rotate").await;
    browser.post("/put/a/1").await;
    assert_eq!(browser.get("/methods").await.body, "password,totp");
    browser.post("/confirm/password").await;
    assert_eq!(browser.get("/methods").await.body, "totp,password");
    browser.post("/by/passkey").await;
    assert_eq!(browser.get("/methods").await.body, "passkey");
    browser.post("/login/alice").await;
    assert_eq!(browser.get("/methods").await.body, "");
    for index in 0..9 {
        browser.post(&format!("/confirm/m{index}")).await;
    }
    assert_eq!(
        browser.get("/methods").await.body,
        "m1,m2,m3,m4,m5,m6,m7,m8"
    );
}

#[tokio::test]
async fn restore_drops_the_methods() {
    let mut world = world(|manager| manager);
    let browser = &mut world.browser;
    browser.post("/by/totp").await;
    browser.restart();
    assert_eq!(browser.get("/totp").await.status, 303);
    assert_eq!(browser.get("/how").await.body, "alice stale remembered");
    assert_eq!(browser.get("/methods").await.body, "");
    browser.post("/confirm").await;
    assert_eq!(browser.get("/recent").await.status, 200);
    assert_eq!(browser.get("/totp").await.status, 303);
}

/// A copy of the cookie from before the second factor must not get past its guard.
#[tokio::test]
async fn request_that_joins_has_no_methods() {
    let mut world = world(|manager| manager);
    world.browser.post("/by/password").await;
    let mut late = world.browser.clone();
    world.browser.post("/confirm/totp").await;
    assert_eq!(late.get("/me").await.body, "alice");
    assert_eq!(late.get("/totp").await.status, 303);
    assert_eq!(late.get("/methods").await.body, "");
    assert_eq!(world.browser.get("/totp").await.status, 200);
}

#[tokio::test]
async fn client_that_looks_different_has_no_methods() {
    let mut world = world(|manager| manager);
    world.browser.post("/by/totp").await;
    let browser = &mut world.browser;
    browser
        .headers
        .insert(header::USER_AGENT, HeaderValue::from_static("Other/1.0"));
    assert_eq!(browser.get("/me").await.body, "alice");
    assert_eq!(browser.get("/totp").await.status, 303);
    assert_eq!(browser.get("/methods").await.body, "");
}

#[tokio::test]
async fn invalid_name_is_an_error_and_changes_nothing() {
    let mut world = world(|manager| manager);
    let browser = &mut world.browser;
    assert_eq!(browser.post("/by/Totp").await.status, 500);
    assert_eq!(browser.get("/who").await.body, "nobody");
    browser.post("/by/totp").await;
    world.clock.advance(HOUR);
    let token = world.token();
    let browser = &mut world.browser;
    for name in ["a%20b", "0123456789abcdefg"] {
        let answer = browser.post(&format!("/confirm/{name}")).await;
        assert_eq!(answer.status, 500);
        assert_eq!(answer.set_cookies(), [""; 0]);
    }
    assert_eq!(browser.get("/recent").await.status, 303);
    assert_eq!(browser.cookie("-session"), Some(token));
}

#[test]
#[should_panic(expected = "needs: \"TOTP\" is not accepted")]
fn guard_with_an_invalid_name_panics() {
    let _ = login_required::<Account>().needs("TOTP");
}

#[test]
#[should_panic(expected = "within: \"0ns\" is not accepted")]
fn guard_with_an_age_of_zero_panics() {
    let _ = fresh_login_required::<Account>().within(Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn method_counts_only_if_the_store_has_accepted_it() {
    for (fault, status) in [(DoesAndFails, 200), (Fails, 503)] {
        let mut world = world(|manager| manager);
        world.browser.post("/by/password").await;
        world.store.fail_once(Update, fault);
        let answer = world.browser.post("/confirm/totp").await;
        assert_eq!(answer.status, status, "{fault:?}");
        let expected = if status == 200 { 200 } else { 303 };
        assert_eq!(world.browser.get("/totp").await.status, expected);
    }
}

#[tokio::test]
async fn confirmation_beside_a_saved_value_keeps_both() {
    let mut world = world(|manager| manager.with_deadline(HOUR));
    world.browser.post("/by/password").await;
    let gate = world.store.gate(Update, Before);
    let confirm = world.browser.start(Method::POST, "/confirm/totp");
    gate.reached().await;
    assert_eq!(world.browser.post("/put/a/1").await.status, 200);
    gate.open();
    let (mut browser, answer) = confirm.await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(browser.get("/totp").await.status, 200);
    assert_eq!(browser.get("/get/a").await.body, "1");
}

#[tokio::test]
async fn user_of_an_api_key_has_no_methods() {
    struct Keys(Accounts);
    impl RequestLoader<Account> for Keys {
        async fn load(
            &self,
            head: &http::request::Parts,
        ) -> Result<Option<Account>, login_manager::BoxError> {
            let has_key = head.headers.contains_key("x-key");
            Ok(self.0.by_name("alice").filter(|_| has_key))
        }
    }
    let mut world = World::with(doors, |manager| {
        manager.with_request_loader(Keys(Accounts::new()))
    });
    let browser = &mut world.browser;
    browser
        .headers
        .insert("x-key", HeaderValue::from_static("1"));
    assert_eq!(browser.get("/who").await.body, "alice");
    assert_eq!(browser.get("/totp").await.status, 401);
    assert_eq!(browser.get("/methods").await.body, "");
    assert_eq!(browser.post("/confirm/totp").await.body, "false");
}

/// Seconds from the clock's time to the end of the freshness and of the session.
async fn times(auth: Auth<Account>, now: SystemTime) -> Result<String, Error> {
    let seconds = |at: Option<SystemTime>| {
        at.map(|at| match at.duration_since(now) {
            Ok(left) => left.as_secs() as i64,
            Err(over) => -(over.duration().as_secs() as i64),
        })
    };
    let fresh = seconds(auth.fresh_until().await?);
    let ends = seconds(auth.expires_at().await?);
    let within = auth.is_fresh_within(FIVE).await?;
    Ok(format!("{fresh:?} {ends:?} {within}"))
}

fn timed(configure: impl FnOnce(LoginManager<Account>) -> LoginManager<Account>) -> World {
    let now: Arc<Mutex<Option<login_manager::testing::TestClock>>> = Arc::default();
    let clock = Arc::clone(&now);
    let times = async move |auth: Auth<Account>| {
        let now = clock.lock().unwrap().as_ref().unwrap().unix_millis();
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(now.unsigned_abs());
        times(auth, now).await
    };
    let world = World::with(
        |accounts| {
            routes(accounts)
                .route("/times", get(times.clone()))
                .route("/polled/times", get(times))
        },
        |manager| {
            configure(manager.with_timeouts(login_manager::manager::Timeouts::new(HOUR, 10 * HOUR)))
        },
    );
    *now.lock().unwrap() = Some(world.clock.clone());
    world
}

#[tokio::test]
async fn handler_can_read_when_the_session_ends() {
    let mut world = timed(|manager| {
        manager
            .with_fresh_for(10 * MINUTE)
            .without_touch(|head| head.uri.path().starts_with("/polled"))
    });
    let browser = &mut world.browser;
    assert_eq!(browser.get("/times").await.body, "None None false");
    browser.post("/put/a/1").await;
    assert_eq!(browser.get("/times").await.body, "None None false");
    browser.post("/login/alice").await;
    assert_eq!(
        browser.get("/times").await.body,
        "Some(600) Some(3600) true"
    );
    world.clock.advance(7 * MINUTE);
    let polled = browser.get("/polled/times").await;
    assert_eq!(polled.body, "Some(180) Some(3180) false");
    assert_eq!(
        browser.get("/times").await.body,
        "Some(180) Some(3600) false"
    );
    world.clock.advance(7 * MINUTE);
    assert_eq!(browser.get("/times").await.body, "None Some(3600) false");
    for _ in 0..19 {
        world.clock.advance(30 * MINUTE);
        browser.get("/me").await;
    }
    assert_eq!(browser.get("/times").await.body, "None Some(960) false");
    let ends = Duration::from_secs(960);
    world.clock.advance(ends - Duration::from_millis(1));
    assert_eq!(browser.get("/who").await.body, "alice");
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(browser.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn login_without_a_limit_is_fresh_until_the_session_ends() {
    let mut world = timed(|manager| manager);
    world.browser.post("/login/alice").await;
    world.clock.advance(MINUTE);
    let times = world.browser.get("/times").await.body;
    assert_eq!(times, "Some(35940) Some(3540) true");
    let token = world.token();
    world.browser.post("/rotate").await;
    let mut late = world.browser.another();
    late.plant(SESSION, &token);
    assert_eq!(late.get("/times").await.body, "None Some(3600) false");
}
