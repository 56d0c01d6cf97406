//! API keys in requests and in the store: each key is one entry, whose id is a part of the key's
//! digest.

mod info;
mod scopes;
mod settings;
mod stored;
mod text;
mod verbs;

use std::{fmt, sync::Arc};

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use crate::{
    api_key_id::ApiKeyId,
    clock::Millis,
    entry::{Entry, EntryKey, find_entry, newer},
    error::Error,
    realm::Realm,
    store::Digest,
    user::AuthUser,
};

pub use self::{info::ApiKeyInfo, settings::ApiKeySettings, text::ApiKey};
pub(crate) use self::{
    scopes::{Scopes, is_scope},
    stored::StoredKey,
    verbs::{Wanted, create, list, revoke, revoke_all},
};

/// The kind of entry, and the purpose of the digests.
const KIND: &str = "keys";
const PURPOSE: &str = "api key";
/// The last use is recorded at most every five minutes.
const ACCURACY: Millis = 5 * 60 * 1000;

/// The token of an `Authorization: Bearer` header. It may be an API key or another token of the
/// application.
#[derive(Clone)]
pub(crate) struct BearerToken(HeaderValue);

impl BearerToken {
    const SCHEME: &[u8] = b"Bearer ";

    /// Returns `None` if the header has another scheme, or if there are several such headers, which
    /// is ambiguous.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return None;
        };
        // Schemes are case-insensitive (RFC 9110, 11.1).
        let scheme = value.as_bytes().get(..Self::SCHEME.len())?;
        scheme
            .eq_ignore_ascii_case(Self::SCHEME)
            .then(|| Self(value.clone()))
    }

    fn text(&self) -> &[u8] {
        let text = self.0.as_bytes().get(Self::SCHEME.len()..);
        text.unwrap_or_default().trim_ascii()
    }

    /// The key, if the token has the form of one. It need not exist.
    pub(crate) fn key(&self, realm: &Realm, settings: &ApiKeySettings) -> Option<ShownKey> {
        let text = self.text();
        text::is_key(text, settings.prefix()).then(|| ShownKey::of(realm, text))
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken([redacted])")
    }
}

/// An API key as a request presents it: the id of its entry, if the key exists, and its digest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShownKey {
    pub(crate) id: ApiKeyId,
    digest: Digest,
}

impl ShownKey {
    fn of(realm: &Realm, text: &[u8]) -> Self {
        let digest = realm.digester(PURPOSE).parts(&[text]);
        Self {
            id: ApiKeyId(EntryKey::id_of(&digest)),
            digest,
        }
    }
}

/// A live key in the store.
pub(crate) struct FoundKey {
    entry: Entry,
    key: StoredKey,
}

impl FoundKey {
    /// The text of the user's id.
    pub(crate) fn user_id<'a>(&'a self, realm: &Realm) -> &'a str {
        user_of(realm, self.entry.owner()).unwrap_or_default()
    }

    pub(crate) fn stored(&self) -> &StoredKey {
        &self.key
    }

    pub(crate) fn into_info(self) -> ApiKeyInfo {
        ApiKeyInfo::of(&self.entry, self.key)
    }

    /// Records that the key is in use, in the background: it neither delays nor fails the response.
    pub(crate) fn note_use(&self, realm: &Arc<Realm>, now: Millis) {
        let (created, touched) = (self.entry.created(), self.entry.touched());
        if touched > created && now.saturating_sub(touched) < ACCURACY {
            return;
        }
        // The time of creation stands for "never used".
        let at = now.max(created.saturating_add(1));
        let (realm, id, expires) = (Arc::clone(realm), self.entry.id(), self.entry.expires());
        tokio::spawn(async move {
            // Best effort: the next use is recorded again.
            realm.touch(&id, at, expires).await.ok();
        });
    }
}

/// Finds a key by its text. The read bypasses any cache, so that a revoked key is refused at once.
pub(crate) async fn find_key(
    realm: &Realm,
    shown: &ShownKey,
    now: Millis,
) -> Result<Option<FoundKey>, Error> {
    let entry = find_entry(realm, KIND, &shown.id.0).await?;
    let Some(entry) = entry.filter(|entry| now < entry.expires()) else {
        return Ok(None);
    };
    let Some(key) = StoredKey::decode(entry.content()) else {
        return Err(newer());
    };
    Ok((key.digest == shown.digest).then_some(FoundKey { entry, key }))
}

/// The digest of the security stamp that a key ends with.
pub(crate) fn stamp_of<U: AuthUser>(realm: &Realm, owner: &str, user: &U) -> Digest {
    let stamp = user.security_stamp();
    realm.digests.stamp.parts(&[owner.as_bytes(), &stamp])
}

/// The owner of the keys of the user with this id.
pub(crate) fn owner_of_keys(realm: &Realm, user_id: &str) -> Arc<str> {
    realm.entry_owner(KIND, user_id)
}

/// The text of the id of the user whose keys have this owner.
fn user_of<'a>(realm: &Realm, owner: &'a str) -> Option<&'a str> {
    realm.entry_name(KIND, owner)
}
