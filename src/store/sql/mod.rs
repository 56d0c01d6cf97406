//! Stores on sqlx: one table in the application's own database, reached through the application's own pool.
//!
//! What the three share is written once: the name of the table, the statements, the verbs, what an error may say. Each
//! database's file has what only that database does.

#[macro_use]
mod session_store;

mod again;
mod failure;
mod query;
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
