//! An API key as it is stored. The content of its entry:
//!
//! ```text
//! version    u8    1
//! digest     32 B  of the whole text
//! user type  4 B
//! last4      4 B   the last characters of the text
//! flags      u8    1: it never expires, 2: it ends with the security stamp
//! stamp      32 B  digest of the security stamp, if the key ends with it
//! name       u8 length, UTF-8
//! scopes     the rest, separated by spaces
//! ```

use super::{Scopes, text::SHOWN};
use crate::{realm::UserType, store::Digest};

const VERSION: u8 = 1;
const ENDLESS: u8 = 1;
const WITH_STAMP: u8 = 2;

/// A key without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredKey {
    /// The digest of the whole text. The entry's id is a part of this digest.
    pub(crate) digest: Digest,
    pub(crate) user_type: UserType,
    pub(crate) last4: [u8; SHOWN],
    pub(crate) is_endless: bool,
    /// The digest of the security stamp, if the key ends when the stamp changes.
    pub(crate) stamp: Option<Digest>,
    /// At most 100 bytes.
    pub(crate) name: String,
    pub(crate) scopes: Scopes,
}

impl StoredKey {
    pub(super) fn encode(&self) -> Vec<u8> {
        let flags = if self.is_endless { ENDLESS } else { 0 }
            | if self.stamp.is_some() { WITH_STAMP } else { 0 };
        let mut bytes = vec![VERSION];
        bytes.extend(self.digest.0);
        bytes.extend(self.user_type);
        bytes.extend(self.last4);
        bytes.push(flags);
        bytes.extend(self.stamp.iter().flat_map(|stamp| stamp.0));
        bytes.push(self.name.len() as u8);
        bytes.extend(self.name.as_bytes());
        bytes.extend(self.scopes.text().as_bytes());
        bytes
    }

    /// `None` if another version wrote it.
    pub(super) fn decode(content: &[u8]) -> Option<Self> {
        let (&[version], rest) = content.split_first_chunk()?;
        let (digest, rest) = rest.split_first_chunk()?;
        let (user_type, rest) = rest.split_first_chunk()?;
        let (last4, rest) = rest.split_first_chunk()?;
        let (&[flags], rest) = rest.split_first_chunk()?;
        if version != VERSION || flags & !(ENDLESS | WITH_STAMP) != 0 {
            return None;
        }
        let (stamp, rest) = match flags & WITH_STAMP {
            0 => (None, rest),
            _ => {
                let (stamp, rest) = rest.split_first_chunk()?;
                (Some(Digest(*stamp)), rest)
            }
        };
        let (&[length], rest) = rest.split_first_chunk()?;
        let (name, scopes) = rest.split_at_checked(usize::from(length))?;
        Some(Self {
            digest: Digest(*digest),
            user_type: *user_type,
            last4: *last4,
            is_endless: flags & ENDLESS != 0,
            stamp,
            name: str::from_utf8(name).ok()?.to_owned(),
            scopes: Scopes::stored(str::from_utf8(scopes).ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn key_comes_back_as_it_was_stored(
            digest: [u8; 32],
            is_endless: bool,
            stamp: Option<[u8; 32]>,
            name in ".{0,25}",
            scopes in prop::collection::vec("[!#-Z]{1,64}", 0..32),
        ) {
            let mut all = Scopes::default();
            for scope in scopes {
                prop_assert!(all.add(&scope));
            }
            let key = StoredKey {
                digest: Digest(digest),
                user_type: [1, 2, 3, 4],
                last4: *b"abcd",
                is_endless,
                stamp: stamp.map(Digest),
                name,
                scopes: all,
            };
            prop_assert_eq!(StoredKey::decode(&key.encode()), Some(key.clone()));
            let mut newer = key.encode();
            newer[0] = 2;
            prop_assert_eq!(StoredKey::decode(&newer), None);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _read = StoredKey::decode(&bytes);
            let _read = StoredKey::decode(&[&[VERSION], &*bytes].concat());
        }
    }
}
