//! PostgreSQL.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, PgPool, Postgres};

use super::{
    error::store_error,
    statements::{Dialect, Statements},
    table::Table,
};
use crate::error::{ConfigError, StoreError};

/// The advisory lock of a migration: a number that nothing else in the database is likely to use.
const MIGRATION: i64 = 0x6c6f_6769_6e73_6573;

/// Keeps sessions in a table of a PostgreSQL database.
///
/// ```no_run
/// use std::time::Duration;
///
/// use login_manager::PostgresStore;
/// use sqlx::{Connection as _, postgres::PgPoolOptions};
///
/// # async fn open() -> Result<PostgresStore, Box<dyn std::error::Error + Send + Sync>> {
/// let pool = PgPoolOptions::new()
///     .acquire_timeout(Duration::from_secs(1))
///     // Ping only connections that have been idle for long.
///     .test_before_acquire(false)
///     .before_acquire(|connection, meta| {
///         Box::pin(async move {
///             if meta.idle_for < Duration::from_secs(60) {
///                 return Ok(true);
///             }
///             let limit = Duration::from_millis(500);
///             let ping = tokio::time::timeout(limit, connection.ping()).await;
///             Ok(matches!(ping, Ok(Ok(()))))
///         })
///     })
///     .connect("postgres://app@db.example.com/app?sslmode=verify-full")
///     .await?;
/// let store = PostgresStore::new(pool);
/// store.migrate().await?;
/// # Ok(store)
/// # }
/// ```
///
/// # Settings
/// - **The primary, always.** A replica lags behind: it lacks the newest logins and still has
///   sessions that were logged out.
/// - **Durability** depends on the server: with `synchronous_commit = on` (its default), an
///   acknowledged login survives a crash. A failover to an asynchronous replica can still undo the
///   last logins and logouts; `synchronous_standby_names` prevents that.
/// - **TLS** is a feature of sqlx that your application enables, such as `tls-rustls-ring-webpki`
///   or `tls-native-tls`, with `sslmode=verify-full` in the URL.
/// - **`acquire_timeout`** of the pool should be below the manager's deadline of `2 s`, so that
///   the error says that the pool was exhausted. sqlx's default is `30 s`.
/// - **`test_before_acquire(false)`** saves a round trip for each call. sqlx pings a connection
///   when it returns to the pool, whatever is set, so only connections that have been idle since
///   may be dead. A read on a dead connection is repeated on another one; a login or a logout fails
///   and has to be repeated by the user. `before_acquire` as above pings connections that were idle
///   for a minute, with a time limit, because a firewall or a failover may have dropped them
///   silently.
/// - **A server that is down at the start** makes `connect` fail. To start without it, use
///   `connect_lazy` and create the table beforehand.
/// - **PgBouncer** in transaction mode has to support prepared statements: version 1.21 or newer
///   with `max_prepared_statements` above 0.
/// - **Any isolation level** is supported. A statement that the server rolled back because of a
///   concurrent one is repeated.
///
/// All times are integers that the application writes, so the time zone and the clock of the
/// database do not matter.
#[derive(Clone)]
pub struct PostgresStore {
    pool: PgPool,
    table: Table,
    statements: Arc<Statements>,
}

sql_store!(PostgresStore, Postgres, PgPool);

impl PostgresStore {
    /// Uses another table, or `schema.table`. The name is always quoted, so it is case-sensitive;
    /// the schema has to exist.
    ///
    /// # Errors
    /// - if a name is longer than 48 bytes, contains characters other than ASCII letters, digits
    ///   and underscores, or begins with a digit
    pub fn with_table(self, table: &str) -> Result<Self, ConfigError> {
        Ok(self.in_table(Table::parse_with_schema(table)?))
    }

    /// Creates the table and its indexes if they do not exist. Call it at every start; several
    /// nodes may do so at once.
    ///
    /// If they exist, this takes no lock and the role needs no privilege to create anything.
    ///
    /// # Errors
    /// - if the table does not exist and the role may not create it
    /// - if the database can't be reached
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.try_migrate().await.map_err(store_error)
    }

    async fn try_migrate(&self) -> Result<(), sqlx::Error> {
        let indexes = ["owner", "expires"].map(|of| self.table.index(of));
        let is_there: bool = sqlx::query_scalar(
            "SELECT to_regclass($1) IS NOT NULL AND to_regclass($2) IS NOT NULL \
             AND to_regclass($3) IS NOT NULL",
        )
        .bind(self.table.quoted('"'))
        .bind(self.table.in_schema(&indexes[0], '"'))
        .bind(self.table.in_schema(&indexes[1], '"'))
        .fetch_one(&self.pool)
        .await?;
        if is_there {
            return Ok(());
        }
        let mut transaction = self.pool.begin().await?;
        // If two transactions create the same table at once, the second fails despite
        // `IF NOT EXISTS`.
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(MIGRATION)
            .execute(&mut *transaction)
            .await?;
        sqlx::raw_sql(AssertSqlSafe(self.schema()))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
    }

    /// Returns the SQL that [`migrate`](Self::migrate) runs, for an application that manages its
    /// migrations itself.
    #[must_use]
    pub fn schema(&self) -> String {
        let table = self.table.quoted('"');
        let by_owner = self.table.index("owner");
        let by_expires = self.table.index("expires");
        // In this order of the columns, no byte is lost to alignment.
        format!(
            "\
CREATE TABLE IF NOT EXISTS {table} (
    version BIGINT NOT NULL CHECK (version >= 0),
    created BIGINT NOT NULL,
    touched BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    owner_hash INTEGER,
    id UUID NOT NULL PRIMARY KEY,
    owner BYTEA,
    payload BYTEA NOT NULL
);
CREATE INDEX IF NOT EXISTS \"{by_owner}\" ON {table} (owner_hash, id) WHERE owner_hash IS NOT NULL;
CREATE INDEX IF NOT EXISTS \"{by_expires}\" ON {table} (expires);
"
        )
    }
}

fn dialect(table: &Table) -> Dialect {
    let table = table.quoted('"');
    Dialect {
        // Several nodes may clean up at once: each deletes rows that no other node has locked. The
        // array is computed once; a plain subselect might run again for each row and exceed the
        // limit.
        delete_expired: format!(
            "DELETE FROM {table} WHERE id = ANY(ARRAY(\
             SELECT id FROM {table} WHERE expires <= $1 ORDER BY expires LIMIT $2 \
             FOR UPDATE SKIP LOCKED)) AND expires <= $1"
        ),
        table,
        // A UUID takes 16 bytes in the row and in the index; a BYTEA takes 17, rounded up to 24.
        id_read: "uuid_send(id)",
        id_written: "encode(?, 'hex')::uuid",
        least: "LEAST",
        greatest: "GREATEST",
        is_numbered: true,
        // At a higher level, the server would roll the statement back for each row that a
        // concurrent statement updates. At this level, it waits for the update and deletes the row.
        delete_all_at: Some((
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
            ["decode('", "', 'hex')"],
        )),
    }
}
