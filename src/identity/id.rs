//! The text of an id, and back.

use std::fmt::{self, Write as _};

use crate::user::AuthUser;

/// Parses an id. Only the text that the id itself displays is accepted: `007` is not `7`.
pub(crate) fn parse_id<U: AuthUser>(text: &str) -> Option<U::Id> {
    text.parse::<U::Id>()
        .ok()
        .filter(|id| Text(text).equals(id))
}

/// Compares a text with the `Display` of a value, without allocating.
struct Text<'a>(&'a str);

impl Text<'_> {
    fn equals(mut self, value: &impl fmt::Display) -> bool {
        write!(self, "{value}").is_ok() && self.0.is_empty()
    }
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(part).ok_or(fmt::Error)?;
        Ok(())
    }
}
