//! Statements that are run again: what the database undid for another one, and reads on connections that had died.

use sqlx::Error;

use crate::{
    error::{BoxError, StoreError},
    store::{Record, pause},
};

/// How often a statement that fell victim to others is run before its error is told: with the pauses between, about a second.
const TRIES: u32 = 32;
/// How many dead connections a read goes through: more than most pools have.
const DEAD: u32 = 32;

pub(super) async fn read<F>(mut run: impl FnMut() -> F) -> Result<Vec<Option<Record>>, BoxError>
where
    F: Future<Output = Result<Vec<Option<Record>>, Error>>,
{
    let mut dead = 0;
    loop {
        match again(&mut run).await {
            // The server was restarted, say, and the pool doesn't know yet. What only reads may be asked twice.
            Err(error) if is_dead(&error) && dead < DEAD => dead += 1,
            rows => return Ok(rows.map_err(StoreError::from)?),
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
pub(super) async fn again<T, F>(mut run: impl FnMut() -> F) -> Result<T, Error>
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
