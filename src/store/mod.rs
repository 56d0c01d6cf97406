//! Session storage and its contract.
//!
//! A store knows nothing of users, cookies or HTTP. It keeps [`Record`]s under [`RecordKey`]s, and promises six things:
//!
//! 1. **A finished write is seen by every later call on every node.** Reads go to the primary.
//! 2. **No upsert.** `create` only inserts; `update` and `touch` only change what is there. Whoever comes late with an
//!    old copy can't revive what a logout deleted.
//! 3. **Versions.** `update`, `replace` and a versioned `delete` act only where the record still has the version that was
//!    read; `update` raises it by one. `touch` leaves it alone.
//! 4. **Expired is absent** for `update`, `touch` and `list`, from the millisecond on at which `now >= expires`. `load` hands
//!    out an expired record that is still there, and the crate deletes it: it stays dead if the clock goes back. The
//!    caller says what time it is. A clock of its own a store asks only to clear away what is dead, rather late than early.
//! 5. **The owner's list is complete.** It may be slow, it may meet a record that is just being deleted, but it never
//!    lacks a live one.
//! 6. **A call that is dropped half-way did all of it or nothing.** Which of the two may turn out a moment later. Only a
//!    `replace` may leave both records behind, never neither.
//!
//! Times are Unix milliseconds. With the feature `testing`, `testing::store_contract` puts a store to all of this.

#[cfg(feature = "cache")]
mod cached;
mod memory;
mod pause;
mod pointer;
mod record;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod sql;
mod token;

use std::sync::Arc;

use async_trait::async_trait;

use crate::error::BoxError;

#[cfg(feature = "cache")]
pub use self::cached::CachedStore;
#[cfg(feature = "redis")]
pub use self::redis::RedisStore;
pub use memory::MemoryStore;
pub use record::{Family, InvalidFamily, Record, RecordKey};
#[cfg(feature = "mysql")]
pub use sql::MySqlStore;
#[cfg(feature = "postgres")]
pub use sql::PostgresStore;
#[cfg(feature = "sqlite")]
pub use sql::SqliteStore;

pub(crate) use pause::{pause, pause_about};
pub(crate) use token::{Purpose, RememberToken, Token, digest, random_bytes};

/// Stores sessions. Implement it for a custom store; [`MemoryStore`] is the one to read first.
///
/// Every method may fail with any error; the crate turns it into
/// [`ErrorKind::Store`](crate::ErrorKind::Store), never into "not logged in". A call that takes
/// longer than the manager's deadline is dropped and treated as failed.
///
/// These are the signatures to implement, here in a store that wraps another one:
///
/// ```
/// use std::sync::Arc;
///
/// use login_manager::{
///     BoxError, SessionStore,
///     store::{Created, Outcome, Page, Record, RecordKey, Which},
/// };
///
/// struct Wrapper<S>(S);
///
/// #[login_manager::async_trait]
/// impl<S: SessionStore> SessionStore for Wrapper<S> {
///     async fn create(&self, record: Record) -> Result<Created, BoxError> {
///         self.0.create(record).await
///     }
///     async fn load(&self, key: &RecordKey) -> Result<Option<Record>, BoxError> {
///         self.0.load(key).await
///     }
///     async fn update(
///         &self, key: &RecordKey, version: u64, payload: Arc<[u8]>, now: i64,
///     ) -> Result<Outcome, BoxError> {
///         self.0.update(key, version, payload, now).await
///     }
///     async fn touch(&self, key: &RecordKey, now: i64, expires: i64) -> Result<Outcome, BoxError> {
///         self.0.touch(key, now, expires).await
///     }
///     async fn delete(&self, key: &RecordKey, version: Option<u64>) -> Result<Outcome, BoxError> {
///         self.0.delete(key, version).await
///     }
///     async fn list(&self, owner: &str, page: Page, now: i64) -> Result<Vec<Record>, BoxError> {
///         self.0.list(owner, page, now).await
///     }
///     async fn delete_all(&self, owner: &str, which: Which) -> Result<u64, BoxError> {
///         self.0.delete_all(owner, which).await
///     }
///     async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError> {
///         self.0.delete_expired(now, limit).await
///     }
///     // `replace` has a default.
/// }
/// ```
#[async_trait]
pub trait SessionStore: Send + Sync + 'static {
    /// Inserts a new record. Never overwrites.
    ///
    /// # Errors
    /// When the store can't say that the record is safe.
    async fn create(&self, record: Record) -> Result<Created, BoxError>;

    /// The record under this key, expired or not. A store that has cleared an expired one away has none.
    ///
    /// # Errors
    /// When the store can't say whether there is one.
    async fn load(&self, key: &RecordKey) -> Result<Option<Record>, BoxError>;

    /// Replaces the payload if the record still has this version, and raises the version by one. All else stays.
    ///
    /// # Errors
    /// When the store can't say whether it did.
    async fn update(
        &self,
        key: &RecordKey,
        version: u64,
        payload: Arc<[u8]>,
        now: i64,
    ) -> Result<Outcome, BoxError>;

    /// Notes that the record was used at `now`: `touched` becomes `now`, `expires` becomes
    /// `min(max(old, expires), ends)`. All else stays, the version too. Answers `Done` or `Gone`.
    ///
    /// # Errors
    /// When the store can't say whether it did.
    async fn touch(&self, key: &RecordKey, now: i64, expires: i64) -> Result<Outcome, BoxError>;

    /// Deletes the record, expired or not, with `Some(version)` only if it still has that version.
    ///
    /// # Errors
    /// When the store can't say that the record is gone.
    async fn delete(&self, key: &RecordKey, version: Option<u64>) -> Result<Outcome, BoxError>;

    /// Puts a new record in the place of another one, if that still has this version: inserts the one and deletes the other,
    /// expired or not. Where it isn't `Done` both are left as they were; where two answers are true, either may come. At no moment
    /// neither is there.
    ///
    /// A [`delete_all`](SessionStore::delete_all) beside it that includes both meets the one or the other: no session gets away by taking
    /// another key.
    ///
    /// The default takes two steps, or three. A store that can do it in one, by a statement or a script, saves each login the others.
    ///
    /// # Errors
    /// When the store can't say which of them is there; then it may be both.
    async fn replace(
        &self,
        old: &RecordKey,
        version: u64,
        new: Record,
    ) -> Result<Replaced, BoxError> {
        let key = new.key;
        if key == *old || self.create(new).await? == Created::Exists {
            return Ok(Replaced::Exists);
        }
        let replaced = match self.delete(old, Some(version)).await? {
            Outcome::Done => return Ok(Replaced::Done),
            Outcome::Conflict => Replaced::Conflict,
            Outcome::Gone => Replaced::Gone,
        };
        // What became of the old one is known, whatever comes of this.
        let _taken_back = self.delete(&key, None).await;
        Ok(replaced)
    }

    /// The owner's live records in the order of their keys, one page of them. Owners are equal when their bytes are.
    ///
    /// # Errors
    /// When the store can't say which there are.
    async fn list(&self, owner: &str, page: Page, now: i64) -> Result<Vec<Record>, BoxError>;

    /// Deletes the owner's records, expired or not: all, or those of a family, or those of the others. Answers how many.
    ///
    /// # Errors
    /// When the store can't say that they are gone.
    async fn delete_all(&self, owner: &str, which: Which) -> Result<u64, BoxError>;

    /// Deletes at most `limit` records that expired at or before `now`. Answers how many: fewer than `limit` means that there
    /// are no more. A store whose records have a time to live has nothing to do here and answers 0.
    ///
    /// # Errors
    /// When the store can't; the next call tries again.
    async fn delete_expired(&self, now: i64, limit: usize) -> Result<u64, BoxError>;
}

/// What became of a [`create`](SessionStore::create).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[allow(
    clippy::exhaustive_enums,
    reason = "a store answers one of these two; a third would be a new contract"
)]
pub enum Created {
    /// The record is in the store.
    Done,
    /// There is a record under this key already; it was left alone.
    Exists,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[allow(
    clippy::exhaustive_enums,
    reason = "a store answers one of these three; a fourth would be a new contract"
)]
pub enum Outcome {
    /// It was made.
    Done,
    /// The record has another version by now; it was left alone.
    Conflict,
    /// There is no live record under this key.
    Gone,
}

/// What became of a [`replace`](SessionStore::replace).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[allow(
    clippy::exhaustive_enums,
    reason = "a store answers one of these four; a fifth would be a new contract"
)]
pub enum Replaced {
    /// The new record is in the store, the old one is not.
    Done,
    /// There is a record under the new key already, or both keys are the same.
    Exists,
    /// The old record has another version by now.
    Conflict,
    /// There is no old record.
    Gone,
}

/// Which of an owner's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_enums,
    reason = "every store has to know all of them"
)]
pub enum Which {
    /// All of them.
    All,
    /// Those of this family.
    Only(Family),
    /// Those of every other family.
    Except(Family),
}

impl Which {
    /// Whether a record of this family is one of them.
    #[must_use]
    pub fn includes(self, family: Family) -> bool {
        match self {
            Self::All => true,
            Self::Only(only) => family == only,
            Self::Except(except) => family != except,
        }
    }
}

/// One page of an owner's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "every store has to obey all of it"
)]
pub struct Page {
    /// Only keys after this one: the last of the page before.
    pub after: Option<RecordKey>,
    /// At most this many records. Fewer mean that there are no more: who reads on from page to page ends there.
    pub limit: usize,
}
