//! How long the remember token before the last is good.

use std::time::Duration;

/// What becomes of a remember token after its one use: a browser that sent several requests at once shows it several times,
/// and one whose answer got lost shows it again later.
///
/// The clocks of several nodes must agree to well within this time, as NTP keeps them: an honest request at one that is ahead by more
/// looks late, and as stolen. Whoever shows it where it isn't good any more has stolen it, or was stolen from: the whole line of descent ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RememberGrace {
    /// Good for this long, and after it as long as the browser hasn't shown that it got the new one. Default: 60 seconds.
    UntilSeen(Duration),
    /// Good for this long and no longer: a browser whose answer got lost has to log in again, in all its sessions.
    Strict(Duration),
}

impl Default for RememberGrace {
    fn default() -> Self {
        Self::UntilSeen(Duration::from_secs(60))
    }
}
