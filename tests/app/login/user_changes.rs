//! Changes of a user take effect at the next request.

use axum::{
    Router,
    routing::{get, post},
};
use login_manager::{Auth, Error, login_required};

use crate::support::world::{Account, Accounts, HOUR, World, account, routes};

#[tokio::test]
async fn changed_stamp_inactive_or_gone_user_ends_every_session() {
    type Change = fn(&Accounts);
    let cases: [(Change, &str); 3] = [
        (
            |accounts| accounts.change(1, |alice| alice.stamp.push('!')),
            "Some(StampChanged)",
        ),
        (
            |accounts| accounts.change(1, |alice| alice.active = false),
            "Some(Inactive)",
        ),
        (|accounts| accounts.remove(1), "Some(UserGone)"),
    ];
    for (change, why) in cases {
        let mut world = World::new();
        let before = world.accounts.get(1).unwrap();
        let mut other = world.browser.another();
        world.browser.post("/login/alice").await;
        other.post("/login/alice").await;
        let mut bystander = world.browser.another();
        bystander.post("/login/bob").await;

        change(&world.accounts);
        for browser in [&mut world.browser, &mut other] {
            let copy = browser.clone();
            assert_eq!(browser.get("/why").await.body, why);
            *browser = copy;
            assert_eq!(browser.get("/me").await.status, 303, "{why}");
        }
        world.accounts.put(before);
        for browser in [&mut world.browser, &mut other] {
            assert_eq!(
                browser.get("/who").await.body,
                "nobody",
                "not revived: {why}"
            );
        }
        assert_eq!(world.store.inner.len(), 1, "{why}");
        assert_eq!(bystander.get("/who").await.body, "bob");
    }
}

#[tokio::test]
async fn data_of_an_ended_login_is_not_returned() {
    let mut world = World::new();
    world.browser.post("/do/alice,put").await;
    world.accounts.change(1, |alice| alice.stamp.push('!'));
    assert_eq!(world.browser.get("/get/key").await.body, "");
    world.browser.post("/login/alice").await;
    assert_eq!(world.browser.get("/get/key").await.body, "");
}

#[tokio::test]
async fn cookie_is_removed_only_if_no_newer_login_can_exist() {
    let mut world = World::new();
    for out in ["stamp", "rotated", "expired", "unknown"] {
        world.browser.forget_cookies();
        world.browser.post("/login/alice").await;
        let mut old = world.browser.clone();
        match out {
            "stamp" => world.accounts.change(1, |alice| alice.stamp.push('!')),
            "rotated" => {
                world.browser.post("/rotate").await;
                world.let_grace_pass();
            }
            "expired" => world.clock.advance(25 * HOUR),
            _ => _ = world.browser.post("/logout").await,
        }
        let answer = old.get("/who").await;
        assert_eq!(
            (&*answer.body, answer.set_cookies().len()),
            ("nobody", 0),
            "{out}"
        );
    }
    for out in ["inactive", "gone"] {
        world.browser.post("/login/bob").await;
        match out {
            "inactive" => world.accounts.change(2, |bob| bob.active = false),
            _ => world.accounts.remove(2),
        }
        assert_eq!(world.browser.get("/who").await.body, "nobody");
        assert!(world.browser.cookie_names().is_empty(), "{out}");
        world.accounts.put(account(2, "bob"));
    }
}

#[tokio::test]
async fn another_login_of_the_same_user_ends_nothing_elsewhere() {
    let mut world = World::new();
    let mut other = world.browser.another();
    other.post("/login/alice").await;
    for _ in 0..3 {
        world.browser.post("/login/alice").await;
    }
    world.browser.post("/logout").await;
    assert_eq!(other.get("/who").await.body, "alice");
}

#[tokio::test]
async fn permission_check_sees_the_current_role() {
    let admins = |accounts: &Accounts| {
        let guard = login_required::<Account>().and(|account| account.admin);
        let admin = Router::new().route("/admin", get(|| async { "secret" }));
        routes(accounts).merge(admin.route_layer(guard))
    };
    let mut world = World::with(admins, |manager| manager);
    world.browser.post("/login/alice").await;
    assert_eq!(world.browser.get("/admin").await.status, 403);
    world.accounts.change(1, |alice| alice.admin = true);
    assert_eq!(world.browser.get("/admin").await.status, 200);
    world.accounts.change(1, |alice| alice.admin = false);
    assert_eq!(world.browser.get("/admin").await.status, 403);
}

#[tokio::test]
async fn force_logs_an_inactive_user_in_for_this_session_only() {
    let force = |accounts: &Accounts| {
        let all = accounts.clone();
        let force = async move |auth: Auth<Account>| {
            let user = auth.login(all.get(1).unwrap()).force().await?;
            Ok::<_, Error>(user.name.clone())
        };
        routes(accounts).route("/force", post(force))
    };
    let mut world = World::with(force, |manager| manager);
    world.accounts.change(1, |alice| alice.active = false);
    assert_eq!(world.browser.post("/force").await.body, "alice");
    assert_eq!(world.browser.get("/who").await.body, "alice");
    for verb in ["/confirm", "/rotate"] {
        world.browser.post(verb).await;
        assert_eq!(world.browser.get("/who").await.body, "alice", "{verb}");
    }
    let mut other = world.browser.another();
    assert_eq!(other.post("/login/alice").await.status, 403);
    world.accounts.change(1, |alice| alice.stamp.push('!'));
    assert_eq!(world.browser.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn force_of_an_active_user_is_an_ordinary_login() {
    let force = async |auth: Auth<Account>| auth.login(account(1, "alice")).force().await.map(drop);
    let mut world = World::with(
        |accounts| routes(accounts).route("/force", post(force)),
        |manager| manager,
    );
    world.browser.post("/force").await;
    assert_eq!(world.browser.get("/who").await.body, "alice");
    world.accounts.change(1, |alice| alice.active = false);
    assert_eq!(world.browser.get("/who").await.body, "nobody");
}
