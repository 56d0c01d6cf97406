//! Resolves the current user, once per request: by the session, then by the remember cookie, then
//! by an API key, then by the request loaders.

mod by_key;
mod check;
mod id;

use std::sync::Arc;

use http::request::Parts;

use self::by_key::by_key;
pub(crate) use self::{
    check::{check, id_of, stamp_digest},
    id::parse_id,
};
use crate::{
    api_key::{ApiKeyInfo, ApiKeySettings, BearerToken},
    clock::Millis,
    error::{Error, ErrorKind},
    event::EventKind,
    loader::{LoadUser, Loaders},
    realm::Realm,
    reason::AnonymousReason,
    remember::{self, Restored, UserCheck},
    session::{HeldBy, Judged, Open, SessionState, TRIES, Turn},
    user::AuthUser,
};

/// The current user of a request.
pub(crate) enum Identity<U> {
    BySession {
        user: Arc<U>,
        /// When the user entered credentials in this session; `None` if they didn't.
        fresh: Option<Millis>,
    },
    /// An API key authenticates them, for this request only.
    ByKey {
        user: Arc<U>,
        key: Arc<ApiKeyInfo>,
    },
    /// A request loader found them, for this request only.
    ByRequest(Arc<U>),
    Anonymous(AnonymousReason),
}

impl<U> Identity<U> {
    pub(crate) fn user(&self) -> Option<&Arc<U>> {
        match self {
            Self::BySession { user, .. } | Self::ByKey { user, .. } | Self::ByRequest(user) => {
                Some(user)
            }
            Self::Anonymous(_) => None,
        }
    }
}

impl<U> Clone for Identity<U> {
    fn clone(&self) -> Self {
        match self {
            Self::BySession { user, fresh } => Self::BySession {
                user: Arc::clone(user),
                fresh: *fresh,
            },
            Self::ByKey { user, key } => Self::ByKey {
                user: Arc::clone(user),
                key: Arc::clone(key),
            },
            Self::ByRequest(user) => Self::ByRequest(Arc::clone(user)),
            Self::Anonymous(why) => Self::Anonymous(*why),
        }
    }
}

/// What a request shows besides its cookies, if the application wants to know it.
pub(crate) struct Shown<'a> {
    /// For the request loaders.
    pub(crate) head: Option<&'a Parts>,
    /// What may be an API key.
    pub(crate) key: Option<(&'a ApiKeySettings, &'a BearerToken)>,
}

/// Session → remember cookie → API key → request loaders. An error is not kept: the next call tries
/// again.
pub(crate) async fn resolve<U: AuthUser>(
    turn: &Turn<'_>,
    loaders: &Loaders<U>,
    shown: Shown<'_>,
) -> Result<Identity<U>, Error> {
    let mut identity = by_session(turn, &loaders.users).await?;
    // Boxed, so that a rare case does not make the future of every request larger.
    if let Identity::Anonymous(why) = identity
        && turn.has_remember_cookie()
    {
        identity = Box::pin(by_remember_cookie(turn, &loaders.users, why)).await?;
    }
    if let Identity::Anonymous(_) = identity
        && let Some((settings, token)) = shown.key
    {
        identity = Box::pin(by_key(turn, &loaders.users, settings, token)).await?;
    }
    if let Identity::Anonymous(why) = identity
        && let Some(head) = shown.head
    {
        identity = Box::pin(by_request(turn, loaders, head, why)).await?;
    }
    if let Identity::Anonymous(why @ AnonymousReason::MalformedApiKey) = identity {
        turn.realm().report(EventKind::ApiKeyRefused(why));
    }
    Ok(identity)
}

async fn by_session<U: AuthUser>(
    turn: &Turn<'_>,
    users: &LoadUser<U>,
) -> Result<Identity<U>, Error> {
    turn.load().await?;
    for _ in 0..TRIES {
        let open = match &turn.state().session {
            SessionState::Open(open) => open.clone(),
            SessionState::None(none) => return Ok(Identity::Anonymous(none.why)),
            SessionState::Unread => return Ok(Identity::Anonymous(AnonymousReason::NoCookie)),
        };
        if open.record.owner.is_none() {
            return Ok(Identity::Anonymous(AnonymousReason::NotLoggedIn));
        }
        let client = turn.client_mark();
        let checked = check(turn.realm(), users, &open.record, &open.payload, client).await?;
        match checked {
            UserCheck::Valid(checked) => {
                return Ok(Identity::BySession {
                    fresh: fresh(&open, checked.same_client),
                    user: checked.user,
                });
            }
            // This program can't use the session, but another one may: it is kept, and this request
            // is anonymous.
            UserCheck::Rejected(why) if why.keeps_session() => {
                turn.state().session = SessionState::none_to_create(why);
                return Ok(Identity::Anonymous(why));
            }
            UserCheck::Rejected(why) => {
                match Box::pin(turn.end_judged(&open.record, why)).await {
                    Ok(Judged::Changed) => turn.reload().await?,
                    // If it can't be deleted now, the next request judges it the same way.
                    Ok(Judged::Ended) | Err(_) => {
                        turn.state().session = SessionState::none(why);
                        return Ok(Identity::Anonymous(why));
                    }
                }
            }
        }
    }
    Err(ErrorKind::Conflict.into())
}

/// When the user entered credentials in this session, or `None` if it is not fresh for this
/// request.
fn fresh(open: &Open, same_client: bool) -> Option<Millis> {
    let login = open.payload.login?;
    let counts = login.fresh && same_client && open.held_by != HeldBy::Joined;
    counts.then_some(login.at)
}

async fn by_remember_cookie<U: AuthUser>(
    turn: &Turn<'_>,
    users: &LoadUser<U>,
    why: AnonymousReason,
) -> Result<Identity<U>, Error> {
    let (realm, client) = (turn.realm(), turn.client_mark());
    let restored = remember::restore(turn, |record, payload| {
        Box::pin(async move { check(realm, users, &record, &payload, client).await })
    });
    Ok(match restored.await? {
        Restored::User(checked) => Identity::BySession {
            user: checked.user,
            fresh: None,
        },
        Restored::Nothing(of_cookie) => Identity::Anonymous(of_cookie.unwrap_or(why)),
    })
}

/// Calls the request loaders. An invalid cookie doesn't disable a valid API key.
async fn by_request<U: AuthUser>(
    turn: &Turn<'_>,
    loaders: &Loaders<U>,
    head: &Parts,
    mut why: AnonymousReason,
) -> Result<Identity<U>, Error> {
    let realm = turn.realm();
    for loader in &loaders.requests {
        let answer = realm.call(ErrorKind::Loader, loader(head)).await;
        let failed = |error: &Error| realm.report_failure(EventKind::LoaderFailed, error);
        let Some(user) = answer.inspect_err(failed)? else {
            continue;
        };
        if !user.is_active() {
            why = AnonymousReason::Inactive;
            continue;
        }
        realm.report_user(EventKind::LoadedByRequest, &user.id().to_string());
        // The user is logged in for this request only: it leaves no data behind, and an anonymous
        // session that may come with it stays as it is.
        turn.state().session = SessionState::none_to_create(AnonymousReason::UnknownSession);
        return Ok(Identity::ByRequest(user));
    }
    Ok(Identity::Anonymous(why))
}

/// The id of the user whose session this is, before the user has been loaded.
pub(crate) fn claimed_id<U: AuthUser>(realm: &Realm, open: Option<&Open>) -> Option<U::Id> {
    let open = open?;
    let login = open.payload.login?;
    match realm.is_of_another_type(login.user_type) {
        true => None,
        false => id_of::<U>(realm, &open.record),
    }
}
