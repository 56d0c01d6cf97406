//! A record comes back as it was stored, to the byte and to the millisecond.

use std::sync::Arc;

use super::{
    outcome::{Verdict, expect},
    probe::{HOUR, Probe},
};
use crate::store::{CreateOutcome, Outcome, SessionId, SessionRecord};

pub(super) async fn every_field_comes_back_as_it_was(probe: Probe) -> Verdict {
    let owner = probe.owner();
    // A version is never reset, so it may exceed 32 bits.
    for version in [41, 5_000_000_000] {
        let record = SessionRecord {
            created: probe.now() - 3 * HOUR - 1,
            touched: probe.now() - 7,
            expires: probe.now() + 2 * HOUR + 3,
            ends: probe.now() + 9 * HOUR + 11,
            version,
            ..probe.record_of(&owner)
        };
        probe.insert(&record).await?;
        probe.finds(&record, "after create").await?;
        let record = probe.updated(&record, b"new").await?;
        probe.finds(&record, "after update").await?;
        probe
            .lists(&owner, probe.now(), [&record], "after update")
            .await?;
        let deleted = probe.delete(&record.id, Some(record.version)).await?;
        expect("delete at its version", Outcome::Done, deleted)?;
    }
    Ok(())
}

pub(super) async fn times_are_exact_to_the_millisecond(probe: Probe) -> Verdict {
    const YEAR: i64 = 365 * 24 * HOUR;
    let now = probe.now();
    for odd in [0, 1, 499, 500, 999, 1001] {
        let mut record = SessionRecord {
            created: now - 10 * YEAR - odd,
            touched: now - HOUR + odd,
            expires: now + HOUR + odd,
            // After 2038, the end of seconds in 32 bits.
            ends: now + 20 * YEAR + odd,
            ..probe.record()
        };
        let when = format!("with {odd} odd milliseconds");
        comes_back(&probe, &record, &when).await?;
        record.touched += 2;
        record.expires += 3;
        record.ends += 5;
        let record = probe.updated(&record, b"new").await?;
        let when = format!("{when}, after an update");
        probe.finds(&record, when).await?;
        let deleted = probe.delete(&record.id, Some(1)).await?;
        expect("delete at its version", Outcome::Done, deleted)?;
    }
    Ok(())
}

pub(super) async fn no_owner_differs_from_an_empty_owner(probe: Probe) -> Verdict {
    for owner in [None, Some(Arc::from(""))] {
        let record = SessionRecord {
            owner: owner.clone(),
            ..probe.record()
        };
        probe.insert(&record).await?;
        let when = format!("of a record whose owner is {owner:?}");
        probe.finds(&record, &when).await?;
        let record = probe.updated(&record, &[1]).await?;
        probe.finds(&record, &when).await?;
        let touched = probe.touch(&record.id, probe.now(), record.expires);
        expect(format!("touch {when}"), Outcome::Done, touched.await?)?;
        let deleted = probe.delete(&record.id, Some(1)).await?;
        expect(format!("delete {when}"), Outcome::Done, deleted)?;
        probe.lacks(&record.id, "after its delete").await?;
    }
    Ok(())
}

pub(super) async fn owners_come_back_byte_by_byte(probe: Probe) -> Verdict {
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
    // Spaces at the start and the end of the whole text are kept, too.
    let owner: Arc<str> = format!(" {unique} ").into();
    comes_back(&probe, &probe.record_of(&owner), "with spaces at both ends").await
}

pub(super) async fn an_owner_may_contain_a_nul(probe: Probe) -> Verdict {
    let unique = probe.owner();
    let owner: Arc<str> = format!("{unique}\0after").into();
    let when = "for an owner that contains a NUL";
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

pub(super) async fn ids_may_contain_any_byte(probe: Probe) -> Verdict {
    for byte in [0x00, 0x09, 0x20, 0x25, 0x27, 0x41, 0x5c, 0x7f, 0x80, 0xff] {
        // Random in the middle only.
        let mut id = *probe.id().as_bytes();
        id.iter_mut().take(4).for_each(|first| *first = byte);
        id.iter_mut().rev().take(4).for_each(|last| *last = byte);
        let record = SessionRecord {
            id: SessionId::from_bytes(id),
            ..probe.record()
        };
        let when = format!("of a record with bytes {byte:#04x} in its id");
        comes_back(&probe, &record, &when).await?;
    }
    Ok(())
}

pub(super) async fn ids_that_differ_in_one_byte_are_different(probe: Probe) -> Verdict {
    let mut middle = *probe.id().as_bytes();
    // These are none of the bytes below. Otherwise an id with one of them at its end could equal an
    // id with another one at its start.
    (middle[0], middle[15]) = (1, 1);
    let mut records = Vec::new();
    // Upper and lower case, bytes that padding may remove, and both sides of a sign bit.
    for byte in [b'A', b'a', 0x00, b' ', 0x7f, 0x80, 0xff] {
        let mut last = middle;
        last[15] = byte;
        let mut first = middle;
        first[0] = byte;
        records.extend([last, first].map(|id| SessionRecord {
            id: SessionId::from_bytes(id),
            ..probe.record()
        }));
    }
    for record in &records {
        let created = probe.create(record).await?;
        let did = "create with an id that differs from another in one byte";
        expect(did, CreateOutcome::Done, created)?;
    }
    for record in &records {
        probe.finds(record, "with similar ids around it").await?;
    }
    Ok(())
}

pub(super) async fn an_empty_payload_comes_back(probe: Probe) -> Verdict {
    payload_comes_back(&probe, 0).await
}

/// This is more than the 65,535 bytes of MySQL's `BLOB`.
pub(super) async fn a_payload_of_66_kib_comes_back(probe: Probe) -> Verdict {
    payload_comes_back(&probe, 66 * 1024).await
}

/// Checks that a payload comes back after a create and after an update.
async fn payload_comes_back(probe: &Probe, len: usize) -> Verdict {
    let payload = all_bytes(len);
    let mut record = SessionRecord {
        payload: Arc::from(&*payload),
        ..probe.record()
    };
    let when = format!("of a payload of {len} bytes");
    comes_back(probe, &record, &when).await?;
    for payload in [&b"small"[..], &payload] {
        record = probe.updated(&record, payload).await?;
        let when = format!("after an update to {} bytes", payload.len());
        probe.finds(&record, when).await?;
    }
    Ok(())
}

/// Bytes with every value, each next to different ones.
pub(super) fn all_bytes(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n ^ (n >> 8) ^ (n >> 16)) as u8).collect()
}

async fn comes_back(probe: &Probe, record: &SessionRecord, when: &str) -> Verdict {
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
