//! What may be in a session.

use std::collections::{BTreeMap, BTreeSet};

/// The name of a value in the session.
pub type Key = &'static str;
pub const KEYS: [Key; 3] = ["a", "b", "c"];

/// The values that each name may have. Of a name without any, nothing has been saved.
#[derive(Clone, Debug, Default)]
pub struct Data(BTreeMap<Key, BTreeSet<String>>);

impl Data {
    fn values(&self, key: Key) -> BTreeSet<String> {
        let known = self.0.get(key).cloned();
        known.unwrap_or_else(|| BTreeSet::from([String::new()]))
    }

    pub fn allows(&self, key: Key, value: &str) -> bool {
        self.values(key).contains(value)
    }

    /// It has been saved.
    pub fn set(&mut self, key: Key, value: &str) {
        self.0.insert(key, BTreeSet::from([value.to_owned()]));
    }

    /// It may have been saved.
    pub fn may_be(&mut self, key: Key, value: &str) {
        let mut values = self.values(key);
        values.insert(value.to_owned());
        self.0.insert(key, values);
    }

    pub fn may_be_lost(&mut self) {
        for values in self.0.values_mut() {
            values.insert(String::new());
        }
    }

    /// The other's values under the names that have none here.
    pub fn filled_by(&self, other: &Self) -> Self {
        let fill = |key: Key| {
            let mut values = self.values(key);
            if values.remove("") {
                values.extend(other.values(key));
            }
            (key, values)
        };
        Self(KEYS.into_iter().map(fill).collect())
    }

    pub fn or(&self, other: &Self) -> Self {
        let both = |key: Key| (key, &self.values(key) | &other.values(key));
        Self(KEYS.into_iter().map(both).collect())
    }
}
