//! Scopes: what a key may be used for.

/// The maximum number of a key's scopes, and of bytes of one.
const MOST: usize = 32;
const LONGEST: usize = 64;

/// Scopes separated by spaces, as in RFC 6750.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scopes(String);

impl Scopes {
    /// Scopes that were checked when they were written.
    pub(super) fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Adds a scope unless it is there already. Returns whether it is accepted.
    pub(crate) fn add(&mut self, scope: &str) -> bool {
        if self.has(scope) {
            return true;
        }
        let is_accepted = is_scope(scope) && self.iter().count() < MOST;
        if is_accepted {
            if !self.0.is_empty() {
                self.0.push(' ');
            }
            self.0.push_str(scope);
        }
        is_accepted
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|scope| !scope.is_empty())
    }

    pub(super) fn has(&self, scope: &str) -> bool {
        self.iter().any(|given| given == scope)
    }
}

/// Whether this is a `scope-token` of RFC 6749 (3.3) of accepted length: visible ASCII without
/// quotation marks and backslashes.
pub(crate) fn is_scope(scope: &str) -> bool {
    let is_visible = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    (1..=LONGEST).contains(&scope.len()) && scope.bytes().all(is_visible)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_bounded_and_distinct() {
        let mut scopes = Scopes::default();
        assert!(!scopes.has("") && scopes.iter().count() == 0);
        let long = "x".repeat(65);
        for bad in ["", "a b", "a\"", "a\\", "é", "a\n", &long] {
            assert!(!scopes.add(bad), "{bad:?}");
        }
        for number in 0..32 {
            assert!(scopes.add(&format!("orders:{number}")));
        }
        assert!(scopes.add("orders:7"), "it is there already");
        assert!(!scopes.add("orders:32"));
        assert_eq!(scopes.iter().count(), 32);
        assert!(scopes.has("orders:31") && !scopes.has("orders") && !scopes.has(""));
        assert!(is_scope(&long[1..]));
    }
}
