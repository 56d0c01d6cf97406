//! The examples without axum, over real sockets and with real clients.
#![allow(unreachable_pub, reason = "there is no outside to a test crate")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "it is a test"
)]

#[allow(dead_code, reason = "a helper for the next test does no harm")]
#[path = "app/support/browser.rs"]
mod browser;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/hyper_server/src/main.rs"]
mod hyper_server;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/tonic_server/src/main.rs"]
mod tonic_server;

#[allow(dead_code, reason = "its main isn't called")]
#[path = "../examples/websocket/src/main.rs"]
mod websocket;

use std::{
    future::{pending, ready},
    net::SocketAddr,
};

use axum::{Router, body::Body};
use futures_util::StreamExt as _;
use http::{HeaderValue, Method, Request, StatusCode, header::CONTENT_TYPE, request::Parts};
use http_body::Body as _;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use login_manager::{BoxError, LoginManager};
use tokio::{net::TcpListener, sync::oneshot};
use tokio_tungstenite::tungstenite::{self, Message, client::IntoClientRequest};
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;
use tower::{Service, ServiceExt};
use url::form_urlencoded;

use crate::{
    browser::{Answer, Browser},
    tonic_server::{Account, Text},
};

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A browser whose requests go through a socket to the hyper server, and what stops that.
async fn visit() -> (Browser, oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let (listener, address) = listen().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(async {
        let stopped = async { drop(stopped.await) };
        hyper_server::serve(listener, stopped).await.unwrap();
    });
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    let socket = Router::new().fallback(async move |mut request: Request<Body>| {
        let uri = format!("http://{address}{}", request.uri());
        *request.uri_mut() = uri.parse().unwrap();
        client.request(request).await.unwrap().map(Body::new)
    });
    (Browser::new(socket), stop, serving)
}

async fn submit(browser: &mut Browser, uri: &str, name: &str, password: &str) -> Answer {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("username", name)
        .append_pair("password", password)
        .finish();
    let mut request = browser.request(Method::POST, uri);
    *request.body_mut() = Body::from(form);
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, kind);
    browser.deliver(request).await
}

#[track_caller]
fn assert_redirects(answer: &Answer, to: &str) {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_eq!(answer.location(), to);
}

#[tokio::test]
async fn hyper_server_logs_in_logs_out_and_stops() {
    let (mut browser, stop, serving) = visit().await;
    assert!(browser.get("/").await.body.contains("Hello, stranger!"));
    let sent_away = browser.get("/dashboard?page=2").await;
    let login = "/login?next=/dashboard%3Fpage%3D2&notice=login";
    assert_redirects(&sent_away, login);
    assert!(browser.get(login).await.body.contains("<form"));

    let logged_in = submit(&mut browser, login, "alice", "wonderland").await;
    assert_redirects(&logged_in, "/dashboard?page=2");
    assert_eq!(browser.cookie_names(), ["__Host-user-session"]);
    let dashboard = browser.get("/dashboard").await;
    assert_eq!(dashboard.status, StatusCode::OK);
    assert!(dashboard.body.contains("Hello, alice!"));
    assert_eq!(dashboard.header("cache-control"), Some("no-store"));
    assert!(browser.get("/").await.body.contains("Hello, alice!"));
    assert_eq!(browser.get("/nowhere").await.status, StatusCode::NOT_FOUND);

    assert_redirects(&browser.post("/logout").await, "/");
    assert!(browser.cookie_names().is_empty());
    assert_eq!(
        browser.get("/dashboard").await.status,
        StatusCode::SEE_OTHER
    );

    // Although the browser's connection is still open.
    stop.send(()).unwrap();
    serving.await.unwrap();
}

#[tokio::test]
async fn hyper_server_treats_wrong_names_and_passwords_alike() {
    let (mut browser, _stop, _) = visit().await;
    let wrong_password = submit(&mut browser, "/login", "alice", "mirror").await;
    assert_eq!(wrong_password.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong_password.body.contains("Wrong user name or password."));
    for (name, password) in [("nobody", "wonderland"), ("alice", ""), ("", "")] {
        let other = submit(&mut browser, "/login", name, password).await;
        assert_eq!(other.status, wrong_password.status);
        assert_eq!(other.body, wrong_password.body);
    }
    let long = submit(&mut browser, "/login", "alice", &"a".repeat(20_000)).await;
    assert_eq!(long.status, StatusCode::BAD_REQUEST);
    assert!(browser.cookie_names().is_empty());
}

#[tokio::test]
async fn hyper_server_sends_no_one_elsewhere() {
    let (mut browser, _stop, _) = visit().await;
    let elsewhere = "/login?next=https://evil.example/";
    let logged_in = submit(&mut browser, elsewhere, "alice", "wonderland").await;
    assert_redirects(&logged_in, "/dashboard");
}

#[tokio::test]
async fn hyper_server_refuses_forms_of_other_sites() {
    let (mut browser, _stop, _) = visit().await;
    let cross_site = HeaderValue::from_static("cross-site");
    browser.headers.insert("sec-fetch-site", cross_site);
    for uri in ["/login", "/logout"] {
        let answer = submit(&mut browser, uri, "alice", "wonderland").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    assert!(browser.cookie_names().is_empty());
}

/// A connection to the tonic server with this manager.
async fn connect(login_manager: LoginManager<Account>) -> Channel {
    let (listener, address) = listen().await;
    tokio::spawn(async {
        let served = tonic_server::serve(listener, login_manager, pending()).await;
        served.unwrap();
    });
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    endpoint.connect().await.unwrap()
}

/// The text that a method returns for a key; without one if it is empty.
async fn call(channel: &Channel, method: &'static str, key: &str) -> Result<String, Status> {
    let mut request = tonic::Request::new(());
    if !key.is_empty() {
        let key = key.parse().unwrap();
        request.metadata_mut().insert("x-api-key", key);
    }
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let (path, codec) = (method.parse().unwrap(), ProstCodec::<(), Text>::default());
    let response = client.unary(request, path, codec).await?;
    Ok(response.into_inner().text)
}

const HELLO: &str = "/demo.Greeter/Hello";
const STATISTICS: &str = "/demo.Admin/Statistics";

#[tokio::test]
async fn tonic_server_lets_keys_through_and_tells_why_not() {
    let channel = connect(tonic_server::login_manager()).await;
    let code = async |method, key| call(&channel, method, key).await.unwrap_err().code();

    for key in ["", "key-of-nobody", "key-of-alice "] {
        for method in [
            HELLO,
            STATISTICS,
            "/demo.Greeter/Other",
            "/demo.Other/Hello",
        ] {
            assert_eq!(code(method, key).await, Code::Unauthenticated);
        }
    }
    let hello = call(&channel, HELLO, "key-of-alice").await.unwrap();
    assert_eq!(hello, "Hello, alice!");
    assert_eq!(
        code(STATISTICS, "key-of-alice").await,
        Code::PermissionDenied
    );

    let hello = call(&channel, HELLO, "key-of-bob").await.unwrap();
    assert_eq!(hello, "Hello, bob!");
    let statistics = call(&channel, STATISTICS, "key-of-bob").await.unwrap();
    assert_eq!(statistics, "2 accounts");
    for method in ["/demo.Greeter/Other", "/demo.Other/Hello"] {
        assert_eq!(code(method, "key-of-bob").await, Code::Unimplemented);
    }
}

/// The head of the response to a call without a key, and whether nothing follows.
async fn head_without_key(channel: &mut Channel) -> (http::response::Parts, bool) {
    let request = Request::post(HELLO).header("te", "trailers");
    let request = request.header(CONTENT_TYPE, "application/grpc");
    let request = request.body(tonic::body::Body::empty()).unwrap();
    let channel = channel.ready().await.unwrap();
    let (head, body) = channel.call(request).await.unwrap().into_parts();
    (head, body.is_end_stream())
}

#[tokio::test]
async fn tonic_server_denies_by_the_trailers_alone() {
    let mut channel = connect(tonic_server::login_manager()).await;
    let (head, is_all) = head_without_key(&mut channel).await;
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(head.headers[CONTENT_TYPE], "application/grpc");
    assert_eq!(head.headers["grpc-status"], "16");
    assert!(is_all);
    for cookie in ["set-cookie", "vary"] {
        assert!(!head.headers.contains_key(cookie));
    }
}

#[tokio::test]
async fn tonic_server_is_unavailable_if_the_lookup_fails() {
    let failed = |_: &Parts| ready(Err::<Option<Account>, BoxError>("no database".into()));
    let manager = tonic_server::login_manager().with_request_loader(failed);
    let mut channel = connect(manager).await;
    let (head, _) = head_without_key(&mut channel).await;
    assert_eq!(head.status, StatusCode::SERVICE_UNAVAILABLE);
    let status = call(&channel, HELLO, "").await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    // The first loader knows this one.
    let hello = call(&channel, HELLO, "key-of-alice").await.unwrap();
    assert_eq!(hello, "Hello, alice!");
}

type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn open_clock(address: SocketAddr, cookie: &str, origin: &str) -> Result<Socket, Rejected> {
    let mut request = format!("ws://{address}/clock")
        .into_client_request()
        .unwrap();
    let headers = request.headers_mut();
    headers.insert("cookie", cookie.parse().unwrap());
    headers.insert("origin", origin.parse().unwrap());
    match tokio_tungstenite::connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(answer)) => Err(Rejected(answer.status())),
        Err(error) => panic!("{error}"),
    }
}

#[derive(Debug, PartialEq)]
struct Rejected(StatusCode);

#[tokio::test]
async fn websocket_is_closed_after_the_logout() {
    let (listener, address) = listen().await;
    let app = websocket::app();
    let serving = tokio::spawn(axum::serve(listener, app.clone()).into_future());
    let mut browser = Browser::new(app);
    let origin = format!("http://{address}");

    let anonymous = open_clock(address, "a=b", &origin).await;
    assert_eq!(anonymous.map(drop), Err(Rejected(StatusCode::UNAUTHORIZED)));
    browser.post("/login").await;
    let cookie = browser.cookie_header("/").unwrap();
    let elsewhere = open_clock(address, &cookie, "http://evil.example").await;
    assert_eq!(elsewhere.map(drop), Err(Rejected(StatusCode::FORBIDDEN)));

    let mut socket = open_clock(address, &cookie, &origin).await.unwrap();
    let first = socket.next().await.unwrap().unwrap();
    assert_eq!(first.to_text().unwrap(), "0 seconds");
    browser.post("/logout").await;
    let closed = loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Close(frame) => break frame.unwrap(),
            Message::Text(_) => {} // sent before the logout
            other => panic!("{other}"),
        }
    };
    assert_eq!(closed.reason, "logged out");
    serving.abort();
}
