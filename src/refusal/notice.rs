//! What the login page says to a visitor who was sent there.

use std::fmt;

use serde_core::{Serialize, Serializer};

use super::query::only_value;

/// Why a visitor was sent to the login page. The redirect itself carries it, so a refusal stores nothing and sets no cookie.
///
/// With axum `Option<Notice>` is an extractor, `None` where the visitor came by themselves; elsewhere take it
/// [from the query](Notice::from_query).
///
/// ```
/// use login_manager::Notice;
///
/// async fn login_form(notice: Option<Notice>) -> String {
///     let why = notice.map(|notice| notice.to_string()).unwrap_or_default();
///     format!("{why} User name: … Password: …")
/// }
/// ```
///
/// Its text is Flask-Login's. Another text, or one in the visitor's language, is the page's own choice:
///
/// ```
/// use login_manager::Notice;
///
/// fn text(notice: Notice, language: &str) -> String {
///     match (notice, language) {
///         (Notice::Login, "de") => "Bitte melden Sie sich an.".to_owned(),
///         (Notice::Refresh, "de") => "Bitte geben Sie Ihr Passwort noch einmal ein.".to_owned(),
///         (notice, _) => notice.to_string(),
///     }
/// }
///
/// assert_eq!(text(Notice::Login, "de"), "Bitte melden Sie sich an.");
/// assert_eq!(text(Notice::Login, "en"), "Please log in to access this page.");
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
    /// Its stable name, as in the query: `notice=login`. [`Display`](fmt::Display) is the text for
    /// the user.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Refresh => "refresh",
        }
    }

    /// What kind of message it is, for the page's style sheet: `message`, as Flask-Login has it, for a login, `warning` where
    /// somebody has to prove again who they are.
    #[must_use]
    pub const fn category(self) -> &'static str {
        match self {
            Self::Login => "message",
            Self::Refresh => "warning",
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

/// As the text of [`as_str`](Notice::as_str).
impl Serialize for Notice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
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
