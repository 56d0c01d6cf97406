//! The path to return to after a login: where it is kept, and when it is removed.

use std::sync::{Arc, PoisonError};

use super::{Auth, request::RequestAuth};
use crate::{
    denied::{NextIn, NextPath, Views, only_value},
    event::EventKind,
    session::Change,
    user::AuthUser,
};

impl<U: AuthUser> Auth<U> {
    /// Returns where to go after the login, from [where the manager keeps
    /// it](crate::LoginManager::with_next_in). It is empty if the path is not on this site, is
    /// given twice or leads back to the login page. With axum, the extractor [`NextPath`] does the
    /// same.
    #[must_use]
    pub fn next(&self) -> NextPath {
        self.request.next()
    }

    /// Returns the URL of this part's login page, for a link on a page that is loaded by GET, or
    /// `None` if no login view is set. After the login the user returns to this page, if the path
    /// to return to is kept in the query.
    ///
    /// ```
    /// # use login_manager::{Auth, AuthUser};
    /// # struct Account;
    /// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
    /// async fn header(auth: Auth<Account>) -> String {
    ///     match auth.login_url() {
    ///         Some(url) => format!(r#"<a href="{}">Log in</a>"#, url.replace('&', "&amp;")),
    ///         None => String::new(),
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn login_url(&self) -> Option<String> {
        let (denied_config, part) = (self.denied_config(), self.views());
        let part = part.as_ref().and_then(|views| views.login.as_ref());
        let view = part.or(denied_config.views.login.as_ref())?;
        let next = match view.is_at(self.uri().path()) {
            // On the login page itself, keep the page that was requested before it.
            true => self.next(),
            false => NextPath::of_request(self.uri()),
        };
        let field = denied_config.next_field();
        Some(match denied_config.next_in {
            NextIn::Query => view.url(Some((field, &next)), None),
            NextIn::Cookie | NextIn::Nowhere => view.url(None, None),
        })
    }

    /// Removes the path to return to.
    pub(crate) fn drop_next(&self) {
        self.request.use_up_next();
    }

    /// Sets the login pages for the rest of this request.
    pub(crate) fn enter(&self, part: &Views) {
        let mut views = self
            .request
            .views
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let within = match &*views {
            Some(outer) => part.within(outer),
            None => part.clone(),
        };
        *views = Some(Arc::new(within));
    }

    /// The login pages that this part of the application has set, if any.
    pub(crate) fn views(&self) -> Option<Arc<Views>> {
        self.request.views()
    }
}

impl<U: AuthUser> RequestAuth<U> {
    pub(super) fn next(&self) -> NextPath {
        let denied_config = &self.denied_config;
        let given = match denied_config.next_in {
            NextIn::Query => self
                .uri
                .query()
                .and_then(|query| only_value(query, denied_config.next_field())),
            NextIn::Cookie => {
                self.session.state().asked = true;
                self.session.next_cookie()
            }
            NextIn::Nowhere => None,
        };
        let next = NextPath::try_from(given.unwrap_or_default()).unwrap_or_else(|_| {
            self.realm().report(EventKind::NextRejected);
            NextPath::none()
        });
        let path = next.path();
        let leads_back = path == self.uri.path()
            || denied_config.views.are_at(path)
            || self.views().is_some_and(|views| views.are_at(path));
        if leads_back { NextPath::none() } else { next }
    }

    /// Removes the cookie with the path to return to, if there is one.
    pub(super) fn use_up_next(&self) {
        if self.denied_config.next_in == NextIn::Cookie && self.session.next_cookie().is_some() {
            self.session.state().next_cookie = Some(Change::Remove);
        }
    }

    fn views(&self) -> Option<Arc<Views>> {
        let views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        views.clone()
    }
}
