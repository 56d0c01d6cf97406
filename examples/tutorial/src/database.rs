//! The database file, which contains the accounts and the sessions.

use std::{path::Path, time::Duration};

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

/// Opens the file, and creates it if it is missing.
pub(crate) async fn open(path: impl AsRef<Path>) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal) // reads do not wait for writes
        .synchronous(SqliteSynchronous::Full) // acknowledged writes survive a power cut
        .busy_timeout(Duration::from_secs(1));
    SqlitePoolOptions::new()
        .acquire_timeout(Duration::from_secs(1))
        .connect_with(options)
        .await
}
