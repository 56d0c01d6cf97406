//! Hashes of other systems. They are only checked, and replaced at the next login.

#[cfg(feature = "bcrypt")]
mod bcrypt;
#[cfg(test)]
mod made_elsewhere;
#[cfg(feature = "pbkdf2")]
mod pbkdf2;
#[cfg(feature = "scrypt")]
mod scrypt;
#[cfg(any(feature = "pbkdf2", feature = "scrypt"))]
mod text;

#[cfg(feature = "bcrypt")]
use self::bcrypt::Bcrypt;
#[cfg(feature = "pbkdf2")]
use self::pbkdf2::Pbkdf2;
#[cfg(feature = "scrypt")]
use self::scrypt::Scrypt;

/// A stored hash that can be recomputed within the limits. Without features there is none.
pub(crate) enum OtherHash {
    #[cfg(feature = "bcrypt")]
    Bcrypt(Bcrypt),
    #[cfg(feature = "pbkdf2")]
    Pbkdf2(Pbkdf2),
    #[cfg(feature = "scrypt")]
    Scrypt(Scrypt),
}

impl OtherHash {
    /// No known hash is half as long. (The longest is that of Django's scrypt.)
    const MAX_BYTES: usize = 512;

    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > Self::MAX_BYTES {
            return None;
        }
        #[cfg(feature = "bcrypt")]
        if let Some(hash) = Bcrypt::parse(text) {
            return Some(Self::Bcrypt(hash));
        }
        #[cfg(feature = "pbkdf2")]
        if let Some(hash) = Pbkdf2::parse(text) {
            return Some(Self::Pbkdf2(hash));
        }
        #[cfg(feature = "scrypt")]
        if let Some(hash) = Scrypt::parse(text) {
            return Some(Self::Scrypt(hash));
        }
        None
    }

    /// Whether this is the hash of a password. The comparison takes constant time.
    pub(super) fn matches(&self, password: &[u8]) -> bool {
        #[cfg(not(any(feature = "bcrypt", feature = "pbkdf2", feature = "scrypt")))]
        let _ = password;
        match *self {
            #[cfg(feature = "bcrypt")]
            Self::Bcrypt(ref hash) => hash.matches(password),
            #[cfg(feature = "pbkdf2")]
            Self::Pbkdf2(ref hash) => hash.matches(password),
            #[cfg(feature = "scrypt")]
            Self::Scrypt(ref hash) => hash.matches(password),
        }
    }

    /// The memory that a check takes, in KiB, or 0 if it is negligible.
    pub(crate) fn memory_kib(&self) -> u32 {
        match *self {
            #[cfg(feature = "bcrypt")]
            Self::Bcrypt(_) => 0,
            #[cfg(feature = "pbkdf2")]
            Self::Pbkdf2(_) => 0,
            #[cfg(feature = "scrypt")]
            Self::Scrypt(ref hash) => hash.memory_kib(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use proptest::prelude::*;

    use super::{
        super::{Argon2Cost, Passwords, Verdict, hasher::Hasher, stored::Stored},
        made_elsewhere::ARGON2,
        *,
    };

    /// What each feature checks.
    const OTHERS: &[&[(&str, &str)]] = &[
        #[cfg(feature = "bcrypt")]
        made_elsewhere::BCRYPT,
        #[cfg(feature = "pbkdf2")]
        made_elsewhere::PBKDF2,
        #[cfg(feature = "scrypt")]
        made_elsewhere::SCRYPT,
    ];

    fn others() -> impl Iterator<Item = (&'static str, &'static str)> {
        OTHERS.iter().copied().flatten().copied()
    }

    fn cheap() -> Passwords {
        Passwords {
            hasher: Hasher::new(Argon2Cost::new(64, 2, 1)),
            ..Passwords::new()
        }
    }

    #[tokio::test]
    async fn hashes_of_other_systems_are_checked_and_outdated() {
        let passwords = cheap();
        for (password, hash) in others() {
            let verdict = passwords.verify(password, Some(hash)).await.unwrap();
            assert_eq!(verdict, Verdict::ValidOutdated, "{hash}");
            // A full hash of our own is computed in addition.
            let spent = passwords.hasher.spent.swap(0, Ordering::Relaxed);
            assert_eq!(spent, 64 * 2, "{hash}");
            let wrong = password.replacen(['c', 'p', 'l'], "x", 1);
            for wrong in [&*wrong, "", &password[1..]] {
                let verdict = passwords.verify(wrong, Some(hash)).await.unwrap();
                assert_eq!(verdict, Verdict::Invalid, "{hash} {wrong}");
            }
            passwords.hasher.spent.store(0, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn argon2_hashes_of_other_systems_are_judged_by_their_cost() {
        for (password, hash) in ARGON2 {
            let verdict = cheap().verify(*password, Some(hash)).await.unwrap();
            assert_eq!(verdict, Verdict::Valid, "{hash}");
            let verdict = Passwords::new().verify(*password, Some(hash)).await;
            let is_weak = hash.contains("m=64,");
            assert_eq!(verdict.unwrap().needs_rehash(), is_weak, "{hash}");
            let verdict = cheap().verify("wrong", Some(hash)).await.unwrap();
            assert_eq!(verdict, Verdict::Invalid, "{hash}");
        }
    }

    /// Other systems don't normalize, so a password that was typed as NFD must be checked as NFD.
    #[cfg(feature = "pbkdf2")]
    #[tokio::test]
    async fn other_systems_hash_the_password_as_received() {
        let (decomposed, composed) = ("pa\u{308}sswo\u{308}rd", "p\u{e4}ssw\u{f6}rd");
        // In the form of Werkzeug 3.1.9, which accepts it for the decomposed password.
        let hash = "pbkdf2:sha256:1000$tjmWXStnIIqnXXEI$9810675a2e21fcc34bb23260cc0266912ac8a1ff8244e38ddb28fd80a236e0c6";
        let verdict = cheap().verify(decomposed, Some(hash)).await.unwrap();
        assert_eq!(verdict, Verdict::ValidOutdated);
        let verdict = cheap().verify(composed, Some(hash)).await.unwrap();
        assert_eq!(verdict, Verdict::Invalid);
    }

    #[test]
    fn hash_without_its_feature_is_none() {
        for (is_enabled, hash) in [
            (
                cfg!(feature = "bcrypt"),
                "$2b$04$pH5H/DDyh1bLTSd7f/cVRew0T8vCowNb5/nqBcjfqGDACWTAQxtCW",
            ),
            (
                cfg!(feature = "pbkdf2"),
                "pbkdf2_sha1$1000$Ay9G7dTIQTqqKS7eIFggwp$yuscAUxxLdFMDh9QcM5CNQKbc+Y=",
            ),
            (
                cfg!(feature = "scrypt"),
                "$scrypt$ln=10,r=8,p=1$2BsD4LxX6r03htC6t/Zeiw$urjUkhunL7CVUZC5/Xw+8zxoi/BXCoP4WB9zmZKVrrk",
            ),
        ] {
            assert_eq!(Stored::parse(hash).is_some(), is_enabled, "{hash}");
        }
    }

    #[test]
    fn text_of_another_form_is_none() {
        for text in [
            "",
            "$",
            "!",
            "!9vXbN",
            "md5$salt$5f4dcc3b5aa765d61d8327deb882cf99",
            "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
            "$6$salt$abc",
            "$2$04$pH5H/DDyh1bLTSd7f/cVRew0T8vCowNb5/nqBcjfqGDACWTAQxtCW",
            "$2x$04$pH5H/DDyh1bLTSd7f/cVRew0T8vCowNb5/nqBcjfqGDACWTAQxtCW",
            "argon2",
            "argon2$",
            "argon2$argon2id",
        ] {
            assert!(Stored::parse(text).is_none(), "{text}");
        }
        for (_, hash) in others() {
            let broken = [
                &hash[..hash.len() - 1],
                &hash[1..],
                &format!("{hash}$"),
                &format!("{hash} "),
                &format!(" {hash}"),
                &hash.replacen('$', "", 1),
                &hash.replace('$', "$$"),
            ]
            .map(|text| OtherHash::parse(text).is_some());
            assert_eq!(broken, [false; 7], "{hash}");
            assert!(OtherHash::parse(&format!("{hash}{}", "A".repeat(1 << 20))).is_none());
        }
    }

    proptest! {
        #[test]
        fn no_damaged_hash_panics_or_exceeds_the_maximum(
            which in any::<prop::sample::Index>(),
            at in 0..200_usize,
            byte in any::<char>(),
        ) {
            let all: Vec<_> = others().collect();
            if all.is_empty() {
                return Ok(());
            }
            let mut damaged: Vec<char> = all[which.index(all.len())].1.chars().collect();
            let at = at % damaged.len();
            damaged[at] = byte;
            if let Some(hash) = OtherHash::parse(&damaged.iter().collect::<String>()) {
                prop_assert!(hash.memory_kib() <= 256 * 1024);
            }
        }
    }
}
