//! A record as one value. `lua/parts/record.lua` reads its head.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::{
    error::StoreError,
    store::{SessionId, SessionRecord},
};

/// The first byte. Another layout would use other keys.
const FORMAT: u8 = 1;
/// The length of the format and the limit, which are written by the script that creates the record.
const BEFORE: usize = 1 + 5;
/// The length that stands for no owner.
const ANONYMOUS: u16 = u16::MAX;

/// Identifies one call, so that it recognizes its own write if a client sends the command twice.
pub(super) type CallId = [u8; 8];

/// Identifies an owner in keys. An owner can be long, and a user's id should not be visible in
/// keys. It is zero if there is no owner.
pub(super) type OwnerDigest = [u8; 16];

pub(super) fn owner_digest(owner: Option<&str>) -> OwnerDigest {
    let mut digest = OwnerDigest::default();
    if let Some(owner) = owner {
        for (to, from) in digest.iter_mut().zip(Sha256::digest(owner)) {
            *to = from;
        }
    }
    digest
}

/// The part of the value after its limit.
pub(super) fn pack(record: &SessionRecord, call: CallId) -> Result<Vec<u8>, StoreError> {
    let owner = record.owner.as_deref();
    let owner_len = match owner.map(|owner| u16::try_from(owner.len())) {
        None => ANONYMOUS,
        Some(Ok(len)) if len != ANONYMOUS => len,
        Some(_) => return Err(StoreError::new("an owner is longer than 65534 bytes")),
    };
    let value = [
        &record.version.to_be_bytes(),
        &ordered(record.touched),
        &ordered(record.expires),
        &ordered(record.ends),
        &call,
        &owner_digest(owner)[..],
        &ordered(record.created),
        &owner_len.to_be_bytes(),
        owner.unwrap_or_default().as_bytes(),
        &record.payload,
    ];
    Ok(value.concat())
}

/// Returns `None` if the value is not one that [`pack`] wrote.
pub(super) fn unpack(id: SessionId, value: &[u8]) -> Option<SessionRecord> {
    let mut rest = value.get(BEFORE..)?;
    let version = u64::from_be_bytes(take(&mut rest)?);
    let touched = moment(take(&mut rest)?);
    let expires = moment(take(&mut rest)?);
    let ends = moment(take(&mut rest)?);
    let _call: CallId = take(&mut rest)?;
    let _digest: OwnerDigest = take(&mut rest)?;
    let created = moment(take(&mut rest)?);
    let owner = match u16::from_be_bytes(take(&mut rest)?) {
        ANONYMOUS => None,
        len => {
            let (owner, payload) = rest.split_at_checked(len.into())?;
            rest = payload;
            Some(Arc::from(std::str::from_utf8(owner).ok()?))
        }
    };
    (value.first() == Some(&FORMAT)).then(|| SessionRecord {
        id,
        owner,
        version,
        created,
        touched,
        expires,
        ends,
        payload: rest.into(),
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*bytes)
}

/// A time as bytes that sort by time: negative times come first.
pub(super) fn ordered(at: i64) -> [u8; 8] {
    (at.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

fn moment(bytes: [u8; 8]) -> i64 {
    (u64::from_be_bytes(bytes) ^ (1 << 63)).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: SessionId = SessionId::from_bytes([7; 16]);

    fn stored(record: &SessionRecord) -> Vec<u8> {
        [&[FORMAT, 0, 0, 0, 0, 0][..], &pack(record, [9; 8]).unwrap()].concat()
    }

    proptest! {
        #[test]
        fn record_comes_back_as_it_was_packed(
            owner in prop::option::of(".{0,40}"),
            version: u64,
            times: [i64; 4],
            payload in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let [created, touched, expires, ends] = times;
            let owner = owner.map(Arc::from);
            let payload = payload.into();
            let record = SessionRecord {
                id: ID, owner, version, created, touched, expires, ends, payload,
            };
            prop_assert_eq!(unpack(ID, &stored(&record)), Some(record));
        }

        #[test]
        fn no_value_makes_unpacking_panic(value in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(ID, &value);
            let _ = unpack(ID, &[&[FORMAT], &value[..]].concat());
        }

        #[test]
        fn moments_are_in_the_order_of_their_bytes(a: i64, b: i64) {
            prop_assert_eq!(a.cmp(&b), ordered(a).cmp(&ordered(b)));
            prop_assert_eq!(moment(ordered(a)), a);
        }
    }

    #[test]
    fn damaged_values_are_not_records() {
        let owner = Some(Arc::from("app/alice"));
        let record = SessionRecord {
            id: ID,
            owner,
            version: 0,
            created: 0,
            touched: 0,
            expires: 0,
            ends: 0,
            payload: Arc::from([]),
        };
        let value = stored(&record);
        assert_eq!(value.len(), 72 + 9);
        for len in 0..value.len() {
            assert_eq!(unpack(ID, &value[..len]), None, "{len} bytes");
        }
        for (at, byte) in [(0, 0), (0, 2), (70, 1), (71, 10), (72, 0xff)] {
            let mut damaged = value.clone();
            damaged[at] = byte;
            assert_eq!(unpack(ID, &damaged), None, "byte {at}");
        }
    }

    #[test]
    fn owners_that_do_not_fit_are_an_error() {
        let owner = |len| Some(Arc::from("a".repeat(len)));
        let mut record = unpack(ID, &stored_anonymous()).unwrap();
        record.owner = owner(65534);
        assert_eq!(unpack(ID, &stored(&record)).unwrap(), record);
        record.owner = owner(65535);
        assert!(pack(&record, [0; 8]).is_err());
    }

    fn stored_anonymous() -> Vec<u8> {
        let mut value = vec![FORMAT];
        value.resize(70, 0);
        value.extend(ANONYMOUS.to_be_bytes());
        value
    }
}
