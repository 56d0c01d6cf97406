//! The session data in a payload, and the reader for payloads.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use crate::store::Digest;

/// The session data: names and JSON, a checked part of the encoded bytes.
#[derive(Clone, Debug)]
pub(crate) struct Entries {
    bytes: Arc<[u8]>,
    range: Range<usize>,
}

impl Entries {
    /// A part of a payload that has been checked completely.
    pub(super) fn checked(bytes: &Arc<[u8]>, range: Range<usize>) -> Self {
        Self {
            bytes: Arc::clone(bytes),
            range,
        }
    }

    pub(crate) fn empty() -> Self {
        Self {
            bytes: Arc::default(),
            range: 0..0,
        }
    }

    /// A reference to an empty list of entries.
    pub(crate) fn none() -> &'static Self {
        static NONE: OnceLock<Entries> = OnceLock::new();
        NONE.get_or_init(Self::empty)
    }

    /// The size of an entry in bytes.
    pub(crate) fn size_of((name, json): (&str, &str)) -> usize {
        name.len() + json.len() + 8
    }

    pub(crate) fn new<'a>(entries: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut bytes = Vec::new();
        for (name, json) in entries {
            for text in [name, json] {
                // All data together is bounded far below 4 GiB.
                bytes.extend((text.len() as u32).to_be_bytes());
                bytes.extend(text.as_bytes());
            }
        }
        Self {
            range: 0..bytes.len(),
            bytes: bytes.into(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut reader = Reader {
            bytes: self.bytes(),
            at: 0,
        };
        std::iter::from_fn(move || reader.entry())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find_map(|(stored, json)| (stored == name).then_some(json))
    }

    /// The size of all entries in bytes.
    pub(crate) fn len(&self) -> usize {
        self.range.len()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(self.range.clone()).unwrap_or_default()
    }
}

/// Reads a payload from its start.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_be_bytes)
    }

    pub(super) fn digest(&mut self) -> Option<Digest> {
        self.array().map(Digest)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        let length = u32::from_be_bytes(self.array()?);
        str::from_utf8(self.take(usize::try_from(length).ok()?)?).ok()
    }

    pub(super) fn entry(&mut self) -> Option<(&'a str, &'a str)> {
        Some((self.text()?, self.text()?))
    }
}
