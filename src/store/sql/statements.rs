//! The text of the statements, built once for a table.

use std::sync::Arc;

use super::query::Value;

/// The columns of a record after its id, in the order of `query::record`.
const COLUMNS: &str = "owner, version, created, touched, expires, ends, payload";

/// One statement for each operation. Each is a transaction by itself, so a call that is dropped
/// takes effect completely or not at all.
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
    pub(super) delete_all: DeleteAll,
    pub(super) delete_all_but: DeleteAll,
    pub(super) delete_expired: Statement,
}

/// A statement that is prepared once for each connection.
#[derive(Clone, Debug)]
pub(super) struct Statement(pub(super) Arc<str>);

/// Deletes an owner's records.
#[derive(Debug)]
pub(super) enum DeleteAll {
    Prepared(Statement),
    /// At an isolation level of its own, which a second statement in the same message sets. Only
    /// text can contain two statements, so the values are part of the text.
    Text(TextStatement),
}

/// A statement that is sent as text, with its values in it.
#[derive(Debug)]
pub(super) struct TextStatement {
    sql: String,
    /// The texts before and after the hex digits of bytes.
    bytes: [&'static str; 2],
}

impl TextStatement {
    /// The text of the statement. Values are numbers and hex digits, so SQL injection is not
    /// possible.
    pub(super) fn with(&self, values: &[Value<'_>]) -> String {
        let mut parts = self.sql.split('?');
        let mut text = parts.next().unwrap_or_default().to_owned();
        for (part, value) in parts.zip(values) {
            match *value {
                Value::Int(int) | Value::MaybeInt(Some(int)) => text.push_str(&int.to_string()),
                Value::Bytes(bytes) | Value::MaybeBytes(Some(bytes)) => {
                    let [before, after] = self.bytes;
                    text.push_str(before);
                    text.extend(bytes.iter().map(|byte| format!("{byte:02x}")));
                    text.push_str(after);
                }
                Value::MaybeInt(None) | Value::MaybeBytes(None) => text.push_str("NULL"),
            }
            text.push_str(part);
        }
        text
    }
}

/// The differences between the databases.
pub(super) struct Dialect {
    /// The table, quoted.
    pub(super) table: String,
    /// A column of ids read as bytes, and bytes written as an id.
    pub(super) id_read: &'static str,
    pub(super) id_written: &'static str,
    /// The functions for the smaller and the larger of two values.
    pub(super) least: &'static str,
    pub(super) greatest: &'static str,
    /// Whether placeholders are `$1` rather than `?`.
    pub(super) is_numbered: bool,
    /// The statement that sets the isolation level of `delete_all` for one transaction, if it needs
    /// a level of its own, and how bytes are written in text.
    pub(super) delete_all_at: Option<(&'static str, [&'static str; 2])>,
    /// Deletes a limited number of expired rows.
    pub(super) delete_expired: String,
}

impl Statements {
    pub(super) fn new(dialect: &Dialect) -> Self {
        let Dialect {
            table,
            id_read,
            id_written,
            least,
            greatest,
            is_numbered,
            delete_all_at,
            delete_expired,
        } = dialect;
        let statement =
            |sql: String| Statement(if *is_numbered { number(&sql) } else { sql }.into());
        // The rows are found by the hash, in an index of fixed width, and then compared by the
        // owner. `CASE` hides from PostgreSQL that few rows have this owner. Otherwise it may read
        // and sort all rows of the hash, although the index has them in order and the limit ends
        // the scan.
        let list = |after: &str| {
            statement(format!(
                "SELECT {id_read}, {COLUMNS} FROM {table} WHERE owner_hash = ?{after} AND expires > ? \
                 AND CASE WHEN owner = ? THEN TRUE ELSE FALSE END ORDER BY id LIMIT ?"
            ))
        };
        let delete_all = |but: &str| {
            let sql = format!("DELETE FROM {table} WHERE owner_hash = ? AND owner = ?{but}");
            match *delete_all_at {
                None => DeleteAll::Prepared(statement(sql)),
                Some((level, bytes)) => DeleteAll::Text(TextStatement {
                    sql: format!("{level}; {sql}"),
                    bytes,
                }),
            }
        };
        Self {
            create: statement(format!(
                "INSERT INTO {table} (id, {COLUMNS}, owner_hash) \
                 VALUES ({id_written}, ?, ?, ?, ?, ?, ?, ?, ?)"
            )),
            load: statement(format!(
                "SELECT {id_read}, {COLUMNS} FROM {table} WHERE id = {id_written}"
            )),
            update: statement(format!(
                "UPDATE {table} SET touched = {greatest}(touched, ?), expires = ?, ends = ?, \
                 payload = ?, version = version + 1 \
                 WHERE id = {id_written} AND version = ? AND expires > ?"
            )),
            touch: statement(format!(
                "UPDATE {table} SET touched = {greatest}(touched, ?), \
                 expires = {least}({greatest}(expires, ?), ends) \
                 WHERE id = {id_written} AND expires > ?"
            )),
            delete: statement(format!("DELETE FROM {table} WHERE id = {id_written}")),
            delete_version: statement(format!(
                "DELETE FROM {table} WHERE id = {id_written} AND version = ?"
            )),
            list: list(""),
            list_after: list(&format!(" AND id > {id_written}")),
            delete_all: delete_all(""),
            delete_all_but: delete_all(&format!(" AND id <> {id_written}")),
            delete_expired: statement(delete_expired.clone()),
        }
    }
}

/// Numbers the placeholders: `?, ?` becomes `$1, $2`. No name and no literal contains a question
/// mark.
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
    fn text_carries_its_values_as_numbers_and_hex() {
        let statement = TextStatement {
            sql: "a = ? AND b > ? AND c = ? AND d = ?".into(),
            bytes: ["x'", "'"],
        };
        let values = [
            Value::Bytes(&[0, 255]),
            Value::Int(-1),
            Value::MaybeBytes(None),
            Value::MaybeBytes(Some(b"'?")),
        ];
        assert_eq!(
            statement.with(&values),
            "a = x'00ff' AND b > -1 AND c = NULL AND d = x'273f'"
        );
    }

    #[test]
    fn placeholders_are_numbered_from_one() {
        assert_eq!(number("a = ? AND b = ?"), "a = $1 AND b = $2");
        assert_eq!(number("nothing"), "nothing");
    }
}
