//! Moving from Flask: migrating users, hashes and tests, and the equivalent of each name of
//! Flask-Login.
//!
//! | in Flask | here | taken over |
//! |---|---|---|
//! | the table of users | the same table, read by your [user loader](#users) | as it is |
//! | Werkzeug's password hashes | [checked](#passwords), and replaced at the first login | as they are |
//! | the signed session cookie | a [record in your store](#sessions) | no: every user logs in once |
//! | templates | any engine; Jinja's run in minijinja, often unchanged | mostly |
//! | `login_user`, `current_user`, `@login_required` … | [their equivalents](#flask-login-name-by-name) | |
//!
//! The examples `import_users` (the database of a Flask application) and `tutorial` (templates,
//! SQLite) in the repository are complete. Both applications can serve parts of one site during the
//! move: their cookies have different names, and a user logs in to each. Until the old one is
//! switched off, don't replace hashes, since Werkzeug can't read the new ones.
//!
//! # Users
//!
//! `UserMixin` becomes [`AuthUser`](crate::AuthUser), `@login_manager.user_loader` a function that
//! the manager gets, and [`init_app`](crate::LoginManager) a layer around the router:
//!
//! ```
//! # use axum::{Router, routing::get};
//! # #[derive(Clone)] struct Pool;
//! # async fn fetch_user(db: &Pool, id: i64) -> std::io::Result<Option<User>> { Ok(None) }
//! use login_manager::{AuthUser, LoginManager, LoginRequired, MemoryStore};
//!
//! /// A row of the table `user`.
//! struct User { id: i64, username: String, password: String, is_banned: bool }
//!
//! impl AuthUser for User {
//!     type Id = i64; // `get_id`, without the conversion to a string
//!     fn id(&self) -> i64 { self.id }
//!     fn is_active(&self) -> bool { !self.is_banned }
//! }
//!
//! fn app(db: Pool) -> Router {
//!     let load_user = move |id: i64| {
//!         let db = db.clone();
//!         async move { fetch_user(&db, id).await } // SELECT * FROM user WHERE id = $1
//!     };
//!     let login_manager = LoginManager::new(MemoryStore::new(), load_user) // a database, later
//!         .with_realm("user")
//!         .with_login_page("/auth/login"); // `login_view`
//!     Router::new().route("/", get(index)).layer(login_manager)
//! }
//!
//! /// `@login_required` and `current_user` in one.
//! async fn index(LoginRequired(user): LoginRequired<User>) -> String {
//!     format!("Hello, {}!", user.username)
//! }
//! # let _ = app;
//! ```
//!
//! Add a column with random bytes for the [security stamp](crate::AuthUser::security_stamp) when
//! you have pages that change the password: a new one ends the user's sessions.
//!
//! # Passwords
//!
//! Werkzeug's hashes work as they are. Enable the feature for the ones that you have:
//!
//! | stored as | made by | feature |
//! |---|---|---|
//! | `scrypt:32768:8:1$salt$hex` | Werkzeug since 2.3 | `scrypt` |
//! | `pbkdf2:sha256:600000$salt$hex` | older versions, or `method="pbkdf2"` | `pbkdf2` |
//! | `$2b$12$…` | Flask-Bcrypt | `bcrypt` |
//! | `$pbkdf2-sha512$…`, `$argon2id$…` | passlib, as in Flask-Security; only if it added no HMAC of the password | `pbkdf2`; none |
//!
//! `check_password_hash` becomes [`Passwords::verify`], and the login replaces the hash while it
//! has the password:
//!
//! ```
//! # struct User { id: i64, password: String }
//! # #[derive(Clone)] struct Db;
//! # impl Db {
//! #     async fn by_name(&self, name: &str) -> Option<User> { None }
//! #     async fn replace_hash(&self, user: &User, hash: &str) {}
//! # }
//! use login_manager::{password::PasswordError, Passwords};
//!
//! async fn authenticate(
//!     db: &Db, passwords: &Passwords, name: &str, password: &str,
//! ) -> Result<Option<User>, PasswordError> {
//!     let user = db.by_name(name).await;
//!     // Also without a user: otherwise the time shows which names exist.
//!     let verdict = passwords.verify(password, user.as_ref().map(|user| &*user.password)).await?;
//!     let Some(user) = user.filter(|_| verdict.is_valid()) else {
//!         return Ok(None);
//!     };
//!     if verdict.needs_rehash() && let Ok(hash) = passwords.hash(password).await {
//!         // UPDATE user SET password = $new WHERE id = $id AND password = $old
//!         db.replace_hash(&user, &hash).await;
//!     }
//!     Ok(Some(user))
//! }
//! # let _ = authenticate;
//! ```
//!
//! A check of an old hash takes longer than one of a new hash, which shows who has not logged in
//! since the move. After some months, delete the old hashes that remain and let their users [reset
//! the password](super::passwords#reset-a-password). The [module `password`][`password`] describes
//! all formats and limits.
//!
//! # Sessions
//!
//! Flask signs the session and keeps all of it in the cookie. Here the cookie holds a secret, and
//! the data is in your store: users can't read it, a logout deletes it, and there is no
//! `SECRET_KEY`. `session["cart"]` becomes [`Session`](crate::Session), where no name is reserved:
//!
//! ```
//! # #[derive(serde::Serialize, serde::Deserialize, Default)] struct Cart { items: Vec<i64> }
//! use login_manager::{Error, Session};
//!
//! async fn add_to_cart(session: Session, item: i64) -> Result<(), Error> {
//!     let mut cart: Cart = session.get("cart").await?.unwrap_or_default();
//!     cart.items.push(item);
//!     session.insert("cart", &cart).await // not changed in place: there is no `session.modified`
//! }
//! # let _ = add_to_cart;
//! ```
//!
//! | Flask | here |
//! |---|---|
//! | `session["a"]`, `session.get("a")` | [`session.get("a")`](crate::Session::get) |
//! | `session["a"] = …` | [`session.insert("a", &…)`](crate::Session::insert) |
//! | `session.pop("a")` | [`session.take("a")`](crate::Session::take) to use it once, [`remove`](crate::Session::remove) otherwise |
//! | `session.clear()` | [`session.clear()`](crate::Session::clear) |
//! | `session.permanent`, `PERMANENT_SESSION_LIFETIME` (31 days) | [`with_timeouts`](crate::LoginManager::with_timeouts) (24 hours idle, 14 days in total); to outlive the browser, [`remember`](super::remember_me) |
//! | at most 4 KB | 64 KiB |
//!
//! # Logging in, and `next`
//!
//! `login_user(user, remember=…)` becomes [`auth.login(user)`](crate::Auth::login).
//! [`NextPath`](crate::NextPath) replaces `url_has_allowed_host_and_scheme` and similar helpers: it
//! holds a path on your site or nothing.
//!
//! ```
//! # use axum::{Form, response::{Html, IntoResponse, Redirect, Response, Result}};
//! # struct User;
//! # impl AuthUser for User { type Id = i64; fn id(&self) -> i64 { 1 } }
//! # async fn authenticate(name: &str, password: &str) -> Option<User> { None }
//! use login_manager::{Auth, AuthUser, NextPath};
//!
//! #[derive(serde::Deserialize)]
//! struct LoginForm { username: String, password: String, remember: Option<String> }
//!
//! async fn log_in(
//!     auth: Auth<User>, next: NextPath, Form(form): Form<LoginForm>,
//! ) -> Result<Response> {
//!     let Some(user) = authenticate(&form.username, &form.password).await else {
//!         return Ok(Html("Wrong user name or password").into_response());
//!     };
//!     auth.login(user).remember(form.remember.is_some()).await?;
//!     Ok(next.redirect_or("/").into_response())
//! }
//!
//! /// By POST, with the layer that replaces Flask-WTF's CSRF tokens: see below.
//! async fn log_out(auth: Auth<User>) -> Result<Redirect> {
//!     auth.logout().await?;
//!     Ok(Redirect::to("/"))
//! }
//! # use axum::{Router, routing::post};
//! # let _: Router = Router::new().route("/login", post(log_in)).route("/out", post(log_out));
//! ```
//!
//! The form needs no hidden field for `next`: it posts to its own URL, which contains it in the
//! query. `CSRFProtect(app)` becomes one layer outside the manager,
//! [`CsrfLayer`](https://docs.rs/tower-http/latest/tower_http/csrf/) of tower-http. It needs no
//! field in the forms either: see [Security](super::security#cross-site-request-forgery).
//!
//! # `flash`
//!
//! ```
//! use axum::response::Redirect;
//! use login_manager::{Error, flash::{Flash, Level}};
//!
//! async fn save(flash: Flash) -> Result<Redirect, Error> {
//!     flash.push(Level::Success, "Saved.").await?; // flash("Saved.", "success")
//!     Ok(Redirect::to("/"))
//! }
//!
//! async fn page(flash: Flash) -> Result<String, Error> {
//!     let messages = flash.take().await?; // get_flashed_messages(with_categories=True)
//!     let lines = messages.iter().map(|message| format!("{}: {}\n", message.level(), message.text()));
//!     Ok(lines.collect())
//! }
//! # use axum::{Router, routing::post};
//! # let _: Router = Router::new().route("/", post(save).get(page));
//! ```
//!
//! Flask's category `message` is [`Level::Info`](crate::flash::Level::Info). A category of your own
//! is [`with_category`](crate::flash::Message::with_category).
//!
//! # Blueprints
//!
//! A blueprint is a nested router. It can have a guard and a login page of its own, as with
//! `blueprint_login_views`; routes that are added after the guard are open:
//!
//! ```
//! # use axum::{Router, routing::get};
//! # use login_manager::{AuthUser, LoginManager};
//! # struct User { is_staff: bool }
//! # impl AuthUser for User { type Id = i64; fn id(&self) -> i64 { 1 } }
//! # async fn orders() {}
//! # async fn log_in() {}
//! # async fn users() {}
//! use login_manager::{guard::login_page, login_required};
//!
//! fn app(login_manager: LoginManager<User>) -> Router {
//!     let shop = Router::new()
//!         .route("/orders", get(orders))
//!         .route_layer(login_required::<User>())
//!         .route("/login", get(log_in)) // added after the guard
//!         .layer(login_page::<User>("/shop/login"));
//!
//!     let admin = Router::new()
//!         .route("/users", get(users))
//!         .route_layer(login_required::<User>().and(|user| user.is_staff)); // else 403
//!
//!     Router::new()
//!         .nest("/shop", shop) // register_blueprint(shop, url_prefix="/shop")
//!         .nest("/admin", admin)
//!         .layer(login_manager.with_login_page("/login"))
//! }
//! # let _ = app;
//! ```
//!
//! # `before_request`
//!
//! If the function only checks the user, it becomes a guard around the router, with
//! [`except`](crate::guard::LoginRequiredLayer::except) for the paths that are open. If it does
//! something else, it becomes an axum middleware inside the manager:
//!
//! ```
//! # use axum::{Router, routing::get};
//! # use login_manager::{AuthUser, LoginManager, login_required};
//! # struct User { has_accepted_terms: bool }
//! # impl AuthUser for User { type Id = i64; fn id(&self) -> i64 { 1 } }
//! use axum::{extract::Request, middleware::{Next, from_fn}};
//! use axum::response::{IntoResponse, Redirect, Response};
//! use login_manager::CurrentUser;
//!
//! async fn require_terms(user: CurrentUser<User>, request: Request, next: Next) -> Response {
//!     match &user.0 {
//!         Some(user) if !user.has_accepted_terms => Redirect::to("/terms").into_response(),
//!         _ => next.run(request).await,
//!     }
//! }
//!
//! fn app(pages: Router, login_manager: LoginManager<User>) -> Router {
//!     pages
//!         .layer(from_fn(require_terms)) // innermost: runs for users who are logged in
//!         .layer(login_required::<User>().except(["/login", "/static/*"]))
//!         .route("/terms", get(async || "The terms"))
//!         .layer(login_manager)
//! }
//! # let _ = app;
//! ```
//!
//! The user is loaded once, however many guards, middlewares and handlers need it.
//!
//! # Tests
//!
//! `FlaskLoginClient(user=…)` becomes [`login_for_tests`], feature `testing`. It returns the cookie
//! of a real session, so a test also covers the loader and the guards:
//!
//! ```
//! # #[cfg(feature = "testing")]
//! # fn main() {
//! # use axum::{Router, body::Body, http::{Request, StatusCode, header::COOKIE}, routing::get};
//! # use login_manager::{AuthUser, FreshLoginRequired, LoginManager, MemoryStore};
//! # #[derive(Clone)] struct User { id: i64 }
//! # impl AuthUser for User { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # fn app(login_manager: LoginManager<User>) -> Router {
//! #     let page = get(async |_: FreshLoginRequired<User>| ());
//! #     Router::new().route("/password", page).layer(login_manager)
//! # }
//! # /*
//! #[tokio::test]
//! # */
//! # #[tokio::main(flavor = "current_thread")]
//! async fn password_needs_a_fresh_login() {
//!     use tower::ServiceExt;
//!
//!     let login_manager = LoginManager::new(MemoryStore::new(), async |id| Some(User { id }));
//!     let app = app(login_manager.clone()); // create_app()
//!     for (fresh, status) in [(true, StatusCode::OK), (false, StatusCode::UNAUTHORIZED)] {
//!         // FlaskLoginClient(user=user, fresh_login=fresh)
//!         let cookie = login_manager.login_for_tests(&User { id: 7 }).fresh(fresh).await.unwrap();
//!         let request = Request::get("/password").header(COOKIE, cookie).body(Body::empty());
//!         let response = app.clone().oneshot(request.unwrap()).await.unwrap();
//!         assert_eq!(response.status(), status);
//!     }
//! }
//! # password_needs_a_fresh_login();
//! # }
//! # #[cfg(not(feature = "testing"))]
//! # fn main() {}
//! ```
//!
//! There is no `LOGIN_DISABLED`: log in in your tests. [Testing your application](super::testing)
//! shows how to move the clock.
//!
//! # Flask-Login, name by name
//!
//! ## The manager
//!
//! | Flask-Login | here |
//! |---|---|
//! | `LoginManager(app)`, `init_app` | [`LoginManager::new(store, loader)`](crate::LoginManager::new), added to the router as a layer; several managers are [realms](super::logging_in_and_out#several-kinds-of-user) |
//! | `SECRET_KEY` | none: cookies hold random secrets, the store their digests |
//! | `@user_loader` | the second argument: a [`UserLoader`](crate::UserLoader) or a closure. Ids always have the same type |
//! | `@request_loader` | [`with_request_loader`](crate::LoginManager::with_request_loader), any number, or [API keys](super::apis#api-keys). An invalid cookie does not disable them, and they create no session. Instead of the recipe for APIs, let a part of the application [ignore cookies](crate::LoginManager::without_cookies) |
//! | neither set: an exception at the first request | does not compile |
//! | `login_view`, `blueprint_login_views` | [`with_login_page`](crate::LoginManager::with_login_page); for a part of the application [`login_page`](crate::guard::login_page) or [the guard's](crate::guard::LoginRequiredLayer::with_login_page), which nested parts inherit; for each request [`LoginPage::chosen_by`](crate::manager::LoginPage::chosen_by) |
//! | `refresh_view` | [`LoginPage::refresh`](crate::manager::LoginPage::refresh); by default the login page |
//! | `login_message`, `needs_refresh_message`, categories, `localize_callback` | [`Notice`](crate::guard::Notice), in the query of the login page, with a [category](crate::guard::Notice::category): match on it to show any text in any language. Denied requests never fill a session with messages |
//! | `@unauthorized_handler`, `@needs_refresh_handler` | [`with_unauthorized`](crate::LoginManager::with_unauthorized), for both: [`Denied::reason`](crate::guard::Denied::reason) tells them apart |
//! | `session_protection` | [`with_session_protection`](crate::LoginManager::with_session_protection), an enum, so a typo cannot turn it off |
//! | `anonymous_user` | `None`: [`CurrentUser`] holds an `Option` |
//! | `USE_SESSION_FOR_NEXT`, `next_field` | [`LoginPage::next_in`](crate::manager::LoginPage::next_in): the query, a cookie until the login, or nowhere; [`LoginPage::next_field`](crate::manager::LoginPage::next_field) |
//! | `FORCE_HOST_FOR_REDIRECTS` | none: redirects are paths |
//!
//! ## The user
//!
//! | Flask-Login | here |
//! |---|---|
//! | `UserMixin` | [`AuthUser`](crate::AuthUser) |
//! | `get_id`, `id_attribute` | [`AuthUser::id`](crate::AuthUser::id), of your own type. The login fails if the id's text does not parse back to the same id |
//! | `is_active` | [`AuthUser::is_active`](crate::AuthUser::is_active), checked at each request: inactive users are logged out, and stay so when the account becomes active again |
//! | `is_authenticated`, `is_anonymous` | whether there is a current user |
//! | an alternative id, to end all sessions | [`AuthUser::security_stamp`](crate::AuthUser::security_stamp) |
//!
//! ## In a request
//!
//! | Flask-Login | here |
//! |---|---|
//! | `current_user` | [`CurrentUser`], [`LoginRequired`], [`Auth::user`](crate::Auth::user): loaded once, when it is first needed |
//! | `login_user(user, remember, duration, force, fresh)` | [`auth.login(user)`](crate::Auth::login) with [`.remember(…)`](crate::auth::Login::remember), [`.remember_for(…)`](crate::auth::Login::remember_for), [`.force()`](crate::auth::Login::force), [`.fresh(…)`](crate::auth::Login::fresh), and `.await`. An inactive user is [an error](crate::ErrorKind::Inactive), not a `False` that is easily overlooked |
//! | `logout_user()` | [`auth.logout()`](crate::Auth::logout): also deletes the session from the store, so a copied cookie becomes invalid; needs no user loader; always removes both cookies |
//! | `confirm_login()` | [`auth.confirm()`](crate::Auth::confirm); does nothing for an anonymous request |
//! | `login_fresh()`, `login_remembered()` | [`auth.is_fresh()`](crate::Auth::is_fresh), [`auth.is_remembered()`](crate::Auth::is_remembered): of the user who was loaded, not of raw session data |
//! | `@login_required` | [`LoginRequired`] for a handler, [`login_required`](crate::login_required) for a router; with [`except`](crate::guard::LoginRequiredLayer::except) one guard can protect the whole application |
//! | `@fresh_login_required` | [`FreshLoginRequired`], [`fresh_login_required`](crate::fresh_login_required); freshness can be [limited in time](crate::LoginManager::with_fresh_for), also [for one route](crate::guard::LoginRequiredLayer::within) |
//! | `EXEMPT_METHODS` | none: OPTIONS is guarded, too. Handle CORS preflights in an outer layer |
//! | `login_url`, `make_next_param` | [`Denied::login_url`](crate::guard::Denied::login_url), [`Denied::next`](crate::guard::Denied::next) |
//! | "you must validate `next`" | [`NextPath`](crate::NextPath): a path on your site or nothing |
//! | `session["…"]` | [`Session`](crate::Session). No name in it is reserved: the facts of a login are stored separately |
//!
//! ## Remember me
//!
//! | Flask-Login | here |
//! |---|---|
//! | `remember_token=1\|hmac`, the same for all logins of a user, valid forever | secrets of its own for each login, one of which is exchanged at each use; the server stores their digests, enforces the lifetime and detects theft |
//! | `REMEMBER_COOKIE_NAME` | named after the [realm](crate::LoginManager::with_realm), `__Host-account-remember`, or set by [`Cookies::names`](crate::manager::Cookies::names) |
//! | `REMEMBER_COOKIE_DURATION` (365 days) | [`RememberMe::lifetime`](crate::manager::RememberMe::lifetime) (30 days) |
//! | `REMEMBER_COOKIE_DOMAIN`, `_PATH`, `_SAMESITE` | [`Cookies::domain`](crate::manager::Cookies::domain), [`Cookies::path`](crate::manager::Cookies::path), [`Cookies::same_site`](crate::manager::Cookies::same_site), for both cookies |
//! | `REMEMBER_COOKIE_SECURE`, `_HTTPONLY` (off, on) | always; [`Cookies::insecure`](crate::manager::Cookies::insecure) for plain http |
//! | `REMEMBER_COOKIE_REFRESH_EACH_REQUEST` | [`RememberMe::sliding`](crate::manager::RememberMe::sliding), at each restore and up to a limit; by default use does not extend the lifetime |
//!
//! ## Signals
//!
//! All events go to one function, set by [`with_on_event`](crate::LoginManager::with_on_event). It
//! cannot change the request.
//!
//! | Flask-Login | here |
//! |---|---|
//! | `user_logged_in`, `user_logged_out` | [`EventKind::LoggedIn`](crate::event::EventKind::LoggedIn), [`LoggedOut`](crate::event::EventKind::LoggedOut) |
//! | `user_login_confirmed` | [`Confirmed`](crate::event::EventKind::Confirmed) |
//! | `user_loaded_from_cookie`, `user_loaded_from_request` | [`Restored`](crate::event::EventKind::Restored), [`LoadedByRequest`](crate::event::EventKind::LoadedByRequest) |
//! | `user_unauthorized`, `user_needs_refresh` | [`Denied`](crate::event::EventKind::Denied) with its [`DeniedReason`](crate::guard::DeniedReason) |
//! | `session_protected` | [`ClientChanged`](crate::event::EventKind::ClientChanged) |
//! | `user_accessed` | [`Resolved`](crate::event::EventKind::Resolved) |
//!
//! # Next
//!
//! [Coming from axum-login and tower-sessions](super::coming_from_axum_login). Reference:
//! [`LoginManager`](crate::LoginManager), [`AuthUser`](crate::AuthUser), [`Auth`](crate::Auth),
//! [`Session`](crate::Session), [`flash`](crate::flash), [`guard`](crate::guard). [All
//! pages](super).
//!
#![cfg_attr(feature = "axum", doc = include_str!("links/axum.md"))]
#![cfg_attr(not(feature = "axum"), doc = include_str!("links/axum_online.md"))]
#![cfg_attr(feature = "argon2", doc = include_str!("links/argon2.md"))]
#![cfg_attr(not(feature = "argon2"), doc = include_str!("links/argon2_online.md"))]
#![cfg_attr(feature = "testing", doc = include_str!("links/testing.md"))]
#![cfg_attr(not(feature = "testing"), doc = include_str!("links/testing_online.md"))]
