//! An application in this process, with a proxy that fails between it and its server.

use std::{
    panic,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use http::Method;
use tokio::{
    runtime::Handle,
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    address::{Opened, Way},
    app,
    browser::{Answer, Browser},
    counted::Counted,
    place::Place,
    proxy::Proxy,
    trials::eventually,
};

/// How long a call of the store may take: short, so that the trials are.
pub const DEADLINE: Duration = Duration::from_millis(500);
/// By how much an answer may be late on a machine that has other things to do.
pub const SLACK: Duration = Duration::from_millis(1200);
/// How many connections the pool has at most.
pub const CONNECTIONS: u32 = 4;

pub struct World {
    pub place: Place,
    pub proxy: Proxy,
    pub browser: Browser,
    pub store: Counted,
    opened: Opened,
}

impl World {
    pub async fn new(place: Place) -> Self {
        Self::with(place, |_| {}).await
    }

    pub async fn with(place: Place, configure: impl FnOnce(&mut Way)) -> Self {
        let proxy = Proxy::start(place.address.server()).await;
        let mut way = Way {
            port: Some(proxy.port),
            connections: CONNECTIONS,
            patience: DEADLINE * 2 / 3,
            ..Way::default()
        };
        configure(&mut way);
        let opened = place.address.open(&way);
        let store = Counted::new(opened.store());
        let manager = app::manager(store.clone()).with_deadline(DEADLINE);
        Self {
            place,
            proxy,
            browser: Browser::new(app::routes().layer(manager)),
            store,
            opened,
        }
    }

    /// A world in which a user is logged in.
    pub async fn logged_in(place: Place) -> Self {
        let mut world = Self::new(place).await;
        assert_eq!(world.browser.post("/login/1").await.body, "1");
        assert_eq!(world.browser.get("/me").await.body, "1");
        world.store.take_calls();
        world
    }

    /// A request that must be answered within the time of so many calls of the store.
    pub async fn within(&mut self, calls: u32, method: Method, uri: &str) -> Answer {
        let start = Instant::now();
        let answer = self.browser.send(method, uri).await;
        let took = start.elapsed();
        assert!(took < DEADLINE * calls + SLACK, "{uri} took {took:?}");
        answer
    }

    /// Waits until the application is itself again: it answers 503 until then, and nothing else.
    pub async fn recovers(&self) {
        eventually("it recovers", || async {
            let answer = self.browser.clone().get("/me").await;
            if answer.status != 200 {
                assert_unavailable(&answer, "on the way back");
                return false;
            }
            assert_eq!(answer.body, "1");
            assert!(answer.set_cookies().is_empty());
            true
        })
        .await;
    }

    /// Waits until a login works again, and logs in.
    pub async fn lets_in_again(&mut self) {
        let mut tries = 0;
        while self.browser.post("/login/1").await.status != 200 {
            tries += 1;
            assert!(tries < 200, "it doesn't recover");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Many come at once, so that the pool has all the connections that it may have.
    pub async fn crowd(&self) {
        let mut crowd = JoinSet::new();
        for number in 0..24 {
            let (mut browser, method, uri) = match number % 3 {
                0 => (self.browser.clone(), Method::GET, "/me"),
                1 => (self.browser.another(), Method::POST, "/login/2"),
                _ => (self.browser.another(), Method::POST, "/put/a/b"),
            };
            crowd.spawn(async move { browser.send(method, uri).await });
        }
        crowd.join_all().await;
    }

    pub fn tasks() -> usize {
        Handle::current().metrics().num_alive_tasks()
    }

    /// Waits until no task is left but those there were, every connection is idle, and the server
    /// has no others.
    pub async fn comes_to_rest(&self, tasks: usize) {
        self.is_at_rest().await;
        eventually("no task is left over", || async { Self::tasks() <= tasks }).await;
        let kept = self.size();
        assert!(kept <= CONNECTIONS, "{kept} connections");
        eventually("the server has the connections of the pool", || async {
            self.place.connections(&self.proxy.ports()).await == kept
                && self.proxy.connections() == kept as usize
        })
        .await;
    }

    /// Waits until nobody has a connection in hand: also one that is given back is asked first
    /// whether it still lives.
    pub async fn is_at_rest(&self) {
        eventually("every connection is idle", || async {
            self.opened.idle() == self.size() as usize
        })
        .await;
    }

    /// How many connections the application has.
    pub fn size(&self) -> u32 {
        self.opened.size()
    }
}

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Starts counting panics, including those that are caught.
pub fn count_panics() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, SeqCst);
        report(panic);
    }));
}

/// How many there were.
pub fn panics() -> usize {
    PANICS.load(SeqCst)
}

/// 503 with `Retry-After`, no cookie, and no cause.
pub fn assert_unavailable(answer: &Answer, case: &str) {
    assert_eq!(answer.status, 503, "{case}");
    assert!(answer.header("retry-after").is_some(), "{case}");
    assert!(answer.set_cookies().is_empty(), "{case}");
    assert_eq!(answer.body, "", "{case}");
}
