//! The path to return to after a login: where it is kept, and when it is removed.

use std::sync::{Arc, PoisonError};

use super::{Auth, request::RequestAuth};
use crate::{
    denied::{NextIn, NextPath, Pages, only_value},
    event::EventKind,
    session::Change,
    user::AuthUser,
};

impl<U: AuthUser> Auth<U> {
    /// Returns the path to return to after the login, from [where the manager keeps
    /// it](crate::manager::LoginPage::next_in). It is [`none`](NextPath::none) if the path is not
    /// on this site, is given twice or leads back to the login page. With axum, the extractor
    /// [`NextPath`] does the same.
    #[must_use]
    pub fn next(&self) -> NextPath {
        self.request.next()
    }

    /// Returns the URL of the login page of this part of the application, or `None` if none is set.
    /// Use it for a link on a page that is loaded by GET. After the login, the user returns to that
    /// page if the path to return to is kept in the query.
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
        let (denied_config, part) = (self.denied_config(), self.pages());
        let part = part.as_ref().and_then(|pages| pages.login.as_ref());
        let page = part.or(denied_config.pages.login.as_ref())?;
        let next = match page.is_at(&denied_config.path(self.uri())) {
            // On the login page itself, keep the page that was requested before it.
            true => self.next(),
            false => denied_config.next_of(self.uri()),
        };
        Some(match denied_config.next_in {
            NextIn::Query => page.url(Some((&denied_config.next_field, &next)), None),
            NextIn::Cookie | NextIn::Nowhere => page.url(None, None),
        })
    }

    /// Keeps the path to return to in its cookie, or removes the cookie if there is no path.
    pub(crate) fn keep_next(&self, next: &NextPath) {
        match next.as_str() {
            Some(path) => self.request.session.state().next_cookie = Some(Change::Set(path.into())),
            None => self.request.use_up_next(),
        }
    }

    /// Sets the login pages for the rest of this request.
    pub(crate) fn enter(&self, part: &Pages) {
        let mut pages = self
            .request
            .pages
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let within = match &*pages {
            Some(outer) => part.within(outer),
            None => part.clone(),
        };
        *pages = Some(Arc::new(within));
    }

    /// The login pages that this part of the application has set, if any.
    pub(crate) fn pages(&self) -> Option<Arc<Pages>> {
        self.request.pages()
    }
}

impl<U: AuthUser> RequestAuth<U> {
    pub(super) fn next(&self) -> NextPath {
        let denied_config = &self.settings.denied;
        let given = match denied_config.next_in {
            NextIn::Query => self
                .uri
                .query()
                .and_then(|query| only_value(query, &denied_config.next_field)),
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
        let leads_back = path == denied_config.path(&self.uri)
            || denied_config.pages.are_at(path)
            || self.pages().is_some_and(|pages| pages.are_at(path));
        if leads_back { NextPath::none() } else { next }
    }

    /// Removes the cookie with the path to return to, if there is one.
    pub(super) fn use_up_next(&self) {
        if self.settings.denied.next_in == NextIn::Cookie && self.session.next_cookie().is_some() {
            self.session.state().next_cookie = Some(Change::Remove);
        }
    }

    fn pages(&self) -> Option<Arc<Pages>> {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.clone()
    }
}
