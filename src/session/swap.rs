//! The one place that creates and updates session records.

use std::sync::Arc;

use super::payload::{Mark, Payload};
use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    random::random_bytes,
    realm::Realm,
    retry::Deletion,
    store::{CreateOutcome, Outcome, SessionId, SessionRecord, backoff},
};

/// How often an update is tried if other updates conflict with it. With the pauses between the
/// tries, that takes about two seconds.
const TRIES: u32 = 64;

/// What to do with a record in its current state.
#[allow(
    clippy::large_enum_variant,
    reason = "there is one per write, and a box would cost an allocation"
)]
pub(crate) enum Step<T> {
    /// Write this payload, with this time of the last use.
    Write(Payload, Millis),
    /// Leave the record alone.
    Stop(T),
}

#[allow(
    clippy::large_enum_variant,
    reason = "there is one per write, and a box would cost an allocation"
)]
pub(crate) enum Swapped<T> {
    /// The record and its payload as they are stored now.
    Done(SessionRecord, Payload),
    /// The record no longer exists.
    Gone,
    Stopped(T),
}

/// Updates a record by compare-and-swap: builds a new payload from the record, writes it, and on a
/// conflict loads the record again and calls `build` again.
///
/// If the outcome of a write is unknown, the record is loaded. If it carries the mark of this
/// write, the write has taken effect. If it still has the version that was read, the same content
/// is written again, which raises the version, so that the first write can't take effect later.
pub(crate) async fn swap<T>(
    realm: &Realm,
    mut record: SessionRecord,
    mut payload: Payload,
    mut build: impl FnMut(&SessionRecord, &Payload) -> Step<T>,
) -> Result<Swapped<T>, Error> {
    for attempt in 0..TRIES {
        let (new, new_payload) = match build(&record, &payload) {
            Step::Write(payload, touched) => draft(&record, payload, touched)?,
            Step::Stop(reason) => return Ok(Swapped::Stopped(reason)),
        };
        let (error, stored) = match realm.update(new.clone(), realm.clock.now()).await {
            Ok(Outcome::Done) => return Ok(done(new, new_payload)),
            Ok(Outcome::Gone) => return Ok(Swapped::Gone),
            Ok(Outcome::Conflict) => (None, load(realm, &record.id).await?),
            Err(error) => match load(realm, &record.id).await {
                Ok(stored) => (Some(error), stored),
                Err(_) => return Err(error),
            },
        };
        let Some((stored, stored_payload)) = stored else {
            return Ok(Swapped::Gone);
        };
        if stored_payload.shows(&new_payload, &payload) {
            return Ok(Swapped::Done(stored, stored_payload));
        }
        if let Some(error) = error {
            // If another request has written since, the version is higher, and this write can no
            // longer take effect.
            if stored.version == record.version
                && let Some((stored, stored_payload)) = fence(realm, stored, stored_payload).await?
                && stored_payload.shows(&new_payload, &payload)
            {
                return Ok(Swapped::Done(stored, stored_payload));
            }
            return Err(error);
        }
        backoff(attempt).await;
        (record, payload) = (stored, stored_payload);
    }
    Err(ErrorKind::Conflict.into())
}

/// Makes sure that a write whose outcome is unknown can no longer take effect. Returns the record
/// if something has been written meanwhile.
async fn fence(
    realm: &Realm,
    stored: SessionRecord,
    payload: Payload,
) -> Result<Option<(SessionRecord, Payload)>, Error> {
    let touched = stored.touched;
    let (same, _) = draft(&stored, payload, touched)?;
    match realm.update(same, realm.clock.now()).await {
        Ok(Outcome::Conflict) => load(realm, &stored.id).await,
        _ => Ok(None),
    }
}

impl Payload {
    /// Whether this stored payload shows that `wanted` was written in place of `read`: by its mark,
    /// or, if another request has written since, by the session secret that it introduced.
    fn shows(&self, wanted: &Self, read: &Self) -> bool {
        let is_new = wanted.head.current.is_some() && wanted.head.current != read.head.current;
        self.mark == wanted.mark || (is_new && self.head.current == wanted.head.current)
    }
}

fn done<T>(mut record: SessionRecord, payload: Payload) -> Swapped<T> {
    record.version += 1;
    Swapped::Done(record, payload)
}

fn draft(
    record: &SessionRecord,
    mut payload: Payload,
    touched: Millis,
) -> Result<(SessionRecord, Payload), Error> {
    payload.mark = mark()?;
    let touched = touched.max(record.touched);
    let lifetime = payload.lifetime(touched);
    let record = SessionRecord {
        touched,
        expires: lifetime.expires,
        ends: lifetime.ends,
        payload: payload.encode(),
        ..record.clone()
    };
    Ok((record, payload))
}

/// The record as it is in the store, bypassing any cache. `None` if it is gone or can't be read.
async fn load(realm: &Realm, id: &SessionId) -> Result<Option<(SessionRecord, Payload)>, Error> {
    let Some(record) = realm.load_fresh(id).await? else {
        return Ok(None);
    };
    let payload = Payload::decode(&record.payload).ok();
    Ok(payload
        .filter(|_| record.is_live(realm.clock.now()))
        .map(|payload| (record, payload)))
}

/// A record to create.
pub(crate) struct NewSession {
    pub(crate) id: SessionId,
    pub(crate) owner: Option<Arc<str>>,
    pub(crate) created: Millis,
    pub(crate) now: Millis,
    pub(crate) payload: Payload,
}

/// Creates a record. If the outcome is unknown, the record is loaded; if it does not exist, its id
/// is queued for deletion, because the write may still take effect.
pub(crate) async fn create(
    realm: &Arc<Realm>,
    new: NewSession,
) -> Result<(SessionRecord, Payload), Error> {
    let NewSession {
        id,
        owner,
        created,
        now,
        mut payload,
    } = new;
    payload.mark = mark()?;
    let lifetime = payload.lifetime(now);
    let record = SessionRecord {
        id,
        owner,
        version: 0,
        created,
        touched: now,
        expires: lifetime.expires,
        ends: lifetime.ends,
        payload: payload.encode(),
    };
    let error = match realm.create(record.clone()).await {
        Ok(CreateOutcome::Done) => return Ok((record, payload)),
        // Either the store retried the call and found the record of its first try, or it has a bug.
        Ok(CreateOutcome::Exists) => Error::new(
            ErrorKind::Store,
            "the store reports that a new session id exists already",
        ),
        Err(error) => error,
    };
    match load(realm, &id).await {
        Ok(Some((stored, stored_payload))) if stored_payload.mark == payload.mark => {
            Ok((stored, stored_payload))
        }
        _ => {
            discard_later(realm, id);
            Err(error)
        }
    }
}

/// Deletes a record that this process created and whose secret no client has.
pub(crate) fn discard_later(realm: &Arc<Realm>, id: SessionId) {
    let owned = Arc::clone(realm);
    realm.retries.push(Deletion {
        id,
        digest: None,
        verified: true,
        attempt: Arc::new(move || {
            let realm = Arc::clone(&owned);
            // Not found may mean that the create is still in flight, so keep trying. Once deleted
            // the record can't reappear: ids are never reused.
            Box::pin(async move { Ok(realm.delete(&id, None).await? == Outcome::Done) })
        }),
    });
}

fn mark() -> Result<Mark, Error> {
    random_bytes().map_err(|_| ErrorKind::Random.into())
}
