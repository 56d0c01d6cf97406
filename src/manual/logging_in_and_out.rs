//! Logging in and out: the login form, returning to the requested page, the logout, and several
//! kinds of user.
//!
//! # Log in
//!
//! Check the credentials yourself, then call [`Auth::login`](crate::Auth::login). Any kind of
//! credentials will do: a password, a link in an e-mail, a passkey, or the response of another
//! site.
//!
//! ```
//! # use login_manager::{Auth, AuthUser};
//! # struct Account;
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
//! # async fn check(form: Form) -> Option<Account> { None }
//! # struct Form { remember: bool }
//! use axum::response::{Html, IntoResponse, Response, Result};
//! use login_manager::NextPath;
//!
//! async fn log_in(auth: Auth<Account>, next: NextPath, form: Form) -> Result<Response> {
//!     let remember = form.remember;
//!     let Some(account) = check(form).await else {
//!         return Ok(Html("Wrong username or password").into_response());
//!     };
//!     auth.login(account).remember(remember).await?;
//!     Ok(next.redirect_or("/").into_response())
//! }
//! # let _ = log_in;
//! ```
//!
//! The login is performed when the returned [`Login`](crate::auth::Login) is awaited. It always
//! creates a new session secret. What happens to the session that the browser had before depends on
//! its owner:
//!
//! | before the login | afterwards |
//! |---|---|
//! | no session | a new one |
//! | an anonymous session | a new one with its data; the old one ends |
//! | a session of the same user | the same one, with its data |
//! | a session of another user | a new one without data; the old one ends |
//!
//! An inactive user is [an error](crate::ErrorKind::Inactive), unless
//! [`force`](crate::auth::Login::force) is called. [`Login`](crate::auth::Login) has the options
//! and all errors.
//!
//! Perform all checks before the login: it is not undone if the handler returns an error
//! afterwards.
//!
//! # Registration
//!
//! Check the new password with a [policy](super::passwords#new-passwords), hash it, insert the row,
//! and log the new user in. Let the database decide whether the name is free; otherwise two
//! registrations at the same moment can both find that it is:
//!
//! ```sql
//! INSERT INTO accounts (name, password_hash) VALUES ($1, $2)
//! ON CONFLICT (name) DO NOTHING RETURNING *  -- no row: the name is taken
//! ```
//!
//! # Errors of your database
//!
//! Every error of this crate is a response with its own status, so `?` works in a handler that
//! returns axum's `Result`. The error of a database library is not a response: convert it.
//!
//! ```
//! # struct Account { name: String }
//! # #[derive(Debug, thiserror::Error)] #[error("the connection is closed")] struct DbError;
//! # #[derive(Clone)] struct Db;
//! # impl Db { async fn find(&self, name: &str) -> Result<Option<Account>, DbError> { Ok(None) } }
//! use axum::{extract::{Path, State}, http::StatusCode, response::Result};
//!
//! fn unavailable(error: DbError) -> StatusCode {
//!     tracing::error!(%error, "the database failed");
//!     StatusCode::SERVICE_UNAVAILABLE
//! }
//!
//! async fn profile(State(db): State<Db>, Path(name): Path<String>) -> Result<String> {
//!     let account = db.find(&name).await.map_err(unavailable)?;
//!     Ok(account.ok_or(StatusCode::NOT_FOUND)?.name)
//! }
//! # let _ = profile;
//! ```
//!
//! # Back to the page the user wanted
//!
//! A guard adds the path of the requested page to the URL of the login page.
//! [`NextPath`](crate::NextPath) reads it. It is a path on your site or nothing, so
//! [`redirect_or`](crate::NextPath::redirect_or) cannot lead to another site.
//!
//! The URL also says why the user is there. A handler of the login page can take an
//! `Option<`[`Notice`](crate::guard::Notice)`>` and show its text, "Please log in to access this
//! page."
//!
//! A form that posts to its own URL, `<form method=post>` without `action`, keeps the query and
//! with it `next`. If it posts elsewhere, put the query of the login page into its `action`.
//! [`Auth::login_url`](crate::Auth::login_url) returns a link to the login page that leads back to
//! the current page.
//!
//! By default the path is kept in the query.
//! [`LoginPage::next_in`](crate::manager::LoginPage::next_in) can keep it in a cookie instead, so
//! that it does not appear in a URL, or not keep it at all.
//!
//! # Log out
//!
//! ```
//! # use login_manager::{Auth, AuthUser};
//! # struct Account;
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
//! use axum::response::{Redirect, Result};
//!
//! async fn log_out(auth: Auth<Account>) -> Result<Redirect> {
//!     auth.logout().await?;
//!     Ok(Redirect::to("/"))
//! }
//! # let _ = log_out;
//! ```
//!
//! [`Auth::logout`](crate::Auth::logout) deletes the session from the store and removes its
//! cookies, so a copy of them is invalid, too. Log out by a POST, never by a link: browsers and
//! mail scanners follow links on their own.
//!
//! If the store fails, the logout returns an error, but the cookies are removed all the same. The
//! deletion is retried in the background for about a minute. Tell the user that the logout may not
//! be complete; the error's default response is 503.
//!
//! # Log in after a registration
//!
//! Create the account, then log it in: `auth.login(account).await?`. If the registration is a
//! transaction on the SQLite file that also holds the sessions, commit it first, since SQLite has
//! one writer at a time.
//!
//! # Several kinds of user
//!
//! If customers and staff are different types, give each type a manager of its own. Each manager is
//! a *realm*, with its own cookies and sessions, and a browser can be logged in to both:
//!
//! ```
//! # use axum::{Router, routing::get};
//! # use login_manager::{AuthUser, LoginManager, LoginRequired, MemoryStore};
//! # struct Customer { id: i64 }
//! # impl AuthUser for Customer { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # struct Staff { id: i64 }
//! # impl AuthUser for Staff { type Id = i64; fn id(&self) -> i64 { self.id } }
//! let store = MemoryStore::new();
//! let customers = LoginManager::new(store.clone(), |id| async move { Some(Customer { id }) })
//!     .with_realm("customer")
//!     .with_login_page("/login");
//! let staff = LoginManager::new(store, |id| async move { Some(Staff { id }) })
//!     .with_realm("staff")
//!     .with_login_page("/staff/login");
//!
//! let app: Router = Router::new()
//!     .route("/orders", get(async |_: LoginRequired<Customer>| "orders"))
//!     .route("/staff", get(async |_: LoginRequired<Staff>| "staff"))
//!     .layer(customers)
//!     .layer(staff);
//! ```
//!
//! A handler names the type that it needs: `Auth<Staff>`, `LoginRequired<Customer>`. If the two
//! kinds differ only in what they are allowed to do, one type and [a condition on the
//! guard](super::guarding_pages#a-whole-router) are simpler.
//!
//! # A second factor
//!
//! Between the two steps the visitor is still anonymous. So don't log the user in after the first
//! step: keep the account's id and the time in the anonymous [`Session`](crate::Session), and log
//! the user in after the second step. After the first step, call [`rotate`](crate::Auth::rotate):
//! it gives the session a new secret, so that an attacker who planted the old one can't continue
//! without the password. In the second step, [`take`](crate::Session::take) allows one attempt: it
//! removes the id from the store before it returns it, so only one of several concurrent requests
//! gets it. After a wrong code, the user has to enter the password again.
//!
//! ```
//! # use std::time::{Duration, SystemTime};
//! # use axum::http::StatusCode;
//! # use login_manager::{Auth, AuthUser, Error, Session};
//! # struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # impl Account { fn accepts(&self, _code: &str) -> bool { true } }
//! # async fn find(id: i64) -> Option<Account> { Some(Account { id }) }
//! /// The password was right.
//! async fn after_the_password(
//!     auth: Auth<Account>, session: Session, account: Account,
//! ) -> Result<(), Error> {
//!     session.insert("second-factor", &(account.id, SystemTime::now())).await?;
//!     auth.rotate().await
//! }
//!
//! async fn after_the_code(
//!     auth: Auth<Account>, session: Session, code: String,
//! ) -> Result<StatusCode, Error> {
//!     let pending: Option<(i64, SystemTime)> = session.take("second-factor").await?;
//!     let limit = Duration::from_secs(10 * 60);
//!     let in_time = |at: &SystemTime| at.elapsed().is_ok_and(|age| age <= limit);
//!     let Some((id, _)) = pending.filter(|(_, at)| in_time(at)) else {
//!         return Ok(StatusCode::UNAUTHORIZED); // back to the password
//!     };
//!     let Some(account) = find(id).await.filter(|account| account.accepts(&code)) else {
//!         return Ok(StatusCode::UNAUTHORIZED);
//!     };
//!     auth.login(account).await?;
//!     Ok(StatusCode::OK)
//! }
//! ```
//!
//! Codes are short, so [throttle](super::passwords#throttling) them. The example `second_factor` in
//! the repository is complete: codes of an authenticator app, recovery codes, and browsers in which
//! the second factor is skipped. If only some pages need it, [a guard can require
//! it](super::fresh_logins#by-a-certain-method) of users who are logged in.
//!
//! # A message after the redirect
//!
//! A handler that redirects can leave a [flash message](crate::flash), which the next page shows
//! once. If the handler logs out, push the message after the logout, which deletes the session's
//! data:
//!
//! ```
//! # use axum::response::Redirect;
//! # use login_manager::{Auth, AuthUser, Error};
//! # struct Account;
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
//! use login_manager::flash::{Flash, Level};
//!
//! async fn log_out(auth: Auth<Account>, flash: Flash) -> Result<Redirect, Error> {
//!     auth.logout().await?;
//!     flash.push(Level::Info, "You have been logged out.").await?;
//!     Ok(Redirect::to("/"))
//! }
//!
//! async fn home(flash: Flash) -> Result<String, Error> {
//!     let messages = flash.take().await?;
//!     Ok(messages.iter().map(|message| format!("{}\n", message.text())).collect())
//! }
//! # let _ = (log_out, home);
//! ```
//!
//! # Log in with another site
//!
//! Use a crate for OAuth or OpenID Connect for the exchange, then find or create your account and
//! call `auth.login(account)`. Keep the state of the exchange in the [`Session`](crate::Session).
//! The example `oidc` in the repository shows this, including a provider that responds with a POST.
//!
//! # Next
//!
//! [Remember-me](super::remember_me): staying logged in after the browser is closed. Reference:
//! [`Auth`](crate::Auth), [`Login`](crate::auth::Login), [`NextPath`](crate::NextPath),
//! [`Session`](crate::Session), [`flash`](crate::flash),
//! [`LoginManager::with_realm`](crate::LoginManager::with_realm). [All pages](super).
