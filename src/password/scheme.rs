//! The parameters of new hashes, by which stored hashes are judged as well.

use argon2::{Algorithm, Version};

pub(super) const ALGORITHM: Algorithm = Algorithm::Argon2id;
pub(super) const VERSION: Version = Version::V0x13;
/// RFC 9106, section 3.1: 16 bytes are recommended for password hashing. NIST SP 800-63B-4 asks for
/// 4.
pub(super) const SALT_BYTES: usize = 16;
/// RFC 9106, section 4: a tag of 256 bits in both recommended options.
pub(super) const TAG_BYTES: usize = 32;
