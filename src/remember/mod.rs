//! Remember-me: a second, long-lived cookie that logs a returning browser in again.
//!
//! The cookie names a series and holds a secret that is good for one use. Each use makes a new session and exchanges the
//! secret; the compare-and-swap on the series' record that does so is the moment at which the browser is in. Whoever
//! loses that race deletes what they made, and finds the winner's session.

mod issue;
mod restore;
mod seen;
mod series;

use std::sync::Arc;

use self::series::{Series, Standing};
pub(crate) use self::{
    issue::{Issued, issue_at, lifetime},
    seen::note_seen,
};
use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    event::EventKind,
    realm::Realm,
    session::{CookieChange, RememberChange, Visit},
    store::{Family, Outcome, Record, RecordKey, RememberToken},
    why::Why,
};

/// How often a series may change under a request that judges it.
const TRIES: u32 = 8;

/// A remember cookie that is worth something, before anybody has been asked about the user.
pub(crate) struct Offer {
    token: RememberToken,
    secret: [u8; 32],
    pub(crate) record: Record,
    series: Series,
}

/// What a remember cookie comes to.
pub(crate) enum Remembered {
    Nothing,
    Offer(Box<Offer>),
    /// It was stolen, and its line of descent has ended.
    Stolen,
}

/// Reads the series of this browser's remember cookie.
pub(crate) async fn read_at(visit: &Visit, now: Millis) -> Result<Remembered, Error> {
    // A logout that failed: the browser forgets all the same.
    if matches!(visit.state().remember_cookie, Some(RememberChange::Remove)) {
        return Ok(Remembered::Nothing);
    }
    let token = match visit.remember_token() {
        // After the head of the response has left, a new secret could not reach the browser.
        Some(Ok(token)) if !visit.state().sent => token,
        Some(Err(Why::MalformedCookie)) => {
            visit.state().remember_cookie = Some(RememberChange::Remove);
            visit.realm.report(EventKind::MalformedCookie);
            return Ok(Remembered::Nothing);
        }
        _ => return Ok(Remembered::Nothing),
    };
    let secret = token.secret_digest(visit.realm.name());
    for _ in 0..TRIES {
        let Some((record, series)) =
            load_at(&visit.realm, &token.key(visit.realm.name()), now).await?
        else {
            visit.realm.report(EventKind::UnknownToken);
            return Ok(Remembered::Nothing);
        };
        if standing(visit, &series, &secret, now) != Standing::Stolen {
            return Ok(Remembered::Offer(Box::new(Offer {
                token,
                secret,
                record,
                series,
            })));
        }
        if let Some(judged) = stolen(visit, &record, now).await? {
            return Ok(judged);
        }
    }
    Err(ErrorKind::Conflict.into())
}

/// What a secret is worth now, by this node's clock.
fn standing(visit: &Visit, series: &Series, secret: &[u8; 32], now: Millis) -> Standing {
    let realm = &visit.realm;
    series.standing(secret, realm.remember_grace, realm.clock.reading(now))
}

async fn load_at(
    realm: &Realm,
    key: &RecordKey,
    now: Millis,
) -> Result<Option<(Record, Series)>, Error> {
    let Some(record) = realm.load(key, now).await? else {
        return Ok(None);
    };
    let ours = record.key == *key
        && record
            .owner
            .as_deref()
            .is_some_and(|owner| realm.id_of(owner).is_some());
    if !ours {
        realm.report(EventKind::Unreadable);
        return Ok(None);
    }
    if !record.is_live(now) || now >= record.ends {
        return Ok(None);
    }
    let series = Series::decode(&record.payload);
    if series.is_none() {
        realm.report_of(
            EventKind::Unreadable,
            record.owner.as_deref(),
            record.family,
        );
    }
    Ok(series.map(|series| (record, series)))
}

/// Ends what a stolen token belongs to. Answers nothing where the series has changed since it was read, by a request beside this
/// one or unnoticed by a store that remembers: then it is to be read and judged again, before anybody is accused.
async fn stolen(visit: &Visit, record: &Record, now: Millis) -> Result<Option<Remembered>, Error> {
    let realm = &visit.realm;
    let unchanged = Arc::clone(&record.payload);
    match realm.update(record, unchanged, now).await? {
        Outcome::Done => {}
        Outcome::Conflict => return Ok(None),
        Outcome::Gone => return Ok(Some(Remembered::Nothing)),
    }
    if !realm.end_line(record).await? {
        return Ok(Some(Remembered::Nothing));
    }
    let theft = EventKind::RememberTheft;
    realm.report_of(theft, record.owner.as_deref(), record.family);
    let mut state = visit.state();
    state.remember_cookie = Some(RememberChange::Remove);
    state.cookie = Some(CookieChange::Remove);
    Ok(Some(Remembered::Stolen))
}

/// Whether these are the bytes of a series.
pub(crate) fn is_series(payload: &[u8]) -> bool {
    Series::decode(payload).is_some()
}

/// What the browser of a series called itself.
pub(crate) fn agent_of(payload: &[u8]) -> Option<&str> {
    series::agent_of(payload)
}

/// Whose the browser's remember series is, whatever its secret is worth: for a login that replaces it, or a logout.
pub(crate) async fn line_at(visit: &Visit, now: Millis) -> Result<Option<Record>, Error> {
    match visit.series_key() {
        Some(key) => Ok(load_at(&visit.realm, &key, now)
            .await?
            .map(|(record, _)| record)),
        None => Ok(None),
    }
}

/// The line of descent of a new login: that of the session or series that it replaces, if those are the same user's.
pub(crate) fn family_of<'a>(
    owner: &str,
    mut replaced: impl Iterator<Item = &'a Record>,
) -> Option<Family> {
    replaced
        .find(|record| record.owner.as_deref() == Some(owner))
        .map(|record| record.family)
}
