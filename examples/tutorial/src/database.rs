//! The one file in which everything is kept: accounts and sessions.

use std::{path::Path, time::Duration};

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

/// Opens the file; makes it where it is missing.
pub(crate) async fn open(path: impl AsRef<Path>) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal) // pages are read while others are written
        .synchronous(SqliteSynchronous::Full) // what was acknowledged survives a power cut
        .busy_timeout(Duration::from_secs(1));
    SqlitePoolOptions::new()
        .acquire_timeout(Duration::from_secs(1))
        .connect_with(options)
        .await
}
