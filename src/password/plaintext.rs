//! A password as typed by the user, kept as briefly as possible.

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::{PasswordError, Passwords};

/// A password of accepted length, zeroed when dropped. It cannot be printed, cloned or compared.
pub(super) struct Plaintext {
    received: Zeroizing<String>,
    nfc: Zeroizing<String>,
}

impl Plaintext {
    /// Checks the length in bytes as received, before any other work, and normalizes the password
    /// to NFC.
    pub(super) fn receive(text: impl Into<String>) -> Result<Self, PasswordError> {
        let received = Zeroizing::new(text.into());
        if received.len() > Passwords::MAX_BYTES {
            return Err(PasswordError::TooLong {
                limit: Passwords::MAX_BYTES,
            });
        }
        // NFC makes UTF-8 at most three times as long. If the string had to grow, its old bytes
        // would not be zeroed.
        let mut nfc = Zeroizing::new(String::with_capacity(3 * received.len()));
        nfc.extend(received.nfc());
        Ok(Self { received, nfc })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.nfc.is_empty()
    }

    /// The password in NFC, as this crate hashes it.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.nfc.as_bytes()
    }

    /// The password as received, since other systems don't normalize.
    pub(super) fn as_received(&self) -> &[u8] {
        self.received.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(text: &str) -> Vec<u8> {
        Plaintext::receive(text).unwrap().as_bytes().to_vec()
    }

    #[test]
    fn limit_is_in_bytes_and_inclusive() {
        assert_eq!(received(&"a".repeat(4096)).len(), 4096);
        assert_eq!(received(&"é".repeat(2048)).len(), 4096);
        for text in ["a".repeat(4097), "é".repeat(2049), "a".repeat(1 << 20)] {
            let refused = Plaintext::receive(text).err().unwrap();
            assert!(matches!(refused, PasswordError::TooLong { limit: 4096 }));
        }
    }

    #[test]
    fn composed_and_decomposed_are_one_password() {
        assert_eq!(received("e\u{301}"), received("\u{e9}"));
        assert_eq!(received("\u{212b}"), received("\u{c5}"));
        assert_eq!(received("q\u{307}\u{323}"), received("q\u{323}\u{307}"));
    }

    #[test]
    fn only_nfc_changes_a_password() {
        for text in ["ﬁ", " a ", "a\0b", "\0", "ÄÖ", "ſ", "\r\n\t", "👩‍👩‍👧", "①"]
        {
            assert_eq!(received(text), text.as_bytes(), "{text:?}");
        }
    }

    #[test]
    fn normalized_copy_fits_its_first_allocation() {
        // U+1D160 is the code point that NFC makes longest: 4 bytes become 12.
        for text in ["\u{1d160}".repeat(1024), "e\u{301}".repeat(1365)] {
            let bytes = text.len();
            let password = Plaintext::receive(text).unwrap();
            assert_eq!(password.nfc.capacity(), 3 * bytes);
        }
        assert_eq!(received(&"\u{1d160}".repeat(1024)).len(), 3 * 4096);
    }
}
