//! MySQL and MariaDB.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, MySql, MySqlPool};

use super::{
    error::store_error,
    statements::{Dialect, Statements},
    table::Table,
};
use crate::error::{ConfigError, StoreError};

/// Keeps sessions in a table of a MariaDB or MySQL database.
///
/// ```no_run
/// use std::time::Duration;
///
/// use login_manager::MySqlStore;
/// use sqlx::{Connection as _, mysql::MySqlPoolOptions};
///
/// # async fn open() -> Result<MySqlStore, Box<dyn std::error::Error + Send + Sync>> {
/// let pool = MySqlPoolOptions::new()
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
///     .connect("mysql://app@db.example.com/app?ssl-mode=VERIFY_IDENTITY")
///     .await?;
/// let store = MySqlStore::new(pool);
/// store.migrate().await?;
/// # Ok(store)
/// # }
/// ```
///
/// # Settings
/// - **The primary, always.** A replica lags behind: it lacks the newest logins and still has
///   sessions that were logged out. In a Galera cluster, let all nodes of the application use one
///   server, or set `wsrep_sync_wait = 7`.
/// - **Durability** depends on the server: with `innodb_flush_log_at_trx_commit = 1` (its default),
///   an acknowledged login survives a crash. A failover to an asynchronous replica can still undo
///   the last logins and logouts; semi-synchronous replication prevents that.
/// - **TLS** is a feature of sqlx that your application enables, such as `tls-rustls-ring-webpki`
///   or `tls-native-tls`, with `ssl-mode=VERIFY_IDENTITY` in the URL. For a user with a password,
///   MySQL 8 requires TLS or the feature `mysql-rsa`.
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
/// - **Autocommit** stays on, as sqlx leaves it. Any isolation level from `READ COMMITTED` up is
///   supported. A statement that was rolled back because of a deadlock is repeated.
///
/// All times are integers that the application writes, so the time zone and the clock of the
/// database do not matter. All texts are bytes, so character sets and collations do not matter
/// either.
#[derive(Clone)]
pub struct MySqlStore {
    pool: MySqlPool,
    table: Table,
    statements: Arc<Statements>,
}

sql_store!(MySqlStore, MySql, MySqlPool);

impl MySqlStore {
    /// Uses another table, or `database.table`. The name is always quoted; the database has to
    /// exist.
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
    /// If the table exists, the user needs no privilege to create one.
    ///
    /// # Errors
    /// - if the table does not exist and the user may not create it
    /// - if the database can't be reached
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.try_migrate().await.map_err(store_error)
    }

    async fn try_migrate(&self) -> Result<(), sqlx::Error> {
        let is_there: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM information_schema.tables \
             WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ?",
        )
        .bind(&self.table.schema)
        .bind(&self.table.name)
        .fetch_one(&self.pool)
        .await?;
        if is_there == 0 {
            sqlx::raw_sql(AssertSqlSafe(self.schema()))
                .execute(&self.pool)
                .await?;
        }
        Ok(())
    }

    /// Returns the SQL that [`migrate`](Self::migrate) runs, for an application that manages its
    /// migrations itself.
    #[must_use]
    pub fn schema(&self) -> String {
        let table = self.table.quoted('`');
        // Owners are MEDIUMBLOB, too: outside of strict mode, a value that is too long for its type
        // is truncated silently.
        format!(
            "\
CREATE TABLE IF NOT EXISTS {table} (
    id BINARY(16) NOT NULL PRIMARY KEY,
    owner_hash INT,
    owner MEDIUMBLOB,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    touched BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    payload MEDIUMBLOB NOT NULL,
    INDEX owner_idx (owner_hash, id),
    INDEX expires_idx (expires)
) ENGINE = InnoDB;
"
        )
    }
}

fn dialect(table: &Table) -> Dialect {
    let table = table.quoted('`');
    Dialect {
        // Rows that expire together are ordered by id, so that replicas that run the statement
        // delete the same rows.
        delete_expired: format!(
            "DELETE FROM {table} WHERE expires <= ? ORDER BY expires, id LIMIT ?"
        ),
        table,
        id_read: "id",
        id_written: "?",
        least: "LEAST",
        greatest: "GREATEST",
        is_numbered: false,
        // At READ COMMITTED, the statement would not lock the gaps between the rows that it has
        // read: a record created in such a gap would survive, but one created later in front of it
        // would be deleted.
        delete_all_at: Some((
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            ["x'", "'"],
        )),
    }
}
