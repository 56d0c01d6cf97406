//! From our values to a query, and from a row to a record.

use std::sync::Arc;

use sqlx::{
    AssertSqlSafe, ColumnIndex, Database, Decode, Encode, Error, Row, Type,
    database::HasStatementCache, query::Query,
};

use super::statements::Statement;
use crate::{
    error::StoreError,
    store::{Family, Record, RecordKey},
};

/// All that ever goes into a statement. None of it becomes text.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Int(i64),
    Bytes(&'a [u8]),
    MaybeBytes(Option<&'a [u8]>),
}

/// A query with these values. The statement is ours to the last letter: the table's name has been checked.
pub(super) fn query<'q, DB>(
    statement: &Statement,
    values: &[Value<'_>],
) -> Query<'q, DB, DB::Arguments>
where
    DB: Database + HasStatementCache,
    for<'v> i64: Encode<'v, DB> + Type<DB>,
    for<'v> &'v [u8]: Encode<'v, DB> + Type<DB>,
    for<'v> Option<&'v [u8]>: Encode<'v, DB>,
{
    let query = sqlx::query(AssertSqlSafe(Arc::clone(&statement.0)));
    values.iter().fold(query, |query, value| match *value {
        Value::Int(int) => query.bind(int),
        Value::Bytes(bytes) => query.bind(bytes),
        Value::MaybeBytes(bytes) => query.bind(bytes),
    })
}

/// All that a row holds, in the order of the statements that write it.
///
/// # Errors
/// When the table has no room for the version.
pub(super) fn columns<'a>(
    record: &'a Record,
    owner_key: Option<&'a [u8; 32]>,
) -> Result<[Value<'a>; 10], StoreError> {
    let version = i64::try_from(record.version)
        .map_err(|_| StoreError::new("the record's version is beyond what the table can hold"))?;
    Ok([
        Value::Bytes(record.key.as_bytes()),
        Value::Bytes(record.family.as_bytes()),
        Value::MaybeBytes(record.owner.as_deref().map(str::as_bytes)),
        Value::Int(record.created),
        Value::Int(record.touched),
        Value::Int(record.expires),
        Value::Int(record.ends),
        Value::Int(version),
        Value::Bytes(&record.payload),
        Value::MaybeBytes(owner_key.map(<[u8; 32]>::as_slice)),
    ])
}

/// The record that a row holds, or none where no record can look like that: somebody else has written to the table.
///
/// # Errors
/// When the columns aren't those of our table.
pub(super) fn record<R>(row: &R) -> Result<Option<Record>, Error>
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> &'r [u8]: Decode<'r, R::Database> + Type<R::Database>,
{
    let owner: Option<&[u8]> = row.try_get(2)?;
    let bytes: [&[u8]; 3] = [row.try_get(0)?, row.try_get(1)?, row.try_get(8)?];
    Ok(assemble(bytes, owner, numbers(row)?))
}

/// The same where the server has answered in text, from which bytes can't be borrowed.
///
/// # Errors
/// When the columns aren't those of our table.
pub(super) fn plain_record<R>(row: &R) -> Result<Option<Record>, Error>
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
{
    let owner: Option<Vec<u8>> = row.try_get(2)?;
    let bytes: [Vec<u8>; 3] = [row.try_get(0)?, row.try_get(1)?, row.try_get(8)?];
    let bytes = bytes.each_ref().map(Vec::as_slice);
    Ok(assemble(bytes, owner.as_deref(), numbers(row)?))
}

/// From created to version.
fn numbers<R>(row: &R) -> Result<[i64; 5], Error>
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
{
    Ok([
        row.try_get(3)?,
        row.try_get(4)?,
        row.try_get(5)?,
        row.try_get(6)?,
        row.try_get(7)?,
    ])
}

fn assemble(
    [key, family, payload]: [&[u8]; 3],
    owner: Option<&[u8]>,
    [created, touched, expires, ends, version]: [i64; 5],
) -> Option<Record> {
    Some(Record {
        key: RecordKey::from_bytes(key.try_into().ok()?),
        family: Family::from_bytes(family.try_into().ok()?),
        owner: match owner {
            Some(owner) => Some(std::str::from_utf8(owner).ok()?.into()),
            None => None,
        },
        created,
        touched,
        expires,
        ends,
        version: version.try_into().ok()?,
        payload: payload.into(),
    })
}
