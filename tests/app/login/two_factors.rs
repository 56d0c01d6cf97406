//! A login in two steps, as in the security chapter: the request is anonymous in between.

use std::time::Duration;

use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use http::StatusCode;
use login_manager::{
    Auth, CurrentUser, Error, FreshLoginRequired, Session, event::EventKind, login_required,
    testing::TestClock,
};
use serde::{Deserialize, Serialize};

use crate::support::{
    browser::Browser,
    world::{Account, Accounts, MINUTE, SESSION, World, routes},
};

const CODE: &str = "123456";
/// In milliseconds.
const TEN_MINUTES: i64 = 10 * 60 * 1000;

/// The user whose password was accepted, and when.
#[derive(Serialize, Deserialize)]
struct Pending {
    id: i64,
    at: i64,
}

/// `/password/{name}`, for which the password was right, then `/code/{code}`.
fn steps(accounts: &Accounts, clock: &TestClock) -> Router {
    let (all, now) = (accounts.clone(), clock.clone());
    let password = move |auth: Auth<Account>, session: Session, Path(name): Path<String>| async move {
        let account = all.by_name(&name).unwrap();
        let pending = Pending {
            id: account.id,
            at: now.unix_millis(),
        };
        session.insert("second-factor", &pending).await?;
        auth.rotate().await
    };
    let (all, now) = (accounts.clone(), clock.clone());
    let code = move |auth: Auth<Account>, session: Session, Path(code): Path<String>| async move {
        let pending: Option<Pending> = session.take("second-factor").await?;
        let account = pending
            .filter(|pending| now.unix_millis() - pending.at <= TEN_MINUTES)
            .filter(|_| code == CODE)
            .and_then(|pending| all.get(pending.id));
        let Some(account) = account else {
            return Ok::<_, Error>(StatusCode::UNAUTHORIZED);
        };
        auth.login(account).await?;
        Ok(StatusCode::OK)
    };
    let guarded = Router::new()
        .route("/guarded", get(|| async { "secret" }))
        .route_layer(login_required::<Account>());
    routes(accounts)
        .route("/password/{name}", post(password))
        .route("/code/{code}", post(code))
        .route(
            "/fresh",
            get(|_: FreshLoginRequired<Account>| async { "secret" }),
        )
        .route(
            "/sessions",
            get(|auth: Auth<Account>| async move {
                auth.sessions().await.map(|list| list.len().to_string())
            }),
        )
        .route(
            "/maybe",
            get(
                |CurrentUser(user): CurrentUser<Account>| async move { user.is_some().to_string() },
            ),
        )
        .merge(guarded)
}

fn world() -> World {
    let mut world = World::new();
    let app = steps(&world.accounts, &world.clock).layer(world.manager.clone());
    world.browser = Browser::new(app);
    world
}

async fn assert_opens_nothing(browser: &mut Browser) {
    for page in ["/me", "/guarded", "/fresh"] {
        assert_eq!(browser.get(page).await.status, 303, "{page}");
    }
    for (page, answer) in [
        ("/who", "nobody"),
        ("/how", "nobody"),
        ("/why", "Some(NotLoggedIn)"),
        ("/maybe", "false"),
        ("/sessions", "0"),
    ] {
        assert_eq!(browser.get(page).await.body, answer, "{page}");
    }
    assert_eq!(browser.post("/confirm").await.body, "false");
}

#[tokio::test]
async fn request_is_anonymous_between_two_factors() {
    let mut world = world();
    world.browser.post("/password/alice").await;
    assert_opens_nothing(&mut world.browser).await;
    assert!(!world.events.take().contains(&EventKind::LoggedIn));
    assert!(world.store.inner.records()[0].owner.is_none());
    let between = world.token();

    assert_eq!(world.browser.post("/code/123456").await.status, 200);
    assert_eq!(world.browser.get("/how").await.body, "alice fresh");
    assert_eq!(world.browser.get("/guarded").await.body, "secret");
    assert_eq!(world.browser.get("/get/second-factor").await.body, "");
    assert_ne!(world.token(), between);
    assert_eq!(world.who_has(&between).await, "nobody");
    assert_eq!(world.live_sessions(), 1);
}

#[tokio::test]
async fn second_factor_is_accepted_once_within_ten_minutes() {
    for (wait, code, status) in [
        (10 * MINUTE, CODE, 200),
        (10 * MINUTE + Duration::from_millis(1), CODE, 401),
        (MINUTE, "000000", 401),
    ] {
        let mut world = world();
        world.browser.post("/password/alice").await;
        world.clock.advance(wait);
        let answer = world.browser.post(&format!("/code/{code}")).await;
        assert_eq!(answer.status.as_u16(), status, "{wait:?} {code}");
        if status != 200 {
            // A guess costs the password once more.
            assert_eq!(world.browser.post("/code/123456").await.status, 401);
            assert_eq!(world.browser.get("/who").await.body, "nobody");
        }
    }
}

#[tokio::test]
async fn cookie_planted_before_the_password_has_no_second_step() {
    let mut world = world();
    let mut attacker = world.browser.another();
    attacker.post("/put/cart/apples").await;
    let planted = attacker.cookie("session").unwrap();
    world.browser.plant(SESSION, &planted);
    world.browser.post("/password/alice").await;
    assert_ne!(world.token(), planted);
    assert_eq!(attacker.post("/code/123456").await.status, 401);
    assert_eq!(attacker.get("/who").await.body, "nobody");
    assert_eq!(world.browser.post("/code/123456").await.status, 200);
}
