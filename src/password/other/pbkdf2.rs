//! PBKDF2, as Werkzeug, Django, passlib and RustCrypto write it.

use pbkdf2::{Algorithm, Params, pbkdf2_hmac, pbkdf2_hmac_with_params};
use sha1::Sha1;

use super::text::{Tag, dotted, hex, number, padded, split, unpadded};

pub(crate) struct Pbkdf2 {
    function: Function,
    rounds: u32,
    salt: Vec<u8>,
    tag: Tag,
}

/// The hash function of the HMAC.
#[derive(Clone, Copy)]
enum Function {
    Sha1,
    Sha256,
    Sha512,
}

impl Pbkdf2 {
    /// Ten times Django's default of 2025. A few seconds.
    const MAX_ROUNDS: u32 = 10_000_000;

    pub(super) fn parse(text: &str) -> Option<Self> {
        let hash = match text.strip_prefix('$') {
            Some(text) => Self::parse_modular(text),
            None if text.starts_with("pbkdf2:") => Self::parse_werkzeug(text),
            None => Self::parse_django(text),
        }?;
        // NIST SP 800-132 (5.2) requires 1000.
        let is_accepted = (Params::MIN_ROUNDS..=Self::MAX_ROUNDS).contains(&hash.rounds);
        is_accepted.then_some(hash)
    }

    /// `pbkdf2:sha256:1000000$salt$hex`. The salt is text.
    fn parse_werkzeug(text: &str) -> Option<Self> {
        let [method, salt, tag] = split(text, '$')?;
        let [_, function, rounds] = split(method, ':')?;
        let function = match function {
            "sha1" => Function::Sha1,
            "sha256" => Function::Sha256,
            "sha512" => Function::Sha512,
            _ => return None,
        };
        Self::new(function, rounds, Some(salt.into()), hex(tag))
    }

    /// `pbkdf2_sha256$1000000$salt$base64`. The salt is text.
    fn parse_django(text: &str) -> Option<Self> {
        let [function, rounds, salt, tag] = split(text, '$')?;
        let function = match function {
            "pbkdf2_sha1" => Function::Sha1,
            "pbkdf2_sha256" => Function::Sha256,
            _ => return None,
        };
        Self::new(function, rounds, Some(salt.into()), padded(tag))
    }

    /// The form of passlib (`$pbkdf2-sha256$29000$salt$tag`), or a PHC string
    /// (`$pbkdf2-sha256$i=600000,l=32$salt$tag`), without the first `$`.
    fn parse_modular(text: &str) -> Option<Self> {
        let [function, rounds, salt, tag] = split(text, '$')?;
        let function = match function {
            "pbkdf2" => Function::Sha1,
            "pbkdf2-sha256" => Function::Sha256,
            "pbkdf2-sha512" => Function::Sha512,
            _ => return None,
        };
        match rounds.strip_prefix("i=") {
            Some(params) => {
                let (rounds, length) = params.split_once(",l=").unwrap_or((params, ""));
                let tag = unpadded(tag)?;
                if !length.is_empty() && number(length)? as usize != tag.len() {
                    return None;
                }
                Self::new(function, rounds, unpadded(salt), Some(tag))
            }
            None => Self::new(function, rounds, dotted(salt), dotted(tag)),
        }
    }

    fn new(
        function: Function,
        rounds: &str,
        salt: Option<Vec<u8>>,
        tag: Option<Vec<u8>>,
    ) -> Option<Self> {
        // A longer tag would need a further run of all rounds for each block.
        let block = match function {
            Function::Sha1 => 20,
            Function::Sha256 => 32,
            Function::Sha512 => 64,
        };
        Some(Self {
            function,
            rounds: number(rounds)?,
            salt: salt?,
            tag: Tag::new(tag, block)?,
        })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let algorithm = match self.function {
            Function::Sha1 => None,
            Function::Sha256 => Some(Algorithm::Pbkdf2Sha256),
            Function::Sha512 => Some(Algorithm::Pbkdf2Sha512),
        };
        let (salt, rounds) = (&*self.salt, self.rounds);
        self.tag.is(|computed| {
            match algorithm.map(|algorithm| (algorithm, Params::new(rounds))) {
                // Not generic, so that this crate's debug builds run the dependency's fast code.
                Some((algorithm, Ok(params))) => {
                    pbkdf2_hmac_with_params(password, salt, algorithm, params, computed);
                }
                _ => pbkdf2_hmac::<Sha1>(password, salt, rounds, computed),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_and_tag_are_bounded() {
        let tag = "ab".repeat(32);
        for (rounds, accepted) in [
            ("1000", true),
            ("10000000", true),
            ("999", false),
            ("0", false),
            ("10000001", false),
            ("4294967296", false),
            ("+1000", false),
            ("-1", false),
            ("", false),
        ] {
            let text = format!("pbkdf2:sha256:{rounds}$salt${tag}");
            assert_eq!(Pbkdf2::parse(&text).is_some(), accepted, "{rounds:?}");
        }
        for (function, bytes, accepted) in [
            ("sha256", 16, true),
            ("sha256", 15, false),
            ("sha256", 33, false),
            ("sha1", 21, false),
            ("sha512", 64, true),
            ("sha512", 65, false),
            ("md5", 16, false),
        ] {
            let text = format!("pbkdf2:{function}:1000$salt${}", "ab".repeat(bytes));
            assert_eq!(Pbkdf2::parse(&text).is_some(), accepted, "{text}");
        }
    }
}
