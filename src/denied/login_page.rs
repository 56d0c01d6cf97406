//! [`LoginPage`]: where guards redirect to, and how users get back from there.

use std::{borrow::Cow, fmt, sync::Arc};

use super::{Denied, DeniedConfig, NextIn, NextPath, PageUrl, Pages};
use crate::error::ConfigError;

/// The login page to which guards redirect, and how users get back from it.
///
/// [`with_login_page`](crate::LoginManager::with_login_page) takes it, or just the path of the
/// page:
///
/// ```
/// # use login_manager::{AuthUser, LoginManager, MemoryStore};
/// # struct Account { id: i64 }
/// # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { self.id } }
/// # let load_user = |id| async move { Some(Account { id }) };
/// # let login_manager = LoginManager::new(MemoryStore::new(), load_user);
/// use login_manager::manager::{LoginPage, NextIn};
///
/// let page = LoginPage::new("/login").refresh("/confirm").next_in(NextIn::Cookie);
/// let login_manager = login_manager.with_login_page(page);
/// ```
///
/// Settings are checked when the manager takes them, or when [`check`](LoginPage::check) is called.
///
/// In the manual: [Guarding pages](crate::manual::guarding_pages#login-pages).
#[derive(Clone)]
pub struct LoginPage {
    login: Cow<'static, str>,
    refresh: Option<Cow<'static, str>>,
    chosen_by: Option<Arc<ChosenBy>>,
    next_in: NextIn,
    next_field: Cow<'static, str>,
    path_prefix: Cow<'static, str>,
}

/// The application's function that chooses a login page for a request.
pub(crate) type ChosenBy = dyn Fn(&Denied) -> Option<String> + Send + Sync;

impl LoginPage {
    /// Creates the settings of this login page: a local path, or an http(s) URL on another host.
    /// Another host receives the path of the requested page, but not its query.
    #[must_use]
    pub fn new(login: impl Into<Cow<'static, str>>) -> Self {
        Self {
            login: login.into(),
            refresh: None,
            chosen_by: None,
            next_in: NextIn::default(),
            next_field: "next".into(),
            path_prefix: "".into(),
        }
    }

    /// Sets the page on which logged-in users enter their credentials again, if a guard requires a
    /// fresh login or a [method](crate::guard::LoginRequiredLayer::needs). If it requires a method,
    /// the redirect names it in the query: `method=totp`. Default: the login page.
    #[must_use]
    pub fn refresh(mut self, refresh: impl Into<Cow<'static, str>>) -> Self {
        self.refresh = Some(refresh.into());
        self
    }

    /// Sets a function that chooses the page for each denied request, for example by language or
    /// tenant. It may return the login page or the refresh page: [`Denied::reason`] tells which one
    /// is needed. If it returns `None`, the page of [`new`](LoginPage::new) or
    /// [`refresh`](LoginPage::refresh) is used. The function is not called in parts of the
    /// application that set [their own](crate::guard::login_page), nor by
    /// [`Auth::login_url`](crate::Auth::login_url), since that request is not denied.
    ///
    /// The result is checked as any login page. If it is invalid, an error is logged and it counts
    /// as `None`.
    ///
    /// ```
    /// use login_manager::manager::LoginPage;
    ///
    /// let page = LoginPage::new("/login").chosen_by(|denied| {
    ///     let shop = denied.uri().path().strip_prefix("/shops/")?.split('/').next()?;
    ///     Some(format!("/shops/{shop}/login"))
    /// });
    /// ```
    #[must_use]
    pub fn chosen_by(
        mut self,
        choose: impl Fn(&Denied) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.chosen_by = Some(Arc::new(choose));
        self
    }

    /// Sets where the path to return to is kept during a login. Default: [`NextIn::Query`].
    #[must_use]
    pub fn next_in(mut self, next_in: NextIn) -> Self {
        self.next_in = next_in;
        self
    }

    /// Sets the name of the query field with the path to return to: 1 to 64 ASCII letters, digits,
    /// hyphens, underscores and dots, but neither `notice` nor `method`. Default: `next`.
    #[must_use]
    pub fn next_field(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.next_field = field.into();
        self
    }

    /// Sets the prefix that a proxy removes from the path of each request: `/shop` if a request for
    /// `/shop/orders` reaches the application as `/orders`. The path to return to then begins with
    /// the prefix. Login pages are always given as the browser sees them: `/shop/login`. Default:
    /// none.
    ///
    /// The prefix is never taken from a header such as `X-Forwarded-Prefix`, which clients can
    /// send, too. The paths of [`except`](crate::guard::LoginRequiredLayer::except) are written
    /// without it. If the cookies are to be sent only below the prefix, set
    /// [`Cookies::path`](crate::manager::Cookies::path), too.
    #[must_use]
    pub fn path_prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.path_prefix = prefix.into();
        self
    }

    /// Checks a page that comes from a configuration file.
    ///
    /// # Errors
    /// - if a page is neither a local path nor an http(s) URL, or is longer than 1000 bytes
    /// - if the field or the prefix is invalid
    pub fn check(&self) -> Result<(), ConfigError> {
        self.clone().apply(&mut DeniedConfig::default())
    }

    pub(super) fn apply(self, config: &mut DeniedConfig) -> Result<(), ConfigError> {
        check_field(&self.next_field)?;
        check_prefix(&self.path_prefix)?;
        config.pages = Pages {
            login: Some(PageUrl::parse("LoginPage::new", &self.login)?),
            refresh: match &self.refresh {
                Some(refresh) => Some(PageUrl::parse("LoginPage::refresh", refresh)?),
                None => None,
            },
        };
        config.chosen_by = self.chosen_by;
        config.next_in = self.next_in;
        config.next_field = self.next_field;
        config.path_prefix = self.path_prefix;
        Ok(())
    }
}

impl From<&'static str> for LoginPage {
    fn from(login: &'static str) -> Self {
        Self::new(login)
    }
}

impl From<String> for LoginPage {
    fn from(login: String) -> Self {
        Self::new(login)
    }
}

fn check_field(field: &str) -> Result<(), ConfigError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_taken = matches!(field, "notice" | "method");
    if field.is_empty() || field.len() > 64 || is_taken || !field.bytes().all(is_plain) {
        return Err(ConfigError::new(
            "LoginPage::next_field",
            field,
            "a field is 1 to 64 ASCII letters, digits, hyphens, underscores and dots, and neither `notice` nor `method`",
        ));
    }
    Ok(())
}

fn check_prefix(prefix: &str) -> Result<(), ConfigError> {
    let is_path = || NextPath::try_from(prefix).is_ok() && !prefix.contains(['?', '#']);
    if prefix.is_empty() || (is_path() && !prefix.ends_with('/')) {
        return Ok(());
    }
    Err(ConfigError::new(
        "LoginPage::path_prefix",
        prefix,
        "a prefix is a path without a slash at its end, such as /shop",
    ))
}

impl fmt::Debug for LoginPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginPage")
            .field("login", &self.login)
            .field("refresh", &self.refresh)
            .field("chosen_by", &self.chosen_by.is_some())
            .field("next_in", &self.next_in)
            .field("next_field", &self.next_field)
            .field("path_prefix", &self.path_prefix)
            .finish()
    }
}
