//! Binding values to a query, and reading a record from a row.

use std::sync::Arc;

use sqlx::{
    AssertSqlSafe, ColumnIndex, Database, Decode, Encode, Error, Row, Type,
    database::HasStatementCache, query::Query,
};

use super::statements::Statement;
use crate::store::{SessionId, SessionRecord};

/// A parameter of a statement. All parameters are numbers and bytes: no time zone, character set or
/// collation of the database applies to them.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Int(i64),
    MaybeInt(Option<i64>),
    Bytes(&'a [u8]),
    MaybeBytes(Option<&'a [u8]>),
}

/// A prepared query with these values. The only part of the statement that is not a literal of
/// this crate is the table's name, which has been checked.
pub(super) fn query<'q, DB>(
    statement: &Statement,
    values: &[Value<'_>],
) -> Query<'q, DB, DB::Arguments>
where
    DB: Database + HasStatementCache,
    for<'v> i64: Encode<'v, DB> + Type<DB>,
    for<'v> Option<i64>: Encode<'v, DB>,
    for<'v> &'v [u8]: Encode<'v, DB> + Type<DB>,
    for<'v> Option<&'v [u8]>: Encode<'v, DB>,
{
    let query = sqlx::query(AssertSqlSafe(Arc::clone(&statement.0)));
    values.iter().fold(query, |query, value| match *value {
        Value::Int(int) => query.bind(int),
        Value::MaybeInt(int) => query.bind(int),
        Value::Bytes(bytes) => query.bind(bytes),
        Value::MaybeBytes(bytes) => query.bind(bytes),
    })
}

/// The record in a row of `statements::COLUMNS`, or `None` if the row is not a record, because
/// another program wrote it.
///
/// # Errors
/// - if the columns are not those of the table
pub(super) fn record<R>(row: &R) -> Result<Option<SessionRecord>, Error>
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> &'r [u8]: Decode<'r, R::Database> + Type<R::Database>,
{
    let id: &[u8] = row.try_get(0)?;
    let owner: Option<&[u8]> = row.try_get(1)?;
    let version: i64 = row.try_get(2)?;
    let [created, touched, expires, ends]: [i64; 4] = [
        row.try_get(3)?,
        row.try_get(4)?,
        row.try_get(5)?,
        row.try_get(6)?,
    ];
    let payload: &[u8] = row.try_get(7)?;
    let (Ok(id), Ok(version), Ok(owner)) = (
        id.try_into(),
        version.try_into(),
        owner.map(std::str::from_utf8).transpose(),
    ) else {
        return Ok(None);
    };
    Ok(Some(SessionRecord {
        id: SessionId::from_bytes(id),
        owner: owner.map(Into::into),
        version,
        created,
        touched,
        expires,
        ends,
        payload: payload.into(),
    }))
}
