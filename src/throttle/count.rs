//! The counts in the store, changed by compare-and-swap.

use super::limits::{ADDRESS_WINDOW, Limits, Wait};
use crate::{
    clock::Millis,
    entry::{Entry, EntryKey, EntryStep, change_entry},
    error::{Error, ErrorKind},
    realm::{CLOCK_SKEW, Realm},
    store::Digest,
};

/// Whether a guess was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// It was counted, after this many failures.
    After(u32),
    /// It was not counted, since guesses have to wait this long.
    Waits(Millis),
}

/// The failures of one name. A guess counts as one until it has succeeded.
#[cfg_attr(test, derive(Debug, PartialEq))]
struct Failures {
    number: u32,
    /// Until then, guesses are not permitted.
    until: Millis,
}

impl Failures {
    const LEN: usize = 12;

    fn of(entry: &Entry) -> Result<Self, Error> {
        Self::read(entry.content()).ok_or_else(unreadable)
    }

    fn read(content: &[u8]) -> Option<Self> {
        let (number, rest) = content.split_first_chunk()?;
        let (until, _) = rest.split_first_chunk()?;
        Some(Self {
            number: u32::from_be_bytes(*number),
            until: Millis::from_be_bytes(*until),
        })
    }

    fn content(&self) -> Vec<u8> {
        let mut content = Vec::with_capacity(Self::LEN);
        content.extend(self.number.to_be_bytes());
        content.extend(self.until.to_be_bytes());
        content
    }
}

/// Counts a guess before it is checked, unless guesses have to wait.
pub(super) async fn count_guess(
    realm: &Realm,
    key: &EntryKey,
    limits: &Limits,
) -> Result<Counted, Error> {
    let now = realm.clock.now();
    change_entry(realm, key, now, |entry| {
        let before = match entry {
            Some(entry) => Failures::of(entry)?,
            None => Failures {
                number: 0,
                until: now,
            },
        };
        let remaining = before.until.saturating_sub(now);
        // A clock that was far ahead must not keep a name waiting.
        let is_by_wrong_clock = remaining > limits.longest().saturating_add(CLOCK_SKEW);
        if remaining > 0 && !is_by_wrong_clock {
            return Ok(EntryStep::Keep(Counted::Waits(remaining)));
        }
        let number = before.number.saturating_add(1);
        let first = entry.map_or(now, |entry| entry.created().min(now));
        let (wait, expires) = match limits.wait_after(number) {
            Wait::For(wait) => (wait, limits.forgotten(first)),
            Wait::Stopped(wait) => (wait, now.saturating_add(wait)),
        };
        let after = Failures {
            number,
            until: now.saturating_add(wait),
        };
        Ok(EntryStep::Put {
            content: after.content(),
            expires,
            then: Counted::After(before.number),
        })
    })
    .await
}

/// The part of a name's digest that tells the names of one address apart.
const NAME: usize = 8;

/// Counts the different names that an address tries, unless it has to wait. Content: a part of each
/// name's digest.
pub(super) async fn count_name(
    realm: &Realm,
    key: &EntryKey,
    limits: &Limits,
    name: &Digest,
) -> Result<Counted, Error> {
    let now = realm.clock.now();
    let name: [u8; NAME] = name.0.first_chunk().copied().unwrap_or_default();
    change_entry(realm, key, now, |entry| {
        let names = entry.map(Entry::content).unwrap_or_default();
        let (known, _) = names.as_chunks::<NAME>();
        let longest = now.saturating_add(ADDRESS_WINDOW);
        let written = entry.map_or(longest, Entry::expires);
        // A clock that was far ahead must not keep an address waiting.
        let end = written.min(longest);
        let counted = Counted::After(u32::try_from(known.len()).unwrap_or(u32::MAX));
        if known.contains(&name) {
            return Ok(EntryStep::Keep(counted));
        }
        let is_full = known.len() >= limits.names_per_address;
        let waits = Counted::Waits(end.saturating_sub(now));
        if is_full && end == written {
            return Ok(EntryStep::Keep(waits));
        }
        Ok(EntryStep::Put {
            content: match is_full {
                true => names.to_vec(),
                false => [names, &name].concat(),
            },
            expires: end,
            then: if is_full { waits } else { counted },
        })
    })
    .await
}

fn unreadable() -> Error {
    Error::new(
        ErrorKind::Store,
        "a count of a throttle in the store cannot be read",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn failures_come_back_as_they_were_stored(number: u32, until: i64) {
            let failures = Failures { number, until };
            let content = failures.content();
            prop_assert_eq!(Failures::read(&content), Some(failures));
            for length in 0..content.len() {
                prop_assert_eq!(Failures::read(&content[..length]), None);
            }
        }
    }
}
