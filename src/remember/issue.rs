//! The series of a login.

use std::{sync::Arc, time::Duration};

use super::series::Series;
use crate::{
    clock::{Millis, millis},
    error::{Error, ErrorKind},
    realm::Realm,
    session::{Proof, RememberChange, Visit},
    store::{Created, Family, Record, RecordKey, RememberToken},
};

/// A series that has been written for a login and isn't this browser's yet.
pub(crate) struct Issued {
    pub(crate) key: RecordKey,
    token: RememberToken,
    max_age: Millis,
}

/// Makes the series of a login, which ends at `ends`.
pub(crate) async fn issue_at(
    realm: &Arc<Realm>,
    owner: &Arc<str>,
    family: Family,
    proof: &Proof,
    agent: Option<&str>,
    ends: Millis,
    now: Millis,
) -> Result<Issued, Error> {
    let token = RememberToken::random().map_err(|_| ErrorKind::Random)?;
    let secret = token.secret_digest(realm.name());
    let record = Record {
        key: token.key(realm.name()),
        family,
        owner: Some(Arc::clone(owner)),
        created: now,
        touched: now,
        expires: ends,
        ends,
        version: 0,
        payload: Series::new(proof.at, proof.stamp, proof.forced, secret).encode(agent),
    };
    match realm.insert(&record).await? {
        Created::Done => Ok(Issued {
            key: record.key,
            token,
            max_age: ends.saturating_sub(now),
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
            token: Box::new(self.token),
            max_age: self.max_age,
        });
    }
}

/// A lifetime for a series: at most what a browser keeps a cookie for (400 days, RFC 6265bis).
pub(crate) fn lifetime(wanted: Duration) -> Millis {
    const LONGEST: Millis = 400 * 24 * 60 * 60 * 1000;
    millis(wanted).clamp(1_000, LONGEST)
}
