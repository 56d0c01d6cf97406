//! The prefix of the keys of one application.

use crate::error::ConfigError;

/// Rejects braces, among others: they would put all keys on one node of a cluster.
pub(super) fn check_prefix(prefix: &str) -> Result<(), ConfigError> {
    let is_plain =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/' | b':');
    if prefix.is_empty() || prefix.len() > 64 || !prefix.bytes().all(is_plain) {
        return Err(ConfigError::new(
            "with_prefix",
            prefix,
            "a prefix is 1 to 64 ASCII letters, digits, hyphens, underscores, dots, slashes and colons",
        ));
    }
    Ok(())
}
