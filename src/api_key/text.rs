//! The text of an API key: `<prefix>_<43 characters of 256 random bits><6 of a checksum>`.

use std::fmt;

use crate::{
    error::{Error, ErrorKind},
    random::random_bytes,
};

/// 256 random bits in base62: 62⁴³ is just above 2²⁵⁶.
const RANDOM: usize = 43;
/// 32 bits in base62.
const CHECKSUM: usize = 6;
/// The characters that [`ApiKeyInfo::last4`](super::ApiKeyInfo::last4) shows.
pub(crate) const SHOWN: usize = 4;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The text of a new API key, which exists only here: the store has a digest of it.
///
/// Its bearer is authenticated, so `Debug` does not print it, and it implements neither `Display`
/// nor `Serialize`. Show it once, with [`expose`](ApiKey::expose), and drop it.
#[derive(Clone)]
pub struct ApiKey(String);

impl ApiKey {
    /// Returns the text, to show it to its user. Do not log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(super) fn random(prefix: &str) -> Result<Self, Error> {
        let random = random_bytes::<32>().map_err(|_| ErrorKind::Random)?;
        Ok(Self::of(prefix, random))
    }

    fn of(prefix: &str, mut random: [u8; 32]) -> Self {
        let mut text = format!("{prefix}_");
        text.extend(base62::<RANDOM>(&mut random).map(char::from));
        let checksum = checksum(text.as_bytes()).map(char::from);
        text.extend(checksum);
        Self(text)
    }

    pub(super) fn last4(&self) -> [u8; SHOWN] {
        let last = self.0.as_bytes().last_chunk();
        last.copied().unwrap_or_default()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey([redacted])")
    }
}

/// Whether this has the form of a key with this prefix, as [`ApiKey::random`] creates it.
pub(super) fn is_key(text: &[u8], prefix: &str) -> bool {
    let Some((rest, given)) = text.split_last_chunk::<CHECKSUM>() else {
        return false;
    };
    let random = rest
        .strip_prefix(prefix.as_bytes())
        .and_then(|rest| rest.strip_prefix(b"_"));
    random.is_some_and(|random| {
        random.len() == RANDOM && random.iter().all(u8::is_ascii_alphanumeric)
    }) && checksum(rest) == *given
}

fn checksum(text: &[u8]) -> [u8; CHECKSUM] {
    base62(&mut crc32(text).to_be_bytes())
}

/// A number in big-endian bytes as digits of base62, padded with zeros. Leaves the number at zero.
fn base62<const N: usize>(number: &mut [u8]) -> [u8; N] {
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_u16;
        for byte in &mut *number {
            let value = remainder << 8 | u16::from(*byte);
            *byte = (value / 62) as u8;
            remainder = value % 62;
        }
        *digit = BASE62
            .get(usize::from(remainder))
            .copied()
            .unwrap_or_default();
    }
    digits
}

/// CRC-32 as in zlib, PNG and Ethernet. Bit by bit: 70 bytes need no table.
fn crc32(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0xEDB8_8320;
    let shift = |crc: u32, _| crc >> 1 ^ POLYNOMIAL & (crc & 1).wrapping_neg();
    let next = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), shift);
    !bytes.iter().fold(!0, next)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Test vectors of the catalogue of parametrised CRC algorithms, and of zlib.
    #[test]
    fn crc32_is_that_of_zlib() {
        for (text, crc) in [
            ("", 0),
            ("a", 0xE8B7_BE43),
            ("123456789", 0xCBF4_3926),
            ("The quick brown fox jumps over the lazy dog", 0x414F_A339),
        ] {
            assert_eq!(crc32(text.as_bytes()), crc, "{text}");
        }
        assert_eq!(crc32(&[0xff; 32]), 0xFF6C_AB0B);
    }

    #[test]
    fn base62_pads_and_takes_all_of_256_bits() {
        let digits = |number: u32| base62::<6>(&mut number.to_be_bytes());
        assert_eq!(digits(0), *b"000000");
        assert_eq!(digits(61), *b"00000z");
        assert_eq!(digits(62), *b"000010");
        assert_eq!(digits(u32::MAX), *b"4gfFC3");
        assert_eq!(base62::<43>(&mut [0; 32]), [b'0'; 43]);
        let mut most = [0xff; 32];
        let digits = base62::<43>(&mut most);
        assert_eq!(most, [0; 32], "nothing is left over");
        // 2²⁵⁶ − 1, from its digits.
        let mut value = [0_u8; 32];
        for digit in digits {
            let mut carry = BASE62.iter().position(|c| *c == digit).unwrap();
            for byte in value.iter_mut().rev() {
                carry += usize::from(*byte) * 62;
                *byte = (carry % 256) as u8;
                carry /= 256;
            }
            assert_eq!(carry, 0);
        }
        assert_eq!(value, [0xff; 32]);
    }

    /// Scanners elsewhere rely on this format.
    #[test]
    fn text_of_a_key_is_fixed() {
        let key = ApiKey::of("shop", [0; 32]);
        let zeros = "0".repeat(43);
        let crc = crc32(format!("shop_{zeros}").as_bytes());
        assert_eq!(crc, 0x5C59_F5F4);
        assert_eq!(key.expose(), format!("shop_{zeros}1gr7bA"));
        assert_eq!(key.last4(), *b"r7bA");
    }

    #[test]
    fn keys_differ_and_debug_does_not_print_them() {
        let [one, other] = ["a", "a"].map(|prefix| ApiKey::random(prefix).unwrap());
        assert_ne!(one.expose(), other.expose());
        assert_eq!(format!("{one:?}"), "ApiKey([redacted])");
    }

    proptest! {
        #[test]
        fn every_key_is_read(random: [u8; 32], prefix in "[a-z0-9_]{1,20}") {
            let key = ApiKey::of(&prefix, random);
            prop_assert!(is_key(key.expose().as_bytes(), &prefix));
            prop_assert_eq!(key.expose().len(), prefix.len() + 50);
            prop_assert!(!is_key(key.expose().as_bytes(), "other"));
        }

        #[test]
        fn no_junk_is_a_key(text: Vec<u8>, like in "shop_[0-9A-Za-z]{49}") {
            prop_assert!(!is_key(&text, "shop"));
            // One in 2³² would be.
            prop_assert!(!is_key(like.as_bytes(), "shop"));
        }

        #[test]
        fn no_changed_key_is_a_key(random: [u8; 32], at: prop::sample::Index, to: u8) {
            let mut text = ApiKey::of("shop", random).0.into_bytes();
            let at = at.index(text.len());
            prop_assume!(text[at] != to);
            text[at] = to;
            prop_assert!(!is_key(&text, "shop"));
            let mut cut = ApiKey::of("shop", random).0.into_bytes();
            cut.remove(at);
            prop_assert!(!is_key(&cut, "shop"));
            cut.insert(at, to);
            cut.push(to);
            prop_assert!(!is_key(&cut, "shop"));
        }
    }
}
