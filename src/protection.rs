//! What a session's client looks like, and what to do when it looks different.

use std::{fmt, sync::Arc};

use http::{HeaderMap, HeaderValue, header::USER_AGENT, request::Parts};

use crate::store::{Purpose, digest};

/// What to do when a session's client looks different from the one that logged in.
///
/// It raises the price of a stolen cookie, no more: a thief who knows the client can look like it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionProtection {
    /// Nothing.
    Off,
    /// The session isn't fresh for a client that looks different. The default.
    #[default]
    Basic,
    /// The session ends, and the remember cookie with it.
    Strong,
}

/// An application's own view of what a client looks like.
#[derive(Clone)]
pub(crate) struct Fingerprint(pub(crate) Arc<FingerprintFn>);

pub(crate) type FingerprintFn = dyn Fn(&Parts) -> Option<Vec<u8>> + Send + Sync;

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(..)")
    }
}

/// What is known of one request's client.
pub(crate) struct Client {
    user_agent: Option<HeaderValue>,
    looks: Looks,
}

/// What a client is told from others by.
enum Looks {
    UserAgent,
    Custom(Option<Vec<u8>>),
}

impl Client {
    /// Copying the header allocates nothing.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self {
            user_agent: headers.get(USER_AGENT).cloned(),
            looks: Looks::UserAgent,
        }
    }

    /// A client as the application sees it.
    pub(crate) fn looking(head: &Parts, Fingerprint(look): &Fingerprint) -> Self {
        Self {
            looks: Looks::Custom(look(head)),
            ..Self::of(&head.headers)
        }
    }

    /// What it calls itself, where that is plain text.
    pub(crate) fn agent(&self) -> Option<&str> {
        self.user_agent.as_ref()?.to_str().ok()
    }

    /// A digest that tells one client from another and nothing else, or none where the request says nothing of its client.
    pub(crate) fn digest(&self, realm: &str) -> Option<[u8; 16]> {
        let stable;
        let bytes = match &self.looks {
            Looks::Custom(bytes) => bytes.as_deref()?,
            Looks::UserAgent => {
                stable = stable_part(self.user_agent.as_ref()?.as_bytes());
                &stable
            }
        };
        let digest = digest(Purpose::Client, &[realm.as_bytes(), bytes]);
        digest.first_chunk().copied()
    }
}

/// The names in a user agent, without what an update changes: digits, dots and underscores.
fn stable_part(user_agent: &[u8]) -> Vec<u8> {
    let changes = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'_');
    user_agent
        .iter()
        .copied()
        .filter(|byte| !changes(byte))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
    const FIREFOX: &str =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:142.0) Gecko/20100101 Firefox/142.0";

    #[test]
    fn an_update_is_no_other_client() {
        let updated = CHROME.replace("140", "141");
        assert_eq!(
            stable_part(CHROME.as_bytes()),
            stable_part(updated.as_bytes())
        );
        assert_ne!(
            stable_part(CHROME.as_bytes()),
            stable_part(FIREFOX.as_bytes())
        );
        let phone = CHROME.replace("Windows NT 10.0; Win64; x64", "Linux; Android 10; K");
        assert_ne!(
            stable_part(CHROME.as_bytes()),
            stable_part(phone.as_bytes())
        );
    }
}
