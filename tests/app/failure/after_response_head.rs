//! Verbs and saves after the head of the response was sent.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, mpsc as blocking},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    routing::post,
};
use http::{Method, Request, Response, header::COOKIE};
use login_manager::{Auth, ErrorKind, LoginManager, Session};
use tokio::sync::mpsc;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{
    faulty_store::{
        Call::{Create, Delete, Load, Update},
        Fault::Fails,
        FaultyStore,
        When::After,
    },
    world::{Account, Accounts, World, account, routes},
};

/// A body of one line, written by a future that runs when the head has left.
struct Later(Pin<Box<dyn Future<Output = String> + Send>>, bool);

impl http_body::Body for Later {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        if self.1 {
            return Poll::Ready(None);
        }
        self.0.as_mut().poll(cx).map(|line| {
            self.1 = true;
            Some(Ok(http_body::Frame::data(line.into())))
        })
    }
}

fn later(line: impl Future<Output = String> + Send + 'static) -> Body {
    Body::new(Later(Box::pin(line), false))
}

/// The verbs that need a cookie, tried while the body is being sent.
async fn streams(auth: Auth<Account>) -> Body {
    let _asked = auth.user().await;
    later(async move {
        let kinds = [
            auth.login(account(2, "bob")).await.map(drop),
            auth.confirm().await.map(drop),
            auth.rotate().await,
        ];
        let kinds = kinds.map(|done| done.map_err(|error| error.kind()));
        let user = auth.user().await.unwrap().map(|user| user.name.clone());
        format!("{kinds:?} {user:?}")
    })
}

async fn streams_a_logout(auth: Auth<Account>) -> Body {
    later(async move {
        format!(
            "{:?} {:?}",
            auth.logout().await.is_ok(),
            auth.anonymous_reason().await.ok()
        )
    })
}

async fn streams_data(session: Session) -> Body {
    later(async move {
        session.insert("late", "1").await.unwrap();
        format!("{:?}", session.save().await.map_err(|error| error.kind()))
    })
}

fn world() -> World {
    World::with(
        |accounts| {
            routes(accounts)
                .route("/streams", post(streams))
                .route("/streams-a-logout", post(streams_a_logout))
                .route("/streams-data", post(streams_data))
        },
        |manager| manager,
    )
}

#[tokio::test]
async fn verbs_that_need_a_cookie_are_too_late_and_change_nothing() {
    let too_late = vec![Err::<(), _>(ErrorKind::TooLate); 3];
    for (start, user) in [
        ("/", None),
        ("/put/a/1", None),
        ("/login/alice", Some("alice")),
    ] {
        let mut world = world();
        world.browser.post(start).await;
        let before = world.store.inner.records();
        world.store.take_calls();
        let answer = world.browser.post("/streams").await;
        assert_eq!(answer.body, format!("{too_late:?} {user:?}"), "{start}");
        assert!(answer.set_cookies().is_empty(), "{start}");
        let calls = world.store.take_calls();
        assert!(
            calls.iter().all(|call| *call == Load) && calls.len() <= 1,
            "{calls:?}"
        );
        assert_eq!(world.store.inner.records(), before, "{start}");
    }
}

#[tokio::test]
async fn logout_after_the_head_still_ends_the_session() {
    let mut world = world();
    world.browser.post("/login/alice").await;
    world.store.take_calls();
    let answer = world.browser.post("/streams-a-logout").await;
    assert_eq!(answer.body, "true Some(Some(LoggedOut))");
    assert!(answer.set_cookies().is_empty());
    assert_eq!(world.store.take_calls(), [Load, Delete]);
    assert_eq!(world.browser.get("/who").await.body, "nobody");
}

#[tokio::test]
async fn late_data_is_saved_only_if_there_is_a_session() {
    for start in ["/login/alice", "/put/a/1"] {
        let mut world = world();
        world.browser.post(start).await;
        assert_eq!(
            world.browser.post("/streams-data").await.body,
            "Ok(())",
            "{start}"
        );
        assert_eq!(world.browser.get("/get/late").await.body, "1", "{start}");
    }
    let mut world = world();
    let answer = world.browser.post("/streams-data").await;
    assert_eq!(answer.body, "Err(TooLate)");
    assert!(world.store.inner.is_empty());
}

#[tokio::test]
async fn auth_kept_after_the_response_revives_no_session() {
    let (keeps, mut kept) = mpsc::unbounded_channel();
    let keep = move |auth: Auth<Account>| async move {
        auth.user().await.unwrap();
        keeps.send(auth).unwrap();
    };
    let mut world = World::with(
        |accounts| routes(accounts).route("/keep", post(keep)),
        |manager| manager,
    );
    world.browser.post("/login/alice").await;
    world.browser.post("/keep").await;
    let auth = kept.recv().await.unwrap();
    world.browser.post("/logout").await;
    auth.session().insert("late", "1").await.unwrap();
    auth.session().save().await.unwrap();
    assert!(world.store.inner.is_empty());
    auth.session().insert("later", "1").await.unwrap();
    let _too_late_or_dropped = auth.session().save().await;
    assert!(world.store.inner.is_empty());
}

/// A response body whose empty form, which stands for the 503 of a failed save, takes its time.
#[derive(Debug)]
struct SlowToDrop;

type Hook = Box<dyn FnOnce() + Send>;
static WHILE_DROPPING: Mutex<Option<Hook>> = Mutex::new(None);

impl http_body::Body for SlowToDrop {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        Poll::Ready(None)
    }
}

impl Drop for SlowToDrop {
    fn drop(&mut self) {
        let hook = WHILE_DROPPING.lock().unwrap().take();
        if let Some(hook) = hook {
            hook();
        }
    }
}

/// Between the end of the save and the leaving of the head a login may slip in, or not: if it does,
/// its cookie leaves too.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn login_at_the_last_moment_is_in_the_response_or_too_late() {
    let store = FaultyStore::new();
    let manager =
        LoginManager::new(store.clone(), Accounts::new()).with_deadline(Duration::from_secs(3600));
    let held = Arc::new(Mutex::new(None));
    let inner = service_fn({
        let held = Arc::clone(&held);
        move |request: Request<()>| {
            let auth = Auth::<Account>::from_extensions(request.extensions()).unwrap();
            *held.lock().unwrap() = Some(auth.clone());
            async move {
                let count: u32 = auth.session().get("a").await.unwrap().unwrap_or(0);
                auth.session().insert("a", &(count + 1)).await.unwrap();
                Ok::<_, std::convert::Infallible>(Response::new(SlowToDrop))
            }
        }
    });
    let mut service = manager.layer(inner);
    let send = |cookie: Option<String>| {
        let mut request = Request::builder().method(Method::POST);
        if let Some(cookie) = cookie {
            request = request.header(COOKIE, cookie);
        }
        request.body(()).unwrap()
    };
    let response = service
        .ready()
        .await
        .unwrap()
        .call(send(None))
        .await
        .unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    // The second request changes the value and can't save it.
    store.fail(Update, Fails);
    let gate = store.gate(Create, After);
    let (done, mut outcome) = mpsc::unbounded_channel();
    let runtime = tokio::runtime::Handle::current();
    *WHILE_DROPPING.lock().unwrap() = Some(Box::new({
        let held = Arc::clone(&held);
        move || {
            let auth = held.lock().unwrap().clone().unwrap();
            runtime.spawn(async move {
                let login = auth.login(account(1, "alice")).await;
                done.send(login.map(drop).map_err(|error| error.kind()))
                    .unwrap();
            });
            let (tell, told) = blocking::channel();
            runtime.spawn(async move {
                for _ in 0..256 {
                    tokio::task::yield_now().await; // the login has come as far as it can
                }
                tell.send(()).unwrap();
            });
            told.recv().unwrap();
        }
    }));
    let response = service
        .ready()
        .await
        .unwrap()
        .call(send(Some(cookie)))
        .await
        .unwrap();
    assert_eq!(response.status(), 503);
    let set_cookies = response.headers().get_all("set-cookie").iter().count();
    gate.open();
    match outcome.recv().await.unwrap() {
        Ok(()) => assert_eq!(set_cookies, 1, "a login without a cookie"),
        Err(kind) => assert_eq!((kind, set_cookies), (ErrorKind::TooLate, 0)),
    }
}

/// If the inner service fails there is no response that could set a cookie.
#[tokio::test]
async fn login_after_the_inner_service_failed_is_too_late() {
    let store = FaultyStore::new();
    let held = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&held);
    let inner = service_fn(move |request: Request<()>| {
        *keep.lock().unwrap() = Auth::<Account>::from_extensions(request.extensions());
        async { Err::<Response<String>, _>("broken") }
    });
    let service = LoginManager::new(store.clone(), Accounts::new()).layer(inner);
    assert_eq!(
        service.oneshot(Request::new(())).await.unwrap_err(),
        "broken"
    );
    let auth = held.lock().unwrap().take().unwrap();
    let refused = auth.login(account(1, "alice")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::TooLate);
    assert!(store.take_calls().is_empty());
}
