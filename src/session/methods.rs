//! The methods by which a user has entered credentials in a session: `password`, `totp`.

use std::{fmt, ops::Range, sync::Arc};

use super::entries::Reader;
use crate::clock::Millis;

/// How many methods a session keeps. Beyond it, the one that was used longest ago is dropped.
const MAX: usize = 8;
/// The length of a name in bytes.
const LONGEST: usize = 16;

/// The name of a method: 1 to 16 lowercase ASCII letters, digits, hyphens and underscores.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct MethodName {
    bytes: [u8; LONGEST],
    length: u8,
}

impl MethodName {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let is_plain = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
        };
        let mut bytes = [0; LONGEST];
        let length = u8::try_from(name.len()).ok().filter(|length| *length > 0)?;
        bytes
            .get_mut(..name.len())?
            .copy_from_slice(name.as_bytes());
        name.bytes().all(is_plain).then_some(Self { bytes, length })
    }

    pub(crate) fn as_str(&self) -> &str {
        let name = self.bytes.get(..usize::from(self.length));
        name.and_then(|name| str::from_utf8(name).ok())
            .unwrap_or_default()
    }
}

impl fmt::Debug for MethodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

/// Names of methods and when each was last used, the latest last: a part of the encoded payload
/// that has been checked, so that reading it allocates nothing.
///
/// ```text
/// count u8, then each: length u8, name, at i64
/// ```
#[derive(Clone, Default)]
pub(crate) struct Methods(Option<Encoded>);

#[derive(Clone)]
struct Encoded {
    bytes: Arc<[u8]>,
    range: Range<usize>,
}

impl Methods {
    /// A part of a payload that has been checked completely.
    pub(super) fn checked(bytes: &Arc<[u8]>, range: Range<usize>) -> Self {
        Self((!range.is_empty()).then(|| Encoded {
            bytes: Arc::clone(bytes),
            range,
        }))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (MethodName, Millis)> {
        let mut reader = Reader {
            bytes: self.bytes(),
            at: 1,
        };
        std::iter::from_fn(move || reader.method())
    }

    /// When this method was last used in the session.
    pub(crate) fn at(&self, name: MethodName) -> Option<Millis> {
        self.iter()
            .find_map(|(used, at)| (used == name).then_some(at))
    }

    /// A copy in which these methods have been used, too.
    pub(crate) fn with(&self, names: &[MethodName], now: Millis) -> Self {
        if names.is_empty() {
            return self.clone();
        }
        let mut all: Vec<_> = self
            .iter()
            .filter(|(name, _)| !names.contains(name))
            .collect();
        for (index, name) in names.iter().enumerate() {
            if !names.iter().skip(index + 1).any(|later| later == name) {
                all.push((*name, now));
            }
        }
        let kept = all.iter().skip(all.len().saturating_sub(MAX));
        let mut bytes = vec![kept.len() as u8];
        for (name, at) in kept {
            bytes.push(name.length);
            bytes.extend(name.as_str().bytes());
            bytes.extend(at.to_be_bytes());
        }
        let range = 0..bytes.len();
        Self::checked(&bytes.into(), range)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        let encoded = self.0.as_ref();
        encoded
            .and_then(|Encoded { bytes, range }| bytes.get(range.clone()))
            .unwrap_or_default()
    }
}

impl fmt::Debug for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Reader<'_> {
    /// Checks the methods and returns where they are.
    pub(super) fn methods(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        for _ in 0..self.byte()? {
            self.method()?;
        }
        Some(start..self.at)
    }

    fn method(&mut self) -> Option<(MethodName, Millis)> {
        let length = self.byte()?;
        let name = str::from_utf8(self.take(usize::from(length))?).ok()?;
        Some((MethodName::parse(name)?, self.i64()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> MethodName {
        MethodName::parse(name).unwrap()
    }

    #[test]
    fn names_are_short_and_plain() {
        for good in ["a", "password", "web-authn_2", "0123456789abcdef"] {
            assert_eq!(name(good).as_str(), good);
        }
        for bad in ["", "0123456789abcdefg", "Totp", "a b", "a/b", "\u{e9}"] {
            assert_eq!(MethodName::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_method_is_kept_once_with_its_latest_time() {
        let methods = Methods::default().with(&[name("password")], 1);
        let methods = methods.with(&[name("totp")], 2);
        let methods = methods.with(&[name("password"), name("password")], 3);
        let all: Vec<_> = methods.iter().collect();
        assert_eq!(all, [(name("totp"), 2), (name("password"), 3)]);
        assert_eq!(methods.with(&[], 4).iter().count(), 2);
    }

    #[test]
    fn the_ninth_method_drops_the_oldest() {
        let mut methods = Methods::default();
        for index in 0..9 {
            methods = methods.with(&[name(&format!("m{index}"))], index);
        }
        assert_eq!(methods.iter().count(), 8);
        assert_eq!(methods.at(name("m0")), None);
        assert_eq!(methods.at(name("m8")), Some(8));
    }
}
