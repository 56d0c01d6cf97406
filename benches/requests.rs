//! What requests cost, beside the bare router and beside axum-login on tower-sessions.
//!
//! ```sh
//! cargo bench -p login-manager-benches
//! ```
//!
//! The contenders take turns, many short turns each, so that whatever else the machine does hits them alike; what counts
//! is the ratio of their medians. Each answer is checked before anything is timed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench that fails shall say so at once"
)]

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    routing::{get, post},
};
use http::{Request, StatusCode, header};
use tower::{Service, ServiceExt};

const TURNS: usize = 300;
const REQUESTS: u32 = 200;

/// One application and the cookie that it gave to somebody who logged in.
struct Contender {
    name: &'static str,
    app: Router,
    cookie: Option<String>,
    times: Vec<Duration>,
}

impl Contender {
    async fn new(name: &'static str, app: Router) -> Self {
        let app = app.with_state(());
        let request = Request::post("/login").body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let cookie = response.headers().get(header::SET_COOKIE);
        let cookie = cookie.map(|cookie| {
            cookie
                .to_str()
                .unwrap()
                .split(';')
                .next()
                .unwrap()
                .to_owned()
        });
        Self {
            name,
            app,
            cookie,
            times: Vec::new(),
        }
    }

    fn request(&self, path: &str, with_cookie: bool) -> Request<Body> {
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        if let Some(cookie) = self.cookie.as_ref().filter(|_| with_cookie) {
            request
                .headers_mut()
                .insert(header::COOKIE, cookie.parse().unwrap());
        }
        request
    }

    async fn check(&self, path: &str, with_cookie: bool, answer: (StatusCode, &str)) {
        let response = self
            .app
            .clone()
            .oneshot(self.request(path, with_cookie))
            .await
            .unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1024)
            .await
            .unwrap();
        assert_eq!(
            (status, &*body),
            (answer.0, answer.1.as_bytes()),
            "{}",
            self.name
        );
    }

    async fn take_turn(&mut self, path: &str, with_cookie: bool) {
        let requests: Vec<_> = (0..REQUESTS)
            .map(|_| self.request(path, with_cookie))
            .collect();
        let start = Instant::now();
        for request in requests {
            let service = ServiceExt::<Request<Body>>::ready(&mut self.app)
                .await
                .unwrap();
            let _ = std::hint::black_box(service.call(request).await.unwrap());
        }
        self.times.push(start.elapsed() / REQUESTS);
    }

    fn median(&mut self) -> Duration {
        self.times.sort_unstable();
        self.times[self.times.len() / 2]
    }
}

async fn run(
    case: &str,
    path: &str,
    with_cookie: bool,
    answer: (StatusCode, &str),
    contenders: &mut [Contender],
) {
    for contender in &*contenders {
        contender.check(path, with_cookie, answer).await;
    }
    contenders
        .iter_mut()
        .for_each(|contender| contender.times.clear());
    for _ in 0..TURNS {
        for contender in &mut *contenders {
            contender.take_turn(path, with_cookie).await;
        }
    }
    let ours = contenders
        .iter_mut()
        .find(|contender| contender.name == "login_manager")
        .unwrap()
        .median();
    for contender in contenders {
        let ratio = contender.median().as_secs_f64() / ours.as_secs_f64();
        println!(
            "{:<44} {ratio:>6.2} × login_manager",
            format!("requests/{case}/{}", contender.name)
        );
    }
}

fn routes() -> Router {
    Router::new().route("/public", get(|| async { "public" }))
}

mod ours {
    use super::*;
    use login_manager::{
        Auth, AuthUser, CurrentUser, Error, LoginManager, LoginRequired, MemoryStore,
    };

    struct Account;

    impl AuthUser for Account {
        type Id = i64;

        fn id(&self) -> i64 {
            7
        }
    }

    pub(crate) fn app() -> Router {
        let manager = LoginManager::new(MemoryStore::new(), |_| async { Some(Account) });
        routes()
            .route("/login", post(login))
            .route(
                "/who",
                get(
                    |CurrentUser(user): CurrentUser<Account>| async move { answer(user.is_some()) },
                ),
            )
            .route(
                "/me",
                get(|LoginRequired(_): LoginRequired<Account>| async { "somebody" }),
            )
            .layer(manager)
    }

    async fn login(auth: Auth<Account>) -> Result<(), Error> {
        auth.login(Account).await.map(drop)
    }
}

mod axum_login_app {
    use super::*;
    use axum_login::{
        AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend, login_required,
        tower_sessions::{MemoryStore, SessionManagerLayer},
    };

    #[derive(Clone, Debug)]
    struct Account;

    impl AuthUser for Account {
        type Id = i64;

        fn id(&self) -> i64 {
            7
        }

        fn session_auth_hash(&self) -> &[u8] {
            b""
        }
    }

    #[derive(Clone)]
    struct Backend;

    impl AuthnBackend for Backend {
        type User = Account;
        type Credentials = ();
        type Error = Infallible;

        async fn authenticate(&self, (): ()) -> Result<Option<Account>, Infallible> {
            Ok(Some(Account))
        }

        async fn get_user(&self, _: &i64) -> Result<Option<Account>, Infallible> {
            Ok(Some(Account))
        }
    }

    pub(crate) fn app() -> Router {
        let sessions = SessionManagerLayer::new(MemoryStore::default());
        let guarded = Router::new()
            .route("/me", get(|| async { "somebody" }))
            .route_layer(login_required!(Backend));
        routes()
            .route("/login", post(login))
            .route(
                "/who",
                get(|auth: AuthSession<Backend>| async move { answer(auth.user.is_some()) }),
            )
            .merge(guarded)
            .layer(AuthManagerLayerBuilder::new(Backend, sessions).build())
    }

    async fn login(mut auth: AuthSession<Backend>) {
        auth.login(&Account).await.unwrap();
    }
}

fn answer(somebody: bool) -> &'static str {
    if somebody { "somebody" } else { "nobody" }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut contenders = [
        Contender::new("bare_router", routes().route("/login", post(|| async {}))).await,
        Contender::new("login_manager", ours::app()).await,
        Contender::new("axum_login", axum_login_app::app()).await,
    ];
    let ok = StatusCode::OK;
    run(
        "unasked_anonymous",
        "/public",
        false,
        (ok, "public"),
        &mut contenders,
    )
    .await;
    run(
        "unasked_logged_in",
        "/public",
        true,
        (ok, "public"),
        &mut contenders,
    )
    .await;
    run(
        "asked_anonymous",
        "/who",
        false,
        (ok, "nobody"),
        &mut contenders[1..],
    )
    .await;
    run(
        "asked_logged_in",
        "/who",
        true,
        (ok, "somebody"),
        &mut contenders[1..],
    )
    .await;
    run(
        "guarded_logged_in",
        "/me",
        true,
        (ok, "somebody"),
        &mut contenders[1..],
    )
    .await;
}
