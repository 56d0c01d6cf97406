//! The manual: from the first page that needs a login to a release, one task per page.
//!
//! Read the first three pages in order. After that, each page stands on its own.
//!
//! | page | what you learn there |
//! |---|---|
//! | [Getting started](getting_started) | a new axum application with a page that needs a login, in ten minutes |
//! | [How it works](how_it_works) | the path of a request, what a session is, and what it costs |
//! | [Guarding pages](guarding_pages) | who is let through, what the others get, and what a page load is |
//! | [Logging in and out](logging_in_and_out) | the login form, returning to the requested page, the logout, several kinds of user |
//! | [Remember-me](remember_me) | staying logged in after the browser is closed |
//! | [Fresh logins and step-up](fresh_logins) | asking for the password again, or for a second factor, before something sensitive |
//! | [Sessions of a user](sessions_of_a_user) | listing, ending and limiting sessions, new browsers, impersonation |
//! | [APIs, single-page apps and other origins](apis) | API keys, JSON, CORS, and which cookies other sites' requests carry |
//! | [Passwords, resets and throttling](passwords) | hashing and checking, rules for new passwords, a complete reset by mail, and limits on guessing |
//! | [Choosing a store, several nodes](choosing_a_store) | durability, what is in it, costs, outages, cleanup |
//! | [Testing your application](testing) | logged-in requests in one line, a clock that the test moves |
//! | [Configuration](configuration) | every setting, its default and the reason for it |
//! | [Events, logs and metrics](events) | every kind of event, an audit log, counters, and what to watch |
//! | [Security](security) | attack by attack, with OWASP ASVS 5.0, and what is left to you |
//! | [Troubleshooting](troubleshooting) | "logged in, and the next page asks again", and other symptoms |
//! | [Moving from Flask](moving_from_flask) | taking over users, hashes and tests, and the equivalent of each name of Flask-Login |
//! | [Coming from axum-login and tower-sessions](coming_from_axum_login) | the equivalent of each of their names |
//! | [What belongs elsewhere](what_belongs_elsewhere) | what is left out on purpose, why, and what to use instead |
//! | [Benchmarks](benchmarks) | the cost of a request, compared with other crates |
//! | [Glossary](glossary) | the words of this documentation |
//!
//! The [reference](crate#modules) documents each item.
//!
//! # Examples
//!
//! The repository has complete applications, each a package of its own (`cargo run -p quickstart`):
//!
//! | example | shows |
//! |---|---|
//! | `quickstart` | the app of the [front page](crate), with a home page |
//! | `tutorial` | registration, passwords changed and reset by mail, throttled logins, flash messages, the user's sessions; SQLite and templates |
//! | `stores` | one app on any store |
//! | `two_realms` | two kinds of user |
//! | `permissions` | roles and permissions on routes, on objects and in templates |
//! | `htmx` | parts of a page, and a session that ends while the page is open |
//! | `websocket` | a connection that ends with the login |
//! | `event_metrics` | a counter for each kind of event |
//! | `password_reset` | links by mail: reset, verification, a change of address and its undo |
//! | `second_factor` | codes of an authenticator app, recovery codes, trusted browsers |
//! | `throttled_login` | a login that withstands guessing |
//! | `import_users` | the users of a Flask application, with their hashes |
//! | `api_keys` | keys that users create, list and revoke, with scopes |
//! | `single_page_app` | a front end at another origin |
//! | `oidc` | log in with another site (OpenID Connect) |
//! | `passkeys` | a login without a user name and a password |
//! | `payment` | a user whom another site sends back by a POST |
//! | `own_store` | a custom store, and the contract suite |
//! | `with_tower_cookies` | using this crate together with tower-cookies |
//! | `hyper_server`, `tonic_server` | servers other than axum |

pub mod getting_started;

pub mod how_it_works;

pub mod guarding_pages;

pub mod logging_in_and_out;

pub mod remember_me;

pub mod fresh_logins;

pub mod sessions_of_a_user;

pub mod apis;

pub mod passwords;

pub mod choosing_a_store;

pub mod testing;

pub mod configuration;

pub mod events;

pub mod security;

pub mod troubleshooting;

pub mod moving_from_flask;

pub mod coming_from_axum_login;

pub mod what_belongs_elsewhere;

pub mod benchmarks;

pub mod glossary;
