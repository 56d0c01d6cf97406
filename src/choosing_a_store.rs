//! Choosing a store: durability, cost, and behaviour during an outage.
//!
//! | | [`MemoryStore`] | `SqliteStore` | `PostgresStore` | `MySqlStore` | `RedisStore` |
//! |---|---|---|---|---|---|
//! | feature | always there | `sqlite` | `postgres` | `mysql` | `redis` |
//! | right for | tests, one process that may forget | one machine | several nodes | several nodes, MariaDB or MySQL | several nodes, many requests |
//! | a restart of the application | logs everybody out | changes nothing | changes nothing | changes nothing | changes nothing |
//! | a crash of the machine it is on | loses all | loses nothing that was acknowledged, with `synchronous=FULL` | loses nothing that was acknowledged | as PostgreSQL, with `innodb_flush_log_at_trx_commit=1` | takes back up to a second, **ended sessions come back**, unless `appendfsync always` |
//! | a failover | none | none | safe to a synchronous replica; an asynchronous one may lack the last logins and logouts | as PostgreSQL | may lack the last logins and logouts, whatever is set |
//! | a logout is seen by other nodes | there are none | at once, in all processes on the file | at once | at once | at once |
//! | a guarded request costs | a lock for a moment | a read of a local file | one round trip, with `test_before_acquire(false)` | as PostgreSQL | one round trip |
//! | a login costs | as little | one write, after a read where there is a session | one round trip, two where there is a session | as PostgreSQL | as PostgreSQL; on a cluster one to three more |
//! | expired records go | as new ones come, and by the cleanup | by the cleanup | by the cleanup | by the cleanup | by themselves |
//! | what you run | nothing | nothing; back up the file | a server, `migrate()` at the start | a server, `migrate()` at the start | a server with `noeviction` |
//!
//! Remember-me adds a write to a login, and a read where the browser was remembered before.
//!
//! They change places by one line: the example `stores` takes its store from the environment. Sessions don't move along: whoever
//! changes the store logs everybody out once.
//!
//! **In doubt, take the database that holds your users.** It is backed up already, and when it is down nobody can be logged in
//! anyway. Redis is faster where a request does nothing but ask who is there; measure before you add a server for it.
//!
//! # Outages
//!
//! The same with every store:
//!
//! - A page that doesn't ask who is there doesn't notice.
//! - A request without our cookie is anonymous, as always.
//! - A request with it gets 503 and `Retry-After` where somebody asks, at the latest after the [deadline] of 2 seconds. It isn't
//!   taken for anonymous, and its cookies stay: nobody is logged out by an outage.
//! - A public page with [`CurrentUser`](crate::CurrentUser) in its header asks too, so who has our cookie gets 503 there. With
//!   `user: Result<CurrentUser<U>, Error>` it is shown without a name.
//! - A login, confirmation or renewal is an error, at the latest after two deadlines, and everything stays as it was. Only where the
//!   store broke off at the last step may the old session have ended, and [another user's](crate::auth::Login) that a login replaces.
//! - A logout is an error too, but the browser forgets its cookies. The crate tries again for a minute to end what they stood for,
//!   64 things at a time and for as long as the process runs; beyond that they end by their own timeouts. The events
//!   `LogoutIncomplete` and, when it is done, `LoggedOut` say what became of it.
//! - The log says why, where the store's error is fit for one, as those of our stores are; who listens to
//!   [events](crate::LoginManager::with_on_event) is told in any case.
//! - When it is back, so is everybody.
//!
//! Set the pool's own time to wait for a connection below the deadline, so that the error says what was the trouble: each store's
//! page says how.
//!
//! # Cleanup
//!
//! An expired session opens nothing, whether or not it is still in the store. For the space that it takes call
//! [`spawn_cleanup`] once where the server starts, or [`cleanup`] from a cron job. Several nodes may do so at the same time.
//!
//! # Delayed logouts
//!
//! A logout that was acknowledged holds on every node from then on. That is a promise of the store, and it is broken where reads
//! don't go where writes went: a read replica, a proxy that spreads reads, a cluster client that reads from replicas, a failover that
//! loses the last writes. Point the store at the primary. `CachedStore` (feature `cache`) breaks it knowingly, for fewer reads: a
//! logout is seen at once on the node that did it, and after a time that you set on the others.
//!
//! A change of a user's [security stamp](crate::AuthUser::security_stamp) doesn't depend on any of this: it lives in your own database.
//!
//! # Custom stores
//!
//! Implement [`SessionStore`]; its [contract](crate::store) is a page long. `testing::store_contract` (feature `testing`) puts it
//! to nearly ninety checks, races and dropped calls among them: those that our stores pass. The example `own_store` shows both.
//!
//! [deadline]: crate::LoginManager::with_deadline
//! [`spawn_cleanup`]: crate::LoginManager::spawn_cleanup
//! [`cleanup`]: crate::LoginManager::cleanup
//! [`MemoryStore`]: crate::MemoryStore
//! [`SessionStore`]: crate::SessionStore
