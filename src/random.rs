//! Random bytes from the operating system.

use rand::{TryRng as _, rngs::SysRng};

/// The operating system returned no random bytes. There is no weaker source to fall back on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RandomFailed;

pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], RandomFailed> {
    let mut bytes = [0; N];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|_| RandomFailed)?;
    Ok(bytes)
}
