//! bcrypt, as `$2a$`, `$2b$` and `$2y$`, and as Django wraps it.

use base64ct::{Base64Bcrypt, Encoding as _};
use ctutils::CtEq as _;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

pub(crate) struct Bcrypt {
    cost: u32,
    salt: [u8; 16],
    tag: [u8; 23],
    /// Django's `bcrypt_sha256`: the hash is that of the hexadecimal SHA-256 of the password.
    of_digest: bool,
}

impl Bcrypt {
    /// 2^16 iterations take a few seconds, and each further step doubles the time. OWASP's minimum
    /// is 10.
    const MAX_COST: u32 = 16;
    /// Longer keys are cut off by all implementations that don't refuse them.
    const MAX_KEY: usize = 72;

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (hash, of_digest) = match text.strip_prefix("bcrypt_sha256$") {
            Some(hash) => (hash, true),
            None => (text.strip_prefix("bcrypt$").unwrap_or(text), false),
        };
        // The variants differ in how old implementations treated long and non-ASCII passwords; all
        // but `$2x$`, a mistake of PHP, are computed in the same way today.
        let hash = ["$2a$", "$2b$", "$2y$"]
            .iter()
            .find_map(|prefix| hash.strip_prefix(prefix))?;
        let (cost, salt_and_tag) = hash.split_once('$')?;
        let cost = match *cost.as_bytes() {
            [ten @ b'0'..=b'3', one @ b'0'..=b'9'] => u32::from(10 * (ten - b'0') + one - b'0'),
            _ => return None,
        };
        if !(4..=Self::MAX_COST).contains(&cost) {
            return None;
        }
        let (salt, tag) = salt_and_tag.split_at_checked(22)?;
        Some(Self {
            cost,
            salt: decode(salt, "..", 18)?,
            tag: decode(tag, ".", 24)?,
            of_digest,
        })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let digest;
        let password = match self.of_digest {
            true => {
                digest = hex_of(&Sha256::digest(password));
                digest.as_bytes()
            }
            false => password,
        };
        // bcrypt repeats its key, so a password with a NUL could match a shorter one.
        let has_nul = password.contains(&0);
        let mut key = Zeroizing::new(Vec::with_capacity(Self::MAX_KEY));
        key.extend(password.iter().chain(&[0]).take(Self::MAX_KEY));
        let [computed @ .., _] = bcrypt::bcrypt(self.cost, self.salt, &key);
        bool::from(computed.ct_eq(&self.tag)) && !has_nul
    }
}

/// Decodes the first N bytes. The bits after them, which some implementations fill, are ignored:
/// `filler` are zeros that complete the last block.
fn decode<const N: usize>(text: &str, filler: &str, decoded: usize) -> Option<[u8; N]> {
    let bytes = Base64Bcrypt::decode_vec(&format!("{text}{filler}")).ok()?;
    let bytes = bytes.get(..N).filter(|_| bytes.len() == decoded)?;
    bytes.try_into().ok()
}

fn hex_of(bytes: &[u8]) -> Zeroizing<String> {
    let mut hex = Zeroizing::new(String::with_capacity(2 * bytes.len()));
    for nibble in bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
        hex.extend(char::from_digit(nibble.into(), 16));
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by libxcrypt 4.4 with this salt, whose last character has bits that don't count.
    const PHP: &str = "$2y$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG";

    #[test]
    fn excess_bits_of_the_salt_are_ignored() {
        let hash = PHP.replace("stuu7", "stuv7");
        for hash in [PHP, &hash] {
            let hash = Bcrypt::parse(hash).unwrap();
            assert!(hash.matches(b"correct horse battery staple"));
        }
    }

    #[test]
    fn cost_is_bounded() {
        for (cost, accepted) in [
            ("03", false),
            ("04", true),
            ("12", true),
            ("16", true),
            ("17", false),
            ("31", false),
            ("32", false),
            ("99", false),
            ("4", false),
            ("004", false),
            ("+4", false),
            ("", false),
        ] {
            let text = PHP.replacen("04", cost, 1);
            assert_eq!(Bcrypt::parse(&text).is_some(), accepted, "{text}");
        }
    }

    #[test]
    fn nul_is_significant() {
        for repeated in ["correct horse battery staple\0", "\0"] {
            assert!(!Bcrypt::parse(PHP).unwrap().matches(repeated.as_bytes()));
        }
        // The key of "a" is "a\0", which bcrypt repeats, as it does that of "a\0a".
        let key = |password: &[u8]| bcrypt::bcrypt(4, [7; 16], &[password, b"\0"].concat());
        assert_eq!(key(b"a"), key(b"a\0a"));
        let mut tag = [0; 23];
        tag.copy_from_slice(&key(b"a")[..23]);
        let hash = Bcrypt {
            cost: 4,
            salt: [7; 16],
            tag,
            of_digest: false,
        };
        assert!(hash.matches(b"a"));
        assert!(!hash.matches(b"a\0a"));
    }
}
