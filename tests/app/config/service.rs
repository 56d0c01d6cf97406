//! The manager and the guards as tower services: readiness, other middleware, services without
//! axum.

use std::{
    convert::Infallible,
    future::{Ready, poll_fn, ready},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes};
use http::{HeaderMap, Request, Response, header};
use http_body::Body as HttpBody;
use login_manager::{Auth, ErrorKind, LoginManager, login_required};
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn, util::BoxService};

use crate::support::{
    faulty_store::{Call::Load, Fault, FaultyStore, When::Before},
    world::{Account, Accounts, account},
};

type Req = Request<String>;
type Res = Response<String>;

fn manager(store: &FaultyStore) -> LoginManager<Account> {
    LoginManager::new(store.clone(), Accounts::new()).with_deadline(Duration::from_secs(3600))
}

fn request(uri: &str, cookie: Option<&str>) -> Req {
    let mut request = Request::builder().method("POST").uri(uri);
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    request.body(String::new()).unwrap()
}

/// A response whose body has the same type, whatever layers it came through.
fn boxed(
    response: Response<impl HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static>,
) -> Response<Body> {
    response.map(Body::new)
}

async fn text(
    response: Response<impl HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static>,
) -> String {
    let body = Body::new(response.into_body());
    let bytes = axum::body::to_bytes(body, 1024).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn cookie_of(headers: &HeaderMap) -> String {
    let value = headers[header::SET_COOKIE].to_str().unwrap();
    value.split(';').next().unwrap().to_owned()
}

/// `/login` logs alice in, `/logout` logs out, every other path returns the current user.
async fn handle(request: Req) -> Result<Res, Infallible> {
    let auth = Auth::<Account>::from_extensions(request.extensions()).unwrap();
    let body = match request.uri().path() {
        "/login" => auth
            .login(account(1, "alice"))
            .await
            .map(|user| user.name.clone()),
        "/logout" => auth.logout().await.map(|()| "bye".into()),
        _ => auth
            .user()
            .await
            .map(|user| user.map_or("nobody".into(), |user| user.name.clone())),
    };
    Ok(Response::new(body.unwrap()))
}

async fn log_in(store: &FaultyStore) -> String {
    let login = manager(store)
        .layer(service_fn(handle))
        .oneshot(request("/login", None));
    cookie_of(login.await.unwrap().headers())
}

/// A service that must be polled ready before each call, and tells its instances apart.
struct Strict {
    id: usize,
    ready: bool,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    instances: AtomicUsize,
    busy: AtomicBool,
    called: Mutex<Vec<usize>>,
    polled: Mutex<Vec<usize>>,
}

impl Strict {
    fn new() -> (Self, Arc<Shared>) {
        let shared = Arc::<Shared>::default();
        let strict = Self {
            id: 0,
            ready: false,
            shared: Arc::clone(&shared),
        };
        (strict, shared)
    }
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self {
            id: self.shared.instances.fetch_add(1, SeqCst) + 1,
            ready: false,
            shared: Arc::clone(&self.shared),
        }
    }
}

impl Service<Req> for Strict {
    type Response = Res;
    type Error = Infallible;
    type Future = Ready<Result<Res, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if self.shared.busy.load(SeqCst) {
            return Poll::Pending;
        }
        self.ready = true;
        self.shared.polled.lock().unwrap().push(self.id);
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Req) -> Self::Future {
        assert!(
            std::mem::take(&mut self.ready),
            "called without having been polled ready"
        );
        self.shared.called.lock().unwrap().push(self.id);
        ready(Ok(Response::new("in".to_owned())))
    }
}

async fn is_ready<S: Service<Req>>(service: &mut S) -> bool {
    poll_fn(|cx| Poll::Ready(service.poll_ready(cx).is_ready())).await
}

#[tokio::test]
async fn poll_ready_is_passed_on_and_the_ready_service_is_called() {
    let store = FaultyStore::new();
    let cookie = log_in(&store).await;
    for guarded in [false, true] {
        let (strict, shared) = Strict::new();
        let mut service = if guarded {
            let guarded = login_required::<Account>().layer(strict);
            BoxService::new(manager(&store).layer(guarded).map_response(boxed))
        } else {
            BoxService::new(manager(&store).layer(strict).map_response(boxed))
        };
        shared.busy.store(true, SeqCst);
        assert!(!is_ready(&mut service).await, "guarded: {guarded}");
        assert!(shared.called.lock().unwrap().is_empty());
        shared.busy.store(false, SeqCst);
        for _ in 0..3 {
            assert!(is_ready(&mut service).await);
            let response = service.call(request("/", Some(&cookie))).await.unwrap();
            assert_eq!(text(response).await, "in");
        }
        let (called, polled) = (shared.called.lock().unwrap(), shared.polled.lock().unwrap());
        assert_eq!(*called, *polled, "guarded: {guarded}");
    }
}

#[tokio::test]
async fn denied_request_does_not_call_the_inner_service() {
    let store = FaultyStore::new();
    let (strict, shared) = Strict::new();
    let mut service = manager(&store).layer(login_required::<Account>().layer(strict));
    for _ in 0..3 {
        let refused = service.ready().await.unwrap().call(request("/", None));
        assert_eq!(refused.await.unwrap().status(), 401);
    }
    assert!(shared.called.lock().unwrap().is_empty());
}

#[tokio::test]
async fn guard_waiting_for_the_store_blocks_no_other_request() {
    let store = FaultyStore::new();
    let cookie = log_in(&store).await;
    let (strict, shared) = Strict::new();
    let mut service = manager(&store).layer(login_required::<Account>().layer(strict));
    let gate = store.gate(Load, Before);
    let slow = tokio::spawn(
        service
            .ready()
            .await
            .unwrap()
            .call(request("/", Some(&cookie))),
    );
    gate.reached().await;
    let quick = service
        .ready()
        .await
        .unwrap()
        .call(request("/", Some(&cookie)));
    assert_eq!(quick.await.unwrap().status(), 200);
    gate.open();
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
    assert_eq!(shared.called.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn error_of_the_inner_service_is_passed_on() {
    let store = FaultyStore::new();
    let cookie = log_in(&store).await;
    let fails = service_fn(|_: Req| async { Err::<Res, BoxError>("inner".into()) });
    let mut service = manager(&store).layer(login_required::<Account>().layer(fails));
    let answer = service
        .ready()
        .await
        .unwrap()
        .call(request("/", Some(&cookie)))
        .await;
    assert_eq!(answer.unwrap_err().to_string(), "inner");
}

#[tokio::test]
async fn manager_and_guard_work_with_tower_middleware() {
    let store = FaultyStore::new();
    let service = ServiceBuilder::new()
        .buffer(8)
        .load_shed()
        .concurrency_limit(4)
        .timeout(Duration::from_secs(3600))
        .layer(manager(&store))
        .buffer(8)
        .load_shed()
        .layer(login_required::<Account>().except(["/login"]))
        .buffer(8)
        .concurrency_limit(1)
        .timeout(Duration::from_secs(3600))
        .service_fn(handle);
    let send = async |request| service.clone().oneshot(request).await.unwrap();

    assert_eq!(send(request("/me", None)).await.status(), 401);
    let cookie = cookie_of(send(request("/login", None)).await.headers());
    let requests: Vec<_> = (0..4)
        .map(|_| tokio::spawn(service.clone().oneshot(request("/me", Some(&cookie)))))
        .collect();
    for answer in requests {
        assert_eq!(text(answer.await.unwrap().unwrap()).await, "alice");
    }
    assert_eq!(
        text(send(request("/logout", Some(&cookie))).await).await,
        "bye"
    );
    assert_eq!(send(request("/me", Some(&cookie))).await.status(), 401);
}

#[tokio::test]
async fn load_is_shed_if_the_inner_service_is_busy() {
    let store = FaultyStore::new();
    let (strict, shared) = Strict::new();
    let mut service = ServiceBuilder::new()
        .load_shed()
        .layer(manager(&store))
        .layer(login_required::<Account>())
        .service(strict);
    shared.busy.store(true, SeqCst);
    let answer = service
        .ready()
        .await
        .unwrap()
        .call(request("/", None))
        .await;
    assert!(
        answer
            .unwrap_err()
            .is::<tower::load_shed::error::Overloaded>()
    );
}

/// Nothing here knows axum: requests and responses of text.
#[tokio::test]
async fn plain_http_service_supports_login_guard_and_logout() {
    let store = FaultyStore::new();
    let guard = login_required::<Account>()
        .except(["/login"])
        .and(|user| user.id == 1);
    let service = manager(&store)
        .with_login_page("/login")
        .layer(guard.layer(service_fn(handle)));
    let send = async |request| service.clone().oneshot(request).await.unwrap();

    let refused = send(request("/me", None)).await;
    assert_eq!(refused.status(), 401);
    assert!(refused.headers().contains_key(header::WWW_AUTHENTICATE));
    let login = send(request("/login", None)).await;
    assert_eq!(login.status(), 200);
    assert_eq!(login.headers()[header::VARY], "cookie");
    let cookie = cookie_of(login.headers());
    assert_eq!(text(login).await, "alice");
    assert_eq!(
        text(send(request("/me", Some(&cookie))).await).await,
        "alice"
    );
    assert_eq!(
        text(send(request("/logout", Some(&cookie))).await).await,
        "bye"
    );
    assert_eq!(send(request("/me", Some(&cookie))).await.status(), 401);
}

/// A guard without a manager, or outside its manager, responds with 500.
#[tokio::test]
async fn guard_outside_its_manager_lets_no_request_through() {
    let store = FaultyStore::new();
    let cookie = log_in(&store).await;
    let outside = login_required::<Account>().layer(manager(&store).layer(service_fn(handle)));
    let alone = login_required::<Account>().layer(service_fn(handle));
    let outside = outside.oneshot(request("/me", Some(&cookie))).await;
    let alone = alone.oneshot(request("/me", Some(&cookie))).await;
    for answer in [boxed(outside.unwrap()), boxed(alone.unwrap())] {
        assert_eq!(answer.status(), 500);
        let body = text(answer).await;
        let hint = "`.layer(login_manager)` is missing";
        assert_eq!(body.contains(hint), cfg!(debug_assertions), "{body}");
        assert_eq!(body.is_empty(), !cfg!(debug_assertions), "{body}");
    }
}

/// A service without axum gives the response that an axum handler gives with `?`.
#[tokio::test]
async fn error_converts_to_a_response_without_axum() {
    let store = FaultyStore::new();
    let cookie = log_in(&store).await;
    let ask = service_fn(async |request: Req| {
        let auth = Auth::<Account>::from_extensions(request.extensions()).unwrap();
        Ok::<Res, Infallible>(match auth.user().await {
            Ok(_) => Response::new(String::new()),
            Err(error) => error.response(),
        })
    });
    let service = manager(&store).layer(ask);
    store.fail_all(Fault::Fails);
    let answer = service.oneshot(request("/me", Some(&cookie))).await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "1");
    assert_eq!(text(answer).await, "");
}

#[test]
fn each_kind_of_error_has_its_response() {
    for (kind, status) in [
        (ErrorKind::Store, 503),
        (ErrorKind::Loader, 503),
        (ErrorKind::Authorize, 503),
        (ErrorKind::Random, 503),
        (ErrorKind::Conflict, 409),
        (ErrorKind::Gone, 409),
        (ErrorKind::Inactive, 403),
        (ErrorKind::TooLarge, 413),
        (ErrorKind::WrongUser, 500),
        (ErrorKind::NoManager, 500),
    ] {
        let error = login_manager::Error::from(kind);
        let response = error.response();
        assert_eq!(response.status(), status, "{kind:?}");
        let retry = response.headers().contains_key("retry-after");
        assert_eq!(retry, status == 503, "{kind:?}");
        let axum = axum::response::IntoResponse::into_response(error);
        assert_eq!(
            (axum.status(), axum.headers()),
            (response.status(), response.headers()),
            "{kind:?}"
        );
    }
}

/// A middleware between manager and handler that reads the user before and after the handler.
#[tokio::test]
async fn middleware_sees_login_and_logout_of_the_handler() {
    let store = FaultyStore::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let watching = tower::layer::layer_fn({
        let seen = Arc::clone(&seen);
        move |inner: tower::util::BoxCloneService<Req, Res, Infallible>| {
            let seen = Arc::clone(&seen);
            service_fn(move |request: Req| {
                let auth = Auth::<Account>::from_extensions(request.extensions()).unwrap();
                let (inner, seen) = (inner.clone(), Arc::clone(&seen));
                async move {
                    let name = async || auth.user().await.unwrap().map(|user| user.name.clone());
                    let before = name().await;
                    let response = inner.oneshot(request).await?;
                    let after = (name().await, auth.user_id().await.unwrap());
                    seen.lock().unwrap().push((before, after));
                    Ok::<_, Infallible>(response)
                }
            })
        }
    });
    let service = ServiceBuilder::new()
        .layer(manager(&store))
        .layer(watching)
        .service(tower::util::BoxCloneService::new(service_fn(handle)));
    let login = service
        .clone()
        .oneshot(request("/login", None))
        .await
        .unwrap();
    let cookie = cookie_of(login.headers());
    service
        .clone()
        .oneshot(request("/logout", Some(&cookie)))
        .await
        .unwrap();
    let alice = || Some("alice".to_owned());
    assert_eq!(
        *seen.lock().unwrap(),
        [(None, (alice(), Some(1))), (alice(), (None, None))]
    );
}
