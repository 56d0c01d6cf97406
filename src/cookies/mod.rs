//! The only place that reads `Cookie` and writes `Set-Cookie`.
//!
//! Names are compared byte by byte, without decoding, and only the spaces that the syntax allows
//! are trimmed, so that no other spelling passes for a `__Host-` name and no other cookie can hide
//! ours. One builder writes all cookies, so that removal cookies have the same attributes as the
//! cookies that they remove.

mod names;
mod read;
mod settings;
mod write;

use std::borrow::Cow;

use http::Method;

use self::write::Prepared;
use crate::error::ConfigError;

pub(crate) use self::read::{Found, decode_next, find};
pub use self::settings::Cookies;

/// Whether browsers send the cookies with cross-site requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SameSite {
    /// Never. A user who follows a link from another site to a guarded page has to log in, even if
    /// they are logged in. Session data that the request of such a link inserts is dropped, since
    /// the browser may have a session whose cookie it has not sent.
    Strict,
    /// Only for top-level navigation with `GET`. The default.
    #[default]
    Lax,
    /// Always. Requires `Secure`, and your own protection against CSRF.
    None,
}

/// One realm's cookies.
#[derive(Clone, Debug)]
pub(crate) struct CookieJar {
    session: Cow<'static, str>,
    remember: Cow<'static, str>,
    next: Cow<'static, str>,
    browser: Cow<'static, str>,
    settings: Cookies,
    prepared: Prepared,
    ignored: bool,
}

impl CookieJar {
    pub(crate) fn new(realm: &str) -> Self {
        let settings = Cookies::new();
        let mut jar = Self {
            session: Cow::Borrowed(""),
            remember: Cow::Borrowed(""),
            next: Cow::Borrowed(""),
            browser: Cow::Borrowed(""),
            prepared: settings.prepare(["", "", ""]),
            settings,
            ignored: false,
        };
        jar.rename(realm);
        jar
    }

    pub(crate) fn set(&mut self, settings: Cookies, realm: &str) -> Result<(), ConfigError> {
        settings.check()?;
        self.settings = settings;
        self.rename(realm);
        Ok(())
    }

    /// Ignores cookies in requests, and sets none.
    pub(crate) fn ignore(&mut self) {
        self.ignored = true;
    }

    pub(crate) fn are_ignored(&self) -> bool {
        self.ignored
    }

    /// Whether the two realms have a cookie of the same name.
    #[cfg(feature = "tracing")]
    pub(crate) fn clashes_with(&self, other: &Self) -> bool {
        let names =
            |jar: &'_ Self| [&jar.session, &jar.remember, &jar.next, &jar.browser].map(Cow::clone);
        let theirs = names(other);
        !self.ignored && !other.ignored && names(self).iter().any(|name| theirs.contains(name))
    }

    /// Whether browsers withhold the cookies from a page load by this method that comes from
    /// another site. For cross-site requests that load no page, browsers also ignore `Set-Cookie`.
    pub(crate) fn are_withheld(&self, method: &Method) -> bool {
        match self.settings.same_site {
            SameSite::Strict => true,
            SameSite::Lax => !method.is_safe(),
            SameSite::None => false,
        }
    }

    pub(crate) fn session_name(&self) -> &str {
        &self.session
    }

    pub(crate) fn remember_name(&self) -> &str {
        &self.remember
    }

    pub(crate) fn next_name(&self) -> &str {
        &self.next
    }

    pub(crate) fn browser_name(&self) -> &str {
        &self.browser
    }
}
