//! Where a request carries who it is: one entry in its extensions, for all realms.

use std::{any::Any, sync::Arc};

use http::Extensions;

use super::{Auth, inner::Inner};
use crate::{
    realm::Realm,
    refusal::NextPath,
    session::{Session, Visit, Visited},
    user::AuthUser,
};

/// The innermost manager's part of a request, and through it those further out.
#[derive(Clone)]
pub(crate) struct Attached(Arc<dyn Part>);

/// One manager's part of a request, whatever its user type.
pub(crate) trait Part: Any + Visited {
    fn outer(&self) -> Option<&Attached>;
    fn realm(&self) -> &Realm;
    #[cfg_attr(
        not(feature = "axum"),
        allow(dead_code, reason = "the extractor asks it")
    )]
    fn next(&self) -> NextPath;
}

impl Attached {
    /// Puts a manager's part into the request.
    pub(crate) fn attach<U: AuthUser>(extensions: &mut Extensions, auth: &Auth<U>) -> Self {
        let attached = Self(Arc::clone(&auth.inner) as Arc<dyn Part>);
        extensions.insert(attached.clone());
        attached
    }

    /// Takes it out of a copy of the request.
    pub(crate) fn detach(extensions: &mut Extensions) {
        extensions.remove::<Self>();
    }

    pub(crate) fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get::<Self>()
    }

    /// The part of the innermost manager for this user type.
    pub(crate) fn find<U: AuthUser>(&self) -> Option<Auth<U>> {
        std::iter::successors(Some(self), |attached| attached.0.outer()).find_map(|Self(part)| {
            let part = Arc::clone(part) as Arc<dyn Any + Send + Sync>;
            Some(Auth {
                inner: part.downcast::<Inner<U>>().ok()?,
            })
        })
    }

    /// The realms of the managers that the request came through, the innermost first.
    pub(crate) fn realms(&self) -> impl Iterator<Item = &Realm> {
        std::iter::successors(Some(self), |attached| attached.0.outer())
            .map(|attached| attached.0.realm())
    }

    /// The way back that the innermost manager keeps.
    #[cfg(feature = "axum")]
    pub(crate) fn next(&self) -> NextPath {
        self.0.next()
    }

    pub(crate) fn visit(&self) -> &Visit {
        self.0.visit()
    }
}

impl Session {
    /// Finds the session of the innermost manager that a request came through.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<Self> {
        Attached::of(extensions)
            .map(|Attached(part)| Self::new(Arc::clone(part) as Arc<dyn Visited>))
    }
}
