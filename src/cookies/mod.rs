//! The only place that reads `Cookie` and writes `Set-Cookie`.
//!
//! Names are compared byte by byte, without decoding, and only the spaces that the syntax allows
//! are trimmed, so that no other spelling passes for a `__Host-` name and no other cookie can hide
//! ours. One builder writes all cookies, so that removal cookies have the same attributes as the
//! cookies that they remove.

mod attributes;
mod read;
mod write;

use std::borrow::Cow;

use self::attributes::names_of;
pub(crate) use self::read::{Found, decode_next, find};

/// Whether browsers send the cookies with cross-site requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SameSite {
    /// Never. A user who follows a link from another site to a guarded page has to log in, even if
    /// they are logged in.
    Strict,
    /// Only for top-level navigation with `GET`. The default.
    #[default]
    Lax,
    /// Always. Requires `Secure`, and your own protection against CSRF.
    None,
}

/// The configuration of one realm's cookies.
#[derive(Clone, Debug)]
pub(crate) struct CookieJar {
    session: Cow<'static, str>,
    remember: Cow<'static, str>,
    next: Cow<'static, str>,
    /// The names of the session cookie and the remember cookie, without their prefix.
    names: [Box<str>; 2],
    named: bool,
    ignored: bool,
    domain: Option<Box<str>>,
    path: Box<str>,
    secure: bool,
    same_site: SameSite,
}

impl CookieJar {
    pub(crate) fn new(realm: &str) -> Self {
        let mut jar = Self {
            session: Cow::Borrowed(""),
            remember: Cow::Borrowed(""),
            next: Cow::Borrowed(""),
            names: names_of(realm),
            named: false,
            ignored: false,
            domain: None,
            path: "/".into(),
            secure: true,
            same_site: SameSite::Lax,
        };
        jar.rename();
        jar
    }

    /// Ignores cookies in requests, and sets none.
    pub(crate) fn ignore(&mut self) {
        self.ignored = true;
    }

    pub(crate) fn are_ignored(&self) -> bool {
        self.ignored
    }

    /// Whether one of these cookies has the name of one of the other's.
    #[cfg(feature = "tracing")]
    pub(crate) fn clashes_with(&self, other: &Self) -> bool {
        let names = |jar: &'_ Self| [jar.session.clone(), jar.remember.clone(), jar.next.clone()];
        let theirs = names(other);
        !self.ignored && !other.ignored && names(self).iter().any(|name| theirs.contains(name))
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
}
