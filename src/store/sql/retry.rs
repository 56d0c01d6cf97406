//! Repeating statements: those that the database rolled back because of a concurrent one, and reads
//! on dead connections.

use sqlx::{Error, error::DatabaseError};

use super::error::store_error;
use crate::{
    error::BoxError,
    store::{SessionRecord, backoff},
};

/// How often a statement that the database rolls back is tried. With the pauses between the tries,
/// that takes about a second.
const MAX_ATTEMPTS: u32 = 32;
/// How many dead connections a read tries: more than most pools have.
const MAX_DEAD_CONNECTIONS: u32 = 32;

/// Runs a query that only reads. If its connection is dead, because the server was restarted for
/// example, it runs again on another one.
pub(super) async fn read<F>(
    mut run: impl FnMut() -> F,
) -> Result<Vec<Option<SessionRecord>>, BoxError>
where
    F: Future<Output = Result<Vec<Option<SessionRecord>>, Error>>,
{
    let mut dead = 0;
    loop {
        match retry(&mut run).await {
            Err(error) if is_dead_connection(&error) && dead < MAX_DEAD_CONNECTIONS => dead += 1,
            rows => return Ok(rows.map_err(store_error)?),
        }
    }
}

/// PostgreSQL reports a terminated connection as 57P01 if it still can.
fn is_dead_connection(error: &Error) -> bool {
    match error {
        Error::Io(_) => true,
        Error::Database(error) => error.code().as_deref() == Some("57P01"),
        _ => false,
    }
}

/// Runs a statement, and repeats it if the database rolled it back because of a concurrent one.
pub(super) async fn retry<T, F>(mut run: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut attempt = 0;
    loop {
        match run().await {
            Err(Error::Database(error))
                if is_rolled_back(&*error) && attempt + 1 < MAX_ATTEMPTS =>
            {
                attempt += 1;
                backoff(attempt).await;
            }
            result => return result,
        }
    }
}

/// SQLSTATE 40001, a serialization failure or MySQL's deadlock; 40P01, PostgreSQL's deadlock.
///
/// A lock timeout is not included: the caller's deadline has passed by then. SQLite waits by
/// itself.
fn is_rolled_back(error: &dyn DatabaseError) -> bool {
    error
        .code()
        .is_some_and(|code| matches!(&*code, "40001" | "40P01"))
}
