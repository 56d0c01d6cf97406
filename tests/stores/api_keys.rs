//! API keys on every store: created, used, listed and revoked, with two nodes.

use std::{sync::Arc, time::Duration};

use axum::{Router, routing::get};
use http::{HeaderValue, Method, header::AUTHORIZATION};
use login_manager::{
    LoginManager, LoginRequired, SessionStore, api_keys::ApiKeySettings, testing::TestClock,
};
use tokio::task::JoinSet;

use crate::{sql::random_text, support::browser::Browser, user::Account};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// One node's manager, and a program that calls it.
fn node(store: &Arc<dyn SessionStore>, clock: &TestClock) -> (LoginManager<Account>, Browser) {
    let load = async |id: String| Some(Account(id));
    let manager = LoginManager::new(Arc::clone(store), load)
        .with_realm("api-keys-test")
        .with_clock(clock)
        .with_api_keys(ApiKeySettings::new("test").max_per_user(3));
    let me = async |LoginRequired(user): LoginRequired<Account>| user.0.clone();
    let app = Router::new().route("/me", get(me)).layer(manager.clone());
    (manager, Browser::new(app))
}

async fn call(program: &Browser, key: &str) -> (u16, String) {
    let mut program = program.another();
    let header = HeaderValue::try_from(format!("Bearer {key}")).unwrap();
    program.headers.insert(AUTHORIZATION, header);
    let answer = program.send(Method::GET, "/me").await;
    (answer.status.as_u16(), answer.body)
}

pub(crate) async fn work(store: Arc<dyn SessionStore>) {
    let clock = TestClock::new();
    let (one, on_one) = node(&store, &clock);
    let (two, on_two) = node(&store, &clock);
    let (keys, other_keys) = (one.api_keys(), two.api_keys());
    let user = Account::new();
    let accepted = (200, user.0.clone());

    let new = keys.create(&user).name("CI").scopes(["read"]);
    let (text, info) = new.expires_in(DAY).await.unwrap();
    let text = text.expose().to_owned();
    for program in [&on_one, &on_two] {
        assert_eq!(call(program, &text).await, accepted);
    }

    // It expires to the millisecond.
    let new = keys.create(&user).name("short").scopes(["read"]);
    let (short, _) = new.expires_in(Duration::from_secs(60)).await.unwrap();
    clock.advance(Duration::from_millis(59_999));
    assert_eq!(call(&on_two, short.expose()).await, accepted);
    clock.advance(Duration::from_millis(1));
    assert_eq!(call(&on_two, short.expose()).await.0, 401);

    let listed = other_keys.list(&user.0).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].id(), listed[0].name()), (info.id(), "CI"));
    let stranger = random_text();
    assert!(!other_keys.revoke(&stranger, info.id()).await.unwrap());
    assert!(other_keys.revoke(&user.0, info.id()).await.unwrap());
    for program in [&on_one, &on_two] {
        assert_eq!(call(program, &text).await.0, 401);
    }

    // Of many that are created at once, as many are left as the user may have at most.
    let mut created = JoinSet::new();
    for _ in 0..8 {
        let new = keys.create(&user).name("many").scopes(["read"]);
        created.spawn(async move { new.expires_in(DAY).await.is_ok() });
    }
    let created = created.join_all().await.into_iter().filter(|it| *it);
    let count = created.count();
    assert!(count <= 3, "{count}");
    assert_eq!(keys.list(&user.0).await.unwrap().len(), count);
    // Expired keys count, if the store has not removed them yet.
    assert!(keys.revoke_all(&user.0).await.unwrap() >= count as u64);
    assert!(keys.list(&user.0).await.unwrap().is_empty());
}
