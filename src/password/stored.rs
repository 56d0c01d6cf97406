//! Stored hashes, which are treated as untrusted input.

use super::{argon2_hash::Argon2Hash, other::OtherHash};

/// A stored hash that can be recomputed within the limits.
pub(crate) enum Stored {
    Argon2(Box<Argon2Hash>),
    Other(OtherHash),
}

impl Stored {
    /// Returns `None`, at no further cost, for any other text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match Argon2Hash::parse(text) {
            Some(hash) => Some(Self::Argon2(Box::new(hash))),
            None => OtherHash::parse(text).map(Self::Other),
        }
    }

    /// The memory that a check takes, in KiB.
    pub(super) fn memory_kib(&self) -> u32 {
        match self {
            Self::Argon2(hash) => hash.cost().memory_kib(),
            Self::Other(hash) => hash.memory_kib(),
        }
    }
}
