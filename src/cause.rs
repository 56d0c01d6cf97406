//! Why something failed, and whether a log may say so.

use std::{error::Error as _, fmt, sync::Arc};

use crate::error::{Error, StoreError};

/// What is said of an error to who listens to events.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    text: Arc<str>,
    /// It is ours, or somebody has said that it holds nothing secret.
    is_for_logs: bool,
}

impl Cause {
    pub(crate) fn of(error: &Error) -> Self {
        let ours = |text: String| Self {
            text: text.into(),
            is_for_logs: true,
        };
        let Some(source) = error.source() else {
            return ours(error.to_string());
        };
        if error.is_timeout() {
            return ours("no answer within the deadline".to_owned());
        }
        if let Some(said) = source.downcast_ref::<StoreError>() {
            return ours(said.to_string());
        }
        let mut text = source.to_string();
        let mut next = source.source();
        while let Some(error) = next {
            text = format!("{text}: {error}");
            next = error.source();
        }
        Self {
            text: text.into(),
            is_for_logs: false,
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The text, where a log may have it.
    #[cfg(feature = "tracing")]
    pub(crate) fn for_logs(&self) -> Option<&str> {
        self.is_for_logs.then_some(self.text())
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_for_logs {
            true => self.text.fmt(f),
            false => f.write_str("[withheld]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[derive(Debug, thiserror::Error)]
    #[error("no connection")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn l2_what_others_say_is_withheld_from_logs() {
        let error = Outer(std::io::Error::other("postgres://app:hunter2@db refused"));
        let cause = Cause::of(&Error::new(ErrorKind::Loader, error));
        assert_eq!(
            cause.text(),
            "no connection: postgres://app:hunter2@db refused"
        );
        assert_eq!(format!("{cause:?}"), "[withheld]");
    }

    #[test]
    fn what_is_said_for_a_log_is_in_it() {
        let error = Error::new(ErrorKind::Store, StoreError::new("no such table"));
        assert_eq!(format!("{:?}", Cause::of(&error)), "\"no such table\"");
        let panicked = Cause::of(&ErrorKind::Panicked.into());
        assert!(format!("{panicked:?}").contains("panicked"));
    }
}
