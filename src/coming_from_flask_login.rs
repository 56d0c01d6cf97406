//! Coming from Flask-Login: the equivalent of each of its names, and intentional differences.
//!
//! # The manager
//!
//! | Flask-Login | here |
//! |---|---|
//! | `LoginManager(app)`, `init_app` | [`LoginManager::new(store, loader)`](crate::LoginManager::new), put around the router as a layer; several side by side are [realms](crate::LoginManager#several-kinds-of-user) |
//! | `SECRET_KEY` | none: cookies carry random tokens, the store their digests |
//! | `@user_loader` | the second argument: a [`UserLoader`](crate::UserLoader) or a closure. Its ids have one type, wherever they come from |
//! | `@request_loader` | [`with_request_loader`](crate::LoginManager::with_request_loader), any number. A bad cookie doesn't switch them off; whom they find leaves no session behind. A part of the application that [takes no cookies](crate::LoginManager::without_cookies) replaces the recipe for APIs |
//! | neither set: an exception at the first request | doesn't compile |
//! | `login_view`, `blueprint_login_views` | [`with_login_view`](crate::LoginManager::with_login_view); for a part of the application [`login_view`](crate::guard::login_view) or [the guard's](crate::guard::LoginRequiredLayer::with_login_view), which nested parts inherit; by the request [`with_login_view_of`](crate::LoginManager::with_login_view_of) |
//! | `refresh_view` | [`with_refresh_view`](crate::LoginManager::with_refresh_view); the login view where there is none |
//! | `login_message`, `needs_refresh_message`, categories, `localize_callback` | [`Notice`](crate::guard::Notice), in the query of the login page, with a [category](crate::guard::Notice::category): match on it and say it in any words and language. No refusal fills a session with messages |
//! | `@unauthorized_handler`, `@needs_refresh_handler` | [`with_unauthorized`](crate::LoginManager::with_unauthorized), for both: [`Denied::reason`](crate::guard::Denied::reason) tells them apart |
//! | `session_protection` | [`with_session_protection`](crate::LoginManager::with_session_protection), an enum, so that no misspelling turns it off |
//! | `anonymous_user` | `None`. [`CurrentUser`](crate::CurrentUser) holds an `Option`; show strangers what you like |
//! | `USE_SESSION_FOR_NEXT`, `next_field` | [`with_next_in`](crate::LoginManager::with_next_in): the query, a cookie until the login, or nowhere; [`with_next_field`](crate::LoginManager::with_next_field) |
//! | `FORCE_HOST_FOR_REDIRECTS` | none: redirects are paths |
//!
//! # The user
//!
//! | Flask-Login | here |
//! |---|---|
//! | `UserMixin` | [`AuthUser`](crate::AuthUser) |
//! | `get_id`, `id_attribute` | [`AuthUser::id`](crate::AuthUser::id), of your type. An id that doesn't survive its own text is refused at login |
//! | `is_active` | [`AuthUser::is_active`](crate::AuthUser::is_active), asked at each request: who isn't is out, and isn't revived |
//! | `is_authenticated`, `is_anonymous` | whether there is a user at all |
//! | an alternative id, to end all sessions | [`AuthUser::security_stamp`](crate::AuthUser::security_stamp) |
//!
//! # In a request
//!
//! | Flask-Login | here |
//! |---|---|
//! | `current_user` | [`CurrentUser`](crate::CurrentUser), [`LoginRequired`](crate::LoginRequired), [`Auth::user`](crate::Auth::user): loaded when asked for, once |
//! | `login_user(user, remember, duration, force, fresh)` | [`auth.login(user)`](crate::Auth::login) with [`.remember(…)`](crate::auth::Login::remember), [`.remember_for(…)`](crate::auth::Login::remember_for), [`.force()`](crate::auth::Login::force), [`.fresh(…)`](crate::auth::Login::fresh), and `.await`. An inactive user is [an error](crate::ErrorKind::Inactive), not a `False` that is easily overlooked |
//! | `logout_user()` | [`auth.logout()`](crate::Auth::logout): also in the store, so a copied cookie is worth nothing; needs no user loader; always deletes both cookies |
//! | `confirm_login()` | [`auth.confirm()`](crate::Auth::confirm); for nobody it does nothing |
//! | `login_fresh()`, `login_remembered()` | [`auth.is_fresh()`](crate::Auth::is_fresh), [`auth.is_remembered()`](crate::Auth::is_remembered): of the user who was found, not of raw data |
//! | `@login_required` | [`LoginRequired`](crate::LoginRequired) for a handler, [`login_required`](crate::login_required) for a router; [`except`](crate::guard::LoginRequiredLayer::except) makes a guard around everything possible |
//! | `@fresh_login_required` | [`FreshLoginRequired`](crate::FreshLoginRequired), [`fresh_login_required`](crate::fresh_login_required); freshness may [grow too old](crate::LoginManager::with_fresh_for) |
//! | `EXEMPT_METHODS` | none: OPTIONS is guarded too. Answer CORS preflights further out |
//! | `login_url`, `make_next_param` | [`Denied::login_url`](crate::guard::Denied::login_url), [`Denied::next`](crate::guard::Denied::next) |
//! | "you must validate `next`" | [`NextPath`](crate::NextPath): a path of your site or nothing |
//! | `session["…"]` | [`Session`](crate::Session), whose names are yours alone: what this crate knows of a login isn't among them |
//!
//! # Passwords
//!
//! Flask-Login has none; most applications have werkzeug's `generate_password_hash`, whose hashes are `scrypt:32768:8:1$salt$hex` or
//! `pbkdf2:sha256:600000$salt$hex`. To [`Passwords`](crate::Passwords) such a hash is none: [`verify`](crate::Passwords::verify)
//! answers `Invalid`, in the time of any other answer. Nobody needs a new password for that: check the old hash yourself, with the
//! crates `scrypt` or `pbkdf2`, and put one of ours in its place at the first login.
//!
//! Do both checks for everybody as long as there are old hashes, the old one on a hash of nobody's where there is none. Else the time
//! that an answer takes tells who has an account, or one from before:
//!
//! ```
//! # struct Account { id: i64, password_hash: String }
//! # async fn find_by_name(name: &str) -> Option<Account> { None }
//! # async fn replace_hash(account: &Account, hash: &str) {}
//! # fn werkzeug_accepts(hash: &str, password: &str) -> bool { false }
//! use login_manager::{BoxError, Passwords};
//!
//! /// Of a random password, at the cost of your old hashes.
//! const NOBODYS: &str = "scrypt:32768:8:1$…$…";
//!
//! async fn authenticate(passwords: &Passwords, name: &str, password: String) -> Result<Option<Account>, BoxError> {
//!     let account = find_by_name(name).await;
//!     let stored = account.as_ref().map(|account| &*account.password_hash);
//!     let (ours, old) = match stored {
//!         Some(hash) if hash.starts_with("$argon2") => (Some(hash), None),
//!         other => (None, other),
//!     };
//!     let verdict = passwords.verify(&*password, ours).await?;
//!     let (hash, typed) = (old.unwrap_or(NOBODYS).to_owned(), password.clone());
//!     let accepted = tokio::task::spawn_blocking(move || werkzeug_accepts(&hash, &typed)).await?;
//!     let by_old = old.is_some() && accepted;
//!
//!     let Some(account) = account.filter(|_| verdict.is_valid() || by_old) else {
//!         return Ok(None);
//!     };
//!     if by_old || verdict.needs_rehash() {
//!         // UPDATE … SET password_hash = $new WHERE id = $id AND password_hash = $old. The security stamp stays.
//!         replace_hash(&account, &passwords.hash(password).await?).await;
//!     }
//!     Ok(Some(account))
//! }
//! # let _ = authenticate;
//! ```
//!
//! The parts of an old hash: the method and its numbers (scrypt's N, r and p; the passes of PBKDF2), the salt, whose bytes are those
//! of its text, and the key in hex: 64 bytes of scrypt, 32 of PBKDF2 with SHA-256. Compare it in constant time. A check with N = 32768
//! and r = 8 takes 32 MiB, so let a semaphore bound how many run at once. When no old hash is left, the second check goes; whoever
//! hasn't logged in by then resets the password.
//!
//! # Remember me
//!
//! | Flask-Login | here |
//! |---|---|
//! | `remember_token=1\|hmac`, one for all logins of a user, for ever | a token of its own for each login, good for one use; the server knows a digest, keeps the limit, and notices theft |
//! | `REMEMBER_COOKIE_NAME` | named after the [realm](crate::LoginManager::with_realm), `__Host-account-remember`, or [as you like](crate::LoginManager::with_cookie_names) |
//! | `REMEMBER_COOKIE_DURATION` (365 days) | [`with_remember_for`](crate::LoginManager::with_remember_for) (30 days) |
//! | `REMEMBER_COOKIE_DOMAIN`, `_PATH`, `_SAMESITE` | [`with_cookie_domain`](crate::LoginManager::with_cookie_domain), [`with_cookie_path`](crate::LoginManager::with_cookie_path), [`with_same_site`](crate::LoginManager::with_same_site), for both cookies |
//! | `REMEMBER_COOKIE_SECURE`, `_HTTPONLY` (off, on) | always; [`with_insecure_cookies`](crate::LoginManager::with_insecure_cookies) for plain http |
//! | `REMEMBER_COOKIE_REFRESH_EACH_REQUEST` | none: no use stretches the limit |
//!
//! # Signals
//!
//! One hook, [`with_on_event`](crate::LoginManager::with_on_event). It is told, and can't call back into the request.
//!
//! | Flask-Login | here |
//! |---|---|
//! | `user_logged_in`, `user_logged_out` | [`EventKind::LoggedIn`](crate::event::EventKind::LoggedIn), [`LoggedOut`](crate::event::EventKind::LoggedOut) |
//! | `user_login_confirmed` | [`Confirmed`](crate::event::EventKind::Confirmed) |
//! | `user_loaded_from_cookie`, `user_loaded_from_request` | [`Restored`](crate::event::EventKind::Restored), [`LoadedByRequest`](crate::event::EventKind::LoadedByRequest) |
//! | `user_unauthorized`, `user_needs_refresh` | [`Refused`](crate::event::EventKind::Denied) with its [`DeniedReason`](crate::guard::DeniedReason) |
//! | `session_protected` | [`Protected`](crate::event::EventKind::ClientChanged) |
//! | `user_accessed` | [`Asked`](crate::event::EventKind::Resolved) |
//!
//! # Tests
//!
//! | Flask-Login | here |
//! |---|---|
//! | `FlaskLoginClient(user=…, fresh_login=…)` | `manager.login_for_tests(&user).fresh(…)`, feature `testing`: the cookie of a real session, good under every protection |
//! | `LOGIN_DISABLED` | none: a test logs in |
