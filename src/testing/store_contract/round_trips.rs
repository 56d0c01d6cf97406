//! A record comes back as it went in, to the byte and to the millisecond.

use std::sync::Arc;

use super::{
    answer::{Verdict, answers},
    probe::{HOUR, Probe},
};
use crate::store::{Created, Family, Outcome, Record, RecordKey};

pub(super) async fn every_field_comes_back_as_it_was(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let record = Record {
        created: probe.now() - 3 * HOUR - 1,
        touched: probe.now() - 7,
        expires: probe.now() + 2 * HOUR + 3,
        ends: probe.now() + 9 * HOUR + 11,
        version: 41,
        ..probe.record_of(&owner)
    };
    comes_back(&probe, &record, "after create").await
}

pub(super) async fn times_are_exact_to_the_millisecond(probe: Probe) -> Verdict {
    const YEAR: i64 = 365 * 24 * HOUR;
    let now = probe.now();
    for odd in [0, 1, 499, 500, 999, 1001] {
        let record = Record {
            created: now - 10 * YEAR - odd,
            touched: now - HOUR + odd,
            expires: now + HOUR + odd,
            // Beyond 2038, where seconds in 32 bits end.
            ends: now + 20 * YEAR + odd,
            ..probe.record()
        };
        comes_back(&probe, &record, "with odd milliseconds").await?;
        let version = Some(record.version);
        let deleted = probe.delete(&record.key, version).await?;
        answers("delete at its version", Outcome::Done, deleted)?;
    }
    Ok(())
}

pub(super) async fn nobody_is_not_the_owner_without_a_name(probe: Probe) -> Verdict {
    for owner in [None, Some(Arc::from(""))] {
        let record = Record {
            owner: owner.clone(),
            ..probe.record()
        };
        probe.insert(&record).await?;
        let when = format!("of a record whose owner is {owner:?}");
        probe.finds(&record, &when).await?;
        let updated = probe.update(&record.key, 0, &[1], probe.now()).await?;
        answers(format!("update {when}"), Outcome::Done, updated)?;
        let touched = probe.touch(&record.key, probe.now(), record.expires);
        answers(format!("touch {when}"), Outcome::Done, touched.await?)?;
        let deleted = probe.delete(&record.key, Some(1)).await?;
        answers(format!("delete {when}"), Outcome::Done, deleted)?;
        probe.lacks(&record.key, "after its delete").await?;
    }
    Ok(())
}

pub(super) async fn owners_come_back_letter_by_letter(probe: Probe) -> Verdict {
    let unique = probe.owner();
    for letters in [
        "Zoë",
        "Zoe\u{308}",
        "Straße",
        "İstanbul ı",
        "用户",
        "👩‍👩‍👧",
        "\u{202e}thgir\u{202c}",
        "\u{feff}bom",
        "\u{10ffff}",
        "it's \"quoted\" `here`",
        "100%",
        "a_b",
        r"back\slash \' \0 \\",
        "'; DROP TABLE sessions; --",
        "$1 ?1 :name {0}",
        "a:b{c}*?[d]",
        " spaces at both ends  ",
        "tab\tline\nreturn\r",
        "\u{7f}\u{1b}\u{1}",
    ] {
        let owner: Arc<str> = format!("{unique}/{letters}").into();
        let when = format!("for the owner {owner:?}");
        comes_back(&probe, &probe.record_of(&owner), &when).await?;
    }
    // At the start and the end of the whole text, too.
    let owner: Arc<str> = format!(" {unique} ").into();
    comes_back(&probe, &probe.record_of(&owner), "with spaces at both ends").await
}

pub(super) async fn an_owner_may_hold_a_nul(probe: Probe) -> Verdict {
    let unique = probe.owner();
    let owner: Arc<str> = format!("{unique}\0after").into();
    let when = "for an owner with a NUL in its name";
    comes_back(&probe, &probe.record_of(&owner), when).await?;
    probe
        .lists(&unique, probe.now(), [], "of the owner before the NUL")
        .await
}

pub(super) async fn an_owner_may_have_2000_bytes(probe: Probe) -> Verdict {
    let unique = probe.owner();
    let long = format!("{unique}{}", "o".repeat(1999 - unique.len()));
    // They differ in the last byte only.
    for last in ["a", "b"] {
        let owner = Arc::from(format!("{long}{last}"));
        let when = "for an owner of 2000 bytes";
        comes_back(&probe, &probe.record_of(&owner), when).await?;
    }
    Ok(())
}

pub(super) async fn keys_and_families_may_hold_any_byte(probe: Probe) -> Verdict {
    for byte in [0x00, 0x09, 0x20, 0x25, 0x27, 0x41, 0x5c, 0x7f, 0x80, 0xff] {
        let record = Record {
            key: RecordKey::from_bytes(with_ends(*probe.key().as_bytes(), byte)),
            family: Family::from_bytes(with_ends(*probe.family().as_bytes(), byte)),
            ..probe.record()
        };
        let when = format!("of a record with bytes {byte:#04x} in key and family");
        comes_back(&probe, &record, &when).await?;
    }
    Ok(())
}

/// Random in the middle only.
fn with_ends<const N: usize>(mut bytes: [u8; N], end: u8) -> [u8; N] {
    bytes.iter_mut().take(4).for_each(|byte| *byte = end);
    bytes.iter_mut().rev().take(4).for_each(|byte| *byte = end);
    bytes
}

pub(super) async fn keys_that_differ_in_one_byte_are_different(probe: Probe) -> Verdict {
    let mut middle = *probe.key().as_bytes();
    // None of those below: else a key with one at its end could be a key with another at its start.
    (middle[0], middle[31]) = (1, 1);
    let mut records = Vec::new();
    // Upper and lower case, the ends of a padded text, both sides of a sign.
    for byte in [b'A', b'a', 0x00, b' ', 0x7f, 0x80, 0xff] {
        let mut last = middle;
        last[31] = byte;
        let mut first = middle;
        first[0] = byte;
        records.extend([last, first].map(|key| Record {
            key: RecordKey::from_bytes(key),
            ..probe.record()
        }));
    }
    for record in &records {
        let created = probe.create(record).await?;
        let did = "create under a key that differs from another in one byte";
        answers(did, Created::Done, created)?;
    }
    for record in &records {
        probe.finds(record, "with keys alike around it").await?;
    }
    Ok(())
}

pub(super) async fn an_empty_payload_comes_back(probe: Probe) -> Verdict {
    payload_comes_back(&probe, 0).await
}

pub(super) async fn a_payload_of_64_kib_comes_back(probe: Probe) -> Verdict {
    payload_comes_back(&probe, 64 * 1024).await
}

pub(super) async fn a_payload_of_300_kib_comes_back(probe: Probe) -> Verdict {
    payload_comes_back(&probe, 300 * 1024).await
}

/// By create and by update.
async fn payload_comes_back(probe: &Probe, len: usize) -> Verdict {
    let payload = all_bytes(len);
    let mut record = Record {
        payload: Arc::from(&*payload),
        ..probe.record()
    };
    let when = format!("of a payload of {len} bytes");
    comes_back(probe, &record, &when).await?;
    for (version, payload) in [(0, &b"small"[..]), (1, &payload)] {
        let updated = probe.update(&record.key, version, payload, probe.now());
        answers(format!("update {when}"), Outcome::Done, updated.await?)?;
        record.payload = payload.into();
        record.version += 1;
        probe
            .finds(
                &record,
                format!("after an update to {} bytes", payload.len()),
            )
            .await?;
    }
    Ok(())
}

/// Every value of a byte, and each beside different ones.
pub(super) fn all_bytes(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n ^ (n >> 8) ^ (n >> 16)) as u8).collect()
}

async fn comes_back(probe: &Probe, record: &Record, when: &str) -> Verdict {
    probe
        .insert(record)
        .await
        .map_err(|what| format!("{when}: {what}"))?;
    probe.finds(record, when).await?;
    if let Some(owner) = &record.owner {
        probe.lists(owner, probe.now(), [record], when).await?;
    }
    Ok(())
}
