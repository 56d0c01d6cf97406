//! Logging out.

use crate::{
    auth::request::RequestAuth,
    error::{Error, ErrorKind},
    event::{Event, EventKind},
    identity::Identity,
    reason::AnonymousReason,
    session::{
        HeldBy, Later, Open, Proof, SessionState, Turn, actor_of, end_later, head_of, presented,
    },
    store::{Outcome, SessionId, SessionRecord},
    user::AuthUser,
};

/// A session that a logout could not end.
struct Unfinished {
    error: Error,
    /// The presented secret that is known to open it.
    verified: Option<Proof>,
    /// Its record, if that could be read.
    record: Option<SessionRecord>,
}

/// The outcome of a logout for one session.
enum Ended {
    Done(SessionRecord),
    /// A concurrent request has ended it.
    Before(SessionRecord),
    /// There is no such session.
    Nothing,
    /// It is live, and no presented secret opens it.
    NotOpened,
}

impl<U: AuthUser> RequestAuth<U> {
    pub(in crate::auth) async fn logout(&self, turn: &Turn<'_>) -> Result<(), Error> {
        let sessions = turn.session_tokens();
        let remembered = turn.remember_tokens();
        let realm = turn.realm();
        let mut proofs = presented(realm, sessions.iter(), remembered.iter());
        // The request's own session. If this request has created or restored it, no browser has its
        // cookie yet.
        let own = turn.open();
        let is_own = |id: &SessionId| own.as_ref().is_some_and(|open| open.record.id == *id);
        if let Some(Open {
            record,
            held_by: HeldBy::Secret(secret),
            ..
        }) = own.as_deref()
        {
            proofs.insert(0, (record.id, Proof::Session(*secret)));
        }

        let (mut events, mut failed, mut refused) = (Vec::new(), None, false);
        let mut ids: Vec<SessionId> = Vec::new();
        for (id, _) in &proofs {
            if !ids.contains(id) {
                ids.push(*id);
            }
        }
        for id in ids {
            let shown: Vec<Proof> = proofs
                .iter()
                .filter_map(|(of, proof)| (*of == id).then_some(*proof))
                .collect();
            let known = own.as_deref().filter(|_| is_own(&id));
            match self.end_shown(turn, id, &shown, known).await {
                Ok(Ended::Done(record)) => {
                    events.extend(self.end_actor(&record, &shown, &mut failed).await);
                    let (owner, id) = (record.owner.as_deref(), record.id);
                    events.push(realm.event_of(EventKind::LoggedOut, owner, id));
                }
                Ok(Ended::Before(record)) => {
                    events.extend(self.end_actor(&record, &shown, &mut failed).await);
                }
                Ok(Ended::Nothing) => {}
                Ok(Ended::NotOpened) => refused = true,
                Err(Unfinished {
                    error,
                    verified,
                    record,
                }) => {
                    if let Some(record) = record {
                        events.extend(self.end_actor(&record, &shown, &mut failed).await);
                    }
                    let why = Later::LoggedOut {
                        verified: verified.is_some(),
                    };
                    for proof in verified.map_or(shown, |proof| vec![proof]) {
                        end_later(realm, id, proof, why);
                    }
                    failed = Some(error);
                }
            }
        }
        // The cookies are removed even if the store failed.
        let incomplete = failed.is_some() || refused || sessions.too_many || remembered.too_many;
        {
            let mut state = turn.state();
            state.asked = true;
            state.remove_cookies();
            state.session = SessionState::none(AnonymousReason::LoggedOut);
        }
        self.set_identity(Identity::Anonymous(AnonymousReason::LoggedOut));
        for event in &events {
            realm.emit(event);
        }
        if !incomplete {
            return Ok(());
        }
        let error = failed.unwrap_or_else(|| ErrorKind::LogoutIncomplete.into());
        let event = match &own {
            Some(open) => realm.event_of(
                EventKind::LogoutIncomplete,
                open.record.owner.as_deref(),
                open.record.id,
            ),
            None => realm.event(EventKind::LogoutIncomplete),
        };
        realm.emit(&event.because(&error));
        Err(error)
    }

    /// Ends the actor's session, too, if this one is an impersonation, even one that was stopped
    /// moments ago. Returns the events to emit.
    async fn end_actor(
        &self,
        record: &SessionRecord,
        shown: &[Proof],
        failed: &mut Option<Error>,
    ) -> Vec<Event> {
        let (realm, actor) = (self.realm(), actor_of(record));
        let (Some(actor), Some(proof)) = (actor, shown.first()) else {
            return Vec::new();
        };
        let ended = match actor.end(realm).await {
            Ok(ended) => ended,
            Err(error) => {
                actor.end_later(realm, *proof, Later::LoggedOut { verified: true });
                *failed = Some(error);
                None
            }
        };
        let is_open = head_of(record).is_some_and(|head| head.current.is_some());
        let kind = EventKind::ImpersonationEnded;
        let stopped = is_open.then(|| actor.event(realm, kind, record));
        stopped.into_iter().chain(ended).collect()
    }

    /// Deletes a session if one of these secrets opens it.
    async fn end_shown(
        &self,
        turn: &Turn<'_>,
        id: SessionId,
        shown: &[Proof],
        known: Option<&Open>,
    ) -> Result<Ended, Unfinished> {
        let realm = turn.realm();
        let unverified = |error| Unfinished {
            error,
            verified: None,
            record: None,
        };
        let opening = |record: &SessionRecord| {
            let head = head_of(record)?;
            shown.iter().copied().find(|proof| proof.opens(&head))
        };
        let record = match known {
            Some(open) => open.record.clone(),
            None => {
                let is_closed = |record: &SessionRecord| {
                    head_of(record).is_some_and(|head| head.current.is_none())
                };
                let opens = |record: &SessionRecord| {
                    !is_closed(record) && (head_of(record).is_none() || opening(record).is_some())
                };
                let mut found = realm.load(&id).await.map_err(unverified)?;
                if realm.store.is_cache() && !found.as_ref().is_some_and(opens) {
                    found = realm.load_fresh(&id).await.map_err(unverified)?;
                }
                match found {
                    Some(record) if opens(&record) => record,
                    // A closed record lives for the grace, but a store may keep it longer.
                    Some(record) if record.is_live(turn.now) => {
                        return match (is_closed(&record), opening(&record)) {
                            (true, Some(_)) => Ok(Ended::Before(record)),
                            (true, None) => Ok(Ended::Nothing),
                            (false, _) => Ok(Ended::NotOpened),
                        };
                    }
                    _ => return Ok(Ended::Nothing),
                }
            }
        };
        match realm.delete(&id, None).await {
            Ok(Outcome::Done) => Ok(Ended::Done(record)),
            Ok(Outcome::Gone | Outcome::Conflict) => Ok(Ended::Before(record)),
            Err(error) => Err(Unfinished {
                error,
                verified: opening(&record).or(shown.first().copied()),
                record: Some(record),
            }),
        }
    }
}
