//! The bytes of a remember series: which secret is good, which was, and what the browser has shown to have.
//!
//! ```text
//! kind     u8    R
//! version  u8    1
//! flags    u8    1 = the current secret has been seen, 2 = there was one before, 4 = the login was forced
//! at       i64   when the person proved who they are, Unix milliseconds
//! stamp    32 B  digest of the user's security stamp then
//! current  32 B  digest of the secret
//! before   32 B  digest of the one before it
//! rotated  i64   when the current one took its place
//! clock    8 B   by which clock that was
//! session  32 B  key of the session that was made then
//! agent          u8 length, what the browser called itself at the login or the last exchange
//! ```

use std::sync::Arc;

use ctutils::CtEq as _;

use crate::{
    clock::{ClockId, Millis, Reading, millis},
    grace::RememberGrace,
    session::MAX_AGENT,
    store::RecordKey,
};

const HEAD: [u8; 2] = [b'R', 1];
const SEEN: u8 = 1;
const ROTATED: u8 = 2;
const FORCED: u8 = 4;
/// How far two clocks may be apart before an honest request looks like a thief's, in milliseconds: five minutes, as Kerberos
/// has it (RFC 4120). So far in the future may an exchange lie, and so much longer is its grace where another clock measures it.
const SKEW: Millis = 5 * 60 * 1000;
/// Without the agent.
const LEN: usize = 2 + 1 + 8 + 32 + 32 + 32 + 8 + 8 + 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Series {
    pub(super) at: Millis,
    pub(super) stamp: [u8; 32],
    pub(super) forced: bool,
    current: [u8; 32],
    rotation: Option<Rotation>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rotation {
    before: [u8; 32],
    at: Reading,
    session: RecordKey,
    seen: bool,
}

/// What a secret is worth to its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is the current one, or its successor was never seen: it may be exchanged for a new one.
    Good,
    /// It has just been exchanged, by a request beside this one: this is the session that was made.
    Exchanged(RecordKey),
    /// The same, unless another clock is behind. Its successor was never seen: where that session is gone it may be exchanged
    /// once more.
    Lost(RecordKey),
    /// It is good no more, or never was.
    Stolen,
}

impl Series {
    pub(super) fn new(at: Millis, stamp: [u8; 32], forced: bool, secret: [u8; 32]) -> Self {
        Self {
            at,
            stamp,
            forced,
            current: secret,
            rotation: None,
        }
    }

    pub(super) fn standing(
        &self,
        secret: &[u8; 32],
        grace: RememberGrace,
        now: Reading,
    ) -> Standing {
        if self.knows(secret) {
            return Standing::Good;
        }
        let Some(rotation) = self
            .rotation
            .filter(|rotation| rotation.before.ct_eq(secret).into())
        else {
            return Standing::Stolen;
        };
        let (RememberGrace::UntilSeen(length) | RememberGrace::Strict(length)) = grace;
        let (over, session) = (millis(length), rotation.session);
        let age = now.at.saturating_sub(rotation.at.at);
        // A clock that went far back makes no grace last for ever.
        if (-SKEW..=over).contains(&age) {
            return Standing::Exchanged(session);
        }
        if let RememberGrace::Strict(_) = grace {
            return Standing::Stolen;
        }
        // The other clock may be behind.
        let may_be_early = rotation.at.by != now.by && age <= over.saturating_add(SKEW) && age > 0;
        match (rotation.seen, may_be_early) {
            (true, true) => Standing::Exchanged(session),
            (true, false) => Standing::Stolen,
            (false, true) => Standing::Lost(session),
            (false, false) => Standing::Good,
        }
    }

    /// The session of an exchange that the browser hasn't shown to have got.
    pub(super) fn unseen_session(&self) -> Option<RecordKey> {
        self.rotation
            .filter(|rotation| !rotation.seen)
            .map(|rotation| rotation.session)
    }

    /// Whether this is the secret that it knows as the current one.
    pub(super) fn knows(&self, secret: &[u8; 32]) -> bool {
        self.current.ct_eq(secret).into()
    }

    /// The series after this secret was exchanged for another.
    pub(super) fn exchanged(
        &self,
        secret: [u8; 32],
        new: [u8; 32],
        session: RecordKey,
        now: Reading,
    ) -> Self {
        Self {
            current: new,
            rotation: Some(Rotation {
                before: secret,
                at: now,
                session,
                seen: false,
            }),
            ..*self
        }
    }

    /// The series after the browser showed the session that was made with the current secret; `None` if that is no news.
    pub(super) fn seen(&self, secret: &[u8; 32]) -> Option<Self> {
        let rotation = self
            .rotation
            .filter(|rotation| !rotation.seen && self.knows(secret))?;
        Some(Self {
            rotation: Some(Rotation {
                seen: true,
                ..rotation
            }),
            ..*self
        })
    }

    pub(super) fn encode(&self, agent: Option<&str>) -> Arc<[u8]> {
        let none = Rotation {
            before: [0; 32],
            at: Reading {
                at: 0,
                by: ClockId([0; 8]),
            },
            session: RecordKey::from_bytes([0; 32]),
            seen: false,
        };
        let rotation = self.rotation.unwrap_or(none);
        let flag = |is: bool, flag| if is { flag } else { 0 };
        let agent = agent.unwrap_or_default();
        let agent = agent.get(..MAX_AGENT).unwrap_or(agent).as_bytes();
        let mut bytes = Vec::with_capacity(LEN + 1 + agent.len());
        bytes.extend(HEAD);
        bytes.push(
            flag(rotation.seen, SEEN)
                | flag(self.rotation.is_some(), ROTATED)
                | flag(self.forced, FORCED),
        );
        bytes.extend(self.at.to_be_bytes());
        bytes.extend(self.stamp);
        bytes.extend(self.current);
        bytes.extend(rotation.before);
        bytes.extend(rotation.at.at.to_be_bytes());
        bytes.extend(rotation.at.by.0);
        bytes.extend(rotation.session.as_bytes());
        bytes.push(agent.len() as u8);
        bytes.extend(agent);
        bytes.into()
    }

    /// `None` for anything else, a newer version too: then the cookie is worth nothing here, and the record is left alone.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&HEAD)?;
        let (&[flags], rest) = rest.split_first_chunk()?;
        let (at, rest) = rest.split_first_chunk()?;
        let (stamp, rest) = rest.split_first_chunk()?;
        let (current, rest) = rest.split_first_chunk()?;
        let (before, rest) = rest.split_first_chunk()?;
        let (rotated, rest) = rest.split_first_chunk()?;
        let (clock, rest) = rest.split_first_chunk()?;
        let (session, rest) = rest.split_first_chunk()?;
        let (&[agent], rest) = rest.split_first_chunk()?;
        if rest.len() != usize::from(agent) {
            return None;
        }
        let session = RecordKey::from_bytes(*session);
        let rotation = Rotation {
            before: *before,
            at: Reading {
                at: i64::from_be_bytes(*rotated),
                by: ClockId(*clock),
            },
            session,
            seen: flags & SEEN != 0,
        };
        Some(Self {
            at: i64::from_be_bytes(*at),
            stamp: *stamp,
            forced: flags & FORCED != 0,
            current: *current,
            rotation: (flags & ROTATED != 0).then_some(rotation),
        })
    }
}

/// What the browser called itself, in the bytes of a series.
pub(super) fn agent_of(bytes: &[u8]) -> Option<&str> {
    let agent = str::from_utf8(bytes.get(LEN + 1..)?).ok()?;
    Some(agent).filter(|agent| !agent.is_empty())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SESSION: RecordKey = RecordKey::from_bytes([5; 32]);
    const MINUTE: Duration = Duration::from_secs(60);

    const HERE: ClockId = ClockId([1; 8]);
    const ELSEWHERE: ClockId = ClockId([2; 8]);

    fn at(at: Millis) -> Reading {
        Reading { at, by: HERE }
    }

    fn elsewhere(at: Millis) -> Reading {
        Reading { at, by: ELSEWHERE }
    }

    fn series() -> Series {
        Series::new(1_000, [9; 32], true, [1; 32])
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let exchanged = series().exchanged([1; 32], [2; 32], SESSION, at(2_000));
        for series in [series(), exchanged, exchanged.seen(&[2; 32]).unwrap()] {
            let bytes = series.encode(Some("Mozilla/5.0"));
            assert_eq!(Series::decode(&bytes), Some(series));
            assert_eq!(agent_of(&bytes), Some("Mozilla/5.0"));
            assert_eq!(agent_of(&series.encode(None)), None);
            for end in 0..bytes.len() {
                assert_eq!(Series::decode(&bytes[..end]), None);
            }
            assert_eq!(Series::decode(&[&bytes, &[0][..]].concat()), None);
        }
    }

    #[test]
    fn d4_a_secret_that_was_exchanged_and_whose_successor_was_seen_is_stolen() {
        let exchanged = series().exchanged([1; 32], [2; 32], SESSION, at(0));
        let seen = exchanged.seen(&[2; 32]).unwrap();
        let grace = RememberGrace::UntilSeen(MINUTE);
        assert_eq!(seen.standing(&[2; 32], grace, at(60_001)), Standing::Good);
        assert_eq!(
            seen.standing(&[1; 32], grace, at(60_000)),
            Standing::Exchanged(SESSION)
        );
        assert_eq!(seen.standing(&[1; 32], grace, at(60_001)), Standing::Stolen);
        assert_eq!(seen.standing(&[3; 32], grace, at(0)), Standing::Stolen);
    }

    #[test]
    fn d6_a_lost_answer_locks_nobody_out() {
        let exchanged = series().exchanged([1; 32], [2; 32], SESSION, at(0));
        assert_eq!(
            exchanged.standing(&[1; 32], RememberGrace::UntilSeen(MINUTE), at(60_001)),
            Standing::Good
        );
        assert_eq!(
            exchanged.standing(&[1; 32], RememberGrace::Strict(MINUTE), at(60_001)),
            Standing::Stolen
        );
        assert_eq!(
            exchanged.standing(&[1; 32], RememberGrace::Strict(MINUTE), at(60_000)),
            Standing::Exchanged(SESSION)
        );
    }

    #[test]
    fn fault_15_another_clock_may_be_five_minutes_ahead() {
        let exchanged = series().exchanged([1; 32], [2; 32], SESSION, at(0));
        let (unseen, seen) = (exchanged, exchanged.seen(&[2; 32]).unwrap());
        let (last, over) = (elsewhere(60_000 + SKEW), elsewhere(60_001 + SKEW));
        let until_seen = RememberGrace::UntilSeen(MINUTE);
        let standing = |series: Series, grace, now| series.standing(&[1; 32], grace, now);
        assert_eq!(
            standing(seen, until_seen, last),
            Standing::Exchanged(SESSION)
        );
        assert_eq!(standing(unseen, until_seen, last), Standing::Lost(SESSION));
        assert_eq!(standing(unseen, until_seen, over), Standing::Good);
        assert_eq!(standing(seen, until_seen, over), Standing::Stolen);
        let strict = RememberGrace::Strict(MINUTE);
        let late = elsewhere(60_001);
        assert_eq!(standing(seen, strict, late), Standing::Stolen);
        assert_eq!(standing(unseen, strict, late), Standing::Stolen);
    }

    #[test]
    fn only_who_shows_the_current_secret_shows_that_it_arrived() {
        let exchanged = series().exchanged([1; 32], [2; 32], SESSION, at(0));
        assert_eq!(exchanged.seen(&[1; 32]), None);
        assert_eq!(
            series().seen(&[1; 32]),
            None,
            "there is no exchange to be seen"
        );
        assert_eq!(exchanged.seen(&[2; 32]).unwrap().seen(&[2; 32]), None);
    }

    #[test]
    fn p39_a_clock_that_went_far_back_ends_the_grace() {
        let now = 1_000_000;
        let seen = series()
            .exchanged([1; 32], [2; 32], SESSION, at(now))
            .seen(&[2; 32])
            .unwrap();
        let grace = RememberGrace::UntilSeen(MINUTE);
        assert_eq!(
            seen.standing(&[1; 32], grace, at(now - SKEW)),
            Standing::Exchanged(SESSION)
        );
        assert_eq!(
            seen.standing(&[1; 32], grace, at(now - SKEW - 1)),
            Standing::Stolen
        );
    }
}
