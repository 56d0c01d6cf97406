//! Who is this? The question is answered once per request, in one order, and keeps the reason where the answer is nobody.

use std::{
    fmt::{self, Write as _},
    sync::Arc,
};

use ctutils::CtEq as _;

use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
    event::EventKind,
    loader::UserLoader,
    realm::Realm,
    session::{Live, Proof, Slot, Visit},
    store::{Purpose, digest},
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

/// Asks the session, and the loader where somebody has logged in to it. An error is no answer: it is never kept.
pub(crate) async fn resolve_at<U: AuthUser>(
    visit: &Visit,
    loader: &dyn UserLoader<U>,
    now: Millis,
) -> Result<Identity<U>, Error> {
    visit.read_at(now).await?;
    let claim = match claimed::<U>(visit) {
        Ok(claim) => claim,
        Err(why) => {
            // A session whose id says nothing to this version of the program is left alone, but its data is nobody's.
            if why == Why::BadId {
                visit.disown();
            }
            return Ok(Identity::Nobody(why));
        }
    };
    let Claim { live, id, proof } = claim;

    let answer = visit.realm.ask(ErrorKind::Loader, loader.load(&id)).await;
    let user = answer.inspect_err(|_| {
        visit.realm.report_of(
            EventKind::LoaderFailed,
            live.record.owner.as_deref(),
            live.record.family,
        );
    })?;

    let (why, remove_cookie) = match user {
        None => (Why::UserGone, true),
        Some(user) if user.id() != id => {
            visit.realm.report_of(
                EventKind::WrongUser,
                live.record.owner.as_deref(),
                live.record.family,
            );
            return Err(ErrorKind::WrongUser.into());
        }
        Some(user) if !user.is_active() && !proof.forced => (Why::Inactive, true),
        // The cookie stays: a request beside this one may just have logged in again.
        Some(user) if !same_stamp(visit, &live, &user, &proof) => (Why::StampChanged, false),
        Some(user) => return Ok(Identity::User(Arc::new(user), proof)),
    };
    visit.end_at(&live, why, remove_cookie).await;
    Ok(Identity::Nobody(why))
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

fn same_stamp<U: AuthUser>(visit: &Visit, live: &Live, user: &U, proof: &Proof) -> bool {
    let id = live
        .record
        .owner
        .as_deref()
        .and_then(|owner| visit.realm.id_of(owner));
    let stamp = stamp_digest(&visit.realm, id.unwrap_or_default(), user);
    stamp.ct_eq(&proof.stamp).into()
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
