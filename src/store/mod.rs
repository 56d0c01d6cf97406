//! Session storage and its contract.
//!
//! A store knows nothing of users, cookies or HTTP. It keeps [`SessionRecord`]s under
//! [`SessionId`]s and makes these promises, each of which is a check of the public suite
//! `testing::store_contract` (feature `testing`):
//!
//! 1. **A finished write is seen by every later call on every node.** Reads go to the primary.
//! 2. **No upsert.** [`create`](SessionStore::create) only inserts;
//!    [`update`](SessionStore::update) and [`touch`](SessionStore::touch) only change a record that
//!    exists. A request that holds an old copy cannot bring back a session that a logout deleted.
//! 3. **Compare and swap.** `update` and a versioned [`delete`](SessionStore::delete) act only if
//!    the record still has the version that was read; `update` raises it by one, `touch` leaves it
//!    unchanged.
//! 4. **Expired is absent** for `update`, `touch` and `list`, from the millisecond at which `now >=
//!    expires`. [`load`](SessionStore::load) may return an expired record that is still there.
//!    Times come from the caller; a store uses its own clock only to remove expired records, late
//!    rather than early.
//! 5. **The owner's list is complete.** It may be slow and may return a record that is just being
//!    deleted, but it never lacks a live one.
//! 6. **A call that is dropped half-way takes effect completely or not at all.** It may take a
//!    moment until later calls see which of the two happened.
//! 7. **`delete_all` is atomic with respect to `create`.** It deletes all records that were created
//!    up to one moment, and none that are created later, so a concurrent `create` comes either
//!    before or after it.
//!
//! A change of this contract requires a major version of the crate.
//!
//! In the manual: [Choosing a store, several nodes](crate::manual::choosing_a_store).

mod backoff;
mod base64url;
#[cfg(feature = "cache")]
mod cached;
mod impls;
mod memory;
mod record;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod sql;
mod token;

/// The attribute macro for implementations of [`SessionStore`], whose methods are async and
/// dyn-compatible.
#[doc(inline)]
pub use async_trait::async_trait;

#[doc(inline)]
pub use crate::error::StoreError;

use crate::error::BoxError;

#[cfg(feature = "cache")]
pub use self::cached::CachedStore;
#[cfg(feature = "redis")]
pub use self::redis::RedisStore;
pub use memory::MemoryStore;
pub use record::{InvalidSessionId, SessionId, SessionRecord};
#[cfg(feature = "mysql")]
pub use sql::MySqlStore;
#[cfg(feature = "postgres")]
pub use sql::PostgresStore;
#[cfg(feature = "sqlite")]
pub use sql::SqliteStore;

pub(crate) use backoff::{backoff, jittered};
pub(crate) use token::{BrowserToken, Digest, Digester, Digests, RememberToken, SessionToken};

/// Keeps sessions. Implement it to use another database; the example `own_store` is a short
/// implementation.
///
/// With `#[async_trait]` (re-exported here) the methods are plain `async fn`s:
///
/// ```
/// use login_manager::{
///     BoxError,
///     store::{CreateOutcome, Outcome, Page, SessionId, SessionRecord, SessionStore, async_trait},
/// };
/// # struct MyStore;
///
/// #[async_trait]
/// impl SessionStore for MyStore {
///     async fn create(&self, record: SessionRecord) -> Result<CreateOutcome, BoxError> {
///         todo!("INSERT … ON CONFLICT DO NOTHING")
///     }
///     async fn load(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
///         todo!("SELECT … WHERE id = ?")
///     }
///     async fn update(&self, record: SessionRecord, now: i64) -> Result<Outcome, BoxError> {
///         todo!("UPDATE … WHERE id = ? AND version = ? AND expires > now")
///     }
///     async fn touch(&self, id: &SessionId, now: i64, expires: i64) -> Result<Outcome, BoxError> {
///         todo!("UPDATE … WHERE id = ? AND expires > now")
///     }
///     async fn delete(&self, id: &SessionId, version: Option<u64>) -> Result<Outcome, BoxError> {
///         todo!("DELETE … WHERE id = ? [AND version = ?]")
///     }
///     async fn list(
///         &self, owner: &str, page: Page, now: i64,
///     ) -> Result<Vec<SessionRecord>, BoxError> {
///         todo!("SELECT … WHERE owner = ? AND id > ? AND expires > now ORDER BY id LIMIT ?")
///     }
///     async fn delete_all(&self, owner: &str, except: Option<SessionId>) -> Result<u64, BoxError> {
///         todo!("DELETE … WHERE owner = ? [AND id <> ?]")
///     }
///     async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError> {
///         todo!("DELETE … WHERE expires <= now LIMIT ?")
///     }
/// }
/// ```
///
/// Every method may fail with any error; the crate turns it into
/// [`ErrorKind::Store`](crate::ErrorKind::Store), never into "not logged in". A call that takes
/// longer than the manager's deadline is dropped and counts as failed.
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a session store",
    note = "begin with `MemoryStore::new()`; the stores for databases need a feature of login-manager: \
            `sqlite`, `postgres`, `mysql` or `redis`",
    note = "`Arc` and `Box` of a store are stores, too"
)]
pub trait SessionStore: Send + Sync + 'static {
    /// Inserts a new record. Never overwrites.
    ///
    /// # Errors
    /// - if the store can't confirm that the record is stored
    async fn create(&self, record: SessionRecord) -> Result<CreateOutcome, BoxError>;

    /// Returns the record with this id. It may be an expired one that is still there.
    ///
    /// # Errors
    /// - if the store can't tell whether there is one
    async fn load(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError>;

    /// Returns the record with this id, bypassing any cache. The default implementation calls
    /// [`load`](SessionStore::load).
    ///
    /// # Errors
    /// - those of [`load`](SessionStore::load)
    async fn load_fresh(&self, id: &SessionId) -> Result<Option<SessionRecord>, BoxError> {
        self.load(id).await
    }

    /// Returns whether [`load`](SessionStore::load) may return an older record than
    /// [`load_fresh`](SessionStore::load_fresh). If so, the crate calls the latter before it
    /// rejects a session. Default: false.
    fn is_cache(&self) -> bool {
        false
    }

    /// Replaces `touched` (never by an earlier time), `expires`, `ends` and `payload` if the stored
    /// record is live at `now` and still has `record.version`, and raises the version by one.
    /// `owner` and `created` are as they were read and don't change.
    ///
    /// # Errors
    /// - if the store can't tell whether the record was replaced
    async fn update(&self, record: SessionRecord, now: i64) -> Result<Outcome, BoxError>;

    /// Records a use of the session at `now`: `touched` becomes `max(old, now)`, `expires` becomes
    /// `min(max(old, expires), ends)`. Everything else stays, including the version. Returns `Done`
    /// or `Gone`.
    ///
    /// # Errors
    /// - if the store can't tell whether the use was recorded
    async fn touch(&self, id: &SessionId, now: i64, expires: i64) -> Result<Outcome, BoxError>;

    /// Deletes the record, expired or not; with `Some(version)` only if it still has that version.
    ///
    /// # Errors
    /// - if the store can't confirm that the record is gone
    async fn delete(&self, id: &SessionId, version: Option<u64>) -> Result<Outcome, BoxError>;

    /// Returns one page of the owner's live records, in the order of their ids. Owners are compared
    /// byte by byte.
    ///
    /// # Errors
    /// - if the store can't return all of them
    async fn list(&self, owner: &str, page: Page, now: i64)
    -> Result<Vec<SessionRecord>, BoxError>;

    /// Deletes the owner's records, expired or not, except the one with the id `except`. Returns
    /// the number of deleted records.
    ///
    /// # Errors
    /// - if the store can't confirm that they are gone
    async fn delete_all(&self, owner: &str, except: Option<SessionId>) -> Result<u64, BoxError>;

    /// Deletes at most `limit` records that expired at or before `now`. Returns the number of
    /// deleted records; fewer than `limit` means that none are left. A store whose records expire
    /// by themselves returns 0.
    ///
    /// # Errors
    /// - if the store can't delete them; the next call tries again
    async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError>;

    /// Deletes about `limit` records of any owner, expired or not, for
    /// [`logout_everyone`](crate::LoginManager::logout_everyone). Returns the number of deleted
    /// records; fewer than `limit` means that every record that existed when the call began is
    /// deleted.
    ///
    /// The default returns an error. A store whose records don't expire by themselves can call
    /// [`delete_expired`](SessionStore::delete_expired) with `i64::MAX`.
    ///
    /// # Errors
    /// - if the store can't confirm that they are gone, or does not support this call
    async fn delete_any(&self, limit: usize) -> Result<u64, BoxError> {
        let _ = limit;
        Err(StoreError::new("this store can't delete the sessions of all users").into())
    }
}

/// The result of a [`create`](SessionStore::create).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[allow(
    clippy::exhaustive_enums,
    reason = "a third variant would be a new contract"
)]
pub enum CreateOutcome {
    /// The record is in the store.
    Done,
    /// A record with this id already exists; it was not changed.
    Exists,
}

/// The result of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[allow(
    clippy::exhaustive_enums,
    reason = "a fourth variant would be a new contract"
)]
pub enum Outcome {
    /// The change was made.
    Done,
    /// The record has another version; it was not changed.
    Conflict,
    /// There is no such record.
    Gone,
}

/// One page of an owner's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "every store has to follow all of it"
)]
pub struct Page {
    /// Only records with ids after this one are returned: the last id of the previous page.
    pub after: Option<SessionId>,
    /// At most this many records are returned. Fewer mean that there are no more.
    pub limit: usize,
}
