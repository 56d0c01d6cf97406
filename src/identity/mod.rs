//! Who is this? The question is answered once per request, in one order, and keeps the reason where the answer is nobody.

mod id;
mod user;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use http::request::Parts;

use self::user::load_user;
pub(crate) use self::{
    id::parse_id,
    user::{is_still_in, stamp_digest},
};
use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    event::EventKind,
    loader::{Loaders, UserLoader},
    protection::SessionProtection,
    remember::{self, Offer, Remembered},
    session::{Live, Proof, Slot, Visit},
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
    let identity = by_cookies_at(visit, &*loaders.users, now).await?;
    match (identity, head) {
        // Boxed, as below: what is rare makes no other request's future larger.
        (Identity::Nobody(why), Some(head)) => {
            Box::pin(by_request(visit, loaders, head, why)).await
        }
        (identity, _) => Ok(identity),
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
    if visit.remember_token().is_none() {
        return Ok(Identity::Nobody(why));
    }
    Box::pin(by_remember_cookie_at(visit, loader, why, now)).await
}

async fn by_remember_cookie_at<U: AuthUser>(
    visit: &Visit,
    loader: &dyn UserLoader<U>,
    why: Why,
    now: Millis,
) -> Result<Identity<U>, Error> {
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
    head: &Parts,
    mut why: Why,
) -> Result<Identity<U>, Error> {
    let realm = &visit.realm;
    for loader in &loaders.requests {
        let answer = realm.ask(ErrorKind::Loader, loader.load(head)).await;
        let failed = |error: &Error| realm.report_failure(EventKind::LoaderFailed, error);
        let user = answer.inspect_err(failed)?;
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
