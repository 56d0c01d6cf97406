//! Security: attacks, the defences against them, and what is left to you.
//!
//! # Cross-site request forgery
//!
//! A form on another site can send a request to yours, and the browser may send the visitor's cookie along (CSRF). Put
//! tower-http's [`CsrfLayer`](https://docs.rs/tower-http/latest/tower_http/csrf/) around your application, outside everything
//! else. It refuses what a browser says (`Sec-Fetch-Site`, `Origin`) comes from elsewhere, the login form included: nobody should
//! be logged in as somebody else without noticing. Behind it stands `SameSite=Lax`, which keeps the cookie at home except
//! for links. Log out by POST, never by a link.
//!
//! # Session fixation
//!
//! An attacker plants a token of theirs in the victim's browser and waits for the login. Every login, logout and
//! confirmation changes the token and deletes the old record before the response leaves; a token that the store doesn't
//! know is never taken over; and `__Host-` cookies can't be planted by a sister domain or over plain http.
//!
//! # Stolen tokens
//!
//! A script can't read the cookie (`HttpOnly`), a listener doesn't see it (`Secure`), and 256 random bits can't be guessed. Who reads the
//! store, or a backup of it, finds SHA-256 digests: the way back to a token would be to guess it. A stolen token ends with the
//! session: at logout, after the idle time, at the absolute limit, when the security stamp changes.
//!
//! A session that is shown by a client with another kind of user agent isn't fresh there, so it opens no page that asks for a
//! fresh login; [`SessionProtection::Strong`](crate::manager::SessionProtection::Strong) ends it. That raises the price, no more.
//!
//! A remember cookie is good for one use, and its series for 30 days from the login, whatever the use. If a token turns up that
//! was used before, somebody has a copy: everything that descends from that login ends, and
//! [an event](crate::event::EventKind::RememberTheft) says so. A session that it made is not fresh.
//!
//! # Replay after logout
//!
//! A logout deletes the record, with everything else of the same browser's line of descent. A request that was on its way
//! can't bring it back: stores only update what is there, at the version that was read.
//!
//! What else the browser keeps of your pages is for you to name. Where machines are shared, have it cleared beside the cookies, which
//! the logout removes by itself:
//!
//! ```
//! # use axum::response::{IntoResponse, Redirect};
//! # use login_manager::{Auth, AuthUser, Error};
//! # struct Account;
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
//! async fn logout(auth: Auth<Account>) -> Result<impl IntoResponse, Error> {
//!     auth.logout().await?;
//!     Ok(([("clear-site-data", r#""cache", "storage""#)], Redirect::to("/")))
//! }
//! ```
//!
//! It isn't sent by default: clearing takes browsers seconds, and `"cookies"` would take those of other applications and of sister
//! domains along.
//!
//! # Other sessions after a password change
//!
//! Renew [the stamp](crate::AuthUser::security_stamp) beside the password, and call [`auth.login`](crate::Auth::login) with the changed
//! user: this browser stays, every other session ends at its next request. Renewing a hash only for its parameters is no reason
//! to renew the stamp.
//!
//! # A second factor
//!
//! Between the two steps the visitor is anonymous, and an anonymous session grants no access. So
//! don't log in after the first step: keep the account's id in the anonymous
//! [`Session`](crate::Session), with the time, and log in after the second.
//! [`renew`](crate::Auth::renew) rotates the session's token at that moment, so that an attacker
//! who planted the old one can't continue without the password. [`take`](crate::Session::take)
//! allows one attempt: it removes the id from the store before it returns it, to one of any number
//! of parallel requests. A wrong code costs the password again.
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
//! async fn after_the_password(auth: Auth<Account>, session: Session, account: Account) -> Result<(), Error> {
//!     session.insert("second-factor", &(account.id, SystemTime::now())).await?;
//!     auth.rotate().await
//! }
//!
//! async fn after_the_code(auth: Auth<Account>, session: Session, code: String) -> Result<StatusCode, Error> {
//!     let pending: Option<(i64, SystemTime)> = session.take("second-factor").await?;
//!     let in_time = |at: &SystemTime| at.elapsed().is_ok_and(|age| age <= Duration::from_secs(10 * 60));
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
//! # Limiting sessions per user
//!
//! [`with_max_sessions`](crate::LoginManager::with_max_sessions) ends the oldest. There is no way to refuse the new login instead: it
//! would lock out who has lost a phone or cleared the cookies, and let a thief who is in keep the owner out. Who wants to ask
//! lists [`auth.sessions()`](crate::Auth::sessions) after the login and lets people choose.
//!
//! # Open redirects
//!
//! `?next=` is written by anybody. [`NextPath`](crate::NextPath) accepts a path of this site and nothing else, however it is
//! encoded. Never redirect to a plain string from the request.
//!
//! # User enumeration
//!
//! [`Passwords::verify`](crate::Passwords::verify) takes the same time for a user who doesn't exist. Give the same answer,
//! too: one message for a wrong name and a wrong password. A registration form that says that a name is taken tells who has an
//! account; if that matters, send a mail instead.
//!
//! # Password guessing
//!
//! Nothing here counts attempts. Limit them by account and by address in front of the login route, and let the limit
//! slow people down rather than lock them out, or anybody can lock out anybody.
//!
//! # Shared caches
//!
//! A response for which somebody asked who is there has `Vary: Cookie`, and `Cache-Control: no-store` unless the handler set a
//! `Cache-Control` of its own: if you set one, you know. One case is ours: a response that sets or deletes one of our cookies gets
//! `no-store` instead of what the handler said, a `public, max-age=60` too, unless that has `private` or `no-store` in it. A cookie
//! in a shared cache would be everybody's.
//!
//! # Bypassing the guard
//!
//! The guard stands inside the router, so it sees what the handler will see; no header and no other spelling of a
//! path leads around it. It guards OPTIONS and HEAD too. A failing store, loader or check is 503, never a pass and never "not
//! logged in". [`except`](crate::guard::LoginRequiredLayer::except) lets pass exactly the spelling that you named.
//!
//! A route that somebody forgot to guard is open. Turn it round, so that a route that somebody forgot is closed, with one guard
//! around the whole router and a list of what is open:
//!
//! ```
//! # use axum::{Router, routing::get};
//! # use login_manager::{AuthUser, LoginManager, MemoryStore, login_required};
//! # struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # let login_manager = LoginManager::new(MemoryStore::new(), |id| async move { Some(Account { id }) });
//! # let routes = Router::<()>::new().route("/", get(|| async {}));
//! let app = routes
//!     .layer(login_required::<Account>().except(["/login", "/static/*"]))
//!     .layer(login_manager);
//! # let _: Router = app;
//! ```
//!
//! # Logs
//!
//! No token, password, hash or cookie is in any log line, error or `Debug` of this crate. What your own store or loader says in
//! its errors is kept behind [`source`](std::error::Error::source).
//!
//! # Keys
//!
//! There are none to keep, to rotate or to lose: nothing is signed or encrypted, cookies carry random tokens. What ends all
//! sessions at once is an empty store.
