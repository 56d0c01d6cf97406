//! MySQL and MariaDB.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, MySql, MySqlPool};

use super::{
    statements::{Dialect, Statements},
    table::Table,
};
use crate::error::{BoxError, ConfigError, StoreError};

/// Keeps sessions in a table of a MariaDB or MySQL database.
///
/// ```no_run
/// use std::time::Duration;
///
/// use login_manager::MySqlStore;
/// use sqlx::mysql::MySqlPoolOptions;
///
/// # async fn open() -> Result<MySqlStore, Box<dyn std::error::Error + Send + Sync>> {
/// let pool = MySqlPoolOptions::new()
///     .acquire_timeout(Duration::from_secs(1))
///     .connect("mysql://app@db.example.com/app?ssl-mode=VERIFY_IDENTITY")
///     .await?;
/// let store = MySqlStore::new(pool);
/// store.migrate().await?;
/// # Ok(store)
/// # }
/// ```
///
/// # Settings
/// - **The primary, always.** A replica answers from the past: it doesn't know the newest login, and lets in who has
///   logged out. In a Galera cluster send all nodes of the application to one server, or set `wsrep_sync_wait = 7`.
/// - **Durability** is the server's: with `innodb_flush_log_at_trx_commit = 1` (its default) a login that was acknowledged
///   survives a crash. A failover to an asynchronous replica can still take back the last logins and logouts;
///   semi-synchronous replication prevents that.
/// - **TLS** is a feature of sqlx that your application switches on, such as `tls-rustls-ring-webpki` or `tls-native-tls`,
///   with `ssl-mode=VERIFY_IDENTITY` in the URL. MySQL 8 asks for it, or for the feature `mysql-rsa`, where a role has a
///   password.
/// - **`acquire_timeout`** of the pool below the manager's deadline of 2 seconds, so that the error says that the pool was
///   the trouble; sqlx has 30 seconds.
/// - **`test_before_acquire(false)`** on the pool saves a round trip for every call: else each connection is asked before each use
///   whether it still lives. A read that meets a dead connection goes on to the next by itself, and a restart of the server costs
///   at most a login or logout that has to be repeated. But the pool then waits for ever for a connection that was lost without a
///   word, behind a firewall or at a failover; give it a limit:
///
///   ```no_run
///   # use std::time::Duration;
///   # use sqlx::{Connection as _, mysql::MySqlPoolOptions};
///   # fn options() -> MySqlPoolOptions {
///   MySqlPoolOptions::new().test_before_acquire(false).after_release(|connection, _| {
///       Box::pin(async move {
///           let pong = tokio::time::timeout(Duration::from_secs(1), connection.ping()).await;
///           Ok(matches!(pong, Ok(Ok(()))))
///       })
///   })
///   # }
///   ```
/// - **A server that is down at the start** fails `connect`; an application that shall start nevertheless uses `connect_lazy`, and
///   makes the table beforehand.
/// - **Autocommit** stays on, as sqlx leaves it. Any isolation level from READ COMMITTED on will do: a statement that fell victim to a deadlock is
///   run again.
///
/// All times are integers that the application writes, so no time zone and no clock of the database matters; all texts are
/// bytes, so no character set and no collation does.
#[derive(Clone)]
pub struct MySqlStore {
    pool: MySqlPool,
    table: Table,
    statements: Arc<Statements>,
}

session_store!(MySqlStore, MySql);

impl MySqlStore {
    /// Sessions in the table `login_sessions` of this pool's database. Asks nothing of the database yet.
    #[must_use]
    pub fn new(pool: MySqlPool) -> Self {
        Self::in_table(pool, Table::default())
    }

    /// Takes another table, or `database.table`. The name is quoted wherever it is used; the database has to exist.
    ///
    /// # Errors
    /// When a name is more than 48 ASCII letters, digits and underscores, or begins with a digit.
    pub fn with_table(self, table: &str) -> Result<Self, ConfigError> {
        Ok(Self::in_table(self.pool, Table::parse_with_schema(table)?))
    }

    /// Makes the table and its indexes where they don't exist yet. Call it at every start; several nodes may do so at once.
    ///
    /// It looks before it acts: where the table is there, it needs no right to create one.
    ///
    /// # Errors
    /// When the user may not create tables and has to, or the database can't be reached.
    pub async fn migrate(&self) -> Result<(), BoxError> {
        Ok(self.try_migrate().await.map_err(StoreError::from)?)
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

    /// The SQL that [`migrate`](Self::migrate) runs, for those who manage their migrations themselves.
    #[must_use]
    pub fn schema(&self) -> String {
        let table = self.table.quoted('`');
        // MEDIUMBLOB for owners too: outside of strict mode a longer value would be cut off in silence.
        format!(
            "\
CREATE TABLE IF NOT EXISTS {table} (
    record_key BINARY(32) NOT NULL PRIMARY KEY,
    family BINARY(16) NOT NULL,
    owner_key BINARY(32),
    owner MEDIUMBLOB,
    created BIGINT NOT NULL,
    touched BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    version BIGINT NOT NULL,
    payload MEDIUMBLOB NOT NULL,
    INDEX owner_idx (owner_key, record_key),
    INDEX expires_idx (expires)
) ENGINE = InnoDB;
"
        )
    }

    fn in_table(pool: MySqlPool, table: Table) -> Self {
        let name = table.quoted('`');
        let dialect = Dialect {
            // The key settles the order of rows that expire together: replicas that run the statement delete the same ones.
            delete_expired: format!(
                "DELETE FROM {name} WHERE expires <= ? ORDER BY expires, record_key LIMIT ?"
            ),
            table: name,
            least: "LEAST",
            greatest: "GREATEST",
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
