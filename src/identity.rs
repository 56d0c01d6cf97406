//! Who is this? The question is answered once per request, in one order, and keeps the reason where the answer is nobody.

use std::{
    fmt::{self, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use ctutils::CtEq as _;
use http::request::Parts;

use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    event::EventKind,
    loader::{Loaders, UserLoader},
    protection::SessionProtection,
    realm::Realm,
    remember::{self, Offer, Remembered},
    session::{Live, Proof, Slot, Visit},
    store::{Purpose, Record, digest},
    user::AuthUser,
    why::Why,
};

/// The answer.
pub(crate) enum Identity<U> {
    User(Arc<U>, Proof),
    Nobody(Why),
}

impl<U> Clone for Identity<U> {
    fn clone(&self) -> Self {
        match self {
            Self::User(user, proof) => Self::User(Arc::clone(user), *proof),
            Self::Nobody(why) => Self::Nobody(*why),
        }
    }
}

/// Asks the session and the user loader, then the remember cookie, then the request loaders. An error is no answer: it is
/// never kept.
pub(crate) async fn resolve_at<U: AuthUser>(
    visit: &Visit,
    loaders: &Loaders<U>,
    head: Option<&Parts>,
    now: Millis,
) -> Result<Identity<U>, Error> {
    match by_cookies_at(visit, &*loaders.users, now).await? {
        Identity::Nobody(why) => by_request(visit, loaders, head, why).await,
        user => Ok(user),
    }
}

async fn by_cookies_at<U: AuthUser>(
    visit: &Visit,
    loader: &dyn UserLoader<U>,
    now: Millis,
) -> Result<Identity<U>, Error> {
    visit.read_at(now).await?;
    let why = match claimed::<U>(visit) {
        Ok(claim) => return check_session_at(visit, loader, claim).await,
        Err(why) => why,
    };
    // A session whose id says nothing to this version of the program is left alone, but its data is nobody's.
    if why == Why::BadId {
        visit.disown();
    }
    match remember::read_at(visit, now).await? {
        Remembered::Nothing => Ok(Identity::Nobody(why)),
        Remembered::Stolen => Ok(Identity::Nobody(Why::RememberTheft)),
        Remembered::Offer(offer) => restore_at(visit, loader, *offer, why, now).await,
    }
}

/// Asks the request itself. Junk in a cookie doesn't switch a valid API key off.
async fn by_request<U: AuthUser>(
    visit: &Visit,
    loaders: &Loaders<U>,
    head: Option<&Parts>,
    mut why: Why,
) -> Result<Identity<U>, Error> {
    let realm = &visit.realm;
    let Some(head) = head else {
        return Ok(Identity::Nobody(why));
    };
    for loader in &loaders.requests {
        let answer = realm.ask(ErrorKind::Loader, loader.load(head)).await;
        let user = answer.inspect_err(|_| realm.report(EventKind::LoaderFailed))?;
        let Some(user) = user else { continue };
        let judged = catch_unwind(AssertUnwindSafe(|| {
            (user.is_active(), user.id().to_string())
        }));
        let Ok((active, id)) = judged else {
            return Err(ErrorKind::Panicked.into());
        };
        if !active {
            why = Why::Inactive;
            continue;
        }
        realm.report_user(EventKind::LoadedByRequest, &id);
        visit.keep_nothing();
        return Ok(Identity::User(Arc::new(user), Proof::none()));
    }
    Ok(Identity::Nobody(why))
}

async fn check_session_at<U: AuthUser>(
    visit: &Visit,
    loader: &dyn UserLoader<U>,
    claim: Claim<U::Id>,
) -> Result<Identity<U>, Error> {
    let Claim { live, id, proof } = claim;
    match load_user(&visit.realm, loader, &live.record, &id, &proof).await? {
        Ok(user) => {
            let Some(proof) = protected(visit, &live, proof) else {
                visit.end_at(&live, Why::ClientChanged, true).await;
                return Ok(Identity::Nobody(Why::ClientChanged));
            };
            remember::note_seen(visit, &live, visit.now());
            Ok(Identity::User(user, proof))
        }
        Err(out) => {
            visit.end_at(&live, out.why, out.remove_cookies).await;
            Ok(Identity::Nobody(out.why))
        }
    }
}

/// What a session is worth to the client that shows it: nothing where it looks different and that is to end it. Only
/// what was stored is compared.
fn protected(visit: &Visit, live: &Live, proof: Proof) -> Option<Proof> {
    let realm = &visit.realm;
    if realm.protection == SessionProtection::Off
        || proof
            .client
            .is_none_or(|client| Some(client) == visit.client())
    {
        return Some(proof);
    }
    let record = &live.record;
    realm.report_of(EventKind::Protected, record.owner.as_deref(), record.family);
    let stale = Proof {
        fresh: false,
        ..proof
    };
    (realm.protection == SessionProtection::Basic).then_some(stale)
}

/// The session is nobody's, but the browser has a remember cookie. Nothing is written before the user is known to be in.
async fn restore_at<U: AuthUser>(
    visit: &Visit,
    loader: &dyn UserLoader<U>,
    offer: Offer,
    why: Why,
    now: Millis,
) -> Result<Identity<U>, Error> {
    let id = offer
        .record
        .owner
        .as_deref()
        .and_then(|owner| visit.realm.id_of(owner))
        .and_then(parse_id::<U>);
    let Some(id) = id else {
        return Ok(Identity::Nobody(Why::BadId));
    };
    match load_user(
        &visit.realm,
        loader,
        &offer.record,
        &id,
        &offer.proof(visit),
    )
    .await?
    {
        Ok(user) => Ok(match offer.accept_at(visit, now).await? {
            Some(proof) => Identity::User(user, proof),
            None => Identity::Nobody(why),
        }),
        Err(out) => {
            offer.refuse(visit, out.why, out.remove_cookies).await?;
            Ok(Identity::Nobody(out.why))
        }
    }
}

/// Why a user who was logged in is out.
struct Out {
    why: Why,
    /// Where no newer login of this browser can be behind the cookies.
    remove_cookies: bool,
}

/// Loads the user whose record this is, once they are known to be still in.
async fn load_user<U: AuthUser>(
    realm: &Realm,
    loader: &dyn UserLoader<U>,
    record: &Record,
    id: &U::Id,
    proof: &Proof,
) -> Result<Result<Arc<U>, Out>, Error> {
    let report = |kind| realm.report_of(kind, record.owner.as_deref(), record.family);
    let answer = realm.ask(ErrorKind::Loader, loader.load(id)).await;
    let user = answer.inspect_err(|_| report(EventKind::LoaderFailed))?;
    let Some(user) = user else {
        return Ok(Err(Out {
            why: Why::UserGone,
            remove_cookies: true,
        }));
    };
    // What the user type says of itself is code that isn't ours.
    match catch_unwind(AssertUnwindSafe(|| judge(realm, record, id, user, proof))) {
        Ok(Ok(judged)) => Ok(judged),
        Ok(Err(WrongUser)) => {
            report(EventKind::WrongUser);
            Err(ErrorKind::WrongUser.into())
        }
        Err(_) => Err(ErrorKind::Panicked.into()),
    }
}

/// Whether the user behind this session would still be let in by it.
pub(crate) async fn is_still_in<U: AuthUser>(
    realm: &Realm,
    loader: &dyn UserLoader<U>,
    session: &Record,
    proof: &Proof,
) -> Result<bool, Error> {
    let id = session
        .owner
        .as_deref()
        .and_then(|owner| realm.id_of(owner));
    let Some(id) = id.and_then(parse_id::<U>) else {
        return Ok(false);
    };
    Ok(load_user(realm, loader, session, &id, proof).await?.is_ok())
}

/// The loader returned another user than it was asked for.
struct WrongUser;

fn judge<U: AuthUser>(
    realm: &Realm,
    record: &Record,
    id: &U::Id,
    user: U,
    proof: &Proof,
) -> Result<Result<Arc<U>, Out>, WrongUser> {
    if user.id() != *id {
        return Err(WrongUser);
    }
    Ok(if !user.is_active() && !proof.forced {
        Err(Out {
            why: Why::Inactive,
            remove_cookies: true,
        })
    } else if !same_stamp(realm, record, &user, proof) {
        // The cookies stay: a request beside this one may just have logged in again.
        Err(Out {
            why: Why::StampChanged,
            remove_cookies: false,
        })
    } else {
        Ok(Arc::new(user))
    })
}

/// Whose the session says it is, before anybody has been asked about the user.
pub(crate) fn claimed_id<U: AuthUser>(visit: &Visit) -> Result<U::Id, Why> {
    claimed::<U>(visit).map(|claim| claim.id)
}

struct Claim<I> {
    live: Live,
    id: I,
    proof: Proof,
}

fn claimed<U: AuthUser>(visit: &Visit) -> Result<Claim<U::Id>, Why> {
    let live = match &visit.state().slot {
        Slot::Live(live) => live.clone(),
        Slot::Empty { why, .. } => return Err(*why),
        Slot::Unread => return Err(Why::NoCookie),
    };
    let Some(owner) = live.record.owner.as_deref() else {
        return Err(Why::NotLoggedIn);
    };
    let Some(proof) = live.data.proof() else {
        return Err(Why::BadId);
    };
    let id = visit
        .realm
        .id_of(owner)
        .and_then(parse_id::<U>)
        .ok_or(Why::BadId)?;
    Ok(Claim { live, id, proof })
}

/// The id that this text stands for, if it is the text that the id would write: `007` is not `7`.
pub(crate) fn parse_id<U: AuthUser>(text: &str) -> Option<U::Id> {
    text.parse::<U::Id>()
        .ok()
        .filter(|id| Text(text).equals(id))
}

fn same_stamp<U: AuthUser>(realm: &Realm, record: &Record, user: &U, proof: &Proof) -> bool {
    let id = record
        .owner
        .as_deref()
        .and_then(|owner| realm.id_of(owner))
        .unwrap_or_default();
    stamp_digest(realm, id, user).ct_eq(&proof.stamp).into()
}

/// A one-way digest of the user's security stamp, good for the user with this id alone.
pub(crate) fn stamp_digest<U: AuthUser>(realm: &Realm, id: &str, user: &U) -> [u8; 32] {
    let stamp = user.security_stamp();
    digest(
        Purpose::Stamp,
        &[realm.name().as_bytes(), id.as_bytes(), &stamp],
    )
}

/// A text that is compared with what a value would write, without writing it down.
struct Text<'a>(&'a str);

impl Text<'_> {
    fn equals(mut self, value: &impl fmt::Display) -> bool {
        write!(self, "{value}").is_ok() && self.0.is_empty()
    }
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(part).ok_or(fmt::Error)?;
        Ok(())
    }
}
