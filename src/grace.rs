//! How long a secret is accepted after it has been replaced.

use std::time::Duration;

/// How long a secret is still accepted after it has been replaced.
///
/// A browser that sends several requests at once presents a secret several times, and a browser
/// that lost the response presents it again later. Both variants contain the length of the grace,
/// by default 30 seconds:
///
/// - A **session secret** that was replaced by a confirmation, a rotation, a restore or a further
///   login of the same user is accepted during the grace, and invalid after it. A request with it
///   joins the session.
/// - The **token secret** of a remember cookie is exchanged at each use. During the grace, a
///   request with the old one joins the session. The variants differ in what happens after the
///   grace. If a token secret that is no longer accepted is presented, it was stolen, by or from
///   whoever presents it, and the session ends.
///
/// In the manual: [Remember-me](crate::manual::remember_me#if-the-cookie-is-stolen).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RememberGrace {
    /// After the grace, a used token secret restores the login again as long as the browser has not
    /// shown that it received the new one. This is the default, with 30 seconds.
    ///
    /// If another process exchanged the token secret, five minutes are added for clock skew, so
    /// that no legitimate request is taken for theft. During that time, a request with a copy of
    /// the old secret still joins the session and raises no alarm.
    UntilSeen(Duration),
    /// After the grace, a used token secret is considered stolen. If the response of a restore is
    /// lost, the session ends and the user logs in again. The clocks of all nodes must differ by
    /// much less than this time, as with NTP.
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
