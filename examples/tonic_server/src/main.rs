//! A gRPC server whose clients send an API key. The manager is a layer of the server, and the
//! guards are layers of the server or of one service.
//!
//! ```sh
//! cargo run -p tonic_server
//! ```
//!
//! In gRPC, an empty message is five zero bytes:
//!
//! ```sh
//! call() { # a method, a key
//!   printf '\0\0\0\0\0' | curl -sD - --http2-prior-knowledge "http://localhost:3000/$1" -H "x-api-key: $2" \
//!     -H 'content-type: application/grpc' -H 'te: trailers' --data-binary @- -o -
//! }
//! call demo.Greeter/Hello                  # grpc-status: 16, UNAUTHENTICATED
//! call demo.Greeter/Hello key-of-alice     # Hello, alice!
//! call demo.Admin/Statistics key-of-alice  # grpc-status: 7, PERMISSION_DENIED
//! call demo.Admin/Statistics key-of-bob    # 2 accounts
//! ```
//!
//! The server does not read the message of a call that it denies; curl 7.88 sometimes reports that
//! as error 92. If the lookup of a key fails, because the database is down for example, the guard
//! returns an HTTP 503, which gRPC clients report as UNAVAILABLE.

use std::{
    convert::Infallible,
    env,
    error::Error,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Extensions, request::Parts};
use login_manager::{
    Auth, AuthUser, LoginManager, MemoryStore, guard::DeniedReason, login_required,
};
use prost::Message;
use sha2::{Digest, Sha256};
use tokio::{net::TcpListener, signal};
use tonic::{
    Request, Response, Status,
    body::Body,
    server::{Grpc, NamedService},
    service::LayerExt,
    transport::{Server, server::TcpIncoming},
};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

#[derive(Clone, Copy)]
pub(crate) struct Account {
    name: &'static str,
    key: &'static str,
    is_admin: bool,
}

/// Your database. Store digests of random keys there, not the keys, so that a reader of the
/// database can't use them.
const ACCOUNTS: [Account; 2] = [
    Account {
        name: "alice",
        key: "key-of-alice",
        is_admin: false,
    },
    Account {
        name: "bob",
        key: "key-of-bob",
        is_admin: true,
    },
];

impl AuthUser for Account {
    type Id = String;

    fn id(&self) -> String {
        self.name.to_owned()
    }
}

/// Tests call it too.
pub(crate) fn login_manager() -> LoginManager<Account> {
    // Without cookies there are no sessions, so neither the store nor this loader is ever used.
    LoginManager::new(MemoryStore::new(), async |_: String| None::<Account>)
        .without_cookies()
        // The future must not borrow the head, so the key's digest is computed first.
        .with_request_loader(|head: &Parts| {
            // Metadata is sent in headers.
            let key = head.headers.get("x-api-key").map(Sha256::digest);
            async move { by_key(key?.into()) }
        })
        // A gRPC error is a header of a response whose HTTP status is 200.
        .with_unauthorized(async |denied| {
            let status = match denied.reason() {
                DeniedReason::Forbidden => Status::permission_denied("not with this key"),
                _ => Status::unauthenticated("a valid x-api-key is required"),
            };
            status.into_http::<Body>()
        })
}

fn by_key(digest: [u8; 32]) -> Option<Account> {
    let found = |account: &Account| digest == <[u8; 32]>::from(Sha256::digest(account.key));
    ACCOUNTS.into_iter().find(found)
}

/// The whole server. Tests call it too.
pub(crate) async fn serve(
    listener: TcpListener,
    login_manager: LoginManager<Account>,
    stop: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error> {
    let admins = login_required::<Account>().and(|account| account.is_admin);
    Server::builder() // the first layer is the outermost one
        .layer(login_manager)
        .layer(login_required::<Account>())
        .add_service(Greeter)
        .add_service(admins.named_layer(Admin))
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), stop)
        .await
}

async fn hello(request: Request<()>) -> Result<Response<Text>, Status> {
    let account = current_user(request.extensions()).await?;
    let text = format!("Hello, {}!", account.name);
    Ok(Response::new(Text { text }))
}

async fn statistics(_: Request<()>) -> Result<Response<Text>, Status> {
    let text = format!("{} accounts", ACCOUNTS.len());
    Ok(Response::new(Text { text }))
}

/// The guard has already looked up the user, and denied anonymous calls.
async fn current_user(extensions: &Extensions) -> Result<Arc<Account>, Status> {
    let auth = Auth::<Account>::from_extensions(extensions);
    let auth = auth.ok_or_else(|| Status::internal("no login manager is around this service"))?;
    match auth.user().await {
        Ok(user) => user.ok_or_else(|| Status::unauthenticated("no guard is around this service")),
        Err(error) => Err(Status::unavailable(error.to_string())),
    }
}

// The rest is what tonic-prost-build generates from a .proto file. It is written by hand here, so
// that the example needs no protoc.

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Text {
    #[prost(string, tag = "1")]
    pub(crate) text: String,
}

/// `service Greeter { rpc Hello(google.protobuf.Empty) returns (Text); }`
#[derive(Clone)]
struct Greeter;

impl NamedService for Greeter {
    const NAME: &'static str = "demo.Greeter";
}

impl Service<http::Request<Body>> for Greeter {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer {
        Box::pin(async {
            Ok(match request.uri().path() {
                "/demo.Greeter/Hello" => grpc().unary(service_fn(hello), request).await,
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

/// `service Admin { rpc Statistics(google.protobuf.Empty) returns (Text); }`
#[derive(Clone)]
struct Admin;

impl NamedService for Admin {
    const NAME: &'static str = "demo.Admin";
}

impl Service<http::Request<Body>> for Admin {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer {
        Box::pin(async {
            Ok(match request.uri().path() {
                "/demo.Admin/Statistics" => grpc().unary(service_fn(statistics), request).await,
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

fn grpc() -> Grpc<ProstCodec<Text, ()>> {
    Grpc::new(ProstCodec::default())
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "output for the terminal")]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt::init();
    let port = env::var("PORT").unwrap_or("3000".to_owned());
    let port: u16 = port
        .parse()
        .map_err(|_| format!("PORT must be a number up to 65535, not '{port}'"))?;
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| format!("can't listen on port {port}: {error}"))?;
    println!(
        "Listening on http://localhost:{}",
        listener.local_addr()?.port()
    );
    let stop = async { signal::ctrl_c().await.unwrap_or_default() };
    Ok(serve(listener, login_manager(), stop).await?)
}
