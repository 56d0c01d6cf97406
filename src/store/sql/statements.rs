//! The text of the statements, put together once for a table.

use std::sync::Arc;

/// What a row holds, in the order of `query::record`.
const COLUMNS: &str =
    "record_key, family, owner, created, touched, expires, ends, version, payload";

/// Each verb is one of these, and each is one statement by itself: a call that is dropped did all of it or nothing.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) create: Arc<str>,
    pub(super) load: Arc<str>,
    pub(super) update: Arc<str>,
    pub(super) touch: Arc<str>,
    pub(super) delete: Arc<str>,
    pub(super) delete_version: Arc<str>,
    pub(super) list: Arc<str>,
    pub(super) list_after: Arc<str>,
    pub(super) delete_all: Arc<str>,
    pub(super) delete_family: Arc<str>,
    pub(super) delete_other_families: Arc<str>,
    pub(super) delete_expired: Arc<str>,
}

/// Where the databases spell the same thing differently.
pub(super) struct Dialect {
    /// The table, quoted.
    pub(super) table: String,
    /// The smaller and the larger of two values.
    pub(super) least: &'static str,
    pub(super) greatest: &'static str,
    /// `$1` rather than `?`.
    pub(super) numbered: bool,
    /// Deletes rows that have expired, a limited number of them. No two databases agree how.
    pub(super) delete_expired: String,
}

impl Statements {
    pub(super) fn new(dialect: &Dialect) -> Self {
        let Dialect {
            table,
            least,
            greatest,
            numbered,
            delete_expired,
        } = dialect;
        let text = |sql: String| -> Arc<str> {
            if *numbered {
                number(&sql).into()
            } else {
                sql.into()
            }
        };
        let list = |after: &str| {
            text(format!(
                "SELECT {COLUMNS} FROM {table} WHERE owner_key = ? AND expires > ?{after} ORDER BY record_key LIMIT ?"
            ))
        };
        let delete_all =
            |which: &str| text(format!("DELETE FROM {table} WHERE owner_key = ?{which}"));
        Self {
            create: text(format!(
                "INSERT INTO {table} ({COLUMNS}, owner_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            )),
            load: text(format!(
                "SELECT {COLUMNS} FROM {table} WHERE record_key = ?"
            )),
            update: text(format!(
                "UPDATE {table} SET payload = ?, version = version + 1 \
                 WHERE record_key = ? AND version = ? AND expires > ?"
            )),
            touch: text(format!(
                "UPDATE {table} SET touched = ?, expires = {least}({greatest}(expires, ?), ends) \
                 WHERE record_key = ? AND expires > ?"
            )),
            delete: text(format!("DELETE FROM {table} WHERE record_key = ?")),
            delete_version: text(format!(
                "DELETE FROM {table} WHERE record_key = ? AND version = ?"
            )),
            list: list(""),
            list_after: list(" AND record_key > ?"),
            delete_all: delete_all(""),
            delete_family: delete_all(" AND family = ?"),
            delete_other_families: delete_all(" AND family <> ?"),
            delete_expired: text(delete_expired.clone()),
        }
    }
}

/// Numbers the placeholders: `?, ?` becomes `$1, $2`. No name and no literal of ours has a question mark.
fn number(sql: &str) -> String {
    let mut numbered = String::with_capacity(sql.len() + 16);
    for (before, part) in sql.split('?').enumerate() {
        if before > 0 {
            numbered.push_str(&format!("${before}"));
        }
        numbered.push_str(part);
    }
    numbered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_from_one() {
        assert_eq!(number("a = ? AND b = ?"), "a = $1 AND b = $2");
        assert_eq!(number("nothing"), "nothing");
    }
}
