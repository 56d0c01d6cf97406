//! The manager and the guards around and inside other layers, with any body.

use std::{convert::Infallible, fs, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    routing::get,
};
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, combinators::BoxBody, combinators::UnsyncBoxBody};
use login_manager::{Auth, BoxError, LoginManager, MemoryStore, guard::login_page, login_required};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_http::{
    catch_panic::CatchPanicLayer, compression::CompressionLayer, cors::CorsLayer,
    services::ServeDir, timeout::TimeoutLayer, trace::TraceLayer,
};

use crate::support::world::{Account, Accounts, account};

const TEXT: &str = "for users only";

fn manager() -> LoginManager<Account> {
    LoginManager::new(MemoryStore::new(), Accounts::new()).with_login_page("/login")
}

fn timeout() -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(3600))
}

/// Answers `/login` itself, and passes on everything else.
async fn or_login<B>(
    request: Request<Body>,
    other: Response<B>,
) -> Result<Response<B>, Infallible> {
    if request.uri().path() == "/login" {
        let auth = Auth::<Account>::from_extensions(request.extensions()).unwrap();
        auth.login(account(1, "alice")).await.unwrap();
    }
    Ok(other)
}

/// Denies an anonymous request, and lets a user in.
async fn is_guarded<S, B, E>(mut service: S)
where
    S: Service<Request<Body>, Response = Response<B>, Error = E>,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    E: std::fmt::Debug,
{
    let mut send = async |uri: &str, cookie: Option<&str>| {
        let request = Request::get(uri).header("accept", "text/html");
        let request = match cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        };
        let request = request.body(Body::empty()).unwrap();
        let (head, body) = service
            .ready()
            .await
            .unwrap()
            .call(request)
            .await
            .unwrap()
            .into_parts();
        let body = axum::body::to_bytes(Body::new(body), 1024).await.unwrap();
        (head, String::from_utf8(body.to_vec()).unwrap())
    };
    let (denied, body) = send("/file.txt", None).await;
    assert_eq!((denied.status.as_u16(), &*body), (303, ""));
    assert_eq!(
        denied.headers["location"],
        "/login?next=/file.txt&notice=login"
    );
    let (login, _) = send("/login", None).await;
    let cookie = login.headers[header::SET_COOKIE].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let (page, body) = send("/file.txt", Some(&cookie)).await;
    assert_eq!((page.status.as_u16(), &*body), (200, TEXT));
}

#[tokio::test]
async fn manager_and_guard_fit_around_and_inside_every_layer() {
    let folder = std::env::temp_dir().join(format!("login-manager-layers-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("file.txt"), TEXT).unwrap();
    let files = ServeDir::new(&folder);
    let guard = || login_required::<Account>().except(["/login"]);
    let login =
        service_fn(|request: Request<Body>| or_login(request, Response::new(Body::empty())));

    // Each of them outside, between and inside.
    let service = ServiceBuilder::new()
        .layer(CatchPanicLayer::new())
        .layer(TraceLayer::new_for_http())
        .layer(CompressionLayer::new())
        .layer(CorsLayer::permissive())
        .layer(timeout())
        .layer(manager())
        .layer(CatchPanicLayer::new())
        .layer(TraceLayer::new_for_http())
        .layer(CompressionLayer::new())
        .layer(CorsLayer::permissive())
        .layer(timeout())
        .layer(login_page::<Account>("/login"))
        .layer(CorsLayer::permissive())
        .layer(guard())
        .layer(CatchPanicLayer::new())
        .layer(TraceLayer::new_for_http())
        .layer(CompressionLayer::new())
        .service(files.clone().fallback(login));
    is_guarded(service).await;

    // Directly around the files, and around each layer.
    is_guarded(manager().layer(guard().layer(files.clone().fallback(login)))).await;
    is_guarded(
        ServiceBuilder::new()
            .layer(manager())
            .layer(TraceLayer::new_for_http())
            .layer(guard())
            .layer(TraceLayer::new_for_http())
            .service(files.clone().fallback(login)),
    )
    .await;

    // In a router, as a layer and as a service.
    let router = Router::new()
        .route_service("/login", login)
        .fallback_service(guard().layer(files))
        .layer(
            ServiceBuilder::new()
                .layer(manager())
                .layer(TraceLayer::new_for_http()),
        );
    is_guarded(router).await;
    fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn every_body_can_be_guarded() {
    let guard = || login_required::<Account>().except(["/login"]);
    let full = service_fn(|request| or_login(request, Response::new(Full::new(Bytes::from(TEXT)))));
    is_guarded(manager().layer(guard().layer(full))).await;
    let text = service_fn(|request| or_login(request, Response::new(TEXT.to_owned())));
    is_guarded(manager().layer(guard().layer(text))).await;
    let boxed = service_fn(|request| {
        let body: BoxBody<Bytes, Infallible> = Full::new(Bytes::from(TEXT)).boxed();
        or_login(request, Response::new(body))
    });
    is_guarded(manager().layer(guard().layer(boxed))).await;
    let unsync = service_fn(|request| {
        let failing = Full::new(Bytes::from(TEXT)).map_err(BoxError::from);
        let body: UnsyncBoxBody<Bytes, BoxError> = failing.boxed_unsync();
        or_login(request, Response::new(body))
    });
    is_guarded(manager().layer(guard().layer(unsync))).await;
}

#[tokio::test]
async fn length_of_a_body_stays_known() {
    let body = async |service: Router| {
        let request = Request::get("/").body(Body::empty()).unwrap();
        service.oneshot(request).await.unwrap().into_body()
    };
    let app = Router::new().route("/", get(|| async { TEXT }));
    let app = app.layer(login_page::<Account>("/login")).layer(manager());
    let size = http_body::Body::size_hint(&body(app).await).exact();
    assert_eq!(size, Some(TEXT.len() as u64));
}
