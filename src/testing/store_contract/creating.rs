//! New records.

use super::{
    outcome::{Verdict, expect},
    probe::{HOUR, Probe},
};
use crate::store::{CreateOutcome, Outcome, SessionRecord};

pub(super) async fn create_never_overwrites(probe: Probe) -> Verdict {
    let first = probe.inserted().await?;
    let other = SessionRecord {
        id: first.id,
        version: 5,
        ends: first.ends + 1,
        ..probe.record()
    };
    for (second, of) in [
        (&first, "the same record"),
        (&other, "another record with the same id"),
    ] {
        let created = probe.create(second).await?;
        expect(format!("create of {of}"), CreateOutcome::Exists, created)?;
        probe
            .finds(&first, "after a create that returned Exists")
            .await?;
    }
    let when = "of an owner whose create returned Exists";
    if let Some(owner) = &other.owner {
        probe.lists(owner, probe.now(), [], when).await?;
    }
    if let Some(owner) = &first.owner {
        let when = "of the first record's owner, after a second create";
        probe.lists(owner, probe.now(), [&first], when).await?;
    }
    Ok(())
}

pub(super) async fn a_created_record_is_there_at_once(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let mut so_far = Vec::new();
    for number in 1..=20 {
        let record = probe.record_of(&owner);
        probe.insert(&record).await?;
        probe.finds(&record, "right after its create").await?;
        so_far.push(record);
        let when = format!("right after create number {number}");
        probe.lists(&owner, probe.now(), &so_far, when).await?;
    }
    Ok(())
}

pub(super) async fn changes_of_a_missing_record_create_nothing(probe: Probe) -> Verdict {
    let (owner, now) = (probe.owner(), probe.now());
    let record = probe.record_of(&owner);
    let id = record.id;
    let when = "of an id that was never created";
    probe.lacks(&id, when).await?;
    let updated = probe.update(&record, now).await?;
    expect(format!("update {when}"), Outcome::Gone, updated)?;
    let touched = probe.touch(&id, now, now + HOUR).await?;
    expect(format!("touch {when}"), Outcome::Gone, touched)?;
    for version in [None, Some(0)] {
        let deleted = probe.delete(&id, version).await?;
        let did = format!("delete at {version:?} {when}");
        expect(did, Outcome::Gone, deleted)?;
    }
    for except in [None, Some(id)] {
        let deleted = probe.delete_all(&owner, except).await?;
        expect("delete_all of an owner without records", 0, deleted)?;
    }
    probe
        .lacks(&id, "after changes of a missing record")
        .await?;
    let when = "of an owner without records";
    probe.lists(&owner, now, [], when).await?;
    probe.insert(&record).await?;
    let when = "after changes before its create";
    probe.finds(&record, when).await?;
    probe.lists(&owner, now, [&record], when).await
}

pub(super) async fn load_fresh_returns_the_latest_record(probe: Probe) -> Verdict {
    let mut record = probe.record();
    let fresh = probe.load_fresh(&record.id).await?;
    expect("load_fresh before a create", None, fresh)?;
    probe.insert(&record).await?;
    let fresh = probe.load_fresh(&record.id).await?;
    expect("load_fresh after a create", Some(&record), fresh.as_ref())?;
    for number in 0..5 {
        // A cache would have the record now.
        probe.finds(&record, "before a load_fresh").await?;
        record = probe.updated(&record, &[number]).await?;
        let fresh = probe.load_fresh(&record.id).await?;
        expect("load_fresh after an update", Some(&record), fresh.as_ref())?;
    }
    let deleted = probe.delete(&record.id, None).await?;
    expect("delete", Outcome::Done, deleted)?;
    let fresh = probe.load_fresh(&record.id).await?;
    expect("load_fresh after a delete", None, fresh)
}
