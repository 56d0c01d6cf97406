//! Coming from axum-login and tower-sessions: the equivalent of each of their names.
//!
//! The versions compared are axum-login 0.18 and tower-sessions 0.14.
//!
//! # The layers
//!
//! | axum-login, tower-sessions | here |
//! |---|---|
//! | `SessionManagerLayer::new(store)`, `AuthManagerLayerBuilder::new(backend, session_layer).build()` | [`LoginManager::new(store, loader)`](crate::LoginManager::new), one layer for both |
//! | `AuthnBackend::get_user` | the second argument: a [`UserLoader`](crate::UserLoader) or a closure, asked at most once per request, where somebody asks |
//! | `AuthnBackend::authenticate`, `Credentials` | a function of your own; [`Passwords::verify`](crate::Passwords::verify) checks a password. Then [`auth.login(user)`](crate::Auth::login) |
//! | `AuthnBackend::Error` | any error: the loader's is behind [`ErrorKind::Loader`](crate::ErrorKind::Loader) |
//! | `AuthzBackend`, `has_perm`, `Permission` | conditions on a guard: [`and`](crate::guard::LoginRequiredLayer::and) for what the user knows, [`and_authorize`](crate::guard::LoginRequiredLayer::and_authorize) for what is looked up |
//! | several backends: `with_data_key`, `with_name` | several managers: each is a [realm](crate::LoginManager#several-kinds-of-user), named by [`with_realm`](crate::LoginManager::with_realm) |
//! | `with_data_key` | none: what is known of a login isn't among the session's data |
//! | `with_name` (`id`) | [`with_cookie_names`](crate::LoginManager::with_cookie_names) (`__Host-account-session` in the realm `account`) |
//! | `with_secure(false)` | [`with_insecure_cookies`](crate::LoginManager::with_insecure_cookies) |
//! | `with_http_only` | always |
//! | `with_same_site` (`Strict`) | [`with_same_site`](crate::LoginManager::with_same_site) (`Lax`) |
//! | `with_domain`, `with_path` | [`with_cookie_domain`](crate::LoginManager::with_cookie_domain), [`with_cookie_path`](crate::LoginManager::with_cookie_path) |
//! | `with_signed(key)`, `with_private(key)` | none: the cookie is a random token, of which the store has a digest |
//! | `with_always_save` | none: a session that is used lives on, with a write in each tenth of the idle time |
//! | `with_expiry` (none: the cookie ends with the browser, the record after two weeks) | [`with_timeouts`](crate::LoginManager::with_timeouts) (24 hours idle, 14 days in all) |
//!
//! # Expiry
//!
//! The session cookie here always ends with the browser, and the server keeps two limits beside that. What outlives the browser is
//! the remember cookie, of a login with [`remember(true)`](crate::auth::Login::remember).
//!
//! | `Expiry` | here |
//! |---|---|
//! | `OnSessionEnd` | the default, with the limits of [`Timeouts`](crate::manager::Timeouts) on the server |
//! | `OnInactivity(duration)`, counted from the last change | `Timeouts::new(idle, absolute)`: `idle` is counted from the last use, reading included |
//! | `AtDateTime(time)` | `absolute`, counted from the login; for one login [`.timeouts(…)`](crate::auth::Login::timeouts) |
//! | `session.set_expiry(…)` later | none: the limits are set at the login |
//! | a cookie with `Max-Age` | [`.remember(true)`](crate::auth::Login::remember), [`with_remember_for`](crate::LoginManager::with_remember_for) |
//!
//! # The user
//!
//! | `axum_login::AuthUser` | [`AuthUser`](crate::AuthUser) here |
//! |---|---|
//! | `Id`: serde, `Display` | `Display` and `FromStr`: an id that doesn't survive its own text is refused at the login |
//! | `session_auth_hash` | [`security_stamp`](crate::AuthUser::security_stamp), empty by default. Where yours is the password's hash, a hash that is only renewed for its parameters logs out too: a random value beside it doesn't |
//! | `Clone` and `Debug` | neither is asked for: handlers share one `Arc` |
//! | none | [`is_active`](crate::AuthUser::is_active) |
//!
//! # In a request
//!
//! | axum-login | here |
//! |---|---|
//! | `AuthSession<Backend>` | [`Auth<User>`](crate::Auth); it needs no `mut` |
//! | `auth_session.user` | [`auth.user().await?`](crate::Auth::user), loaded at the first question; or the extractors [`CurrentUser`](crate::CurrentUser), [`LoginRequired`](crate::LoginRequired) |
//! | `auth_session.backend` | the application's own state |
//! | `auth_session.session` | the extractor [`Session`](crate::Session), or [`auth.session()`](crate::Auth::session) |
//! | `auth_session.authenticate(credentials)` | your function, as above |
//! | `auth_session.login(&user)` | [`auth.login(user).await?`](crate::Auth::login), of a `User` or an `Arc<User>`; the token is new each time |
//! | `auth_session.logout()`, with the user as its answer | [`auth.logout()`](crate::Auth::logout), with `()` |
//! | a backend that fails: 500 | [503](crate::choosing_a_store#outages), and only where somebody asks who it is |
//!
//! # Guards
//!
//! | axum-login | here |
//! |---|---|
//! | `login_required!(Backend, login_url = "/login")` | [`login_required::<User>()`](crate::login_required), with [`with_login_view("/login")`](crate::LoginManager::with_login_view) on the manager or [on the guard](crate::guard::LoginRequiredLayer::with_login_view) |
//! | `redirect_field = "…"` | [`with_next_field`](crate::LoginManager::with_next_field) on the manager |
//! | the redirect: 307 for every request | 303 for a page load, 401 for the others |
//! | `permission_required!(Backend, "…")` | [`login_required().and(…)`](crate::guard::LoginRequiredLayer::and): 403 for who is logged in and may not, with a login view too |
//! | `predicate_required!(predicate, alternative)` | [`and_authorize`](crate::guard::LoginRequiredLayer::and_authorize); another answer by [`with_unauthorized`](crate::LoginManager::with_unauthorized) |
//! | `next` in the login form, checked by the application | the extractor [`NextPath`](crate::NextPath): a path of this site or nothing |
//!
//! # The session's data
//!
//! | `tower_sessions::Session` | [`Session`](crate::Session) here |
//! |---|---|
//! | `get`, `insert` | the same |
//! | `get_value`, `insert_value` | `get::<serde_json::Value>`, `insert` |
//! | `remove`, with the value as its answer | [`take`](crate::Session::take); [`remove`](crate::Session::remove) answers whether there was one |
//! | `clear` | [`clear`](crate::Session::clear) |
//! | `flush`, `delete` | [`auth.logout()`](crate::Auth::logout), which ends the session of somebody who is nobody, too |
//! | `cycle_id` | [`auth.rotate()`](crate::Auth::renew); every login, logout and confirmation does it by itself |
//! | `id` | none: the token is the browser's alone. A browser is named by its [`DeviceId`](crate::DeviceId) |
//! | `save` writes the record | [`save`](crate::Session::save) writes the names that this request has changed: of two at once both keep theirs |
//! | data after `login` | kept from the anonymous session and from one of the same user, never from anybody else's |
//!
//! # The store
//!
//! | tower-sessions | here |
//! |---|---|
//! | `MemoryStore`, the stores of `tower-sessions-sqlx-store` and others | [`MemoryStore`](crate::MemoryStore), `SqliteStore`, `PostgresStore`, `MySqlStore`, `RedisStore` ([which?](crate::choosing_a_store)) |
//! | `CachingSessionStore` | `CachedStore`, feature `cache` |
//! | `ExpiredDeletion::continuously_delete_expired` | [`spawn_cleanup`](crate::LoginManager::spawn_cleanup) |
//! | `SessionStore` of your own: `create`, `save`, `load`, `delete` | [`SessionStore`](crate::SessionStore), with versions and owners; [its contract](crate::store) says what is asked |
//!
//! # Migrating
//!
//! Sessions don't move along: everybody logs in once. The cookies have other names, so the old one does no harm; it ends by itself.
//! Password hashes do move along: [`Passwords::verify`](crate::Passwords::verify) takes any argon2 hash that is a PHC string
//! (`$argon2id$…`). For others see [what Flask's need](crate::coming_from_flask_login#passwords).
