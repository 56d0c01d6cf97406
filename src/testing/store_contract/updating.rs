//! Compare-and-swap.

use std::sync::Arc;

use super::{
    answer::{Verdict, answers},
    probe::{HOUR, Probe},
};
use crate::store::{Outcome, Record};

pub(super) async fn b6_an_update_acts_on_the_version_that_was_read(probe: Probe) -> Verdict {
    let mut record = Record {
        version: 3,
        ..probe.record()
    };
    probe.insert(&record).await?;
    for wrong in [2, 4, 0] {
        let updated = probe
            .update(&record.key, wrong, b"late", probe.now())
            .await?;
        let did = format!("update at version {wrong} of a record at version 3");
        answers(&did, Outcome::Conflict, updated)?;
        probe.finds(&record, format!("after {did}")).await?;
    }
    let updated = probe.update(&record.key, 3, b"new", probe.now()).await?;
    answers("update at the record's version", Outcome::Done, updated)?;
    record.version = 4;
    record.payload = Arc::from(*b"new");
    probe.finds(&record, "right after an update").await?;
    let updated = probe.update(&record.key, 3, b"late", probe.now()).await?;
    answers("the same update once more", Outcome::Conflict, updated)?;
    probe
        .finds(&record, "after an update that answered Conflict")
        .await
}

pub(super) async fn versions_rise_one_by_one(probe: Probe) -> Verdict {
    let mut record = probe.inserted().await?;
    for version in 0..20 {
        // A payload that stays the same is an update, too: others have to notice.
        let updated = probe
            .update(&record.key, version, b"same", probe.now())
            .await?;
        answers(
            format!("update at version {version}"),
            Outcome::Done,
            updated,
        )?;
        record.version = version + 1;
        record.payload = Arc::from(*b"same");
        probe
            .finds(&record, format!("after update number {}", version + 1))
            .await?;
    }
    Ok(())
}

pub(super) async fn an_update_changes_nothing_but_payload_and_version(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let neighbour = probe.record_of(&owner);
    let mut record = Record {
        touched: probe.now() - 5,
        ..probe.record_of(&owner)
    };
    probe
        .insert_all(&[record.clone(), neighbour.clone()])
        .await?;
    let now = probe.now() + 1234;
    let updated = probe.update(&record.key, 0, b"new", now).await?;
    answers("update", Outcome::Done, updated)?;
    record.version = 1;
    record.payload = Arc::from(*b"new");
    let when = "after an update a second later";
    probe.finds(&record, when).await?;
    probe
        .finds(&neighbour, "after an update of another of the owner's")
        .await?;
    probe.lists(&owner, now, [&record, &neighbour], when).await
}

pub(super) async fn an_update_may_change_the_size_of_a_payload(probe: Probe) -> Verdict {
    let mut record = probe.inserted().await?;
    for len in [0, 1, 5000, 70_000, 3, 0, 300_000, 10] {
        let payload = super::round_trips::all_bytes(len);
        let updated = probe.update(&record.key, record.version, &payload, probe.now());
        answers(
            format!("update to {len} bytes"),
            Outcome::Done,
            updated.await?,
        )?;
        record.version += 1;
        record.payload = payload.into();
        probe
            .finds(&record, format!("after an update to {len} bytes"))
            .await?;
    }
    Ok(())
}

pub(super) async fn fault_10_an_update_after_a_delete_is_gone(probe: Probe) -> Verdict {
    let record = probe.inserted().await?;
    let deleted = probe.delete(&record.key, None).await?;
    answers("delete", Outcome::Done, deleted)?;
    for version in [0, 1] {
        let updated = probe
            .update(&record.key, version, b"late", probe.now())
            .await?;
        let did = format!("update at version {version} after a delete");
        answers(did, Outcome::Gone, updated)?;
    }
    probe.lacks(&record.key, "after a late update").await?;
    let owner = record.owner.unwrap_or_default();
    probe
        .lists(&owner, probe.now(), [], "after a late update")
        .await
}

pub(super) async fn expired_is_absent_for_an_update_from_the_very_millisecond(
    probe: Probe,
) -> Verdict {
    let record = probe.inserted().await?;
    let updated = probe
        .update(&record.key, 0, b"new", record.expires - 1)
        .await?;
    answers(
        "update a millisecond before it expires",
        Outcome::Done,
        updated,
    )?;
    for late in [0, 1, HOUR] {
        for version in [1, 0] {
            let updated = probe.update(&record.key, version, b"late", record.expires + late);
            let did = format!("update at version {version}, {late} ms after it expired");
            answers(did, Outcome::Gone, updated.await?)?;
        }
    }
    match probe.load(&record.key).await? {
        Some(found) if &*found.payload == b"late" => {
            Err("an update that answered Gone wrote its payload".to_owned())
        }
        _ => Ok(()),
    }
}
