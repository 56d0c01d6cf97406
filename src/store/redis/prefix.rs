//! What the keys of one application may begin with.

use crate::error::ConfigError;

/// No braces: they would put all keys of a cluster on one node.
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
