//! Logged-in test requests.

use std::{fmt, pin::Pin};

use http::HeaderValue;

use crate::{
    error::{Error, ErrorKind},
    identity::stamp_digest,
    manager::LoginManager,
    session::{
        Browser, Head, Limits, LoginFacts, MethodName, Methods, NewSession, Payload, StoredData,
        create,
    },
    store::{SessionId, SessionToken},
    user::AuthUser,
};

/// A login without a request. Created by [`LoginManager::login_for_tests`]; returns the `Cookie`
/// header of a logged-in browser when it is awaited.
#[must_use = "a login does nothing until it is awaited"]
pub struct TestLogin<'a, U: AuthUser> {
    manager: &'a LoginManager<U>,
    user: &'a U,
    fresh: bool,
    methods: Methods,
}

impl<U: AuthUser> LoginManager<U> {
    /// Logs a user in for tests, and returns the `Cookie` header for any number of requests. It
    /// works with every kind of session protection.
    ///
    /// ```
    /// # use login_manager::{AuthUser, LoginManager, LoginRequired, MemoryStore};
    /// # #[derive(Clone)] struct Account { id: i64 }
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use axum::{Router, body::Body, http::{Request, header::COOKIE}, routing::get};
    /// # use tower::ServiceExt;
    /// # let manager = LoginManager::new(MemoryStore::new(), |id| async move { Some(Account { id }) });
    /// # let app = Router::new()
    /// #     .route("/", get(|_: LoginRequired<Account>| async {}))
    /// #     .layer(manager.clone());
    /// let cookie = manager.login_for_tests(&Account { id: 7 }).fresh(false).await?;
    /// let request = Request::get("/").header(COOKIE, cookie).body(Body::empty())?;
    /// assert_eq!(app.oneshot(request).await?.status(), 200);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - those of [`Auth::login`](crate::Auth::login), except `Inactive`: users who are not active
    ///   are logged in, too
    pub fn login_for_tests<'a>(&'a self, user: &'a U) -> TestLogin<'a, U> {
        TestLogin {
            manager: self,
            user,
            fresh: true,
            methods: Methods::default(),
        }
    }
}

impl<U: AuthUser> TestLogin<'_, U> {
    /// Sets whether the session is fresh. Default: true.
    pub fn fresh(mut self, fresh: bool) -> Self {
        self.fresh = fresh;
        self
    }

    /// Records that the user has just entered credentials by this method, as
    /// [`Login::by`](crate::auth::Login::by) does. An invalid name is ignored.
    pub fn by(mut self, method: &str) -> Self {
        let now = self.manager.realm().clock.now();
        let method = MethodName::parse(method);
        self.methods = self.methods.with(method.as_slice(), now);
        self
    }

    async fn run(self) -> Result<HeaderValue, Error> {
        let realm = self.manager.realm();
        let now = realm.clock.now();
        let owner = realm.owner(&self.user.id().to_string());
        let id = SessionId::random().map_err(|_| ErrorKind::Random)?;
        let token = SessionToken::random(id).map_err(|_| ErrorKind::Random)?;
        let payload = Payload {
            head: Head {
                current: Some(realm.digests.session.secret(id, &token.secret)),
                previous: None,
                rotated: now,
                series: None,
            },
            mark: [0; 8],
            limits: Limits::new(realm.timeouts, now),
            epoch: 1,
            excludes_previous: false,
            login: Some(LoginFacts {
                at: now,
                fresh: self.fresh,
                forced: !self.user.is_active(),
                browser: Browser::default(),
                user_type: realm.user_type,
                stamp: stamp_digest(realm, &owner, self.user),
                client: None,
            }),
            methods: self.methods,
            remember: None,
            actor: None,
            entries: StoredData::empty(),
        };
        let new = NewSession {
            id,
            owner: Some(owner),
            created: now,
            now,
            payload,
        };
        create(realm, new).await?;
        let cookie = format!("{}={}", realm.cookies.session_name(), token.text());
        HeaderValue::try_from(cookie).map_err(|cause| Error::new(ErrorKind::Data, cause))
    }
}

impl<'a, U: AuthUser> IntoFuture for TestLogin<'a, U> {
    type Output = Result<HeaderValue, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<U: AuthUser> fmt::Debug for TestLogin<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestLogin")
            .field("fresh", &self.fresh)
            .finish_non_exhaustive()
    }
}
