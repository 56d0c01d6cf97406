//! Guards that require a fresh login.

use std::time::Duration;

use axum::{Router, routing::get};
use login_manager::manager::LoginPage;
use login_manager::{
    Auth, FreshLoginRequired, event::EventKind, fresh_login_required, guard::DeniedReason,
    guard::Notice,
};

use crate::support::{
    faulty_store::Fault,
    world::{Account, Accounts, MINUTE, World, routes},
};

/// The extractor at `/fresh/extractor`, the layer at `/fresh/layer`.
fn doors(accounts: &Accounts) -> Router {
    let layer = Router::new()
        .route("/fresh/layer", get(|| async { "secret" }))
        .route_layer(fresh_login_required::<Account>());
    routes(accounts)
        .route(
            "/fresh/extractor",
            get(|_: FreshLoginRequired<Account>| async { "secret" }),
        )
        .merge(layer)
}

#[tokio::test]
async fn only_users_with_a_fresh_login_are_let_in() {
    for door in ["/fresh/extractor", "/fresh/layer"] {
        let mut world = World::with(doors, |manager| {
            manager.with_login_page(LoginPage::new("/login").refresh("/confirm"))
        });
        let browser = &mut world.browser;
        assert_eq!(
            browser.get(door).await.location(),
            format!("/login?next={door}&notice=login")
        );
        browser.post("/remember/alice").await;
        assert_eq!(browser.get(door).await.body, "secret");
        browser.restart();
        assert_eq!(browser.get("/me").await.body, "alice");
        let refused = browser.get(door).await;
        assert_eq!(refused.status, 303);
        assert_eq!(
            refused.location(),
            format!("/confirm?next={door}&notice=refresh")
        );
        assert_eq!(
            Notice::from_query(refused.location().split('?').nth(1)),
            Some(Notice::Refresh)
        );
        browser.post("/confirm").await;
        assert_eq!(browser.get(door).await.body, "secret");
    }
}

#[tokio::test]
async fn the_refresh_page_is_the_login_page_unless_there_is_another() {
    let mut world = World::with(doors, |manager| manager.with_login_page("/login"));
    world.browser.post("/remember/alice").await;
    world.browser.restart();
    let refused = world.browser.get("/fresh/layer").await;
    assert_eq!(
        refused.location(),
        "/login?next=/fresh/layer&notice=refresh"
    );
}

#[tokio::test]
async fn freshness_ends_after_its_limit_and_never_in_the_future() {
    let mut world = World::with(doors, |manager| manager.with_fresh_for(10 * MINUTE));
    world.browser.post("/login/alice").await;
    world.clock.advance(10 * MINUTE);
    assert_eq!(world.browser.get("/fresh/layer").await.status, 200);
    assert_eq!(world.browser.get("/how").await.body, "alice fresh");
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(world.browser.get("/fresh/layer").await.status, 401);
    assert_eq!(world.browser.get("/how").await.body, "alice stale");
    assert_eq!(world.browser.get("/me").await.status, 200);
    world.browser.post("/confirm").await;
    assert_eq!(world.browser.get("/fresh/layer").await.status, 200);
    world.clock.turn_back(5 * MINUTE);
    assert_eq!(world.browser.get("/fresh/layer").await.status, 200);
    world.clock.turn_back(Duration::from_millis(1));
    assert_eq!(world.browser.get("/fresh/layer").await.status, 401);
    assert_eq!(world.browser.get("/why").await.body, "Some(NotYetValid)");
}

#[tokio::test]
async fn optional_fresh_extractor_is_none_if_not_fresh() {
    let more = async |user: Option<FreshLoginRequired<Account>>| {
        user.map_or("less".to_owned(), |user| format!("more for {}", user.name))
    };
    let mut world = World::with(
        |accounts| routes(accounts).route("/more", get(more)),
        |manager| {
            let manager = manager.with_fresh_for(10 * MINUTE);
            manager.with_login_page("/login")
        },
    );
    let browser = &mut world.browser;
    assert_eq!(browser.get("/more").await.body, "less");
    browser.post("/remember/alice").await;
    assert_eq!(browser.get("/more").await.body, "more for alice");
    world.events.take();
    world.clock.advance(11 * MINUTE);
    assert_eq!(browser.get("/more").await.body, "less");
    browser.restart();
    assert_eq!(browser.get("/more").await.body, "less");
    assert_eq!(browser.get("/who").await.body, "alice");
    let told = world.events.take();
    assert!(
        !told
            .iter()
            .any(|event| matches!(event, EventKind::Denied(_))),
        "nobody was refused: {told:?}"
    );
    world.store.fail_all(Fault::Fails);
    assert_eq!(browser.get("/more").await.status, 503, "it can't be known");
}

#[tokio::test]
async fn forbidden_user_gets_403_before_a_fresh_login_is_required() {
    let admins = |accounts: &Accounts| {
        let layer = Router::new()
            .route("/admin", get(|| async { "secret" }))
            .route_layer(fresh_login_required::<Account>().and(|account| account.admin));
        routes(accounts).merge(layer)
    };
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let events = std::sync::Arc::clone(&seen);
    let mut world = World::with(admins, |manager| {
        manager.with_on_event(move |event| events.lock().unwrap().push(event.kind()))
    });
    world.browser.post("/remember/alice").await;
    world.browser.restart();
    assert_eq!(world.browser.get("/admin").await.status, 403);
    world.accounts.change(1, |alice| alice.admin = true);
    assert_eq!(world.browser.get("/admin").await.status, 401);
    let refused = EventKind::Denied(DeniedReason::FreshLoginRequired);
    assert!(seen.lock().unwrap().contains(&refused));
}

#[tokio::test]
async fn confirm_does_nothing_if_anonymous() {
    let mut world = World::with(
        |accounts| {
            doors(accounts).route(
                "/is-fresh",
                get(|auth: Auth<Account>| async move {
                    auth.is_fresh().await.map(|fresh| fresh.to_string())
                }),
            )
        },
        |manager| manager,
    );
    world.browser.post("/put/a/1").await;
    assert_eq!(world.browser.post("/confirm").await.body, "false");
    assert_eq!(world.browser.get("/is-fresh").await.body, "false");
    assert_eq!(world.browser.get("/fresh/layer").await.status, 401);
}
