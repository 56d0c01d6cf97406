//! SQLite.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Sqlite, SqlitePool};

use super::{
    statements::{Dialect, Statements},
    table::Table,
};
use crate::error::{BoxError, ConfigError, StoreError};

/// Keeps sessions in a table of an SQLite database, which is a file on this machine.
///
/// ```no_run
/// use std::time::Duration;
///
/// use login_manager::SqliteStore;
/// use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
///
/// # async fn open() -> Result<SqliteStore, Box<dyn std::error::Error + Send + Sync>> {
/// let options = SqliteConnectOptions::new()
///     .filename("app.db")
///     .create_if_missing(true)
///     .journal_mode(SqliteJournalMode::Wal)
///     .synchronous(SqliteSynchronous::Full)
///     .busy_timeout(Duration::from_secs(1));
/// let pool = SqlitePoolOptions::new()
///     .acquire_timeout(Duration::from_secs(1))
///     .connect_with(options)
///     .await?;
/// let store = SqliteStore::new(pool);
/// store.migrate().await?;
/// # Ok(store)
/// # }
/// ```
///
/// # Settings
/// - **WAL** lets requests read while one writes. Without it a write waits for all reads, and they for it.
/// - **`synchronous`** is `FULL` where nothing else is said: a login that was acknowledged survives a power cut. With
///   `NORMAL` in WAL a power cut can take back the last logins, and the last logouts too.
/// - **`busy_timeout`** is how long a write waits for another one, in this process or in another. Below the manager's
///   deadline of 2 seconds you get an error that says "database is locked", beyond it one that only says it took too long.
///   sqlx has 5 seconds.
/// - **`acquire_timeout`** of the pool for the same reason; sqlx has 30 seconds.
/// - **In memory** (`sqlite::memory:`) the database goes with its one connection, so that must stay: `max_connections(1)`,
///   `idle_timeout(None)`, `max_lifetime(None)`, `test_before_acquire(false)`.
///
/// Several processes on one machine may share the file; it doesn't belong on a network drive.
#[derive(Clone)]
pub struct SqliteStore {
    pool: SqlitePool,
    table: Table,
    statements: Arc<Statements>,
}

session_store!(SqliteStore, Sqlite);

impl SqliteStore {
    /// Sessions in the table `login_sessions` of this pool's database. Asks nothing of the database yet.
    #[must_use]
    pub fn new(pool: SqlitePool) -> Self {
        Self::in_table(pool, Table::default())
    }

    /// Takes another table. Its name is quoted wherever it is used.
    ///
    /// # Errors
    /// When the name is more than 48 ASCII letters, digits and underscores, or begins with a digit.
    pub fn with_table(self, table: &str) -> Result<Self, ConfigError> {
        Ok(Self::in_table(self.pool, Table::parse(table)?))
    }

    /// Makes the table and its indexes where they don't exist yet. Call it at every start; several may do so at once.
    ///
    /// # Errors
    /// When the database is read-only and has no such table, can't be reached, or was locked for longer than `busy_timeout`.
    pub async fn migrate(&self) -> Result<(), BoxError> {
        sqlx::raw_sql(AssertSqlSafe(self.schema()))
            .execute(&self.pool)
            .await
            .map_err(StoreError::from)?;
        Ok(())
    }

    /// The SQL that [`migrate`](Self::migrate) runs, for those who manage their migrations themselves.
    #[must_use]
    pub fn schema(&self) -> String {
        let table = self.table.quoted('"');
        let by_owner = self.table.index("owner");
        let by_expires = self.table.index("expires");
        // With rows of some kilobytes, a table without rowid would have few of them to a page, and long searches.
        format!(
            "\
CREATE TABLE IF NOT EXISTS {table} (
    record_key BLOB NOT NULL PRIMARY KEY CHECK (length(record_key) = 32),
    family BLOB NOT NULL CHECK (length(family) = 16),
    owner_key BLOB CHECK (length(owner_key) = 32),
    owner BLOB,
    created INTEGER NOT NULL,
    touched INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 0),
    payload BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS \"{by_owner}\" ON {table} (owner_key, record_key);
CREATE INDEX IF NOT EXISTS \"{by_expires}\" ON {table} (expires);
"
        )
    }

    fn in_table(pool: SqlitePool, table: Table) -> Self {
        let name = table.quoted('"');
        let dialect = Dialect {
            delete_expired: format!(
                "DELETE FROM {name} WHERE rowid IN \
                 (SELECT rowid FROM {name} WHERE expires <= ? ORDER BY expires LIMIT ?)"
            ),
            table: name,
            least: "MIN",
            greatest: "MAX",
            numbered: false,
            spells_out: false,
            before_delete_all: "",
        };
        Self {
            pool,
            statements: Arc::new(Statements::new(&dialect)),
            table,
        }
    }
}
