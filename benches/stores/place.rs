//! The bench's own file, schema, database or key prefix, dropped at the end.

use std::{env, path::PathBuf, sync::Arc};

use login_manager::{MySqlStore, PostgresStore, RedisStore, SessionStore, SqliteStore};
use redis::{AsyncCommands, AsyncIter, aio::ConnectionManager};
use sqlx::{
    AssertSqlSafe, MySqlPool, PgPool, SqlitePool,
    mysql::MySqlPoolOptions,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

const CONNECTIONS: u32 = 8;
const TABLE: &str = "bench_sessions";

pub(crate) enum Place {
    Sqlite {
        file: PathBuf,
        pool: SqlitePool,
    },
    Postgres {
        schema: String,
        pool: PgPool,
    },
    MySql {
        database: String,
        pool: MySqlPool,
    },
    Redis {
        prefix: String,
        server: ConnectionManager,
    },
}

/// A store that can be reached.
pub(crate) struct Opened {
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    pub(crate) store: Arc<dyn SessionStore>,
}

/// A name that differs between runs.
fn own_name() -> String {
    format!("login_manager_bench_{}", std::process::id())
}

/// Opens SQLite, and each server whose URL is in the environment. Prints which servers are left
/// out.
pub(crate) async fn open_all() -> Vec<Opened> {
    let mut all = vec![sqlite().await];
    for (variable, name) in [
        ("POSTGRES_URL", "postgres"),
        ("MYSQL_URL", "mysql"),
        ("REDIS_URL", "redis"),
    ] {
        let Ok(url) = env::var(variable) else {
            println!("- {name} is left out: {variable} isn't set");
            continue;
        };
        all.push(match name {
            "postgres" => postgres(&url).await,
            "mysql" => mysql(&url).await,
            _ => redis_at(&url).await,
        });
    }
    all
}

async fn sqlite() -> Opened {
    let file = env::temp_dir().join(format!("{}.db", own_name()));
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let pool = SqlitePoolOptions::new();
    let pool = pool.connect_with(options).await.unwrap();
    let store = SqliteStore::new(pool.clone()).with_table(TABLE).unwrap();
    store.migrate().await.unwrap();
    Opened {
        name: "sqlite",
        place: Place::Sqlite { file, pool },
        store: Arc::new(store),
    }
}

async fn postgres(url: &str) -> Opened {
    let schema = own_name();
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .test_before_acquire(false);
    let pool = pool.connect(url).await.unwrap();
    let create = format!("CREATE SCHEMA {schema}");
    sqlx::raw_sql(AssertSqlSafe(create))
        .execute(&pool)
        .await
        .unwrap();
    let table = format!("{schema}.{TABLE}");
    let store = PostgresStore::new(pool.clone()).with_table(&table).unwrap();
    store.migrate().await.unwrap();
    Opened {
        name: "postgres",
        place: Place::Postgres { schema, pool },
        store: Arc::new(store),
    }
}

async fn mysql(url: &str) -> Opened {
    let database = own_name();
    let pool = MySqlPoolOptions::new()
        .max_connections(CONNECTIONS)
        .test_before_acquire(false);
    let pool = pool.connect(url).await.unwrap();
    let create = format!("CREATE DATABASE {database}");
    sqlx::raw_sql(AssertSqlSafe(create))
        .execute(&pool)
        .await
        .unwrap();
    let table = format!("{database}.{TABLE}");
    let store = MySqlStore::new(pool.clone()).with_table(&table).unwrap();
    store.migrate().await.unwrap();
    Opened {
        name: "mysql",
        place: Place::MySql { database, pool },
        store: Arc::new(store),
    }
}

async fn redis_at(url: &str) -> Opened {
    let prefix = format!("{}:", own_name());
    let client = redis::Client::open(url).unwrap();
    let server = client.get_connection_manager().await.unwrap();
    let store = RedisStore::new(server.clone())
        .with_prefix(&prefix)
        .unwrap();
    Opened {
        name: "redis",
        place: Place::Redis { prefix, server },
        store: Arc::new(store),
    }
}

impl Place {
    /// Redis removes expired sessions by itself.
    pub(crate) fn needs_cleanup(&self) -> bool {
        !matches!(self, Self::Redis { .. })
    }

    /// Makes SQLite's writes faster while the table is filled, or durable again.
    pub(crate) async fn hurry(&self, on: bool) {
        if let Self::Sqlite { pool, .. } = self {
            let level = if on { "OFF" } else { "FULL" };
            let pragma = format!("PRAGMA synchronous = {level}");
            let mut connections = Vec::new();
            for _ in 0..pool.options().get_max_connections() {
                let mut connection = pool.acquire().await.unwrap();
                let pragma = AssertSqlSafe(pragma.clone());
                sqlx::raw_sql(pragma)
                    .execute(&mut *connection)
                    .await
                    .unwrap();
                connections.push(connection);
            }
        }
    }

    /// The bytes of the table with its indexes, or of all keys.
    pub(crate) async fn bytes(&self) -> u64 {
        match self {
            Self::Sqlite { pool, .. } => {
                let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
                let bytes: i64 = sqlx::query_scalar(sql).fetch_one(pool).await.unwrap();
                bytes.cast_unsigned()
            }
            Self::Postgres { schema, pool } => {
                let sql = "SELECT pg_total_relation_size($1::text::regclass)";
                let table = format!("{schema}.{TABLE}");
                let bytes: i64 = sqlx::query_scalar(sql)
                    .bind(table)
                    .fetch_one(pool)
                    .await
                    .unwrap();
                bytes.cast_unsigned()
            }
            Self::MySql { database, pool } => mysql_bytes(database, pool).await,
            Self::Redis { prefix, server } => redis_bytes(prefix, server.clone()).await,
        }
    }

    /// Drops the place with its contents.
    pub(crate) async fn remove(self) {
        match self {
            Self::Sqlite { file, pool } => {
                pool.close().await;
                std::fs::remove_file(file).unwrap();
            }
            Self::Postgres { schema, pool } => {
                let drop = AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"));
                sqlx::raw_sql(drop).execute(&pool).await.unwrap();
            }
            Self::MySql { database, pool } => {
                let drop = AssertSqlSafe(format!("DROP DATABASE {database}"));
                sqlx::raw_sql(drop).execute(&pool).await.unwrap();
            }
            Self::Redis { prefix, server } => {
                let mut deleting = server.clone();
                for key in keys(&prefix, server).await {
                    let _: () = deleting.unlink(key).await.unwrap();
                }
            }
        }
    }
}

async fn mysql_bytes(database: &str, pool: &MySqlPool) -> u64 {
    let analyze = AssertSqlSafe(format!("ANALYZE TABLE {database}.{TABLE}"));
    sqlx::raw_sql(analyze).execute(pool).await.unwrap();
    let sql = "SELECT data_length + index_length FROM information_schema.tables \
               WHERE table_schema = ? AND table_name = ?";
    let bytes = sqlx::query_scalar(sql).bind(database).bind(TABLE);
    bytes.fetch_one(pool).await.unwrap()
}

async fn redis_bytes(prefix: &str, mut server: ConnectionManager) -> u64 {
    let mut bytes = 0;
    for key in keys(prefix, server.clone()).await {
        let mut usage = redis::cmd("MEMORY");
        usage.arg("USAGE").arg(key).arg("SAMPLES").arg(0);
        let usage: u64 = usage.query_async(&mut server).await.unwrap();
        bytes += usage;
    }
    bytes
}

async fn keys(prefix: &str, mut server: ConnectionManager) -> Vec<Vec<u8>> {
    let mut found: AsyncIter<'_, Vec<u8>> = server.scan_match(format!("{prefix}*")).await.unwrap();
    let mut keys = Vec::new();
    while let Some(key) = found.next_item().await {
        keys.push(key.unwrap());
    }
    keys
}
