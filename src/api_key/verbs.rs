//! Creating, listing and revoking keys.

use std::sync::Arc;

use super::{ApiKey, ApiKeyInfo, ApiKeySettings, Scopes, ShownKey, StoredKey};
use crate::{
    api_key_id::ApiKeyId,
    clock::Millis,
    entry::{EntryKey, EntryStep, change_entry, delete_entry, list_entries},
    error::{Error, ErrorKind},
    event::EventKind,
    realm::Realm,
    session::discard_later,
    store::Digest,
};

/// The end of the year 9999: for the store, a key that never expires needs an end, too.
const NEVER: Millis = 253_402_300_799_999;

/// A key that is to be created. Its parts have been checked.
pub(crate) struct Wanted {
    /// From [`owner_of_keys`](super::owner_of_keys).
    pub(crate) owner: Arc<str>,
    pub(crate) name: String,
    pub(crate) scopes: Scopes,
    pub(crate) stamp: Option<Digest>,
    /// In milliseconds; `None` for a key that never expires.
    pub(crate) lifetime: Option<Millis>,
}

/// Creates a key, unless the user already has the maximum number.
pub(crate) async fn create(
    realm: &Arc<Realm>,
    settings: &ApiKeySettings,
    wanted: Wanted,
) -> Result<(ApiKey, ApiKeyInfo), Error> {
    let (now, owner) = (realm.clock.now(), wanted.owner);
    if list_entries(realm, &owner, now).await?.len() >= settings.limit() {
        return Err(ErrorKind::TooManyApiKeys.into());
    }
    let text = ApiKey::random(settings.prefix())?;
    let ShownKey { id, digest } = ShownKey::of(realm, text.expose().as_bytes());
    let expires = match wanted.lifetime {
        Some(lifetime) => now.saturating_add(lifetime).min(NEVER),
        None => NEVER,
    };
    let key = StoredKey {
        digest,
        user_type: realm.user_type,
        last4: text.last4(),
        is_endless: wanted.lifetime.is_none(),
        stamp: wanted.stamp,
        name: wanted.name,
        scopes: wanted.scopes,
    };
    let (id, content) = (id.0, key.encode());
    let at = EntryKey {
        id,
        owner: Arc::clone(&owner),
    };
    if let Err(error) = store(realm, settings, &at, now, expires, &content).await {
        // The key may be stored, or a call that is still in flight may store it, but no user has
        // its text, so delete it.
        let may_be_stored = error.kind() != ErrorKind::Random;
        if may_be_stored && !matches!(delete_entry(realm, &at, now).await, Ok(true)) {
            discard_later(realm, id);
        }
        return Err(error);
    }
    report(realm, EventKind::ApiKeyCreated, &owner, Some(ApiKeyId(id)));
    Ok((text, ApiKeyInfo::new(id, key, now, expires)))
}

/// Stores a key. Fails if the user then has too many; the caller deletes the key.
async fn store(
    realm: &Realm,
    settings: &ApiKeySettings,
    key: &EntryKey,
    now: Millis,
    expires: Millis,
    content: &[u8],
) -> Result<(), Error> {
    change_entry(realm, key, now, |entry| match entry {
        None => Ok(EntryStep::Put {
            content: content.to_vec(),
            expires,
            then: (),
        }),
        // A working source does not return the same 256 bits twice.
        Some(_) => Err(ErrorKind::Random.into()),
    })
    .await?;
    // If other keys are created concurrently, the call that lists last sees all of them, and fails.
    match list_entries(realm, &key.owner, now).await?.len() > settings.limit() {
        true => Err(ErrorKind::TooManyApiKeys.into()),
        false => Ok(()),
    }
}

/// An owner's live keys, the newest first. Those that a newer version wrote are omitted.
pub(crate) async fn list(realm: &Realm, owner: &str) -> Result<Vec<ApiKeyInfo>, Error> {
    let entries = list_entries(realm, owner, realm.clock.now()).await?;
    let mut keys: Vec<_> = entries
        .iter()
        .filter_map(|entry| Some(ApiKeyInfo::of(entry, StoredKey::decode(entry.content())?)))
        .collect();
    keys.sort_by_key(ApiKeyInfo::order);
    Ok(keys)
}

/// Deletes a key of this owner. Returns whether there was one.
pub(crate) async fn revoke(realm: &Realm, owner: Arc<str>, id: ApiKeyId) -> Result<bool, Error> {
    let key = EntryKey { id: id.0, owner };
    let is_done = delete_entry(realm, &key, realm.clock.now()).await?;
    if is_done {
        report(realm, EventKind::ApiKeyRevoked, &key.owner, Some(id));
    }
    Ok(is_done)
}

/// Deletes all keys of this owner. Returns how many there were.
pub(crate) async fn revoke_all(realm: &Realm, owner: &str) -> Result<u64, Error> {
    let deleted = realm.delete_all(owner, None).await?;
    if deleted > 0 {
        report(realm, EventKind::ApiKeyRevoked, owner, None);
    }
    Ok(deleted)
}

fn report(realm: &Realm, kind: EventKind, owner: &str, id: Option<ApiKeyId>) {
    let event = realm.event(kind).of(super::user_of(realm, owner), None);
    realm.emit(&event.about_key(id));
}
