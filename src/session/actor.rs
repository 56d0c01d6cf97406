//! The session from which an impersonation was started.
//!
//! An impersonation is a record of its own, owned by the impersonated user, that names the actor's
//! session and its epoch. The actor's record does not refer to it. Stopping is one update of the
//! actor's record: it makes a new secret and raises the epoch, which ends the impersonation and any
//! other one that was started from this session.

use std::sync::Arc;

use super::{
    end::{Later, Proof, end_later},
    entries::Reader,
    payload::Payload,
    request::Turn,
    state::Open,
    swap::{Step, swap},
};
use crate::{
    clock::Millis,
    error::Error,
    event::{Event, EventKind},
    realm::Realm,
    retry::Deletion,
    store::{Digest, Outcome, SessionId, SessionRecord},
};

/// The user who impersonates, and the session from which they do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Actor {
    /// The text of the actor's id.
    pub(crate) id: Arc<str>,
    pub(crate) session: SessionId,
    /// The epoch of the actor's session when the impersonation began.
    pub(crate) epoch: u32,
}

/// Whether the actor is still logged in by the session that the impersonation was started from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActorStanding {
    LoggedIn,
    /// The session has a new epoch: the browser has returned to it, or the actor has logged in.
    Back,
    Over,
}

/// The session that an impersonation was started from, as it is now.
pub(crate) enum ActorSession {
    LoggedIn(Box<(SessionRecord, Payload)>),
    /// See [`ActorStanding`].
    Back,
    Over,
}

impl Actor {
    pub(crate) fn standing(
        &self,
        realm: &Realm,
        record: &SessionRecord,
        payload: &Payload,
        now: Millis,
    ) -> ActorStanding {
        let owner = record.owner.as_deref().and_then(|owner| realm.id_of(owner));
        let is_over = owner != Some(&*self.id)
            || payload.head.current.is_none()
            || payload.login.is_none()
            || !payload.is_session_live(record.touched, now)
            || Realm::is_from_the_future(record.touched, now);
        match is_over {
            true => ActorStanding::Over,
            false if payload.epoch != self.epoch => ActorStanding::Back,
            false => ActorStanding::LoggedIn,
        }
    }

    /// Loads the actor's session. A copy in a cache may be too old to tell that it is over.
    pub(crate) async fn load(&self, realm: &Realm) -> Result<ActorSession, Error> {
        match self.judged(realm, realm.load(&self.session).await?) {
            ActorSession::Back | ActorSession::Over if realm.store.is_cache() => {
                Ok(self.judged(realm, realm.load_fresh(&self.session).await?))
            }
            session => Ok(session),
        }
    }

    fn judged(&self, realm: &Realm, record: Option<SessionRecord>) -> ActorSession {
        let found = record.and_then(|record| {
            let payload = Payload::decode(&record.payload).ok()?;
            Some((record, payload))
        });
        let Some((record, payload)) = found else {
            return ActorSession::Over;
        };
        match self.standing(realm, &record, &payload, realm.clock.now()) {
            ActorStanding::LoggedIn => ActorSession::LoggedIn(Box::new((record, payload))),
            ActorStanding::Back => ActorSession::Back,
            ActorStanding::Over => ActorSession::Over,
        }
    }

    /// An event about the impersonation, with both ids.
    pub(crate) fn event(&self, realm: &Realm, kind: EventKind, of: &SessionRecord) -> Event {
        let event = realm.event_of(kind, of.owner.as_deref(), of.id);
        event.by_actor(Some(&self.id))
    }

    /// Ends the actor's session. Returns the event to emit, if there was a session.
    pub(crate) async fn end(&self, realm: &Realm) -> Result<Option<Event>, Error> {
        let is_done = realm.delete(&self.session, None).await? == Outcome::Done;
        Ok(is_done.then(|| self.logged_out(realm)))
    }

    fn logged_out(&self, realm: &Realm) -> Event {
        let owner = realm.owner(&self.id);
        realm.event_of(EventKind::LoggedOut, Some(&owner), self.session)
    }

    /// Ends the actor's session in the background. `proof` is the proof for the impersonation.
    pub(crate) fn end_later(self: &Arc<Self>, realm: &Arc<Realm>, proof: Proof, why: Later) {
        let (actor, owned) = (Arc::clone(self), Arc::clone(realm));
        realm.retries.push(Deletion {
            id: self.session,
            digest: Some(proof.digest()),
            verified: true,
            attempt: Arc::new(move || {
                let (actor, realm) = (Arc::clone(&actor), Arc::clone(&owned));
                Box::pin(async move {
                    actor.end(&realm).await?;
                    if why != Later::Replaced {
                        // If there was nothing to delete, the deletion that was reported as failed
                        // has taken effect.
                        realm.emit(&actor.logged_out(&realm));
                    }
                    Ok(true)
                })
            }),
        });
    }

    pub(super) fn encode(&self, bytes: &mut Vec<u8>) {
        // An id is bounded far below 4 GiB.
        bytes.extend((self.id.len() as u32).to_be_bytes());
        bytes.extend(self.id.as_bytes());
        bytes.extend(self.session.as_bytes());
        bytes.extend(self.epoch.to_be_bytes());
    }
}

impl Realm {
    /// Reports the end of a session, and of an impersonation if it was one.
    pub(crate) fn report_end(&self, kind: EventKind, record: &SessionRecord) {
        match actor_of(record) {
            Some(actor) => {
                self.emit(&actor.event(self, kind, record));
                self.emit(&actor.event(self, EventKind::ImpersonationEnded, record));
            }
            None => self.report_of(kind, record),
        }
    }
}

/// The actor of a record that is, or was, an impersonation.
pub(crate) fn actor_of(record: &SessionRecord) -> Option<Arc<Actor>> {
    Payload::decode(&record.payload).ok()?.actor
}

impl Reader<'_> {
    pub(super) fn actor(&mut self) -> Option<Arc<Actor>> {
        Some(Arc::new(Actor {
            id: self.text()?.into(),
            session: SessionId::from_bytes(self.array()?),
            epoch: u32::from_be_bytes(self.array()?),
        }))
    }
}

impl Turn<'_> {
    /// Closes an impersonation that is over, so that late requests are recognized.
    pub(crate) async fn close_impersonation(&self, open: &Open) {
        if let Some(shown) = open.shown() {
            let (record, payload) = (open.record.clone(), open.payload.clone());
            self.close_owned(record, payload, Some(shown)).await;
        }
    }

    /// Closes the actor's session, because a login has replaced the impersonation. If the store
    /// fails, it is ended in the background.
    pub(crate) async fn close_actor(&self, actor: &Arc<Actor>, proof: Proof) {
        let realm = self.realm();
        match realm.load_fresh(&actor.session).await {
            Ok(None) => {}
            Ok(Some(record)) => match Payload::decode(&record.payload) {
                Ok(payload) => self.close_owned(record, payload, None).await,
                Err(_) => actor.end_later(realm, proof, Later::Replaced),
            },
            Err(_) => actor.end_later(realm, proof, Later::Replaced),
        }
    }

    /// Closes a session. `shown` is the secret that late requests present, by default the current
    /// one.
    async fn close_owned(&self, record: SessionRecord, payload: Payload, shown: Option<Digest>) {
        let id = record.id;
        let Some(proof) = shown.or(payload.head.current).map(Proof::Session) else {
            return;
        };
        let step = |_: &SessionRecord, payload: &Payload| match payload.head.current {
            Some(current) => {
                let proof = Proof::Session(shown.unwrap_or(current));
                Step::Write(self.closed(payload, proof), self.now)
            }
            None => Step::Stop(()),
        };
        if swap(self.realm(), record, payload, step).await.is_err() {
            end_later(self.realm(), id, proof, Later::Replaced);
        }
    }
}
