//! How long the remember token before the last is good.

use std::time::Duration;

/// What becomes of a remember token after its one use: a browser that sent several requests at once shows it several times,
/// and one whose answer got lost shows it again later.
///
/// Whoever shows it where it isn't good any more has stolen it, or was stolen from: the whole line of descent ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RememberGrace {
    /// Good for this long, and after it as long as the browser hasn't shown that it got the new one. Default: 60 seconds.
    ///
    /// Where another process made the exchange, five minutes more, since its clock may be behind: no honest request shall look late.
    /// For so long a copy of the old token is let into the session of that exchange, and no alarm is raised before.
    UntilSeen(Duration),
    /// Good for this long and no longer: a browser whose answer got lost has to log in again, in all its sessions. Clocks of
    /// several nodes must agree to well within this time, as NTP keeps them.
    Strict(Duration),
}

impl Default for RememberGrace {
    fn default() -> Self {
        Self::UntilSeen(Duration::from_secs(60))
    }
}
