//! Sessions on a Redis server, or a cluster of them.
//!
//! A record is a hash, `login:r:` and its key in hex. An owner's index is a sorted set, `login:o:` and the owner's SHA-256 in
//! hex; an entry is a record's key and family and the mark of the call that created it. Whatever changes a record is one
//! script. The mark tells its entry from that of a record that somebody creates under the same key meanwhile.
//!
//! On one server a script has all the keys that a `create` or a `replace` needs, and each is one step. A `delete_all` is one for
//! every thousand records: its script makes their keys from the index. In a cluster every key stands by itself, so what takes
//! two of them takes two steps, in an order that never leaves a live record off its owner's index: an entry is written before
//! its record and removed after it. The store takes the one step until a server refuses a
//! script of several keys. The steps hold anywhere and beside it, so it may take them wherever it can't tell. What a
//! `delete` finds under its key says on which index the entry is; it goes by a second step everywhere.
//!
//! Under the key of a deleted record stays for a minute what tells a repeated command that it was done, and under that of no
//! record, made from the owner, how many a `delete_all` has deleted.

mod at_once;
mod create;
mod fields;
mod index;
mod prefix;
mod replace;
mod revoke;
mod script;
mod server;

use std::{fmt, fmt::Write as _, sync::Arc};

use async_trait::async_trait;
use redis::{Cmd, aio::ConnectionLike};
use tokio::runtime::Handle;

use self::{at_once::at_once, create::New, prefix::check_prefix, server::Server};
use super::{
    Created, Outcome, Page, Record, RecordKey, Replaced, SessionStore, Which, random_bytes,
};
use crate::error::{BoxError, ConfigError, StoreError};

/// How much later than needed Redis clears up, in milliseconds. Its clock only measures how long a key has been there, and
/// an hour is more than two servers of a cluster should disagree by.
const MARGIN: i64 = 60 * 60 * 1000;
/// The longest time to live that Redis is asked for: 35 thousand years, well within what a double counts exactly.
const LONGEST: i64 = 1 << 50;
/// How many questions about an owner's records are on their way at the same time.
const BATCH: usize = 64;

/// Keeps sessions on a Redis or Valkey server (Redis 6.2 or later), or on a cluster.
///
/// Takes any asynchronous connection of the `redis` crate, version 1. A `ConnectionManager` connects again by itself after an
/// outage; a `MultiplexedConnection` doesn't; a `ClusterConnection` knows a cluster. Clones share the connection.
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
/// # What the server must be set to
///
/// - **`maxmemory-policy noeviction`.** Any other policy lets Redis throw sessions away when memory runs out: somebody is
///   logged out, or worse, an owner's index goes first, and whatever looks for sessions by their owner misses those that
///   are still there: the list of devices, "log out everywhere", the end of one device's sessions. With `noeviction`
///   logins fail then, and those who are logged in stay so.
/// - **`appendonly yes` and `appendfsync always`**, if an acknowledged logout must survive a crash of the server. With
///   `everysec`, the default of `appendonly`, a crash takes back the last second: sessions that began in it are gone, and
///   *sessions that ended in it are there again*. With snapshots alone it is minutes. Decide whether you accept that.
/// - **Replicas copy late.** When one takes over, it may lack the last writes of the old primary, logouts among them. `WAIT` and
///   `min-replicas-to-write` make that rarer, nothing in Redis rules it out. Where it must not happen, keep
///   sessions in an SQL database.
///
/// A change of the user's [security stamp](crate::AuthUser::security_stamp) ends their sessions in all of these cases: it
/// lives in your database.
///
/// # What the connection must be set to
///
/// - **Reads go to the primary**: no `read_from_replicas` on a cluster client, no connection to a replica, and no client-side
///   caching. Else a logout on one node is seen late on another.
/// - A response timeout below the manager's deadline. The `redis` crate's is half a second.
/// - In an outage a `ConnectionManager` tries for some seconds before it says so, longer than the manager's deadline. With its
///   `set_number_of_retries(1)` requests fail faster, and are served sooner when the server is back.
/// - A proxy in between runs a script where all of its keys are, or refuses it. Behind one that looks at the first key only,
///   over servers that are no cluster (twemproxy is one), logins don't last.
/// - An account with rights to all keys that begin with the prefix. The script that ends all of a user's sessions makes the keys
///   of the records from the user's index, rather than being given them. Redis and Valkey allow that outside of a cluster.
///   Where it finds less than the index says, because of the account or a proxy, the store asks for each of the rest by its
///   key, as it does in a cluster.
///
/// A cluster client repeats a command whose answer got lost. What comes twice counts once, and neither a
/// `create` nor a `replace` brings back what was deleted in between: Redis remembers a deletion for a minute. An `update` may
/// answer `Conflict` although it was made, where another one came in between.
///
/// # What a call costs
///
/// `load`, `update` and `touch` are one round trip. On one server a login is one, too, also over an existing session of
/// nobody's or of the same user; over another user's it is two. In a cluster a user's list may be on another server than the
/// session: there a login is two, and up to four over an existing session. Nothing has to be set for this. A cluster
/// refuses the first script that wants both keys, and the store and its clones remember that for as long as they live.
/// Where an ACL allows a script of each of the keys but none of both, each login pays for the refusal.
///
/// The end of a device's sessions, or of all of a user's, is one round trip on one server for each thousand of them. Such a script
/// takes about ten milliseconds, in which the server serves nobody else. For a user with 100 000 sessions it can be a tenth
/// of a second, as is a look at their list. In a cluster it is a question for each session, 64 at a time, and the list is
/// read until nothing new comes.
///
/// # Clearing up
///
/// Redis drops a record an hour or more after it expired. [`delete_expired`](SessionStore::delete_expired) has nothing to do and
/// answers 0. Whether a record has expired is decided by the caller's clock, never by the server's.
#[derive(Clone)]
pub struct RedisStore {
    server: Server,
    prefix: Arc<str>,
}

impl RedisStore {
    /// A store on the server that this connection leads to. Its keys begin with `login:`.
    #[must_use]
    pub fn new(connection: impl ConnectionLike + Clone + Send + Sync + 'static) -> Self {
        Self {
            server: Server::new(connection),
            prefix: "login:".into(),
        }
    }

    /// Begins its keys with this, so that several applications share a server. Default: `login:`.
    ///
    /// # Errors
    /// When it isn't 1 to 64 ASCII letters, digits, hyphens, underscores, dots, slashes and colons.
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
    async fn create(&self, record: Record) -> Result<Created, BoxError> {
        self.create_new(&New::of(record)?).await
    }

    async fn load(&self, key: &RecordKey) -> Result<Option<Record>, BoxError> {
        let mut command = redis::cmd("HMGET");
        command.arg(self.record(key)).arg(&fields::FIELDS);
        fields::read(*key, self.server.ask(&command).await?)
    }

    async fn update(
        &self,
        key: &RecordKey,
        version: u64,
        payload: Arc<[u8]>,
        now: i64,
    ) -> Result<Outcome, BoxError> {
        let mark = mark()?;
        let next = version.saturating_add(1);
        let update = |command: &mut Cmd| {
            command
                .arg(&mark)
                .arg(now)
                .arg(version)
                .arg(next)
                .arg(&*payload);
        };
        outcome(
            &self
                .server
                .run::<Vec<u8>>(&script::UPDATE, self.record(key), update)
                .await?,
        )
    }

    async fn touch(&self, key: &RecordKey, now: i64, expires: i64) -> Result<Outcome, BoxError> {
        let touch = |command: &mut Cmd| {
            command.arg(now).arg(expires).arg(LONGEST).arg(MARGIN);
        };
        outcome(
            &self
                .server
                .run::<Vec<u8>>(&script::TOUCH, self.record(key), touch)
                .await?,
        )
    }

    async fn delete(&self, key: &RecordKey, version: Option<u64>) -> Result<Outcome, BoxError> {
        self.delete_at(key, version).await
    }

    async fn replace(
        &self,
        old: &RecordKey,
        version: u64,
        new: Record,
    ) -> Result<Replaced, BoxError> {
        self.replace_at(old, version, &New::of(new)?).await
    }

    /// Reads the owner's whole index, 80 bytes for a session, and then the records of the page. Redis could hand out the index
    /// page by page in the order of its times or in that of its keys, not clear it up by the one and list it by the other.
    async fn list(&self, owner: &str, page: Page, now: i64) -> Result<Vec<Record>, BoxError> {
        let mut entries = self.index(owner).await?;
        entries.retain(|entry| page.after.is_none_or(|after| entry.key > after));
        entries.dedup_by_key(|entry| entry.key);
        let mut listed = Vec::new();
        let mut entries = entries.as_slice();
        while !entries.is_empty() && listed.len() < page.limit {
            let (batch, rest) =
                entries.split_at((page.limit - listed.len()).min(BATCH).min(entries.len()));
            let records = at_once(batch.iter().map(|entry| self.load(&entry.key))).await;
            let mut gone = Vec::new();
            for (entry, record) in batch.iter().zip(records) {
                match record? {
                    None if entry.is_settled => gone.push(entry.bytes.clone()),
                    Some(record) if record.owner.as_deref() == Some(owner) => {
                        listed.extend(Some(record).filter(|record| record.is_live(now)));
                    }
                    _ => {}
                }
            }
            let _left_to_be_cleared_away = self.strike(owner.as_bytes(), &gone).await;
            entries = rest;
        }
        Ok(listed)
    }

    async fn delete_all(&self, owner: &str, which: Which) -> Result<u64, BoxError> {
        let (store, owner) = (self.clone(), owner.to_owned());
        let revoking = async move { store.revoke_all(&owner, which).await };
        // More than a thousand don't go at one go, nor two in a cluster. So this goes on to its end when its caller goes away.
        match Handle::try_current() {
            Ok(runtime) => {
                let ended = runtime.spawn(revoking).await;
                ended.map_err(|_| StoreError::new("a task that deletes sessions broke off"))?
            }
            Err(_) => revoking.await,
        }
    }

    /// Answers 0: Redis clears up by itself.
    async fn delete_expired(&self, _now: i64, _limit: usize) -> Result<u64, BoxError> {
        Ok(0)
    }
}

impl RedisStore {
    fn record(&self, key: &RecordKey) -> Vec<u8> {
        self.key("r:", key.as_bytes())
    }

    fn key(&self, kind: &str, bytes: &[u8]) -> Vec<u8> {
        let mut key = format!("{}{kind}", self.prefix);
        for byte in bytes {
            let _infallible = write!(key, "{byte:02x}");
        }
        key.into_bytes()
    }
}

/// Names one call: it knows its own work again when a connection repeats its command.
fn mark() -> Result<[u8; 16], BoxError> {
    random_bytes().map_err(|_| no_random_bytes())
}

fn no_random_bytes() -> BoxError {
    StoreError::new("the operating system gave no random bytes").into()
}

/// How long Redis has to keep something, in milliseconds. A difference of the caller's times: the server's clock may be wrong.
fn lifetime(from: i64, to: i64) -> i64 {
    to.saturating_sub(from).clamp(0, LONGEST) + MARGIN
}

fn outcome(answer: &[u8]) -> Result<Outcome, BoxError> {
    match answer {
        b"done" => Ok(Outcome::Done),
        b"conflict" => Ok(Outcome::Conflict),
        b"gone" => Ok(Outcome::Gone),
        _ => Err(unknown_answer()),
    }
}

fn unknown_answer() -> BoxError {
    StoreError::new("redis gave an answer that none of our scripts gives").into()
}
