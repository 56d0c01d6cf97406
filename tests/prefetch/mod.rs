//! Pages that a browser fetches before anyone asks for them.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Form, Router,
    extract::Request,
    http::StatusCode,
    middleware::{Next, from_fn},
    response::{Html, Response},
    routing::get,
};
use login_manager::{
    Auth, AuthUser, Error, LoginManager, LoginRequired, MemoryStore, NextPath,
    manager::{LoginPage, NextIn},
};
use tokio::net::TcpListener;

use crate::in_a_browser;

#[derive(Clone)]
struct Account;

impl AuthUser for Account {
    type Id = i64;

    fn id(&self) -> i64 {
        1
    }
}

/// The home page has the browser fetch one guarded page ahead, and links to it and to another one.
const HOME: &str = r#"<!doctype html><main>
<a href="/ahead">ahead</a> <a href="/wanted">wanted</a>
<script type="speculationrules">
{ "prefetch": [{ "source": "list", "urls": ["/ahead"], "eagerness": "immediate" }] }
</script></main>"#;

/// The status of every prefetch.
type Prefetches = Arc<Mutex<Vec<StatusCode>>>;

fn app(prefetches: Prefetches) -> Router {
    let page = async |_: LoginRequired<Account>| Html("<main>This is for users.</main>");
    let form = Html("<main><form method='post'><button>Log in</button></form></main>");
    let log_in = async |auth: Auth<Account>, next: NextPath, _: Form<()>| {
        auth.login(Account).await?;
        Ok::<_, Error>(next.redirect_or("/"))
    };
    let record = move |request: Request, next: Next| {
        let prefetches = Arc::clone(&prefetches);
        let is_prefetch = request.headers().contains_key("sec-purpose");
        async move {
            let response: Response = next.run(request).await;
            if is_prefetch {
                prefetches.lock().unwrap().push(response.status());
            }
            response
        }
    };
    let login_page = LoginPage::new("/login").next_in(NextIn::Cookie);
    let manager = LoginManager::new(MemoryStore::new(), |_| async { Some(Account) });
    Router::new()
        .route("/", get(Html(HOME)))
        .route("/ahead", get(page))
        .route("/wanted", get(page))
        .route("/login", get(form).post(log_in))
        .layer(manager.with_realm("account").with_login_page(login_page))
        .layer(from_fn(record))
}

pub async fn prefetched_page_is_no_place_to_return_to() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let site = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let prefetches = Prefetches::default();
    let app = app(Arc::clone(&prefetches));
    tokio::spawn(async move { axum::serve(listener, app).await });
    in_a_browser(site, async |visitor| {
        visitor.open("/").await;
        let patience = Instant::now() + Duration::from_secs(10);
        while prefetches.lock().unwrap().is_empty() {
            assert!(Instant::now() < patience, "Chromium fetches nothing ahead");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(*prefetches.lock().unwrap(), [StatusCode::UNAUTHORIZED]);
        assert_eq!(visitor.cookie_names().await, [""; 0]);

        // Whoever goes there is asked to log in, and returns.
        visitor.click("//a[.='ahead']").await;
        visitor.click("//button[.='Log in']").await;
        visitor.reads("This is for users.").await;
        assert_eq!(visitor.address().await, "/ahead");
    })
    .await;
}
