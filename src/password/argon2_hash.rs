//! Stored argon2 hashes.

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, Version,
    password_hash::phc::{Output, Salt},
};

use super::{Argon2Cost, scheme};

/// A stored hash that argon2 can recompute within the limits.
pub(crate) struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Salt,
    tag: Output,
}

impl Argon2Hash {
    /// Parses a PHC string, or one of Django, which writes `argon2` in front of it. Returns `None`,
    /// at no further cost, if argon2 could not recompute it, or not within the limits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let hash = PasswordHash::new(text.strip_prefix("argon2").unwrap_or(text)).ok()?;
        let params = Params::try_from(&hash).ok()?;
        if !Argon2Cost::of(&params).is_within_ceiling() {
            return None;
        }
        Some(Self {
            algorithm: Algorithm::new(hash.algorithm).ok()?,
            version: match hash.version {
                Some(version) => Version::try_from(version).ok()?,
                // Before 0x13, the reference encoder wrote no version; the argon2 crate would
                // assume 0x13.
                None => Version::V0x10,
            },
            params,
            salt: hash.salt?,
            tag: hash.hash?,
        })
    }

    pub(crate) fn argon2(&self) -> Argon2<'static> {
        Argon2::new(self.algorithm, self.version, self.params.clone())
    }

    pub(crate) fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// Compares in constant time, as [`Output`] does.
    pub(crate) fn has_tag(&self, tag: Option<Output>) -> bool {
        tag == Some(self.tag)
    }

    pub(crate) fn cost(&self) -> Argon2Cost {
        Argon2Cost::of(&self.params)
    }

    /// Whether it is weaker in any respect than a new hash with this cost.
    ///
    /// Memory and total work are compared, so fewer passes over more memory are not weaker if they
    /// fill as much in total. Lanes do not matter.
    pub(crate) fn is_outdated(&self, cost: Argon2Cost) -> bool {
        self.algorithm != scheme::ALGORITHM
            || self.version != scheme::VERSION
            || self.salt.len() < scheme::SALT_BYTES
            || self.tag.len() < scheme::TAG_BYTES
            || self.cost().memory_kib() < cost.memory_kib()
            || self.cost().work() < cost.work()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SALT: &str = "c29tZXNhbHRzb21lc2FsdA";
    const TAG: &str = "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

    fn phc(head: &str) -> String {
        format!("{head}${SALT}${TAG}")
    }

    #[test]
    fn text_that_is_no_argon2_hash_is_none() {
        let good = phc("$argon2id$v=19$m=64,t=2,p=1");
        assert!(Argon2Hash::parse(&good).is_some());
        for text in [
            "",
            "$",
            "!",
            "!locked",
            "password",
            "$argon2id",
            "$argon2id$v=19$m=64,t=2,p=1",
            &format!("$argon2id$v=19$m=64,t=2,p=1${SALT}"),
            &format!("$argon2id$v=19$m=64,t=2,p=1${SALT}$"),
            &format!("$argon2id$v=19$m=64,t=2,p=1$c2FsdA${TAG}"),
            &format!("{good}$more"),
            &format!("{good} "),
            &format!(" {good}"),
            &format!("{good}\n"),
            &good[1..],
            &phc("$argon2"),
            &phc("$argon2x$v=19$m=64,t=2,p=1"),
            &phc("$ARGON2ID$v=19$m=64,t=2,p=1"),
            &phc("$scrypt$ln=16,r=8,p=1"),
            &phc("$argon2id$v=18$m=64,t=2,p=1"),
            &phc("$argon2id$v=4294967296$m=64,t=2,p=1"),
            &phc("$argon2id$v=19$m=,t=2,p=1"),
            &phc("$argon2id$v=19$m=-64,t=2,p=1"),
            &phc("$argon2id$v=19$m=064,t=2,p=1"),
            &phc("$argon2id$v=19$m=64,t=2,p=1,x=1"),
            &phc("$argon2id$v=19$m=7,t=2,p=1"),
            &phc("$argon2id$v=19$m=64,t=2,p=9"),
            &phc("$argon2id$v=19$m=64,t=0,p=1"),
            &phc("$argon2id$v=19$m=64,t=2,p=0"),
            "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
            "$2b$12$éé/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
            "pbkdf2_sha256$870000$c2FsdHNhbHQ$AAAA",
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "\0",
            "$argon2id$\u{212a}$",
        ] {
            assert!(Argon2Hash::parse(text).is_none(), "{text:?}");
        }
        for huge in [
            "$".repeat(1 << 20),
            good.repeat(1 << 12),
            format!("{good}{}", "A".repeat(1 << 20)),
        ] {
            assert!(Argon2Hash::parse(&huge).is_none());
        }
    }

    #[test]
    fn stored_hash_above_the_maximum_is_none() {
        for (cost, accepted) in [
            ("m=1048576,t=64,p=16", true),
            ("m=1048577,t=1,p=1", false),
            ("m=4294967295,t=1,p=1", false),
            ("m=64,t=65,p=1", false),
            ("m=64,t=4294967295,p=1", false),
            ("m=1024,t=1,p=17", false),
            ("m=4294967295,t=4294967295,p=16777215", false),
            // The last one counts for argon2, so it must count here.
            ("m=64,t=1,p=1,m=4294967295", false),
        ] {
            let stored = Argon2Hash::parse(&phc(&format!("$argon2id$v=19${cost}")));
            assert_eq!(stored.is_some(), accepted, "{cost}");
        }
    }

    #[test]
    fn hash_weaker_in_any_parameter_is_outdated() {
        let current = Argon2Cost::new(19_456, 2, 1);
        for (head, outdated) in [
            ("$argon2id$v=19$m=19456,t=2,p=1", false),
            ("$argon2id$v=19$m=19455,t=2,p=1", true),
            ("$argon2id$v=19$m=19456,t=1,p=1", true),
            ("$argon2id$v=19$m=12288,t=3,p=1", true),
            ("$argon2id$v=19$m=8,t=1,p=1", true),
            ("$argon2i$v=19$m=19456,t=2,p=1", true),
            ("$argon2d$v=19$m=65536,t=3,p=1", true),
            ("$argon2id$v=16$m=65536,t=3,p=4", true),
            ("$argon2id$m=65536,t=3,p=4", true),
        ] {
            let stored = Argon2Hash::parse(&phc(head)).unwrap();
            assert_eq!(stored.is_outdated(current), outdated, "{head}");
        }
    }

    #[test]
    fn replacement_hash_is_never_weaker() {
        let current = Argon2Cost::new(19_456, 2, 1);
        for cost in [
            "m=19456,t=3,p=1",
            "m=65536,t=3,p=4",
            "m=47104,t=1,p=1",
            "m=19456,t=2,p=2",
            "m=1048576,t=1,p=1",
        ] {
            let stored = Argon2Hash::parse(&phc(&format!("$argon2id$v=19${cost}"))).unwrap();
            assert!(!stored.is_outdated(current), "{cost}");
        }
        let long = "A".repeat(64);
        let stored =
            Argon2Hash::parse(&format!("$argon2id$v=19$m=19456,t=2,p=1${long}${long}")).unwrap();
        assert!(!stored.is_outdated(current));
    }

    #[test]
    fn hash_with_a_shorter_salt_or_tag_is_outdated() {
        let current = Argon2Cost::new(64, 2, 1);
        let outdated = |salt, tag| {
            Argon2Hash::parse(&format!("$argon2id$v=19$m=64,t=2,p=1${salt}${tag}"))
                .unwrap()
                .is_outdated(current)
        };
        assert!(!outdated(SALT, TAG));
        assert!(outdated("c29tZXNhbHQ", TAG));
        assert!(outdated(SALT, "nf65EOgLrQMR/uIPnA4rEg"));
    }

    proptest! {
        #[test]
        fn no_text_panics_or_exceeds_the_maximum(text in any::<String>()) {
            check(&text)?;
        }

        #[test]
        fn no_nearly_valid_hash_panics_or_exceeds_the_maximum(
            text in r"\$argon2(i|d|id)?(\$v=(16|19|[0-9]{0,11}))?\$[mtpx]=[0-9]{0,11}(,(m|t|p|data|keyid)=[0-9A-Za-z/+.-]{0,50}){0,4}(\$[A-Za-z0-9+/]{0,70}){0,3}",
        ) {
            check(&text)?;
        }

        #[test]
        fn no_damaged_hash_panics_or_exceeds_the_maximum(
            at in 0..100_usize,
            byte in any::<char>(),
            cut in any::<bool>(),
        ) {
            let good = phc("$argon2id$v=19$m=64,t=2,p=1");
            let mut damaged: Vec<char> = good.chars().collect();
            let at = at % damaged.len();
            damaged[at] = byte;
            damaged.truncate(if cut { at + 1 } else { usize::MAX });
            check(&damaged.iter().collect::<String>())?;
        }
    }

    fn check(text: &str) -> Result<(), TestCaseError> {
        if let Some(stored) = Argon2Hash::parse(text) {
            prop_assert!(stored.cost().is_within_ceiling());
            prop_assert!(stored.cost().work() <= 1 << 26);
        }
        Ok(())
    }
}
