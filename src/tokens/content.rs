//! The stored form of a token. The content of its entry:
//!
//! ```text
//! version    u8    1
//! flags      u8    1 used, 2 may be issued again, 4 stamp, 8 browser, 16 address, 32 undone
//! tries      u8    tries left of a code
//! user type  4 B
//! issued     i64   Unix milliseconds, big-endian, as all numbers
//! expires    i64
//! secret     32 B  digest
//! stamp      32 B  digest, with its flag
//! browser    32 B  digest, with its flag
//! address    u16   length, and UTF-8, with its flag
//! undone     i64, i64  with its flag
//! data       JSON, to the end
//! ```

use crate::{
    clock::Millis,
    entry::newer,
    error::Error,
    realm::{Realm, UserType},
    reason::RefusedReason,
    store::Digest,
};

const VERSION: u8 = 1;

const USED: u8 = 1;
const MAY_REPEAT: u8 = 2;
const STAMP: u8 = 4;
const BROWSER: u8 = 8;
const ADDRESS: u8 = 16;
const UNDONE: u8 = 32;

/// A token as it is stored.
#[derive(Clone, PartialEq)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct Content {
    pub(super) secret: Digest,
    pub(super) stamp: Option<Digest>,
    /// The browser that requested the code.
    pub(super) browser: Option<Digest>,
    pub(super) user_type: UserType,
    pub(super) issued: Millis,
    pub(super) expires: Millis,
    pub(super) is_used: bool,
    /// Whether it was not delivered, so that the next one need not wait for the gap.
    pub(super) may_repeat: bool,
    pub(super) tries_left: u8,
    pub(super) address: Option<Box<str>>,
    /// Tokens that were issued in this interval (after the first time, up to the second) are
    /// invalid: the changes that they undo have been undone.
    pub(super) undone: Option<(Millis, Millis)>,
    pub(super) data: Vec<u8>,
}

impl Content {
    pub(super) fn encode(&self) -> Vec<u8> {
        let flags = [
            (USED, self.is_used),
            (MAY_REPEAT, self.may_repeat),
            (STAMP, self.stamp.is_some()),
            (BROWSER, self.browser.is_some()),
            (ADDRESS, self.address.is_some()),
            (UNDONE, self.undone.is_some()),
        ];
        let flags = flags.iter().filter(|(_, is_set)| *is_set);
        let flags = flags.fold(0, |all, (flag, _)| all | flag);
        let mut bytes = vec![VERSION, flags, self.tries_left];
        bytes.extend(self.user_type);
        bytes.extend(self.issued.to_be_bytes());
        bytes.extend(self.expires.to_be_bytes());
        bytes.extend(self.secret.0);
        for digest in [self.stamp, self.browser].into_iter().flatten() {
            bytes.extend(digest.0);
        }
        if let Some(address) = &self.address {
            // Issuing limits its length.
            bytes.extend(
                u16::try_from(address.len())
                    .unwrap_or(u16::MAX)
                    .to_be_bytes(),
            );
            bytes.extend(address.bytes());
        }
        if let Some((after, until)) = self.undone {
            bytes.extend(after.to_be_bytes());
            bytes.extend(until.to_be_bytes());
        }
        bytes.extend(&self.data);
        bytes
    }

    /// # Errors
    /// - if a newer version wrote it
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        Self::read(bytes).ok_or_else(newer)
    }

    fn read(mut bytes: &[u8]) -> Option<Self> {
        let [version, flags, tries_left] = take(&mut bytes)?;
        if version != VERSION {
            return None;
        }
        let has = |flag| flags & flag != 0;
        let user_type = take(&mut bytes)?;
        let issued = i64::from_be_bytes(take(&mut bytes)?);
        let expires = i64::from_be_bytes(take(&mut bytes)?);
        let secret = Digest(take(&mut bytes)?);
        let stamp = match has(STAMP) {
            true => Some(Digest(take(&mut bytes)?)),
            false => None,
        };
        let browser = match has(BROWSER) {
            true => Some(Digest(take(&mut bytes)?)),
            false => None,
        };
        let address = match has(ADDRESS) {
            true => {
                let length = u16::from_be_bytes(take(&mut bytes)?);
                let (address, rest) = bytes.split_at_checked(length.into())?;
                bytes = rest;
                Some(str::from_utf8(address).ok()?.into())
            }
            false => None,
        };
        let undone = match has(UNDONE) {
            true => Some((
                i64::from_be_bytes(take(&mut bytes)?),
                i64::from_be_bytes(take(&mut bytes)?),
            )),
            false => None,
        };
        Some(Self {
            secret,
            stamp,
            browser,
            user_type,
            issued,
            expires,
            is_used: has(USED),
            may_repeat: has(MAY_REPEAT),
            tries_left,
            address,
            undone,
            data: bytes.to_vec(),
        })
    }

    /// Whether the token can be redeemed now, judging by its own content.
    pub(super) fn judge(&self, now: Millis) -> Result<(), RefusedReason> {
        if self.is_used {
            return Err(RefusedReason::Used);
        }
        if Realm::is_from_the_future(self.issued, now) {
            return Err(RefusedReason::NotYetValid);
        }
        if now >= self.expires {
            return Err(RefusedReason::Expired);
        }
        Ok(())
    }

    /// Marks it as used, and removes the data that it carried, which is no longer needed.
    pub(super) fn use_up(&mut self) {
        self.is_used = true;
        self.data.clear();
    }

    /// Whether the change that a token issued at this time undoes has been undone already.
    pub(super) fn has_undone(&self, issued: Millis) -> bool {
        self.undone
            .is_some_and(|(after, until)| after < issued && issued <= until)
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn content() -> Content {
        Content {
            secret: Digest([1; 32]),
            stamp: None,
            browser: None,
            user_type: *b"type",
            issued: 1000,
            expires: 2000,
            is_used: false,
            may_repeat: false,
            tries_left: 5,
            address: None,
            undone: None,
            data: Vec::new(),
        }
    }

    fn full() -> Content {
        Content {
            stamp: Some(Digest([2; 32])),
            browser: Some(Digest([3; 32])),
            is_used: true,
            may_repeat: true,
            address: Some("alice@example.com".into()),
            undone: Some((-1, i64::MAX)),
            data: b"{}".to_vec(),
            ..content()
        }
    }

    #[test]
    fn content_round_trips() {
        for content in [content(), full()] {
            assert_eq!(Content::decode(&content.encode()).unwrap(), content);
        }
    }

    #[test]
    fn content_that_is_cut_off_or_newer_is_an_error() {
        let bytes = Content {
            data: Vec::new(),
            ..full()
        }
        .encode();
        for length in 0..bytes.len() {
            assert!(Content::decode(&bytes[..length]).is_err(), "{length}");
        }
        let newer = [&[VERSION + 1], &bytes[1..]].concat();
        assert!(Content::decode(&newer).is_err());
    }

    #[test]
    fn token_expires_to_the_millisecond() {
        let content = content();
        assert_eq!(content.judge(1999), Ok(()));
        assert_eq!(content.judge(2000), Err(RefusedReason::Expired));
        let long_before = content.issued - 5 * 60 * 1000;
        assert_eq!(content.judge(long_before), Ok(()));
        let before_that = content.judge(long_before - 1);
        assert_eq!(before_that, Err(RefusedReason::NotYetValid));
    }

    proptest! {
        #[test]
        fn any_content_comes_back_as_it_was_stored(
            (secret, stamp, browser) in any::<([u8; 32], Option<[u8; 32]>, Option<[u8; 32]>)>(),
            (issued, expires) in any::<(i64, i64)>(),
            (is_used, may_repeat, tries_left) in any::<(bool, bool, u8)>(),
            address in prop::option::of("\\PC{0,60}"),
            undone in any::<Option<(i64, i64)>>(),
            data in any::<Vec<u8>>(),
        ) {
            let content = Content {
                secret: Digest(secret),
                stamp: stamp.map(Digest),
                browser: browser.map(Digest),
                issued,
                expires,
                is_used,
                may_repeat,
                tries_left,
                address: address.map(Into::into),
                undone,
                data,
                ..content()
            };
            prop_assert_eq!(Content::decode(&content.encode()).ok(), Some(content));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>, now: i64) {
            for bytes in [&*bytes, &[&[VERSION], &*bytes].concat()] {
                if let Ok(content) = Content::decode(bytes) {
                    let _judged = content.judge(now);
                }
            }
        }
    }
}
