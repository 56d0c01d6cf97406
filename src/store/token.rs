//! Tokens, and the digests under which a store knows them.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use rand::{TryRng as _, rngs::SysRng};
use sha2::{Digest as _, Sha256};

use super::RecordKey;

/// Bytes of a token: 256 bits, twice what OWASP ASVS 5.0 (7.2.3) asks for.
const LEN: usize = 32;
/// Characters of its text: unpadded base64url.
const TEXT_LEN: usize = 43;

/// What a browser shows to be recognised. Whoever has it is let in, so it never prints itself.
#[derive(Clone)]
pub(crate) struct Token([u8; LEN]);

impl Token {
    pub(crate) fn random() -> Result<Self, RandomFailed> {
        random_bytes().map(Self)
    }

    /// Reads the text back; anything but the one spelling that [`Token::text`] writes is no token.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        if text.len() != TEXT_LEN {
            return None;
        }
        let mut bytes = [0; LEN];
        Base64UrlUnpadded::decode(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// The text for a cookie. The name says what it is: do not log it.
    pub(crate) fn text(&self) -> String {
        Base64UrlUnpadded::encode_string(&self.0)
    }

    /// The key under which a store knows it, for one purpose in one realm: elsewhere it is worth nothing.
    pub(crate) fn key(&self, purpose: Purpose, realm: &str) -> RecordKey {
        RecordKey::from_bytes(digest(purpose, &[realm.as_bytes(), &self.0]))
    }
}

/// What a remember cookie holds: which series, and the secret that is good for one use.
#[derive(Clone)]
pub(crate) struct RememberToken {
    series: Token,
    secret: Token,
}

impl RememberToken {
    pub(crate) fn random() -> Result<Self, RandomFailed> {
        Ok(Self {
            series: Token::random()?,
            secret: Token::random()?,
        })
    }

    /// The same series with a new secret.
    pub(crate) fn rotated(&self) -> Result<Self, RandomFailed> {
        Ok(Self {
            series: self.series.clone(),
            secret: Token::random()?,
        })
    }

    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let (series, secret) = text.split_at_checked(TEXT_LEN)?;
        let secret = secret.strip_prefix(b".")?;
        Some(Self {
            series: Token::parse(series)?,
            secret: Token::parse(secret)?,
        })
    }

    /// The text for a cookie. The name says what it is: do not log it.
    pub(crate) fn text(&self) -> String {
        format!("{}.{}", self.series.text(), self.secret.text())
    }

    /// The key under which a store knows the series.
    pub(crate) fn key(&self, realm: &str) -> RecordKey {
        self.series.key(Purpose::Series, realm)
    }

    /// The digest by which the series knows the secret.
    pub(crate) fn secret_digest(&self, realm: &str) -> [u8; 32] {
        digest(
            Purpose::Secret,
            &[realm.as_bytes(), &self.series.0, &self.secret.0],
        )
    }
}

impl fmt::Debug for RememberToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RememberToken([redacted])")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

/// What a digest is good for. A value made for one is worth nothing as another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Session,
    Series,
    Secret,
    Stamp,
    Client,
}

impl Purpose {
    fn name(self) -> &'static [u8] {
        match self {
            Self::Session => b"session",
            Self::Series => b"series",
            Self::Secret => b"secret",
            Self::Stamp => b"stamp",
            Self::Client => b"client",
        }
    }
}

/// SHA-256 over the purpose and the parts, each led by its length, so that no two lists of parts run together.
pub(crate) fn digest(purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [b"login-manager".as_slice(), purpose.name()]
        .iter()
        .chain(parts)
    {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// The operating system gave no random bytes. There is no weaker source to fall back on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RandomFailed;

pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], RandomFailed> {
    let mut bytes = [0; N];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|_| RandomFailed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a1_tokens_are_256_random_bits() {
        const N: usize = 100_000;
        let mut seen = HashSet::new();
        let mut ones = [0_u32; LEN * 8];
        for _ in 0..N {
            let token = Token::random().unwrap();
            for (bit, count) in ones.iter_mut().enumerate() {
                *count += u32::from(token.0[bit / 8] >> (bit % 8) & 1);
            }
            assert!(seen.insert(token.0));
        }
        let sigma = (N as f64).sqrt() / 2.0;
        for count in ones {
            assert!(
                (f64::from(count) - N as f64 / 2.0).abs() < 6.0 * sigma,
                "{count} of {N}"
            );
        }
    }

    #[test]
    fn a5_only_the_one_spelling_of_a_token_is_read() {
        let token = Token::random().unwrap();
        let text = token.text();
        assert_eq!(text.len(), TEXT_LEN);
        assert_eq!(Token::parse(text.as_bytes()).unwrap().0, token.0);

        let zero = "A".repeat(43);
        assert!(Token::parse(zero.as_bytes()).is_some());
        let wrong = [
            String::new(),
            "A".repeat(42),
            "A".repeat(44),
            format!("{}=", "A".repeat(42)),
            format!("{}B", "A".repeat(42)), // not canonical: the last two bits are no data
            format!("{}+", "A".repeat(42)),
            format!("{}/", "A".repeat(42)),
            format!(" {}", "A".repeat(42)),
            format!("\"{}\"", "A".repeat(41)),
            format!("{}%41", "A".repeat(40)),
            format!("{}é", "A".repeat(41)),
            format!("{}\0", "A".repeat(42)),
        ];
        for text in wrong {
            assert!(Token::parse(text.as_bytes()).is_none(), "{text:?}");
        }
    }

    #[test]
    fn d10_a_digest_is_good_for_one_purpose_in_one_realm() {
        let token = Token([1; LEN]);
        let key = token.key(Purpose::Session, "customer");
        assert_ne!(key, token.key(Purpose::Session, "admin"));
        assert_ne!(key, token.key(Purpose::Stamp, "customer"));
        assert_ne!(
            digest(Purpose::Session, &[b"ab", b"c"]),
            digest(Purpose::Session, &[b"a", b"bc"])
        );
    }

    #[test]
    fn d9_a_remember_token_is_read_in_one_spelling() {
        let token = RememberToken::random().unwrap();
        let text = token.text();
        let read = RememberToken::parse(text.as_bytes()).unwrap();
        assert_eq!(read.key("r"), token.key("r"));
        assert_eq!(read.secret_digest("r"), token.secret_digest("r"));
        assert_ne!(
            token.rotated().unwrap().secret_digest("r"),
            token.secret_digest("r")
        );
        assert_eq!(token.rotated().unwrap().key("r"), token.key("r"));
        for wrong in [
            "",
            &text[1..],
            &text[..86],
            &text.replace('.', "-"),
            &format!("{text}A"),
            &text[..43],
        ] {
            assert!(
                RememberToken::parse(wrong.as_bytes()).is_none(),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn debug_does_not_leak_the_token() {
        let token = RememberToken::random().unwrap();
        assert_eq!(format!("{token:?}"), "RememberToken([redacted])");
        assert_eq!(format!("{:?}", Token([7; LEN])), "Token([redacted])");
    }
}
