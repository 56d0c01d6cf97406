//! Entries: records that are not sessions, such as one-time tokens, API keys and the counts of a
//! throttle.
//!
//! They are kept in the same store, under owners that no session has, so no session list contains
//! them and no session cookie is valid for them. Payload:
//!
//! ```text
//! kind     u8   E
//! version  u8   1
//! mark     8 B  random, new with every write: by it a writer recognizes its own write
//! content  what the entry is for
//! ```

use std::sync::Arc;

use crate::{
    clock::Millis,
    error::{Error, ErrorKind, StoreError},
    random::random_bytes,
    realm::Realm,
    store::{CreateOutcome, Digest, Outcome, Page, SessionId, SessionRecord, backoff},
};

const KIND: u8 = b'E';
const VERSION: u8 = 1;
const HEAD: usize = 2 + MARK;
const MARK: usize = 8;

/// How often a change is tried if others conflict with it: with the pauses between them, about two
/// seconds.
const TRIES: u32 = 64;

/// Where an entry is kept.
#[derive(Clone, Debug)]
pub(crate) struct EntryKey {
    pub(crate) id: SessionId,
    /// From [`Realm::entry_owner`]; entries are listed and deleted by it.
    pub(crate) owner: Arc<str>,
}

impl EntryKey {
    /// The key of the only entry whose name has this digest.
    pub(crate) fn named(owner: Arc<str>, name: &Digest) -> Self {
        let id = Self::id_of(name);
        Self { id, owner }
    }

    /// The id of the only entry with this digest.
    pub(crate) fn id_of(name: &Digest) -> SessionId {
        let id = name.0.first_chunk().copied().unwrap_or_default();
        SessionId::from_bytes(id)
    }
}

/// An entry as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    record: SessionRecord,
}

impl Entry {
    pub(crate) fn id(&self) -> SessionId {
        self.record.id
    }

    pub(crate) fn owner(&self) -> &str {
        self.record.owner.as_deref().unwrap_or_default()
    }

    #[allow(dead_code, reason = "for entries that a list shows")]
    pub(crate) fn created(&self) -> Millis {
        self.record.created
    }

    #[allow(dead_code, reason = "for entries that a list shows")]
    pub(crate) fn touched(&self) -> Millis {
        self.record.touched
    }

    pub(crate) fn expires(&self) -> Millis {
        self.record.expires
    }

    pub(crate) fn content(&self) -> &[u8] {
        self.record.payload.get(HEAD..).unwrap_or_default()
    }

    fn mark(&self) -> &[u8] {
        self.record.payload.get(2..HEAD).unwrap_or_default()
    }

    /// The entry in a record, if it was written by this version.
    fn of(record: SessionRecord) -> Option<Self> {
        let is_entry = record.payload.len() >= HEAD && record.payload.starts_with(&[KIND, VERSION]);
        is_entry.then_some(Self { record })
    }
}

/// What to do with an entry in its current state.
pub(crate) enum EntryStep<T> {
    /// Create it, or replace it. `expires` may be earlier than that of the old one.
    Put {
        content: Vec<u8>,
        expires: Millis,
        then: T,
    },
    Delete(T),
    Keep(T),
}

/// Changes an entry by compare-and-swap: reads it, bypassing any cache, calls `decide` with it, or
/// with `None` if there is no live one, and carries out the step. On a conflict, it reads and
/// decides again. `then` is returned only after the store has accepted the step.
///
/// If the outcome of a write is unknown, the entry is read again. If it carries the mark of this
/// write, the write has taken effect; if not, [`settle`] makes sure that it no longer can.
///
/// # Errors
/// - [`ErrorKind::Store`] if the store failed, or the entry was written by a newer version
/// - [`ErrorKind::Conflict`] if others kept changing it
pub(crate) async fn change_entry<T>(
    realm: &Realm,
    key: &EntryKey,
    now: Millis,
    mut decide: impl FnMut(Option<&Entry>) -> Result<EntryStep<T>, Error>,
) -> Result<T, Error> {
    for attempt in 0..TRIES {
        if attempt > 0 {
            backoff(attempt - 1).await;
        }
        let stored = load(realm, key).await?;
        let live = stored.as_ref().filter(|entry| entry.record.is_live(now));
        let (content, expires, then) = match decide(live)? {
            EntryStep::Keep(then) => return Ok(then),
            EntryStep::Delete(then) => {
                let Some(entry) = live else {
                    return Ok(then);
                };
                match realm.delete(&key.id, Some(entry.record.version)).await? {
                    Outcome::Done => return Ok(then),
                    Outcome::Conflict | Outcome::Gone => continue,
                }
            }
            EntryStep::Put {
                content,
                expires,
                then,
            } => (content, expires, then),
        };
        let mark = random_bytes::<MARK>().map_err(|_| ErrorKind::Random)?;
        let mut record = SessionRecord {
            id: key.id,
            owner: Some(Arc::clone(&key.owner)),
            version: first_version()?,
            created: now,
            touched: now,
            expires,
            ends: expires,
            payload: payload(mark, &content),
        };
        let written = match (live, &stored) {
            (Some(entry), _) => {
                record.version = entry.record.version;
                record.created = entry.record.created;
                let updated = realm.update(record.clone(), now).await;
                updated.map(|outcome| outcome == Outcome::Done)
            }
            // The store has not removed the expired one yet.
            (None, Some(expired)) => {
                let version = Some(expired.record.version);
                match realm.delete(&key.id, version).await? {
                    Outcome::Conflict => continue,
                    Outcome::Done | Outcome::Gone => create(realm, &record).await,
                }
            }
            (None, None) => create(realm, &record).await,
        };
        match written {
            Ok(true) => return Ok(then),
            Ok(false) => {}
            Err(error) => {
                let before = live.map(|entry| entry.record.version);
                return match settle(realm, key, &mark, before).await {
                    Ok(true) => Ok(then),
                    Ok(false) | Err(_) => Err(error),
                };
            }
        }
    }
    Err(ErrorKind::Conflict.into())
}

/// Reads an entry, bypassing any cache. Returns `None` if there is no live one.
pub(crate) async fn load_entry(
    realm: &Realm,
    key: &EntryKey,
    now: Millis,
) -> Result<Option<Entry>, Error> {
    let stored = load(realm, key).await?;
    Ok(stored.filter(|entry| entry.record.is_live(now)))
}

/// Reads an entry of a kind by its id alone, whoever its owner is, and whether or not it is live.
/// Bypasses any cache.
///
/// # Errors
/// - [`ErrorKind::Store`] if the store failed, or the entry was written by a newer version
pub(crate) async fn find_entry(
    realm: &Realm,
    kind: &str,
    id: &SessionId,
) -> Result<Option<Entry>, Error> {
    let record = realm.load_any(id).await?;
    let is_of_kind = |record: &SessionRecord| {
        let owner = record.owner.as_deref();
        owner.is_some_and(|owner| realm.entry_name(kind, owner).is_some())
    };
    record.filter(is_of_kind).map(read).transpose()
}

/// Deletes an entry, whatever its version and whoever wrote it. Returns whether there was a live
/// one.
pub(crate) async fn delete_entry(
    realm: &Realm,
    key: &EntryKey,
    now: Millis,
) -> Result<bool, Error> {
    let record = realm.load_any(&key.id).await?;
    let Some(record) = record.filter(|record| record.owner.as_deref() == Some(&*key.owner)) else {
        return Ok(false);
    };
    let outcome = realm.delete(&key.id, None).await?;
    Ok(outcome == Outcome::Done && record.is_live(now))
}

/// Reads the live entries of an owner, in the order of their ids. Those that a newer version wrote
/// are omitted.
pub(crate) async fn list_entries(
    realm: &Realm,
    owner: &str,
    now: Millis,
) -> Result<Vec<Entry>, Error> {
    const LIMIT: usize = 256;
    let (mut entries, mut after) = (Vec::new(), None);
    loop {
        let page = Page {
            after,
            limit: LIMIT,
        };
        let records = realm.list(owner, page, now).await?;
        let is_last = records.len() < LIMIT;
        after = records.last().map(|record| record.id);
        entries.extend(records.into_iter().filter_map(Entry::of));
        if is_last {
            return Ok(entries);
        }
    }
}

/// The first version is random, since the ids of entries are used again: a writer that holds a copy
/// of a deleted entry must not mistake a later entry with the same id for it.
fn first_version() -> Result<u64, Error> {
    let [a, b, c, d, e] = random_bytes().map_err(|_| ErrorKind::Random)?;
    Ok(u64::from_be_bytes([0, 0, 0, a, b, c, d, e]))
}

async fn create(realm: &Realm, record: &SessionRecord) -> Result<bool, Error> {
    let created = realm.create(record.clone()).await;
    created.map(|outcome| outcome == CreateOutcome::Done)
}

/// Returns whether a write whose outcome is unknown has taken effect. If it has not, this makes
/// sure that it no longer can. The exception is a create, which may still take effect.
async fn settle(
    realm: &Realm,
    key: &EntryKey,
    mark: &[u8; MARK],
    before: Option<u64>,
) -> Result<bool, Error> {
    let Some(entry) = load(realm, key).await? else {
        return Ok(false);
    };
    if entry.mark() == mark {
        return Ok(true);
    }
    if before != Some(entry.record.version) {
        return Ok(false);
    }
    // Write the same content, which raises the version.
    let now = realm.clock.now();
    match realm.update(entry.record, now).await? {
        Outcome::Conflict => {
            let entry = load(realm, key).await?;
            Ok(entry.is_some_and(|entry| entry.mark() == mark))
        }
        Outcome::Done | Outcome::Gone => Ok(false),
    }
}

/// The entry, live or not.
async fn load(realm: &Realm, key: &EntryKey) -> Result<Option<Entry>, Error> {
    let record = realm.load_any(&key.id).await?;
    let Some(record) = record.filter(|record| record.owner.as_deref() == Some(&*key.owner)) else {
        return Ok(None);
    };
    read(record).map(Some)
}

fn read(record: SessionRecord) -> Result<Entry, Error> {
    Entry::of(record).ok_or_else(newer)
}

/// The error for what this version can't read.
pub(crate) fn newer() -> Error {
    let cause = StoreError::new("an entry in the store was written by a newer version");
    Error::new(ErrorKind::Store, cause)
}

fn payload(mark: [u8; MARK], content: &[u8]) -> Arc<[u8]> {
    let mut bytes = Vec::with_capacity(HEAD + content.len());
    bytes.extend([KIND, VERSION]);
    bytes.extend(mark);
    bytes.extend(content);
    bytes.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::{MemoryStore, SessionStore as _};

    fn realm(store: &MemoryStore) -> Realm {
        Realm::new("account", Arc::new(store.clone()))
    }

    fn key(realm: &Realm) -> EntryKey {
        let name = realm.digester("test").parts(&[b"alice"]);
        EntryKey::named(realm.entry_owner("test", "alice"), &name)
    }

    async fn put(realm: &Realm, now: Millis, expires: Millis, content: &[u8]) -> Option<Vec<u8>> {
        change_entry(realm, &key(realm), now, |entry| {
            Ok(EntryStep::Put {
                content: content.to_vec(),
                expires,
                then: entry.map(|entry| entry.content().to_vec()),
            })
        })
        .await
        .unwrap()
    }

    #[tokio::test]
    async fn an_entry_is_created_replaced_and_deleted() {
        let store = MemoryStore::new();
        let (realm, now) = (realm(&store), 1000);
        assert_eq!(put(&realm, now, 2000, b"one").await, None);
        assert_eq!(put(&realm, now, 1500, b"two").await, Some(b"one".to_vec()));
        let entry = load_entry(&realm, &key(&realm), now).await.unwrap();
        assert_eq!(entry.map(|entry| entry.expires()), Some(1500));
        assert_eq!(
            put(&realm, 1499, 3000, b"three").await,
            Some(b"two".to_vec())
        );

        let key = key(&realm);
        let deleted = change_entry(&realm, &key, now, |_| Ok(EntryStep::Delete(7)));
        assert_eq!(deleted.await.unwrap(), 7);
        assert!(store.is_empty());
    }

    #[tokio::test]
    async fn an_expired_entry_is_absent_and_replaced() {
        let store = MemoryStore::new();
        let realm = realm(&store);
        put(&realm, 1000, 2000, b"one").await;
        assert!(
            load_entry(&realm, &key(&realm), 1999)
                .await
                .unwrap()
                .is_some()
        );
        assert!(
            load_entry(&realm, &key(&realm), 2000)
                .await
                .unwrap()
                .is_none()
        );
        assert_eq!(put(&realm, 2000, 3000, b"two").await, None);
        assert_eq!(store.len(), 1);
    }

    #[tokio::test]
    async fn no_session_is_read_from_an_entry() {
        let store = MemoryStore::new();
        let realm = realm(&store);
        put(&realm, 1000, 2000, b"one").await;
        let id = key(&realm).id;
        assert!(store.load(&id).await.unwrap().is_some());
        assert!(realm.load(&id).await.unwrap().is_none());
        assert!(realm.load_fresh(&id).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn copy_of_a_deleted_entry_does_not_replace_the_next_one() {
        let store = MemoryStore::new();
        let realm = realm(&store);
        put(&realm, 1000, 2000, b"one").await;
        let key = key(&realm);
        let copy = store.load(&key.id).await.unwrap().unwrap();
        let _deleted = store.delete(&key.id, None).await.unwrap();
        put(&realm, 1000, 2000, b"two").await;
        let replaced = store.update(copy, 1000).await.unwrap();
        assert_eq!(replaced, Outcome::Conflict);
    }

    fn record(payload: &[u8]) -> SessionRecord {
        SessionRecord {
            id: SessionId::from_bytes([1; 16]),
            owner: None,
            version: 1,
            created: 1,
            touched: 1,
            expires: 2,
            ends: 2,
            payload: payload.into(),
        }
    }

    proptest! {
        #[test]
        fn content_comes_back_as_it_was_stored(mark: [u8; MARK], content: Vec<u8>) {
            let entry = Entry::of(record(&payload(mark, &content))).unwrap();
            prop_assert_eq!((entry.mark(), entry.content()), (&mark[..], &*content));
        }

        #[test]
        fn only_the_head_of_an_entry_is_one(bytes: Vec<u8>) {
            let is_entry = bytes.len() >= HEAD && bytes.starts_with(&[KIND, VERSION]);
            prop_assert_eq!(Entry::of(record(&bytes)).is_some(), is_entry);
            let cut = [&[KIND, VERSION], bytes.get(..7).unwrap_or(&bytes)].concat();
            prop_assert!(Entry::of(record(&cut)).is_none());
            prop_assert!(read(record(&[&[KIND, VERSION + 1], &*bytes].concat())).is_err());
        }
    }

    /// An owner determines the realm, the kind and the name, whatever the name contains.
    #[test]
    fn no_name_is_that_of_another_kind_realm_or_user() {
        let store = MemoryStore::new();
        let realms = ["a", "ab", "a.b", "a:b", "tokens"].map(|name| {
            let mut realm = realm(&store);
            realm.set_name(name).unwrap();
            realm
        });
        let kinds = [
            "tokens",
            "undo-tokens",
            "keys",
            "browsers",
            "throttle",
            "invitations",
        ];
        let long = "x".repeat(10_000);
        let names = [
            "",
            "1",
            "/1",
            "~1",
            "1/2",
            "~tokens/1",
            "a~tokens/1",
            "a/1",
            "tokens/1",
            &long,
        ];
        let mut owners = std::collections::HashSet::new();
        for name in names {
            for (at, realm) in realms.iter().enumerate() {
                let session = realm.owner(name);
                assert!(owners.insert(session.to_string()), "{session}");
                assert_eq!(realm.id_of(&session), Some(name));
                for kind in kinds {
                    let owner = realm.entry_owner(kind, name);
                    assert!(owners.insert(owner.to_string()), "{owner}");
                    for (other_at, other) in realms.iter().enumerate() {
                        assert_eq!(other.id_of(&owner), None, "{owner}");
                        assert_eq!(other.entry_name(kind, &session), None, "{session}");
                        for other_kind in kinds {
                            let is_same = at == other_at && kind == other_kind;
                            let read = other.entry_name(other_kind, &owner);
                            assert_eq!(read, is_same.then_some(name), "{owner}");
                        }
                    }
                }
            }
        }
    }
}
