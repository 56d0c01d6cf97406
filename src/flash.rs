//! Messages for the user's next page, each shown once.
//!
//! A handler that redirects can't show anything itself. [`Flash::push`] keeps a message in the
//! session, and the page that the browser loads next shows what [`Flash::take`] returns. With the
//! feature `axum`, [`Flash`] is an extractor; without it, use [`Flash::new`].
//!
//! ```
//! # #[cfg(feature = "axum")]
//! # mod app {
//! use axum::response::Redirect;
//! use login_manager::{
//!     Error,
//!     flash::{Flash, Level},
//! };
//!
//! async fn save(flash: Flash) -> Result<Redirect, Error> {
//!     flash.push(Level::Success, "Your changes have been saved.").await?;
//!     Ok(Redirect::to("/"))
//! }
//!
//! async fn home(flash: Flash) -> Result<String, Error> {
//!     let mut page = String::new();
//!     for message in flash.take().await? {
//!         page += &format!("{}: {}\n", message.level(), message.text());
//!     }
//!     Ok(page)
//! }
//! # }
//! ```
//!
//! A [`Message`] can be serialized: a template reads its `level`, `text` and `category`. With
//! minijinja 3, pass the list as `minijinja::value::Serde(messages)`. The texts are not HTML: let
//! the template escape them.
//!
//! # Concurrent requests
//!
//! Every message is a session value of its own, so two requests that each push one keep both. A
//! message is removed from the store before `take` returns it, so of any number of concurrent
//! requests exactly one gets it. If the client disconnects before it has read the page, its
//! messages are gone.
//!
//! # Logins and logouts
//!
//! The messages are part of the session's [data](crate::Session). A login keeps those of the
//! anonymous session, and a logout deletes them. A message that is pushed after the logout starts a
//! new anonymous session, so the next page can show it. That session and its cookie remain
//! afterwards, until the browser is closed or the session times out; a page of its own for "You
//! have been logged out" needs neither.
//!
//! ```
//! # #[cfg(feature = "axum")]
//! # mod app {
//! # use axum::response::Redirect;
//! # use login_manager::{Auth, AuthUser, Error, flash::{Flash, Level}};
//! # struct Account;
//! # impl AuthUser for Account { type Id = i64; fn id(&self) -> i64 { 1 } }
//! async fn log_out(auth: Auth<Account>, flash: Flash) -> Result<Redirect, Error> {
//!     auth.logout().await?; // first: it deletes all session data
//!     flash.push(Level::Info, "You have been logged out.").await?;
//!     Ok(Redirect::to("/"))
//! }
//! # }
//! ```
//!
//! # Numbers
//!
//! - **At most 32 messages and 16 KiB** (text, category and about 40 bytes for each message) are
//!   kept. A further message replaces the oldest ones, so that a browser that only calls an API and
//!   never loads a page doesn't fill its session. Concurrent requests may exceed this until the
//!   next `push`; the 64 KiB of all [session data](crate::Session) are never exceeded. Both limits
//!   are choices of this crate: more messages would not fit on a page, and three quarters of the
//!   data are left to the application.
//! - **5 levels**: those of Django's messages. Flask's category `message` corresponds to
//!   [`Level::Info`], and Bootstrap's class for [`Level::Error`] is `danger`.
//!
//! An application that never pushes a message stores nothing, and the extractor itself reads
//! nothing. The session values are named `_flash.` and a number: don't use this prefix yourself.
//!
//! In the manual: [`flash` in an application that comes from
//! Flask](crate::manual::moving_from_flask#flash).

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_core::{Serialize, Serializer, ser::SerializeStruct as _};

use crate::{
    error::{Error, ErrorKind},
    random::random_bytes,
    session::{Changes, Session, StoredData},
};

/// The start of the names of all messages in the session data.
const PREFIX: &str = "_flash.";
const MAX_MESSAGES: usize = 32;
/// In bytes, as the session counts its data.
const MAX_BYTES: usize = 16 * 1024;

/// The pending messages of this visitor.
///
/// Nothing is read before the first call. The [module documentation](self) has an example and
/// describes concurrent requests, logins and limits.
///
/// With several managers, the extractor uses the session of the innermost one around the handler;
/// pass [`Auth::session`](crate::Auth::session) to [`Flash::new`] to name the user type.
#[derive(Clone, Debug)]
pub struct Flash {
    session: Session,
}

/// A message for the user's next page.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    level: Level,
    text: String,
    category: Option<String>,
}

/// The importance of a [`Message`], in ascending order.
///
/// Displayed and serialized as [`as_str`](Self::as_str), for use as a CSS class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// For developers.
    Debug,
    /// Information.
    Info,
    /// An action succeeded.
    Success,
    /// No action failed, but one may soon.
    Warning,
    /// An action failed.
    Error,
}

impl Flash {
    /// Creates a `Flash` for the messages in this session, for services without axum:
    /// `Flash::new(auth.session())`.
    #[must_use]
    pub fn new(session: Session) -> Self {
        Self { session }
    }

    /// Adds a message for the next page. It is saved with the session's other changes: after the
    /// handler has returned, unless the response has a 5xx status.
    ///
    /// # Errors
    /// - [`ErrorKind::TooLarge`] if the message takes more than 16 KiB, or the session's other data
    ///   leaves no room for it
    /// - [`ErrorKind::Random`] if the operating system returned no random bytes
    /// - those of [every method](Session#errors) of `Session`
    pub async fn push(&self, level: Level, text: impl Into<String>) -> Result<(), Error> {
        self.push_message(Message::new(level, text)).await
    }

    /// Adds a message with a [category](Message::with_category).
    ///
    /// # Errors
    /// - those of [`push`](Self::push)
    pub async fn push_message(&self, message: Message) -> Result<(), Error> {
        let json = message.to_json()?;
        // Concurrent requests may use the same number, so a random part tells their names apart.
        let random = random_bytes::<8>().map_err(|_| ErrorKind::Random)?;
        self.session
            .edit(|stored, changes| add(stored, changes, random, &json))
            .await?
    }

    /// Removes all pending messages, including those that this request has pushed, and returns them
    /// in the order in which they were pushed. They are removed from the store before they are
    /// returned. A message that this request has pushed itself is not stored, and no session is
    /// created for it, so a form can push an error and show it in the same response.
    ///
    /// To show a page even if the store fails, call
    /// `flash.take().await.`[`unwrap_or_default()`](Result::unwrap_or_default).
    ///
    /// # Errors
    /// - [`ErrorKind::Conflict`] if other requests kept changing the session; the messages are kept
    /// - those of [every method](Session#errors) of `Session`
    pub async fn take(&self) -> Result<Vec<Message>, Error> {
        let mut taken = self.session.take_all(PREFIX).await?;
        taken.sort_unstable();
        let messages = taken.iter().map(|(_, json)| Message::from_json(json));
        Ok(messages.flatten().collect())
    }
}

/// Adds a message behind the newest one, and removes the oldest ones if there are too many.
fn add(
    stored: &StoredData,
    changes: &mut Changes,
    random: [u8; 8],
    json: &str,
) -> Result<(), Error> {
    let mut pending: Vec<(String, usize)> = changes
        .merged(stored)
        .filter(|(name, _)| name.starts_with(PREFIX))
        .map(|entry| (entry.0.to_owned(), StoredData::size_of(entry)))
        .collect();
    pending.sort_unstable();
    let number = pending.last().map_or(0, |(newest, _)| number_after(newest));
    let name = format!(
        "{PREFIX}{number:08x}{}",
        Base64UrlUnpadded::encode_string(&random)
    );
    let size = StoredData::size_of((&name, json));
    if size > MAX_BYTES {
        return Err(ErrorKind::TooLarge.into());
    }
    let mut bytes = size + pending.iter().map(|(_, size)| size).sum::<usize>();
    let mut count = 1 + pending.len();
    for (oldest, size) in pending {
        if count <= MAX_MESSAGES && bytes <= MAX_BYTES {
            break;
        }
        changes.remove(stored, &oldest);
        (count, bytes) = (count - 1, bytes - size);
    }
    let added = changes.set(stored, &name, json);
    added.map_err(|_| ErrorKind::TooLarge.into())
}

/// The number for the message after the one with this name.
fn number_after(name: &str) -> u32 {
    let digits = name.get(PREFIX.len()..PREFIX.len() + 8);
    let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    number.map_or(0, |number| number.saturating_add(1))
}

impl Message {
    /// Creates a message without a category.
    #[must_use]
    pub fn new(level: Level, text: impl Into<String>) -> Self {
        Self {
            level,
            text: text.into(),
            category: None,
        }
    }

    /// Sets a category, such as the part of the page that shows the message.
    ///
    /// ```
    /// # use login_manager::{Error, flash::{Flash, Level, Message}};
    /// # async fn pay(flash: Flash) -> Result<(), Error> {
    /// let message = Message::new(Level::Warning, "Your card expires soon.");
    /// flash.push_message(message.with_category("billing")).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_category(mut self, category: impl Into<String>) -> Self {
        self.category = Some(category.into());
        self
    }

    /// Returns the level.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// Returns the text. It is not HTML.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the category, or `None` if the message has none.
    #[must_use]
    pub fn category(&self) -> Option<&str> {
        self.category.as_deref()
    }

    fn to_json(&self) -> Result<String, Error> {
        let parts = (self.level.as_str(), self.text(), self.category());
        serde_json::to_string(&parts).map_err(|cause| Error::new(ErrorKind::Data, cause))
    }

    /// Returns `None` for a value that isn't ours.
    fn from_json(json: &str) -> Option<Self> {
        let (level, text, category): (String, String, Option<String>) =
            serde_json::from_str(json).ok()?;
        Some(Self {
            level: Level::from_name(&level),
            text,
            category,
        })
    }
}

/// Omits the text and the category, which may be about the user.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

/// Serializes a map with `level`, `text` and `category`, which may be null.
impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut message = serializer.serialize_struct("Message", 3)?;
        message.serialize_field("level", &self.level)?;
        message.serialize_field("text", &self.text)?;
        message.serialize_field("category", &self.category)?;
        message.end()
    }
}

impl Level {
    /// Returns `debug`, `info`, `success`, `warning` or `error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// A level that only a newer version has is shown as information.
    fn from_name(name: &str) -> Self {
        match name {
            "debug" => Self::Debug,
            "success" => Self::Success,
            "warning" => Self::Warning,
            "error" => Self::Error,
            _ => Self::Info,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: [Level; 5] = [
        Level::Debug,
        Level::Info,
        Level::Success,
        Level::Warning,
        Level::Error,
    ];

    #[test]
    fn stored_message_reads_back_as_it_was() {
        for level in LEVELS {
            for message in [
                Message::new(level, "Saved \"x\" & é\0\n"),
                Message::new(level, "").with_category("billing"),
            ] {
                let json = message.to_json().unwrap();
                assert!(
                    Message::from_json(&json).as_ref() == Some(&message),
                    "{json}"
                );
            }
        }
    }

    #[test]
    fn value_of_another_kind_is_no_message() {
        for json in [
            "",
            "1",
            "[]",
            r#""text""#,
            r#"["info"]"#,
            r#"["info",1,null]"#,
        ] {
            assert!(Message::from_json(json).is_none(), "{json}");
        }
        let newer = Message::from_json(r#"["catastrophe","It burns.",null]"#).unwrap();
        assert_eq!((newer.level(), newer.text()), (Level::Info, "It burns."));
    }

    #[test]
    fn message_is_serialized_for_templates() {
        let plain = serde_json::to_value(Message::new(Level::Error, "Wrong code")).unwrap();
        let expected = serde_json::json!({
            "level": "error", "text": "Wrong code", "category": null,
        });
        assert_eq!(plain, expected);
        assert!(LEVELS.is_sorted());
        assert_eq!(
            LEVELS.map(|level| level.to_string()).join(" "),
            "debug info success warning error"
        );
    }

    #[test]
    fn debug_does_not_print_the_text() {
        let message = Message::new(Level::Info, "hunter2").with_category("hunter3");
        assert_eq!(format!("{message:?}"), "Message { level: Info, .. }");
    }

    #[test]
    fn concurrent_messages_with_one_number_have_two_names() {
        let (stored, mut changes) = (StoredData::empty(), Changes::default());
        for random in [[1; 8], [2; 8]] {
            let mut other = Changes::default();
            add(&stored, &mut other, random, "1").unwrap();
            let (name, json) = other.merged(&stored).next().unwrap();
            assert_eq!(number_after(name), 1);
            changes.set(&stored, name, json).unwrap();
        }
        assert_eq!(changes.merged(&stored).count(), 2);
        add(&stored, &mut changes, [0; 8], "3").unwrap();
        assert_eq!(changes.merged(&stored).last().unwrap().1, "3");
    }

    #[test]
    fn name_that_is_not_ours_has_number_zero_after_it() {
        for name in ["_flash.", "_flash.x", "_flash.0000000g", "_flash.éééé", ""] {
            assert_eq!(number_after(name), 0, "{name}");
        }
        assert_eq!(number_after("_flash.ffffffff"), u32::MAX);
    }
}
