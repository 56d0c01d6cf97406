//! The text of the statements, put together once for a table.

use std::sync::Arc;

/// What a row holds, in the order of `query::record`.
const COLUMNS: &str =
    "record_key, family, owner, created, touched, expires, ends, version, payload";

/// Each verb is one of these, and each is one statement by itself: a call that is dropped did all of it or nothing.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) create: Statement,
    pub(super) load: Statement,
    pub(super) update: Statement,
    pub(super) touch: Statement,
    pub(super) delete: Statement,
    pub(super) delete_version: Statement,
    pub(super) list: Statement,
    pub(super) list_after: Statement,
    pub(super) all: Selection,
    pub(super) family: Selection,
    pub(super) other_families: Selection,
    pub(super) delete_expired: Statement,
}

/// One statement.
#[derive(Clone, Debug)]
pub(super) struct Statement(pub(super) Arc<str>);

/// Some of an owner's rows.
#[derive(Debug)]
pub(super) struct Selection {
    pub(super) delete: Statement,
    /// Finds one of them, if there is one.
    pub(super) any: Statement,
}

impl Statement {
    /// With a limit that the planner can see: for one that it can't, PostgreSQL would sort all that an owner has.
    pub(super) fn limited(&self, limit: i64) -> Self {
        Self(format!("{} LIMIT {limit}", self.0).into())
    }
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
        let statement = |sql: String| Statement(if *numbered { number(&sql) } else { sql }.into());
        let list = |after: &str| {
            statement(format!(
                "SELECT {COLUMNS} FROM {table} WHERE owner_key = ? AND expires > ?{after} ORDER BY record_key"
            ))
        };
        let selection = |which: &str| {
            let rows = format!("FROM {table} WHERE owner_key = ?{which}");
            Selection {
                delete: statement(format!("DELETE {rows}")),
                any: statement(format!("SELECT {COLUMNS} {rows} LIMIT 1")),
            }
        };
        Self {
            create: statement(format!(
                "INSERT INTO {table} ({COLUMNS}, owner_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            )),
            load: statement(format!(
                "SELECT {COLUMNS} FROM {table} WHERE record_key = ?"
            )),
            update: statement(format!(
                "UPDATE {table} SET payload = ?, version = version + 1 \
                 WHERE record_key = ? AND version = ? AND expires > ?"
            )),
            touch: statement(format!(
                "UPDATE {table} SET touched = ?, expires = {least}({greatest}(expires, ?), ends) \
                 WHERE record_key = ? AND expires > ?"
            )),
            delete: statement(format!("DELETE FROM {table} WHERE record_key = ?")),
            delete_version: statement(format!(
                "DELETE FROM {table} WHERE record_key = ? AND version = ?"
            )),
            list: list(""),
            list_after: list(" AND record_key > ?"),
            all: selection(""),
            family: selection(" AND family = ?"),
            other_families: selection(" AND family <> ?"),
            delete_expired: statement(delete_expired.clone()),
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
