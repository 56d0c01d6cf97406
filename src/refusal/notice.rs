//! What the login page says to a visitor who was sent there.

use std::fmt;

use super::query::only_value;

/// Why a visitor was sent to the login page. The redirect itself carries it, so a refusal stores nothing and sets no cookie.
///
/// Its text is Flask-Login's; show another by matching on it.
///
/// ```
/// use login_manager::Notice;
///
/// assert_eq!(Notice::Login.to_string(), "Please log in to access this page.");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Notice {
    /// The page needs a login.
    Login,
    /// The page needs the person to prove again who they are.
    Refresh,
}

impl Notice {
    /// Its name in the query: `notice=login`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Refresh => "refresh",
        }
    }

    /// The notice in the query of a request for the login page, if there is one.
    #[must_use]
    pub fn from_query(query: Option<&str>) -> Option<Self> {
        match &*only_value(query?, "notice")? {
            "login" => Some(Self::Login),
            "refresh" => Some(Self::Refresh),
            _ => None,
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Login => "Please log in to access this page.",
            Self::Refresh => "Please reauthenticate to access this page.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_from_the_query_and_nothing_else_is() {
        assert_eq!(
            Notice::from_query(Some("next=%2Fa&notice=login")),
            Some(Notice::Login)
        );
        for none in [
            None,
            Some(""),
            Some("notice="),
            Some("notice=<script>"),
            Some("notice=login&notice=login"),
            Some("notices=login"),
        ] {
            assert_eq!(Notice::from_query(none), None, "{none:?}");
        }
    }
}
