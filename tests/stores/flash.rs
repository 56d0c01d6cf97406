//! Flash messages on every store: each is shown once, also with parallel requests to two nodes.

use std::sync::Arc;

use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use http::Method;
use login_manager::{
    Auth, Error, LoginManager, SessionStore,
    flash::{Flash, Level, Message},
};

use crate::{sql::random_text, support::browser::Browser, user::Account};

fn node(store: &Arc<dyn SessionStore>) -> Router {
    let load = async |id: String| Some(Account(id));
    let manager = LoginManager::new(Arc::clone(store), load).with_realm("flash-test");
    let login = async |auth: Auth<Account>, flash: Flash, Path(id): Path<String>| {
        auth.login(Account(id)).await?;
        flash.push(Level::Success, "welcome").await
    };
    let push = async |flash: Flash, Path(text): Path<String>| flash.push(Level::Info, text).await;
    Router::new()
        .route("/login/{id}", post(login))
        .route("/push/{text}", post(push))
        .route("/messages", get(messages))
        .layer(manager)
}

pub(crate) async fn messages(flash: Flash) -> Result<String, Error> {
    let messages = flash.take().await?;
    let texts: Vec<_> = messages.iter().map(Message::text).collect();
    Ok(texts.join(","))
}

/// What 64 parallel requests are shown, half of them by each node.
async fn show_at_once(nodes: &[Router; 2], browser: &Browser) -> Vec<String> {
    let requests: Vec<_> = (0..64)
        .map(|n| browser.moved_to(nodes[n % 2].clone()))
        .map(|browser| browser.start(Method::GET, "/messages"))
        .collect();
    let mut shown = Vec::new();
    for request in requests {
        let (_, answer) = request.await.unwrap();
        // A store that is too busy to answer within the deadline shows nothing and loses nothing.
        match answer.status.as_u16() {
            200 => shown.extend(Some(answer.body).filter(|body| !body.is_empty())),
            status => assert_eq!(status, 503),
        }
    }
    shown
}

pub(crate) async fn work(store: Arc<dyn SessionStore>) {
    let nodes = [node(&store), node(&store)];
    let mut browser = Browser::new(nodes[0].clone());

    // Of an anonymous visitor.
    assert_eq!(browser.post("/push/one").await.status, 200);
    let mut other = browser.moved_to(nodes[1].clone());
    assert_eq!(other.post("/push/two").await.status, 200);
    assert_eq!(show_at_once(&nodes, &browser).await, ["one,two"]);

    // Of a user.
    let login = format!("/login/{}", random_text());
    assert_eq!(browser.post(&login).await.status, 200);
    assert_eq!(browser.post("/push/three").await.status, 200);
    assert_eq!(show_at_once(&nodes, &browser).await, ["welcome,three"]);
    assert_eq!(browser.get("/messages").await.body, "");
}
