//! A visitor's data: what the record holds, and what this request has changed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::payload::{Payload, Proof};

/// The most that all names and values may take, in bytes.
const MAX: usize = 64 * 1024;
/// What each value costs beside its name and its JSON: their two lengths.
const OVERHEAD: usize = 8;

#[derive(Clone, Debug)]
pub(crate) struct Data {
    base: Payload,
    changes: BTreeMap<Box<str>, Option<Box<str>>>,
}

/// The data would grow beyond 64 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl Data {
    pub(crate) fn new(base: Payload) -> Self {
        Self {
            base,
            changes: BTreeMap::new(),
        }
    }

    pub(crate) fn empty() -> Self {
        Self::new(Payload::encode(None, None, std::iter::empty()))
    }

    pub(crate) fn proof(&self) -> Option<Proof> {
        self.base.proof
    }

    pub(crate) fn is_changed(&self) -> bool {
        !self.changes.is_empty()
    }

    /// The JSON under this name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        match self.changes.get(name) {
            Some(change) => change.as_deref(),
            None => self.stored(name),
        }
    }

    pub(crate) fn set(&mut self, name: &str, json: &str) -> Result<(), TooLarge> {
        if self
            .stored(name)
            .is_some_and(|stored| same_value(stored, json))
        {
            self.changes.remove(name);
            return Ok(());
        }
        let others: usize = self
            .entries()
            .filter(|(other, _)| *other != name)
            .map(size)
            .sum();
        if others + size((name, json)) > MAX {
            return Err(TooLarge);
        }
        self.changes.insert(name.into(), Some(json.into()));
        Ok(())
    }

    /// Removes a value and hands out its JSON.
    pub(crate) fn take(&mut self, name: &str) -> Option<Box<str>> {
        let taken = self.get(name).map(Box::from);
        if self.stored(name).is_some() {
            self.changes.insert(name.into(), None);
        } else {
            self.changes.remove(name);
        }
        taken
    }

    /// The record's payload without this name, and nothing else changed; `None` if the record
    /// doesn't have it.
    pub(crate) fn stored_without(&self, name: &str) -> Option<Payload> {
        self.stored(name)?;
        let others = self.base.entries().filter(|(other, _)| *other != name);
        Some(Payload::encode(
            self.base.proof.as_ref(),
            self.base.agent(),
            others,
        ))
    }

    /// Removes every value that is known here. A name that others add meanwhile is none of them.
    pub(crate) fn clear(&mut self) {
        self.changes = self
            .base
            .entries()
            .map(|(name, _)| (name.into(), None))
            .collect();
    }

    /// Everything as it would be saved.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        let untouched = self
            .base
            .entries()
            .filter(|(name, _)| !self.changes.contains_key(*name));
        let changed = self
            .changes
            .iter()
            .filter_map(|(name, change)| Some((&**name, change.as_deref()?)));
        untouched.chain(changed)
    }

    /// What the browser called itself when the session was made.
    pub(crate) fn agent(&self) -> Option<&str> {
        self.base.agent()
    }

    /// Everything as one payload, for a session of this proof and this browser.
    pub(crate) fn encode(&self, proof: Option<&Proof>, agent: Option<&str>) -> Payload {
        Payload::encode(proof, agent, self.entries())
    }

    /// Puts this request's changes on top of what the store holds by now.
    pub(crate) fn rebase(&mut self, base: Payload) {
        self.base = base;
        let changes = std::mem::take(&mut self.changes);
        self.changes = changes
            .into_iter()
            .filter(|(name, change)| self.stored(name) != change.as_deref())
            .collect();
    }

    /// Takes what another session has under names that this one lacks, as far as there is room.
    pub(crate) fn fill_in(&mut self, other: &Self) {
        for (name, json) in other.entries() {
            if self.get(name).is_none() {
                let _as_far_as_there_is_room = self.set(name, json);
            }
        }
    }

    /// Takes over what another copy has changed.
    pub(crate) fn take_changes(&mut self, other: &mut Self) {
        let base = std::mem::replace(
            &mut self.base,
            Payload::encode(None, None, std::iter::empty()),
        );
        self.changes = std::mem::take(&mut other.changes);
        self.rebase(base);
    }

    fn stored(&self, name: &str) -> Option<&str> {
        self.base
            .entries()
            .find_map(|(stored, json)| (stored == name).then_some(json))
    }
}

fn size((name, json): (&str, &str)) -> usize {
    name.len() + json.len() + OVERHEAD
}

/// A map may be written in another order each time and still be the same value.
fn same_value(stored: &str, json: &str) -> bool {
    let value = |json| serde_json::from_str::<Value>(json).ok();
    stored == json
        || (stored.len() == json.len()
            && value(stored).is_some_and(|stored| Some(stored) == value(json)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(entries: &[(&str, &str)]) -> Data {
        Data::new(Payload::encode(None, None, entries.iter().copied()))
    }

    #[test]
    fn an_unchanged_value_is_no_change() {
        let mut data = data(&[("n", "1"), ("map", r#"{"a":1,"b":2}"#)]);
        data.set("n", "2").unwrap();
        data.set("n", "1").unwrap();
        data.set("map", r#"{"b":2,"a":1}"#).unwrap();
        data.set("new", "true").unwrap();
        data.take("new").unwrap();
        assert!(!data.is_changed());
    }

    #[test]
    fn a_change_is_seen_at_once_and_saved_on_top() {
        let mut data = data(&[("a", "1"), ("b", "2")]);
        data.set("a", "10").unwrap();
        assert_eq!(data.take("b").as_deref(), Some("2"));
        data.set("c", "3").unwrap();
        assert_eq!(
            (data.get("a"), data.get("b"), data.get("c")),
            (Some("10"), None, Some("3"))
        );
        assert_eq!(
            data.encode(None, None).entries().collect::<Vec<_>>(),
            [("a", "10"), ("c", "3")]
        );
    }

    #[test]
    fn clearing_removes_what_was_stored_and_what_was_to_be() {
        let mut data = data(&[("a", "1"), ("b", "2")]);
        data.set("a", "10").unwrap();
        data.set("new", "3").unwrap();
        data.clear();
        assert_eq!(data.entries().count(), 0);
        data.set("b", "20").unwrap();
        let stored = [("a", "1"), ("b", "2"), ("theirs", "1")];
        data.rebase(Payload::encode(None, None, stored.into_iter()));
        let kept: Vec<_> = data.entries().collect();
        assert_eq!(kept, [("theirs", "1"), ("b", "20")]);

        let mut nothing = Data::empty();
        nothing.set("a", "1").unwrap();
        nothing.clear();
        assert!(!nothing.is_changed());
    }

    #[test]
    fn stored_without_a_name_keeps_others_and_drops_changes() {
        let mut data = data(&[("a", "1"), ("b", "2")]);
        data.set("b", "20").unwrap();
        data.set("c", "3").unwrap();
        let without = data.stored_without("a").unwrap();
        assert_eq!(without.entries().collect::<Vec<_>>(), [("b", "2")]);
        assert!(data.stored_without("c").is_none());
    }

    #[test]
    fn others_keys_survive_a_rebase_and_so_do_ours() {
        let mut mine = data(&[("a", "1")]);
        mine.set("mine", "1").unwrap();
        mine.take("a").unwrap();
        mine.rebase(Payload::encode(
            None,
            None,
            [("a", "1"), ("theirs", "1")].into_iter(),
        ));
        assert_eq!(
            mine.encode(None, None).entries().collect::<Vec<_>>(),
            [("theirs", "1"), ("mine", "1")]
        );
        mine.rebase(mine.encode(None, None));
        assert!(!mine.is_changed());
    }

    #[test]
    fn n7_what_is_too_large_is_refused_and_leaves_the_rest_alone() {
        let mut data = data(&[("a", "1")]);
        let big = format!("\"{}\"", "x".repeat(MAX));
        assert_eq!(data.set("big", &big), Err(TooLarge));
        assert_eq!(data.set("a", &big), Err(TooLarge));
        assert_eq!(data.get("a"), Some("1"));
        let fits = format!("\"{}\"", "x".repeat(MAX - 2 - 3 - OVERHEAD - 2 - OVERHEAD));
        assert_eq!(data.set("big", &fits), Ok(()));
        assert_eq!(data.set("b", "1"), Err(TooLarge));
    }
}
