//! What a store keeps: one record for one token.

use std::{fmt, str::FromStr, sync::Arc};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_core::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::token::{RandomFailed, random_bytes};

/// One session as a store keeps it. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "every store has to keep all of it"
)]
pub struct Record {
    /// Under which it is found: the digest of a token that only the browser has.
    pub key: RecordKey,
    /// The browser's line of descent.
    pub family: Family,
    /// Whose it is: realm and user id in one text, or nobody's. Stores list and delete by it, and never look inside.
    pub owner: Option<Arc<str>>,
    /// When it was made.
    pub created: i64,
    /// When it was last noted as used.
    pub touched: i64,
    /// From when on it is dead. Use moves it on, never beyond `ends`.
    pub expires: i64,
    /// The limit that use can't move, fixed when the record is made.
    pub ends: i64,
    /// Raised by one with each update.
    pub version: u64,
    /// Mostly less than 64 KiB, more where several requests added to a full session at once; they mean nothing to a store.
    pub payload: Arc<[u8]>,
}

impl Record {
    /// Whether it may still be used at `now`.
    #[must_use]
    pub fn is_live(&self, now: i64) -> bool {
        now < self.expires
    }
}

/// The key of a record: 32 bytes of SHA-256, uniformly distributed. No token can be computed from it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey([u8; 32]);

impl RecordKey {
    /// The key that a store had written down as these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store to write down.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordKey([redacted])")
    }
}

/// One browser's line of descent: 128 random bits that every renewal and login of the same user inherits.
///
/// It names a device and opens nothing, so it is safe to show and to send in a form: as [`DeviceId`](crate::DeviceId) it is what
/// [`Auth::revoke`](crate::Auth::revoke) takes. Its text is 22 characters of base64url, in serde too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Family([u8; 16]);

impl Family {
    pub(crate) fn random() -> Result<Self, RandomFailed> {
        random_bytes().map(Self)
    }

    /// The family that a store had written down as these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store to write down.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Base64UrlUnpadded::encode_string(&self.0))
    }
}

impl fmt::Debug for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Family({self})")
    }
}

/// The text is no family, and no device's id: not 22 characters of base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of a device is 22 characters of base64url")]
pub struct InvalidFamily(());

impl FromStr for Family {
    type Err = InvalidFamily;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 16];
        match Base64UrlUnpadded::decode(text, &mut bytes) {
            Ok(decoded) if decoded.len() == 16 => Ok(Self(bytes)),
            _ => Err(InvalidFamily(())),
        }
    }
}

/// As its text.
impl Serialize for Family {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// From its text, so that it may stand in a path or a form. Any other text is refused.
impl<'de> Deserialize<'de> for Family {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_survives_its_text() {
        let family = Family::random().unwrap();
        assert_eq!(family.to_string().parse(), Ok(family));
        for bad in [
            "",
            "short",
            "22 characters of b64u!",
            "AAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert!(bad.parse::<Family>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_family_survives_serde_as_its_text() {
        let family = Family::random().unwrap();
        let json = serde_json::to_string(&family).unwrap();
        assert_eq!(json, format!("\"{family}\""));
        assert_eq!(serde_json::from_str::<Family>(&json).unwrap(), family);
        for bad in ["\"short\"", "1", "null", "[1, 2]"] {
            assert!(serde_json::from_str::<Family>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn debug_does_not_leak_the_key() {
        assert_eq!(
            format!("{:?}", RecordKey::from_bytes([7; 32])),
            "RecordKey([redacted])"
        );
    }
}
