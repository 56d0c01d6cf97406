//! The changes of one request to the stored data.

use std::collections::BTreeMap;

use serde_json::Value;

use super::entries::Entries;

/// The maximum size of all names and values together, in bytes.
const MAX: usize = 64 * 1024;

/// New JSON by name, or `None` for a value that is removed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes(BTreeMap<Box<str>, Option<Box<str>>>);

/// The error for data that would take more than 64 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The JSON under a name, with the changes of this request.
    pub(crate) fn get<'a>(&'a self, stored: &'a Entries, name: &str) -> Option<&'a str> {
        match self.0.get(name) {
            Some(change) => change.as_deref(),
            None => stored.get(name),
        }
    }

    pub(crate) fn set(&mut self, stored: &Entries, name: &str, json: &str) -> Result<(), TooLarge> {
        if stored.get(name).is_some_and(|old| is_same(old, json)) {
            self.0.remove(name);
            return Ok(());
        }
        let others: usize = self
            .merged(stored)
            .filter(|(other, _)| *other != name)
            .map(Entries::size_of)
            .sum();
        if others + Entries::size_of((name, json)) > MAX {
            return Err(TooLarge);
        }
        self.0.insert(name.into(), Some(json.into()));
        Ok(())
    }

    /// Returns whether there was a value.
    pub(crate) fn remove(&mut self, stored: &Entries, name: &str) -> bool {
        let found = self.get(stored, name).is_some();
        match stored.get(name) {
            Some(_) => self.0.insert(name.into(), None),
            None => self.0.remove(name),
        };
        found
    }

    /// Removes every value that this request has read. A name that another request adds meanwhile
    /// is kept.
    pub(crate) fn clear(&mut self, stored: &Entries) {
        self.0 = stored.iter().map(|(name, _)| (name.into(), None)).collect();
    }

    /// The stored values with these changes.
    pub(crate) fn apply(&self, stored: &Entries) -> Result<Entries, TooLarge> {
        let merged = Entries::new(self.merged(stored));
        match merged.len() > MAX {
            true => Err(TooLarge),
            false => Ok(merged),
        }
    }

    /// The names and values that this request sees.
    pub(crate) fn merged<'a>(
        &'a self,
        stored: &'a Entries,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let untouched = stored
            .iter()
            .filter(|(name, _)| !self.0.contains_key(*name));
        let changed = self
            .0
            .iter()
            .filter_map(|(name, change)| Some((&**name, change.as_deref()?)));
        untouched.chain(changed)
    }

    /// Drops the changes to other names.
    pub(crate) fn keep(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.0.retain(|name, _| is_kept(name));
    }

    /// Drops changes that have been stored.
    pub(crate) fn saved(&mut self, stored: &Entries) {
        self.0
            .retain(|name, change| stored.get(name) != change.as_deref());
    }

    /// A copy of the changes to some names.
    pub(crate) fn only(&self, is_meant: impl Fn(&str) -> bool) -> Self {
        let meant = self.0.iter().filter(|(name, _)| is_meant(name));
        Self(
            meant
                .map(|(name, json)| (name.clone(), json.clone()))
                .collect(),
        )
    }

    /// Whether any of them removes a value.
    pub(crate) fn remove_any(&self) -> bool {
        self.0.values().any(Option::is_none)
    }

    /// Discards the changes to the same names.
    pub(crate) fn take_back(&mut self, others: &Self) {
        self.0.retain(|name, _| !others.0.contains_key(name));
    }

    /// The difference between two states of the stored values: what a concurrent request has saved.
    pub(crate) fn between(old: &Entries, new: &Entries) -> Self {
        let changed = new
            .iter()
            .filter(|(name, json)| old.get(name) != Some(json))
            .map(|(name, json)| (name.into(), Some(json.into())));
        let removed = old
            .iter()
            .filter(|(name, _)| new.get(name).is_none())
            .map(|(name, _)| (name.into(), None));
        Self(changed.chain(removed).collect())
    }

    /// Adds values of another session under names that are not used here, as far as there is room.
    pub(crate) fn fill_in(&mut self, stored: &Entries, other: &Entries) {
        for (name, json) in other.iter() {
            if self.get(stored, name).is_none() {
                // Best effort: a value that doesn't fit is dropped.
                self.set(stored, name, json).ok();
            }
        }
    }
}

/// The same value may be serialized with its map keys in another order.
fn is_same(old: &str, json: &str) -> bool {
    let value = |json| serde_json::from_str::<Value>(json).ok();
    old == json
        || (old.len() == json.len() && value(old).is_some_and(|old| Some(old) == value(json)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(entries: &[(&'static str, &'static str)]) -> Entries {
        Entries::new(entries.iter().copied())
    }

    fn merged(changes: &Changes, stored: &Entries) -> Vec<(String, String)> {
        let entries = changes.apply(stored).unwrap();
        entries
            .iter()
            .map(|(name, json)| (name.to_owned(), json.to_owned()))
            .collect()
    }

    #[test]
    fn an_unchanged_value_is_no_change() {
        let stored = stored(&[("n", "1"), ("map", r#"{"a":1,"b":2}"#)]);
        let mut changes = Changes::default();
        changes.set(&stored, "n", "2").unwrap();
        changes.set(&stored, "n", "1").unwrap();
        changes.set(&stored, "map", r#"{"b":2,"a":1}"#).unwrap();
        changes.set(&stored, "new", "true").unwrap();
        assert!(changes.remove(&stored, "new"));
        assert!(changes.is_empty());
    }

    #[test]
    fn changes_go_on_top_of_what_is_stored() {
        let stored = stored(&[("a", "1"), ("b", "2")]);
        let mut changes = Changes::default();
        changes.set(&stored, "a", "10").unwrap();
        assert!(changes.remove(&stored, "b"));
        assert!(!changes.remove(&stored, "b"));
        changes.set(&stored, "c", "3").unwrap();
        assert_eq!(changes.get(&stored, "a"), Some("10"));
        assert_eq!(changes.get(&stored, "b"), None);
        let expected = [("a", "10"), ("c", "3")].map(|(n, j)| (n.to_owned(), j.to_owned()));
        assert_eq!(merged(&changes, &stored), expected);
    }

    #[test]
    fn clear_leaves_names_that_others_add() {
        let before = stored(&[("a", "1"), ("b", "2")]);
        let mut changes = Changes::default();
        changes.set(&before, "new", "3").unwrap();
        changes.clear(&before);
        let now = stored(&[("a", "1"), ("b", "2"), ("theirs", "1")]);
        assert_eq!(merged(&changes, &now), [("theirs".into(), "1".into())]);
    }

    #[test]
    fn too_large_leaves_the_rest_alone() {
        let stored = stored(&[("a", "1")]);
        let mut changes = Changes::default();
        let big = format!("\"{}\"", "x".repeat(MAX));
        assert_eq!(changes.set(&stored, "big", &big), Err(TooLarge));
        assert_eq!(changes.set(&stored, "a", &big), Err(TooLarge));
        assert_eq!(changes.get(&stored, "a"), Some("1"));
        let fits = format!("\"{}\"", "x".repeat(MAX - 30));
        assert_eq!(changes.set(&stored, "big", &fits), Ok(()));
        assert_eq!(changes.set(&stored, "b", "1234"), Err(TooLarge));
    }

    #[test]
    fn what_another_request_saved_is_found() {
        let (old, new) = (
            stored(&[("a", "1"), ("b", "2")]),
            stored(&[("b", "3"), ("c", "4")]),
        );
        let copied = Changes::between(&old, &new);
        let base = stored(&[("a", "1"), ("mine", "0")]);
        let expected = [("mine", "0"), ("b", "3"), ("c", "4")];
        assert_eq!(
            merged(&copied, &base),
            expected.map(|(n, j)| (n.to_owned(), j.to_owned()))
        );
    }
}
