//! Ending sessions: finding the records for which the presented cookies are valid, and deleting
//! them.

use std::sync::Arc;

use super::{
    actor::actor_of,
    payload::{DecodeError, Head, Payload},
    request::Turn,
};
use crate::{
    error::Error,
    event::EventKind,
    realm::Realm,
    reason::AnonymousReason,
    retry::Deletion,
    store::{Digest, Outcome, RememberToken, SessionId, SessionRecord, SessionToken},
};

/// What a cookie proves about the session that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A session secret, current or previous.
    Session(Digest),
    /// The series secret of a remember cookie, whether or not its token secret is still accepted.
    Series(Digest),
}

/// The sessions that these cookies name, with what they prove about them.
pub(crate) fn presented<'a>(
    realm: &Realm,
    sessions: impl Iterator<Item = &'a SessionToken>,
    remembered: impl Iterator<Item = &'a RememberToken>,
) -> Vec<(SessionId, Proof)> {
    let digests = &realm.digests;
    let sessions = sessions.map(|token| {
        let digest = digests.session.secret(token.id, &token.secret);
        (token.id, Proof::Session(digest))
    });
    let remembered = remembered.map(|token| {
        let digest = digests.series.secret(token.id, &token.series);
        (token.id, Proof::Series(digest))
    });
    sessions.chain(remembered).collect()
}

impl Proof {
    pub(crate) fn opens(&self, head: &Head) -> bool {
        match self {
            Self::Session(digest) => head.knows(digest),
            Self::Series(digest) => head.series.as_ref() == Some(digest),
        }
    }

    pub(super) fn digest(&self) -> Digest {
        let (Self::Session(digest) | Self::Series(digest)) = self;
        *digest
    }
}

/// The digests of a record's secrets. They can be read whichever release wrote the record.
pub(crate) fn head_of(record: &SessionRecord) -> Option<Head> {
    match Payload::decode(&record.payload) {
        Ok(payload) => Some(payload.head),
        Err(DecodeError::Newer(head)) => Some(head),
        Err(DecodeError::Unreadable) => None,
    }
}

/// The outcome of ending a session because of its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judged {
    Ended,
    /// The record has changed since it was judged. It must be judged again before a session is
    /// ended or a theft is reported.
    Changed,
}

impl Turn<'_> {
    /// Ends a session because of its record, if that has not changed since.
    pub(crate) async fn end_judged(
        &self,
        record: &SessionRecord,
        why: AnonymousReason,
    ) -> Result<Judged, Error> {
        let realm = self.realm();
        match realm.delete(&record.id, Some(record.version)).await? {
            Outcome::Conflict => return Ok(Judged::Changed),
            Outcome::Gone => return Ok(Judged::Ended),
            Outcome::Done => {}
        }
        if why.removes_cookies() {
            self.state().remove_cookies();
        }
        let event = match why {
            AnonymousReason::RememberTheft => EventKind::RememberTheft,
            AnonymousReason::Unreadable => EventKind::Unreadable,
            why => EventKind::Ended(why),
        };
        realm.report_end(event, record);
        Ok(Judged::Ended)
    }
}

/// Why a session is ended in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Later {
    /// By a logout for which the store failed. `verified` is true if the presented secret is known
    /// to be valid for the session.
    LoggedOut { verified: bool },
    /// By a login or a restore, which replaced it by another session.
    Replaced,
    /// By a login in a browser with several cookies under one name.
    Surplus,
}

/// Deletes a session if the presented secret is its current one. If a concurrent login or rotation
/// makes a new secret between the read and the deletion, the session is kept. Returns whether
/// nothing is left to do.
pub(crate) async fn delete_shown(
    realm: &Realm,
    id: SessionId,
    proof: Proof,
) -> Result<bool, Error> {
    let Some(record) = realm.load_fresh(&id).await? else {
        return Ok(true);
    };
    let is_shown = head_of(&record).is_some_and(|head| match proof {
        Proof::Session(secret) => head.current == Some(secret),
        Proof::Series(_) => proof.opens(&head),
    });
    Ok(!is_shown || realm.delete(&id, Some(record.version)).await? != Outcome::Conflict)
}

/// Ends a session in the background if the presented secret is valid for it.
pub(crate) fn end_later(realm: &Arc<Realm>, id: SessionId, proof: Proof, why: Later) {
    let owned = Arc::clone(realm);
    realm.retries.push(Deletion {
        id,
        digest: Some(proof.digest()),
        verified: why != Later::LoggedOut { verified: false },
        attempt: Arc::new(move || {
            let realm = Arc::clone(&owned);
            Box::pin(async move {
                if why == Later::Surplus {
                    return delete_shown(&realm, id, proof).await;
                }
                let is_gone = match realm.load_fresh(&id).await? {
                    Some(record) if head_of(&record).is_none_or(|head| proof.opens(&head)) => {
                        // Delete it before the record that names it, so that the next try still
                        // finds it.
                        if why != Later::Replaced
                            && let Some(actor) = actor_of(&record)
                            && let Some(event) = actor.end(&realm).await?
                        {
                            realm.emit(&event);
                        }
                        let deleted = realm.delete(&id, None).await? == Outcome::Done;
                        if deleted && why != Later::Replaced {
                            realm.report_of(EventKind::LoggedOut, &record);
                        }
                        return Ok(true);
                    }
                    found => found.is_none(),
                };
                // The deletion that was reported as failed has taken effect.
                if is_gone && why == (Later::LoggedOut { verified: true }) {
                    realm.emit(&realm.event_of(EventKind::LoggedOut, None, id));
                }
                Ok(true)
            })
        }),
    });
}
