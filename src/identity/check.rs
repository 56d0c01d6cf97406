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
    session::{Actor, ActorSession, Payload},
    store::{Digest, SessionRecord},
    user::AuthUser,
};

use super::id::parse_id;

/// A user who may be logged in by a record.
pub(crate) struct Checked<U> {
    pub(crate) user: Arc<U>,
    /// Whether the client looks like the one that logged in, or is not compared.
    pub(crate) same_client: bool,
    /// The user who impersonates this user.
    pub(crate) actor: Option<Arc<U>>,
}

/// Checks the user of a record, the client, and the actor if it is an impersonation.
pub(crate) async fn check<U: AuthUser>(
    realm: &Realm,
    load_user: &LoadUser<U>,
    record: &SessionRecord,
    payload: &Payload,
    client: Option<ClientMark>,
) -> Result<UserCheck<Checked<U>>, Error> {
    let user = match check_user(realm, load_user, record, payload).await? {
        UserCheck::Valid(user) => user,
        UserCheck::Rejected(why) => return Ok(UserCheck::Rejected(why)),
    };
    let same_client = is_same_client(realm, payload, client);
    if !same_client {
        let owner = record.owner.as_deref();
        realm.emit(&realm.event_of(EventKind::ClientChanged, owner, record.id));
        if realm.protection == SessionProtection::Strong {
            return Ok(UserCheck::Rejected(AnonymousReason::ClientChanged));
        }
    }
    let actor = match &payload.actor {
        // Boxed, so that a rare case does not make the future of every request larger.
        Some(actor) => match Box::pin(check_actor(realm, load_user, actor)).await? {
            UserCheck::Valid(user) => Some(user),
            UserCheck::Rejected(why) => return Ok(UserCheck::Rejected(why)),
        },
        None => None,
    };
    Ok(UserCheck::Valid(Checked {
        user,
        same_client,
        actor,
    }))
}

/// Checks that the actor of an impersonation is still logged in by the session that it was started
/// from. This takes another read from the store and another user load.
async fn check_actor<U: AuthUser>(
    realm: &Realm,
    load_user: &LoadUser<U>,
    actor: &Actor,
) -> Result<UserCheck<Arc<U>>, Error> {
    let session = match actor.load(realm).await? {
        ActorSession::LoggedIn(session) => session,
        ActorSession::Back => return Ok(UserCheck::Rejected(AnonymousReason::SessionReplaced)),
        ActorSession::Over => return Ok(UserCheck::Rejected(AnonymousReason::ActorNotLoggedIn)),
    };
    let (record, payload) = &*session;
    Ok(match check_user(realm, load_user, record, payload).await? {
        UserCheck::Rejected(why) if !why.keeps_session() => {
            UserCheck::Rejected(AnonymousReason::ActorNotLoggedIn)
        }
        checked => checked,
    })
}

/// Loads the user of a record. The user must have the same id, be active, and have the same
/// security stamp.
async fn check_user<U: AuthUser>(
    realm: &Realm,
    load_user: &LoadUser<U>,
    record: &SessionRecord,
    payload: &Payload,
) -> Result<UserCheck<Arc<U>>, Error> {
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
    Ok(UserCheck::Valid(user))
}

/// Compares only what was stored at the login.
pub(crate) fn is_same_client(realm: &Realm, payload: &Payload, client: Option<ClientMark>) -> bool {
    let stored = payload.login.and_then(|login| login.client);
    realm.protection == SessionProtection::Off || stored.is_none_or(|stored| Some(stored) == client)
}

/// The id of the user whose record this is, if it can be parsed.
pub(crate) fn id_of<U: AuthUser>(realm: &Realm, record: &SessionRecord) -> Option<U::Id> {
    let owner = record.owner.as_deref()?;
    parse_id::<U>(realm.id_of(owner)?)
}

/// A one-way digest of the user's security stamp, which no other user shares. `None` without a
/// stamp.
pub(crate) fn stamp_digest<U: AuthUser>(realm: &Realm, owner: &str, user: &U) -> Option<Digest> {
    let stamp = user.security_stamp();
    (!stamp.is_empty()).then(|| realm.digests.stamp.parts(&[owner.as_bytes(), &stamp]))
}
