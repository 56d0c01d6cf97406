//! Stores on sqlx: one table in the application's own database, through the application's own pool.
//!
//! The name of the table, the statements, the operations and the errors are shared. Each database's
//! file has only its schema and its dialect.

#[macro_use]
mod macros;

mod error;
mod query;
mod retry;
mod statements;
mod table;
mod verbs;

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "mysql")]
pub use mysql::MySqlStore;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
