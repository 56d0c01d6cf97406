//! The pages that a refused visitor is sent to, of a whole application or of a part of it.

use super::{LoginView, Reason};

/// Where to log in, and where to prove again who one is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Views {
    pub(crate) login: Option<LoginView>,
    pub(crate) refresh: Option<LoginView>,
}

impl Views {
    /// Where to go for this reason.
    pub(crate) fn of(&self, reason: Reason) -> Option<&LoginView> {
        let refresh = match reason {
            Reason::FreshLoginRequired => self.refresh.as_ref(),
            _ => None,
        };
        refresh.or(self.login.as_ref())
    }

    /// Whether this is the path of one of them.
    pub(crate) fn are_at(&self, path: &str) -> bool {
        let mut both = [&self.login, &self.refresh].into_iter().flatten();
        both.any(|view| view.is_at(path))
    }

    /// These, and what they don't say as the part of the application around them says it. Who names a login page of their own
    /// also asks for the password there.
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
