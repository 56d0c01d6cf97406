//! The verbs of a store, in SQL.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use sqlx::Error;

use super::{
    failure::Failure,
    query::Value::{self, Bytes, Int, MaybeBytes},
    statements::{Statement, Statements},
};
use crate::{
    error::BoxError,
    store::{Created, Outcome, Page, Record, RecordKey, Which, pause},
};

/// How often a statement that fell victim to others is run before its error is told.
const TRIES: u32 = 8;
/// How many dead connections a read goes through: more than most pools have.
const DEAD: u32 = 32;

/// A pool, and the statements for its table.
pub(super) trait Connected: Sync {
    fn statements(&self) -> &Statements;

    /// Runs a statement; answers how many rows it hit.
    fn execute(
        &self,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Reads rows, with a `None` for each that holds no record.
    fn fetch(
        &self,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Vec<Option<Record>>, Error>> + Send;
}

pub(super) async fn create(db: &impl Connected, record: Record) -> Result<Created, BoxError> {
    let owner = record.owner.as_deref().map(str::as_bytes);
    let owner_key = owner.map(owner_key);
    let version = i64::try_from(record.version)
        .map_err(|_| Failure::new("the record's version is beyond what the table can hold"))?;
    let values = [
        Bytes(record.key.as_bytes()),
        Bytes(record.family.as_bytes()),
        MaybeBytes(owner),
        Int(record.created),
        Int(record.touched),
        Int(record.expires),
        Int(record.ends),
        Int(version),
        Bytes(&record.payload),
        MaybeBytes(owner_key.as_ref().map(<[u8; 32]>::as_slice)),
    ];
    match again(|| db.execute(&db.statements().create, &values)).await {
        Ok(_) => Ok(Created::Done),
        Err(Error::Database(error)) if error.is_unique_violation() => Ok(Created::Exists),
        Err(error) => Err(Failure::from(error).into()),
    }
}

pub(super) async fn load(db: &impl Connected, key: &RecordKey) -> Result<Option<Record>, BoxError> {
    let values = [Bytes(key.as_bytes())];
    let rows = fetch(db, &db.statements().load, &values).await?;
    #[cfg(feature = "tracing")]
    if rows.iter().any(Option::is_none) {
        tracing::warn!("a row in the table of sessions is no session: it opens nothing");
    }
    Ok(rows.into_iter().flatten().next())
}

pub(super) async fn update(
    db: &impl Connected,
    key: &RecordKey,
    version: u64,
    payload: Arc<[u8]>,
    now: i64,
) -> Result<Outcome, BoxError> {
    let values = [
        Bytes(&payload),
        Bytes(key.as_bytes()),
        Int(stored(version)),
        Int(now),
    ];
    if execute(db, &db.statements().update, &values).await? > 0 {
        return Ok(Outcome::Done);
    }
    let is_live = load(db, key)
        .await?
        .is_some_and(|record| record.is_live(now));
    Ok(conflict_or_gone(is_live))
}

pub(super) async fn touch(
    db: &impl Connected,
    key: &RecordKey,
    now: i64,
    expires: i64,
) -> Result<Outcome, BoxError> {
    let values = [Int(now), Int(expires), Bytes(key.as_bytes()), Int(now)];
    let hit = execute(db, &db.statements().touch, &values).await?;
    Ok(if hit > 0 {
        Outcome::Done
    } else {
        Outcome::Gone
    })
}

pub(super) async fn delete(
    db: &impl Connected,
    key: &RecordKey,
    version: Option<u64>,
) -> Result<Outcome, BoxError> {
    let statements = db.statements();
    let hit = match version {
        Some(version) => {
            let values = [Bytes(key.as_bytes()), Int(stored(version))];
            execute(db, &statements.delete_version, &values).await?
        }
        None => execute(db, &statements.delete, &[Bytes(key.as_bytes())]).await?,
    };
    match (hit, version) {
        (0, None) => Ok(Outcome::Gone),
        (0, Some(_)) => Ok(conflict_or_gone(load(db, key).await?.is_some())),
        _ => Ok(Outcome::Done),
    }
}

pub(super) async fn list(
    db: &impl Connected,
    owner: &str,
    page: Page,
    now: i64,
) -> Result<Vec<Record>, BoxError> {
    let owner_key = owner_key(owner.as_bytes());
    let (owner_key, limit) = (Bytes(&owner_key), Int(bounded(page.limit)));
    let rows = match &page.after {
        // No key is before all others in every database: a first page has a statement of its own.
        None => fetch(db, &db.statements().list, &[owner_key, Int(now), limit]).await?,
        Some(after) => {
            let values = [owner_key, Int(now), Bytes(after.as_bytes()), limit];
            fetch(db, &db.statements().list_after, &values).await?
        }
    };
    // To leave one out could make a page look like the last one.
    rows.into_iter()
        .map(|record| record.ok_or_else(|| Failure::new("a row in the table is no session").into()))
        .collect()
}

pub(super) async fn delete_all(
    db: &impl Connected,
    owner: &str,
    which: Which,
) -> Result<u64, BoxError> {
    let statements = db.statements();
    let owner_key = owner_key(owner.as_bytes());
    let owner_key = Bytes(&owner_key);
    match which {
        Which::All => execute(db, &statements.delete_all, &[owner_key]).await,
        Which::Only(family) => {
            let values = [owner_key, Bytes(family.as_bytes())];
            execute(db, &statements.delete_family, &values).await
        }
        Which::Except(family) => {
            let values = [owner_key, Bytes(family.as_bytes())];
            execute(db, &statements.delete_other_families, &values).await
        }
    }
}

pub(super) async fn delete_expired(
    db: &impl Connected,
    now: i64,
    limit: usize,
) -> Result<u64, BoxError> {
    let values = [Int(now), Int(bounded(limit))];
    execute(db, &db.statements().delete_expired, &values).await
}

/// What the owner's index holds: always 32 bytes, so that no length limit and no collation has a say in whose a record is.
fn owner_key(owner: &[u8]) -> [u8; 32] {
    Sha256::digest(owner).into()
}

/// A version as the table has it. One beyond that is no row's, and neither is -1.
fn stored(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(-1)
}

fn bounded(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn conflict_or_gone(is_there: bool) -> Outcome {
    if is_there {
        Outcome::Conflict
    } else {
        Outcome::Gone
    }
}

async fn execute(
    db: &impl Connected,
    statement: &Statement,
    values: &[Value<'_>],
) -> Result<u64, BoxError> {
    let hit = again(|| db.execute(statement, values)).await;
    Ok(hit.map_err(Failure::from)?)
}

async fn fetch(
    db: &impl Connected,
    statement: &Statement,
    values: &[Value<'_>],
) -> Result<Vec<Option<Record>>, BoxError> {
    let mut dead = 0;
    loop {
        match again(|| db.fetch(statement, values)).await {
            // The server was restarted, say, and the pool doesn't know yet. What only reads may be asked twice.
            Err(error) if is_dead(&error) && dead < DEAD => dead += 1,
            rows => return Ok(rows.map_err(Failure::from)?),
        }
    }
}

/// Whether the connection was closed before it was used. PostgreSQL says so (57P01) where it still can.
fn is_dead(error: &Error) -> bool {
    match error {
        Error::Io(_) => true,
        Error::Database(error) => error.code().as_deref() == Some("57P01"),
        _ => false,
    }
}

/// Runs a statement, and again when the database undid it for the sake of another one.
async fn again<T, F>(mut run: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut attempt = 0;
    loop {
        match run().await {
            Err(Error::Database(error)) if was_undone(&*error) && attempt + 1 < TRIES => {
                attempt += 1;
                pause(attempt).await;
            }
            answer => return answer,
        }
    }
}

/// SQLSTATE 40001, a serialization failure or MySQL's deadlock; 40P01, PostgreSQL's deadlock.
///
/// A lock that was waited for in vain is not among them: the caller's time is over by then. SQLite waits by itself.
fn was_undone(error: &dyn sqlx::error::DatabaseError) -> bool {
    error
        .code()
        .is_some_and(|code| matches!(&*code, "40001" | "40P01"))
}
