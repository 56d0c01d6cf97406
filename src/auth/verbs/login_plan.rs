//! Writing a login: over the session of the same user, or as a record of its own.

use std::sync::Arc;

use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    session::{
        Changes, Head, HeldBy, Limits, LoginFacts, Methods, NewSession, Open, Payload, Proof,
        RememberPart, Step, StoredData, Swapped, Turn, create, swap,
    },
    store::{RememberToken, SessionId, SessionToken},
};

/// A login that is about to be written.
#[derive(Clone)]
pub(super) struct Plan<'a> {
    pub(super) owner: Arc<str>,
    pub(super) login: LoginFacts,
    pub(super) methods: Methods,
    pub(super) limits: Limits,
    pub(super) remember: Option<Remembering>,
    /// The creation time if the login gets a record of its own: later than the user's other records
    /// if their number is limited.
    pub(super) created: Millis,
    pub(super) turn: &'a Turn<'a>,
}

/// The remember part to write.
#[derive(Clone, Copy)]
pub(super) struct Remembering {
    pub(super) issued: Millis,
    pub(super) ends: Millis,
    /// Whether it is taken over from the previous session.
    pub(super) is_kept: bool,
}

/// A login that has been written.
pub(super) struct Written {
    pub(super) open: Open,
    pub(super) secrets: Secrets,
    /// Whether unsaved changes of this request belong to this session.
    pub(super) same_visitor: bool,
}

/// The secrets of a login, for its cookies.
pub(super) struct Secrets {
    pub(super) session: SessionToken,
    pub(super) remember: Option<RememberToken>,
}

enum Over {
    Done(Box<Written>),
    /// Another login has been written first.
    OtherEpoch,
    Gone,
}

impl Plan<'_> {
    /// Writes the login: over a session of the same user, or as a record of its own.
    pub(super) async fn write(&self, old: Option<&Open>) -> Result<Written, Error> {
        // An impersonation is never the user's own session.
        let same_owner = |open: &Open| {
            open.record.owner.as_ref() == Some(&self.owner)
                && open.payload.actor.is_none()
                && !open.payload.is_for_another_type(self.turn.realm())
        };
        let in_place = old.filter(|open| same_owner(open) && open.held_by != HeldBy::Joined);
        if let Some(old) = in_place {
            match self.write_over(old).await? {
                Over::Done(written) => return Ok(*written),
                Over::OtherEpoch => {
                    return self.write_beside(old.payload.entries.clone(), true).await;
                }
                // It was logged out meanwhile, and its data and remember part were deleted with it.
                Over::Gone => {
                    let plan = Plan {
                        remember: self.remember.filter(|remember| !remember.is_kept),
                        ..self.clone()
                    };
                    return plan.write_beside(StoredData::empty(), false).await;
                }
            }
        }
        // Data is kept from an anonymous session or one of the same user.
        let is_other = |open: &Open| open.record.owner.is_some() && !same_owner(open);
        let same_visitor = !old.is_some_and(is_other);
        let entries = match old {
            Some(open) if same_visitor => open.payload.entries.clone(),
            _ => StoredData::empty(),
        };
        let mut written = self.write_beside(entries, same_visitor).await?;
        if let Some(old) = old.filter(|open| !same_owner(open))
            && let Some(shown) = old.shown()
        {
            let (record, payload) = (old.record.clone(), old.payload.clone());
            self.turn
                .close_or_retry((record, payload), Proof::Session(shown), &mut written.open)
                .await;
        }
        Ok(written)
    }

    async fn write_over(&self, old: &Open) -> Result<Over, Error> {
        let realm = self.turn.realm();
        let (head, remember, secrets) = self.secrets(old.record.id)?;
        let epoch = old.payload.epoch;
        let held_by = held_by(&head);
        let swapped = swap(
            realm,
            old.record.clone(),
            old.payload.clone(),
            |_, payload| {
                if payload.epoch != epoch {
                    return Step::Stop(());
                }
                let new = Payload {
                    head: Head {
                        previous: payload.head.current,
                        rotated: realm.clock.now(),
                        ..head
                    },
                    epoch: epoch.wrapping_add(1),
                    // After a change of password, requests with a copy of the old cookie must not
                    // join.
                    excludes_previous: payload.login.and_then(|login| login.stamp)
                        != self.login.stamp,
                    ..self.payload(head, remember, payload.entries.clone())
                };
                Step::Write(new, self.turn.now)
            },
        )
        .await?;
        Ok(match swapped {
            Swapped::Done(record, payload) => Over::Done(Box::new(Written {
                open: Open {
                    record,
                    payload,
                    changes: Changes::default(),
                    held_by,
                },
                secrets,
                same_visitor: true,
            })),
            Swapped::Gone => Over::Gone,
            Swapped::Stopped(()) => Over::OtherEpoch,
        })
    }

    async fn write_beside(
        &self,
        entries: StoredData,
        same_visitor: bool,
    ) -> Result<Written, Error> {
        let (realm, now) = (self.turn.realm(), self.turn.now);
        let id = SessionId::random().map_err(|_| ErrorKind::Random)?;
        let (head, remember, secrets) = self.secrets(id)?;
        let entries = match self.turn.state().data() {
            // Changes that don't fit are saved at the end of the request, or fail there.
            Some((_, changes)) if same_visitor => changes.apply(&entries).unwrap_or(entries),
            _ => entries,
        };
        let new = NewSession {
            id,
            owner: Some(Arc::clone(&self.owner)),
            created: self.created,
            now,
            payload: self.payload(head, remember, entries),
        };
        let (record, payload) = create(realm, new).await?;
        Ok(Written {
            open: Open {
                record,
                payload,
                changes: Changes::default(),
                held_by: held_by(&head),
            },
            secrets,
            same_visitor,
        })
    }

    fn payload(&self, head: Head, remember: Option<RememberPart>, entries: StoredData) -> Payload {
        Payload {
            head,
            mark: [0; 8],
            limits: self.limits,
            epoch: 1,
            excludes_previous: false,
            login: Some(self.login),
            methods: self.methods.clone(),
            remember,
            actor: None,
            entries,
        }
    }

    /// Creates new secrets for a session, and their digests.
    fn secrets(&self, id: SessionId) -> Result<(Head, Option<RememberPart>, Secrets), Error> {
        let (realm, now) = (self.turn.realm(), self.turn.now);
        let session = SessionToken::random(id).map_err(|_| ErrorKind::Random)?;
        let token = match self.remember {
            Some(_) => Some(RememberToken::random(id).map_err(|_| ErrorKind::Random)?),
            None => None,
        };
        let digests = &realm.digests;
        let remember =
            self.remember
                .zip(token.as_ref())
                .map(|(Remembering { issued, ends, .. }, token)| RememberPart {
                    current: digests.remember.secret(id, &token.token),
                    previous: None,
                    skipped: None,
                    exchanged: realm.clock.reading(now),
                    seen: true,
                    issued,
                    ends,
                });
        let head = Head {
            current: Some(digests.session.secret(id, &session.secret)),
            previous: None,
            rotated: realm.clock.now(),
            series: token
                .as_ref()
                .map(|token| digests.series.secret(id, &token.series)),
        };
        let secrets = Secrets {
            session,
            remember: token,
        };
        Ok((head, remember, secrets))
    }
}

fn held_by(head: &Head) -> HeldBy {
    head.current.map_or(HeldBy::Joined, HeldBy::Secret)
}
