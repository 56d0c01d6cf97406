//! Coming from axum-login and tower-sessions: the equivalent of each of their names.
//!
//! The versions compared are axum-login 0.18 and tower-sessions 0.14.
//!
//! # The layers
//!
//! | axum-login, tower-sessions | here |
//! |---|---|
//! | `SessionManagerLayer::new(store)`, `AuthManagerLayerBuilder::new(backend, session_layer).build()` | [`LoginManager::new(store, loader)`](crate::LoginManager::new), one layer for both |
//! | `AuthnBackend::get_user` | the second argument: a [`UserLoader`](crate::UserLoader) or a closure, called at most once per request, and only if the user is needed |
//! | `AuthnBackend::authenticate`, `Credentials` | a function of your own; [`Passwords::verify`] checks a password. Then call [`auth.login(user)`](crate::Auth::login) |
//! | `AuthnBackend::Error` | any error; the loader's is the source of [`ErrorKind::Loader`](crate::ErrorKind::Loader) |
//! | `AuthzBackend`, `has_perm`, `Permission` | conditions on a guard: [`and`](crate::guard::LoginRequiredLayer::and) for what the user value knows, [`and_authorize`](crate::guard::LoginRequiredLayer::and_authorize) for what is looked up |
//! | several backends: `with_data_key`, `with_name` | several managers: each is a [realm](super::logging_in_and_out#several-kinds-of-user), named by [`with_realm`](crate::LoginManager::with_realm) |
//! | `with_data_key` | none: the facts of a login are not part of the session's data |
//! | `with_name` (`id`) | [`Cookies::names`](crate::manager::Cookies::names) (`__Host-account-session` in the realm `account`) |
//! | `with_secure(false)` | [`Cookies::insecure`](crate::manager::Cookies::insecure) |
//! | `with_http_only` | always |
//! | `with_same_site` (`Strict`) | [`Cookies::same_site`](crate::manager::Cookies::same_site) (`Lax`) |
//! | `with_domain`, `with_path` | [`Cookies::domain`](crate::manager::Cookies::domain), [`Cookies::path`](crate::manager::Cookies::path) |
//! | `with_signed(key)`, `with_private(key)` | none: the cookie holds a random secret, and the store only a digest of it |
//! | `with_always_save` | none: a session that is used stays alive, with at most one write per tenth of the idle timeout. [`without_touch`](crate::LoginManager::without_touch) excludes requests that poll |
//! | `with_expiry` (none: the cookie ends with the browser, the record after two weeks) | [`with_timeouts`](crate::LoginManager::with_timeouts) (24 hours idle, 14 days in total) |
//!
//! # Expiry
//!
//! The session cookie here always expires with the browser session, and the server also enforces
//! two timeouts. The remember cookie of a login with
//! [`remember(true)`](crate::auth::Login::remember) outlives the browser.
//!
//! | `Expiry` | here |
//! |---|---|
//! | `OnSessionEnd` | the default, with the [`Timeouts`](crate::manager::Timeouts) on the server |
//! | `OnInactivity(duration)`, counted from the last change | `Timeouts::new(idle, absolute)`: `idle` is counted from the last use, including reads |
//! | `AtDateTime(time)` | `absolute`, counted from the login; for one login [`.timeouts(…)`](crate::auth::Login::timeouts) |
//! | `session.set_expiry(…)` later | none: the timeouts are set by the login |
//! | a cookie with `Max-Age` | [`.remember(true)`](crate::auth::Login::remember), [`RememberMe::lifetime`](crate::manager::RememberMe::lifetime), [`RememberMe::sliding`](crate::manager::RememberMe::sliding) |
//!
//! # The user
//!
//! | `axum_login::AuthUser` | [`AuthUser`](crate::AuthUser) here |
//! |---|---|
//! | `Id`: serde, `Display` | `Display` and `FromStr`; the login fails if the id's text does not parse back to the same id |
//! | `session_auth_hash` | [`security_stamp`](crate::AuthUser::security_stamp), empty by default. If you use the password hash, upgrading its parameters ends sessions, too; a separate random value avoids that |
//! | `Clone` and `Debug` | not required: handlers share one `Arc` |
//! | none | [`is_active`](crate::AuthUser::is_active) |
//!
//! # In a request
//!
//! | axum-login | here |
//! |---|---|
//! | `AuthSession<Backend>` | [`Auth<User>`](crate::Auth); it needs no `mut` |
//! | `auth_session.user` | [`auth.user().await?`](crate::Auth::user), loaded by the first call; or the extractors [`CurrentUser`] and [`LoginRequired`] |
//! | `auth_session.backend` | the application's own state |
//! | `auth_session.session` | the extractor [`Session`](crate::Session), or [`auth.session()`](crate::Auth::session) |
//! | `auth_session.authenticate(credentials)` | your function, as above |
//! | `auth_session.login(&user)` | [`auth.login(user).await?`](crate::Auth::login), with a `User` or an `Arc<User>`; the session gets a new secret each time |
//! | `auth_session.logout()`, which returns the user | [`auth.logout()`](crate::Auth::logout), which returns `()` |
//! | a backend that fails: 500 | [503](super::choosing_a_store#outages), and only if the user is needed |
//!
//! # Guards
//!
//! | axum-login | here |
//! |---|---|
//! | `login_required!(Backend, login_url = "/login")` | [`login_required::<User>()`](crate::login_required), with [`with_login_page("/login")`](crate::LoginManager::with_login_page) on the manager or [on the guard](crate::guard::LoginRequiredLayer::with_login_page) |
//! | `redirect_field = "…"` | [`LoginPage::next_field`](crate::manager::LoginPage::next_field) on the manager |
//! | the redirect: 307 for every request | 303 for a page load, 401 for the others |
//! | `permission_required!(Backend, "…")` | [`login_required().and(…)`](crate::guard::LoginRequiredLayer::and): 403 for a user who is logged in but not allowed, even if there is a login page |
//! | `predicate_required!(predicate, alternative)` | [`and_authorize`](crate::guard::LoginRequiredLayer::and_authorize); for another response [`with_unauthorized`](crate::LoginManager::with_unauthorized) |
//! | `next` in the login form, checked by the application | the extractor [`NextPath`](crate::NextPath): a path on this site or nothing |
//!
//! # Session data
//!
//! | `tower_sessions::Session` | [`Session`](crate::Session) here |
//! |---|---|
//! | `get`, `insert` | the same |
//! | `get_value`, `insert_value` | `get::<serde_json::Value>`, `insert` |
//! | `remove`, which returns the value | [`take`](crate::Session::take), which removes it from the store first; [`remove`](crate::Session::remove) returns whether there was one |
//! | `clear` | [`clear`](crate::Session::clear) |
//! | `flush`, `delete` | [`auth.logout()`](crate::Auth::logout), which also ends an anonymous session |
//! | `cycle_id` | [`auth.rotate()`](crate::Auth::rotate), which replaces the secret and keeps the id; logins, confirmations and restores do so automatically |
//! | `id` | [`SessionInfo::id`](crate::auth::SessionInfo::id), a [`SessionId`](crate::store::SessionId). It is not a secret |
//! | `save` writes the record | [`save`](crate::Session::save) writes the names that this request has changed, so two concurrent requests both keep their changes |
//! | data after `login` | kept from an anonymous session and from one of the same user, never from another user's |
//!
//! # The store
//!
//! | tower-sessions | here |
//! |---|---|
//! | `MemoryStore`, the stores of `tower-sessions-sqlx-store` and others | [`MemoryStore`](crate::MemoryStore), `SqliteStore`, `PostgresStore`, `MySqlStore`, `RedisStore`: see [choosing a store](super::choosing_a_store) |
//! | `CachingSessionStore` | `CachedStore`, feature `cache` |
//! | `ExpiredDeletion::continuously_delete_expired` | [`spawn_cleanup`](crate::LoginManager::spawn_cleanup) |
//! | a `SessionStore` of your own: `create`, `save`, `load`, `delete` | [`SessionStore`](crate::SessionStore), with versions and owners: see [its contract](crate::store) |
//!
//! # Migrating
//!
//! Sessions are not migrated: all users log in once. The cookies have other names, so the old one
//! does no harm and expires by itself. Password hashes can stay: [`Passwords::verify`] accepts any
//! argon2 hash that is a PHC string (`$argon2id$…`), and with the features `scrypt` and `pbkdf2`
//! also the other hashes of the crate `password-auth`, which axum-login's examples use. See [hashes
//! of other systems](super::passwords#hashes-of-other-systems).
//!
//! # Next
//!
//! [What belongs elsewhere](super::what_belongs_elsewhere). Reference:
//! [`LoginManager`](crate::LoginManager), [`AuthUser`](crate::AuthUser), [`Auth`](crate::Auth),
//! [`Session`](crate::Session), [`Timeouts`](crate::manager::Timeouts). [All pages](super).
//!
#![cfg_attr(feature = "axum", doc = include_str!("links/axum.md"))]
#![cfg_attr(not(feature = "axum"), doc = include_str!("links/axum_online.md"))]
#![cfg_attr(feature = "argon2", doc = include_str!("links/argon2.md"))]
#![cfg_attr(not(feature = "argon2"), doc = include_str!("links/argon2_online.md"))]
