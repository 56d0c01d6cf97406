//! Permission checks of authenticated users.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use http::{Method, request::Parts};
use login_manager::{BoxError, guard::Authorize, login_required};

use crate::support::{
    doors::{Runs, guarded, with_login_page},
    world::{Account, World},
};

#[tokio::test]
async fn forbidden_user_gets_403_and_anonymous_is_redirected() {
    let runs = Runs::default();
    let layer = login_required::<Account>()
        .and(|account| account.admin)
        .and(|account| account.name != "bob");
    let mut world = World::with(guarded(layer, &runs), with_login_page);
    assert_eq!(world.browser.get("/me").await.status, 303);
    world.accounts.change(2, |bob| bob.admin = true);
    for name in ["alice", "bob"] {
        world.browser.post(&format!("/open/login/{name}")).await;
        for method in [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS] {
            let answer = world.browser.send(method, "/me").await;
            assert_eq!(
                (answer.status.as_u16(), &*answer.body, runs.take()),
                (403, "", 0),
                "{name}"
            );
            assert_eq!(answer.header("location"), None);
            assert_eq!(answer.set_cookies(), [""; 0]);
        }
        assert_eq!(
            world.browser.get("/open/who").await.body,
            name,
            "still logged in"
        );
    }
    world.accounts.change(1, |alice| alice.admin = true);
    world.browser.post("/open/login/alice").await;
    assert_eq!(
        (world.browser.get("/me").await.body, runs.take()),
        ("secret".into(), 1)
    );
}

/// Answers by the query of the request; as a trait of its own.
struct ByQuery(Arc<AtomicUsize>);

impl Authorize<Account> for ByQuery {
    async fn authorize(&self, user: &Account, head: &Parts) -> Result<bool, BoxError> {
        self.0.fetch_add(1, SeqCst);
        assert_eq!(user.name, "alice");
        answer(head.uri.query().unwrap_or_default().to_owned()).await
    }
}

async fn answer(query: String) -> Result<bool, BoxError> {
    match &*query {
        "yes" => Ok(true),
        "no" => Ok(false),
        "slow" => std::future::pending().await,
        _ => Err("the permissions are down".into()),
    }
}

#[tokio::test(start_paused = true)]
async fn check_that_fails_or_is_slow_is_503_and_never_403() {
    let asked = Arc::new(AtomicUsize::new(0));
    let by_trait = login_required::<Account>().and_authorize(ByQuery(Arc::clone(&asked)));
    let by_closure = login_required::<Account>().and_authorize(|_: Arc<Account>, head: &Parts| {
        answer(head.uri.query().unwrap_or_default().to_owned())
    });
    let after_predicate = login_required::<Account>()
        .and(|_| true)
        .and_authorize(|_: Arc<Account>, _: &Parts| async { true });
    let both = after_predicate.and_authorize(ByQuery(Arc::clone(&asked)));
    for layer in [by_trait, by_closure, both] {
        let runs = Runs::default();
        let deadline = Duration::from_millis(50);
        let mut world = World::with(guarded(layer, &runs), |manager| {
            with_login_page(manager).with_deadline(deadline)
        });
        asked.store(0, SeqCst);
        assert_eq!(world.browser.get("/me?yes").await.status, 303);
        assert_eq!(asked.load(SeqCst), 0, "nobody is logged in: nothing to ask");
        world.browser.post("/open/login/alice").await;
        for (query, status, runs_expected) in [
            ("yes", 200, 1),
            ("no", 403, 0),
            ("slow", 503, 0),
            ("down", 503, 0),
        ] {
            let start = tokio::time::Instant::now();
            let answer = world.browser.get(&format!("/me?{query}")).await;
            assert_eq!(
                (answer.status.as_u16(), runs.take()),
                (status, runs_expected),
                "{query}"
            );
            assert!(start.elapsed() <= 2 * deadline, "{query}");
            assert_eq!(
                answer.header("retry-after"),
                (status == 503).then_some("1"),
                "{query}"
            );
            assert_eq!(answer.set_cookies(), [""; 0], "{query}");
        }
        assert_eq!(world.browser.get("/open/who").await.body, "alice");
    }
}

#[tokio::test]
async fn cheap_checks_run_before_asynchronous_ones() {
    let asked = Arc::new(AtomicUsize::new(0));
    let runs = Runs::default();
    let layer = login_required::<Account>()
        .and_authorize(ByQuery(Arc::clone(&asked)))
        .and(|account| account.admin);
    let mut world = World::with(guarded(layer, &runs), with_login_page);
    world.browser.post("/open/login/alice").await;
    assert_eq!(world.browser.get("/me?down").await.status, 403);
    assert_eq!(asked.load(SeqCst), 0);
}
