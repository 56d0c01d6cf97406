//! Passwords, resets and throttling: hashing and checking, rules for new passwords, a reset by
//! mail, and limits on guessing.
//!
//! # Check a password
//!
//! [`Passwords`] (feature `argon2`, on by default) hashes and checks passwords with argon2id.
//! Create one, and clone it wherever it is needed: clones share the slots that bound the memory.
//!
//! ```
//! use login_manager::{password::PasswordError, Passwords};
//! # struct Account { password_hash: String }
//! # struct Accounts;
//! # impl Accounts {
//! #     async fn find_by_name(&self, _name: &str) -> Option<Account> { None }
//! #     async fn replace_hash(&self, _account: &Account, _hash: &str) {}
//! # }
//!
//! async fn check(
//!     accounts: &Accounts, passwords: &Passwords, name: &str, password: &str,
//! ) -> Result<Option<Account>, PasswordError> {
//!     let account = accounts.find_by_name(name).await;
//!     // Also if there is no such account, so that the time does not reveal it.
//!     let verdict = passwords.verify(password, account.as_ref().map(|a| &*a.password_hash)).await?;
//!     let Some(account) = account.filter(|_| verdict.is_valid()) else {
//!         return Ok(None);
//!     };
//!     if verdict.needs_rehash() {
//!         // If this fails, log the user in anyway; the next login tries again.
//!         if let Ok(hash) = passwords.hash(password).await {
//!             // UPDATE accounts SET password_hash = $new WHERE id = $id AND password_hash = $old
//!             accounts.replace_hash(&account, &hash).await;
//!         }
//!     }
//!     Ok(Some(account))
//! }
//! ```
//!
//! - Call [`verify`][`Passwords::verify`] even if there is no such user, with `None` for the hash.
//!   The call takes the same time.
//! - Show one message for a wrong name and a wrong password.
//! - If [`needs_rehash`][`Verdict::needs_rehash`] returns true, the stored hash is weaker than a
//!   new one, or was made by [another system](#hashes-of-other-systems). Replace it while you have
//!   the password.
//!
//! # The cost
//!
//! | setting | default | source |
//! |---|---|---|
//! | [`with_cost`][`Passwords::with_cost`] | 19 MiB, 2 passes, 1 lane | the minimum of OWASP's Password Storage Cheat Sheet; less is rejected |
//! | [`with_max_concurrent`][`Passwords::with_max_concurrent`] | one hash per core at a time | more takes memory and is not faster |
//! | [`with_max_wait`][`Passwords::with_max_wait`] | 5 seconds | after that, the caller gets [`Busy`][`PasswordError::Busy`], a 503 |
//!
//! Hashing runs off the async threads. It takes at most the number of slots times the memory of one
//! hash with your cost; a stored hash that needs more memory takes several slots. A password may
//! have up to 4096 bytes and is never truncated. It is normalized to Unicode's NFC and not changed
//! otherwise. [`password`] explains the reasons and names their sources.
//!
//! # New passwords
//!
//! Check a password with a [`PasswordPolicy`] when a user chooses it: at registration, a change or
//! a reset, but not at login.
//!
//! ```
//! use login_manager::password::{PasswordPolicy, Weakness};
//!
//! fn check_new(password: &str, email: &str) -> Result<(), Weakness> {
//!     // Words that are easy to guess for this user: their name or address, and the site's name.
//!     PasswordPolicy::default().check(password, &[email, "Example Shop"])
//! }
//!
//! let weakness = check_new("down the hole", "alice@example.com").unwrap_err();
//! assert_eq!(
//!     weakness.to_string(), // for the user
//!     "The password is too short: use at least 15 characters. A few words are best."
//! );
//! ```
//!
//! | rule | source |
//! |---|---|
//! | at least 15 characters, or 8 if every login also needs a [second factor][`PasswordPolicy::with_second_factor`] | NIST SP 800-63B-4 (3.1.1.2); OWASP ASVS 5.0 (6.2.1) requires 8 and recommends 15 |
//! | more than the user's name, the site's name, digits and punctuation | ASVS 6.2.11 |
//! | none of the 3000 most common passwords: feature `common-passwords`, a list in the crate | ASVS 6.2.4 |
//! | not found in a data breach: feature `breached-passwords`, with [a file][`password`] that you download; no password leaves the machine | ASVS 6.2.12 |
//! | your own rules, such as a strength estimate: [`and`][`PasswordPolicy::and`] | |
//!
//! There is no rule about digits or symbols, and passwords don't expire: ASVS forbids both (6.2.5,
//! 6.2.10).
//!
//! # Hashes of other systems
//!
//! Users whom you import from another application keep their passwords.
//! [`verify`][`Passwords::verify`] checks the hashes of Werkzeug (Flask), Django, passlib, Rails,
//! PHP and others; the features `scrypt`, `pbkdf2` and `bcrypt` add the algorithms. Every such hash
//! [needs a rehash][`Verdict::needs_rehash`], so the function above replaces it at the user's first
//! login. [`password`] has a table of the formats. The example `import_users` does this for a Flask
//! application: see [Moving from Flask](super::moving_from_flask#passwords).
//!
//! # Change a password
//!
//! Ask for the current password in the same form (ASVS 6.2.3). Replace the hash and the [security
//! stamp](crate::AuthUser::security_stamp) in one statement. The new stamp ends every session of
//! the user, so log this browser in again with the changed user:
//!
//! ```
//! # use axum::response::{Html, IntoResponse, Redirect, Response, Result};
//! # use login_manager::{Auth, AuthUser, Passwords, password::PasswordPolicy};
//! # struct Account { id: i64, email: String, password_hash: String }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # async fn replace_hash_and_stamp(account: &Account, hash: &str) -> Option<Account> { None }
//! async fn change_password(
//!     user: &Account, auth: Auth<Account>, passwords: Passwords, current: String, new: String,
//! ) -> Result<Response> {
//!     if !passwords.verify(current, Some(&user.password_hash)).await?.is_valid() {
//!         return Ok(Html("That is not your password.").into_response());
//!     }
//!     if let Err(weakness) = PasswordPolicy::default().check(&new, &[&user.email]) {
//!         return Ok(Html(weakness.to_string()).into_response());
//!     }
//!     let hash = passwords.hash(new).await?;
//!     // UPDATE accounts SET password_hash = $new, stamp = $random
//!     // WHERE id = $id AND stamp = $old RETURNING *
//!     let Some(changed) = replace_hash_and_stamp(user, &hash).await else {
//!         return Ok(Html("It was changed meanwhile.").into_response());
//!     };
//!     auth.login(changed).await?;
//!     // The others are invalid already; this removes them from the list.
//!     auth.logout_others().await?;
//!     Ok(Redirect::to("/account").into_response())
//! }
//! # let _ = change_password;
//! ```
//!
//! Limit the guesses of the current password, too: see [Throttling](#throttling). If you only
//! upgrade the parameters of a hash, keep the stamp.
//!
//! # Reset a password
//!
//! A reset is a one-time token in a link that you mail to the user. [`tokens`](crate::tokens)
//! issues and redeems it; you provide the pages and send the mail. Create the handles once, after
//! the last setting of the manager:
//!
//! ```
//! # use login_manager::{AuthUser, LoginManager, Passwords, password::PasswordPolicy};
//! # struct Account { id: i64, email: String }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # #[derive(Clone)] struct Accounts;
//! use login_manager::{throttle::Throttle, tokens::{Purpose, Tokens}};
//!
//! const RESET: Purpose = Purpose::reset(); // valid for an hour
//!
//! #[derive(Clone)]
//! struct App {
//!     accounts: Accounts,
//!     login_manager: LoginManager<Account>,
//!     tokens: Tokens<Account>,
//!     guesses: Throttle,
//!     passwords: Passwords,
//!     policy: PasswordPolicy,
//! }
//!
//! fn app(accounts: Accounts, login_manager: LoginManager<Account>) -> App {
//!     App {
//!         accounts,
//!         // A token is valid for the address that it was sent to.
//!         tokens: login_manager.tokens().with_address(|account: &Account| &account.email),
//!         guesses: login_manager.throttle(),
//!         passwords: Passwords::new(),
//!         policy: PasswordPolicy::default(),
//!         login_manager,
//!     }
//! }
//! # let _ = (app, RESET);
//! ```
//!
//! **1. The request.** The response is the same, and takes the same time, whether or not there is
//! an account, since [`send`](crate::tokens::Tokens::send) does its work afterwards:
//!
//! ```
//! # use std::io;
//! # use axum::{Form, extract::State, response::Html};
//! # use login_manager::{AuthUser, tokens::{Purpose, Tokens}};
//! # struct Account { id: i64, email: String }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # #[derive(Clone)] struct Accounts;
//! # impl Accounts { async fn by_email(&self, email: &str) -> Option<Account> { None } }
//! # #[derive(Clone)] struct App { accounts: Accounts, tokens: Tokens<Account> }
//! # const RESET: Purpose = Purpose::reset();
//! # async fn mail(to: &str, text: String) -> io::Result<()> { Ok(()) }
//! # #[derive(serde::Deserialize)]
//! # struct Typed { email: String }
//! /// POST of "Forgot your password?"
//! async fn forgot(State(app): State<App>, Form(typed): Form<Typed>) -> Html<&'static str> {
//!     let account = app.accounts.by_email(&typed.email).await;
//!     app.tokens.send(account, RESET, async |account, token| {
//!         // The site's name from your configuration, never from the `Host` header.
//!         let link = format!("https://shop.example/reset?token={}", token.text());
//!         mail(&account.email, link).await // the stored address, never the typed one
//!     });
//!     Html("If there is an account with this address, a mail is on its way.")
//! }
//! # let _: axum::Router<App> = axum::Router::new().route("/", axum::routing::post(forgot));
//! ```
//!
//! **2. The link.** Mail scanners and previews open links, so a GET must not use up the token. This
//! handler moves the token out of the URL into the session, and shows the form if the token is
//! valid:
//!
//! ```
//! # use axum::{extract::{Query, State}, http::header::REFERRER_POLICY};
//! # use axum::response::{Html, IntoResponse, Redirect, Response, Result};
//! # use login_manager::{AuthUser, Session, tokens::{Purpose, Tokens}};
//! # struct Account { id: i64 }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # #[derive(Clone)] struct App { tokens: Tokens<Account> }
//! # const RESET: Purpose = Purpose::reset();
//! # const FORM: &str = "";
//! # #[derive(serde::Deserialize)]
//! # struct Link { token: Option<String> }
//! async fn reset_form(
//!     State(app): State<App>, session: Session, Query(link): Query<Link>,
//! ) -> Result<Response> {
//!     let no_referrer = [(REFERRER_POLICY, "no-referrer")];
//!     if let Some(token) = link.token {
//!         session.insert("reset", &token).await?;
//!         return Ok((no_referrer, Redirect::to("/reset")).into_response());
//!     }
//!     let token: String = session.get("reset").await?.unwrap_or_default();
//!     let page = match app.tokens.peek(&token, RESET).await? {
//!         Some(_) => FORM,
//!         None => "This link is no longer valid.",
//!     };
//!     Ok((no_referrer, Html(page)).into_response())
//! }
//! # let _: axum::Router<App> = axum::Router::new().route("/", axum::routing::get(reset_form));
//! ```
//!
//! **3. The new password.** Check everything that can be wrong with the form first:
//! [`redeem`](crate::tokens::Tokens::redeem) accepts a token once.
//!
//! ```
//! # use axum::{Form, extract::State, response::{Html, Result}};
//! # use login_manager::{AuthUser, LoginManager, Passwords, Session, password::PasswordPolicy};
//! # use login_manager::{throttle::Throttle, tokens::{Purpose, Tokens}};
//! # struct Account { id: i64, email: String }
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
//! # #[derive(Clone)] struct Accounts;
//! # impl Accounts { async fn replace_hash_and_stamp(&self, account: &Account, hash: &str) {} }
//! # #[derive(Clone)]
//! # struct App {
//! #     accounts: Accounts, login_manager: LoginManager<Account>, tokens: Tokens<Account>,
//! #     guesses: Throttle, passwords: Passwords, policy: PasswordPolicy,
//! # }
//! # const RESET: Purpose = Purpose::reset();
//! # const INVALID: &str = "";
//! # async fn mail(to: &str, text: &str) {}
//! # #[derive(serde::Deserialize)]
//! # struct NewPassword { password: String }
//! async fn reset(
//!     State(app): State<App>, session: Session, Form(new): Form<NewPassword>,
//! ) -> Result<Html<String>> {
//!     let token: String = session.get("reset").await?.unwrap_or_default();
//!     let Some(peeked) = app.tokens.peek(&token, RESET).await? else {
//!         return Ok(Html(INVALID.into()));
//!     };
//!     if let Err(weakness) = app.policy.check(&new.password, &[&peeked.user().email]) {
//!         return Ok(Html(weakness.to_string())); // and the form again
//!     }
//!     let hash = app.passwords.hash(new.password).await?;
//!
//!     let Some(redeemed) = app.tokens.redeem(&token, RESET).await? else {
//!         return Ok(Html(INVALID.into()));
//!     };
//!     session.remove("reset").await?;
//!     let account = redeemed.user();
//!     app.accounts.replace_hash_and_stamp(account, &hash).await; // ends all sessions
//!     app.login_manager.logout_user(&account.id).await?; // and deletes them
//!     app.tokens.withdraw_all(account).await?;
//!     app.guesses.clear(&account.email).await?; // the name that users log in with
//!     mail(&account.email, "Your password has been changed.").await;
//!     Ok(Html(r#"<a href="/login">Log in</a> with your new password."#.into()))
//! }
//! # let _: axum::Router<App> = axum::Router::new().route("/", axum::routing::post(reset));
//! ```
//!
//! - **Don't log the user in.** Otherwise anyone who can read the mail bypasses a second factor
//!   (ASVS 6.4.3).
//! - **Tell the user by mail** (ASVS 6.3.7).
//! - **Ask whether to revoke the API keys**, too:
//!   [`revoke_all`](crate::api_keys::ApiKeys::revoke_all). A new stamp leaves them alone.
//! - **Limit the requests** by address, as for any form that sends mail. For one user, a second
//!   mail within 5 minutes is not sent, and the response is the same.
//!
//! The example `password_reset` is complete, with a mailer and the links of the next section.
//!
//! # Other links and codes
//!
//! | purpose | valid for | after it is redeemed |
//! |---|---|---|
//! | [`reset`](crate::tokens::Purpose::reset) | 1 hour | as above |
//! | [`verification`](crate::tokens::Purpose::verification) of an address | 24 hours | mark it as verified. The first time, end the account's sessions and forget its password: someone else may have registered with the address |
//! | [`change_of_address`](crate::tokens::Purpose::change_of_address), sent to the new one, which the token [carries](crate::tokens::Issue::carry) | 24 hours | store the new address, and mail an undo to the old one |
//! | [`undo`](crate::tokens::Purpose::undo) of a change of address | 7 days | put the old address back, set a new stamp, and let the user reset the password |
//! | [`login_link`](crate::tokens::Purpose::login_link) | 10 minutes | [`auth.login`](crate::Auth::login), after a second factor if there is one |
//! | [`code`](crate::tokens::Purpose::code) of 6 digits, typed by the user | 10 minutes, 5 tries | as a login link |
//! | [`invitation`](crate::tokens::Purpose::invitation) of someone without an account | 7 days | create the account |
//! | [`new`](crate::tokens::Purpose::new), one of your own | the time that you choose | |
//!
//! A user has one valid token for each purpose. A changed password, a changed address or
//! [`withdraw`](crate::tokens::Tokens::withdraw) makes it invalid.
//!
//! # Throttling
//!
//! A [`throttle`](crate::throttle) counts each guess before it is checked. The first failures are
//! free; after them each guess has to wait, longer with each further failure:
//!
//! ```
//! # use std::net::SocketAddr;
//! # use axum::extract::ConnectInfo;
//! # use axum::response::{IntoResponse, Response, Result};
//! # use login_manager::{Auth, AuthUser};
//! # struct Account { name: String }
//! # impl AuthUser for Account { type Id = String; fn id(&self) -> String { self.name.clone() } }
//! # struct Form { username: String, password: String }
//! # struct Accounts;
//! # impl Accounts {
//! #     async fn find(&self, name: &str) -> Option<Account> { None }
//! #     async fn check(&self, account: Option<Account>, password: &str) -> Option<Account> { None }
//! # }
//! use login_manager::throttle::{Attempt, Throttle};
//!
//! async fn log_in(
//!     accounts: Accounts, guesses: Throttle, auth: Auth<Account>,
//!     ConnectInfo(client): ConnectInfo<SocketAddr>, form: Form,
//! ) -> Result<Response> {
//!     let account = accounts.find(&form.username).await;
//!     let browser = auth.known_browser(account.as_ref().map(|account| &account.name)).await?;
//!     let guess = guesses.attempt(&form.username).from(client.ip()).browser(browser);
//!     let permit = match guess.await? {
//!         Attempt::Permit(permit) => permit,
//!         Attempt::Wait(wait) => return Ok(wait.into_response()), // 429 with Retry-After
//!     };
//!     let Some(account) = accounts.check(account, &form.password).await else {
//!         return Ok("Wrong name or password".into_response()); // a dropped permit is a failure
//!     };
//!     permit.succeeded().await?;
//!     auth.login(account).await?;
//!     Ok("Welcome".into_response())
//! }
//! # let _ = log_in;
//! ```
//!
//! | what is counted | limit |
//! |---|---|
//! | failures for a name, by all strangers together, so a botnet gets no more than one client | 5 are free, then 1 second, doubled up to 15 minutes: at most 109 guesses a day |
//! | failures for a name in a [browser that the user has logged in with](super::sessions_of_a_user#known-browsers) | the same, counted separately, so strangers don't make the owner wait there |
//! | different names from one address | 30 a minute |
//!
//! - **It slows down, and locks no user out.** A lock would let anyone lock out any user. A reset
//!   by mail remains possible.
//! - **Call it for every name**, whether or not there is such a user. Otherwise a wait reveals
//!   which names exist.
//! - **Pass the address of the client**, not that of your proxy, and not one that a client can
//!   write into a header: see [addresses](crate::throttle#addresses).
//! - **Throttle every secret that can be guessed**, each with a
//!   [name](crate::throttle::Throttle::named) of its own: the codes of a second factor, recovery
//!   codes, the current password on the [refresh page](super::fresh_logins#the-refresh-page).
//! - **Watch the failures of all names**, as the event
//!   [`GuessFailed`](crate::event::EventKind::GuessFailed): no other count notices a botnet that
//!   tries one password with every name.
//! - OWASP ASVS 5.0 requires such a limit (6.3.1), and a description of it (6.1.1).
//!
//! The throttle runs before the hash, and the work of hashing is bounded as well: concurrent checks
//! wait for a slot, and get a 503 after 5 seconds. Against floods of other requests, put a coarse
//! limit by address in front of the application. The example `throttled_login` has both.
//!
//! # Next
//!
//! [Choosing a store, several nodes](super::choosing_a_store). Reference: [`Passwords`],
//! [`PasswordPolicy`], [`password`], [`tokens`](crate::tokens), [`throttle`](crate::throttle),
//! [`AuthUser::security_stamp`](crate::AuthUser::security_stamp). [All pages](super).
//!
#![cfg_attr(feature = "argon2", doc = include_str!("links/argon2.md"))]
#![cfg_attr(not(feature = "argon2"), doc = include_str!("links/argon2_online.md"))]
