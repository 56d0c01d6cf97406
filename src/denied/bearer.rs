//! Challenges for clients that use API keys.

use http::HeaderValue;

use super::DeniedConfig;

const SCHEME: &str = "Bearer";

/// The challenge for a client that uses, or has to use, an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bearer<'a> {
    /// A key is required, and none was sent.
    Required,
    /// The bearer token is not a valid key.
    Invalid,
    /// The key lacks one of these scopes, which are separated by spaces.
    Scope(&'a str),
    /// A login by credentials is required, which no key can replace.
    NotFresh,
}

impl Bearer<'_> {
    /// This challenge with the error and, if needed, the scopes (RFC 6750, 3; RFC 9470, 3).
    pub(super) fn challenge(self, configured: HeaderValue) -> HeaderValue {
        let parameters = match self {
            Self::Required => return configured,
            Self::Invalid => r#"error="invalid_token""#.to_owned(),
            Self::Scope(scopes) => format!(r#"error="insufficient_scope", scope="{scopes}""#),
            Self::NotFresh => r#"error="insufficient_user_authentication""#.to_owned(),
        };
        let configured = configured.to_str().unwrap_or(SCHEME);
        let separator = if configured.contains(' ') { "," } else { "" };
        let challenge = format!("{configured}{separator} {parameters}");
        // Scopes have no quotation marks, and a configured challenge is visible ASCII.
        HeaderValue::try_from(challenge).unwrap_or(HeaderValue::from_static(SCHEME))
    }
}

impl DeniedConfig {
    /// The application's challenge for bearer tokens, if it has configured one.
    pub(super) fn bearer_challenge(&self) -> HeaderValue {
        let mut challenges = self.challenges.iter();
        let configured = challenges.find(|challenge| is_bearer(challenge)).cloned();
        configured.unwrap_or(HeaderValue::from_static(SCHEME))
    }
}

pub(super) fn is_bearer(challenge: &HeaderValue) -> bool {
    let scheme = challenge.as_bytes().split(|byte| *byte == b' ').next();
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME.as_bytes()))
}
