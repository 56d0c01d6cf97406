//! Compare-and-swap.

use super::{
    outcome::{Verdict, expect},
    probe::{HOUR, Probe, with_payload},
};
use crate::store::{Outcome, SessionRecord};

pub(super) async fn update_acts_only_on_the_version_that_was_read(probe: Probe) -> Verdict {
    let record = SessionRecord {
        version: 3,
        ..probe.record()
    };
    probe.insert(&record).await?;
    let at = |version, payload: &[u8]| SessionRecord {
        version,
        expires: record.expires + 1,
        ends: record.ends + 1,
        ..with_payload(&record, payload)
    };
    for wrong in [2, 4, 0, u64::MAX] {
        let updated = probe.update(&at(wrong, b"late"), probe.now()).await?;
        let did = format!("update at version {wrong} of a record at version 3");
        expect(&did, Outcome::Conflict, updated)?;
        probe.finds(&record, format!("after an {did}")).await?;
    }
    let updated = probe.update(&at(3, b"new"), probe.now()).await?;
    expect("update at the record's version", Outcome::Done, updated)?;
    let new = at(4, b"new");
    probe.finds(&new, "right after an update").await?;
    let updated = probe.update(&at(3, b"late"), probe.now()).await?;
    expect("the same update again", Outcome::Conflict, updated)?;
    probe
        .finds(&new, "after an update that returned Conflict")
        .await
}

pub(super) async fn versions_rise_by_one(probe: Probe) -> Verdict {
    let mut record = probe.inserted().await?;
    for version in 1..=20 {
        // An update that changes nothing raises the version, too, so that concurrent requests
        // notice it.
        record = probe.updated(&record, b"same").await?;
        probe
            .finds(&record, format!("after update number {version}"))
            .await?;
    }
    Ok(())
}

pub(super) async fn update_replaces_times_and_payload(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let neighbour = probe.record_of(&owner);
    let mut record = probe.record_of(&owner);
    probe
        .insert_all(&[record.clone(), neighbour.clone()])
        .await?;
    let now = probe.now();
    // `expires` and `ends` are raised and lowered, together and one by one.
    for (later, expires, ends) in [
        (1, 2 * HOUR, 9 * HOUR),
        (2, HOUR / 2 + 1, 9 * HOUR),
        (2, HOUR / 2 + 1, 50 * HOUR),
        (3, HOUR / 2 + 1, HOUR),
        (4, 3 * HOUR + 7, 3 * HOUR + 7),
    ] {
        record = SessionRecord {
            touched: now + later,
            expires: now + expires,
            ends: now + ends,
            ..with_payload(&record, &[later as u8])
        };
        let updated = probe.update(&record, now + later).await?;
        let did = format!("update to expire in {expires} ms and end in {ends} ms");
        expect(&did, Outcome::Done, updated)?;
        record.version += 1;
        let when = format!("after an {did}");
        probe.finds(&record, &when).await?;
        probe.finds(&neighbour, &when).await?;
        let both = [&record, &neighbour];
        probe.lists(&owner, now + later, both, when).await?;
    }
    Ok(())
}

pub(super) async fn update_never_lowers_touched(probe: Probe) -> Verdict {
    let mut record = probe.inserted().await?;
    let touched = record.touched + 500;
    let outcome = probe.touch(&record.id, touched, record.expires).await?;
    expect("touch", Outcome::Done, outcome)?;
    // The record was read before the touch.
    let updated = probe
        .update(&with_payload(&record, b"new"), probe.now())
        .await?;
    let did = "update with a `touched` from before a touch";
    expect(did, Outcome::Done, updated)?;
    record = SessionRecord {
        version: 1,
        touched,
        ..with_payload(&record, b"new")
    };
    probe.finds(&record, format!("after an {did}")).await
}

pub(super) async fn update_may_end_a_record_early(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let [mut closed, other] = [probe.record_of(&owner), probe.record_of(&owner)];
    probe.insert_all(&[closed.clone(), other.clone()]).await?;
    let (now, expires) = (probe.now(), probe.now() + 30_000);
    (closed.expires, closed.ends) = (expires, expires);
    let updated = probe.update(&closed, now).await?;
    expect("update that ends a record early", Outcome::Done, updated)?;
    closed.version = 1;
    let when = "after an update that ends it early";
    probe.finds(&closed, when).await?;
    for (at, listed) in [
        (expires - 1, vec![&closed, &other]),
        (expires, vec![&other]),
    ] {
        let when = format!("{} ms after the early end", at - expires);
        probe.lists(&owner, at, listed, when).await?;
    }
    // `ends` is lower, too: no use extends the record again.
    let touched = probe.touch(&closed.id, now, now + HOUR).await?;
    expect("touch before the early end", Outcome::Done, touched)?;
    probe
        .finds(&closed, "after a touch beyond the early end")
        .await?;
    let touched = probe.touch(&closed.id, expires, now + HOUR).await?;
    expect("touch at the early end", Outcome::Gone, touched)?;
    let updated = probe.update(&closed, expires).await?;
    expect("update at the early end", Outcome::Gone, updated)
}

pub(super) async fn update_may_extend_a_record(probe: Probe) -> Verdict {
    let mut record = probe.inserted().await?;
    let owner = record.owner.clone().unwrap_or_default();
    let (old_expires, old_ends) = (record.expires, record.ends);
    record.expires = old_ends + HOUR;
    record.ends = old_ends + 20 * HOUR;
    let updated = probe.update(&record, old_expires - 1).await?;
    expect("update that extends a record", Outcome::Done, updated)?;
    record.version = 1;
    for now in [old_expires, old_ends, old_ends + 1, record.expires - 1] {
        let when = "at a time that it lives to see only since an update";
        probe.lists(&owner, now, [&record], when).await?;
    }
    let now = record.expires - 1;
    let touched = probe.touch(&record.id, now, i64::MAX).await?;
    expect("touch after an update", Outcome::Done, touched)?;
    (record.touched, record.expires) = (now, record.ends);
    probe
        .finds(&record, "after a touch up to the `ends` of an update")
        .await?;
    let updated = probe.update(&record, record.expires - 1).await?;
    expect("update in the last millisecond", Outcome::Done, updated)
}

pub(super) async fn update_may_change_the_size_of_a_payload(probe: Probe) -> Verdict {
    let mut record = probe.inserted().await?;
    for len in [0, 1, 5000, 66 * 1024, 3, 0, 30_000, 10] {
        let payload = super::round_trips::all_bytes(len);
        record = probe.updated(&record, &payload).await?;
        probe
            .finds(&record, format!("after an update to {len} bytes"))
            .await?;
    }
    Ok(())
}

pub(super) async fn update_after_a_delete_is_gone(probe: Probe) -> Verdict {
    let record = probe.inserted().await?;
    let deleted = probe.delete(&record.id, None).await?;
    expect("delete", Outcome::Done, deleted)?;
    for version in [0, 1] {
        let late = SessionRecord {
            version,
            ..with_payload(&record, b"late")
        };
        let updated = probe.update(&late, probe.now()).await?;
        let did = format!("update at version {version} after a delete");
        expect(did, Outcome::Gone, updated)?;
    }
    probe.lacks(&record.id, "after a late update").await?;
    let owner = record.owner.unwrap_or_default();
    probe
        .lists(&owner, probe.now(), [], "after a late update")
        .await
}

pub(super) async fn an_expired_record_is_absent_for_update(probe: Probe) -> Verdict {
    let record = probe.inserted().await?;
    let updated = probe.update(&record, record.expires - 1).await?;
    let did = "update a millisecond before it expires";
    expect(did, Outcome::Done, updated)?;
    for late in [0, 1, HOUR] {
        for version in [1, 0] {
            let revived = SessionRecord {
                version,
                expires: record.ends,
                ..with_payload(&record, b"late")
            };
            let updated = probe.update(&revived, record.expires + late).await?;
            let did = format!("update at version {version}, {late} ms after it expired");
            expect(did, Outcome::Gone, updated)?;
        }
    }
    match probe.load(&record.id).await? {
        Some(found) if &*found.payload == b"late" || found.expires != record.expires => {
            Err("an update that returned Gone changed the record".to_owned())
        }
        _ => Ok(()),
    }
}
