//! The cause of a failure, and whether it is safe to log.

use std::{
    error::Error as _,
    fmt::{self, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use crate::error::{Error, StoreError};

/// The maximum number of sources that are followed, and of characters that are kept.
const MOST_SOURCES: usize = 8;
const LONGEST: usize = 1024;

/// The text of an error, for events.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    text: Arc<str>,
    /// Whether it is an error of this crate, or a `StoreError`.
    is_for_logs: bool,
}

impl Cause {
    pub(crate) fn of(error: &Error) -> Self {
        let Some(source) = error.source() else {
            return Self::ours(error.to_string());
        };
        if error.is_timeout() {
            return Self::ours("no answer within the deadline");
        }
        if let Some(said) = source.downcast_ref::<StoreError>() {
            return Self::ours(said.to_string());
        }
        Self::foreign(source)
    }

    /// A text of this crate.
    pub(crate) fn ours(text: impl Into<Arc<str>>) -> Self {
        Self {
            text: text.into(),
            is_for_logs: true,
        }
    }

    /// The text of an error of the application.
    pub(crate) fn foreign(error: &(dyn std::error::Error + 'static)) -> Self {
        Self {
            text: said_by(error).into(),
            is_for_logs: false,
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The text, if it is safe to log.
    #[cfg(feature = "tracing")]
    pub(crate) fn for_logs(&self) -> Option<&str> {
        self.is_for_logs.then_some(self.text())
    }
}

/// An error and its sources, in one line of limited length. Their `Display` is foreign code.
fn said_by(error: &(dyn std::error::Error + 'static)) -> String {
    let (mut text, mut next) = (String::new(), Some(error));
    for _ in 0..MOST_SOURCES {
        let Some(error) = next else { break };
        let separator = if text.is_empty() { "" } else { ": " };
        let said = catch_unwind(AssertUnwindSafe(|| {
            let mut said = String::new();
            write!(said, "{separator}{error}").map(|()| (said, error.source()))
        }));
        let Ok(Ok((said, source))) = said else { break };
        text.push_str(&said);
        next = source;
    }
    let is_text = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(LONGEST).map(is_text).collect()
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
    fn foreign_errors_are_not_logged() {
        let error = Outer(std::io::Error::other("postgres://app:hunter2@db refused"));
        let cause = Cause::of(&Error::new(ErrorKind::Loader, error));
        assert_eq!(
            cause.text(),
            "no connection: postgres://app:hunter2@db refused"
        );
        assert_eq!(format!("{cause:?}"), "[withheld]");
    }

    /// An error without text that is its own source.
    #[derive(Debug)]
    struct Odd(Say);

    type Say = fn(&mut fmt::Formatter<'_>) -> fmt::Result;

    impl fmt::Display for Odd {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (self.0)(f)
        }
    }

    impl std::error::Error for Odd {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(self)
        }
    }

    #[test]
    fn error_that_fails_to_display_does_no_harm() {
        let cases: [(Say, usize); 4] = [
            (|_| Err(fmt::Error), 0),
            (|_| panic!("the error panics"), 0),
            (|f| f.write_str("a\nb"), 8 * 3 + 7 * 2),
            (|f| f.write_str(&"x".repeat(1_000_000)), LONGEST),
        ];
        for (say, length) in cases {
            let cause = Cause::of(&Error::new(ErrorKind::Loader, Odd(say)));
            assert_eq!(cause.text().chars().count(), length);
            assert!(!cause.text().contains('\n'));
        }
    }

    #[test]
    fn store_error_is_logged() {
        let error = Error::new(ErrorKind::Store, StoreError::new("no such table"));
        assert_eq!(format!("{:?}", Cause::of(&error)), "\"no such table\"");
        let conflict = Cause::of(&ErrorKind::Conflict.into());
        assert!(format!("{conflict:?}").contains("requests"));
    }
}
