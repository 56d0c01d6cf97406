//! Sessions on a Redis server or cluster.
//!
//! A record is a string: `login:r:` and its id. The index of an owner is a sorted set: `login:o:`
//! and a digest of the owner. Every change of a record is one script.
//!
//! On one server, one script changes both keys, so `create` and `update` are one step each. In a
//! cluster, the keys may be on different nodes: the index entry is written before the record and
//! removed after it, so that a live record is always in its owner's index. The store sends both
//! keys together until a server rejects that. The separate steps are correct everywhere.
//!
//! Deletions leave no tombstones. An `update` or a `touch` that takes effect after a deletion finds
//! no record and returns `Gone`. A `create` can only take effect late while its caller still waits
//! for the reply. Until then no other call knows its id, except for a `delete_all` that reads the
//! index, and for that call it counts as a `create` after the deletion. Ids are never used again.
//! So a deleted record could only come back if a cluster client gave up a connection and sent the
//! `create` again on another one, and the first copy arrived after the session had ended.

mod create;
mod delete_all;
mod delete_any;
mod index;
mod join_all;
mod packed;
mod prefix;
mod script;
mod server;
mod update;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use redis::{RedisError, aio::ConnectionLike};
use tokio::runtime::Handle;

use self::{
    packed::{CallId, OwnerDigest, ordered, unpack},
    prefix::check_prefix,
    server::{Server, failure, is_wrong_type},
};
use super::{CreateOutcome, Outcome, Page, SessionId, SessionRecord, SessionStore};
use crate::error::{BoxError, ConfigError, StoreError};
use crate::random::random_bytes;

/// How much later than necessary Redis removes a value, in milliseconds: an hour. The clocks of the
/// nodes and of a cluster's servers must not differ by this much.
const MARGIN: i64 = 60 * 60 * 1000;
/// The longest lifetime that is sent to Redis, in milliseconds: 17 thousand years, which a Lua
/// number can represent exactly.
const LONGEST: i64 = 1 << 49;
/// How many records are read together.
const BATCH: usize = 256;

/// Keeps sessions on a Redis or Valkey server (Redis 6.2 or later) or a cluster.
///
/// Takes any asynchronous connection of the `redis` crate, version 1. A `ConnectionManager`
/// reconnects after an outage; a `MultiplexedConnection` doesn't. For a cluster, use a
/// `ClusterConnection`. Clones share the connection.
///
/// ```no_run
/// # async fn app() -> Result<(), Box<dyn std::error::Error>> {
/// use login_manager::RedisStore;
///
/// let client = redis::Client::open("redis://127.0.0.1/")?;
/// let store = RedisStore::new(client.get_connection_manager().await?).with_prefix("shop:")?;
/// # Ok(()) }
/// ```
///
/// # Server settings
///
/// - **`maxmemory-policy noeviction`.** With any other policy, Redis evicts sessions when memory
///   runs out, which logs users out. If it evicts an owner's index first, the list of sessions and
///   "log out everywhere" miss sessions that still exist. With `noeviction`, logins fail instead,
///   and existing sessions are kept and can be logged out.
/// - **`appendonly yes` and `appendfsync always`**, if an acknowledged logout must survive a crash
///   of the server. With `appendfsync everysec`, the default, a crash undoes the last second:
///   sessions that began in it are lost, and *sessions that ended in it are live again*. With
///   snapshots alone, a crash undoes minutes. Decide whether that is acceptable.
/// - **Replication is asynchronous.** A replica that takes over may lack the last writes of the old
///   primary, including logouts. `WAIT` and `min-replicas-to-write` make that rarer, but Redis
///   cannot rule it out. If it must not happen, keep sessions in an SQL database.
///
/// A change of the user's [security stamp](crate::AuthUser::security_stamp) ends their sessions in
/// all of these cases, because the stamp is stored in your database.
///
/// # Connection settings
///
/// - **Read from the primary**: no `read_from_replicas` on a cluster client, no connection to a
///   replica, no client-side caching. Otherwise other nodes notice a logout late.
/// - Set a response timeout below the manager's deadline. The default of the `redis` crate is half
///   a second.
/// - During an outage, a `ConnectionManager` retries for some seconds before it returns an error,
///   which is longer than the manager's deadline. With `set_number_of_retries(1)`, requests fail
///   faster and succeed sooner after the outage.
/// - A proxy in between must run a script on the server that has all of its keys, or reject it. A
///   proxy in front of several servers that looks at the first key only, such as twemproxy, does
///   not work: sessions are not found after the login.
/// - The account needs access to all keys that begin with the prefix. Two scripts derive keys that
///   are not passed to them: the one that deletes all of a user's sessions, and the one that
///   deletes a session and its index entry. Redis and Valkey allow that outside of a cluster. If
///   the server rejects it, the store sends the keys one by one, as it does in a cluster.
///
/// A cluster client sends a command again if the reply is lost. A repeated `create` or `update`
/// recognizes its own write and returns `Done`, unless another call changed the record in between.
/// A repeated `delete` returns `Gone`.
///
/// # Costs
///
/// A session takes about 400 bytes, including its entry in the index of its user's sessions.
///
/// On one server, `create`, `load`, `update`, `touch` and `delete` take one round trip each; `load`
/// is a plain `GET`. In a cluster, where the index may be on another server than the session,
/// `create` and `delete` take two, and an `update` that extends the end of a session takes three. A
/// cluster rejects the first script that has two keys; the store and its clones remember that. If
/// an ACL allows scripts with each of the keys but not with both, each login takes another round
/// trip.
///
/// Listing sessions takes two round trips for each 256 of them. On one server, deleting all
/// sessions of a user takes one round trip for each thousand of them. Such a script takes a few
/// milliseconds, during which the server does nothing else. In a cluster, it takes one command for
/// each session, 256 at a time.
///
/// # Expiry
///
/// Redis removes a record an hour or more after it expired.
/// [`delete_expired`](SessionStore::delete_expired) does nothing and returns 0. The caller's clock
/// decides whether a record has expired, never the server's.
///
/// A value that the store can't read is treated as absent and deleted.
///
/// # Logging everyone out
///
/// [`logout_everyone`](crate::LoginManager::logout_everyone) scans all keys of the server. In a
/// cluster, where no command does that, it fails. There, and on a server with many millions of
/// other keys, use another [prefix](RedisStore::with_prefix): the old sessions are invalid at once,
/// and expire on their own.
#[derive(Clone)]
pub struct RedisStore {
    server: Server,
    prefix: Arc<str>,
}

impl RedisStore {
    /// Creates a store on the server or cluster of this connection. Its keys begin with `login:`.
    #[must_use]
    pub fn new(connection: impl ConnectionLike + Clone + Send + Sync + 'static) -> Self {
        Self {
            server: Server::new(connection),
            prefix: "login:".into(),
        }
    }

    /// Sets the prefix of the store's keys, so that several applications can share a server.
    /// Default: `login:`.
    ///
    /// # Errors
    /// - if the prefix isn't 1 to 64 ASCII letters, digits, hyphens, underscores, dots, slashes and
    ///   colons
    pub fn with_prefix(mut self, prefix: &str) -> Result<Self, ConfigError> {
        check_prefix(prefix)?;
        self.prefix = prefix.into();
        Ok(self)
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for RedisStore {
    async fn create(&self, record: SessionRecord) -> Result<CreateOutcome, BoxError> {
        self.create_record(&record).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
        self.load_one(id).await
    }

    async fn update(&self, record: SessionRecord, now: i64) -> Result<Outcome, BoxError> {
        self.update_record(&record, now).await
    }

    async fn touch(&self, id: &SessionId, now: i64, expires: i64) -> Result<Outcome, BoxError> {
        let arguments = (&ordered(now), &ordered(expires), LONGEST, MARGIN);
        let keys = [self.record_key(id)];
        outcome(self.server.run(&script::TOUCH, &keys, arguments).await)
    }

    async fn delete(&self, id: &SessionId, version: Option<u64>) -> Result<Outcome, BoxError> {
        let (outcome, owner) = self.delete_if(id, version, None).await?;
        if let Some(owner) = owner {
            // Best effort: a `list` removes the entry later.
            self.remove_from_index(&owner, id).await.ok();
        }
        Ok(outcome)
    }

    async fn list(
        &self,
        owner: &str,
        page: Page,
        now: i64,
    ) -> Result<Vec<SessionRecord>, BoxError> {
        self.list_page(owner, page, now).await
    }

    async fn delete_all(&self, owner: &str, except: Option<SessionId>) -> Result<u64, BoxError> {
        let (store, owner) = (self.clone(), owner.to_owned());
        let deleting = async move { store.delete_owned(&owner, except).await };
        // More than one command may be needed, so this runs to its end even if the caller is
        // dropped.
        match Handle::try_current() {
            Ok(runtime) => {
                let ended = runtime.spawn(deleting).await;
                ended.map_err(|_| StoreError::new("a task that deletes sessions was cancelled"))?
            }
            Err(_) => deleting.await,
        }
    }

    /// Returns 0: Redis removes expired records itself.
    async fn delete_expired(&self, _now: i64, _limit: usize) -> Result<u64, BoxError> {
        Ok(0)
    }

    /// Scans all keys of the server, from the beginning in each call. Fails in a cluster.
    async fn delete_any(&self, limit: usize) -> Result<u64, BoxError> {
        self.delete_scanned(limit).await
    }
}

impl RedisStore {
    async fn load_one(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
        let mut command = redis::cmd("GET");
        command.arg(self.record_key(id));
        let value: Option<Vec<u8>> = match self.server.query(&command).await {
            Err(error) if is_wrong_type(&error) => Some(Vec::new()),
            value => value.map_err(failure)?,
        };
        match value {
            Some(value) => Ok(self.readable(id, &value).await),
            None => Ok(None),
        }
    }

    /// The record in this value. A value that can't be read counts as absent and is deleted, since
    /// every request with this session would fail otherwise.
    async fn readable(&self, id: &SessionId, value: &[u8]) -> Option<SessionRecord> {
        let record = unpack(*id, value);
        if record.is_none() {
            #[cfg(feature = "tracing")]
            tracing::warn!(session = %id, "a session in Redis can't be read; it is deleted");
            self.unlink(self.record_key(id)).await;
        }
        record
    }

    /// Best effort: the next call finds the value again.
    async fn unlink(&self, key: Vec<u8>) {
        let mut command = redis::cmd("UNLINK");
        command.arg(key);
        self.server.query::<()>(&command).await.ok();
    }

    /// Deletes a record that has this version and, in a `delete_all`, this owner. Returns the
    /// digest of its owner if its index entry is still there.
    async fn delete_if(
        &self,
        id: &SessionId,
        version: Option<u64>,
        owner: Option<&OwnerDigest>,
    ) -> Result<(Outcome, Option<Vec<u8>>), BoxError> {
        let version = version.map(u64::to_be_bytes);
        // A `delete_all` updates the index itself.
        let indexes = owner.map_or_else(|| self.key("o:", &[]), |_| Vec::new());
        let version = version.as_ref().map_or(&[][..], |version| version);
        let arguments = (
            version,
            owner.map_or(&[][..], |owner| owner),
            id.as_bytes(),
            &indexes,
        );
        let keys = [self.record_key(id)];
        let deleted = self.server.run(&script::DELETE, &keys, arguments);
        let mut deleted = Vec::into_iter(deleted.await.map_err(failure)?);
        let outcome = outcome(Ok(deleted.next().unwrap_or_default()))?;
        Ok((outcome, deleted.next()))
    }

    fn record_key(&self, id: &SessionId) -> Vec<u8> {
        self.key("r:", id.as_bytes())
    }

    fn index_key(&self, owner: &[u8]) -> Vec<u8> {
        self.key("o:", owner)
    }

    fn key(&self, kind: &str, bytes: &[u8]) -> Vec<u8> {
        [self.prefix.as_bytes(), kind.as_bytes(), bytes].concat()
    }
}

fn call_id() -> Result<CallId, BoxError> {
    let no_random_bytes = |_| StoreError::new("the operating system returned no random bytes");
    Ok(random_bytes().map_err(no_random_bytes)?)
}

/// How long Redis must keep a value, in milliseconds. It is the difference of two of the caller's
/// times, since the server's clock may be wrong.
fn lifetime(from: i64, to: i64) -> i64 {
    to.saturating_sub(from).clamp(0, LONGEST) + MARGIN
}

fn outcome(reply: Result<Vec<u8>, RedisError>) -> Result<Outcome, BoxError> {
    match &*reply.map_err(failure)? {
        b"done" => Ok(Outcome::Done),
        b"conflict" => Ok(Outcome::Conflict),
        b"gone" => Ok(Outcome::Gone),
        _ => Err(unknown_reply()),
    }
}

fn unknown_reply() -> BoxError {
    StoreError::new("redis: the server sent an unexpected reply").into()
}
