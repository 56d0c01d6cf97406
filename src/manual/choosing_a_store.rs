//! Choosing a store, several nodes: durability, cost, and behaviour during an outage.
//!
//! | | [`MemoryStore`] | [`SqliteStore`] | [`PostgresStore`] | [`MySqlStore`] | [`RedisStore`] |
//! |---|---|---|---|---|---|
//! | feature | always there | `sqlite` | `postgres` | `mysql` | `redis` |
//! | fits | tests, or a single process that may lose its sessions | one machine | several nodes | several nodes, on MariaDB or MySQL | several nodes with many requests |
//! | a restart of the application | logs all users out | changes nothing | changes nothing | changes nothing | changes nothing |
//! | a crash of the store's machine | loses everything | loses nothing that was acknowledged, with `synchronous=FULL` | loses nothing that was acknowledged | as PostgreSQL, with `innodb_flush_log_at_trx_commit=1` | loses up to a second of writes, so **ended sessions come back**, unless `appendfsync always` is set |
//! | a failover | does not apply | does not apply | is safe with a synchronous replica; an asynchronous one may lack the last logins and logouts | as PostgreSQL | may lack the last logins and logouts, whatever is set |
//! | other nodes notice a logout | there are none | at once, in all processes on the file | at once | at once | at once |
//! | a store call costs | a short lock | a read or write of a local file | one round trip, with `test_before_acquire(false)` | as PostgreSQL | one round trip; on a cluster up to three for writes |
//! | expired records are removed | as new ones come in, and by the cleanup | by the cleanup | by the cleanup | by the cleanup | by Redis |
//! | you run | nothing | nothing; back up the file | a server; call `migrate()` at the start | a server; call `migrate()` at the start | a server with `noeviction` |
//!
//! The documentation of each store lists the settings that it needs.
//!
//! To switch, replace one line: the example `stores` reads its store from the environment. Sessions
//! are not moved, so all users are logged out once.
//!
//! **If in doubt, use the database that holds your users.** It is backed up already, and while it
//! is down no user can be loaded anyway. Redis is faster for requests that only look up the current
//! user; measure before you add a server for it.
//!
//! # Costs
//!
//! A session is one record, even if the browser is remembered. These are the store calls of a
//! request:
//!
//! | request | store calls |
//! |---|---|
//! | without a cookie, or one that does not use the current user or the session | none |
//! | guarded, or one that reads the session | `load` |
//! | that changes session data | `load`, `update`; for a new visitor `create` |
//! | login without a session, with or without remember-me | `create` |
//! | login over a session of the same user, confirm, rotate | `load`, `update` |
//! | login over an anonymous session or another user's | `load`, `create`, `update` |
//! | restore by a remember cookie | `load`, `update`; the next request adds an `update` in the background |
//! | logout | `load`, `delete` |
//!
//! A request that uses a session also calls `touch` in the background, at most once per tenth of
//! the idle timeout. [`with_max_sessions`](crate::LoginManager::with_max_sessions) and
//! [`RememberMe::max_browsers`](crate::manager::RememberMe::max_browsers) add a list to each login.
//!
//! # What else is in the store
//!
//! One-time tokens, API keys, the counts of throttles and known browsers are records of the same
//! store, under owners that no user has. So they need no table and no setup, and all nodes share
//! them. They bypass a [`CachedStore`]: they are read by `load_fresh`.
//!
//! | call | store calls |
//! |---|---|
//! | [`tokens.issue`](crate::tokens::Tokens::issue) | `load_fresh`, `create` or `update` |
//! | [`tokens.peek`](crate::tokens::Tokens::peek) | `load_fresh`; for an [undo](crate::tokens::Purpose::undo) also a list |
//! | [`tokens.redeem`](crate::tokens::Tokens::redeem) | as `peek`, then `load_fresh`, `update` |
//! | a request with an [API key](crate::api_keys) | `load_fresh`, and at most every 5 minutes a `touch` in the background |
//! | a key is [created](crate::api_keys::ApiKeys::create) | a list, `load_fresh`, `create`, a list |
//! | a [guess](crate::throttle) | `load_fresh`, `create` or `update`, for its name, and again for its address unless that address has already tried the name; only `load_fresh` if the guess has to wait. A success adds a `delete` |
//! | a login with [known browsers](crate::manager::KnownBrowsers) | `load_fresh`, `create` or `update`; for a new browser also a list |
//! | [`known_browser`](crate::Auth::known_browser), [`is_browser_trusted`](crate::Auth::is_browser_trusted) | `load_fresh`, or none without the cookie |
//! | a request of an [impersonation](super::sessions_of_a_user#impersonation) | one more `load_fresh`, and one more user |
//!
//! **If the store loses its records** (a `MemoryStore` at a restart, a Redis that is flushed):
//!
//! - all users are logged out;
//! - mailed links and codes are invalid, so users have to request new ones;
//! - **API keys are gone**, and programs get 401 until their owners create new ones. With keys, use
//!   a store that is backed up;
//! - the counts and waits of throttles start again from zero;
//! - no browser is known any more, so users get the mail about a new browser, and have to enter the
//!   second factor again.
//!
//! [`logout_everyone`](crate::LoginManager::logout_everyone) empties the store, with the same
//! consequences. [`logout_user`](crate::LoginManager::logout_user) only ends the user's sessions:
//! [`tokens.withdraw_all`](crate::tokens::Tokens::withdraw_all),
//! [`keys.revoke_all`](crate::api_keys::ApiKeys::revoke_all) and
//! [`forget_browsers`](crate::LoginManager::forget_browsers) delete the rest. Call all four before
//! you delete a user.
//!
//! # Outages
//!
//! These rules are the same for every store:
//!
//! - Pages that do not use the current user or the session are not affected.
//! - A request without our cookies is anonymous, as always.
//! - A request with one of our cookies gets 503 and `Retry-After` if the current user is needed, at
//!   the latest after the [deadline] of 2 seconds. It is not treated as anonymous, and its cookies
//!   are kept: no user is logged out by an outage.
//! - A public page that extracts [`CurrentUser`] needs the user, too. If the handler takes `user:
//!   Result<CurrentUser<U>, Error>` instead, the page can be shown without a name.
//! - A login, confirmation or rotation returns an error and is never half done. If the store does
//!   not report the outcome of a write, the record is read back; if the outcome is still unknown,
//!   the session may have a new secret that no browser has, and the user has to log in again.
//! - If a login cannot delete the session that it replaces, the login is valid all the same, and
//!   the deletion is retried.
//! - A logout returns an error, too, but the cookies are removed. The deletion is retried for about
//!   a minute, as long as the process runs, with at most 4096 deletions pending per manager; other
//!   sessions end by their timeouts. The event `LogoutIncomplete` reports the failure, `LoggedOut`
//!   the deletion.
//! - The log contains the store's error if it is safe to log, as the errors of our stores are.
//!   [Events](crate::LoginManager::with_on_event) contain it in any case.
//! - Once the store is back, everyone is still logged in.
//!
//! Set the pool's own limit for waiting for a connection below the deadline, so that the error
//! names the cause. The documentation of each store shows how.
//!
//! # Cleanup
//!
//! An expired session is invalid whether or not its record is still in the store. To free the
//! space, call [`spawn_cleanup`] once when the server starts, or [`cleanup`] from a cron job.
//! Several nodes may do so at the same time.
//!
//! # Several nodes
//!
//! Nodes share nothing but the store: no secret, no sticky sessions, no list of servers. Give every
//! node the same store, realm and settings, and make sure of the following:
//!
//! - **The store is shared.** With a [`MemoryStore`] each node has sessions of its own, and users
//!   are logged out whenever a request reaches another node.
//! - **The clocks agree**, as with NTP. Differences of up to five minutes do no harm, unless the
//!   grace is [`Strict`](crate::manager::RememberGrace::Strict).
//! - **Releases may overlap.** Old and new versions of your application can run side by side on one
//!   store. A record that a newer version of this crate has written, and that an older one can't
//!   read, is left as it is: its user is anonymous on the old nodes and logged in on the new ones.
//!
//! # Delayed logouts
//!
//! A logout that was acknowledged is effective on every node from then on. The store guarantees
//! this only if reads go to the server that receives the writes. Read replicas, proxies that spread
//! reads, cluster clients that read from replicas, and a failover that loses the last writes break
//! it, so point the store at the primary. [`CachedStore`] (feature `cache`) breaks it on purpose to
//! save reads: a logout is effective at once on the node that handled it, and on the others after a
//! time that you set.
//!
//! A change of a user's [security stamp](crate::AuthUser::security_stamp) does not depend on any of
//! this, because it is stored in your own database.
//!
//! # Custom stores
//!
//! Implement [`SessionStore`]; its [contract](crate::store) is a page long. [`store_contract`]
//! (feature `testing`) runs the same checks on it that our stores pass, races and dropped calls
//! among them. The example `own_store` shows both.
//!
//! # Next
//!
//! [Testing your application](super::testing). Reference: [`SessionStore`], [`MemoryStore`],
//! [`SqliteStore`], [`PostgresStore`], [`MySqlStore`], [`RedisStore`], [`CachedStore`],
//! [`spawn_cleanup`]. [All pages](super).
//!
//! [deadline]: crate::LoginManager::with_deadline
//! [`spawn_cleanup`]: crate::LoginManager::spawn_cleanup
//! [`cleanup`]: crate::LoginManager::cleanup
//! [`MemoryStore`]: crate::MemoryStore
//! [`SessionStore`]: crate::SessionStore
//!
#![cfg_attr(feature = "axum", doc = include_str!("links/axum.md"))]
#![cfg_attr(not(feature = "axum"), doc = include_str!("links/axum_online.md"))]
#![cfg_attr(
    all(
        feature = "sqlite",
        feature = "postgres",
        feature = "mysql",
        feature = "redis",
        feature = "cache",
    ),
    doc = include_str!("links/stores.md")
)]
#![cfg_attr(
    not(all(
        feature = "sqlite",
        feature = "postgres",
        feature = "mysql",
        feature = "redis",
        feature = "cache",
    )),
    doc = include_str!("links/stores_online.md")
)]
#![cfg_attr(feature = "testing", doc = include_str!("links/testing.md"))]
#![cfg_attr(not(feature = "testing"), doc = include_str!("links/testing_online.md"))]
