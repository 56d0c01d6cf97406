//! From our values to a query, and from a row to a record.

use std::sync::Arc;

use sqlx::{
    AssertSqlSafe, ColumnIndex, Database, Decode, Encode, Error, Row, Type,
    database::HasStatementCache, query::Query,
};

use super::statements::Statement;
use crate::store::{Family, Record, RecordKey};

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
    let key: &[u8] = row.try_get(0)?;
    let family: &[u8] = row.try_get(1)?;
    let owner: Option<&[u8]> = row.try_get(2)?;
    let version: i64 = row.try_get(7)?;
    let payload: &[u8] = row.try_get(8)?;

    let (Ok(key), Ok(family), Ok(owner), Ok(version)) = (
        key.try_into(),
        family.try_into(),
        owner.map(std::str::from_utf8).transpose(),
        version.try_into(),
    ) else {
        return Ok(None);
    };
    Ok(Some(Record {
        key: RecordKey::from_bytes(key),
        family: Family::from_bytes(family),
        owner: owner.map(Into::into),
        created: row.try_get(3)?,
        touched: row.try_get(4)?,
        expires: row.try_get(5)?,
        ends: row.try_get(6)?,
        version,
        payload: payload.into(),
    }))
}
