//! Where the path to return to is kept during a login.

/// Where the path to return to is kept during a login.
///
/// [`Auth::next`](crate::Auth::next) reads the path from there, and so does the extractor
/// [`NextPath`](crate::NextPath), which uses the innermost manager. With several realms, each login
/// page should use its own `Auth`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum NextIn {
    /// In the query of the login page. Redirects set no cookie, and each tab has its own path. The
    /// default.
    #[default]
    Query,
    /// In a cookie that the redirect sets and the login removes; it expires after 30 minutes. The
    /// requested page does not appear in a URL. With two tabs, the one redirected last wins.
    Cookie,
    /// Nowhere. After the login, the application chooses the page.
    Nowhere,
}
