//! scrypt, as Werkzeug, Django, passlib and RustCrypto write it.

use scrypt::{Params, scrypt};

use super::text::{Tag, hex, number, padded, split, unpadded};

pub(crate) struct Scrypt {
    params: Params,
    salt: Vec<u8>,
    tag: Tag,
}

impl Scrypt {
    /// Twice the memory of OWASP's first option.
    const MAX_MEMORY_KIB: u32 = 256 * 1024;
    /// The same limit as for argon2.
    const MAX_LANES: u32 = 16;
    /// The memory that all lanes fill in total, which takes a few seconds.
    const MAX_WORK_KIB: u32 = 1024 * 1024;

    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(text) = text.strip_prefix("scrypt:") {
            // Werkzeug's `scrypt:32768:8:1$salt$hex`. The salt is text.
            let [params, salt, tag] = split(text, '$')?;
            let [n, r, p] = split(params, ':')?;
            Self::new(log2(n)?, r, p, Some(salt.into()), hex(tag))
        } else if let Some(text) = text.strip_prefix("scrypt$") {
            // Django's `scrypt$16384$salt$8$5$base64`. The salt is text.
            let [n, salt, r, p, tag] = split(text, '$')?;
            Self::new(log2(n)?, r, p, Some(salt.into()), padded(tag))
        } else {
            // `$scrypt$ln=16,r=8,p=1$salt$tag`, the PHC string of passlib and RustCrypto.
            let [params, salt, tag] = split(text.strip_prefix("$scrypt$ln=")?, '$')?;
            let [log_n, r, p] = split(params, ',')?;
            let (r, p) = (r.strip_prefix("r=")?, p.strip_prefix("p=")?);
            Self::new(number(log_n)?, r, p, unpadded(salt), unpadded(tag))
        }
    }

    fn new(
        log_n: u32,
        r: &str,
        p: &str,
        salt: Option<Vec<u8>>,
        tag: Option<Vec<u8>>,
    ) -> Option<Self> {
        let (r, p) = (number(r)?, number(p)?);
        let memory_kib = memory_kib(log_n, r)?;
        let work_kib = memory_kib.checked_mul(p)?;
        if log_n == 0
            || memory_kib > Self::MAX_MEMORY_KIB
            || p > Self::MAX_LANES
            || work_kib > Self::MAX_WORK_KIB
        {
            return None;
        }
        Some(Self {
            params: Params::new(u8::try_from(log_n).ok()?, r, p).ok()?,
            salt: salt?,
            tag: Tag::new(tag, 64)?,
        })
    }

    pub(super) fn memory_kib(&self) -> u32 {
        memory_kib(self.params.log_n().into(), self.params.r()).unwrap_or(u32::MAX)
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut failed = false;
        let is_same = self.tag.is(|computed| {
            failed = scrypt(password, &self.salt, &self.params, computed).is_err();
        });
        is_same && !failed
    }
}

/// `128 * N * r` bytes, rounded up.
fn memory_kib(log_n: u32, r: u32) -> Option<u32> {
    let bytes = 128_u64
        .checked_mul(r.into())?
        .checked_mul(1_u64.checked_shl(log_n)?)?;
    u32::try_from(bytes.div_ceil(1024)).ok()
}

/// The logarithm of a power of two.
fn log2(n: &str) -> Option<u32> {
    number(n).filter(|n| n.is_power_of_two()).map(u32::ilog2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_work_are_bounded() {
        let tag = "ab".repeat(64);
        for (params, accepted) in [
            ("32768:8:1", true),
            ("131072:8:1", true),
            ("262144:8:4", true),
            ("262144:8:5", false),
            ("262144:9:1", false),
            ("524288:8:1", false),
            ("16384:8:16", true),
            ("1024:8:17", false),
            ("2147483648:4294967295:4294967295", false),
            ("2:4294967295:1", false),
            ("1:8:1", false),
            ("0:8:1", false),
            ("1023:8:1", false),
            ("1024:0:1", false),
            ("1024:8:0", false),
            ("1024:8", false),
            ("1024:+8:1", false),
            ("1024:8:1:1", false),
        ] {
            let text = format!("scrypt:{params}$salt${tag}");
            assert_eq!(Scrypt::parse(&text).is_some(), accepted, "{params}");
        }
        for ln in ["0", "19", "63", "64", "4294967295", "4294967296"] {
            let text = format!("$scrypt$ln={ln},r=8,p=1$c2FsdA${}", "A".repeat(43));
            assert!(Scrypt::parse(&text).is_none(), "{ln}");
        }
    }

    #[test]
    fn memory_is_counted() {
        let text = format!("scrypt:32768:8:1$salt${}", "ab".repeat(64));
        assert_eq!(Scrypt::parse(&text).unwrap().memory_kib(), 32 * 1024);
    }
}
