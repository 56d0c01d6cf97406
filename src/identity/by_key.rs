//! The user of an API key.

use std::sync::Arc;

use crate::{
    api_key::{ApiKeySettings, BearerToken, FoundKey, find_key, stamp_of},
    api_key_id::ApiKeyId,
    error::{Error, ErrorKind},
    event::EventKind,
    loader::LoadUser,
    realm::Realm,
    reason::AnonymousReason,
    remember::UserCheck,
    session::{SessionState, Turn},
    user::AuthUser,
};

use super::{Identity, parse_id};

/// Finds the user of the key that a request presents. The key must be live, and the user must have
/// the same id and be active. This takes one store read, or none if the text is not that of a key.
pub(super) async fn by_key<U: AuthUser>(
    turn: &Turn<'_>,
    users: &LoadUser<U>,
    settings: &ApiKeySettings,
    token: &BearerToken,
) -> Result<Identity<U>, Error> {
    let realm = turn.realm();
    // It may be a token that a request loader accepts.
    let Some(shown) = token.key(realm, settings) else {
        return Ok(Identity::Anonymous(AnonymousReason::MalformedApiKey));
    };
    let Some(found) = find_key(realm, &shown, turn.now).await? else {
        let why = AnonymousReason::UnknownApiKey;
        report(realm, EventKind::ApiKeyRefused(why), None, shown.id);
        return Ok(Identity::Anonymous(why));
    };
    match user_of(realm, users, &found).await? {
        UserCheck::Valid(user) => {
            if realm.is_heard() {
                let user_id = Some(found.user_id(realm));
                report(realm, EventKind::ApiKeyUsed, user_id, shown.id);
            }
            found.note_use(realm, turn.now);
            // As for a request loader: the user is logged in for this request only.
            turn.state().session = SessionState::none_to_create(AnonymousReason::UnknownSession);
            let key = Arc::new(found.into_info());
            Ok(Identity::ByKey { user, key })
        }
        UserCheck::Rejected(why) => {
            let user_id = Some(found.user_id(realm));
            report(realm, EventKind::ApiKeyRefused(why), user_id, shown.id);
            Ok(Identity::Anonymous(why))
        }
    }
}

/// Loads the user of a key. The user must have the same id, be active, and have the same security
/// stamp if the key ends with it.
async fn user_of<U: AuthUser>(
    realm: &Realm,
    users: &LoadUser<U>,
    found: &FoundKey,
) -> Result<UserCheck<Arc<U>>, Error> {
    let (text, key) = (found.user_id(realm), found.stored());
    let Some(id) = parse_id::<U>(text) else {
        return Ok(UserCheck::Rejected(AnonymousReason::BadId));
    };
    if realm.is_of_another_type(key.user_type) {
        return Ok(UserCheck::Rejected(AnonymousReason::OtherUserType));
    }
    let Some(user) = load_user(realm, users, &id).await? else {
        return Ok(UserCheck::Rejected(AnonymousReason::UserGone));
    };
    if !user.is_active() {
        return Ok(UserCheck::Rejected(AnonymousReason::Inactive));
    }
    let same_stamp = key
        .stamp
        .is_none_or(|stamp| stamp == stamp_of(realm, text, &*user));
    Ok(match same_stamp {
        true => UserCheck::Valid(user),
        false => UserCheck::Rejected(AnonymousReason::StampChanged),
    })
}

async fn load_user<U: AuthUser>(
    realm: &Realm,
    users: &LoadUser<U>,
    id: &U::Id,
) -> Result<Option<Arc<U>>, Error> {
    let event = |kind| realm.event(kind).of(Some(&id.to_string()), None);
    let loaded = realm.call(ErrorKind::Loader, users(id)).await;
    let user = loaded.inspect_err(|error| {
        realm.emit(&event(EventKind::LoaderFailed).because(error));
    })?;
    if user.as_ref().is_some_and(|user| user.id() != *id) {
        realm.emit(&event(EventKind::WrongUser));
        return Err(ErrorKind::WrongUser.into());
    }
    Ok(user)
}

fn report(realm: &Realm, kind: EventKind, user_id: Option<&str>, id: ApiKeyId) {
    realm.emit(&realm.event(kind).of(user_id, None).about_key(Some(id)));
}
