//! New records.

use super::{
    answer::{Verdict, answers},
    probe::{HOUR, Probe},
};
use crate::store::{Created, Outcome, Record, Which};

pub(super) async fn a6_create_never_overwrites(probe: Probe) -> Verdict {
    let first = probe.inserted().await?;
    let other = Record {
        key: first.key,
        version: 5,
        ends: first.ends + 1,
        ..probe.record()
    };
    for (second, of) in [
        (&first, "the same record"),
        (&other, "another record under the same key"),
    ] {
        let created = probe.create(second).await?;
        answers(format!("create of {of}"), Created::Exists, created)?;
        probe
            .finds(&first, "after a create that answered Exists")
            .await?;
    }
    let when = "after a create for the owner that answered Exists";
    if let Some(owner) = &other.owner {
        probe.lists(owner, probe.now(), [], when).await?;
    }
    if let Some(owner) = &first.owner {
        let when = "of the first record's owner, after a second create";
        probe.lists(owner, probe.now(), [&first], when).await?;
    }
    Ok(())
}

pub(super) async fn fault_12_what_was_created_is_there_at_once(probe: Probe) -> Verdict {
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

pub(super) async fn the_key_of_a_deleted_record_is_free_again(probe: Probe) -> Verdict {
    let first = probe.inserted().await?;
    let deleted = probe.delete(&first.key, None).await?;
    answers("delete", Outcome::Done, deleted)?;
    let owner = probe.owner();
    let second = Record {
        key: first.key,
        ..probe.record_of(&owner)
    };
    let created = probe.create(&second).await?;
    answers(
        "create under the key of a deleted record",
        Created::Done,
        created,
    )?;
    probe
        .finds(&second, "after the create under a deleted record's key")
        .await?;
    probe
        .lists(&owner, probe.now(), [&second], "of the new owner")
        .await?;
    if let Some(owner) = &first.owner {
        probe
            .lists(owner, probe.now(), [], "of the deleted record's owner")
            .await?;
    }
    Ok(())
}

pub(super) async fn b6_what_is_not_there_is_not_made_by_a_change(probe: Probe) -> Verdict {
    let (key, owner, now) = (probe.key(), probe.owner(), probe.now());
    let when = "of a key that nobody has created";
    probe.lacks(&key, when).await?;
    let updated = probe.update(&key, 0, &[1], now).await?;
    answers(format!("update {when}"), Outcome::Gone, updated)?;
    let touched = probe.touch(&key, now, now + HOUR).await?;
    answers(format!("touch {when}"), Outcome::Gone, touched)?;
    for version in [None, Some(0)] {
        let deleted = probe.delete(&key, version).await?;
        answers(
            format!("delete at {version:?} {when}"),
            Outcome::Gone,
            deleted,
        )?;
    }
    for which in [
        Which::All,
        Which::Only(probe.family()),
        Which::Except(probe.family()),
    ] {
        let deleted = probe.delete_all(&owner, which).await?;
        answers(
            format!("delete_all({which:?}) for an owner without records"),
            0,
            deleted,
        )?;
    }
    probe
        .lacks(&key, "after changes to what isn't there")
        .await?;
    let when = "of an owner that has no records";
    probe.lists(&owner, now, [], when).await?;
    let record = Record {
        key,
        ..probe.record_of(&owner)
    };
    probe.insert(&record).await?;
    probe
        .finds(&record, "after changes before it was there")
        .await?;
    probe
        .lists(&owner, now, [&record], "after its first create")
        .await
}
