//! An API key as a page can show it.

use std::{cmp::Reverse, time::SystemTime};

use serde_core::{Serialize, Serializer, ser::SerializeStruct as _};

use super::{Scopes, StoredKey, text::SHOWN};
use crate::{
    api_key_id::ApiKeyId,
    clock::{Millis, moment},
    entry::Entry,
    store::SessionId,
};

/// An API key without its text. Listed by [`ApiKeys::list`](crate::api_keys::ApiKeys::list) and
/// returned by [`Auth::api_key`](crate::Auth::api_key).
///
/// It implements `Serialize` for templates, with the names of its methods as fields; times are Unix
/// seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyInfo {
    id: ApiKeyId,
    name: String,
    scopes: Scopes,
    created: Millis,
    expires: Option<Millis>,
    last_used: Option<Millis>,
    last4: [u8; SHOWN],
}

impl ApiKeyInfo {
    /// Returns the id, to pass to [`ApiKeys::revoke`](crate::api_keys::ApiKeys::revoke). It is not
    /// a secret and may appear in a page.
    #[must_use]
    pub fn id(&self) -> ApiKeyId {
        self.id
    }

    /// Returns the name that the user gave it. It is not escaped.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its scopes.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.iter()
    }

    /// Returns whether it has this scope.
    ///
    /// ```
    /// # use login_manager::AuthUser;
    /// # struct Account;
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
    /// use http::StatusCode;
    /// use login_manager::{Auth, Error};
    ///
    /// async fn refund(auth: Auth<Account>) -> Result<StatusCode, Error> {
    ///     // Allowed for users who are logged in by a session, and for keys with this scope.
    ///     Ok(match auth.api_key().await? {
    ///         Some(key) if !key.has_scope("refunds") => StatusCode::FORBIDDEN,
    ///         _ => StatusCode::OK,
    ///     })
    /// }
    /// ```
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.has(scope)
    }

    /// Returns when it was created.
    #[must_use]
    pub fn created(&self) -> SystemTime {
        moment(self.created)
    }

    /// Returns when it expires, or `None` if it never does.
    #[must_use]
    pub fn expires(&self) -> Option<SystemTime> {
        self.expires.map(moment)
    }

    /// Returns when it was last used, accurate to five minutes, or `None` if it has not been used.
    #[must_use]
    pub fn last_used(&self) -> Option<SystemTime> {
        self.last_used.map(moment)
    }

    /// Returns the last four characters of its text, by which users recognize it. They are part of
    /// the checksum, so they leave at least 232 of its 256 random bits unknown.
    #[must_use]
    pub fn last4(&self) -> &str {
        str::from_utf8(&self.last4).unwrap_or_default()
    }

    pub(super) fn of(entry: &Entry, key: StoredKey) -> Self {
        let (created, touched) = (entry.created(), entry.touched());
        Self {
            last_used: (touched > created).then_some(touched),
            ..Self::new(entry.id(), key, created, entry.expires())
        }
    }

    /// A key that has not been used.
    pub(super) fn new(id: SessionId, key: StoredKey, created: Millis, expires: Millis) -> Self {
        Self {
            id: ApiKeyId(id),
            name: key.name,
            scopes: key.scopes,
            created,
            expires: (!key.is_endless).then_some(expires),
            last_used: None,
            last4: key.last4,
        }
    }

    /// The order of a list: the newest first.
    pub(super) fn order(&self) -> (Reverse<Millis>, ApiKeyId) {
        (Reverse(self.created), self.id)
    }
}

impl Serialize for ApiKeyInfo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let seconds = |at: Option<Millis>| at.map(|at| at / 1000);
        let scopes: Vec<_> = self.scopes().collect();
        let mut fields = serializer.serialize_struct("ApiKeyInfo", 7)?;
        fields.serialize_field("id", &self.id)?;
        fields.serialize_field("name", &self.name)?;
        fields.serialize_field("scopes", &scopes)?;
        fields.serialize_field("created", &(self.created / 1000))?;
        fields.serialize_field("expires", &seconds(self.expires))?;
        fields.serialize_field("last_used", &seconds(self.last_used))?;
        fields.serialize_field("last4", self.last4())?;
        fields.end()
    }
}
