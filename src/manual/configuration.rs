//! Configuration: every setting, its default, and the reason for it.
//!
//! [`LoginManager::new(store, loader)`](crate::LoginManager::new) is a complete, safe
//! configuration. Every other setting is optional.
//!
//! Each method panics on an invalid setting when the program starts, as axum's `Router::route` does
//! on an invalid path. For settings that come from a file,
//! [`Cookies`](crate::manager::Cookies::check), [`LoginPage`](crate::manager::LoginPage::check),
//! [`Timeouts`](crate::manager::Timeouts::check),
//! [`RememberMe`](crate::manager::RememberMe::check),
//! [`KnownBrowsers`](crate::manager::KnownBrowsers::check),
//! [`ApiKeySettings`](crate::api_keys::ApiKeySettings::check) and
//! [`Purpose`](crate::tokens::Purpose::check) have a method `check`, which returns an error
//! instead.
//!
//! The handles of [tokens](#one-time-tokens), [keys](#api-keys) and [throttles](#throttles) keep
//! the settings that the manager has when they are created, so create them last.
//!
//! # Identity
//!
//! | setting | default | reason |
//! |---|---|---|
//! | [`with_realm`](crate::LoginManager::with_realm) | the path of the user type | works without a decision; set it before a release, since moving the type would log all users out |
//! | [`with_request_loader`](crate::LoginManager::with_request_loader) | none | only applications with tokens of their own need one |
//! | [`with_api_keys`](crate::LoginManager::with_api_keys) | off | only for APIs; see [API keys](#api-keys) |
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
//! | [`Cookies::names`](crate::manager::Cookies::names) | `__Host-`, the last segment of the realm, `-session` or `-remember` | the prefix keeps sibling domains and plain http from planting the cookie |
//! | [`Cookies::same_site`](crate::manager::Cookies::same_site) | `Lax` | `Strict` would show a login page to logged-in users who follow a link to the site |
//! | [`Cookies::domain`](crate::manager::Cookies::domain) | none: this host only | a sibling domain can plant a cookie that has a domain |
//! | [`Cookies::path`](crate::manager::Cookies::path) | `/` | |
//! | [`Cookies::partitioned`](crate::manager::Cookies::partitioned) | off | only for applications in frames of other sites |
//! | [`Cookies::insecure`](crate::manager::Cookies::insecure) | off: the cookies are `Secure` | over plain http, anyone on the network can read them |
//! | [`without_cookies`](crate::LoginManager::without_cookies) | off | only for APIs |
//!
//! `HttpOnly` cannot be switched off: no script needs the value.
//!
//! # Lifetimes
//!
//! The settings of [`RememberMe`](crate::manager::RememberMe) are passed to
//! [`with_remember_me`](crate::LoginManager::with_remember_me).
//!
//! | setting | default | reason |
//! |---|---|---|
//! | [`with_timeouts`](crate::LoginManager::with_timeouts), idle | 24 hours since the last use | |
//! | [`with_timeouts`](crate::LoginManager::with_timeouts), absolute | 14 days since the login | below the 30 days that NIST SP 800-63B-4 (2.1.3) allows at level 1; [`Timeouts`](crate::manager::Timeouts) has the sets of all three levels |
//! | [`Login::timeouts`](crate::auth::Login::timeouts) | the manager's | for one login, such as an administrator's |
//! | [`with_fresh_for`](crate::LoginManager::with_fresh_for) | as long as the session lives | set it if pages need a fresh login |
//! | [`within`](crate::guard::LoginRequiredLayer::within), of a guard | as `with_fresh_for` | 5 minutes is common for pages that change credentials |
//! | [`needs`](crate::guard::LoginRequiredLayer::needs), of a guard | any method | the application names its methods |
//! | [`Impersonate::at_most`](crate::auth::Impersonate::at_most) | 1 hour, the maximum | long enough to look at a problem; as in Better Auth |
//! | [`without_touch`](crate::LoginManager::without_touch) | every request that reads the session extends it | pages that poll would keep it alive |
//! | [`RememberMe::lifetime`](crate::manager::RememberMe::lifetime) | 30 days since the login | the maximum in NIST SP 800-63B-4 (2.1.3) |
//! | [`RememberMe::sliding`](crate::manager::RememberMe::sliding) | off | NIST's limit is counted from the login, however often the cookie is used |
//! | [`RememberMe::grace`](crate::manager::RememberMe::grace) | 30 seconds, [`UntilSeen`](crate::manager::RememberGrace::UntilSeen) | requests in flight and lost responses must not look like a theft |
//!
//! # Limits
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
//! | [`PasswordPolicy::with_min_chars`] | 15 characters, from 8 to 64 | NIST SP 800-63B-4 (3.1.1.2); OWASP ASVS 5.0 (6.2.1) requires 8 |
//! | [`PasswordPolicy::with_second_factor`] | off: the password is the only factor | 8 characters suffice together with a second factor (NIST SP 800-63B-4, 3.1.1.2) |
//! | [`PasswordPolicy::and`] | no further check | |
//!
//! # Throttles
//!
//! The settings of a [`Throttle`](crate::throttle::Throttle), which
//! [`throttle`](crate::LoginManager::throttle) returns. It counts nothing until a handler calls it.
//!
//! | setting | default | reason |
//! |---|---|---|
//! | [`Throttle::named`](crate::throttle::Throttle::named) | `login` | each kind of secret has counts of its own |
//! | [`Throttle::free`](crate::throttle::Throttle::free) | 5 failures | typing errors; as in ASP.NET Core Identity |
//! | [`Throttle::first_wait`](crate::throttle::Throttle::first_wait) | 1 second, doubled with each failure | 30 seconds, the shortest wait that NIST SP 800-63B-4 (3.2.2) names, is reached with the tenth failure |
//! | [`Throttle::longest_wait`](crate::throttle::Throttle::longest_wait) | 15 minutes | the longest that an owner may have to wait |
//! | [`Throttle::forget_after`](crate::throttle::Throttle::forget_after) | 24 hours after the first failure | at most 109 guesses a day, close to NIST's limit of 100 consecutive failures |
//! | [`Throttle::names_per_address`](crate::throttle::Throttle::names_per_address) | 30 a minute | more than the people behind one address enter |
//! | [`Throttle::stop_after`](crate::throttle::Throttle::stop_after) | never | a stop lets anyone lock out any user |
//!
//! # One-time tokens
//!
//! The settings of a [`Purpose`](crate::tokens::Purpose) and of
//! [`tokens`](crate::LoginManager::tokens).
//!
//! | setting | default | reason |
//! |---|---|---|
//! | [`Purpose::lifetime`](crate::tokens::Purpose::lifetime) | [by purpose](super::passwords#other-links-and-codes), from 10 minutes to 7 days | as long as delivery needs; ASVS 5.0 (6.5.5) allows 10 minutes for tokens that log a user in |
//! | [`Purpose::gap`](crate::tokens::Purpose::gap) | 5 minutes | otherwise anyone can fill a mailbox, and replace the token before its owner opens the mail |
//! | [`Purpose::digits`](crate::tokens::Purpose::digits) | 6, at most 12 | ASVS 5.0 (6.5.4) requires 20 bits |
//! | [`Purpose::tries`](crate::tokens::Purpose::tries) | 5, at most 10 | a code can be guessed |
//! | [`Tokens::with_address`](crate::tokens::Tokens::with_address) | none: tokens survive a change of address | the crate can't know which field it is |
//!
//! # API keys
//!
//! The settings of [`ApiKeySettings`](crate::api_keys::ApiKeySettings), and of a [new
//! key](crate::api_keys::NewApiKey).
//!
//! | setting | default | reason |
//! |---|---|---|
//! | [`ApiKeySettings::new`](crate::api_keys::ApiKeySettings::new) | none: you choose the prefix | people and secret scanners recognize your keys by it |
//! | [`ApiKeySettings::max_per_user`](crate::api_keys::ApiKeySettings::max_per_user) | 50 | fits on a page, and in one read of the store |
//! | [`NewApiKey::expires_in`](crate::api_keys::NewApiKey::expires_in), [`never_expires`](crate::api_keys::NewApiKey::never_expires) | none: you must choose, at most 400 days | a key that was leaked and forgotten must not work for ever by accident |
//! | [`NewApiKey::ends_with_stamp`](crate::api_keys::NewApiKey::ends_with_stamp) | off | a change of the password must not stop the programs of its owner |
//!
//! # Known browsers
//!
//! The settings of [`KnownBrowsers`](crate::manager::KnownBrowsers) are passed to
//! [`with_known_browsers`](crate::LoginManager::with_known_browsers).
//!
//! | setting | default | reason |
//! |---|---|---|
//! | [`with_known_browsers`](crate::LoginManager::with_known_browsers) | off | it sets one more cookie, which outlives the logout |
//! | [`KnownBrowsers::lifetime`](crate::manager::KnownBrowsers::lifetime) | 1 year since the last login | longer than any remember cookie |
//! | [`KnownBrowsers::max_browsers`](crate::manager::KnownBrowsers::max_browsers) | the 20 used last | more than one person uses |
//! | [`KnownBrowsers::trusted_for`](crate::manager::KnownBrowsers::trusted_for) | 30 days | as long as a browser is remembered; level 2 of NIST SP 800-63B-4 (2.2.3) wants both factors every 24 hours |
//!
//! # Flash messages
//!
//! There is no setting. A session keeps up to 32 [messages](crate::flash) with 16 KiB in total;
//! more would not fit on a page.
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
//! [`Timeouts`](crate::manager::Timeouts), [`RememberMe`](crate::manager::RememberMe),
//! [`KnownBrowsers`](crate::manager::KnownBrowsers), [`Throttle`](crate::throttle::Throttle),
//! [`Purpose`](crate::tokens::Purpose). [All pages](super).
//!
#![cfg_attr(feature = "argon2", doc = include_str!("links/argon2.md"))]
#![cfg_attr(not(feature = "argon2"), doc = include_str!("links/argon2_online.md"))]
