//! The bytes of a session record: what a store returns may be damaged, or from another release.

use std::sync::Arc;

use crate::{
    clock::{ClockId, Reading},
    session::{
        Actor, Browser, DecodeError, Head, Limits, LoginFacts, MethodName, Methods, Payload,
        RememberPart, StoredData,
    },
    store::{Digest, SessionId},
};

/// The offset of the version in a payload.
const VERSION_AT: usize = 1;

/// Reads the bytes as a payload, and as the material for one.
pub fn payload(data: &[u8]) {
    if let Ok(decoded) = decode(data) {
        round_trips(&decoded);
    }
    let mut material = Material(data);
    let built = material.payload();
    round_trips(&built);

    let bytes = built.encode();
    // If one bit is flipped, decoding fails or succeeds without a panic, and the entries that it
    // returns are no longer than the input.
    let at = material.number() as usize % bytes.len();
    let mut damaged = bytes.to_vec();
    if let Some(byte) = damaged.get_mut(at) {
        *byte ^= 1 << (data.len() % 8);
    }
    if let Ok(decoded) = decode(&damaged) {
        round_trips(&decoded);
        assert!(decoded.entries.len() <= bytes.len());
    }
    // If the bytes are truncated, decoding only succeeds if they are cut between two entries.
    let cut = bytes.get(..at).unwrap_or_default();
    if let Ok(decoded) = decode(cut) {
        assert_eq!(parts(&decoded), parts(&built));
        let (some, all) = (decoded.entries.iter(), built.entries.iter());
        assert!(some.zip(all).all(|(left, right)| left == right));
    }
    // If a newer release wrote the payload, its head is still read, whatever follows it.
    let mut newer = bytes.to_vec();
    if let Some(version) = newer.get_mut(VERSION_AT) {
        *version = version.saturating_add(data.len() as u8).max(2);
    }
    newer.extend(data);
    assert!(matches!(decode(&newer), Err(DecodeError::Newer(head)) if head == built.head));
}

fn decode(bytes: &[u8]) -> Result<Payload, DecodeError> {
    Payload::decode(&Arc::from(bytes))
}

fn round_trips(payload: &Payload) {
    let bytes = payload.encode();
    let Ok(again) = Payload::decode(&bytes) else {
        panic!("an encoded payload is not decoded");
    };
    assert_eq!(parts(&again), parts(payload));
    assert!(again.entries.iter().eq(payload.entries.iter()));
    assert_eq!(again.entries.len(), payload.entries.len());
    assert_eq!(again.encode(), bytes);
}

/// All but the entries.
fn parts(payload: &Payload) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        payload.head,
        payload.mark,
        payload.limits,
        (payload.epoch, payload.excludes_previous),
        payload.login,
        payload.remember,
        payload.methods.iter().collect::<Vec<_>>(),
        payload
            .actor
            .as_ref()
            .map(|actor| (actor.id.clone(), actor.session, actor.epoch)),
    )
}

/// Bytes from which a payload is built; zeros once they are used up.
struct Material<'a>(&'a [u8]);

impl Material<'_> {
    fn array<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self.0.split_at(N.min(self.0.len()));
        self.0 = rest;
        let mut array = [0; N];
        array
            .iter_mut()
            .zip(taken)
            .for_each(|(to, from)| *to = *from);
        array
    }

    fn number(&mut self) -> i64 {
        i64::from_be_bytes(self.array())
    }

    fn flag(&mut self) -> bool {
        let [byte] = self.array();
        byte % 2 == 1
    }

    fn optional<T>(&mut self, part: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| part(self))
    }

    fn digest(&mut self) -> Digest {
        Digest(self.array())
    }

    fn text(&mut self) -> String {
        let [length] = self.array();
        let (taken, rest) = self.0.split_at(usize::from(length).min(self.0.len()));
        self.0 = rest;
        String::from_utf8_lossy(taken).into_owned()
    }

    fn payload(&mut self) -> Payload {
        let login = self.optional(Self::login);
        Payload {
            methods: match login {
                Some(_) => self.methods(),
                None => Methods::default(),
            },
            actor: self.optional(Self::actor).map(Arc::new),
            head: Head {
                current: self.optional(Self::digest),
                previous: self.optional(Self::digest),
                rotated: self.number(),
                series: self.optional(Self::digest),
            },
            mark: self.array(),
            limits: Limits {
                idle: self.number(),
                absolute: self.number(),
                ends: self.number(),
            },
            epoch: u32::from_be_bytes(self.array()),
            excludes_previous: self.flag(),
            login,
            remember: self.optional(Self::remember),
            entries: self.entries(),
        }
    }

    fn login(&mut self) -> LoginFacts {
        LoginFacts {
            at: self.number(),
            fresh: self.flag(),
            forced: self.flag(),
            browser: Browser::from_bytes(self.array()),
            user_type: self.array(),
            stamp: self.optional(Self::digest),
            client: self.optional(Self::array),
        }
    }

    fn methods(&mut self) -> Methods {
        let mut methods = Methods::default();
        while self.flag() {
            if let Some(name) = MethodName::parse(&self.text()) {
                methods = methods.with(&[name], self.number());
            }
        }
        methods
    }

    fn actor(&mut self) -> Actor {
        Actor {
            id: self.text().into(),
            session: SessionId::from_bytes(self.array()),
            epoch: u32::from_be_bytes(self.array()),
        }
    }

    fn remember(&mut self) -> RememberPart {
        RememberPart {
            current: self.digest(),
            previous: self.optional(Self::digest),
            skipped: self.optional(Self::digest),
            exchanged: Reading {
                at: self.number(),
                by: ClockId(self.array()),
            },
            seen: self.flag(),
            issued: self.number(),
            ends: self.number(),
        }
    }

    fn entries(&mut self) -> StoredData {
        let mut entries = Vec::new();
        while entries.len() < 4 && self.flag() {
            entries.push((self.text(), self.text()));
        }
        StoredData::new(
            entries
                .iter()
                .map(|(name, json)| (name.as_str(), json.as_str())),
        )
    }
}
