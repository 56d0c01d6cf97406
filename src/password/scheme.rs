//! The parameters of new hashes, by which stored hashes are judged as well.

use argon2::{Algorithm, Version};

pub(super) const ALGORITHM: Algorithm = Algorithm::Argon2id;
pub(super) const VERSION: Version = Version::V0x13;
/// The length that RFC 9106 (section 3.1) recommends for password hashing. NIST SP 800-63B-4
/// requires 4 bytes.
pub(super) const SALT_BYTES: usize = 16;
/// The length of the tag in both recommended options of RFC 9106 (section 4): 256 bits.
pub(super) const TAG_BYTES: usize = 32;
