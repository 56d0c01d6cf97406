//! Configuration: every setting, its default, and the reason for it.
//!
//! [`LoginManager::new(store, loader)`](crate::LoginManager::new) is a complete, safe
//! configuration. Every other setting is optional.
//!
//! An invalid setting panics when the program starts, as an invalid path in axum's `Router::route`
//! does. Settings that come from a file can be checked before:
//! [`Cookies`](crate::manager::Cookies::check), [`LoginPage`](crate::manager::LoginPage::check),
//! [`Timeouts`](crate::manager::Timeouts::check) and
//! [`RememberMe`](crate::manager::RememberMe::check) have a method `check`, which returns an error.
//!
//! # Identity
//!
//! | setting | default | reason |
//! |---|---|---|
//! | [`with_realm`](crate::LoginManager::with_realm) | the path of the user type | works without a decision; set it before a release, since moving the type would log all users out |
//! | [`with_request_loader`](crate::LoginManager::with_request_loader) | none | only applications with tokens of their own need one |
//! | [`with_api_keys`](crate::LoginManager::with_api_keys) | off | only for APIs; [`ApiKeySettings`](crate::api_keys::ApiKeySettings) limits a user to 50 keys |
//! | [`with_deadline`](crate::LoginManager::with_deadline) | 2 seconds for each call of the store, a loader or a check | a store that hangs must not hold up every request |
//! | [`AuthUser::is_active`](crate::AuthUser::is_active) | true | |
//! | [`AuthUser::security_stamp`](crate::AuthUser::security_stamp) | empty | the crate can't know what should end a user's sessions |
//!
//! # Cookies
//!
//! The settings of [`Cookies`](crate::manager::Cookies) are passed to
//! [`with_cookies`](crate::LoginManager::with_cookies).
//!
//! | setting | default | reason |
//! |---|---|---|
//! | [`Cookies::names`](crate::manager::Cookies::names) | `__Host-`, the last segment of the realm, `-session` or `-remember` | the prefix keeps sister domains and plain http from planting the cookie |
//! | [`Cookies::same_site`](crate::manager::Cookies::same_site) | `Lax` | `Strict` would show a login page to logged-in users who follow a link to the site |
//! | [`Cookies::domain`](crate::manager::Cookies::domain) | none: this host only | a sister domain can plant a cookie that has a domain |
//! | [`Cookies::path`](crate::manager::Cookies::path) | `/` | |
//! | [`Cookies::partitioned`](crate::manager::Cookies::partitioned) | off | only for applications in frames of other sites |
//! | [`Cookies::insecure`](crate::manager::Cookies::insecure) | off: the cookies are `Secure` | over plain http, anyone on the network can read them |
//! | [`without_cookies`](crate::LoginManager::without_cookies) | off | only for APIs |
//!
//! `HttpOnly` cannot be switched off: no script needs the value.
//!
//! # How long
//!
//! The settings of [`RememberMe`](crate::manager::RememberMe) are passed to
//! [`with_remember_me`](crate::LoginManager::with_remember_me).
//!
//! | setting | default | reason |
//! |---|---|---|
//! | [`with_timeouts`](crate::LoginManager::with_timeouts), idle | 24 hours since the last use | |
//! | [`with_timeouts`](crate::LoginManager::with_timeouts), absolute | 14 days since the login | below the 30 days that NIST SP 800-63B-4 (2.1.3) allows at level 1; [`Timeouts`](crate::manager::Timeouts) has the sets of all three levels |
//! | [`Login::timeouts`](crate::auth::Login::timeouts) | the manager's | for one login, such as an administrator's |
//! | [`with_known_browsers`](crate::LoginManager::with_known_browsers) | off | it sets one more cookie, which outlives the logout |
//! | [`with_fresh_for`](crate::LoginManager::with_fresh_for) | as long as the session lives | set it if pages need a fresh login |
//! | [`without_touch`](crate::LoginManager::without_touch) | every request that reads the session extends it | pages that poll would keep it alive |
//! | [`RememberMe::lifetime`](crate::manager::RememberMe::lifetime) | 30 days since the login | the maximum in NIST SP 800-63B-4 (2.1.3) |
//! | [`RememberMe::sliding`](crate::manager::RememberMe::sliding) | off | that limit is counted from the login, however often the cookie is used |
//! | [`RememberMe::grace`](crate::manager::RememberMe::grace) | 30 seconds, [`UntilSeen`](crate::manager::RememberGrace::UntilSeen) | requests in flight and lost responses must not look like a theft |
//!
//! # How many
//!
//! | setting | default | reason |
//! |---|---|---|
//! | [`with_max_sessions`](crate::LoginManager::with_max_sessions) | no limit | people use many browsers, and a limit costs a list of the store at each login |
//! | [`RememberMe::max_browsers`](crate::manager::RememberMe::max_browsers) | no limit | the same |
//! | data of a session | 64 KiB, fixed | it is read with the session |
//!
//! # Login pages and denied requests
//!
//! | setting | default | reason |
//! |---|---|---|
//! | [`with_login_page`](crate::LoginManager::with_login_page) | none: 401 | the crate has no pages of its own |
//! | [`LoginPage::refresh`](crate::manager::LoginPage::refresh) | the login page | |
//! | [`LoginPage::next_in`](crate::manager::LoginPage::next_in) | the query | needs no cookie, and two tabs don't mix |
//! | [`LoginPage::next_field`](crate::manager::LoginPage::next_field) | `next` | Flask-Login's and Django's name |
//! | [`LoginPage::path_prefix`](crate::manager::LoginPage::path_prefix) | none | never taken from a header, which clients can send |
//! | [`LoginPage::chosen_by`](crate::manager::LoginPage::chosen_by) | none | |
//! | [`with_unauthorized`](crate::LoginManager::with_unauthorized) | redirect, 401 or 403 | |
//! | [`with_challenge`](crate::LoginManager::with_challenge) | `Session` | a 401 must name a scheme (RFC 9110, 15.5.2); browsers don't open a dialog for this one |
//!
//! # Protection and events
//!
//! | setting | default | reason |
//! |---|---|---|
//! | [`with_session_protection`](crate::LoginManager::with_session_protection) | [`Basic`](crate::manager::SessionProtection::Basic): not fresh for a different-looking client | ending the session would log out users whose browser changes its user agent |
//! | [`with_fingerprint`](crate::LoginManager::with_fingerprint) | the user agent without versions | addresses change all the time in mobile networks and offices |
//! | [`with_on_event`](crate::LoginManager::with_on_event) | none; the feature `tracing` logs events anyway | |
//!
//! # Passwords
//!
//! | setting | default | reason |
//! |---|---|---|
//! | [`with_cost`][`Passwords::with_cost`] | argon2id, 19 MiB, 2 passes, 1 lane | the minimum of OWASP's Password Storage Cheat Sheet |
//! | [`with_max_concurrent`][`Passwords::with_max_concurrent`] | one per core | bounds the memory |
//! | [`with_max_wait`][`Passwords::with_max_wait`] | 5 seconds | |
//!
//! # Stores
//!
//! The pool or connection has its own settings: see the documentation of each store.
//!
//! | setting | default | reason |
//! |---|---|---|
//! | `SqliteStore::with_table`, also for PostgreSQL and MySQL | `login_sessions` | |
//! | `RedisStore::with_prefix` | `login:` | |
//! | `CachedStore::with_capacity` | 16 MiB | |
//! | [`spawn_cleanup`](crate::LoginManager::spawn_cleanup) | not running | expired records are invalid anyway, and only take space; an hour is a good interval |
//!
//! # Headers
//!
//! There is no setting for headers. A response that depended on the current user or the session
//! gets `Vary: Cookie`, and `Cache-Control: no-store` unless the handler sets `Cache-Control`
//! itself. See [shared caches](super::security#shared-caches).
//!
//! # Next
//!
//! [Events, logs and metrics](super::events). Reference: [`LoginManager`](crate::LoginManager),
//! [`Cookies`](crate::manager::Cookies), [`LoginPage`](crate::manager::LoginPage),
//! [`Timeouts`](crate::manager::Timeouts), [`RememberMe`](crate::manager::RememberMe). [All
//! pages](super).
//!
#![cfg_attr(feature = "argon2", doc = include_str!("links/argon2.md"))]
#![cfg_attr(not(feature = "argon2"), doc = include_str!("links/argon2_online.md"))]
