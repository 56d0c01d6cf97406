//! The parts of which other systems compose their hashes.

use base64ct::{Base64, Base64Unpadded, Encoding as _};
use ctutils::CtEq as _;

/// The stored result of hashing a password.
pub(super) struct Tag(Vec<u8>);

impl Tag {
    /// Requires at least 128 bits: with a shorter result, a wrong password could match.
    pub(super) fn new(bytes: Option<Vec<u8>>, max: usize) -> Option<Self> {
        let bytes = bytes.filter(|bytes| (16..=max).contains(&bytes.len()))?;
        Some(Self(bytes))
    }

    /// Compares it with a buffer of this length that `compute` fills.
    pub(super) fn is(&self, compute: impl FnOnce(&mut [u8])) -> bool {
        let mut computed = vec![0; self.0.len()];
        compute(&mut computed);
        computed.ct_eq(&self.0).into()
    }
}

/// Splits a text at a separator. `None` unless there are exactly `N` parts.
pub(super) fn split<const N: usize>(text: &str, by: char) -> Option<[&str; N]> {
    let mut parts = text.split(by);
    let mut found = [""; N];
    for part in &mut found {
        *part = parts.next()?;
    }
    parts.next().is_none().then_some(found)
}

/// A decimal number without a sign.
pub(super) fn number(text: &str) -> Option<u32> {
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_decimal)
}

/// Werkzeug's form of bytes.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |pair: &[u8]| match *pair {
        [high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
        _ => None,
    };
    text.as_bytes().chunks(2).map(byte).collect()
}

/// Django's form of bytes.
pub(super) fn padded(text: &str) -> Option<Vec<u8>> {
    Base64::decode_vec(text).ok()
}

/// The form of bytes in PHC strings.
pub(super) fn unpadded(text: &str) -> Option<Vec<u8>> {
    Base64Unpadded::decode_vec(text).ok()
}

/// The form of bytes in passlib's PBKDF2.
#[cfg(feature = "pbkdf2")]
pub(super) fn dotted(text: &str) -> Option<Vec<u8>> {
    base64ct::Base64Pbkdf2::decode_vec(text).ok()
}
