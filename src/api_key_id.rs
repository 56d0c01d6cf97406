//! The id of an API key.

use std::{fmt, str::FromStr};

use serde_core::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::store::SessionId;

/// The id of an API key, a part of a digest of it.
///
/// It names a key in lists, URLs and [events](crate::event::Event::api_key_id), and is passed to
/// [`ApiKeys::revoke`](crate::api_keys::ApiKeys::revoke). It is not a secret: knowing it does not
/// let anyone use the key. Its text is 22 characters of base64url, in `Display`, `FromStr` and
/// serde alike, so it can appear in a path or a form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiKeyId(pub(crate) SessionId);

/// The text is not an [`ApiKeyId`]: it is not 22 characters of base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of an API key is 22 characters of base64url")]
pub struct InvalidApiKeyId(());

impl FromStr for ApiKeyId {
    type Err = InvalidApiKeyId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| InvalidApiKeyId(()))
    }
}

impl fmt::Display for ApiKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ApiKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeyId({self})")
    }
}

/// Serializes its text.
impl Serialize for ApiKeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Deserializes its text, and rejects any other.
impl<'de> Deserialize<'de> for ApiKeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_key_id_round_trips_through_text_and_serde() {
        let id = ApiKeyId(SessionId::from_bytes([7; 16]));
        assert_eq!(id.to_string().parse(), Ok(id));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<ApiKeyId>(&json).unwrap(), id);
        assert!("short".parse::<ApiKeyId>().is_err());
        assert!(serde_json::from_str::<ApiKeyId>("\"short\"").is_err());
        assert_eq!(format!("{id:?}"), format!("ApiKeyId({id})"));
    }
}
