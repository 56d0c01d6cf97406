//! What the clones of an [`Auth`](super::Auth) share.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{Uri, request::Parts};

use super::attached::{Attached, Part};
use crate::{
    error::Error,
    event::{Event, EventKind},
    identity::{Identity, resolve_at},
    loader::Loaders,
    realm::Realm,
    refusal::{NextPath, Refusals, Views},
    session::{Live, Visit, Visited},
    user::AuthUser,
};

/// One manager's part of one request.
pub(crate) struct Inner<U: AuthUser> {
    pub(crate) visit: Visit,
    pub(crate) loaders: Arc<Loaders<U>>,
    pub(crate) identity: Mutex<Option<Identity<U>>>,
    pub(crate) refusals: Arc<Refusals>,
    /// The pages to log in that the part of the application has for itself which the request has come to.
    pub(crate) views: Mutex<Option<Arc<Views>>>,
    /// What the client asked for, before any router took a part of it away.
    pub(crate) uri: Uri,
    /// The request's head, where there are request loaders to look at it.
    pub(crate) head: Option<Box<Parts>>,
    pub(crate) outer: Option<Attached>,
}

impl<U: AuthUser> Inner<U> {
    pub(super) fn identity(&self) -> MutexGuard<'_, Option<Identity<U>>> {
        self.identity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_identity(&self, identity: Identity<U>) {
        // The user that was known before is dropped outside the lock: dropping it runs code that isn't ours.
        let _before = self.identity().replace(identity);
    }

    /// Told after each request's first question, and worth no work where nobody listens.
    fn tell_asked(&self, identity: &Identity<U>) {
        let realm = &self.visit.realm;
        if realm.is_heard() {
            realm.tell(&self.event(EventKind::Asked, identity));
        }
    }

    /// An event about whoever this request is.
    pub(super) fn event(&self, kind: EventKind, identity: &Identity<U>) -> Event {
        let realm = &self.visit.realm;
        match (identity, self.visit.live()) {
            (Identity::User(..), Some(Live { record, .. })) => {
                realm.event_of(kind, record.owner.as_deref(), record.family)
            }
            (Identity::User(user, _), None) => {
                let id = catch_unwind(AssertUnwindSafe(|| user.id().to_string())).ok();
                realm.event(kind).of(id.as_deref(), None)
            }
            (Identity::Nobody(_), _) => realm.event(kind),
        }
    }

    pub(super) async fn identity_at(&self, now: i64) -> Result<Identity<U>, Error> {
        let known = self.identity().clone();
        if let Some(identity) = known {
            return Ok(identity);
        }
        let identity = resolve_at(&self.visit, &self.loaders, self.head.as_deref(), now).await?;
        self.set_identity(identity.clone());
        self.tell_asked(&identity);
        Ok(identity)
    }
}

impl<U: AuthUser> Visited for Inner<U> {
    fn visit(&self) -> &Visit {
        &self.visit
    }

    fn is_settled(&self) -> bool {
        match self.visit.state().owner() {
            None => false,
            // Whom the request itself brings keeps no data, not even an anonymous visitor's.
            Some(None) if self.loaders.requests.is_empty() => true,
            Some(_) => self.identity().is_some(),
        }
    }

    fn settle(&self) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> {
        Box::pin(async move {
            let _turn = self.visit.turn.lock().await;
            let now = self.visit.now();
            self.visit.read_at(now).await?;
            if !self.is_settled() {
                self.identity_at(now).await?;
            }
            Ok(())
        })
    }
}

impl<U: AuthUser> Part for Inner<U> {
    fn outer(&self) -> Option<&Attached> {
        self.outer.as_ref()
    }

    fn realm(&self) -> &Realm {
        &self.visit.realm
    }

    fn next(&self) -> NextPath {
        self.next()
    }
}
