//! An application whose users, store and clock a test controls.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, State},
    routing::{get, post},
};
use http::StatusCode;
use login_manager::{
    Auth, AuthUser, BoxError, CurrentUser, Error, LoginManager, LoginRequired, MemoryStore,
    Session, SessionStore, UserLoader, testing::TestClock,
};

use super::{
    browser::Browser,
    events::Events,
    faulty_store::{FaultyStore, Gate},
};

pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(60 * 60);
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An application, its parts and a browser.
pub struct World<S = MemoryStore> {
    pub browser: Browser,
    pub store: FaultyStore<S>,
    pub accounts: Accounts,
    pub clock: TestClock,
    pub events: Events,
    pub manager: LoginManager<Account>,
}

/// The session cookie's name, as it is by default.
pub const SESSION: &str = "__Host-account-session";
/// The remember cookie's name, as it is by default.
pub const REMEMBER: &str = "__Host-account-remember";

impl World {
    /// The routes of [`routes`] behind a manager with a login page at `/login`.
    pub fn new() -> Self {
        Self::with(routes, |manager| manager.with_login_page("/login"))
    }

    /// Routes of your own behind a manager of your own.
    pub fn with(
        routes: impl FnOnce(&Accounts) -> Router,
        configure: impl FnOnce(LoginManager<Account>) -> LoginManager<Account>,
    ) -> Self {
        let store = FaultyStore::new();
        Self::over(store.clone(), store, routes, configure)
    }

    /// How many sessions are live. One that another session has replaced is kept for 30 seconds
    /// more, closed.
    pub fn live_sessions(&self) -> usize {
        let closed_until = self.clock.unix_millis() + 30_000;
        let records = self.store.inner.records();
        let live = records
            .iter()
            .filter(|record| record.expires > closed_until);
        live.count()
    }
}

impl<S: SessionStore + Clone> World<S> {
    /// The same with a store of your own, of which the application sees this.
    pub fn over(
        store: FaultyStore<S>,
        seen: impl SessionStore,
        routes: impl FnOnce(&Accounts) -> Router,
        configure: impl FnOnce(LoginManager<Account>) -> LoginManager<Account>,
    ) -> Self {
        let (accounts, clock) = (Accounts::new(), TestClock::new());
        let events = Events::default();
        let manager = LoginManager::new(seen, accounts.clone()).with_clock(&clock);
        let manager = configure(events.watch(manager));
        let app = routes(&accounts).layer(manager.clone());
        Self {
            browser: Browser::new(app),
            store,
            accounts,
            clock,
            events,
            manager,
        }
    }

    /// The current user of a browser that has only this session cookie.
    pub async fn who_has(&self, token: &str) -> String {
        let mut thief = self.browser.another();
        thief.plant(SESSION, token);
        let answer = thief.get("/who").await;
        assert_eq!(answer.status, 200);
        answer.body
    }

    /// Moves the clock past the grace within which a replaced secret is still known.
    pub fn let_grace_pass(&self) {
        self.clock.advance(Duration::from_secs(31));
    }

    /// The token in the browser's jar.
    pub fn token(&self) -> String {
        self.browser.cookie("-session").unwrap()
    }
}

/// Everything that most tests need.
pub fn routes(accounts: &Accounts) -> Router {
    let users = accounts.clone();
    let remember = move |auth: Auth<Account>, Path(name): Path<String>| async move {
        let user = users.by_name(&name).unwrap();
        auth.login(user)
            .remember(true)
            .await
            .map(|user| user.name.clone())
    };
    let accounts = accounts.clone();
    let all = accounts.clone();
    let login = move |auth: Auth<Account>, Path(name): Path<String>| async move {
        auth.login(accounts.by_name(&name).unwrap())
            .await
            .map(|user| user.name.clone())
    };
    Router::new()
        .route("/", get(|| async { "public" }))
        .route("/login/{name}", post(login))
        .route("/remember/{name}", post(remember))
        .route("/do/{verbs}", post(perform).with_state(all))
        .route("/logout", post(|auth: Auth<Account>| async move { auth.logout().await.map(|()| "bye") }))
        .route("/confirm", post(|auth: Auth<Account>| async move { auth.confirm().await.map(|done| done.to_string()) }))
        .route("/rotate", post(|auth: Auth<Account>| async move { auth.rotate().await.map(|()| "rotated") }))
        .route("/me", get(|LoginRequired(user): LoginRequired<Account>| async move { user.name.clone() }))
        .route("/who", get(who))
        .route("/how", get(how))
        .route("/why", get(|auth: Auth<Account>| async move { auth.anonymous_reason().await.map(|why| format!("{why:?}")) }))
        .route("/put/{key}/{value}", post(put))
        .route("/get/{key}", get(read))
        .route("/clear", post(|session: Session| async move { session.clear().await }))
}

/// Runs several verbs in one handler, as in `alice,put,logout,fail`. A name is a login,
/// `remember-alice` one with remember-me. The body is the current user afterwards.
async fn perform(
    State(accounts): State<Accounts>,
    auth: Auth<Account>,
    session: Session,
    Path(verbs): Path<String>,
) -> Result<(StatusCode, String), Error> {
    let mut status = StatusCode::OK;
    for verb in verbs.split(',') {
        match verb {
            "logout" => auth.logout().await?,
            "rotate" => auth.rotate().await?,
            "confirm" => _ = auth.confirm().await?,
            "put" => session.insert("key", "value").await?,
            "save" => session.save().await?,
            "refuse" => status = StatusCode::UNPROCESSABLE_ENTITY,
            "fail" => status = StatusCode::INTERNAL_SERVER_ERROR,
            "hang" => std::future::pending().await,
            "panic" => panic!("the handler panics"),
            name => {
                let remembered = name.strip_prefix("remember-");
                let user = accounts.by_name(remembered.unwrap_or(name)).unwrap();
                let login = auth.login(user);
                _ = match remembered {
                    Some(_) => login.remember(true).await?,
                    None => login.await?,
                };
            }
        }
    }
    let user = auth.user().await?;
    Ok((
        status,
        user.map_or("nobody".to_owned(), |user| user.name.clone()),
    ))
}

async fn who(CurrentUser(user): CurrentUser<Account>) -> String {
    user.map_or("nobody".to_owned(), |user| user.name.clone())
}

async fn put(session: Session, Path((key, value)): Path<(String, String)>) -> Result<(), Error> {
    session.insert(&key, &value).await
}

async fn read(session: Session, Path(key): Path<String>) -> Result<String, Error> {
    Ok(session.get(&key).await?.unwrap_or_default())
}

#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    pub id: i64,
    pub name: String,
    pub active: bool,
    pub admin: bool,
    pub stamp: String,
}

impl AuthUser for Account {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }

    fn is_active(&self) -> bool {
        self.active
    }

    fn security_stamp(&self) -> Cow<'_, [u8]> {
        self.stamp.as_bytes().into()
    }
}

pub fn account(id: i64, name: &str) -> Account {
    Account {
        id,
        name: name.into(),
        active: true,
        admin: false,
        stamp: format!("stamp-of-{name}"),
    }
}

/// The application's users: 1 alice, 2 bob, 0 zoe.
#[derive(Clone)]
pub struct Accounts(Arc<Inner>);

struct Inner {
    rows: Mutex<HashMap<i64, Account>>,
    loads: AtomicUsize,
    fails: AtomicBool,
    trouble: Mutex<Option<Trouble>>,
    gates: Mutex<Vec<Gate>>,
}

/// How a load fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Fails,
    Hangs,
    Panics,
    /// It returns bob for any id.
    FindsBob,
}

impl Accounts {
    pub fn new() -> Self {
        let rows = [account(1, "alice"), account(2, "bob"), account(0, "zoe")];
        let rows = rows.into_iter().map(|row| (row.id, row)).collect();
        Self(Arc::new(Inner {
            rows: Mutex::new(rows),
            loads: AtomicUsize::new(0),
            fails: AtomicBool::new(false),
            trouble: Mutex::default(),
            gates: Mutex::default(),
        }))
    }

    pub fn get(&self, id: i64) -> Option<Account> {
        self.0.rows.lock().unwrap().get(&id).cloned()
    }

    pub fn by_name(&self, name: &str) -> Option<Account> {
        self.0
            .rows
            .lock()
            .unwrap()
            .values()
            .find(|account| account.name == name)
            .cloned()
    }

    pub fn put(&self, account: Account) {
        self.0.rows.lock().unwrap().insert(account.id, account);
    }

    pub fn change(&self, id: i64, change: impl FnOnce(&mut Account)) {
        change(self.0.rows.lock().unwrap().get_mut(&id).unwrap());
    }

    pub fn remove(&self, id: i64) {
        self.0.rows.lock().unwrap().remove(&id);
    }

    /// The number of loads.
    pub fn loads(&self) -> usize {
        self.0.loads.load(Ordering::SeqCst)
    }

    pub fn fail(&self, fails: bool) {
        self.0.fails.store(fails, Ordering::SeqCst);
    }

    /// Makes every load fail in this way, until the next call.
    pub fn trouble(&self, trouble: impl Into<Option<Trouble>>) {
        *self.0.trouble.lock().unwrap() = trouble.into();
    }

    /// Holds the next load before it looks at the table.
    pub fn gate(&self) -> Gate {
        let gate = Gate::new();
        self.0.gates.lock().unwrap().push(gate.clone());
        gate
    }
}

impl UserLoader<Account> for Accounts {
    async fn load(&self, id: &i64) -> Result<Option<Account>, BoxError> {
        self.0.loads.fetch_add(1, Ordering::SeqCst);
        if self.0.fails.load(Ordering::SeqCst) {
            return Err("the user database is down".into());
        }
        let gate = self.0.gates.lock().unwrap().pop();
        if let Some(gate) = gate {
            gate.pass().await;
        }
        let trouble = *self.0.trouble.lock().unwrap();
        match trouble {
            Some(Trouble::Fails) => Err("the user database is down".into()),
            Some(Trouble::Hangs) => std::future::pending().await,
            Some(Trouble::Panics) => panic!("the loader panics"),
            Some(Trouble::FindsBob) => Ok(self.get(2)),
            None => Ok(self.get(*id)),
        }
    }
}

/// The current user, and whether the login is fresh and remembered.
async fn how(auth: Auth<Account>) -> Result<String, Error> {
    let Some(user) = auth.user().await? else {
        return Ok("nobody".into());
    };
    let fresh = if auth.is_fresh().await? {
        "fresh"
    } else {
        "stale"
    };
    let remembered = if auth.is_remembered().await? {
        " remembered"
    } else {
        ""
    };
    Ok(format!("{} {fresh}{remembered}", user.name))
}

/// A few users of any type, found by their ids.
#[derive(Clone)]
pub struct People<U>(pub Arc<Vec<U>>);

impl<U: AuthUser + Clone> People<U> {
    pub fn new(people: impl IntoIterator<Item = U>) -> Self {
        Self(Arc::new(people.into_iter().collect()))
    }

    /// POST `/login/{index}` and `/logout`; GET `/who` and `/me` return the id.
    pub fn routes(&self) -> Router {
        let Self(people) = self.clone();
        let login = move |auth: Auth<U>, Path(index): Path<usize>| async move {
            auth.login(people[index].clone()).await.map(|_| "in")
        };
        Router::new()
            .route("/login/{index}", post(login))
            .route(
                "/logout",
                post(|auth: Auth<U>| async move { auth.logout().await }),
            )
            .route(
                "/who",
                get(|auth: Auth<U>| async move {
                    let user = auth.user().await?;
                    Ok::<_, Error>(
                        user.map_or("nobody".to_owned(), |user| format!("<{}>", user.id())),
                    )
                }),
            )
            .route(
                "/why",
                get(|auth: Auth<U>| async move {
                    auth.anonymous_reason().await.map(|why| format!("{why:?}"))
                }),
            )
            .route(
                "/me",
                get(|LoginRequired(user): LoginRequired<U>| async move { user.id().to_string() }),
            )
    }

    pub fn manager(&self, store: impl SessionStore) -> LoginManager<U> {
        LoginManager::new(store, self.clone())
    }
}

impl<U: AuthUser + Clone> UserLoader<U> for People<U> {
    async fn load(&self, id: &U::Id) -> Result<Option<U>, BoxError> {
        Ok(self.0.iter().find(|user| user.id() == *id).cloned())
    }
}

/// A user whose id is a text.
#[derive(Clone)]
pub struct Named(pub String);

impl AuthUser for Named {
    type Id = String;

    fn id(&self) -> String {
        self.0.clone()
    }
}
