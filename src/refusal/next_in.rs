//! Where the way back is kept while a visitor logs in.

/// Where the way back is kept while a visitor logs in. [`Auth::next`](crate::Auth::next) finds it there, and so does
/// [`NextPath`](crate::NextPath) as an extractor, which asks the innermost manager: where there are several realms, each login page
/// asks its own `Auth`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum NextIn {
    /// In the query of the login page: a refusal sets no cookie, and each tab has its own. The default.
    #[default]
    Query,
    /// In a cookie that the refusal sets and the login ends, 30 minutes later at the latest: nothing of the page that was
    /// asked for stands in an address. Of two tabs the one that was refused last is led back.
    Cookie,
    /// Nowhere: after the login everybody goes where the application says.
    Nowhere,
}
