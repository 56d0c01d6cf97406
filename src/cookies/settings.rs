//! [`Cookies`]: the names and attributes of a realm's cookies.

use std::borrow::Cow;

use super::SameSite;
use crate::error::ConfigError;

/// The names and attributes of the session cookie and the remember cookie, for
/// [`with_cookies`](crate::LoginManager::with_cookies).
///
/// The default is the safest: `Secure`, `HttpOnly`, `SameSite=Lax`, sent to this host only, with
/// the prefix `__Host-`. No script, sibling domain or network attacker can read the cookies, and no
/// sibling domain or network attacker can plant them.
///
/// ```
/// # use login_manager::{AuthUser, LoginManager, MemoryStore};
/// # struct Account { id: i64 }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
/// # let load_user = |id| async move { Some(Account { id }) };
/// # let login_manager = LoginManager::new(MemoryStore::new(), load_user);
/// use login_manager::manager::{Cookies, SameSite};
///
/// let login_manager = login_manager.with_cookies(Cookies::new().same_site(SameSite::Strict));
/// ```
///
/// Settings are checked when the manager takes them, or when [`check`](Cookies::check) is called.
///
/// In the manual: [Configuration](crate::manual::configuration#cookies), [requests from other
/// sites](crate::manual::apis#requests-from-other-sites).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it changes nothing until a manager takes it"]
pub struct Cookies {
    /// The names of the session cookie and the remember cookie, without their prefix.
    pub(super) names: Option<[Cow<'static, str>; 2]>,
    pub(super) domain: Option<Cow<'static, str>>,
    pub(super) path: Cow<'static, str>,
    pub(super) same_site: SameSite,
    pub(super) secure: bool,
    pub(super) partitioned: bool,
}

impl Cookies {
    /// Creates the default settings.
    pub fn new() -> Self {
        Self {
            names: None,
            domain: None,
            path: "/".into(),
            same_site: SameSite::Lax,
            secure: true,
            partitioned: false,
        }
    }

    /// Sets the names of the two cookies, without their prefix: 1 to 64 letters, digits and
    /// characters of `` !#$%&'*+-.^_`|~ `` (RFC 6265), not beginning with `__`, and different even
    /// if their case is ignored. Default: the last segment of the realm, followed by `-session` and
    /// `-remember`. Each realm of an application needs different names.
    ///
    /// The cookie that keeps [`next`](crate::manager::NextIn::Cookie) is named after the session
    /// cookie, with `-next` in place of `-session` or at the end, and the cookie of [known
    /// browsers](crate::manager::KnownBrowsers) with `-browser`.
    ///
    /// The prefix `__Host-` is added, or `__Secure-` if a domain or a path is set. With names that
    /// start with `Http-`, browsers that support `__Host-Http-` also ensure that the cookies were
    /// not set by a script.
    pub fn names(
        mut self,
        session: impl Into<Cow<'static, str>>,
        remember: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.names = Some([session.into(), remember.into()]);
        self
    }

    /// Sends the cookies to all hosts of this domain. Their prefix becomes `__Secure-`, so a
    /// sibling domain can plant them. Default: only to the host that set them.
    pub fn domain(mut self, domain: impl Into<Cow<'static, str>>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// Sends the cookies only to URLs below this path, which must include the logout route. Their
    /// prefix becomes `__Secure-`. Default: `/`.
    pub fn path(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        self.path = path.into();
        self
    }

    /// Sets whether browsers send the cookies with cross-site requests. Default: [`SameSite::Lax`].
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Keeps the cookies apart for each site that embeds the application in a frame (`Partitioned`,
    /// also known as CHIPS). Browsers that block third-party cookies accept only such cookies in
    /// frames. Requires [`SameSite::None`]. Default: off.
    ///
    /// A user is logged in separately on each embedding site, and on the application's own.
    pub fn partitioned(mut self) -> Self {
        self.partitioned = true;
        self
    }

    /// Also sends the cookies over plain http, where anyone on the network can read them. They have
    /// no prefix then.
    ///
    /// Use it only during development, or for a server that cannot be reached by https. Chrome,
    /// Firefox and curl accept `Secure` cookies on `http://localhost`; Safari does not
    /// ([WebKit bug 281149](https://bugs.webkit.org/show_bug.cgi?id=281149)), and no browser does
    /// at a LAN address. This setting is never inferred from a header.
    ///
    /// ```
    /// use login_manager::manager::Cookies;
    ///
    /// let mut cookies = Cookies::new();
    /// if cfg!(debug_assertions) { // only during development
    ///     cookies = cookies.insecure();
    /// }
    /// ```
    pub fn insecure(mut self) -> Self {
        self.secure = false;
        self
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn are_insecure(&self) -> bool {
        !self.secure
    }

    /// Checks settings that come from a configuration file.
    ///
    /// # Errors
    /// - if a name, the domain or the path is invalid
    /// - if browsers would reject the combination: `SameSite=None` or `Partitioned` without
    ///   `Secure`, or `Partitioned` without `SameSite=None`
    pub fn check(&self) -> Result<(), ConfigError> {
        if let Some([session, remember]) = &self.names {
            check_names(session, remember)?;
        }
        if let Some(domain) = &self.domain {
            check_domain(domain)?;
        }
        check_path(&self.path)?;
        if self.same_site == SameSite::None && !self.secure {
            return Err(ConfigError::new(
                "Cookies::same_site",
                "None",
                "browsers accept SameSite=None only with Secure",
            ));
        }
        if self.partitioned && self.same_site != SameSite::None {
            return Err(ConfigError::new(
                "Cookies::partitioned",
                format!("SameSite={:?}", self.same_site),
                "a partitioned cookie is for frames on other sites, which need SameSite=None",
            ));
        }
        Ok(())
    }
}

impl Default for Cookies {
    fn default() -> Self {
        Self::new()
    }
}

fn check_names(session: &str, remember: &str) -> Result<(), ConfigError> {
    let refused = |given: &str, accepted| Err(ConfigError::new("Cookies::names", given, accepted));
    for name in [session, remember] {
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || name.len() > 64 || !name.bytes().all(is_token) {
            return refused(
                name,
                "a cookie's name is 1 to 64 letters, digits and characters of !#$%&'*+-.^_`|~ (RFC 6265)",
            );
        }
        if name.starts_with("__") {
            return refused(
                name,
                "the prefix is added automatically, as Domain, Path and Secure allow",
            );
        }
    }
    if session.eq_ignore_ascii_case(remember) {
        return refused(remember, "the two cookies need two names");
    }
    if name_beside(session, "next").eq_ignore_ascii_case(remember) {
        return refused(remember, "this is the name of the cookie that keeps `next`");
    }
    if name_beside(session, "browser").eq_ignore_ascii_case(remember) {
        return refused(remember, "this is the name of the cookie of known browsers");
    }
    Ok(())
}

fn check_domain(domain: &str) -> Result<(), ConfigError> {
    let bare = domain.strip_prefix('.').unwrap_or(domain);
    let is_label = |label: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.len() <= 63 && label.bytes().all(known)
    };
    match bare.len() <= 253 && bare.split('.').all(is_label) {
        true => Ok(()),
        false => Err(ConfigError::new(
            "Cookies::domain",
            domain,
            "a domain is labels of ASCII letters, digits and hyphens, such as example.com",
        )),
    }
}

fn check_path(path: &str) -> Result<(), ConfigError> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b';';
    match path.starts_with('/') && path.len() <= 1024 && path.bytes().all(is_plain) {
        true => Ok(()),
        false => Err(ConfigError::new(
            "Cookies::path",
            path,
            "a path starts with a slash and has only visible ASCII without a semicolon",
        )),
    }
}

/// The name of the cookie for this purpose, derived from the name of the session cookie.
pub(super) fn name_beside(session: &str, purpose: &str) -> String {
    let name = session.strip_suffix("-session").unwrap_or(session);
    format!("{name}-{purpose}")
}
