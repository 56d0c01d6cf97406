//! What the clones of an [`Auth`](super::Auth) share: one manager's state for one request.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{Uri, request::Parts};

use super::{
    extension::{AnyAuth, AuthExtension},
    settings::Settings,
};
use crate::{
    api_key::BearerToken,
    denied::{NextPath, Pages},
    error::Error,
    event::{Event, EventKind},
    identity::{Identity, Shown, resolve},
    realm::Realm,
    session::{RequestSession, SessionOwner, SessionState, Turn, finish},
    user::AuthUser,
};

/// One manager's state for one request.
pub(crate) struct RequestAuth<U: AuthUser> {
    pub(crate) session: RequestSession,
    pub(crate) settings: Arc<Settings<U>>,
    pub(crate) identity: Mutex<Option<Identity<U>>>,
    /// The login pages of the part of the application that the request has reached.
    pub(crate) pages: Mutex<Option<Arc<Pages>>>,
    /// The URI that the client requested, before any nested router removed a prefix.
    pub(crate) uri: Uri,
    /// The request's head, if there are request loaders to read it.
    pub(crate) head: Option<Box<Parts>>,
    /// The request's bearer token, if there are API keys.
    pub(crate) bearer: Option<BearerToken>,
    pub(crate) outer: Option<AuthExtension>,
}

impl<U: AuthUser> RequestAuth<U> {
    pub(super) fn realm(&self) -> &Arc<Realm> {
        self.session.realm()
    }

    /// The current user, if already known.
    pub(super) fn known(&self) -> Option<Identity<U>> {
        self.lock_identity().clone()
    }

    pub(super) fn set_identity(&self, identity: Identity<U>) {
        // The user that was known before is dropped outside the lock: dropping it runs foreign
        // code.
        let before = self.lock_identity().replace(identity);
        drop(before);
    }

    fn lock_identity(&self) -> MutexGuard<'_, Option<Identity<U>>> {
        self.identity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn resolve(&self, turn: &Turn<'_>) -> Result<Identity<U>, Error> {
        if let Some(identity) = self.known() {
            return Ok(identity);
        }
        let Settings {
            loaders, api_keys, ..
        } = &*self.settings;
        let shown = Shown {
            head: self.head.as_deref(),
            key: api_keys.as_deref().zip(self.bearer.as_ref()),
        };
        let identity = resolve(turn, loaders, shown).await?;
        self.set_identity(identity.clone());
        if self.realm().is_heard() {
            self.realm()
                .emit(&self.event(EventKind::Resolved, &identity));
        }
        Ok(identity)
    }

    /// An event about the current user.
    pub(super) fn event(&self, kind: EventKind, identity: &Identity<U>) -> Event {
        let realm = self.realm();
        if let (Some(_), SessionState::Open(open)) =
            (identity.user(), &self.session.state().session)
        {
            let event = realm.event_of(kind, open.record.owner.as_deref(), open.record.id);
            let actor = open.payload.actor.as_ref();
            return event.by_actor(actor.map(|actor| &actor.id));
        }
        match identity.user() {
            Some(user) => realm.event(kind).of(Some(&user.id().to_string()), None),
            None => realm.event(kind),
        }
    }
}

impl<U: AuthUser> SessionOwner for RequestAuth<U> {
    fn session(&self) -> &RequestSession {
        &self.session
    }

    fn is_settled(&self) -> bool {
        match self.session.state().owner() {
            None => false,
            // A user found by an API key or a request loader has no data, not even an anonymous
            // visitor's.
            Some(None) if self.settings.loaders.requests.is_empty() && self.bearer.is_none() => {
                true
            }
            Some(_) => self.lock_identity().is_some(),
        }
    }

    fn settle(self: Arc<Self>) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send>> {
        // This may restore a remembered login, which must run to its end.
        Box::pin(finish(async move {
            let turn = self.session.turn().await;
            turn.load().await?;
            if !self.is_settled() {
                self.resolve(&turn).await?;
            }
            Ok(())
        }))
    }
}

impl<U: AuthUser> AnyAuth for RequestAuth<U> {
    fn outer(&self) -> Option<&AuthExtension> {
        self.outer.as_ref()
    }

    fn next(&self) -> NextPath {
        self.next()
    }
}
