//! Secrets, and their digests, which the store keeps.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ctutils::CtEq as _;
use sha2::{Digest as _, Sha256};

use super::{SessionId, base64url};
use crate::random::{RandomFailed, random_bytes};

/// 256 random bits in a cookie, twice what OWASP ASVS 5.0 (7.2.3) requires. It authenticates its
/// bearer, so `Debug` does not print it.
#[derive(Clone)]
pub(crate) struct Secret([u8; Self::LEN]);

impl Secret {
    pub(crate) const LEN: usize = 32;

    pub(crate) fn random() -> Result<Self, RandomFailed> {
        random_bytes().map(Self)
    }

    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (secret, rest) = bytes.split_first_chunk()?;
        Some((Self(*secret), rest))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

/// The value of the session cookie: the session's id and its secret.
#[derive(Clone, Debug)]
pub(crate) struct SessionToken {
    pub(crate) id: SessionId,
    pub(crate) secret: Secret,
}

impl SessionToken {
    const LEN: usize = SessionId::LEN + Secret::LEN;

    pub(crate) fn random(id: SessionId) -> Result<Self, RandomFailed> {
        Ok(Self {
            id,
            secret: Secret::random()?,
        })
    }

    /// Parses a text exactly as [`text`](Self::text) writes it.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::LEN];
        let (id, rest) = decode(text, &mut bytes)?;
        let (secret, _) = Secret::read(rest)?;
        Some(Self { id, secret })
    }

    /// The text for a cookie. Do not log it.
    pub(crate) fn text(&self) -> String {
        let mut bytes = [0; Self::LEN];
        encode([self.id.as_bytes().as_slice(), &self.secret.0], &mut bytes)
    }
}

/// The value of the remember cookie: the session's id, the series secret, which stays the same
/// until the next login, and the token secret, which is exchanged at each use.
#[derive(Clone, Debug)]
pub(crate) struct RememberToken {
    pub(crate) id: SessionId,
    pub(crate) series: Secret,
    pub(crate) token: Secret,
}

impl RememberToken {
    const LEN: usize = SessionId::LEN + 2 * Secret::LEN;

    pub(crate) fn random(id: SessionId) -> Result<Self, RandomFailed> {
        Ok(Self {
            id,
            series: Secret::random()?,
            token: Secret::random()?,
        })
    }

    /// The same series secret with a new token secret.
    pub(crate) fn exchanged(&self) -> Result<Self, RandomFailed> {
        Ok(Self {
            id: self.id,
            series: self.series.clone(),
            token: Secret::random()?,
        })
    }

    /// Parses a text exactly as [`text`](Self::text) writes it.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::LEN];
        let (id, rest) = decode(text, &mut bytes)?;
        let (series, rest) = Secret::read(rest)?;
        let (token, _) = Secret::read(rest)?;
        Some(Self { id, series, token })
    }

    /// The text for a cookie. Do not log it.
    pub(crate) fn text(&self) -> String {
        let mut bytes = [0; Self::LEN];
        encode(
            [self.id.as_bytes().as_slice(), &self.series.0, &self.token.0],
            &mut bytes,
        )
    }
}

/// The value of the browser cookie: a secret that grants no access. It identifies the browser among
/// those of a user.
#[derive(Clone, Debug)]
pub(crate) struct BrowserToken(Secret);

impl BrowserToken {
    pub(crate) fn random() -> Result<Self, RandomFailed> {
        Secret::random().map(Self)
    }

    /// Reads the one spelling that [`text`](Self::text) writes.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; Secret::LEN];
        base64url::decode(text, &mut bytes).then_some(Self(Secret(bytes)))
    }

    /// The text for a cookie. Do not log it.
    pub(crate) fn text(&self) -> String {
        Base64UrlUnpadded::encode_string(&self.0.0)
    }

    /// The secret, for a digest.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0.0
    }
}

/// Decodes a cookie of exactly this length.
fn decode<'a>(text: &[u8], bytes: &'a mut [u8]) -> Option<(SessionId, &'a [u8])> {
    if !base64url::decode(text, bytes) {
        return None;
    }
    let (id, rest) = bytes.split_first_chunk()?;
    Some((SessionId::from_bytes(*id), rest))
}

fn encode<const N: usize>(parts: [&[u8]; N], bytes: &mut [u8]) -> String {
    bytes
        .iter_mut()
        .zip(parts.into_iter().flatten())
        .for_each(|(to, from)| *to = *from);
    Base64UrlUnpadded::encode_string(bytes)
}

/// A SHA-256 digest, compared in constant time.
#[derive(Clone, Copy, Eq)]
pub(crate) struct Digest(pub(crate) [u8; Self::LEN]);

impl Digest {
    pub(crate) const LEN: usize = 32;
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest([redacted])")
    }
}

/// Computes digests for one purpose in one realm. They match no digest for another purpose or
/// realm.
///
/// Purpose and realm are absorbed in advance as one block of SHA-256, so that the digest of a
/// cookie (16 bytes of id, 32 of secret) takes one compression.
#[derive(Clone)]
pub(crate) struct Digester(Sha256);

impl Digester {
    pub(crate) fn new(purpose: &str, realm: &str) -> Self {
        let mut name = Sha256::new();
        for part in ["login-manager", purpose, realm] {
            name.update((part.len() as u64).to_be_bytes());
            name.update(part);
        }
        let mut block = [0; 64];
        block
            .iter_mut()
            .zip(name.finalize())
            .for_each(|(to, from)| *to = from);
        Self(Sha256::new_with_prefix(block))
    }

    /// The digest of a secret that is valid for one session.
    pub(crate) fn secret(&self, id: SessionId, secret: &Secret) -> Digest {
        let mut hash = self.0.clone();
        hash.update(id.as_bytes());
        hash.update(secret.0);
        Digest(hash.finalize().into())
    }

    /// The digest of several parts. Each is preceded by its length, so that different parts have
    /// different digests.
    pub(crate) fn parts(&self, parts: &[&[u8]]) -> Digest {
        let mut hash = self.0.clone();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Digest(hash.finalize().into())
    }
}

/// The digesters of one realm.
#[derive(Clone)]
pub(crate) struct Digests {
    pub(crate) session: Digester,
    pub(crate) series: Digester,
    pub(crate) remember: Digester,
    pub(crate) stamp: Digester,
    pub(crate) client: Digester,
    pub(crate) user_type: Digester,
}

impl Digests {
    pub(crate) fn new(realm: &str) -> Self {
        let of = |purpose| Digester::new(purpose, realm);
        Self {
            session: of("session"),
            series: of("series"),
            remember: of("remember"),
            stamp: of("stamp"),
            client: of("client"),
            user_type: of("user type"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn secrets_are_256_random_bits() {
        const N: usize = 100_000;
        let mut seen = HashSet::new();
        let mut ones = [0_u32; Secret::LEN * 8];
        for _ in 0..N {
            let secret = Secret::random().unwrap();
            for (bit, count) in ones.iter_mut().enumerate() {
                *count += u32::from(secret.0[bit / 8] >> (bit % 8) & 1);
            }
            assert!(seen.insert(secret.0));
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
    fn only_the_canonical_spelling_of_a_token_is_read() {
        let token = SessionToken::random(SessionId::random().unwrap()).unwrap();
        let text = token.text();
        assert_eq!(text.len(), 64);
        let read = SessionToken::parse(text.as_bytes()).unwrap();
        assert_eq!((read.id, read.secret.0), (token.id, token.secret.0));
        let wrong = [
            String::new(),
            "A".repeat(63),
            "A".repeat(65),
            format!("{}=", "A".repeat(63)),
            format!("{}+", "A".repeat(63)),
            format!("{}/", "A".repeat(63)),
            format!(" {}", "A".repeat(63)),
            format!("\"{}\"", "A".repeat(62)),
            format!("{}%41", "A".repeat(61)),
            format!("{}é", "A".repeat(62)),
            format!("{}\0", "A".repeat(63)),
        ];
        for text in wrong {
            assert!(SessionToken::parse(text.as_bytes()).is_none(), "{text:?}");
        }
    }

    #[test]
    fn remember_token_keeps_its_series_when_exchanged() {
        let token = RememberToken::random(SessionId::random().unwrap()).unwrap();
        let text = token.text();
        assert_eq!(text.len(), 107);
        let read = RememberToken::parse(text.as_bytes()).unwrap();
        assert_eq!((read.id, read.series.0), (token.id, token.series.0));
        assert_eq!(read.token.0, token.token.0);
        let next = token.exchanged().unwrap();
        assert_eq!((next.id, next.series.0), (token.id, token.series.0));
        assert_ne!(next.token.0, token.token.0);
        let not_canonical = format!("{}B", &"A".repeat(106));
        for wrong in [
            "",
            &text[1..],
            &text[..86],
            &format!("{text}A"),
            &not_canonical,
        ] {
            assert!(
                RememberToken::parse(wrong.as_bytes()).is_none(),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn digest_differs_by_purpose_realm_and_session() {
        let (customer, admin) = (Digests::new("customer"), Digests::new("admin"));
        let (id, secret) = (SessionId::from_bytes([1; 16]), Secret([2; 32]));
        let digest = customer.session.secret(id, &secret);
        assert_eq!(digest, customer.session.secret(id, &secret));
        assert_ne!(digest, admin.session.secret(id, &secret));
        assert_ne!(digest, customer.series.secret(id, &secret));
        let other = SessionId::from_bytes([3; 16]);
        assert_ne!(digest, customer.session.secret(other, &secret));
        assert_ne!(
            customer.stamp.parts(&[b"ab", b"c"]),
            customer.stamp.parts(&[b"a", b"bc"])
        );
    }

    #[test]
    fn debug_does_not_print_secrets_or_digests() {
        assert_eq!(format!("{:?}", Secret([7; 32])), "Secret([redacted])");
        assert_eq!(format!("{:?}", Digest([7; 32])), "Digest([redacted])");
    }
}
