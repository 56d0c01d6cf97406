//! The entry in a request's extensions, one for all realms.

use std::{any::Any, sync::Arc};

use http::Extensions;

use super::{Auth, request::RequestAuth};
use crate::{
    denied::NextPath,
    realm::Realm,
    session::{RequestSession, Session, SessionOwner},
    user::AuthUser,
};

/// The innermost manager's state for one request, which links to those of outer managers.
#[derive(Clone)]
pub(crate) struct AuthExtension(Arc<dyn AnyAuth>);

/// One manager's state for one request, whatever its user type.
pub(crate) trait AnyAuth: Any + SessionOwner {
    fn outer(&self) -> Option<&AuthExtension>;
    #[cfg_attr(
        not(feature = "axum"),
        allow(dead_code, reason = "only the extractor reads it")
    )]
    fn next(&self) -> NextPath;
}

impl AuthExtension {
    /// Adds a manager's state to the request.
    pub(crate) fn attach<U: AuthUser>(extensions: &mut Extensions, auth: &Auth<U>) -> Self {
        let extension = Self(Arc::clone(&auth.request) as Arc<dyn AnyAuth>);
        extensions.insert(extension.clone());
        extension
    }

    /// Removes it from a copy of the request.
    pub(crate) fn detach(extensions: &mut Extensions) {
        extensions.remove::<Self>();
    }

    pub(crate) fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get::<Self>()
    }

    /// The state of the innermost manager for this user type.
    pub(crate) fn find<U: AuthUser>(&self) -> Option<Auth<U>> {
        self.outwards().find_map(|Self(part)| {
            let part = Arc::clone(part) as Arc<dyn Any + Send + Sync>;
            Some(Auth {
                request: part.downcast::<RequestAuth<U>>().ok()?,
            })
        })
    }

    /// The realms of the managers that the request came through, innermost first.
    pub(crate) fn realms(&self) -> impl Iterator<Item = &Arc<Realm>> {
        self.outwards().map(|extension| extension.session().realm())
    }

    /// The path to return to after the login, as the innermost manager keeps it.
    #[cfg(feature = "axum")]
    pub(crate) fn next(&self) -> NextPath {
        self.0.next()
    }

    pub(crate) fn session(&self) -> &RequestSession {
        self.0.session()
    }

    fn outwards(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |extension| extension.0.outer())
    }
}

impl Session {
    /// Returns the session of the innermost manager that a request came through, or `None` if it
    /// came through none.
    #[must_use]
    pub fn from_extensions(extensions: &Extensions) -> Option<Self> {
        let AuthExtension(request) = AuthExtension::of(extensions)?;
        Some(Self::new(Arc::clone(request) as Arc<dyn SessionOwner>))
    }
}
