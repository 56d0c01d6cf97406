//! Deletion of one record.

use super::{
    outcome::{Verdict, expect, expect_one_of},
    probe::{HOUR, Probe},
};
use crate::store::{Outcome, SessionRecord};

pub(super) async fn a_deleted_record_is_gone_at_once(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let mut left = probe.records_of(&owner, 6).await?;
    for version in [None, Some(0)].into_iter().cycle() {
        let Some(record) = left.pop() else { break };
        let deleted = probe.delete(&record.id, version).await?;
        let did = format!("delete at {version:?} of a record at version 0");
        expect(&did, Outcome::Done, deleted)?;
        let when = format!("right after a {did}");
        probe.lacks(&record.id, &when).await?;
        probe.lists(&owner, probe.now(), &left, when).await?;
        for again in [None, Some(0)] {
            let deleted = probe.delete(&record.id, again).await?;
            expect("a second delete", Outcome::Gone, deleted)?;
        }
    }
    Ok(())
}

pub(super) async fn delete_at_another_version_spares_the_record(probe: Probe) -> Verdict {
    let record = SessionRecord {
        version: 3,
        ..probe.record()
    };
    probe.insert(&record).await?;
    let owner = record.owner.clone().unwrap_or_default();
    for wrong in [2, 4, 0, u64::MAX] {
        let deleted = probe.delete(&record.id, Some(wrong)).await?;
        let did = format!("delete at version {wrong} of a record at version 3");
        expect(&did, Outcome::Conflict, deleted)?;
        let when = format!("after a {did}");
        probe.finds(&record, &when).await?;
        probe.lists(&owner, probe.now(), [&record], when).await?;
    }
    let record = probe.updated(&record, b"new").await?;
    let deleted = probe.delete(&record.id, Some(3)).await?;
    let did = "delete at the version before an update";
    expect(did, Outcome::Conflict, deleted)?;
    probe
        .finds(&record, "after a delete that returned Conflict")
        .await?;
    let deleted = probe.delete(&record.id, Some(4)).await?;
    let did = "delete at the version after an update";
    expect(did, Outcome::Done, deleted)?;
    probe
        .lacks(&record.id, "after a delete at its version")
        .await
}

pub(super) async fn an_expired_record_can_be_deleted(probe: Probe) -> Verdict {
    for version in [None, Some(0)] {
        let record = SessionRecord {
            created: probe.now() - 3 * HOUR,
            touched: probe.now() - 2 * HOUR,
            expires: probe.now() - HOUR,
            ..probe.record()
        };
        probe.insert(&record).await?;
        match probe.load(&record.id).await? {
            Some(found) if found != record => {
                return Err("load returned an expired record with changes".to_owned());
            }
            _ => {}
        }
        let deleted = probe.delete(&record.id, version).await?;
        let did = format!("delete at {version:?} of an expired record");
        expect_one_of(&did, &[Outcome::Done, Outcome::Gone], &deleted)?;
        // It stays absent if the clock is turned back.
        let when = format!("after a {did}");
        probe.lacks(&record.id, &when).await?;
        let owner = record.owner.unwrap_or_default();
        probe.lists(&owner, record.expires - 1, [], when).await?;
    }
    Ok(())
}
