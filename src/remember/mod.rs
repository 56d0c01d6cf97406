//! Remember-me: a second, long-lived cookie that logs a returning browser in again.
//!
//! The cookie names a series and holds a secret that is good for one use. Each use makes a new session and exchanges the
//! secret; the compare-and-swap on the series' record that does so is the moment at which the browser is in. Whoever
//! loses that race deletes what they made, and finds the winner's session.

mod series;

use std::sync::Arc;

use tokio::runtime::Handle;

use self::series::{Series, Standing};
use crate::{
    clock::{Millis, millis},
    error::{Error, ErrorKind},
    event::EventKind,
    realm::{NewRecord, Realm},
    session::{CookieChange, Data, Live, Payload, Proof, RememberChange, Slot, Visit},
    store::{Created, Family, Outcome, Record, RecordKey, RememberToken, Which},
    why::Why,
};

/// How often an exchange meets another one before it gives up. Each meeting but the first finds the other's session.
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
            return Ok(Remembered::Nothing);
        }
        _ => return Ok(Remembered::Nothing),
    };
    let secret = token.secret_digest(visit.realm.name());
    let Some((record, series)) = load_at(&visit.realm, &token.key(visit.realm.name()), now).await?
    else {
        return Ok(Remembered::Nothing);
    };
    if series.standing(&secret, visit.realm.remember_grace, now) == Standing::Stolen {
        return stolen(visit, &record).await;
    }
    Ok(Remembered::Offer(Box::new(Offer {
        token,
        secret,
        record,
        series,
    })))
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

async fn stolen(visit: &Visit, record: &Record) -> Result<Remembered, Error> {
    if !end(&visit.realm, record).await? {
        return Ok(Remembered::Nothing);
    }
    visit.realm.report_of(
        EventKind::RememberTheft,
        record.owner.as_deref(),
        record.family,
    );
    let mut state = visit.state();
    state.remember_cookie = Some(RememberChange::Remove);
    state.cookie = Some(CookieChange::Remove);
    Ok(Remembered::Stolen)
}

/// Ends the line of descent that a series belongs to. Answers whether there was anything left of it.
async fn end(realm: &Realm, record: &Record) -> Result<bool, Error> {
    match &record.owner {
        Some(owner) => {
            let deleted = realm.delete_all(owner, Which::Only(record.family)).await?;
            Ok(deleted > 0)
        }
        None => Ok(realm.delete(&record.key, None).await? == Outcome::Done),
    }
}

impl Offer {
    /// What is known of the login behind it; the person hasn't proved anything since.
    pub(crate) fn proof(&self) -> Proof {
        Proof {
            at: self.series.at,
            stamp: self.series.stamp,
            fresh: false,
            forced: self.series.forced,
            remembered: true,
            unseen: Some(self.record.key),
        }
    }

    /// The user is out: so is everything that descends from the same login in this browser.
    pub(crate) async fn refuse(
        &self,
        visit: &Visit,
        why: Why,
        remove_cookies: bool,
    ) -> Result<(), Error> {
        let ended = end(&visit.realm, &self.record).await?;
        visit.realm.report_of(
            EventKind::Ended(why),
            self.record.owner.as_deref(),
            self.record.family,
        );
        // Where it was gone already the browser has other cookies by now.
        if remove_cookies && ended {
            let mut state = visit.state();
            state.remember_cookie = Some(RememberChange::Remove);
            state.cookie = Some(CookieChange::Remove);
        }
        Ok(())
    }

    /// Logs the browser in again: exchanges the secret and makes a session, or finds the one that a request beside this
    /// one has made. Answers whether anybody is in.
    pub(crate) async fn accept_at(
        mut self,
        visit: &Visit,
        now: Millis,
    ) -> Result<Option<Proof>, Error> {
        for _ in 0..TRIES {
            match self
                .series
                .standing(&self.secret, visit.realm.remember_grace, now)
            {
                Standing::Good => {
                    if let Some(proof) = self.exchange_at(visit, now).await? {
                        return Ok(Some(proof));
                    }
                }
                Standing::Exchanged(session) => return self.join_at(visit, &session, now).await,
                Standing::Stolen => return stolen(visit, &self.record).await.map(|_| None),
            }
            match load_at(&visit.realm, &self.record.key, now).await? {
                Some((record, series)) => (self.record, self.series) = (record, series),
                // Somebody logged out meanwhile.
                None => return Ok(None),
            }
        }
        Err(ErrorKind::Conflict.into())
    }

    /// Answers `None` where another request was faster.
    async fn exchange_at(&self, visit: &Visit, now: Millis) -> Result<Option<Proof>, Error> {
        let realm = &visit.realm;
        let old = visit.live();
        let proof = self.proof();
        let new = NewRecord {
            family: self.record.family,
            owner: self.record.owner.clone(),
            created: now,
            ends: realm.timeouts.ends(now).min(self.record.ends),
            payload: Arc::default(),
        };
        let token = self.token.rotated().map_err(|_| ErrorKind::Random)?;
        let mut data = visit
            .state()
            .data_mut()
            .cloned()
            .unwrap_or_else(Data::empty);
        let unseen = self.unseen_at(visit, now).await?;
        if let Some(unseen) = &unseen {
            // Others have worked on it meanwhile: what they saved is not lost.
            data.fill_in(&unseen.data);
        }
        let mut new = visit.succeed_with_at(new, Some(proof), data, now).await?;
        let secret = token.secret_digest(realm.name());
        let series = self
            .series
            .exchanged(self.secret, secret, new.record.key, now);
        let exchanged = realm.update(&self.record, series.encode(), now).await;
        match exchanged {
            Ok(Outcome::Done) => {}
            Ok(_) => {
                let _unreachable_anyway = realm.delete(&new.record.key, None).await;
                return Ok(None);
            }
            Err(error) => match load_at(realm, &self.record.key, now).await {
                Ok(Some((_, stored))) if stored == series => {}
                Ok(_) => {
                    let _unreachable_anyway = realm.delete(&new.record.key, None).await;
                    return Err(error);
                }
                // The series may name it by now, and nobody knows its token: it stays.
                Err(_) => return Err(error),
            },
        }
        // From here on the browser is in. What is left over is worth nothing to anybody.
        if let Some(unseen) = unseen {
            let _never_arrived = realm.delete(&unseen.record.key, None).await;
        }
        if let Some(old) = old {
            let anonymous = visit.hand_over_at(&old.record, &mut new, now).await;
            // A logout or another's login beside this one may have taken the new one along.
            if matches!(anonymous, Ok(Outcome::Gone))
                && realm.load(&new.record.key, now).await?.is_none()
            {
                return Ok(None);
            }
        }
        realm.report_of(
            EventKind::Restored,
            self.record.owner.as_deref(),
            self.record.family,
        );
        let max_age = self.record.ends.saturating_sub(now);
        let mut state = visit.state();
        state.adopt(new, true);
        state.remember_cookie = Some(RememberChange::Set { token, max_age });
        Ok(Some(proof))
    }

    /// The session of an exchange whose answer never arrived.
    async fn unseen_at(&self, visit: &Visit, now: Millis) -> Result<Option<Live>, Error> {
        let Some(key) = self.series.unseen_session() else {
            return Ok(None);
        };
        match visit.read_record_at(key, now).await? {
            Slot::Live(live) if self.is_same_line(&live) => Ok(Some(live)),
            _ => Ok(None),
        }
    }

    fn is_same_line(&self, live: &Live) -> bool {
        live.record.family == self.record.family && live.record.owner == self.record.owner
    }

    /// Works on the session that another request made of the same cookie. That request's answer sets the cookies.
    async fn join_at(
        &self,
        visit: &Visit,
        session: &RecordKey,
        now: Millis,
    ) -> Result<Option<Proof>, Error> {
        let Slot::Live(mut live) = visit.read_record_at(*session, now).await? else {
            return Ok(None);
        };
        let Some(proof) = live.data.proof().filter(|_| self.is_same_line(&live)) else {
            return Ok(None);
        };
        let mut state = visit.state();
        if let Some(mine) = state.data_mut() {
            live.data.take_changes(mine);
        }
        state.slot = Slot::Live(live);
        Ok(Some(proof))
    }
}

/// A series that has been written for a login and isn't this browser's yet.
pub(crate) struct Issued {
    pub(crate) key: RecordKey,
    token: RememberToken,
    max_age: Millis,
}

/// Makes the series of a login.
pub(crate) async fn issue_at(
    realm: &Realm,
    session: &Record,
    proof: &Proof,
    lifetime: Millis,
    now: Millis,
) -> Result<Issued, Error> {
    let token = RememberToken::random().map_err(|_| ErrorKind::Random)?;
    let secret = token.secret_digest(realm.name());
    let ends = now.saturating_add(lifetime);
    let record = Record {
        key: token.key(realm.name()),
        created: now,
        touched: now,
        expires: ends,
        ends,
        version: 0,
        payload: Series::new(proof.at, proof.stamp, proof.forced, secret).encode(),
        ..session.clone()
    };
    match realm.insert(&record).await? {
        Created::Done => Ok(Issued {
            key: record.key,
            token,
            max_age: lifetime,
        }),
        Created::Exists => Err(Error::new(
            ErrorKind::Store,
            "the store says that a new key exists",
        )),
    }
}

impl Issued {
    /// Sends it to the browser.
    pub(crate) fn hand_out(self, visit: &Visit) {
        let mut state = visit.state();
        state.series = Some(Some(self.key));
        state.remember_cookie = Some(RememberChange::Set {
            token: self.token,
            max_age: self.max_age,
        });
    }
}

/// Whether these are the bytes of a series.
pub(crate) fn is_series(payload: &[u8]) -> bool {
    Series::decode(payload).is_some()
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

/// A lifetime for a series: at most what a browser keeps a cookie for (400 days, RFC 6265bis).
pub(crate) fn lifetime(wanted: std::time::Duration) -> Millis {
    const LONGEST: Millis = 400 * 24 * 60 * 60 * 1000;
    millis(wanted).clamp(1_000, LONGEST)
}

/// The browser shows the session that came with a new secret, so it has that too: notes it, once, in the background.
pub(crate) fn note_seen(visit: &Visit, live: &Live, now: Millis) {
    let Some(proof) = live.data.proof() else {
        return;
    };
    let (Some(key), Ok(runtime)) = (proof.unseen, Handle::try_current()) else {
        return;
    };
    let Some(Ok(token)) = visit.remember_token() else {
        return;
    };
    let (realm, session) = (Arc::clone(&visit.realm), live.record.clone());
    let secret = token.secret_digest(realm.name());
    runtime.spawn(async move {
        let _next_time = mark_seen(&realm, &key, &secret, &session, now).await;
    });
}

async fn mark_seen(
    realm: &Realm,
    key: &RecordKey,
    secret: &[u8; 32],
    session: &Record,
    now: Millis,
) -> Result<(), Error> {
    if let Some((record, series)) = load_at(realm, key, now).await?
        && series.unseen_session().is_some()
    {
        let Some(seen) = series.seen(secret) else {
            return Ok(());
        };
        if realm.update(&record, seen.encode(), now).await? != Outcome::Done {
            return Ok(());
        }
    }
    // Then the session needn't ask again.
    let Ok(payload) = Payload::decode(Arc::clone(&session.payload)) else {
        return Ok(());
    };
    let proof = payload.proof.map(|proof| Proof {
        unseen: None,
        ..proof
    });
    let payload = Payload::encode(proof.as_ref(), payload.entries());
    let _next_time = realm.update(session, payload.bytes(), now).await?;
    Ok(())
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
