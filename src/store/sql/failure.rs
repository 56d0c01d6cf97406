//! What may be said of a database's error.

use sqlx::error::{Error, ErrorKind};

use crate::error::StoreError;

/// An error of the database, without what could be in it: a row, a key, a connection string.
///
/// What sqlx hands out is no error to pass on. MySQL's message of a duplicate key quotes the key, PostgreSQL's `Debug`
/// of a violated constraint quotes the row.
impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        Self::new(match error {
            Error::Database(error) => {
                let code = error.code().unwrap_or_default();
                if quotes_values(&code, error.kind()) {
                    format!("the database refused the values, code {code}")
                } else {
                    format!(
                        "the database answered with an error, code {code}: {}",
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
                format!("column {index} of the result has another type than that of our table")
            }
            Error::ColumnIndexOutOfBounds { .. } | Error::ColumnNotFound(_) => {
                "the result has other columns than our table".into()
            }
            Error::Protocol(_) => "the database and its driver didn't understand each other".into(),
            Error::Configuration(_) => "the options of the database connection are wrong".into(),
            _ => "the database driver failed".into(),
        })
    }
}

/// Whether the message may quote values: violated constraints (SQLSTATE class 23 and 44, SQLite's 19), values that don't fit
/// (22), and what a trigger of somebody's own has to say (45, P0).
fn quotes_values(code: &str, kind: ErrorKind) -> bool {
    let is_about_values = match code.len() {
        5 => matches!(code.get(..2), Some("22" | "23" | "44" | "45" | "P0")),
        // The low byte is the kind of error, what is above it says more.
        _ => code.parse().is_ok_and(|code: u32| code & 0xff == 19),
    };
    is_about_values || kind != ErrorKind::Other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l2_a_message_that_may_quote_values_is_known_by_its_code() {
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
