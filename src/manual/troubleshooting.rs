//! Troubleshooting: symptoms, causes and remedies.
//!
//! Look at the log first. The crate logs configuration mistakes at ERROR and failures at WARN
//! through `tracing`, so the program needs a subscriber, such as `tracing_subscriber::fmt::init()`.
//! With `RUST_LOG=login_manager=debug` (and the `env-filter` feature of that crate), it also logs
//! why each request was denied. A handler gets the same reason from
//! [`Auth::anonymous_reason`](crate::Auth::anonymous_reason).
//!
//! # Logged in, and the next page asks again
//!
//! The browser did not keep the session cookie or did not send it. Look at the response to the
//! login in the browser's developer tools.
//!
//! | cause | remedy |
//! |---|---|
//! | The page is loaded over plain http from a LAN address or in Safari. The cookie is `Secure`. Chrome, Firefox and curl accept it on `http://localhost`; Safari [does not](https://bugs.webkit.org/show_bug.cgi?id=281149). | https, or [`Cookies::insecure`](crate::manager::Cookies::insecure) during development |
//! | A front end calls `fetch` from another origin without `credentials: 'include'` | [single-page apps](super::apis#a-single-page-app) |
//! | The application is in a frame of another site | [`SameSite=None` and `Partitioned`](crate::manager::Cookies::partitioned) |
//! | Each node or each start has a [`MemoryStore`](crate::MemoryStore) of its own | a [store](super::choosing_a_store) that all nodes share |
//! | Two managers with the same realm but different stores or user types | one manager per kind of user, [each with its realm](super::logging_in_and_out#several-kinds-of-user) |
//! | [`Cookies::path`](crate::manager::Cookies::path) or [`Cookies::domain`](crate::manager::Cookies::domain) does not include the next page | widen or remove it |
//! | The [user loader](crate::UserLoader) does not find the user by the id that [`AuthUser::id`](crate::AuthUser::id) returns, or the [security stamp](crate::AuthUser::security_stamp) differs at each load | load the same user with the same stamp |
//!
//! # 401 instead of a redirect
//!
//! Redirects are for [page loads](super::guarding_pages#what-is-a-page-load) only.
//!
//! | cause | remedy |
//! |---|---|
//! | No login page is set | [`with_login_page`](crate::LoginManager::with_login_page) |
//! | The client is curl, a test or a script, so the request does not accept `text/html` | send `Accept: text/html` to see what browsers get |
//! | The login page itself is guarded; the log says so | move it out of the guard, or add it to [`except`](crate::guard::LoginRequiredLayer::except) |
//! | htmx | it gets a 401 with `HX-Redirect`, and follows it |
//!
//! # 403 after a login
//!
//! The user is logged in, but a condition on the guard is not met. If `CsrfLayer` is in use and the
//! 403 is the response to a form, it may come from that layer: according to the browser, another
//! site has sent the form. A proxy that changes the `Host` header causes this in browsers that send
//! no `Sec-Fetch-Site`.
//!
//! In an [impersonation](super::sessions_of_a_user#impersonation), pages that need a fresh login or
//! a certain method respond with 403. An API key without the
//! [scope](crate::guard::LoginRequiredLayer::and_scope) gets a 403, too, and the `WWW-Authenticate`
//! header names the scope.
//!
//! # 500 and an empty page
//!
//! If the manager is missing, the log has an ERROR line that says what to add, and in debug builds
//! the response's body says the same. For the other causes, log the error in the handler: its
//! [`kind`](crate::Error::kind) names the cause.
//!
//! | cause | remedy |
//! |---|---|
//! | There is no manager around the handler or guard: `.layer(login_manager)` is missing, comes before the routes, or is on another router | add it after the routes, on the outermost router that needs it |
//! | The manager is for another user type than the extractor | name the type of the manager |
//! | The id's text does not parse back to the same id ([`UnstableId`](crate::ErrorKind::UnstableId)) | fix `Display` and `FromStr` of the id type |
//! | A value in the session is of another type than requested ([`Data`](crate::ErrorKind::Data)) | use another name when a type changes |
//! | The response head was sent before the login ([`TooLate`](crate::ErrorKind::TooLate)) | log in before the response is returned |
//!
//! # 503
//!
//! The store, the loader or a check failed or took longer than [the
//! deadline](crate::LoginManager::with_deadline) of 2 seconds. The log has the reason. Users stay
//! logged in. A 503 at the login may also mean that [too many passwords are being
//! checked][`PasswordError::Busy`].
//!
//! # 409
//!
//! Another request changed or ended the session at the same time, a confirmation came with a cookie
//! that had just been replaced, or a logout could not end a session that a cookie names. Reload the
//! page.
//!
//! # 429
//!
//! A [throttle](crate::throttle) makes the guess wait.
//!
//! | cause | remedy |
//! |---|---|
//! | Every user has to wait | all clients have the address of your proxy: pass [the client's](crate::throttle#addresses) |
//! | Many people behind one address, as in a school | a higher [`names_per_address`](crate::throttle::Throttle::names_per_address) |
//! | The owner waits while someone guesses | [known browsers](super::sessions_of_a_user#known-browsers), and a reset that calls [`clear`](crate::throttle::Throttle::clear) |
//! | A correct password counts as a failure | call [`succeeded`](crate::throttle::Permit::succeeded): a permit that is dropped is a failure |
//! | The tests have to wait | give each test a store of its own, or a [clock](super::testing#move-the-clock) that the test moves |
//!
//! # A link or a code is not accepted
//!
//! The caller gets `None` in each case, so that a page can't reveal too much. The event
//! [`TokenRefused`](crate::event::EventKind::TokenRefused), logged at DEBUG, has the reason.
//!
//! | reason | cause |
//! |---|---|
//! | `used` | the handler of the GET redeems the token, and a mail scanner opened the link first: call [`peek`](crate::tokens::Tokens::peek) there instead. Or a form was sent twice |
//! | `unknown` | a newer token has replaced it, the store has lost it, or the URL was cut off in the mail |
//! | `stamp_changed` | the password has been changed since, or the [stamp](crate::AuthUser::security_stamp) differs at each load |
//! | `address_changed` | the address has changed, or is [spelled](crate::tokens::Tokens::with_address) in another way |
//! | `other_purpose` | issued and redeemed with different [purposes](crate::tokens::Purpose): keep each in a constant |
//! | `other_browser` | a code that is bound to a browser was entered in another one |
//! | `no_tries_left` | five wrong codes; the user asks for a new one |
//!
//! **No mail arrives**: within the [gap](crate::tokens::Purpose::gap) of 5 minutes, no second one
//! is sent. If the delivery fails, there is a WARN line,
//! [`TokenNotSent`](crate::event::EventKind::TokenNotSent).
//!
//! # An API key gets 401
//!
//! | cause | remedy |
//! |---|---|
//! | It was revoked or has expired, or [`logout_everyone`](crate::LoginManager::logout_everyone) has deleted it | create a new one |
//! | The handler is behind a manager without [`with_api_keys`](crate::LoginManager::with_api_keys) | put it behind the manager with keys |
//! | The guard requires a fresh login or a method, and a key can satisfy neither | add another route for programs |
//! | The prefix was changed | keep it |
//! | A proxy removes the `Authorization` header, or the scheme is not `Bearer` | |
//!
//! # A flash message is not shown
//!
//! It was pushed before a logout, which deletes the session's data: push it after the logout. Other
//! causes are a response with a 5xx status, and another request that takes the message first, such
//! as one by a script whose handler also calls [`take`](crate::flash::Flash::take).
//!
//! # Hashes of another system don't match
//!
//! The log has a warning if the feature (`scrypt`, `pbkdf2`, `bcrypt`) is missing, or if a hash is
//! beyond the [limits][`password`]. A hash that also depends on a secret key of the other system (a
//! pepper, or an HMAC as in Flask-Security) can't be checked.
//!
//! # Slow logins while developing
//!
//! Without optimization, argon2 takes more than ten times as long. Add these lines to the
//! `Cargo.toml` of the application, or of the workspace:
//!
//! ```toml
//! [profile.dev.package]
//! argon2.opt-level = 3
//! blake2.opt-level = 3
//! ```
//!
//! # All users were logged out by a release
//!
//! | cause | remedy |
//! |---|---|
//! | The user type was moved or renamed, or the compiler changed its name, and [`with_realm`](crate::LoginManager::with_realm) is not set | set it, once and for all |
//! | The realm, or the [names of the cookies](crate::manager::Cookies::names), or their domain or path, changed | keep them |
//! | Sessions are in a [`MemoryStore`](crate::MemoryStore) | another [store](super::choosing_a_store) |
//! | The stamp is computed from something that the release changed | store a random value with the user |
//! | The type of the id changed, so that old ids don't parse | keep it, or let `FromStr` read the old form |
//!
//! # Users are logged out now and then
//!
//! | cause | remedy |
//! |---|---|
//! | The [timeouts](crate::LoginManager::with_timeouts): 24 hours without use, 14 days in total | longer ones, or [remember-me](super::remember_me) |
//! | Redis evicts records, as its memory is full | `maxmemory-policy noeviction` |
//! | [`SessionProtection::Strong`](crate::manager::SessionProtection::Strong), and the client looks different | `Basic` |
//! | [`with_max_sessions`](crate::LoginManager::with_max_sessions) | a higher limit |
//! | The clocks of the nodes differ by more than five minutes | NTP |
//! | An [impersonation](super::sessions_of_a_user#impersonation): it ends after an hour, and with the actor's session | start another one |
//!
//! The event [`Ended`](crate::event::EventKind::Ended) says why a session was deleted.
//!
//! # A logged-in user is anonymous after coming back from another site
//!
//! A payment or login provider sent the browser back by a POST, and browsers don't send a `Lax`
//! cookie with it. See [requests from other sites](super::apis#requests-from-other-sites) and the
//! example `payment`.
//!
//! # The compiler doesn't accept the loader
//!
//! A closure's future must own what it uses, so clone what the closure captured: `move |id| { let
//! db = db.clone(); async move { db.find(id).await } }`. An `async move |id|` closure borrows what
//! it captured and does not work. See [`UserLoader`](crate::UserLoader).
//!
//! # Next
//!
//! [Moving from Flask](super::moving_from_flask). Reference:
//! [`AnonymousReason`](crate::auth::AnonymousReason), [`ErrorKind`](crate::ErrorKind),
//! [`EventKind`](crate::event::EventKind). [All pages](super).
//!
#![cfg_attr(feature = "argon2", doc = include_str!("links/argon2.md"))]
#![cfg_attr(not(feature = "argon2"), doc = include_str!("links/argon2_online.md"))]
