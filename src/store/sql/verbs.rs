//! The operations of a store, in SQL.

use sha2::{Digest as _, Sha256};
use sqlx::Error;

use super::{
    error::store_error,
    query::Value::{self, Bytes, Int, MaybeBytes, MaybeInt},
    retry::{read, retry},
    statements::{DeleteAll, Statement, Statements},
};
use crate::{
    error::{BoxError, StoreError},
    store::{CreateOutcome, Outcome, Page, SessionId, SessionRecord},
};

/// A pool, and the statements for its table.
pub(super) trait Connected: Sync {
    fn statements(&self) -> &Statements;

    /// Runs a prepared statement and returns the number of affected rows.
    fn execute(
        &self,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Runs statements whose text contains their values.
    fn execute_text(&self, sql: String) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Reads rows, with `None` for each one that is not a record.
    fn fetch(
        &self,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Vec<Option<SessionRecord>>, Error>> + Send;
}

pub(super) async fn create(
    db: &impl Connected,
    record: SessionRecord,
) -> Result<CreateOutcome, BoxError> {
    let version = i64::try_from(record.version)
        .map_err(|_| StoreError::new("the record's version does not fit into the table"))?;
    let owner = record.owner.as_deref();
    let values = [
        Bytes(record.id.as_bytes()),
        MaybeBytes(owner.map(str::as_bytes)),
        Int(version),
        Int(record.created),
        Int(record.touched),
        Int(record.expires),
        Int(record.ends),
        Bytes(&record.payload),
        MaybeInt(owner.map(owner_hash)),
    ];
    match retry(|| db.execute(&db.statements().create, &values)).await {
        Ok(_) => Ok(CreateOutcome::Done),
        Err(Error::Database(error)) if error.is_unique_violation() => Ok(CreateOutcome::Exists),
        Err(error) => Err(store_error(error).into()),
    }
}

pub(super) async fn load(
    db: &impl Connected,
    id: &SessionId,
) -> Result<Option<SessionRecord>, BoxError> {
    let values = [Bytes(id.as_bytes())];
    let rows = read(|| db.fetch(&db.statements().load, &values)).await?;
    #[cfg(feature = "tracing")]
    if rows.iter().any(Option::is_none) {
        tracing::warn!("a row in the session table is not a session record; it is ignored");
    }
    Ok(rows.into_iter().flatten().next())
}

pub(super) async fn update(
    db: &impl Connected,
    record: SessionRecord,
    now: i64,
) -> Result<Outcome, BoxError> {
    let values = [
        Int(record.touched),
        Int(record.expires),
        Int(record.ends),
        Bytes(&record.payload),
        Bytes(record.id.as_bytes()),
        Int(as_stored(record.version)),
        Int(now),
    ];
    if execute(db, &db.statements().update, &values).await? > 0 {
        return Ok(Outcome::Done);
    }
    let stored = load(db, &record.id).await?;
    let is_live = stored.is_some_and(|stored| stored.is_live(now));
    Ok(conflict_or_gone(is_live))
}

pub(super) async fn touch(
    db: &impl Connected,
    id: &SessionId,
    now: i64,
    expires: i64,
) -> Result<Outcome, BoxError> {
    let values = [Int(now), Int(expires), Bytes(id.as_bytes()), Int(now)];
    Ok(match execute(db, &db.statements().touch, &values).await? {
        0 => Outcome::Gone,
        _ => Outcome::Done,
    })
}

pub(super) async fn delete(
    db: &impl Connected,
    id: &SessionId,
    version: Option<u64>,
) -> Result<Outcome, BoxError> {
    let statements = db.statements();
    let Some(version) = version else {
        let deleted = execute(db, &statements.delete, &[Bytes(id.as_bytes())]).await?;
        return Ok(match deleted {
            0 => Outcome::Gone,
            _ => Outcome::Done,
        });
    };
    let values = [Bytes(id.as_bytes()), Int(as_stored(version))];
    match execute(db, &statements.delete_version, &values).await? {
        0 => Ok(conflict_or_gone(load(db, id).await?.is_some())),
        _ => Ok(Outcome::Done),
    }
}

pub(super) async fn list(
    db: &impl Connected,
    owner: &str,
    page: Page,
    now: i64,
) -> Result<Vec<SessionRecord>, BoxError> {
    let (hash, owner) = (Int(owner_hash(owner)), Bytes(owner.as_bytes()));
    let (now, limit) = (Int(now), Int(bounded(page.limit)));
    let statements = db.statements();
    let rows = match &page.after {
        None => {
            let values = [hash, now, owner, limit];
            read(|| db.fetch(&statements.list, &values)).await?
        }
        Some(after) => {
            let values = [hash, Bytes(after.as_bytes()), now, owner, limit];
            read(|| db.fetch(&statements.list_after, &values)).await?
        }
    };
    // A row that is not a record is an error: if it were omitted, the page could look like the last
    // one.
    rows.into_iter()
        .map(|record| {
            record
                .ok_or_else(|| StoreError::new("a row in the table is not a session record").into())
        })
        .collect()
}

pub(super) async fn delete_all(
    db: &impl Connected,
    owner: &str,
    except: Option<SessionId>,
) -> Result<u64, BoxError> {
    let mut values = vec![Int(owner_hash(owner)), Bytes(owner.as_bytes())];
    let statement = match &except {
        None => &db.statements().delete_all,
        Some(id) => {
            values.push(Bytes(id.as_bytes()));
            &db.statements().delete_all_but
        }
    };
    match statement {
        DeleteAll::Prepared(statement) => execute(db, statement, &values).await,
        DeleteAll::Text(statement) => {
            let deleted = retry(|| db.execute_text(statement.with(&values))).await;
            Ok(deleted.map_err(store_error)?)
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

/// Four bytes of a digest of the owner, so that the index is small and has a fixed width. Owners
/// with the same hash are told apart by the column `owner`.
fn owner_hash(owner: &str) -> i64 {
    let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(owner));
    i64::from(i32::from_be_bytes([a, b, c, d]))
}

/// A version that doesn't fit into the table becomes -1, which no row has.
fn as_stored(version: u64) -> i64 {
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
    let affected = retry(|| db.execute(statement, values)).await;
    Ok(affected.map_err(store_error)?)
}
