//! How long a remember token is accepted after it has been used.

use std::time::Duration;

/// How long a remember token is still accepted after it has been used.
///
/// A browser that sends several requests at once presents a token several times, and one that lost
/// the response presents it again later. If a token is presented when it is no longer valid, it was
/// stolen (by or from whoever presents it), and every session from that login is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RememberGrace {
    /// Good for this long, and after it as long as the browser hasn't shown that it got the new one. Default: 30 seconds.
    ///
    /// If another process rotated the token, five minutes are added for clock skew, so that no
    /// legitimate request is taken for theft. During that time a copy of the old token is still
    /// accepted for the session of that rotation, and raises no alarm.
    UntilSeen(Duration),
    /// Valid for this long and no longer. A browser that loses the response has to log in again in
    /// all its sessions. The clocks of all nodes must agree to well within this time, as with NTP.
    Strict(Duration),
}

impl RememberGrace {
    pub(crate) const fn length(self) -> Duration {
        let (Self::UntilSeen(length) | Self::Strict(length)) = self;
        length
    }
}

impl Default for RememberGrace {
    fn default() -> Self {
        Self::UntilSeen(Duration::from_secs(30))
    }
}
