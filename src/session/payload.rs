//! The bytes of a record: what is known of the login, then the visitor's data.
//!
//! ```text
//! kind     u8    S
//! version  u8    1
//! length   u16   of the login's part, 0 where nobody has logged in
//!   flags  u8    1 = fresh, 2 = forced, 4 = remembered, 8 = its remember series waits to be seen,
//!                16 = the client is known, 32 = it has timeouts of its own, 64 = the user agent is known
//!   at     i64   when the person proved who they are, Unix milliseconds
//!   stamp  32 B  digest of the user's security stamp
//!   series 32 B  with flag 8: the key of that series
//!   client 16 B  with flag 16: a digest of what the client looked like
//!   limits 16 B  with flag 32: idle and absolute, two u64 of milliseconds
//!   agent        with flag 64: u8 length, what the browser called itself
//!   …            what a later release of this version adds; skipped
//! data           (u32 length, name, u32 length, JSON) …
//! ```

use std::{ops::Range, sync::Arc};

use crate::{clock::Millis, store::RecordKey, timeouts::Timeouts};

const KIND: u8 = b'S';
const VERSION: u8 = 1;
const FRESH: u8 = 1;
const FORCED: u8 = 2;
const REMEMBERED: u8 = 4;
const UNSEEN: u8 = 8;
const CLIENT: u8 = 16;
const TIMEOUTS: u8 = 32;
const AGENT: u8 = 64;
/// The most that is kept of what a browser calls itself, in bytes. Browsers' names take 70 to 150.
pub(crate) const MAX_AGENT: usize = 200;

/// What is known of the login that made a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    /// When the person proved who they are.
    pub(crate) at: Millis,
    /// A digest of the user's security stamp at that time.
    pub(crate) stamp: [u8; 32],
    /// They did so in this session.
    pub(crate) fresh: bool,
    /// The application let an inactive user in, knowingly.
    pub(crate) forced: bool,
    /// The login behind this session gave the browser a remember cookie.
    pub(crate) remembered: bool,
    /// The remember series that was rotated when this session was made, until the browser has shown that it got both.
    pub(crate) unseen: Option<RecordKey>,
    /// A digest of what the client looked like.
    pub(crate) client: Option<[u8; 16]>,
    /// Where the login set timeouts of its own.
    pub(crate) timeouts: Option<Timeouts>,
}

impl Proof {
    /// Of a user who is logged in for one request only.
    pub(crate) fn none() -> Self {
        Self {
            at: 0,
            stamp: [0; 32],
            fresh: false,
            forced: false,
            remembered: false,
            unseen: None,
            client: None,
            timeouts: None,
        }
    }
}

/// A payload that has been checked from end to end, so that reading from it can't fail.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    bytes: Arc<[u8]>,
    data: usize,
    agent: Range<usize>,
    pub(crate) proof: Option<Proof>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecodeError {
    Unreadable,
    Newer,
}

impl Payload {
    pub(crate) fn decode(bytes: Arc<[u8]>) -> Result<Self, DecodeError> {
        let mut rest = Reader {
            bytes: &bytes,
            at: 0,
        };
        match rest.array::<2>() {
            Some([KIND, VERSION]) => {}
            Some([KIND, newer]) if newer > VERSION => return Err(DecodeError::Newer),
            _ => return Err(DecodeError::Unreadable),
        }
        let (proof, agent) = decode_login(&mut rest).ok_or(DecodeError::Unreadable)?;
        let data = rest.at;
        while rest.at < bytes.len() {
            rest.entry().ok_or(DecodeError::Unreadable)?;
        }
        Ok(Self {
            bytes,
            data,
            agent,
            proof,
        })
    }

    pub(crate) fn encode<'a>(
        proof: Option<&Proof>,
        agent: Option<&str>,
        entries: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut bytes = vec![KIND, VERSION, 0, 0];
        let mut known = 0..0;
        if let Some(proof) = proof {
            known = encode_login(&mut bytes, proof, agent);
        }
        let data = bytes.len();
        for (name, json) in entries {
            for text in [name, json] {
                // Session data is held below 64 KiB, or somewhat more where several requests added to it at once.
                bytes.extend((text.len() as u32).to_be_bytes());
                bytes.extend(text.as_bytes());
            }
        }
        Self {
            bytes: bytes.into(),
            data,
            agent: known,
            proof: proof.copied(),
        }
    }

    /// What the browser called itself when the session was made.
    pub(crate) fn agent(&self) -> Option<&str> {
        let agent = self.bytes.get(self.agent.clone())?;
        str::from_utf8(agent).ok().filter(|agent| !agent.is_empty())
    }

    /// The bytes that a store keeps.
    pub(crate) fn bytes(&self) -> Arc<[u8]> {
        Arc::clone(&self.bytes)
    }

    /// Name and JSON of each value.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut rest = Reader {
            bytes: &self.bytes,
            at: self.data,
        };
        std::iter::from_fn(move || rest.entry())
    }
}

/// The login's part, and where in it stands what the browser called itself.
fn decode_login(rest: &mut Reader<'_>) -> Option<(Option<Proof>, Range<usize>)> {
    let len = usize::from(u16::from_be_bytes(rest.array()?));
    if len == 0 {
        return Some((None, 0..0));
    }
    let Range { start, end } = rest.take(len)?;
    let mut part = Reader {
        bytes: rest.bytes.get(..end)?,
        at: start,
    };
    let [flags] = part.array()?;
    let at = i64::from_be_bytes(part.array()?);
    let stamp = part.array()?;
    let has = |flag| flags & flag != 0;
    let unseen = match has(UNSEEN) {
        true => Some(RecordKey::from_bytes(part.array()?)),
        false => None,
    };
    let client = match has(CLIENT) {
        true => Some(part.array()?),
        false => None,
    };
    let timeouts = match has(TIMEOUTS) {
        true => Some(part.timeouts()?),
        false => None,
    };
    let agent = match has(AGENT) {
        true => {
            let [len] = part.array()?;
            part.take(usize::from(len))?
        }
        false => 0..0,
    };
    let proof = Proof {
        at,
        stamp,
        fresh: has(FRESH),
        forced: has(FORCED),
        remembered: has(REMEMBERED),
        unseen,
        client,
        timeouts,
    };
    Some((Some(proof), agent))
}

/// Appends the login's part to the head. Answers where the agent stands.
fn encode_login(bytes: &mut Vec<u8>, proof: &Proof, agent: Option<&str>) -> Range<usize> {
    let start = bytes.len();
    let flag = |is: bool, flag| if is { flag } else { 0 };
    bytes.push(
        flag(proof.fresh, FRESH)
            | flag(proof.forced, FORCED)
            | flag(proof.remembered, REMEMBERED)
            | flag(proof.unseen.is_some(), UNSEEN)
            | flag(proof.client.is_some(), CLIENT)
            | flag(proof.timeouts.is_some(), TIMEOUTS)
            | flag(agent.is_some(), AGENT),
    );
    bytes.extend(proof.at.to_be_bytes());
    bytes.extend(proof.stamp);
    bytes.extend(proof.unseen.iter().flat_map(RecordKey::as_bytes));
    bytes.extend(proof.client.iter().flatten());
    for limit in proof.timeouts.iter().flat_map(Timeouts::as_millis) {
        bytes.extend(limit.to_be_bytes());
    }
    let mut known = 0..0;
    if let Some(agent) = agent {
        let agent = agent.get(..MAX_AGENT).unwrap_or(agent).as_bytes();
        bytes.push(agent.len() as u8);
        known = bytes.len()..bytes.len() + agent.len();
        bytes.extend(agent);
    }
    let len = (bytes.len() - start) as u16;
    bytes.splice(start - 2..start, len.to_be_bytes());
    known
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<Range<usize>> {
        let end = self
            .at
            .checked_add(len)
            .filter(|&end| end <= self.bytes.len())?;
        let range = self.at..end;
        self.at = end;
        Some(range)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let range = self.take(N)?;
        self.bytes.get(range)?.try_into().ok()
    }

    fn timeouts(&mut self) -> Option<Timeouts> {
        let idle = u64::from_be_bytes(self.array()?);
        let absolute = u64::from_be_bytes(self.array()?);
        Timeouts::from_millis([idle, absolute])
    }

    fn text(&mut self) -> Option<&'a str> {
        let len = u32::from_be_bytes(self.array()?);
        let range = self.take(len.try_into().ok()?)?;
        std::str::from_utf8(self.bytes.get(range)?).ok()
    }

    fn entry(&mut self) -> Option<(&'a str, &'a str)> {
        Some((self.text()?, self.text()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof() -> Proof {
        Proof {
            at: 1_700_000_000_000,
            stamp: [7; 32],
            fresh: true,
            forced: false,
            remembered: true,
            unseen: Some(RecordKey::from_bytes([9; 32])),
            client: Some([5; 16]),
            timeouts: Some(Timeouts::aal3()),
        }
    }

    const AGENT: Option<&str> = Some("Mozilla/5.0");

    fn entries(payload: &Payload) -> Vec<(&str, &str)> {
        payload.entries().collect()
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        for proof in [None, Some(proof())] {
            let data = [("cart", "[1,2]"), ("名", "\"é\""), ("", "null")];
            let agent = AGENT.filter(|_| proof.is_some());
            let written = Payload::encode(proof.as_ref(), agent, data.into_iter());
            let read = Payload::decode(written.bytes()).unwrap();
            assert_eq!(read.proof, proof);
            assert_eq!((read.agent(), written.agent()), (agent, agent));
            assert_eq!(entries(&read), data);
        }
    }

    #[test]
    fn fault_7_every_truncation_and_every_flipped_bit_is_read_or_refused_without_a_panic() {
        let whole = Payload::encode(
            Some(&proof()),
            AGENT,
            [("a", "1"), ("b", "\"two\"")].into_iter(),
        )
        .bytes();
        for end in 0..whole.len() {
            if let Ok(payload) = Payload::decode(whole[..end].into()) {
                let _ = (entries(&payload), payload.agent());
            }
        }
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(payload) = Payload::decode(bytes.into()) {
                let _ = (entries(&payload), payload.agent());
            }
        }
        for junk in [
            &b""[..],
            b"{}",
            b"\0\0",
            b"S\x01",
            b"R\x01\0\0",
            &[0xff; 300],
        ] {
            assert!(Payload::decode(junk.into()).is_err(), "{junk:?}");
        }
    }

    #[test]
    fn fault_8_a_newer_version_is_told_from_rubbish() {
        let mut bytes = Payload::encode(None, None, std::iter::empty())
            .bytes()
            .to_vec();
        bytes[1] += 1;
        assert_eq!(
            Payload::decode(bytes.into()).unwrap_err(),
            DecodeError::Newer
        );
        assert_eq!(
            Payload::decode(b"S\0".as_slice().into()).unwrap_err(),
            DecodeError::Unreadable
        );
    }

    #[test]
    fn a_longer_login_part_of_a_later_release_is_read() {
        let mut bytes = Payload::encode(Some(&proof()), AGENT, [("a", "1")].into_iter())
            .bytes()
            .to_vec();
        let end = 4 + usize::from(bytes[3]);
        bytes[3] += 3;
        bytes.splice(end..end, [1, 2, 3]);
        let read = Payload::decode(bytes.into()).unwrap();
        assert_eq!(read.proof, Some(proof()));
        assert_eq!(entries(&read), [("a", "1")]);
    }
}
