//! What belongs elsewhere: what the crate leaves out on purpose, why, and what to use instead.
//!
//! The crate determines which user a request belongs to, and provides what protects this decision:
//! sessions, checks of credentials, tokens, limits on guessing. It does not know what a user *is*,
//! which pages there are, or what they look like. If it did, it would be a framework that dictates
//! tables and pages. The interface is the same in each case: find or create your user, and call
//! [`auth.login(user)`](crate::Auth::login).
//!
//! | left out | why | instead |
//! |---|---|---|
//! | user tables | your database has one, with your columns; a second one would have to be kept in step | a type that implements [`AuthUser`](crate::AuthUser), and a function that loads it; the example `tutorial` with SQLite, `import_users` with an existing table |
//! | registration | fields, invitations and terms differ in every application | a form, [`Passwords::hash`], an `INSERT` and a login: the example `tutorial`. For checking the address, [tokens](super::passwords#other-links-and-codes) |
//! | admin pages | they are pages of your application, with its permissions | [`sessions_of`](crate::LoginManager::sessions_of), [`revoke`](crate::LoginManager::revoke), [`logout_user`](crate::LoginManager::logout_user), [`impersonate`](crate::Auth::impersonate): [Sessions of a user](super::sessions_of_a_user) |
//! | templates | every application has chosen its engine | reasons, notices, sessions, keys and messages implement `Serialize`; the examples `tutorial` and `permissions` use minijinja |
//! | sending mail | servers, queues, languages and layouts are yours | [`Tokens::send`](crate::tokens::Tokens::send) calls your function in the background; the example `password_reset` uses lettre |
//! | logging in with another site (OAuth, OpenID Connect) | other crates keep up with the providers | the example `oidc` |
//! | being such a site: an OAuth or OpenID *provider* | that is a server of its own, with clients, consent and keys | the crate `oxide-auth`, or a product; for programs of your own users, [API keys](super::apis#api-keys) |
//! | passkeys, authenticator apps | crates for them exist, and enrolment takes place on your own pages | [`needs`](crate::guard::LoginRequiredLayer::needs) and [`Login::by`](crate::auth::Login::by) take their result; the examples `passkeys` (the crate webauthn-rs) and `second_factor` (totp-rs) |
//! | a model of roles | no single model fits all roles, permissions on objects and tenants, and they change faster than logins | [conditions](super::guarding_pages#a-whole-router) of a guard on your user type, and [`and_authorize`](crate::guard::LoginRequiredLayer::and_authorize) for what is looked up; the example `permissions` |
//! | CSRF tokens | browsers state where a request comes from, so no form needs a token | [`CsrfLayer`](https://docs.rs/tower-http/latest/tower_http/csrf/) of tower-http: [Security](super::security#cross-site-request-forgery) |
//! | limits on all requests by address | they are needed in front of every route, whether or not a user is logged in | your proxy, or the crate tower_governor: the example `throttled_login` |
//! | CAPTCHAs | they are services, each with an interface of its own | [`Permit::failures`](crate::throttle::Permit::failures) tells [when to show one](crate::throttle#challenges) |
//! | places by IP address | they need a database that has to be bought and updated, and are wrong for mobile networks and VPNs | [new browsers](super::sessions_of_a_user#known-browsers) instead of new places; if a page shows places, the crate `maxminddb` |
//! | sessions in signed tokens (JWT) | they can't be ended before they expire | one read of the store for each request, or of a [cache](super::choosing_a_store#delayed-logouts); tokens of other issuers by a [request loader](super::apis#tokens-of-your-own) |
//! | the time of the last login | a column of your table | set it in the login handler, or on the [event](super::events) `logged_in` |
//!
//! # Next
//!
//! [Benchmarks](super::benchmarks). Reference: [`AuthUser`](crate::AuthUser),
//! [`Auth::login`](crate::Auth::login), [`guard`](crate::guard). [All pages](super).
//!
#![cfg_attr(feature = "argon2", doc = include_str!("links/argon2.md"))]
#![cfg_attr(not(feature = "argon2"), doc = include_str!("links/argon2_online.md"))]
