//! SQLite.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Sqlite, SqlitePool};
use tokio::sync::Mutex;

use super::{
    error::store_error,
    statements::{Dialect, Statements},
    table::Table,
};
use crate::error::{ConfigError, StoreError};

/// Keeps sessions in a table of an SQLite database, which is a file on this machine.
///
/// The pool is that of sqlx: `cargo add sqlx --no-default-features --features
/// runtime-tokio,sqlite-bundled`, in the version of the [feature table](crate#features). It can
/// also serve your own tables in the same file; add sqlx's feature `derive` for
/// `#[derive(FromRow)]`.
///
/// ```no_run
/// use std::time::Duration;
///
/// # use login_manager::AuthUser;
/// # struct Account;
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
/// # impl<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> for Account {
/// #     fn from_row(_: &sqlx::sqlite::SqliteRow) -> sqlx::Result<Self> { Ok(Account) }
/// # }
/// use login_manager::{LoginManager, SqliteStore};
/// use sqlx::sqlite::{
///     SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
/// };
///
/// # async fn open() -> Result<LoginManager<Account>, Box<dyn std::error::Error>> {
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
/// let store = SqliteStore::new(pool.clone());
/// store.migrate().await?;
///
/// let load_user = move |id: i64| {
///     let query = sqlx::query_as::<_, Account>("SELECT * FROM accounts WHERE id = ?").bind(id);
///     let pool = pool.clone();
///     async move { query.fetch_optional(&pool).await }
/// };
/// let login_manager = LoginManager::new(store, load_user).with_realm("account");
/// login_manager.spawn_cleanup(Duration::from_secs(60 * 60)); // deletes expired sessions
/// # Ok(login_manager)
/// # }
/// ```
///
/// SQLite has one writer at a time. The writes of this store and its clones wait for each other in
/// order and take no connection while they wait, so concurrent logins do not fail with "database is
/// locked". Reads do not wait. Create one store and clone it, since separate stores do not
/// coordinate their writes.
///
/// # Settings
/// - **WAL** lets requests read while one writes. Without it reads and writes block each other.
/// - **`synchronous`** is `FULL` by default: an acknowledged login survives a power failure. With
///   `NORMAL` in WAL mode a power failure can undo the last logins and logouts, and the WAL file
///   may grow to hundreds of megabytes under constant load, because readers keep SQLite from
///   restarting it. It does not shrink by itself afterwards; with `.pragma("journal_size_limit",
///   "67108864")` it is truncated when it is restarted.
/// - **`busy_timeout`** is how long a write waits for a write of another process, or of another
///   part of this application. If it is below the manager's deadline of `2 s`, the error says
///   "database is locked"; otherwise it only says that the store took too long. sqlx's default is
///   `5 s`.
/// - **`acquire_timeout`** of the pool should be below the deadline for the same reason. sqlx's
///   default is `30 s`.
/// - **In memory** (`sqlite::memory:`) the database lives as long as its one connection. Keep the
///   connection open with `max_connections(1)`, `idle_timeout(None)`, `max_lifetime(None)` and
///   `test_before_acquire(false)`.
///
/// Several processes on one machine may share the file. Do not put it on a network drive.
#[derive(Clone)]
pub struct SqliteStore {
    pool: SqlitePool,
    table: Table,
    statements: Arc<Statements>,
    // Writes wait for this lock. SQLite itself sleeps and tries again, which is slow and starves
    // some of the writers.
    writer: Arc<Mutex<()>>,
}

sql_store!(SqliteStore, Sqlite, SqlitePool, one_writer: writer);

impl SqliteStore {
    /// Uses another table. The name is always quoted.
    ///
    /// # Errors
    /// - if the name is longer than 48 bytes, contains characters other than ASCII letters, digits
    ///   and underscores, or begins with a digit
    pub fn with_table(self, table: &str) -> Result<Self, ConfigError> {
        Ok(self.in_table(Table::parse(table)?))
    }

    /// Creates the table and its indexes if they do not exist. Call it at every start; several
    /// processes may do so at once.
    ///
    /// # Errors
    /// - if the database is read-only and has no such table
    /// - if the database can't be opened, or was locked for longer than `busy_timeout`
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let _writer = self.writer.lock().await;
        sqlx::raw_sql(AssertSqlSafe(self.schema()))
            .execute(&self.pool)
            .await
            .map_err(store_error)?;
        Ok(())
    }

    /// Returns the SQL that [`migrate`](Self::migrate) runs, for an application that manages its
    /// migrations itself.
    #[must_use]
    pub fn schema(&self) -> String {
        let table = self.table.quoted('"');
        let by_owner = self.table.index("owner");
        let by_expires = self.table.index("expires");
        // The table has rowids: `WITHOUT ROWID` would put payloads into the B-tree of random ids,
        // which is a third empty.
        format!(
            "\
CREATE TABLE IF NOT EXISTS {table} (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    owner_hash INTEGER,
    owner BLOB,
    version INTEGER NOT NULL CHECK (version >= 0),
    created INTEGER NOT NULL,
    touched INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    payload BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS \"{by_owner}\" ON {table} (owner_hash, id) WHERE owner_hash IS NOT NULL;
CREATE INDEX IF NOT EXISTS \"{by_expires}\" ON {table} (expires);
"
        )
    }
}

fn dialect(table: &Table) -> Dialect {
    let table = table.quoted('"');
    Dialect {
        delete_expired: format!(
            "DELETE FROM {table} WHERE rowid IN \
             (SELECT rowid FROM {table} WHERE expires <= ? ORDER BY expires LIMIT ?)"
        ),
        table,
        id_read: "id",
        id_written: "?",
        least: "MIN",
        greatest: "MAX",
        is_numbered: false,
        delete_all_at: None,
    }
}
