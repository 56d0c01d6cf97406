//! The text of the statements, put together once for a table.

use std::sync::Arc;

use super::query::Value;

/// What a row holds, in the order of `query::record`.
const COLUMNS: &str =
    "record_key, family, owner, created, touched, expires, ends, version, payload";

/// Each verb is one of these, and each is a transaction by itself, in one message: a call that is dropped did all of it or nothing.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) create: Statement,
    pub(super) load: Statement,
    pub(super) update: Statement,
    pub(super) touch: Statement,
    pub(super) delete: Statement,
    pub(super) delete_version: Statement,
    pub(super) replace: Statement,
    pub(super) list: Statement,
    pub(super) list_after: Statement,
    pub(super) spells_out: bool,
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
    /// With its values in its text, for a planner that would plan worse without knowing them. They are numbers and hex: none of
    /// them can be more than a value.
    pub(super) fn spelled_out(&self, values: &[Value<'_>]) -> String {
        let mut sql = self.0.to_string();
        // From the last, so that $1 isn't found in $10.
        for (before, value) in values.iter().enumerate().rev() {
            let literal = match *value {
                Value::Int(int) => int.to_string(),
                Value::Bytes(bytes) | Value::MaybeBytes(Some(bytes)) => {
                    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                    format!("decode('{hex}', 'hex')")
                }
                Value::MaybeBytes(None) => "NULL".to_owned(),
            };
            sql = sql.replace(&format!("${}", before + 1), &literal);
        }
        sql
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
    /// Whether statements about all that an owner has carry their values in their text. A plan for all values would be a bad one
    /// for an owner with many records, of whom a page is asked; and only a text may be two statements.
    pub(super) spells_out: bool,
    /// What a deletion of an owner's rows begins with, in the same transaction.
    pub(super) before_delete_all: &'static str,
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
            spells_out,
            before_delete_all,
            delete_expired,
        } = dialect;
        let statement = |sql: String| Statement(if *numbered { number(&sql) } else { sql }.into());
        let list = |after: &str| {
            statement(format!(
                "SELECT {COLUMNS} FROM {table} WHERE owner_key = ? AND expires > ?{after} ORDER BY record_key LIMIT ?"
            ))
        };
        let selection = |which: &str| {
            let rows = format!("FROM {table} WHERE owner_key = ?{which}");
            Selection {
                delete: statement(format!("{before_delete_all}DELETE {rows}")),
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
            // The row gets another key. So its owner's rows never lack it, and a deletion that waits for it meets it again.
            replace: statement(format!(
                "UPDATE {table} SET record_key = ?, family = ?, owner = ?, created = ?, touched = ?, expires = ?, \
                 ends = ?, version = ?, payload = ?, owner_key = ? WHERE record_key = ? AND version = ?"
            )),
            list: list(""),
            list_after: list(" AND record_key > ?"),
            spells_out: *spells_out,
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
    fn values_can_be_spelled_out() {
        let statement = Statement("a = $1 AND b > $2 AND c = $3 AND d = $4".into());
        let values = [
            Value::Bytes(&[0, 255]),
            Value::Int(-1),
            Value::MaybeBytes(None),
            Value::MaybeBytes(Some(b"'")),
        ];
        assert_eq!(
            statement.spelled_out(&values),
            "a = decode('00ff', 'hex') AND b > -1 AND c = NULL AND d = decode('27', 'hex')"
        );
    }

    #[test]
    fn placeholders_are_numbered_from_one() {
        assert_eq!(number("a = ? AND b = ?"), "a = $1 AND b = $2");
        assert_eq!(number("nothing"), "nothing");
    }
}
