//! Remember-me: a second, long-lived cookie that restores the login of a returning browser.
//!
//! The cookie holds two secrets. The token secret is exchanged at each use; the series secret stays
//! the same and proves that its bearer once held a genuine cookie of this login. Digests of both
//! are in the session's record, so restoring a login is one compare-and-swap that replaces the
//! session secret and the token secret together. If a token secret is presented again after its
//! exchange, and neither the grace nor a lost response explains it, two browsers have the cookie,
//! and one of them belongs to a thief.

use std::{pin::Pin, sync::Arc};

use crate::{
    clock::{Reading, millis},
    error::{Error, ErrorKind},
    event::EventKind,
    grace::RememberGrace,
    realm::{CLOCK_SKEW, Realm},
    reason::AnonymousReason,
    session::{
        Change, Changes, HeldBy, Judged, Limits, Methods, Open, Payload, Proof, RememberCookie,
        RememberPart, SessionState, Shown, Step, StoredData, Swapped, TRIES, Turn, discard_later,
        swap,
    },
    store::{Digest, RememberToken, SessionRecord, SessionToken},
};

/// The result of checking the user of a record.
pub(crate) enum UserCheck<T> {
    Valid(T),
    Rejected(AnonymousReason),
}

/// The user check, which this module takes as an argument.
pub(crate) type Checking<'a, T> =
    Pin<Box<dyn Future<Output = Result<UserCheck<T>, Error>> + Send + 'a>>;

/// The result of looking at the remember cookie.
pub(crate) enum Restored<T> {
    /// The session of this user is open now.
    User(T),
    /// The cookie logs no user in, for this reason if it is known.
    Nothing(Option<AnonymousReason>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It is unknown or expired, or its series secret is wrong: anyone may know an id.
    Ignored,
    /// Its token secret may be exchanged.
    Good,
    /// Its token secret was exchanged moments ago, by a concurrent request.
    Exchanged,
    /// Its token secret was exchanged, and is no longer accepted.
    Stolen,
}

/// Restores the login of a returning browser by its remember cookie.
pub(crate) async fn restore<'a, T: Send>(
    turn: &Turn<'_>,
    check: impl Fn(SessionRecord, Payload) -> Checking<'a, T> + Send + Sync,
) -> Result<Restored<T>, Error> {
    let shown = turn.remember_tokens();
    {
        let mut state = turn.state();
        let logged_out = matches!(state.remember_cookie, Some(Change::Remove));
        // After the response head has been sent, a new cookie could not reach the browser.
        if logged_out || state.sent {
            return Ok(Restored::Nothing(None));
        }
        if shown.malformed {
            state.remember_cookie = Some(Change::Remove);
        }
    }
    if shown.malformed {
        turn.realm().report(EventKind::MalformedCookie);
    }
    let mut reason = None;
    for token in shown.iter() {
        match restore_by(turn, &shown, token, &check).await? {
            Restored::Nothing(None) => {}
            // The record was kept, and so is the browser's other cookie.
            Restored::Nothing(Some(why)) if why.keeps_session() => {
                reason = reason.or(Some(why));
            }
            restored => return Ok(restored),
        }
    }
    Ok(Restored::Nothing(reason))
}

async fn restore_by<'a, T: Send>(
    turn: &Turn<'_>,
    shown: &Shown<RememberToken>,
    token: &RememberToken,
    check: &(impl Fn(SessionRecord, Payload) -> Checking<'a, T> + Send + Sync),
) -> Result<Restored<T>, Error> {
    let realm = turn.realm();
    let presented = Presented::new(realm, token);
    let mut record = match turn.take_loaded(&token.id) {
        Some(record) => Some(record),
        None => realm.load(&token.id).await?,
    };
    let mut is_fresh_read = !realm.store.is_cache();
    let mut was_accepted = false;
    for _ in 0..TRIES {
        let found = record.as_ref().and_then(|record| {
            let payload = Payload::decode(&record.payload).ok()?;
            let standing = presented.standing(turn, record, &payload);
            (standing != Standing::Ignored).then_some((record, payload, standing))
        });
        let Some((old, payload, standing)) = found else {
            if is_fresh_read {
                realm.report(EventKind::UnknownSession);
                return Ok(Restored::Nothing(None));
            }
            // The cached record may be older than the cookie.
            (record, is_fresh_read) = (realm.load_fresh(&token.id).await?, true);
            continue;
        };
        // The browser has another session secret by now, so this request may join, but not restore.
        if turn.is_late() && standing != Standing::Exchanged {
            return Ok(Restored::Nothing(None));
        }
        // A browser with two cookies, for example after a change of `Domain`, presents an old one
        // along with its successor.
        let is_good = |other: &RememberToken| {
            let standing = Presented::new(realm, other).standing(turn, old, &payload);
            other.id == token.id && matches!(standing, Standing::Good | Standing::Exchanged)
        };
        // The same holds if it was accepted when this request read the record first, or if the last
        // exchange was later than the request: the browser has come back more than once since then.
        let is_behind = was_accepted || was_in_flight(turn, &payload);
        if standing == Standing::Stolen && (is_behind || shown.iter().any(is_good)) {
            return Ok(Restored::Nothing(None));
        }
        was_accepted |= standing != Standing::Stolen;
        if standing == Standing::Stolen {
            match turn.end_judged(old, AnonymousReason::RememberTheft).await? {
                Judged::Ended => {
                    return Ok(Restored::Nothing(Some(AnonymousReason::RememberTheft)));
                }
                Judged::Changed => {
                    record = realm.load_fresh(&token.id).await?;
                    continue;
                }
            }
        }
        let user = match check(old.clone(), payload.clone()).await? {
            UserCheck::Valid(user) => user,
            // This program can't use the record, but another one may: it is kept.
            UserCheck::Rejected(why) if why.keeps_session() => {
                return Ok(Restored::Nothing(Some(why)));
            }
            UserCheck::Rejected(why) => match turn.end_judged(old, why).await? {
                Judged::Ended => return Ok(Restored::Nothing(Some(why))),
                Judged::Changed => {
                    record = realm.load_fresh(&token.id).await?;
                    continue;
                }
            },
        };
        if standing == Standing::Exchanged {
            return Ok(join(turn, old.clone(), payload, user));
        }
        match exchange(turn, token, &presented, old.clone(), payload).await? {
            Exchange::Done => {
                return Ok(Restored::User(user));
            }
            Exchange::Gone => return Ok(Restored::Nothing(None)),
            Exchange::Changed => record = realm.load_fresh(&token.id).await?,
        }
    }
    Err(ErrorKind::Conflict.into())
}

/// Whether this process exchanged the token secret after the request had arrived, but not so long
/// after it that no request is in flight.
fn was_in_flight(turn: &Turn<'_>, payload: &Payload) -> bool {
    let own = turn.realm().clock.reading(turn.arrived());
    payload.remember.is_some_and(|remember| {
        let later = remember.exchanged.at.saturating_sub(own.at);
        remember.exchanged.by == own.by && (1..=CLOCK_SKEW).contains(&later)
    })
}

/// Joins the session that a concurrent request has just restored. That request's response sets the
/// cookies.
fn join<T>(turn: &Turn<'_>, record: SessionRecord, payload: Payload, user: T) -> Restored<T> {
    turn.realm().report_of(EventKind::Joined, &record);
    let mut state = turn.state();
    let mut changes = match state.data() {
        Some((_, changes)) => std::mem::take(changes),
        None => Changes::default(),
    };
    changes.saved(&payload.entries);
    // The cookie of a session that this request has created would replace the restored one.
    if matches!(state.cookie, Some(Change::Set(_)))
        && let Some(open) = state.open()
        && open.record.id != record.id
    {
        changes.fill_in(&payload.entries, &open.payload.entries);
        discard_later(turn.realm(), open.record.id);
        state.cookie = None;
    }
    state.session = SessionState::Open(Arc::new(Open {
        record,
        payload,
        changes,
        held_by: HeldBy::Joined,
    }));
    Restored::User(user)
}

enum Exchange {
    Done,
    Gone,
    /// Another request has exchanged the token secret first.
    Changed,
}

/// Replaces the session secret and the token secret.
async fn exchange(
    turn: &Turn<'_>,
    old_token: &RememberToken,
    presented: &Presented,
    record: SessionRecord,
    payload: Payload,
) -> Result<Exchange, Error> {
    let realm = turn.realm();
    let anonymous = turn.open().filter(|open| open.record.id != record.id);
    let session = SessionToken::random(record.id).map_err(|_| ErrorKind::Random)?;
    let token = old_token.exchanged().map_err(|_| ErrorKind::Random)?;
    let secret = realm.digests.session.secret(session.id, &session.secret);
    let new_token = realm.digests.remember.secret(token.id, &token.token);
    let found = anonymous.as_ref().map(|open| open.payload.entries.clone());
    let swapped = swap(realm, record, payload, |record, payload| {
        if presented.standing(turn, record, payload) != Standing::Good {
            return Step::Stop(());
        }
        let Some(remember) = &payload.remember else {
            return Step::Stop(());
        };
        let now = realm.clock.now();
        let mut new = payload.clone();
        let is_live = payload.is_session_live(record.touched, now);
        // If the session was over, no request may join by its secret.
        new.head.previous = payload.head.current.filter(|_| is_live);
        new.head.current = Some(secret);
        new.excludes_previous = false;
        new.head.rotated = now;
        if let Some(login) = &mut new.login {
            login.fresh = false;
        }
        new.methods = Methods::default();
        let ends = realm.remember_me.ends(remember.ends, remember.issued, now);
        new.remember = Some(RememberPart {
            current: new_token,
            previous: Some(presented.token),
            // The response with the passed-over successor may still be in flight.
            skipped: (remember.previous == Some(presented.token)).then_some(remember.current),
            exchanged: realm.clock.reading(now),
            seen: false,
            ends,
            ..*remember
        });
        if !is_live {
            new.entries = StoredData::empty();
            new.epoch = new.epoch.wrapping_add(1);
        }
        if let Some(found) = &found {
            let mut changes = Changes::default();
            changes.fill_in(&new.entries, found);
            if let Ok(entries) = changes.apply(&new.entries) {
                new.entries = entries;
            }
        }
        new.limits = Limits::new(realm.timeouts, now);
        new.limits.ends = new.limits.ends.min(ends);
        Step::Write(new, now)
    })
    .await?;
    let (record, payload) = match swapped {
        Swapped::Done(record, payload) => (record, payload),
        Swapped::Gone => return Ok(Exchange::Gone),
        Swapped::Stopped(()) => return Ok(Exchange::Changed),
    };
    realm.report_of(EventKind::Restored, &record);
    let ends = payload.remember.map_or(0, |remember| remember.ends);
    let mut open = Open {
        record,
        payload,
        changes: Changes::default(),
        held_by: HeldBy::Secret(secret),
    };
    if let Some(anonymous) = anonymous
        && let HeldBy::Secret(shown) = anonymous.held_by
    {
        let old = (anonymous.record.clone(), anonymous.payload.clone());
        turn.close_or_retry(old, Proof::Session(shown), &mut open)
            .await;
    }
    let mut state = turn.state();
    state.adopt(open, session, true);
    state.remember_cookie = Some(Change::Set(Box::new(RememberCookie {
        max_age: ends.saturating_sub(turn.now),
        token,
    })));
    Ok(Exchange::Done)
}

/// The digests of a remember cookie.
struct Presented {
    series: Digest,
    token: Digest,
}

impl Presented {
    fn new(realm: &Realm, token: &RememberToken) -> Self {
        let digests = &realm.digests;
        Self {
            series: digests.series.secret(token.id, &token.series),
            token: digests.remember.secret(token.id, &token.token),
        }
    }

    /// The standing of the cookie with this record.
    fn standing(&self, turn: &Turn<'_>, record: &SessionRecord, payload: &Payload) -> Standing {
        let (realm, now) = (turn.realm(), turn.now);
        let Some(remember) = payload.remember.filter(|remember| now < remember.ends) else {
            return Standing::Ignored;
        };
        if payload.head.series != Some(self.series)
            || Realm::is_from_the_future(remember.issued.max(record.touched), now)
        {
            return Standing::Ignored;
        }
        let now = Reading {
            at: turn.arrived(),
            ..realm.clock.reading(now)
        };
        match remember.standing(&self.token, realm.remember_me.grace_kind(), now) {
            // The request also presents a session secret of this record that was replaced moments
            // ago. So it is late, and the browser has other cookies by now.
            Standing::Good if turn.shows_previous_secret(record.id, &payload.head) => {
                Standing::Exchanged
            }
            standing => standing,
        }
    }
}

impl RememberPart {
    fn standing(&self, token: &Digest, grace: RememberGrace, arrived: Reading) -> Standing {
        if self.current == *token {
            return Standing::Good;
        }
        if !self.seen && self.skipped == Some(*token) {
            return Standing::Good;
        }
        if self.previous != Some(*token) {
            return Standing::Stolen;
        }
        let over = millis(grace.length());
        let age = arrived.at.saturating_sub(self.exchanged.at);
        if (-CLOCK_SKEW..=over).contains(&age) {
            return Standing::Exchanged;
        }
        match grace {
            RememberGrace::Strict(_) => Standing::Stolen,
            // Another process exchanged the token secret, and its clock may be behind.
            RememberGrace::UntilSeen(_)
                if self.exchanged.by != arrived.by
                    && (0..=over.saturating_add(CLOCK_SKEW)).contains(&age) =>
            {
                Standing::Exchanged
            }
            RememberGrace::UntilSeen(_) if self.seen => Standing::Stolen,
            RememberGrace::UntilSeen(_) => Standing::Good,
        }
    }
}
