//! A record as the fields of a hash.

use std::{str::FromStr, sync::Arc};

use redis::Cmd;

use crate::{
    error::{BoxError, StoreError},
    store::{Family, Record, RecordKey},
};

/// A hash's fields in the order in which they are read.
pub(super) const FIELDS: [&str; 8] = [
    "family", "owner", "created", "touched", "expires", "ends", "version", "payload",
];

/// Appends the fields and their values. What is nobody's has no owner.
pub(super) fn write(record: &Record, command: &mut Cmd) {
    command.arg("family").arg(record.family.as_bytes());
    if let Some(owner) = &record.owner {
        command.arg("owner").arg(owner.as_bytes());
    }
    command
        .arg("created")
        .arg(record.created)
        .arg("touched")
        .arg(record.touched)
        .arg("expires")
        .arg(record.expires)
        .arg("ends")
        .arg(record.ends)
        .arg("version")
        .arg(record.version)
        .arg("payload")
        .arg(&*record.payload);
}

/// The record that these values make up; none where there is no hash.
pub(super) fn read(
    key: RecordKey,
    values: Vec<Option<Vec<u8>>>,
) -> Result<Option<Record>, BoxError> {
    if values.iter().all(Option::is_none) {
        return Ok(None);
    }
    let Ok(
        [
            family,
            owner,
            created,
            touched,
            expires,
            ends,
            version,
            payload,
        ],
    ) = <[Option<Vec<u8>>; 8]>::try_from(values)
    else {
        return Err(StoreError::new("redis gave a record of another size").into());
    };
    let family = family.as_deref().and_then(|bytes| bytes.try_into().ok());
    let owner = owner.map(|owner| String::from_utf8(owner).map_err(|_| damaged("owner")));
    Ok(Some(Record {
        key,
        family: Family::from_bytes(family.ok_or_else(|| damaged("family"))?),
        owner: owner.transpose()?.map(Arc::from),
        created: number(created, "created")?,
        touched: number(touched, "touched")?,
        expires: number(expires, "expires")?,
        ends: number(ends, "ends")?,
        version: number(version, "version")?,
        payload: payload.ok_or_else(|| damaged("payload"))?.into(),
    }))
}

fn number<T: FromStr>(value: Option<Vec<u8>>, field: &str) -> Result<T, StoreError> {
    value
        .and_then(|value| std::str::from_utf8(&value).ok()?.parse().ok())
        .ok_or_else(|| damaged(field))
}

/// Names the field and keeps the value to itself.
fn damaged(field: &str) -> StoreError {
    StoreError::new(format!("a record in redis has no {field} that makes sense"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: RecordKey = RecordKey::from_bytes([7; 32]);

    proptest! {
        #[test]
        fn fault_7_no_hash_makes_it_panic_or_quote(
            mut values in prop::collection::vec(prop::option::of("[0-9]{0,20}|secret.{0,30}"), 0..10),
        ) {
            values.push(Some("secret".into()));
            let values = values.into_iter().map(|value| value.map(String::into_bytes)).collect();
            if let Err(error) = read(KEY, values) {
                let said = format!("{error} {error:?}");
                prop_assert!(!said.contains("secret"));
            }
        }
    }

    #[test]
    fn no_value_at_all_is_no_record() {
        assert_eq!(read(KEY, vec![None; 8]).unwrap(), None);
    }
}
