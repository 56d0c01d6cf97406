//! The message that the login page shows to a user who was redirected to it.

use std::fmt;

use serde_core::{Serialize, Serializer};

use super::query::only_value;

/// Why a user was redirected to the login page.
///
/// The redirect carries it in its query, so nothing is stored and no cookie is set. With axum,
/// `Option<Notice>` is an extractor, `None` if there was no redirect. Without axum, read it
/// [from the query](Notice::from_query).
///
/// ```
/// use login_manager::guard::Notice;
///
/// async fn login_form(notice: Option<Notice>) -> String {
///     let why = notice.map(|notice| notice.to_string()).unwrap_or_default();
///     format!("{why} User name: … Password: …")
/// }
/// ```
///
/// The text is Flask-Login's. To show another text, or one in the user's language, match on it:
///
/// ```
/// use login_manager::guard::Notice;
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
    /// The page requires a login.
    Login,
    /// The page requires users to enter their credentials again.
    Refresh,
}

impl Notice {
    /// Returns its stable name, as in the query: `notice=login`. [`Display`](fmt::Display) writes
    /// the text for the user.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Refresh => "refresh",
        }
    }

    /// Returns the category of the message, for the page's style sheet: `message` for
    /// [`Login`](Self::Login), as in Flask-Login, and `warning` for [`Refresh`](Self::Refresh).
    #[must_use]
    pub const fn category(self) -> &'static str {
        match self {
            Self::Login => "message",
            Self::Refresh => "warning",
        }
    }

    /// Reads the notice from the query of a request for the login page.
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

/// Serializes [`as_str`](Notice::as_str).
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
