//! The lanes of a throttle.

use std::fmt;

use serde_core::{Serialize, Serializer};

/// The lane that made a guess wait, in [`EventKind::Throttled`](super::EventKind::Throttled): see
/// [lanes](crate::throttle#lanes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lane {
    /// Too many failures for one name, by clients that are not known.
    Name,
    /// Too many failures for one name in a [browser that is known](crate::Auth::known_browser).
    KnownBrowser,
    /// Too many different names from one address.
    Address,
}

impl Lane {
    /// Returns a stable name for logs and metrics, such as `address`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::KnownBrowser => "known_browser",
            Self::Address => "address",
        }
    }
}

/// Writes [`as_str`](Lane::as_str).
impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Serializes [`as_str`](Lane::as_str).
impl Serialize for Lane {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
