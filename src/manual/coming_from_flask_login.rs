//! Coming from Flask-Login: the equivalent of each of its names, and intentional differences.
//!
//! # The manager
//!
//! | Flask-Login | here |
//! |---|---|
//! | `LoginManager(app)`, `init_app` | [`LoginManager::new(store, loader)`](crate::LoginManager::new), added to the router as a layer; several managers are [realms](super::logging_in_and_out#several-kinds-of-user) |
//! | `SECRET_KEY` | none: cookies hold random secrets, the store their digests |
//! | `@user_loader` | the second argument: a [`UserLoader`](crate::UserLoader) or a closure. Ids always have the same type |
//! | `@request_loader` | [`with_request_loader`](crate::LoginManager::with_request_loader), any number. An invalid cookie does not disable them, and they create no session. Instead of the recipe for APIs, let a part of the application [ignore cookies](crate::LoginManager::without_cookies) |
//! | neither set: an exception at the first request | does not compile |
//! | `login_view`, `blueprint_login_views` | [`with_login_page`](crate::LoginManager::with_login_page); for a part of the application [`login_page`](crate::guard::login_page) or [the guard's](crate::guard::LoginRequiredLayer::with_login_page), which nested parts inherit; by request [`LoginPage::chosen_by`](crate::manager::LoginPage::chosen_by) |
//! | `refresh_view` | [`LoginPage::refresh`](crate::manager::LoginPage::refresh); by default the login page |
//! | `login_message`, `needs_refresh_message`, categories, `localize_callback` | [`Notice`](crate::guard::Notice), in the query of the login page, with a [category](crate::guard::Notice::category): match on it to show any text in any language. Denied requests never fill a session with messages |
//! | `@unauthorized_handler`, `@needs_refresh_handler` | [`with_unauthorized`](crate::LoginManager::with_unauthorized), for both: [`Denied::reason`](crate::guard::Denied::reason) tells them apart |
//! | `session_protection` | [`with_session_protection`](crate::LoginManager::with_session_protection), an enum, so a typo cannot turn it off |
//! | `anonymous_user` | `None`: [`CurrentUser`] holds an `Option` |
//! | `USE_SESSION_FOR_NEXT`, `next_field` | [`LoginPage::next_in`](crate::manager::LoginPage::next_in): the query, a cookie until the login, or nowhere; [`LoginPage::next_field`](crate::manager::LoginPage::next_field) |
//! | `FORCE_HOST_FOR_REDIRECTS` | none: redirects are paths |
//!
//! # The user
//!
//! | Flask-Login | here |
//! |---|---|
//! | `UserMixin` | [`AuthUser`](crate::AuthUser) |
//! | `get_id`, `id_attribute` | [`AuthUser::id`](crate::AuthUser::id), of your own type. The login fails if the id's text does not parse back to the same id |
//! | `is_active` | [`AuthUser::is_active`](crate::AuthUser::is_active), checked at each request: inactive users are logged out, and stay so when the account becomes active again |
//! | `is_authenticated`, `is_anonymous` | whether there is a current user |
//! | an alternative id, to end all sessions | [`AuthUser::security_stamp`](crate::AuthUser::security_stamp) |
//!
//! # In a request
//!
//! | Flask-Login | here |
//! |---|---|
//! | `current_user` | [`CurrentUser`], [`LoginRequired`], [`Auth::user`](crate::Auth::user): loaded once, when it is first needed |
//! | `login_user(user, remember, duration, force, fresh)` | [`auth.login(user)`](crate::Auth::login) with [`.remember(…)`](crate::auth::Login::remember), [`.remember_for(…)`](crate::auth::Login::remember_for), [`.force()`](crate::auth::Login::force), [`.fresh(…)`](crate::auth::Login::fresh), and `.await`. An inactive user is [an error](crate::ErrorKind::Inactive), not a `False` that is easily overlooked |
//! | `logout_user()` | [`auth.logout()`](crate::Auth::logout): also deletes the session from the store, so a copied cookie becomes invalid; needs no user loader; always removes both cookies |
//! | `confirm_login()` | [`auth.confirm()`](crate::Auth::confirm); does nothing for an anonymous request |
//! | `login_fresh()`, `login_remembered()` | [`auth.is_fresh()`](crate::Auth::is_fresh), [`auth.is_remembered()`](crate::Auth::is_remembered): of the user who was loaded, not of raw session data |
//! | `@login_required` | [`LoginRequired`] for a handler, [`login_required`](crate::login_required) for a router; with [`except`](crate::guard::LoginRequiredLayer::except) one guard can protect the whole application |
//! | `@fresh_login_required` | [`FreshLoginRequired`], [`fresh_login_required`](crate::fresh_login_required); freshness can be [limited in time](crate::LoginManager::with_fresh_for) |
//! | `EXEMPT_METHODS` | none: OPTIONS is guarded, too. Handle CORS preflights in an outer layer |
//! | `login_url`, `make_next_param` | [`Denied::login_url`](crate::guard::Denied::login_url), [`Denied::next`](crate::guard::Denied::next) |
//! | "you must validate `next`" | [`NextPath`](crate::NextPath): a path on your site or nothing |
//! | `session["…"]` | [`Session`](crate::Session). All names in it are yours: the facts of a login are stored separately |
//!
//! # Passwords
//!
//! Flask-Login has no password hashing. Most applications use werkzeug's `generate_password_hash`,
//! whose hashes are `scrypt:32768:8:1$salt$hex` or `pbkdf2:sha256:600000$salt$hex`.
//! [`Passwords::verify`] does not know them and returns `Invalid`, in the time of any other
//! verdict. Users can keep their passwords: check the old hash yourself, with the crates `scrypt`
//! or `pbkdf2`, and replace it at the first login.
//!
//! As long as there are old hashes, do both checks for every login, the old one with a dummy hash
//! if the account has none. Otherwise the response time reveals who has an account, or an old one:
//!
//! ```
//! # struct Account { id: i64, password_hash: String }
//! # async fn find_by_name(name: &str) -> Option<Account> { None }
//! # async fn replace_hash(account: &Account, hash: &str) {}
//! # fn werkzeug_accepts(hash: &str, password: &str) -> bool { false }
//! use login_manager::{BoxError, Passwords};
//!
//! /// The hash of a random password, with the parameters of your old hashes.
//! const DUMMY: &str = "scrypt:32768:8:1$…$…";
//!
//! async fn authenticate(
//!     passwords: &Passwords, name: &str, password: String,
//! ) -> Result<Option<Account>, BoxError> {
//!     let account = find_by_name(name).await;
//!     let stored = account.as_ref().map(|account| &*account.password_hash);
//!     let (ours, old) = match stored {
//!         Some(hash) if hash.starts_with("$argon2") => (Some(hash), None),
//!         other => (None, other),
//!     };
//!     let verdict = passwords.verify(&*password, ours).await?;
//!     let (hash, typed) = (old.unwrap_or(DUMMY).to_owned(), password.clone());
//!     let accepted = tokio::task::spawn_blocking(move || werkzeug_accepts(&hash, &typed)).await?;
//!     let by_old = old.is_some() && accepted;
//!
//!     let Some(account) = account.filter(|_| verdict.is_valid() || by_old) else {
//!         return Ok(None);
//!     };
//!     if by_old || verdict.needs_rehash() {
//!         // UPDATE … SET password_hash = $new WHERE id = $id AND password_hash = $old
//!         // The security stamp stays.
//!         replace_hash(&account, &passwords.hash(password).await?).await;
//!     }
//!     Ok(Some(account))
//! }
//! # let _ = authenticate;
//! ```
//!
//! An old hash consists of the method and its parameters (scrypt's N, r and p; the iterations of
//! PBKDF2), the salt, used as the bytes of its text, and the key in hex: 64 bytes for scrypt, 32
//! for PBKDF2 with SHA-256. Compare it in constant time. A check with N = 32768 and r = 8 takes 32
//! MiB, so limit the number of concurrent checks with a semaphore. Drop the second check when no
//! old hash is left; users who have not logged in by then reset their password.
//!
//! # Remember me
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
//! # Signals
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
//! # Tests
//!
//! | Flask-Login | here |
//! |---|---|
//! | `FlaskLoginClient(user=…, fresh_login=…)` | `manager.login_for_tests(&user).fresh(…)`, feature `testing`: the cookie of a real session, valid under every session protection |
//! | `LOGIN_DISABLED` | none: log in in your tests |
//!
//! # Next
//!
//! [Coming from axum-login and tower-sessions](super::coming_from_axum_login). Reference:
//! [`LoginManager`](crate::LoginManager), [`AuthUser`](crate::AuthUser), [`Auth`](crate::Auth),
//! [`guard`](crate::guard). [All pages](super).
//!
#![cfg_attr(feature = "axum", doc = include_str!("links/axum.md"))]
#![cfg_attr(not(feature = "axum"), doc = include_str!("links/axum_online.md"))]
#![cfg_attr(feature = "argon2", doc = include_str!("links/argon2.md"))]
#![cfg_attr(not(feature = "argon2"), doc = include_str!("links/argon2_online.md"))]
