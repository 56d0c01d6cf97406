//! PostgreSQL.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, PgPool, Postgres};

use super::{
    statements::{Dialect, Statements},
    table::Table,
};
use crate::error::{BoxError, ConfigError, StoreError};

/// Which advisory lock a migration takes: any number that nobody else in the database is likely to take.
const MIGRATION: i64 = 0x6c6f_6769_6e73_6573;

/// Keeps sessions in a table of a PostgreSQL database.
///
/// ```no_run
/// use std::time::Duration;
///
/// use login_manager::PostgresStore;
/// use sqlx::postgres::PgPoolOptions;
///
/// # async fn open() -> Result<PostgresStore, Box<dyn std::error::Error + Send + Sync>> {
/// let pool = PgPoolOptions::new()
///     .acquire_timeout(Duration::from_secs(1))
///     .connect("postgres://app@db.example.com/app?sslmode=verify-full")
///     .await?;
/// let store = PostgresStore::new(pool);
/// store.migrate().await?;
/// # Ok(store)
/// # }
/// ```
///
/// # Settings
/// - **The primary, always.** A replica answers from the past: it doesn't know the newest login, and lets in who has
///   logged out.
/// - **Durability** is the server's: with `synchronous_commit = on` (its default) a login that was acknowledged survives a
///   crash. A failover to an asynchronous replica can still take back the last logins and logouts;
///   `synchronous_standby_names` prevents that.
/// - **TLS** is a feature of sqlx that your application switches on, such as `tls-rustls-ring-webpki` or `tls-native-tls`,
///   with `sslmode=verify-full` in the URL.
/// - **`acquire_timeout`** of the pool below the manager's deadline of 2 seconds, so that the error says that the pool was
///   the trouble; sqlx has 30 seconds.
/// - **`test_before_acquire(false)`** on the pool saves a round trip for every call: else each connection is asked before each use
///   whether it still lives. A read that meets a dead connection goes on to the next by itself, and a restart of the server costs
///   at most a login or logout that has to be repeated. But the pool then waits for ever for a connection that was lost without a
///   word, behind a firewall or at a failover; give it a limit:
///
///   ```no_run
///   # use std::time::Duration;
///   # use sqlx::{Connection as _, postgres::PgPoolOptions};
///   # fn options() -> PgPoolOptions {
///   PgPoolOptions::new().test_before_acquire(false).after_release(|connection, _| {
///       Box::pin(async move {
///           let pong = tokio::time::timeout(Duration::from_secs(1), connection.ping()).await;
///           Ok(matches!(pong, Ok(Ok(()))))
///       })
///   })
///   # }
///   ```
/// - **A server that is down at the start** fails `connect`; an application that shall start nevertheless uses `connect_lazy`, and
///   makes the table beforehand.
/// - **PgBouncer** in front, in transaction mode, has to know prepared statements: version 1.21 or newer with
///   `max_prepared_statements` above 0.
/// - Any isolation level will do. A statement that the server undid for the sake of another one is run again.
///
/// All times are integers that the application writes, so no time zone and no clock of the database matters.
#[derive(Clone)]
pub struct PostgresStore {
    pool: PgPool,
    table: Table,
    statements: Arc<Statements>,
}

session_store!(PostgresStore, Postgres);

impl PostgresStore {
    /// Sessions in the table `login_sessions` of this pool's database. Asks nothing of the database yet.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self::in_table(pool, Table::default())
    }

    /// Takes another table, or `schema.table`. The name is quoted wherever it is used, so capitals count; the schema has to
    /// exist.
    ///
    /// # Errors
    /// When a name is more than 48 ASCII letters, digits and underscores, or begins with a digit.
    pub fn with_table(self, table: &str) -> Result<Self, ConfigError> {
        Ok(Self::in_table(self.pool, Table::parse_with_schema(table)?))
    }

    /// Makes the table and its indexes where they don't exist yet. Call it at every start; several nodes may do so at once.
    ///
    /// It looks before it acts: where everything is there, it takes no lock and needs no right to create anything.
    ///
    /// # Errors
    /// When the role may not create tables and has to, or the database can't be reached.
    pub async fn migrate(&self) -> Result<(), BoxError> {
        Ok(self.try_migrate().await.map_err(StoreError::from)?)
    }

    async fn try_migrate(&self) -> Result<(), sqlx::Error> {
        let indexes = ["owner", "expires"].map(|of| self.table.index(of));
        let is_there: bool = sqlx::query_scalar(
            "SELECT to_regclass($1) IS NOT NULL AND to_regclass($2) IS NOT NULL AND to_regclass($3) IS NOT NULL",
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
        // Two that create the same table at once: `IF NOT EXISTS` lets the second one fail.
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(MIGRATION)
            .execute(&mut *transaction)
            .await?;
        sqlx::raw_sql(AssertSqlSafe(self.schema()))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
    }

    /// The SQL that [`migrate`](Self::migrate) runs, for those who manage their migrations themselves.
    #[must_use]
    pub fn schema(&self) -> String {
        let table = self.table.quoted('"');
        let by_owner = self.table.index("owner");
        let by_expires = self.table.index("expires");
        format!(
            "\
CREATE TABLE IF NOT EXISTS {table} (
    record_key BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(record_key) = 32),
    family BYTEA NOT NULL CHECK (octet_length(family) = 16),
    owner_key BYTEA CHECK (octet_length(owner_key) = 32),
    owner BYTEA,
    created BIGINT NOT NULL,
    touched BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 0),
    payload BYTEA NOT NULL
);
CREATE INDEX IF NOT EXISTS \"{by_owner}\" ON {table} (owner_key, record_key);
CREATE INDEX IF NOT EXISTS \"{by_expires}\" ON {table} (expires);
"
        )
    }

    fn in_table(pool: PgPool, table: Table) -> Self {
        let name = table.quoted('"');
        let dialect = Dialect {
            // Several nodes may clear up at once: each takes rows that no other one has in hand. The array is made once,
            // where a plain subselect could be run again for each row and exceed the limit.
            delete_expired: format!(
                "DELETE FROM {name} WHERE record_key = ANY(ARRAY(\
                 SELECT record_key FROM {name} WHERE expires <= $1 ORDER BY expires LIMIT $2 FOR UPDATE SKIP LOCKED\
                 )) AND expires <= $1"
            ),
            table: name,
            least: "LEAST",
            greatest: "GREATEST",
            numbered: true,
            // After five times it would sort all that an owner has, for each page.
            spells_out: true,
            // Beyond that level the server would undo it for each row that gets another key meanwhile. At that level it waits
            // for the row and meets it again, wherever it has gone.
            before_delete_all: "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; ",
        };
        Self {
            pool,
            statements: Arc::new(Statements::new(&dialect)),
            table,
        }
    }
}
