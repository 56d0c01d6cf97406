//! The name of the table: checked once, always quoted.

use crate::error::ConfigError;

/// The maximum length of a part of a name. With the suffix of an index, it is below the limits of
/// PostgreSQL (63 bytes) and MySQL (64).
const MAX_LEN: usize = 48;

/// The name of a table, with its schema if it has one. It is checked, because it becomes part of
/// statements.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) schema: Option<String>,
    pub(super) name: String,
}

impl Table {
    /// A table in a database without schemas.
    #[cfg(feature = "sqlite")]
    pub(super) fn parse(given: &str) -> Result<Self, ConfigError> {
        match Self::read(given) {
            Some(table) if table.schema.is_none() => Ok(table),
            _ => Err(ConfigError::new(
                "with_table",
                given,
                "a table is at most 48 ASCII letters, digits and underscores, and does not begin with a digit",
            )),
        }
    }

    /// A table, or a table in a schema: `schema.table`.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(super) fn parse_with_schema(given: &str) -> Result<Self, ConfigError> {
        Self::read(given).ok_or_else(|| {
            ConfigError::new(
                "with_table",
                given,
                "a table, or schema.table, is at most 48 ASCII letters, digits and underscores each, \
                 and does not begin with a digit",
            )
        })
    }

    fn read(given: &str) -> Option<Self> {
        let (schema, name) = match given.split_once('.') {
            Some((schema, name)) => (Some(schema), name),
            None => (None, given),
        };
        let is_name = |name: &str| {
            name.len() <= MAX_LEN
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && name
                    .bytes()
                    .next()
                    .is_some_and(|byte| !byte.is_ascii_digit())
        };
        (is_name(name) && schema.is_none_or(is_name)).then(|| Self {
            schema: schema.map(Into::into),
            name: name.into(),
        })
    }

    /// The name for a statement, quoted, so that it may be a keyword and keeps its case.
    pub(super) fn quoted(&self, quote: char) -> String {
        self.in_schema(&self.name, quote)
    }

    /// The name of one of its indexes, without the schema.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(super) fn index(&self, of: &str) -> String {
        format!("{}_{of}_idx", self.name)
    }

    pub(super) fn in_schema(&self, name: &str, quote: char) -> String {
        match &self.schema {
            Some(schema) => format!("{quote}{schema}{quote}.{quote}{name}{quote}"),
            None => format!("{quote}{name}{quote}"),
        }
    }
}

impl Default for Table {
    fn default() -> Self {
        Self {
            schema: None,
            name: "login_sessions".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_a_plain_name() {
        let longest = "a".repeat(MAX_LEN);
        for good in ["login_sessions", "_", "Sessions2", "select", &longest] {
            assert_eq!(
                Table::read(good).unwrap().quoted('"'),
                format!("\"{good}\"")
            );
        }
        let table = Table::read("auth.sessions").unwrap();
        assert_eq!(table.quoted('`'), "`auth`.`sessions`");
    }

    #[test]
    fn a_table_that_is_more_than_a_name_is_rejected() {
        let too_long = "a".repeat(MAX_LEN + 1);
        for bad in [
            "",
            ".",
            ".a",
            "a.",
            "a.b.c",
            "2a",
            "a b",
            "a;drop table users",
            "a\"b",
            "a`b",
            "a'b",
            "a\\b",
            "a-b",
            "a--",
            "a?",
            "a$1",
            "a\0",
            "tablé",
            "ａ",
            &too_long,
        ] {
            assert!(Table::read(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn the_error_says_which_tables_are_accepted() {
        #[cfg(feature = "sqlite")]
        assert_eq!(
            Table::parse("main.sessions").unwrap_err().to_string(),
            "with_table: \"main.sessions\" is not accepted; a table is at most 48 ASCII letters, \
             digits and underscores, and does not begin with a digit"
        );
        #[cfg(any(feature = "postgres", feature = "mysql"))]
        assert_eq!(
            Table::parse_with_schema("a b").unwrap_err().setting(),
            "with_table"
        );
    }
}
