//! Which records a browser's cookies open, for those who end them.

use std::sync::Arc;

use super::{
    payload::{DecodeError, Head, Payload},
    state::Turn,
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
    /// The series secret of a remember cookie, whatever its token is worth.
    Series(Digest),
}

/// Each session that these cookies name, with what they prove about it.
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

    fn digest(&self) -> Digest {
        let (Self::Session(digest) | Self::Series(digest)) = self;
        *digest
    }
}

/// The secrets of a record, which can be read whatever release wrote it.
pub(crate) fn head_of(record: &SessionRecord) -> Option<Head> {
    match Payload::decode(&record.payload) {
        Ok(payload) => Some(payload.head),
        Err(DecodeError::Newer(head)) => Some(head),
        Err(DecodeError::Unreadable) => None,
    }
}

/// What came of ending a session because of what its record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judged {
    Ended,
    /// The record has changed since it was judged, so it is to be judged again before any session is ended or a
    /// theft reported.
    Changed,
}

impl Turn<'_> {
    /// Ends a session because of what its record says, if it still says so.
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
        realm.report_of(event, record);
        Ok(Judged::Ended)
    }
}

/// Why a session is ended in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Later {
    /// A logout that the store failed. Whether what was presented opens the session was known by then or not.
    LoggedOut { verified: bool },
    /// Another session has taken its place.
    Replaced,
}

/// Ends a session in the background, as a logout would: if what was presented opens it.
pub(crate) fn end_later(realm: &Arc<Realm>, id: SessionId, proof: Proof, why: Later) {
    let owned = Arc::clone(realm);
    realm.retries.push(Deletion {
        id,
        digest: Some(proof.digest()),
        verified: why != Later::LoggedOut { verified: false },
        attempt: Arc::new(move || {
            let realm = Arc::clone(&owned);
            Box::pin(async move {
                let is_gone = match realm.load_fresh(&id).await? {
                    Some(record) if head_of(&record).is_none_or(|head| proof.opens(&head)) => {
                        let deleted = realm.delete(&id, None).await? == Outcome::Done;
                        if deleted && why != Later::Replaced {
                            realm.report_of(EventKind::LoggedOut, &record);
                        }
                        return Ok(true);
                    }
                    found => found.is_none(),
                };
                // The deletion that failed did take effect.
                if is_gone && why == (Later::LoggedOut { verified: true }) {
                    realm.emit(&realm.event_of(EventKind::LoggedOut, None, id));
                }
                Ok(true)
            })
        }),
    });
}
