//! The login pages of an application or of a part of it.

use super::PageUrl;
use crate::reason::DeniedReason;

/// The login page and the refresh page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pages {
    pub(crate) login: Option<PageUrl>,
    pub(crate) refresh: Option<PageUrl>,
}

impl Pages {
    /// The page for this reason.
    pub(crate) fn of(&self, reason: DeniedReason) -> Option<&PageUrl> {
        let refresh = match reason.wants_refresh() {
            true => self.refresh.as_ref(),
            false => None,
        };
        refresh.or(self.login.as_ref())
    }

    /// Whether this is the path of one of them.
    pub(crate) fn are_at(&self, path: &str) -> bool {
        let mut both = [&self.login, &self.refresh].into_iter().flatten();
        both.any(|page| page.is_at(path))
    }

    /// These pages; those that are not set are taken from the outer part of the application. A part
    /// with its own login page does not inherit the refresh page.
    pub(crate) fn within(&self, outer: &Self) -> Self {
        match self.login {
            Some(_) => self.clone(),
            None => Self {
                login: outer.login.clone(),
                refresh: self.refresh.clone().or_else(|| outer.refresh.clone()),
            },
        }
    }
}
