//! One record less.

use super::{
    answer::{Verdict, answers, answers_one_of},
    probe::{HOUR, Probe},
};
use crate::store::{Outcome, Record};

pub(super) async fn fault_12_what_was_deleted_is_gone_at_once(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let mut left = probe.records_of(&owner, 6).await?;
    for version in [None, Some(0)].into_iter().cycle() {
        let Some(record) = left.pop() else { break };
        let deleted = probe.delete(&record.key, version).await?;
        let did = format!("delete at {version:?} of a record at version 0");
        answers(&did, Outcome::Done, deleted)?;
        probe
            .lacks(&record.key, format!("right after a {did}"))
            .await?;
        let when = format!("right after a {did}");
        probe.lists(&owner, probe.now(), &left, when).await?;
        for again in [None, Some(0)] {
            let deleted = probe.delete(&record.key, again).await?;
            answers("delete once more", Outcome::Gone, deleted)?;
        }
    }
    Ok(())
}

pub(super) async fn b6_a_delete_at_another_version_leaves_the_record_alone(
    probe: Probe,
) -> Verdict {
    let mut record = Record {
        version: 3,
        ..probe.record()
    };
    probe.insert(&record).await?;
    let owner = record.owner.clone().unwrap_or_default();
    for wrong in [2, 4, 0] {
        let deleted = probe.delete(&record.key, Some(wrong)).await?;
        let did = format!("delete at version {wrong} of a record at version 3");
        answers(&did, Outcome::Conflict, deleted)?;
        probe.finds(&record, format!("after a {did}")).await?;
        let when = format!("after a {did}");
        probe.lists(&owner, probe.now(), [&record], when).await?;
    }
    let updated = probe.update(&record.key, 3, b"new", probe.now()).await?;
    answers("update", Outcome::Done, updated)?;
    record.version = 4;
    record.payload = b"new"[..].into();
    let deleted = probe.delete(&record.key, Some(3)).await?;
    answers(
        "delete at the version before an update",
        Outcome::Conflict,
        deleted,
    )?;
    probe
        .finds(&record, "after a delete that answered Conflict")
        .await?;
    let deleted = probe.delete(&record.key, Some(4)).await?;
    answers(
        "delete at the version that an update made",
        Outcome::Done,
        deleted,
    )?;
    probe
        .lacks(&record.key, "after a delete at its version")
        .await
}

pub(super) async fn fault_13_what_has_expired_can_be_deleted(probe: Probe) -> Verdict {
    for version in [None, Some(0)] {
        let record = Record {
            created: probe.now() - 3 * HOUR,
            touched: probe.now() - 2 * HOUR,
            expires: probe.now() - HOUR,
            ..probe.record()
        };
        probe.insert(&record).await?;
        match probe.load(&record.key).await? {
            Some(found) if found != record => {
                return Err("load hands out an expired record with changes".to_owned());
            }
            _ => {}
        }
        let deleted = probe.delete(&record.key, version).await?;
        let did = format!("delete at {version:?} of an expired record");
        answers_one_of(&did, &[Outcome::Done, Outcome::Gone], &deleted)?;
        // It stays dead if the clock goes back.
        probe.lacks(&record.key, format!("after a {did}")).await?;
        let owner = record.owner.unwrap_or_default();
        let before = record.expires - 1;
        probe
            .lists(&owner, before, [], format!("after a {did}"))
            .await?;
    }
    Ok(())
}
