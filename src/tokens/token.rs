//! [`Token`]: what the user gets by mail.

use std::{fmt, time::SystemTime};

use crate::{
    clock::{Millis, moment},
    store::Digest,
};

/// A token that has been issued. It is returned once and exists nowhere else: the store keeps a
/// digest of it.
///
/// Its bearer can redeem it, so `Debug` does not print it, and there is no `Display`.
#[must_use = "the user has to get it, and no other one is issued for some minutes"]
pub struct Token {
    pub(super) text: String,
    pub(super) address: Option<Box<str>>,
    pub(super) expires: Millis,
    pub(super) digest: Digest,
}

impl Token {
    /// Returns its text: 64 characters of base64url, which need no escaping in a URL, or the digits
    /// of a code. Do not log it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the address that it was issued for, if one was given: see
    /// [`with_address`](super::Tokens::with_address).
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// Returns when it expires.
    #[must_use]
    pub fn expires(&self) -> SystemTime {
        moment(self.expires)
    }
}

/// Omits the text and the address.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}
