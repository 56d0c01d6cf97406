//! Session protection: recognizing a session's client.

use std::{fmt, sync::Arc};

use http::{HeaderMap, HeaderValue, header::USER_AGENT, request::Parts};

use crate::store::Digests;

/// What happens to a session that is presented by a different-looking client.
///
/// This only makes a stolen cookie harder to use: a thief who knows the client can imitate it.
///
/// In the manual: [Fresh logins and
/// step-up](crate::manual::fresh_logins#a-client-that-looks-different).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionProtection {
    /// Nothing happens.
    Off,
    /// The session is not fresh for that client. The default.
    #[default]
    Basic,
    /// The session ends, and its remember cookie becomes invalid.
    Strong,
}

/// The application's function that recognizes a client.
#[derive(Clone)]
pub(crate) struct Fingerprint(pub(crate) Arc<FingerprintFn>);

pub(crate) type FingerprintFn = dyn Fn(&Parts) -> Option<Vec<u8>> + Send + Sync;

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(..)")
    }
}

/// The client of one request.
pub(crate) struct Client {
    user_agent: Option<HeaderValue>,
    looks: Looks,
}

/// How the client is recognized.
enum Looks {
    UserAgent,
    Custom(Option<Vec<u8>>),
}

impl Client {
    /// Cloning the header does not allocate.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self {
            user_agent: headers.get(USER_AGENT).cloned(),
            looks: Looks::UserAgent,
        }
    }

    /// A client recognized by the application.
    pub(crate) fn looking(head: &Parts, Fingerprint(look): &Fingerprint) -> Self {
        Self {
            looks: Looks::Custom(look(head)),
            ..Self::of(&head.headers)
        }
    }

    /// The user agent, if it is visible ASCII.
    pub(crate) fn user_agent(&self) -> Option<&str> {
        self.user_agent.as_ref()?.to_str().ok()
    }

    /// The mark that tells this client from others, or `None` if the request does not describe its
    /// client.
    pub(crate) fn mark(&self, digests: &Digests) -> Option<ClientMark> {
        match &self.looks {
            Looks::Custom(bytes) => {
                let digest = digests.client.parts(&[bytes.as_deref()?]);
                digest.0.first_chunk().copied()
            }
            Looks::UserAgent => Some(mark_of(self.user_agent.as_ref()?.as_bytes())),
        }
    }
}

/// A digest that is long enough to tell clients apart.
pub(crate) type ClientMark = [u8; 8];

/// The mark of a user agent without the parts that an update changes: digits, dots and underscores.
///
/// FNV-1a is used instead of SHA-256, because every guarded request computes it. A collision gains
/// nothing: a thief who knows the user agent can send it.
fn mark_of(user_agent: &[u8]) -> ClientMark {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let changes = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'_');
    let stable = user_agent.iter().filter(|byte| !changes(byte));
    let hash = stable.fold(OFFSET, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(PRIME)
    });
    hash.to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
    const FIREFOX: &str =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:142.0) Gecko/20100101 Firefox/142.0";

    #[test]
    fn browser_update_is_the_same_client() {
        let updated = CHROME.replace("140", "141");
        assert_eq!(mark_of(CHROME.as_bytes()), mark_of(updated.as_bytes()));
        assert_ne!(mark_of(CHROME.as_bytes()), mark_of(FIREFOX.as_bytes()));
        let phone = CHROME.replace("Windows NT 10.0; Win64; x64", "Linux; Android 10; K");
        assert_ne!(mark_of(CHROME.as_bytes()), mark_of(phone.as_bytes()));
    }
}
