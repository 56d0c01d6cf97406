//! Whether the user whom a record names is still in.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use ctutils::CtEq as _;

use super::id::parse_id;
use crate::{
    error::{Error, ErrorKind},
    event::EventKind,
    loader::UserLoader,
    realm::Realm,
    session::Proof,
    store::{Purpose, Record, digest},
    user::AuthUser,
    why::Why,
};

/// Why a user who was logged in is out.
pub(super) struct Out {
    pub(super) why: Why,
    /// Where no newer login of this browser can be behind the cookies.
    pub(super) remove_cookies: bool,
}

/// Loads the user whose record this is, once they are known to be still in.
pub(super) async fn load_user<U: AuthUser>(
    realm: &Realm,
    loader: &dyn UserLoader<U>,
    record: &Record,
    id: &U::Id,
    proof: &Proof,
) -> Result<Result<Arc<U>, Out>, Error> {
    let event = |kind| realm.event_of(kind, record.owner.as_deref(), record.family);
    let answer = realm.ask(ErrorKind::Loader, loader.load(id)).await;
    let user = answer.inspect_err(|error| {
        realm.tell(&event(EventKind::LoaderFailed).because(error));
    })?;
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
            realm.tell(&event(EventKind::WrongUser));
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
    if stamp.is_empty() {
        // A user without a stamp needs no digest of it, and no digest is all zeros.
        return [0; 32];
    }
    digest(
        Purpose::Stamp,
        &[realm.name().as_bytes(), id.as_bytes(), &stamp],
    )
}
