//! While the store is down, nothing is accepted and nothing is lost, on every store.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use http::{HeaderValue, Method, header::AUTHORIZATION};
use login_manager::{
    LoginManager, LoginRequired, SessionStore,
    flash::{Flash, Level},
    throttle::Attempt,
    tokens::Purpose,
};

use crate::{
    flash::messages,
    support::{
        browser::Browser,
        faulty_store::{Fault, FaultyStore},
    },
    user::Account,
};

const RESET: Purpose = Purpose::reset();
const CODE: Purpose = Purpose::code();

fn app(manager: LoginManager<Account>) -> Router {
    let me = async |LoginRequired(user): LoginRequired<Account>| user.0.clone();
    let push = async |flash: Flash, Path(text): Path<String>| flash.push(Level::Info, text).await;
    Router::new()
        .route("/me", get(me))
        .route("/push/{text}", post(push))
        .route("/messages", get(messages))
        .layer(manager)
}

pub(crate) async fn work(store: Arc<dyn SessionStore>) {
    let store = FaultyStore::over(store);
    let load = async |id: String| Some(Account(id));
    let manager = LoginManager::new(store.clone(), load)
        .with_realm("outage-test")
        .with_api_keys("test");
    let (tokens, keys) = (manager.tokens(), manager.api_keys());
    let throttle = manager.throttle().named("outage").free(1);
    let browser = Browser::new(app(manager));
    let user = Account::new();

    let token = tokens.issue(&user, RESET).await.unwrap().unwrap();
    let code = tokens.issue(&user, CODE).await.unwrap().unwrap();
    let new = keys.create(&user).name("CI").scopes(["read"]);
    let (key, info) = new.expires_in(Duration::from_secs(3600)).await.unwrap();
    let mut program = browser.another();
    let header = HeaderValue::try_from(format!("Bearer {}", key.expose())).unwrap();
    program.headers.insert(AUTHORIZATION, header);
    let mut browser = browser.another();
    assert_eq!(browser.post("/push/one").await.status, 200);

    store.fail_all(Fault::Fails);
    assert!(tokens.peek(token.text(), RESET).await.is_err());
    assert!(tokens.redeem(token.text(), RESET).await.is_err());
    assert!(tokens.redeem_code(&user, CODE, code.text()).await.is_err());
    assert!(tokens.issue(&user, RESET).await.is_err());
    assert!(throttle.attempt(&user.0).await.is_err());
    assert_eq!(program.send(Method::GET, "/me").await.status, 503);
    assert!(keys.list(&user.0).await.is_err());
    assert!(keys.revoke(&user.0, info.id()).await.is_err());
    assert_eq!(browser.get("/messages").await.status, 503);
    assert_eq!(browser.post("/push/lost").await.status, 503);
    store.heal();

    assert_eq!(browser.get("/messages").await.body, "one");
    assert_eq!(program.send(Method::GET, "/me").await.body, user.0);
    let permit = throttle.attempt(&user.0).await.unwrap();
    assert!(matches!(permit, Attempt::Permit(_)), "nothing was counted");
    let redeemed = tokens.redeem_code(&user, CODE, code.text()).await.unwrap();
    assert!(redeemed.is_some());
    assert!(tokens.redeem(token.text(), RESET).await.unwrap().is_some());
    assert!(keys.revoke(&user.0, info.id()).await.unwrap());
    store.clean_up().await;
}
