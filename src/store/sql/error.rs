//! Errors of the database, without values.

use sqlx::error::{Error, ErrorKind};

use crate::error::StoreError;

/// The error without the values that sqlx's error may quote: MySQL's message for a duplicate key
/// quotes the key, and PostgreSQL's `Debug` for a violated constraint quotes the row.
pub(super) fn store_error(error: Error) -> StoreError {
    StoreError::new(match error {
        Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            if quotes_values(&code, error.kind()) {
                format!("the database rejected the values, code {code}")
            } else {
                format!(
                    "the database returned an error, code {code}: {}",
                    error.message()
                )
            }
        }
        Error::Io(cause) => format!("the connection to the database failed: {cause}"),
        Error::Tls(cause) => format!("no TLS connection to the database: {cause}"),
        Error::PoolTimedOut => "no connection of the pool became free in time".into(),
        Error::PoolClosed => "the pool has been closed".into(),
        Error::WorkerCrashed => "the worker of the database connection has crashed".into(),
        Error::ColumnDecode { index, .. } => {
            format!("column {index} of the result has an unexpected type")
        }
        Error::ColumnIndexOutOfBounds { .. } | Error::ColumnNotFound(_) => {
            "the result has unexpected columns".into()
        }
        Error::Protocol(_) => "the database violated the driver's protocol".into(),
        Error::Configuration(_) => "the options of the database connection are invalid".into(),
        _ => "the database driver failed".into(),
    })
}

/// Whether the message may quote values: violated constraints (SQLSTATE classes 23 and 44,
/// SQLite's 19), values that do not fit (22), and messages of triggers (45, P0).
fn quotes_values(code: &str, kind: ErrorKind) -> bool {
    let is_about_values = match code.len() {
        5 => matches!(code.get(..2), Some("22" | "23" | "44" | "45" | "P0")),
        // The low byte is the kind of error, the others are details.
        _ => code.parse().is_ok_and(|code: u32| code & 0xff == 19),
    };
    is_about_values || kind != ErrorKind::Other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_may_quote_values_are_known_by_code() {
        for quoting in [
            "23505", "23514", "22001", "45000", "P0001", "19", "1811", "2067",
        ] {
            assert!(quotes_values(quoting, ErrorKind::Other), "{quoting}");
        }
        for plain in [
            "42P01", "42501", "53100", "57P01", "HY000", "08006", "1", "5", "517", "",
        ] {
            assert!(!quotes_values(plain, ErrorKind::Other), "{plain}");
        }
        assert!(quotes_values("HY000", ErrorKind::UniqueViolation));
    }
}
