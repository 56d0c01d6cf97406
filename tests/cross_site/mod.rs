//! Requests between sites, in a real browser. `http://localhost` and `http://127.0.0.1` are two
//! sites; two ports of `localhost` are two origins of one site.

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../../examples/oidc/src/main.rs"]
mod oidc;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../../examples/payment/src/main.rs"]
mod payment;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../../examples/single_page_app/src/main.rs"]
mod single_page_app;

use std::{
    future,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderValue, header},
    response::{AppendHeaders, Html, Redirect},
    routing::{any, get},
};
use login_manager::{
    Auth, AuthUser, CurrentUser, Error, LoginManager, LoginRequired, MemoryStore, Session,
    event::EventKind,
    manager::{Cookies, SameSite},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_http::cors::CorsLayer;

use crate::{Visitor, in_a_browser, in_a_browser_set_to};

/// A port that listens, and its two names, which are two sites.
struct Place {
    listener: TcpListener,
    localhost: String,
    elsewhere: String,
}

impl Place {
    async fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Self {
            listener,
            localhost: format!("http://localhost:{port}"),
            elsewhere: format!("http://127.0.0.1:{port}"),
        }
    }

    /// It ends with the test's runtime.
    fn serve(self, app: Router) {
        tokio::spawn(async move { axum::serve(self.listener, app).await });
    }
}

pub async fn oidc_logs_in_by_query_and_by_form() {
    let (place, other) = (Place::new().await, Place::new().await);
    let site = place.localhost.clone();
    let provider =
        oidc::Provider::new(other.elsewhere.clone(), format!("{site}/callback")).unwrap();
    place.serve(oidc::app(provider.clone()).await.unwrap());
    let provider_site = other.elsewhere.clone();
    other.serve(provider.pages());
    in_a_browser(site, async |visitor| {
        let (session, flow) = ("__Host-account-session", "__Host-flow-session");
        for (mode, cookies) in [("query", &[session][..]), ("form_post", &[session, flow])] {
            visitor.open("/?page=2").await;
            assert_eq!(
                visitor.address().await,
                "/login?next=/%3Fpage%3D2&notice=login"
            );
            visitor.click(&format!("//button[@value='{mode}']")).await;
            visitor.find("//button[.='Continue as alice']").await;
            let url = visitor.client.current_url().await.unwrap();
            assert!(url.as_str().starts_with(&provider_site), "{url}");
            visitor.click("//button[.='Continue as alice']").await;
            visitor.reads("Hello, alice!").await;
            assert_eq!(visitor.address().await, "/?page=2");
            assert_eq!(visitor.cookie_names().await, cookies, "{mode}");

            // The same answer again is refused, and ends no login.
            visitor.client.back().await.unwrap();
            visitor.click("//button[.='Continue as alice']").await;
            visitor.reads("This login has expired").await;
            visitor.open("/?page=2").await;
            visitor.click("//button[.='Log out']").await;
            visitor.find("//button[@value='query']").await;
        }
        let flow = visitor.client.get_named_cookie(flow).await.unwrap();
        assert_eq!(flow.same_site().unwrap().to_string(), "None");
        assert_eq!((flow.secure(), flow.http_only()), (Some(true), Some(true)));
    })
    .await;
}

pub async fn payment_keeps_the_user_logged_in() {
    let (place, other) = (Place::new().await, Place::new().await);
    let site = place.localhost.clone();
    let provider = payment::Provider::new(other.elsewhere.clone(), format!("{site}/paid"));
    place.serve(payment::app(provider.clone()));
    other.serve(provider.pages());
    in_a_browser(site, async |visitor| {
        visitor.open("/").await;
        visitor.click("//button[.='Log in as alice']").await;
        visitor.click("//button[.='Order a book']").await;
        visitor.click("//button[.='Pay']").await;
        visitor.click("//button[.='Back to the shop']").await;
        visitor.reads("alice, your order 1 is paid.").await;
        assert_eq!(visitor.address().await, "/orders/1");
        visitor.open("/").await;
        visitor.find("//button[.='Order a book']").await;
    })
    .await;
}

/// A page of one site that does something to another: in the page, or by leaving it.
const BY_LINK: &str = "const a = document.createElement('a'); a.href = arguments[0];
    document.body.append(a); a.click()";
const BY_FORM: &str = "const form = document.createElement('form'); form.method = 'post';
    form.action = arguments[0]; document.body.append(form); form.submit()";
const BY_IMAGE: &str = "const [url, done] = arguments; const image = new Image();
    image.onload = image.onerror = () => done(); image.src = url";
const BY_FRAME: &str =
    "const [url, done] = arguments; const frame = document.createElement('iframe');
    frame.onload = () => done(); frame.src = url; document.body.append(frame)";
const BY_FORM_IN_FRAME: &str = "const [url, done] = arguments;
    const frame = document.createElement('iframe'); frame.name = 'frame'; document.body.append(frame);
    const form = document.createElement('form'); form.method = 'post'; form.action = url;
    form.target = 'frame'; document.body.append(form);
    frame.onload = () => done(); form.submit()";
const BY_FETCH: &str = "const [url, done] = arguments;
    fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include' }).then(() => done(), done)";
const BY_FETCH_WITHOUT_CREDENTIALS: &str = "const [url, done] = arguments;
    fetch(url, { method: 'POST', mode: 'no-cors' }).then(() => done(), done)";

/// Runs a script of these in the page and waits until it is done.
async fn attempt(visitor: &Visitor, script: &str, url: &str) {
    let url = vec![json!(url)];
    match [BY_LINK, BY_FORM].contains(&script) {
        true => {
            visitor.client.execute(script, url).await.unwrap();
            visitor.reads("Done.").await;
        }
        false => {
            let failed = visitor.client.execute_async(script, url).await.unwrap();
            assert_eq!(failed, Value::Null);
        }
    }
}

fn blank() -> Router {
    Router::new().route("/", get(Html("<!doctype html><body>")))
}

/// The table in the security guide.
pub async fn cookies_arrive_as_the_guide_says() {
    let (place, other) = (Place::new().await, Place::new().await);
    let (site, same_site, other_site) = (
        place.localhost.clone(),
        other.localhost.clone(),
        other.elsewhere.clone(),
    );
    let seen = Arc::new(Mutex::new(String::new()));
    let set_cookies = ["Strict", "Lax", "None"].map(|kind| {
        let cookie = format!("__Host-{kind}={kind}; Path=/; Secure; HttpOnly; SameSite={kind}");
        (header::SET_COOKIE, cookie)
    });
    let see = {
        let seen = Arc::clone(&seen);
        move |headers: HeaderMap| {
            let cookies = headers.get(header::COOKIE);
            let cookies = cookies.map_or("", |cookies| cookies.to_str().unwrap());
            let found = ["Strict", "Lax", "None"].into_iter();
            let found: Vec<_> = found.filter(|kind| cookies.contains(kind)).collect();
            *seen.lock().unwrap() = found.join(" ");
            future::ready(Html("<main>Done.</main>"))
        }
    };
    let app = Router::new()
        .route("/set", get((AppendHeaders(set_cookies), "set")))
        .route("/see", any(see))
        .route("/redirect", any(Redirect::to("/see")));
    place.serve(app);
    other.serve(blank());
    for blocks_third_parties in [false, true] {
        let preferences = third_party_cookies(blocks_third_parties);
        let third_party = if blocks_third_parties { "" } else { "None" };
        let story = async |visitor: &Visitor| {
            visitor.open("/set").await;
            for (from, script, path, expected) in [
                (&other_site, BY_LINK, "/see", "Lax None"),
                (&other_site, BY_LINK, "/redirect", "Lax None"),
                (&other_site, BY_FORM, "/see", "None"),
                (&other_site, BY_FORM, "/redirect", "Lax None"),
                (&other_site, BY_FETCH, "/see", third_party),
                (&other_site, BY_IMAGE, "/see", third_party),
                (&other_site, BY_FRAME, "/see", third_party),
                (&other_site, BY_FORM_IN_FRAME, "/see", third_party),
                (&same_site, BY_LINK, "/see", "Strict Lax None"),
                (&same_site, BY_FORM, "/see", "Strict Lax None"),
                (&same_site, BY_FETCH, "/see", "Strict Lax None"),
                (&same_site, BY_FETCH_WITHOUT_CREDENTIALS, "/see", ""),
                (&same_site, BY_IMAGE, "/see", "Strict Lax None"),
                (&same_site, BY_FRAME, "/see", "Strict Lax None"),
            ] {
                "nothing".clone_into(&mut seen.lock().unwrap());
                visitor.client.goto(from).await.unwrap();
                attempt(visitor, script, &format!("{site}{path}")).await;
                let seen = seen.lock().unwrap();
                assert_eq!(*seen, expected, "{script} from {from} to {path}");
            }
        };
        in_a_browser_set_to(preferences, site.clone(), story).await;
    }
}

fn third_party_cookies(are_blocked: bool) -> Value {
    json!({ "profile.cookie_controls_mode": u8::from(are_blocked) })
}

struct Account(String);

impl AuthUser for Account {
    type Id = String;

    fn id(&self) -> String {
        self.0.clone()
    }
}

fn routes() -> Router {
    let log_in = async |Path(name): Path<String>, auth: Auth<Account>| -> Result<(), Error> {
        auth.login(Account(name)).await.map(drop)
    };
    let who = async |CurrentUser(user): CurrentUser<Account>| {
        let name = user.map_or("nobody".to_owned(), |user| user.id());
        Html(format!("<main>I am {name}.</main>"))
    };
    Router::new()
        .route("/login/{name}", get(log_in))
        .route("/who", get(who))
        .route("/me", get(async |_: LoginRequired<Account>| ()))
}

/// An application that lets every site in, and inserts something into the session at each chance.
pub async fn requests_from_another_site_keep_the_login() {
    let (place, other) = (Place::new().await, Place::new().await);
    let (site, other_site) = (place.localhost.clone(), other.elsewhere.clone());
    let events = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&events);
    let login_manager = LoginManager::new(MemoryStore::new(), |name| async { Some(Account(name)) })
        .with_realm("account")
        .with_on_event(move |event| listener.lock().unwrap().push(event.kind()));
    let careless = async |session: Session| -> Result<_, Error> {
        session.insert("from", "elsewhere").await?;
        Ok(Html("<main>Done.</main>"))
    };
    let app = routes()
        .route("/careless", any(careless))
        .layer(login_manager);
    place.serve(app);
    other.serve(blank());
    in_a_browser(site.clone(), async |visitor| {
        visitor.open("/login/alice").await;
        for (script, is_dropped) in [
            (BY_FORM, true),
            (BY_FETCH, true),
            (BY_FORM_IN_FRAME, true),
            // A session is created, and the browser refuses its cookie.
            (BY_IMAGE, false),
            (BY_FRAME, false),
            // With the cookie.
            (BY_LINK, false),
        ] {
            visitor.client.goto(&other_site).await.unwrap();
            events.lock().unwrap().clear();
            attempt(visitor, script, &format!("{site}/careless")).await;
            let dropped = events.lock().unwrap().contains(&EventKind::DataDropped);
            assert_eq!(dropped, is_dropped, "{script}");
            visitor.open("/who").await;
            visitor.reads("I am alice.").await;
        }
    })
    .await;
}

/// The API of a front end at another site, in a browser that blocks third-party cookies.
pub async fn partitioned_cookies_work_from_another_site() {
    for is_partitioned in [true, false] {
        let (place, other) = (Place::new().await, Place::new().await);
        let (site, other_site) = (place.localhost.clone(), other.elsewhere.clone());
        let mut cookies = Cookies::new().same_site(SameSite::None);
        if is_partitioned {
            cookies = cookies.partitioned();
        }
        let login_manager =
            LoginManager::new(MemoryStore::new(), |name| async { Some(Account(name)) })
                .with_cookies(cookies);
        let cors = CorsLayer::new()
            .allow_origin(other_site.parse::<HeaderValue>().unwrap())
            .allow_credentials(true);
        let app = routes().layer(login_manager).layer(cors);
        place.serve(app);
        other.serve(blank());
        let story = async |visitor: &Visitor| {
            visitor.client.goto(&other_site).await.unwrap();
            let get = |path| fetch(visitor, format!("{site}{path}"), json!({}));
            assert_eq!(get("/login/alice").await, 200);
            let who = get("/me").await;
            assert_eq!(who, if is_partitioned { 200 } else { 401 });
            // The user is logged in at each site separately.
            visitor.open("/who").await;
            visitor.reads("I am nobody.").await;
        };
        in_a_browser_set_to(third_party_cookies(true), site.clone(), story).await;
    }
}

pub async fn single_page_app_logs_in_and_out() {
    let (place, front_end) = (Place::new().await, Place::new().await);
    let (api, site) = (place.localhost.clone(), front_end.localhost.clone());
    let stranger = Place::new().await;
    let strangers = [stranger.localhost.clone(), stranger.elsewhere.clone()];
    place.serve(single_page_app::app(&site).unwrap());
    front_end.serve(single_page_app::front_end(&api));
    stranger.serve(blank());
    in_a_browser(site, async |visitor| {
        visitor.open("/").await;
        visitor.reads("Not logged in: login_required").await;
        visitor.type_in("username", "alice").await;
        visitor.type_in("password", "mirror").await;
        visitor.click("//button[.='Log in']").await;
        visitor.reads("Wrong user name or password.").await;
        for stranger in &strangers {
            visitor.client.goto(stranger).await.unwrap();
            cannot_log_in(visitor, &api).await;
        }

        visitor.open("/").await;
        visitor.reads("Not logged in: login_required").await;
        visitor.type_in("username", "alice").await;
        visitor.type_in("password", "wonderland").await;
        visitor.click("//button[.='Log in']").await;
        visitor.reads("Hello, alice!").await;
        visitor.client.refresh().await.unwrap();
        visitor.reads("Hello, alice!").await;
        for stranger in &strangers {
            visitor.client.goto(stranger).await.unwrap();
            assert_eq!(
                fetch(visitor, format!("{api}/me"), json!({})).await,
                "blocked"
            );
            let logout = format!("{api}/logout");
            assert_eq!(
                fetch(visitor, logout.clone(), json!({ "method": "POST" })).await,
                "blocked"
            );
            attempt(visitor, BY_FETCH, &logout).await;
            visitor.open("/").await;
            visitor.reads("Hello, alice!").await;
            visitor.client.goto(stranger).await.unwrap();
            attempt(visitor, BY_FORM_IN_FRAME, &logout).await;
            visitor.open("/").await;
            visitor.reads("Hello, alice!").await;
        }

        visitor.click("//button[.='Log out']").await;
        visitor.reads("Not logged in: login_required").await;
        visitor.client.goto(&api).await.unwrap();
        assert!(visitor.cookies().await.is_empty());
    })
    .await;
}

/// By JSON, for which the browser asks first, and as text, for which it doesn't.
async fn cannot_log_in(visitor: &Visitor, api: &str) {
    let credentials = r#"{"username": "alice", "password": "wonderland"}"#;
    let json = json!({
        "method": "POST",
        "headers": { "content-type": "application/json" },
        "body": credentials,
    });
    let text = json!({ "method": "POST", "body": credentials });
    for request in [json, text] {
        let url = format!("{api}/login");
        assert_eq!(fetch(visitor, url, request).await, "blocked");
        assert!(visitor.cookies().await.is_empty());
    }
}

/// The status, or `blocked` if the page isn't told.
async fn fetch(visitor: &Visitor, url: String, request: Value) -> Value {
    let script = "const [url, request, done] = arguments;
        fetch(url, { ...request, credentials: 'include' })
            .then((response) => done(response.status), () => done('blocked'))";
    let arguments = vec![json!(url), request];
    visitor
        .client
        .execute_async(script, arguments)
        .await
        .unwrap()
}
