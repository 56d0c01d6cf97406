//! Whether the user of a record may still be logged in by it.

use std::sync::Arc;

use crate::{
    error::{Error, ErrorKind},
    event::EventKind,
    loader::LoadUser,
    protection::{ClientMark, SessionProtection},
    realm::Realm,
    reason::AnonymousReason,
    remember::UserCheck,
    session::{LoginFacts, Payload},
    store::{Digest, SessionRecord},
    user::AuthUser,
};

use super::id::parse_id;

/// A user who may be logged in by a record.
pub(crate) struct Checked<U> {
    pub(crate) user: Arc<U>,
    /// Whether the client looks like the one that logged in, or is not compared.
    pub(crate) same_client: bool,
}

/// Loads the user of a record: the same id, active, with the same security stamp, and the same
/// client.
pub(crate) async fn check<U: AuthUser>(
    realm: &Realm,
    load_user: &LoadUser<U>,
    record: &SessionRecord,
    payload: &Payload,
    client: Option<ClientMark>,
) -> Result<UserCheck<Checked<U>>, Error> {
    let Some(id) = id_of::<U>(realm, record) else {
        return Ok(UserCheck::Rejected(AnonymousReason::BadId));
    };
    let Some(login) = payload.login else {
        return Ok(UserCheck::Rejected(AnonymousReason::NotLoggedIn));
    };
    if realm.is_of_another_type(login.user_type) {
        #[cfg(feature = "tracing")]
        tracing::error!(
            "two user types use the realm {:?}: give each of them a name of its own with `LoginManager::with_realm(\"…\")`",
            realm.name(),
        );
        return Ok(UserCheck::Rejected(AnonymousReason::OtherUserType));
    }
    let event = |kind| realm.event_of(kind, record.owner.as_deref(), record.id);
    let answer = realm.call(ErrorKind::Loader, load_user(&id)).await;
    let user = answer.inspect_err(|error| {
        realm.emit(&event(EventKind::LoaderFailed).because(error));
    })?;
    let Some(user) = user else {
        return Ok(UserCheck::Rejected(AnonymousReason::UserGone));
    };
    if user.id() != id {
        realm.emit(&event(EventKind::WrongUser));
        return Err(ErrorKind::WrongUser.into());
    }
    if !user.is_active() && !login.forced {
        return Ok(UserCheck::Rejected(AnonymousReason::Inactive));
    }
    let owner = record.owner.as_deref().unwrap_or_default();
    if stamp_digest(realm, owner, &*user) != login.stamp {
        return Ok(UserCheck::Rejected(AnonymousReason::StampChanged));
    }
    let same_client = is_same_client(realm, &login, client);
    if !same_client {
        realm.emit(&event(EventKind::ClientChanged));
        if realm.protection == SessionProtection::Strong {
            return Ok(UserCheck::Rejected(AnonymousReason::ClientChanged));
        }
    }
    Ok(UserCheck::Valid(Checked { user, same_client }))
}

/// Compares only what was stored at the login.
fn is_same_client(realm: &Realm, login: &LoginFacts, client: Option<ClientMark>) -> bool {
    realm.protection == SessionProtection::Off
        || login.client.is_none_or(|stored| Some(stored) == client)
}

/// The id of the user whose record this is, if it can be parsed.
pub(crate) fn id_of<U: AuthUser>(realm: &Realm, record: &SessionRecord) -> Option<U::Id> {
    let owner = record.owner.as_deref()?;
    parse_id::<U>(realm.id_of(owner)?)
}

/// A one-way digest of the user's security stamp, for the user with this id alone; `None` without a
/// stamp.
pub(crate) fn stamp_digest<U: AuthUser>(realm: &Realm, owner: &str, user: &U) -> Option<Digest> {
    let stamp = user.security_stamp();
    (!stamp.is_empty()).then(|| realm.digests.stamp.parts(&[owner.as_bytes(), &stamp]))
}
