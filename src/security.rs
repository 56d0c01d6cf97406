//! Security: attacks, the defences against them, and what is left to you.
//!
//! # Cross-site request forgery
//!
//! A form on another site can send a request to yours, and the browser may send the user's cookie
//! along (CSRF). Put tower-http's
//! [`CsrfLayer`](https://docs.rs/tower-http/latest/tower_http/csrf/) around your application,
//! outside everything else. It rejects requests that the browser marks (`Sec-Fetch-Site`, `Origin`)
//! as sent from elsewhere, including those to the login form, so that users are not logged in to
//! another account without noticing. `SameSite=Lax` is a second line of defence: browsers send the
//! cookie from other sites only if the user follows a link. Log out by POST, never by a link.
//!
//! # Requests from other sites
//!
//! Which cookies a browser sends depends on where the request comes from. Two origins are one
//! *site* if they have the same scheme and registered domain: `app.example.com` and
//! `api.example.com`, or two ports of `localhost`.
//!
//! | request | `Strict` | `Lax` (default) | `None` |
//! |---|---|---|---|
//! | from another site: a link, a redirect to a GET, also after a POST | | sent | sent |
//! | from another site: a form, by POST | | | sent |
//! | from another site: `fetch`, an image, a frame | | | sent, unless third-party cookies are blocked |
//! | from the same site, but another origin (`fetch` with `credentials: 'include'`) | sent | sent | sent |
//!
//! So with `Lax`, a site that sends the browser back by a redirect needs nothing special. One that
//! sends it back by a POST reaches a handler that finds no user, even if one is logged in. Such a
//! request does not replace the login: [data](crate::Session) that it inserts is dropped (with the
//! event [`DataDropped`](crate::event::EventKind::DataDropped)), since the cookie of a new session
//! would replace that of the login. It is recognized by `Sec-Fetch-Site`, which browsers send over
//! https and to `localhost`, Safari since 16.4. The examples in the repository are tested in
//! Chromium:
//!
//! - `oidc` logs in with another site, which answers in the URL or in a form (`form_post`). For the
//!   form it keeps the flow in a second manager with `SameSite=None`.
//! - `payment` is sent back by a POST, verifies the payment without a user, and redirects to a page
//!   to which the browser sends the cookie again.
//! - `single_page_app` is an API for a front end at another origin: CORS, and a trusted origin.
//!
//! Exempt from `CsrfLayer` only the route that another site posts to, and let its handler check
//! something that no other site knows or can forge. A trusted origin may post to every route.
//! `SameSite=None` for logins is only needed by an application that others embed or call from their
//! pages; see [`Cookies::partitioned`](crate::manager::Cookies::partitioned).
//!
//! # Session fixation
//!
//! An attacker plants a session cookie of theirs in the victim's browser and waits for the login.
//! A login over an anonymous session, or over another user's, creates a new record with a new id
//! and secret before the response is sent, and closes the old record: its secret is invalid, even
//! within the grace. A login over a session of the same user, a confirmation, a restore and
//! [`rotate`](crate::Auth::rotate) replace the secret. A cookie that the store does not know is
//! never adopted, and `__Host-` cookies cannot be planted by a sister domain or over plain http.
//!
//! Data moves from the anonymous session to the login, so an attacker who planted the cookie can
//! choose that data. Do not keep decisions about access in an anonymous session.
//!
//! # Stolen session cookies
//!
//! A script cannot read the cookie (`HttpOnly`), a listener on the network does not see it
//! (`Secure`), and 256 random bits cannot be guessed. An attacker who reads the store, or a backup
//! of it, only finds SHA-256 digests of the secrets.
//!
//! A copy of a session cookie is **not detected**. It is valid until the secret is rotated (plus
//! the grace) or the session ends: by a logout, by the idle or absolute timeout, or by a change of
//! the security stamp. The grace, 30 seconds by default, exists for requests that were sent before
//! a rotation and arrive after it. During the grace, a copy of the replaced secret authenticates,
//! too: not fresh, without a new cookie, and unable to confirm or rotate. There is no grace after
//! [`logout_others`](crate::Auth::logout_others), nor after a login with another security stamp,
//! as after a change of password. Shorten it with
//! [`RememberMe::grace`](crate::manager::RememberMe::grace).
//!
//! A session that is presented by a client with a different user agent is not fresh there, so it
//! does not pass a guard that requires a fresh login;
//! [`SessionProtection::Strong`](crate::manager::SessionProtection::Strong) ends it. This only
//! makes a stolen cookie harder to use: a thief who knows the user agent can imitate it.
//!
//! # Stolen remember cookies
//!
//! The remember cookie holds a session id and two secrets. The *series secret* stays the same until
//! the next login and proves that its bearer once held a genuine cookie of this login. The *token
//! secret* is exchanged each time the cookie restores the login. By default the cookie ends 30 days
//! after the login, however often it is used.
//!
//! If a token secret is presented that was exchanged before, one of two bearers has a copy. The
//! session ends, its cookies become invalid, and [an event](crate::event::EventKind::RememberTheft)
//! is emitted. A cookie with a wrong series secret is ignored, so an attacker who only knows a
//! session id cannot end the session. A restored session is not fresh.
//!
//! A browser can present a used token secret without a theft: it sends several requests at once, or
//! it loses a response. Therefore a used token secret joins the session during the grace, and after
//! it restores the login again as long as the browser has not yet shown that it received the new
//! one. See [`RememberGrace`](crate::manager::RememberGrace).
//!
//! # Replay after logout
//!
//! A logout deletes the session's record, and with it the remember cookie's secrets. A concurrent
//! request cannot bring it back: stores only update a record that exists, at the version that was
//! read. An attacker cannot log others out, either: a logout only deletes a session that a
//! presented secret opens.
//!
//! The logout removes the cookies of this crate. On shared computers, also clear what else the
//! browser keeps of your pages:
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
//! The header is not sent by default: browsers may need seconds to clear their data, and
//! `"cookies"` would also remove those of other applications and of sister domains.
//!
//! # Other sessions after a password change
//!
//! Replace the [security stamp](crate::AuthUser::security_stamp) together with the password, and
//! call [`auth.login`](crate::Auth::login) with the changed user: this browser stays logged in, and
//! every other session ends at its next request. [`logout_others`](crate::Auth::logout_others)
//! deletes them at once. If you only upgrade the parameters of a password hash, keep the stamp.
//!
//! # A second factor
//!
//! Between the two steps the visitor is anonymous, and an anonymous session grants no access. So
//! don't log in after the first step: keep the account's id in the anonymous
//! [`Session`](crate::Session), with the time, and log in after the second.
//! [`rotate`](crate::Auth::rotate) gives the session a new secret at that moment, so that an
//! attacker who planted the old one can't continue without the password.
//! [`take`](crate::Session::take) allows one attempt: it removes the id from the store before it
//! returns it, to one of any number of parallel requests. A wrong code costs the password again.
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
//! # Limiting sessions per user
//!
//! [`with_max_sessions`](crate::LoginManager::with_max_sessions) ends the oldest session. Rejecting
//! the new login instead is not offered: it would lock out users who lost a phone or cleared their
//! cookies, and let a thief who is logged in keep the owner out. To let users choose, list
//! [`auth.sessions()`](crate::Auth::sessions) after the login.
//!
//! # Open redirects
//!
//! Anyone can write `?next=`. [`NextPath`](crate::NextPath) accepts a path on this site and nothing
//! else, however it is encoded. Never redirect to a plain string from the request.
//!
//! # User enumeration
//!
//! [`Passwords::verify`](crate::Passwords::verify) takes the same time for a user who does not
//! exist. Return the same response, too: one message for a wrong name and a wrong password. A
//! registration form that reports a taken name reveals who has an account; if that matters, send an
//! e-mail instead.
//!
//! # Password guessing
//!
//! This crate does not count attempts. Limit them by account and by address in front of the login
//! route. Slow attempts down instead of locking the account: a lock lets anyone lock out any user.
//!
//! # Shared caches
//!
//! If the current user or the session was used, the response gets `Vary: Cookie`, and
//! `Cache-Control: no-store` unless the handler sets `Cache-Control` itself. A response that sets
//! or removes one of our cookies always gets `no-store`, even if the handler said `public,
//! max-age=60`, unless its value contains `private` or `no-store`. Such a response also loses
//! `CDN-Cache-Control` and the like: a cookie in a shared cache would be sent to everyone.
//!
//! # Bypassing the guard
//!
//! The guard runs inside the router and sees the same request as the handler, so no header and no
//! other spelling of a path bypasses it. It also guards OPTIONS and HEAD. If the store, a loader or
//! a check fails, the response is 503; the request is never let through and never treated as
//! anonymous. [`except`](crate::guard::LoginRequiredLayer::except) lets through exactly the paths
//! that you name.
//!
//! A route that you forget to guard is open. To make forgotten routes closed instead, put one guard
//! around the whole router and list what is open:
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
//! No secret, password, hash or cookie appears in a log line, error or `Debug` output of this
//! crate. The errors of your own store or loader are only available from
//! [`source`](std::error::Error::source) and [`Event::cause`](crate::event::Event::cause).
//!
//! # Keys
//!
//! There are no keys to store, rotate or lose: nothing is signed or encrypted, and cookies hold
//! random secrets. To end all sessions at once, empty the store.
//!
//! # Known limits
//!
//! - **A late response can look like a theft.** If a response that restores a login arrives after
//!   the grace, and the browser has restored the login by another request meanwhile, it overwrites
//!   the newer cookie. The next restore then presents a used token secret: the session ends, and
//!   the user logs in again.
//! - **The older of two responses may arrive last.** If both set cookies, the browser keeps the
//!   older ones. They join during the grace; after it the user may have to log in again.
//! - **A lost response to a login without remember-me.** The browser never received the secret, so
//!   the user logs in again. The session that was created expires by its idle timeout.
//! - **A stolen session cookie is not detected.** It becomes invalid at the next rotation.
//! - **A copy of a replaced secret is accepted during the grace**, as described above. If another
//!   process exchanged the token secret, five minutes are added for clock skew, unless the grace is
//!   [`Strict`](crate::manager::RememberGrace::Strict).
