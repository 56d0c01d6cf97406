//! The verbs of a store, in SQL.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use sqlx::Error;

use super::{
    again::{again, read},
    query::{
        Value::{self, Bytes, Int},
        columns,
    },
    statements::{Selection, Statement, Statements},
};
use crate::{
    error::{BoxError, StoreError},
    store::{Created, Outcome, Page, Record, RecordKey, Replaced, Which},
};

/// How often a deletion looks whether anything is left. Who logs in all the time may leave something, and may have.
const LOOKS: u32 = 16;

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

    /// Runs a statement that has its values in its text.
    fn execute_plain(&self, sql: String) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Reads rows by one.
    fn fetch_plain(
        &self,
        sql: String,
    ) -> impl Future<Output = Result<Vec<Option<Record>>, Error>> + Send;
}

pub(super) async fn create(db: &impl Connected, record: Record) -> Result<Created, BoxError> {
    let owner_key = record.owner.as_deref().map(owner_key);
    let values = columns(&record, owner_key.as_ref())?;
    match again(|| db.execute(&db.statements().create, &values)).await {
        Ok(_) => Ok(Created::Done),
        Err(Error::Database(error)) if error.is_unique_violation() => Ok(Created::Exists),
        Err(error) => Err(StoreError::from(error).into()),
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

pub(super) async fn replace(
    db: &impl Connected,
    old: &RecordKey,
    version: u64,
    new: Record,
) -> Result<Replaced, BoxError> {
    if new.key == *old {
        return Ok(Replaced::Exists);
    }
    let owner_key = new.owner.as_deref().map(owner_key);
    let mut values = columns(&new, owner_key.as_ref())?.to_vec();
    values.extend([Bytes(old.as_bytes()), Int(stored(version))]);
    match again(|| db.execute(&db.statements().replace, &values)).await {
        Ok(0) if load(db, old).await?.is_some() => Ok(Replaced::Conflict),
        Ok(0) => Ok(Replaced::Gone),
        Ok(_) => Ok(Replaced::Done),
        Err(Error::Database(error)) if error.is_unique_violation() => Ok(Replaced::Exists),
        Err(error) => Err(StoreError::from(error).into()),
    }
}

pub(super) async fn list(
    db: &impl Connected,
    owner: &str,
    page: Page,
    now: i64,
) -> Result<Vec<Record>, BoxError> {
    let owner_key = owner_key(owner);
    let (owner_key, limit) = (Bytes(&owner_key), Int(bounded(page.limit)));
    let rows = match &page.after {
        // No key is before all others in every database: a first page has a statement of its own.
        None => fetch_page(db, &db.statements().list, &[owner_key, Int(now), limit]).await?,
        Some(after) => {
            let values = [owner_key, Int(now), Bytes(after.as_bytes()), limit];
            fetch_page(db, &db.statements().list_after, &values).await?
        }
    };
    // To leave one out could make a page look like the last one.
    rows.into_iter()
        .map(|record| {
            record.ok_or_else(|| StoreError::new("a row in the table is no session").into())
        })
        .collect()
}

pub(super) async fn delete_all(
    db: &impl Connected,
    owner: &str,
    which: Which,
) -> Result<u64, BoxError> {
    let statements = db.statements();
    let owner_key = owner_key(owner);
    let owner_key = Bytes(&owner_key);
    match which {
        Which::All => delete_until_gone(db, &statements.all, &[owner_key]).await,
        Which::Only(family) => {
            let values = [owner_key, Bytes(family.as_bytes())];
            delete_until_gone(db, &statements.family, &values).await
        }
        Which::Except(family) => {
            let values = [owner_key, Bytes(family.as_bytes())];
            delete_until_gone(db, &statements.other_families, &values).await
        }
    }
}

/// A session that was renewed while the statement ran may have escaped it: its row has another key now, one that the statement
/// had passed already. So it looks again. Where it finds none at all, no renewal is on its way either: a row has its old key
/// until it has the new one.
async fn delete_until_gone(
    db: &impl Connected,
    selection: &Selection,
    values: &[Value<'_>],
) -> Result<u64, BoxError> {
    let mut deleted = 0;
    for _ in 0..LOOKS {
        deleted += execute_on_owner(db, &selection.delete, values).await?;
        if fetch(db, &selection.any, values).await?.is_empty() {
            break;
        }
    }
    Ok(deleted)
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
fn owner_key(owner: &str) -> [u8; 32] {
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
    Ok(hit.map_err(StoreError::from)?)
}

async fn execute_on_owner(
    db: &impl Connected,
    statement: &Statement,
    values: &[Value<'_>],
) -> Result<u64, BoxError> {
    if db.statements().spells_out {
        let hit = again(|| db.execute_plain(statement.spelled_out(values))).await;
        return Ok(hit.map_err(StoreError::from)?);
    }
    execute(db, statement, values).await
}

async fn fetch(
    db: &impl Connected,
    statement: &Statement,
    values: &[Value<'_>],
) -> Result<Vec<Option<Record>>, BoxError> {
    read(|| db.fetch(statement, values)).await
}

async fn fetch_page(
    db: &impl Connected,
    statement: &Statement,
    values: &[Value<'_>],
) -> Result<Vec<Option<Record>>, BoxError> {
    if db.statements().spells_out {
        return read(|| db.fetch_plain(statement.spelled_out(values))).await;
    }
    fetch(db, statement, values).await
}
