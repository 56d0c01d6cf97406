//! The format of a session record's payload.
//!
//! ```text
//! head, the same in every version, so that an older release can log out a newer record
//!   kind      u8    S
//!   version   u8    1
//!   present   u8    1 = current, 2 = previous, 4 = series
//!   rotated   i64   when the current session secret was made
//!   current   32 B  digest of the session secret; absent once the record is closed
//!   previous  32 B  digest of the one before
//!   series    32 B  digest of the remember cookie's series secret
//! body of version 1
//!   mark      8 B   random, new with every update: by it a writer recognizes its own write
//!   idle      i64   idle timeout of the session
//!   absolute  i64   absolute timeout of the session
//!   ends      i64   absolute end of the session
//!   epoch     u32   number of logins in this record
//!   parts     u8    1 = login, 2 = remember, 4 = the previous secret does not join, 8 = actor
//!   login:    flags u8 (1 = fresh, 2 = forced, 4 = stamp, 8 = client, 16 = methods), at i64,
//!             browser 2 B, user type 4 B, stamp 32 B, client 8 B, methods (count u8, each:
//!             length u8, name, at i64)
//!   remember: flags u8 (1 = previous, 2 = skipped, 4 = seen), issued i64, ends i64, exchanged i64,
//!             clock 8 B, current 32 B, previous 32 B, skipped 32 B
//!   actor:    u32 length, id, session 16 B, epoch u32
//!   data      (u32 length, name, u32 length, JSON) …
//! ```
//!
//! Numbers are big-endian, times Unix milliseconds. Parts that are absent take no room.

use std::{ops::Range, sync::Arc};

use super::{
    actor::Actor,
    browser::Browser,
    entries::{Entries, Reader},
    methods::Methods,
};
use crate::{
    clock::{ClockId, Millis, Reading, millis},
    protection::ClientMark,
    realm::{Realm, UserType},
    store::Digest,
    timeouts::Timeouts,
};

const KIND: u8 = b'S';
const VERSION: u8 = 1;

const CURRENT: u8 = 1;
const PREVIOUS: u8 = 2;
const SERIES: u8 = 4;

const LOGIN: u8 = 1;
const REMEMBER: u8 = 2;
const EXCLUDES_PREVIOUS: u8 = 4;
const ACTOR: u8 = 8;

const FRESH: u8 = 1;
const FORCED: u8 = 2;
const STAMP: u8 = 4;
const CLIENT: u8 = 8;
const METHODS: u8 = 16;

const REMEMBER_PREVIOUS: u8 = 1;
const SKIPPED: u8 = 2;
const SEEN: u8 = 4;

/// The secrets that are valid for a session. Every version of the payload starts with this head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// `None` once the record is closed.
    pub(crate) current: Option<Digest>,
    pub(crate) previous: Option<Digest>,
    /// When `current` was made, or when the record was closed.
    pub(crate) rotated: Millis,
    pub(crate) series: Option<Digest>,
}

/// A decoded record, except for the data, which is checked here and read in place.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    pub(crate) head: Head,
    pub(crate) mark: Mark,
    pub(crate) limits: Limits,
    /// Raised by every login in this record. Data that was read in another epoch is not merged.
    pub(crate) epoch: u32,
    /// The previous secret may be known to someone else, so requests with it do not join.
    pub(crate) excludes_previous: bool,
    pub(crate) login: Option<LoginFacts>,
    /// How the user has entered credentials in this session. Written with the login facts.
    pub(crate) methods: Methods,
    pub(crate) remember: Option<RememberPart>,
    /// The user who impersonates this user. Kept when the record is closed.
    pub(crate) actor: Option<Arc<Actor>>,
    pub(crate) entries: Entries,
}

pub(crate) type Mark = [u8; 8];

/// How long the session part of a record lives; its remember part has its own end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) idle: Millis,
    /// The absolute timeout, counted from a login or a confirmation.
    pub(crate) absolute: Millis,
    pub(crate) ends: Millis,
}

impl Limits {
    pub(crate) fn new(timeouts: Timeouts, now: Millis) -> Self {
        Self {
            idle: millis(timeouts.idle()),
            absolute: millis(timeouts.absolute()),
            ends: timeouts.ends(now),
        }
    }

    /// The same timeouts, counted from `now`.
    pub(crate) fn renewed(&self, now: Millis) -> Self {
        Self {
            ends: now.saturating_add(self.absolute),
            ..*self
        }
    }

    /// When a session that was used at `touched` expires.
    pub(crate) fn expires(&self, touched: Millis) -> Millis {
        touched.saturating_add(self.idle).min(self.ends)
    }
}

/// The facts of the login in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LoginFacts {
    /// When the user entered credentials.
    pub(crate) at: Millis,
    /// Whether they did so in this session.
    pub(crate) fresh: bool,
    /// The application logged in an inactive user with `force`.
    pub(crate) forced: bool,
    pub(crate) browser: Browser,
    /// The user type that the session was written for.
    pub(crate) user_type: UserType,
    /// Digest of the user's security stamp, if there is one.
    pub(crate) stamp: Option<Digest>,
    /// Digest of the client's fingerprint.
    pub(crate) client: Option<ClientMark>,
}

/// The remember part of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RememberPart {
    pub(crate) current: Digest,
    /// Digest of the token secret that was exchanged for `current`.
    pub(crate) previous: Option<Digest>,
    /// Digest of a passed-over successor: `previous` was first exchanged for it, and then for
    /// `current`, because the browser had not shown that it had received the first one.
    pub(crate) skipped: Option<Digest>,
    /// When `current` was made, and by whose clock.
    pub(crate) exchanged: Reading,
    /// The browser has shown that it received the cookies of the last exchange.
    pub(crate) seen: bool,
    /// The time of the login with `remember(true)`.
    pub(crate) issued: Millis,
    pub(crate) ends: Millis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecodeError {
    Unreadable,
    /// Written by a newer release: its head can be read, and it must not be overwritten.
    Newer(Head),
}

impl Payload {
    pub(crate) fn decode(bytes: &Arc<[u8]>) -> Result<Self, DecodeError> {
        let mut reader = Reader { bytes, at: 0 };
        let (version, head) = reader.head().ok_or(DecodeError::Unreadable)?;
        match version {
            VERSION => reader.body(head, bytes).ok_or(DecodeError::Unreadable),
            newer if newer > VERSION => Err(DecodeError::Newer(head)),
            _ => Err(DecodeError::Unreadable),
        }
    }

    pub(crate) fn encode(&self) -> Arc<[u8]> {
        let data = self.entries.bytes();
        let mut bytes = Vec::with_capacity(320 + data.len());
        let Head {
            current,
            previous,
            rotated,
            series,
        } = self.head;
        let present = flag(&current, CURRENT) | flag(&previous, PREVIOUS) | flag(&series, SERIES);
        bytes.extend([KIND, VERSION, present]);
        bytes.extend(rotated.to_be_bytes());
        extend_with(&mut bytes, [current, previous, series]);

        bytes.extend(self.mark);
        bytes.extend(self.limits.idle.to_be_bytes());
        bytes.extend(self.limits.absolute.to_be_bytes());
        bytes.extend(self.limits.ends.to_be_bytes());
        bytes.extend(self.epoch.to_be_bytes());
        let excludes_previous = match self.excludes_previous {
            true => EXCLUDES_PREVIOUS,
            false => 0,
        };
        let parts =
            flag(&self.login, LOGIN) | flag(&self.remember, REMEMBER) | flag(&self.actor, ACTOR);
        bytes.push(parts | excludes_previous);
        if let Some(login) = &self.login {
            let set = |is: bool, flag| if is { flag } else { 0 };
            bytes.push(
                set(login.fresh, FRESH)
                    | set(login.forced, FORCED)
                    | flag(&login.stamp, STAMP)
                    | flag(&login.client, CLIENT)
                    | set(!self.methods.is_empty(), METHODS),
            );
            bytes.extend(login.at.to_be_bytes());
            bytes.extend(login.browser.to_bytes());
            bytes.extend(login.user_type);
            extend_with(&mut bytes, [login.stamp]);
            bytes.extend(login.client.iter().flatten());
            bytes.extend(self.methods.bytes());
        }
        if let Some(remember) = &self.remember {
            bytes.push(
                flag(&remember.previous, REMEMBER_PREVIOUS)
                    | flag(&remember.skipped, SKIPPED)
                    | if remember.seen { SEEN } else { 0 },
            );
            bytes.extend(remember.issued.to_be_bytes());
            bytes.extend(remember.ends.to_be_bytes());
            bytes.extend(remember.exchanged.at.to_be_bytes());
            bytes.extend(remember.exchanged.by.0);
            let digests = [Some(remember.current), remember.previous, remember.skipped];
            extend_with(&mut bytes, digests);
        }
        if let Some(actor) = &self.actor {
            actor.encode(&mut bytes);
        }
        bytes.extend(data);
        bytes.into()
    }

    /// Whether the bearer of the session secret may use the session at `now`.
    pub(crate) fn is_session_live(&self, touched: Millis, now: Millis) -> bool {
        now < self.limits.expires(touched)
    }

    /// Whether the login was written for users of another type.
    pub(crate) fn is_for_another_type(&self, realm: &Realm) -> bool {
        self.login
            .is_some_and(|login| realm.is_of_another_type(login.user_type))
    }

    /// When a record with this payload expires and how far a touch may move that.
    pub(crate) fn lifetime(&self, touched: Millis) -> Lifetime {
        let remembered = self.remember.map_or(Millis::MIN, |remember| remember.ends);
        Lifetime {
            expires: self.limits.expires(touched).max(remembered),
            ends: self.limits.ends.max(remembered),
        }
    }
}

/// Two fields of a record that follow from its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime {
    pub(crate) expires: Millis,
    pub(crate) ends: Millis,
}

fn flag<T>(part: &Option<T>, flag: u8) -> u8 {
    if part.is_some() { flag } else { 0 }
}

fn extend_with<const N: usize>(bytes: &mut Vec<u8>, digests: [Option<Digest>; N]) {
    for digest in digests.into_iter().flatten() {
        bytes.extend(digest.0);
    }
}

/// The parts of a payload.
impl<'a> Reader<'a> {
    /// Reads a part that is present if its flag is set.
    #[allow(
        clippy::option_option,
        reason = "the outer `None` is a malformed payload, the inner one an absent part"
    )]
    fn optional<T>(
        &mut self,
        flags: u8,
        flag: u8,
        part: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        match flags & flag {
            0 => Some(None),
            _ => part(self).map(Some),
        }
    }

    fn head(&mut self) -> Option<(u8, Head)> {
        let [kind, version, present] = self.array()?;
        if kind != KIND {
            return None;
        }
        let rotated = self.i64()?;
        let head = Head {
            current: self.optional(present, CURRENT, Self::digest)?,
            previous: self.optional(present, PREVIOUS, Self::digest)?,
            rotated,
            series: self.optional(present, SERIES, Self::digest)?,
        };
        Some((version, head))
    }

    fn body(mut self, head: Head, bytes: &Arc<[u8]>) -> Option<Payload> {
        let mark = self.array()?;
        let limits = Limits {
            idle: self.i64()?,
            absolute: self.i64()?,
            ends: self.i64()?,
        };
        let epoch = u32::from_be_bytes(self.array()?);
        let parts = self.byte()?;
        let (login, methods) = self.optional(parts, LOGIN, Self::login)?.unzip();
        let remember = self.optional(parts, REMEMBER, Self::remember)?;
        let actor = self.optional(parts, ACTOR, Self::actor)?;
        let range = self.at..self.bytes.len();
        while self.at < self.bytes.len() {
            self.entry()?;
        }
        Some(Payload {
            head,
            mark,
            limits,
            epoch,
            excludes_previous: parts & EXCLUDES_PREVIOUS != 0,
            login,
            methods: Methods::checked(bytes, methods.unwrap_or_default()),
            remember,
            actor,
            entries: Entries::checked(bytes, range),
        })
    }

    /// The login facts, and where the methods are.
    fn login(&mut self) -> Option<(LoginFacts, Range<usize>)> {
        let flags = self.byte()?;
        let login = LoginFacts {
            fresh: flags & FRESH != 0,
            forced: flags & FORCED != 0,
            at: self.i64()?,
            browser: Browser::from_bytes(self.array()?),
            user_type: self.array()?,
            stamp: self.optional(flags, STAMP, Self::digest)?,
            client: self.optional(flags, CLIENT, Self::array)?,
        };
        let methods = self.optional(flags, METHODS, Self::methods)?;
        Some((login, methods.unwrap_or_default()))
    }

    fn remember(&mut self) -> Option<RememberPart> {
        let flags = self.byte()?;
        let (issued, ends) = (self.i64()?, self.i64()?);
        let exchanged = Reading {
            at: self.i64()?,
            by: ClockId(self.array()?),
        };
        Some(RememberPart {
            seen: flags & SEEN != 0,
            issued,
            ends,
            exchanged,
            current: self.digest()?,
            previous: self.optional(flags, REMEMBER_PREVIOUS, Self::digest)?,
            skipped: self.optional(flags, SKIPPED, Self::digest)?,
        })
    }
}

impl Head {
    /// Whether one of these digests of a session secret is, or was, this record's.
    pub(crate) fn knows(&self, secret: &Digest) -> bool {
        self.current.as_ref() == Some(secret) || self.previous.as_ref() == Some(secret)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{random::random_bytes, session::MethodName, store::SessionId};

    fn digest() -> Digest {
        Digest(random_bytes().unwrap())
    }

    fn full() -> Payload {
        Payload {
            head: Head {
                current: Some(digest()),
                previous: Some(digest()),
                rotated: 5,
                series: Some(digest()),
            },
            mark: [1; 8],
            limits: Limits {
                idle: 1,
                absolute: 3,
                ends: -2,
            },
            epoch: 7,
            excludes_previous: true,
            login: Some(LoginFacts {
                at: 3,
                fresh: true,
                forced: true,
                browser: Browser::of("Firefox/1 Windows"),
                user_type: [6; 4],
                stamp: Some(digest()),
                client: Some([4; 8]),
            }),
            methods: Methods::default().with(
                &["password", "totp"].map(|name| MethodName::parse(name).unwrap()),
                8,
            ),
            remember: Some(RememberPart {
                current: digest(),
                previous: Some(digest()),
                skipped: Some(digest()),
                exchanged: Reading {
                    at: 9,
                    by: ClockId([2; 8]),
                },
                seen: true,
                issued: 10,
                ends: 11,
            }),
            actor: Some(Arc::new(Actor {
                id: "7".into(),
                session: SessionId::from_bytes([3; 16]),
                epoch: 2,
            })),
            entries: Entries::new([("a", "1"), ("b", "\"x\"")].into_iter()),
        }
    }

    fn empty() -> Payload {
        Payload {
            head: Head {
                current: None,
                previous: None,
                rotated: 0,
                series: None,
            },
            excludes_previous: false,
            login: None,
            methods: Methods::default(),
            remember: None,
            actor: None,
            entries: Entries::empty(),
            ..full()
        }
    }

    fn assert_same(left: &Payload, right: &Payload) {
        assert_eq!(left.head, right.head);
        assert_eq!(
            (left.mark, left.limits, left.epoch, left.excludes_previous),
            (
                right.mark,
                right.limits,
                right.epoch,
                right.excludes_previous
            )
        );
        assert_eq!((left.login, left.remember), (right.login, right.remember));
        assert_eq!(left.actor, right.actor);
        assert!(left.methods.iter().eq(right.methods.iter()));
        assert!(left.entries.iter().eq(right.entries.iter()));
    }

    #[test]
    fn payload_round_trips() {
        for payload in [full(), empty()] {
            assert_same(&payload, &Payload::decode(&payload.encode()).unwrap());
        }
    }

    #[test]
    fn truncated_or_flipped_payload_never_panics() {
        let bytes = full().encode();
        for length in 0..bytes.len() {
            let cut: Arc<[u8]> = bytes[..length].into();
            let _ = Payload::decode(&cut);
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(payload) = Payload::decode(&flipped.into()) {
                let _ = payload.entries.iter().count();
            }
        }
    }

    #[test]
    fn newer_payload_still_shows_its_head() {
        let mut bytes = full().encode().to_vec();
        bytes[1] = VERSION + 1;
        bytes.truncate(3 + 8 + 3 * 32);
        let newer = Payload::decode(&bytes.clone().into()).unwrap_err();
        assert!(matches!(newer, DecodeError::Newer(head) if head.current.is_some()));
        for (at, byte) in [(0, b'R'), (1, 0)] {
            let mut other = bytes.clone();
            other[at] = byte;
            assert_eq!(
                Payload::decode(&other.into()).unwrap_err(),
                DecodeError::Unreadable
            );
        }
    }

    #[test]
    fn an_ordinary_session_takes_under_150_bytes() {
        let mut payload = full();
        payload.remember = None;
        payload.head.previous = None;
        payload.head.series = None;
        payload.methods = Methods::default();
        payload.actor = None;
        payload.entries = Entries::empty();
        if let Some(login) = &mut payload.login {
            login.stamp = None;
        }
        assert!(payload.encode().len() < 150);
    }

    proptest! {
        #[test]
        fn methods_and_actor_come_back_as_they_were_stored(
            names in prop::collection::vec("[a-z0-9_-]{1,16}", 0..12),
            at in any::<i64>(),
            actor in prop::option::of(("\\PC{0,60}", any::<[u8; 16]>(), any::<u32>())),
        ) {
            let names: Vec<_> = names.iter().filter_map(|name| MethodName::parse(name)).collect();
            let payload = Payload {
                methods: Methods::default().with(&names, at),
                actor: actor.map(|(id, session, epoch)| {
                    let session = SessionId::from_bytes(session);
                    Arc::new(Actor { id: id.into(), session, epoch })
                }),
                ..full()
            };
            assert_same(&payload, &Payload::decode(&payload.encode()).unwrap());
        }

        #[test]
        fn any_bytes_after_a_head_are_read_without_panic(present: u8, parts: u8, tail: Vec<u8>) {
            let body = [&[KIND, VERSION, present][..], &[7; 8 + 3 * 32 + 36], &[parts], &tail];
            for bytes in [body.concat(), tail] {
                if let Ok(payload) = Payload::decode(&bytes.into()) {
                    let _read = (payload.methods.iter().count(), payload.entries.iter().count());
                    let _same = Payload::decode(&payload.encode()).unwrap();
                }
            }
        }
    }
}
