//! Reading the session that the cookie names.

use std::sync::Arc;

use super::{
    data::Changes,
    end::Judged,
    payload::{DecodeError, Payload},
    request::{RequestSession, Turn},
    state::{Change, HeldBy, NoSession, Open, SessionState},
    swap::{Step, swap},
};
use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    event::EventKind,
    realm::Realm,
    reason::AnonymousReason,
    store::{Digest, SessionRecord, SessionToken},
};

/// How often a request judges a record again because it has changed.
pub(crate) const TRIES: u32 = 8;

/// Where a lookup reads the record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    /// From a cache or the store.
    Store,
    /// From the store, bypassing any cache.
    Source,
}

/// The result of looking up one session cookie.
enum Found {
    Session(Arc<Open>),
    Nothing(NoSession),
}

impl Turn<'_> {
    /// Reads the session that the cookie names, unless that has been done.
    pub(crate) async fn load(&self) -> Result<(), Error> {
        {
            let mut state = self.state();
            state.asked = true;
            if !matches!(state.session, SessionState::Unread) {
                return Ok(());
            }
        }
        let session = self.look_up(From::Store).await?;
        self.state().session = session;
        Ok(())
    }

    /// Reads the session again, bypassing any cache, because the record has changed since it was
    /// judged.
    pub(crate) async fn reload(&self) -> Result<(), Error> {
        let session = self.look_up(From::Source).await?;
        self.state().session = session;
        Ok(())
    }

    async fn look_up(&self, from: From) -> Result<SessionState, Error> {
        let shown = self.session_tokens();
        if shown.malformed {
            self.realm().report(EventKind::MalformedCookie);
            self.state().cookie = Some(Change::Remove);
            return Ok(SessionState::none(AnonymousReason::MalformedCookie));
        }
        if shown.too_many {
            self.realm().report(EventKind::AmbiguousCookie);
        }
        let (mut best, mut nothing) = (None::<Arc<Open>>, None::<NoSession>);
        for token in shown.iter() {
            match self.open(token, from).await? {
                Found::Session(open) => {
                    best = match best {
                        None => Some(open),
                        Some(other) => match prefer(other, open) {
                            Some(preferred) => Some(preferred),
                            None => {
                                self.realm().report(EventKind::AmbiguousCookie);
                                return Ok(SessionState::none(AnonymousReason::AmbiguousCookie));
                            }
                        },
                    };
                }
                Found::Nothing(other) => {
                    let nothing = nothing.get_or_insert_with(|| NoSession {
                        why: other.why,
                        ..NoSession::default()
                    });
                    nothing.late |= other.late;
                    nothing.loaded = nothing.loaded.take().or(other.loaded);
                }
            }
        }
        Ok(match (best, nothing) {
            (Some(open), _) => {
                self.note_use(&open);
                SessionState::Open(open)
            }
            (None, Some(nothing)) => SessionState::None(nothing),
            (None, None) => SessionState::none(AnonymousReason::NoCookie),
        })
    }

    async fn open(&self, token: &SessionToken, mut from: From) -> Result<Found, Error> {
        let realm = self.realm();
        let digest = realm.digests.session.secret(token.id, &token.secret);
        for _ in 0..TRIES {
            let record = match from {
                From::Store => realm.load(&token.id).await?,
                From::Source => realm.load_fresh(&token.id).await?,
            };
            let verdict = match record {
                Some(record) => self.judge(record, &digest),
                None => Verdict::Unknown(None),
            };
            let (record, why) = match verdict {
                Verdict::Opens(open) => return Ok(Found::Session(open)),
                Verdict::Late => {
                    return Ok(Found::nothing(AnonymousReason::SessionReplaced, true, None));
                }
                // The copy in a cache may be older than the secret.
                Verdict::Unknown(_) | Verdict::Ends(..) | Verdict::Nothing(..)
                    if from == From::Store && realm.store.is_cache() =>
                {
                    from = From::Source;
                    continue;
                }
                Verdict::Unknown(record) => {
                    realm.report(EventKind::UnknownSession);
                    return Ok(Found::nothing(
                        AnonymousReason::UnknownSession,
                        false,
                        record,
                    ));
                }
                Verdict::Nothing(why, record) => {
                    // A newer release, or a node with a correct clock, can still use this session,
                    // so this request must not replace it.
                    let late = matches!(
                        why,
                        AnonymousReason::NewerRecord | AnonymousReason::NotYetValid
                    );
                    return Ok(Found::nothing(why, late, Some(record)));
                }
                Verdict::Ends(record, why) => (record, why),
            };
            // Boxed, so that a rare case does not make the future of every request larger.
            match Box::pin(self.end_judged(&record, why)).await {
                Ok(Judged::Changed) => from = From::Source,
                // If it can't be deleted now, it is still invalid, and expires by itself.
                Ok(Judged::Ended) => return Ok(Found::nothing(why, false, None)),
                Err(_) => {
                    if why == AnonymousReason::Unreadable {
                        realm.report_of(EventKind::Unreadable, &record);
                    }
                    return Ok(Found::nothing(why, false, None));
                }
            }
        }
        Err(ErrorKind::Conflict.into())
    }

    /// What the bearer of this secret may do with a record.
    fn judge(&self, record: SessionRecord, digest: &Digest) -> Verdict {
        let now = self.now;
        let payload = match Payload::decode(&record.payload) {
            Ok(payload) => payload,
            Err(DecodeError::Newer(head)) if head.knows(digest) => {
                return Verdict::Nothing(AnonymousReason::NewerRecord, Box::new(record));
            }
            Err(DecodeError::Newer(_)) => return Verdict::Unknown(None),
            Err(DecodeError::Unreadable) => {
                return Verdict::Ends(record, AnonymousReason::Unreadable);
            }
        };
        let head = payload.head;
        let is_live = payload.is_session_live(record.touched, now);
        let held_by = if head.current.as_ref() == Some(digest) {
            HeldBy::Secret(*digest)
        } else if head.previous.as_ref() == Some(digest) && self.is_within_grace(&head) {
            match head.current {
                // An anonymous session is not joined: an attacker may have planted its cookie, and
                // a rotation must exclude them.
                Some(_) if is_live && record.owner.is_some() && !payload.excludes_previous => {
                    HeldBy::Joined
                }
                _ => return Verdict::Late,
            }
        } else {
            return Verdict::Unknown(Some(Box::new(record)));
        };
        if is_from_the_future(&record, &payload, now) {
            return Verdict::Nothing(AnonymousReason::NotYetValid, Box::new(record));
        }
        if !is_live {
            let why = match now >= payload.limits.ends {
                true => AnonymousReason::AbsoluteTimeout,
                false => AnonymousReason::IdleTimeout,
            };
            return match payload.remember.is_some_and(|remember| now < remember.ends) {
                // The session is over, but the record is kept for the remember cookie.
                true => Verdict::Nothing(why, Box::new(record)),
                false => Verdict::Ends(record, why),
            };
        }
        Verdict::Opens(Arc::new(Open {
            record,
            payload,
            changes: Changes::default(),
            held_by,
        }))
    }

    /// Records that the session is in use and that the browser has its current secret, in the
    /// background: it neither delays nor fails the response.
    fn note_use(&self, open: &Open) {
        let (record, payload, now) = (&open.record, &open.payload, self.now);
        let realm = self.realm().clone();
        if open.held_by == HeldBy::Joined {
            realm.report_of(EventKind::Joined, record);
        } else if payload.remember.is_some_and(|remember| !remember.seen) {
            let (record, payload) = (record.clone(), payload.clone());
            let used = match self.is_without_touch() {
                true => record.touched,
                false => now,
            };
            tokio::spawn(async move {
                // Best effort: the next request does it again.
                mark_seen(&realm, record, payload, used).await.ok();
            });
        } else if self.records_use(open, now) {
            let (id, expires) = (record.id, payload.lifetime(now).expires);
            tokio::spawn(async move {
                // Best effort: the next request does it again.
                realm.touch(&id, now, expires).await.ok();
            });
        }
    }
}

impl RequestSession {
    /// Whether this request's use of the session, at `now`, is due to be recorded.
    pub(crate) fn records_use(
        &self,
        Open {
            record,
            payload,
            held_by,
            ..
        }: &Open,
        now: Millis,
    ) -> bool {
        let is_seen = payload.remember.is_none_or(|remember| remember.seen);
        *held_by != HeldBy::Joined
            && !self.is_without_touch()
            && (!is_seen
                || now.saturating_sub(record.touched) >= payload.limits.idle / 10
                // A concurrent update has written the expiry from before the last touch.
                || record.expires < payload.lifetime(record.touched).expires)
    }
}

enum Verdict {
    Opens(Arc<Open>),
    /// The secret was replaced moments ago and does not join.
    Late,
    /// There is no such record, or the secret is wrong. The client can't tell the two apart.
    Unknown(Option<Box<SessionRecord>>),
    /// The secret is right, but there is no session.
    Nothing(AnonymousReason, Box<SessionRecord>),
    /// The secret is right, but the session must end: the record is deleted at the version that was
    /// judged.
    Ends(SessionRecord, AnonymousReason),
}

impl Found {
    fn nothing(why: AnonymousReason, late: bool, loaded: Option<Box<SessionRecord>>) -> Self {
        Self::Nothing(NoSession {
            why,
            changes: Changes::default(),
            late,
            loaded,
        })
    }
}

/// Returns which of a browser's two live sessions to use, or `None` if they belong to different
/// users.
fn prefer(left: Arc<Open>, right: Arc<Open>) -> Option<Arc<Open>> {
    let rank = |open: &Open| {
        (
            open.record.owner.is_some(),
            open.held_by != HeldBy::Joined,
            open.payload.login.map(|login| login.at),
            open.record.created,
        )
    };
    let both_owned = left.record.owner.is_some() && right.record.owner.is_some();
    match both_owned && left.record.owner != right.record.owner {
        true => None,
        false if rank(&left) < rank(&right) => Some(right),
        false => Some(left),
    }
}

/// A record written by a clock that was far ahead is not a valid session: it would expire too late.
fn is_from_the_future(record: &SessionRecord, payload: &Payload, now: Millis) -> bool {
    let login = payload.login.map_or(0, |login| login.at);
    Realm::is_from_the_future(record.touched.max(login), now)
}

async fn mark_seen(
    realm: &Realm,
    record: SessionRecord,
    payload: Payload,
    used: Millis,
) -> Result<(), Error> {
    let shown = payload.head.current;
    swap(realm, record, payload, |_, payload| {
        let mut payload = payload.clone();
        match &mut payload.remember {
            Some(remember) if !remember.seen && payload.head.current == shown => {
                remember.seen = true;
                remember.skipped = None;
                Step::Write(payload, used)
            }
            _ => Step::Stop(()),
        }
    })
    .await
    .map(drop)
}
