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
    event::EventKind,
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
        if !realm.is_heard() {
            return;
        }
        match (identity, self.visit.live()) {
            (Identity::User(..), Some(Live { record, .. })) => {
                realm.report_of(EventKind::Asked, record.owner.as_deref(), record.family);
            }
            (Identity::User(user, _), None) => {
                if let Ok(id) = catch_unwind(AssertUnwindSafe(|| user.id().to_string())) {
                    realm.report_user(EventKind::Asked, &id);
                }
            }
            (Identity::Nobody(_), _) => realm.report(EventKind::Asked),
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
            Some(None) => true,
            Some(Some(_)) => self.identity().is_some(),
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
