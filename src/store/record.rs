//! The record of a session, and the id under which a store keeps it.

use std::{fmt, str::FromStr, sync::Arc};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_core::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::random::{RandomFailed, random_bytes};

/// One session as a store keeps it. Times are Unix milliseconds from the caller's clock.
#[derive(Clone, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "every store has to keep all of it"
)]
pub struct SessionRecord {
    /// The key. No id is ever used twice.
    pub id: SessionId,
    /// Realm and user id in one text, or `None` for an anonymous session. It never changes. Stores
    /// list and delete records by it, and never parse it.
    pub owner: Option<Arc<str>>,
    /// Raised by one with every [`update`](super::SessionStore::update).
    pub version: u64,
    /// When the record was created.
    pub created: i64,
    /// When the session was last used, accurate to a tenth of the idle timeout.
    pub touched: i64,
    /// From this moment on the record counts as absent. A [`touch`](super::SessionStore::touch)
    /// moves it on, but never past `ends`.
    pub expires: i64,
    /// The latest moment to which a touch can move `expires`. Only an update changes it.
    pub ends: i64,
    /// The contents, opaque to stores: at most about 66 KiB.
    pub payload: Arc<[u8]>,
}

/// Omits the user and the payload.
impl fmt::Debug for SessionRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRecord")
            .field("id", &self.id)
            .field("version", &self.version)
            .field("created", &self.created)
            .field("touched", &self.touched)
            .field("expires", &self.expires)
            .field("ends", &self.ends)
            .finish_non_exhaustive()
    }
}

impl SessionRecord {
    /// Returns whether the record counts as present at `now`.
    #[must_use]
    pub fn is_live(&self, now: i64) -> bool {
        now < self.expires
    }
}

/// The id of a session: 128 random bits.
///
/// It names a session in lists, URLs and logs. [`Auth::revoke`](crate::Auth::revoke) takes it. It
/// is not a secret: knowing it does not let anyone use, end, change or block a session. Its text is
/// 22 characters of base64url, in `Display`, `FromStr` and serde alike, so it can be part of a path
/// or a form:
///
/// ```
/// # use login_manager::AuthUser;
/// # struct Account;
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
/// use axum::{Form, response::Redirect};
/// use login_manager::{Auth, Error, store::SessionId};
///
/// #[derive(serde::Deserialize)]
/// struct Chosen { id: SessionId }
///
/// async fn log_out_session(
///     auth: Auth<Account>,
///     Form(chosen): Form<Chosen>,
/// ) -> Result<Redirect, Error> {
///     auth.revoke(chosen.id).await?; // does nothing if it is another user's session
///     Ok(Redirect::to("/account"))
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; Self::LEN]);

impl SessionId {
    pub(crate) const LEN: usize = 16;

    pub(crate) fn random() -> Result<Self, RandomFailed> {
        random_bytes().map(Self)
    }

    /// Creates an id from the bytes that a store has kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, for a store to keep.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 22];
        match Base64UrlUnpadded::encode(&self.0, &mut text) {
            Ok(text) => f.write_str(text),
            Err(_) => Err(fmt::Error),
        }
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

/// The error for a text that is not a [`SessionId`], which is 22 characters of base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session id is 22 characters of base64url")]
pub struct InvalidSessionId(());

impl FromStr for SessionId {
    type Err = InvalidSessionId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; Self::LEN];
        match Base64UrlUnpadded::decode(text, &mut bytes) {
            Ok(decoded) if decoded.len() == Self::LEN => Ok(Self(bytes)),
            _ => Err(InvalidSessionId(())),
        }
    }
}

/// Serializes its text.
impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Deserializes its text, and rejects any other.
impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_id_round_trips_through_text() {
        let id = SessionId::random().unwrap();
        assert_eq!(id.to_string().len(), 22);
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in [
            "",
            "short",
            "22 characters of b64u!",
            "AAAAAAAAAAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAAAB", // not canonical: the last bits carry no data
        ] {
            assert!(bad.parse::<SessionId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn session_id_round_trips_through_serde() {
        let id = SessionId::random().unwrap();
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<SessionId>(&json).unwrap(), id);
        for bad in ["\"short\"", "1", "null", "[1, 2]"] {
            assert!(serde_json::from_str::<SessionId>(bad).is_err(), "{bad}");
        }
    }
}
