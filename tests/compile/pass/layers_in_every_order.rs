//! The manager in a `ServiceBuilder`, before and after other layers, in routers and alone.

use std::{convert::Infallible, time::Duration};

use axum::{Router, body::Body, handler::Handler, routing::get};
use http::{Request, Response, StatusCode};
use login_manager::{
    AuthUser, LoginManager, LoginRequired, MemoryStore, fresh_login_required, guard::login_page,
    login_required,
};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tower_http::{
    catch_panic::CatchPanicLayer, cors::CorsLayer, csrf::CsrfLayer, timeout::TimeoutLayer,
    trace::TraceLayer,
};

#[derive(Clone)]
struct Account {
    id: i64,
}

impl AuthUser for Account {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }
}

fn manager() -> LoginManager<Account> {
    LoginManager::new(MemoryStore::new(), |id| async move { Some(Account { id }) })
        .with_realm("account")
        .with_login_page("/login")
}

fn timeout() -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(9))
}

async fn page(_: LoginRequired<Account>) {}

async fn handle(_: Request<Body>) -> Result<Response<String>, Infallible> {
    Ok(Response::new(String::new()))
}

fn is_service<S: Service<Request<Body>> + Clone + Send + 'static>(_: S) {}

fn main() {
    let routes = || Router::<()>::new().route("/", get(page));
    let _: [Router; 5] = [
        routes().layer(manager()).layer(TraceLayer::new_for_http()),
        routes().layer(TraceLayer::new_for_http()).layer(manager()),
        routes().layer(ServiceBuilder::new().layer(manager()).layer(TraceLayer::new_for_http())),
        routes().layer(ServiceBuilder::new().layer(TraceLayer::new_for_http()).layer(manager())),
        routes().layer(
            ServiceBuilder::new()
                .layer(CatchPanicLayer::new())
                .layer(CsrfLayer::new())
                .layer(CorsLayer::new())
                .layer(timeout())
                .layer(manager())
                .layer(login_page::<Account>("/in"))
                .layer(TraceLayer::new_for_http())
                .layer(login_required::<Account>())
                .layer(CatchPanicLayer::new()),
        ),
    ];
    let _: Router = Router::new().route(
        "/",
        get(page.layer(login_page::<Account>("/in"))).route_layer(fresh_login_required::<Account>()),
    );
    is_service(
        ServiceBuilder::new()
            .layer(manager())
            .layer(login_required::<Account>().and(|account| account.id == 1))
            .service_fn(handle),
    );
    is_service(manager_around(login_required::<Account>()));
}

fn manager_around(
    guard: login_manager::guard::LoginRequiredLayer<Account>,
) -> impl Service<Request<Body>, Error = Infallible, Future: Send> + Clone + Send {
    ServiceBuilder::new().layer(manager()).layer(guard).service(service_fn(handle)).boxed_clone()
}
