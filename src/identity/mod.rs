//! Resolves the current user, once per request: by the session, then by the remember cookie, then
//! by an API key, then by the request loaders.

mod by_key;
mod check;
mod id;

use std::sync::Arc;

use http::request::Parts;

use self::by_key::by_key;
pub(crate) use self::{
    check::{check, id_of, is_same_client, stamp_digest},
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
    session::{HeldBy, Judged, MethodName, Methods, Open, SessionState, TRIES, Turn},
    user::AuthUser,
};

/// The current user of a request.
pub(crate) enum Identity<U> {
    BySession {
        user: Arc<U>,
        entered: Entered,
        /// Who impersonates the user.
        actor: Option<Arc<U>>,
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

/// The credentials that the user has entered in this session, as far as they count for this
/// request.
#[derive(Clone, Default)]
pub(crate) struct Entered {
    /// When the user last entered credentials; `None` if they didn't.
    pub(crate) fresh: Option<Millis>,
    pub(crate) methods: Methods,
}

impl Entered {
    /// None counts for a request that joins, or for a client that looks different from the one that
    /// logged in.
    pub(crate) fn of(open: &Open, same_client: bool) -> Self {
        let login = open.payload.login.filter(|_| same_client);
        match login.filter(|_| open.held_by != HeldBy::Joined) {
            Some(login) => Self {
                fresh: login.fresh.then_some(login.at),
                methods: open.payload.methods.clone(),
            },
            None => Self::default(),
        }
    }
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

    /// Who impersonates the user.
    pub(crate) fn actor(&self) -> Option<&Arc<U>> {
        match self {
            Self::BySession { actor, .. } => actor.as_ref(),
            _ => None,
        }
    }

    /// Whether the session is fresh and the credentials were entered at most this long ago.
    pub(crate) fn is_fresh(&self, realm: &Realm, age: Millis) -> bool {
        let at = self.entered().and_then(|entered| entered.fresh);
        at.is_some_and(|at| is_recent(realm, at, age.min(realm.fresh_for())))
    }

    /// Whether this method was used in the session, and at most this long ago if a fresh login is
    /// required, too.
    pub(crate) fn was_used(&self, realm: &Realm, method: MethodName, age: Option<Millis>) -> bool {
        let entered = self.entered();
        let at = entered.and_then(|entered| entered.methods.at(method));
        let limit = age.map_or(Millis::MAX, |age| age.min(realm.fresh_for()));
        at.is_some_and(|at| is_recent(realm, at, limit))
    }

    /// `None` if no user is logged in by a session.
    pub(crate) fn entered(&self) -> Option<&Entered> {
        match self {
            Self::BySession { entered, .. } => Some(entered),
            _ => None,
        }
    }
}

fn is_recent(realm: &Realm, at: Millis, limit: Millis) -> bool {
    let now = realm.clock.now();
    now.saturating_sub(at) <= limit && !Realm::is_from_the_future(at, now)
}

impl<U> Clone for Identity<U> {
    fn clone(&self) -> Self {
        match self {
            Self::BySession {
                user,
                entered,
                actor,
            } => Self::BySession {
                user: Arc::clone(user),
                entered: entered.clone(),
                actor: actor.clone(),
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

/// The credentials of a request besides its cookies, if the application accepts any.
pub(crate) struct Shown<'a> {
    /// For the request loaders.
    pub(crate) head: Option<&'a Parts>,
    /// The bearer token, which may be an API key.
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
                    entered: Entered::of(&open, checked.same_client),
                    user: checked.user,
                    actor: checked.actor,
                });
            }
            // This program can't use the session, but another one may: it is kept, and this request
            // is anonymous.
            UserCheck::Rejected(why) if why.keeps_session() => {
                turn.state().session = SessionState::none_to_create(why);
                return Ok(Identity::Anonymous(why));
            }
            // A concurrent request has returned the browser to the actor's session.
            UserCheck::Rejected(why @ AnonymousReason::SessionReplaced) => {
                Box::pin(turn.close_impersonation(&open)).await;
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
            entered: Entered::default(),
            actor: None,
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
