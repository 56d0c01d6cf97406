//! One record in the place of another.

use std::sync::Arc;

use super::{
    answer::{Verdict, answers, answers_one_of},
    probe::{HOUR, Probe},
    round_trips::all_bytes,
};
use crate::store::{Outcome, Record, Replaced, Which};

pub(super) async fn b1_what_was_replaced_is_gone_and_the_new_record_is_there(
    probe: Probe,
) -> Verdict {
    let [one, other] = [probe.owner(), probe.owner()];
    let neighbours = [probe.record_of(&one), probe.record_of(&other)];
    probe.insert_all(&neighbours).await?;
    let nobody = || Record {
        owner: None,
        ..probe.record()
    };
    let mut record = nobody();
    probe.insert(&record).await?;
    // From nobody to an owner, to the same, to another, back to nobody, and on to nobody.
    for next in [
        probe.record_of(&one),
        probe.record_of(&one),
        probe.record_of(&other),
        nobody(),
        nobody(),
    ] {
        let did = format!(
            "replace of a record of {:?} by one of {:?}",
            record.owner, next.owner
        );
        let replaced = probe.replace(&record.key, 0, &next).await?;
        answers(&did, Replaced::Done, replaced)?;
        let when = format!("right after a {did}");
        probe.lacks(&record.key, &when).await?;
        probe.finds(&next, &when).await?;
        for neighbour in &neighbours {
            probe.finds(neighbour, &when).await?;
            let owner = neighbour.owner.clone().unwrap_or_default();
            let is_theirs = |record: &&Record| record.owner == neighbour.owner;
            let theirs = [neighbour, &next].into_iter().filter(is_theirs);
            probe.lists(&owner, probe.now(), theirs, &when).await?;
        }
        record = next;
    }
    Ok(())
}

pub(super) async fn p23_a_record_that_replaces_another_comes_back_as_it_was_given(
    probe: Probe,
) -> Verdict {
    const YEAR: i64 = 365 * 24 * HOUR;
    for (odd, payload) in [(0, vec![]), (1, all_bytes(64 * 1024)), (501, vec![7])] {
        let old = Record {
            version: 3,
            ..probe.record()
        };
        probe.insert(&old).await?;
        let mut new = Record {
            created: probe.now() - 10 * YEAR - odd,
            touched: probe.now() - HOUR + odd,
            expires: probe.now() + 2 * HOUR + odd,
            ends: probe.now() + 20 * YEAR + odd,
            version: 41,
            payload: payload.into(),
            ..probe.record()
        };
        let replaced = probe.replace(&old.key, 3, &new).await?;
        answers("replace at the record's version", Replaced::Done, replaced)?;
        let when = "that took another's place";
        probe.finds(&new, when).await?;
        let owner = new.owner.clone().unwrap_or_default();
        probe.lists(&owner, probe.now(), [&new], when).await?;
        // It lives by its own version and limits from now on.
        let updated = probe.update(&new.key, 41, b"new", probe.now()).await?;
        answers(
            "update of a record that was put there",
            Outcome::Done,
            updated,
        )?;
        let touched = probe.touch(&new.key, probe.now(), i64::MAX).await?;
        answers(
            "touch of a record that was put there",
            Outcome::Done,
            touched,
        )?;
        new.version = 42;
        new.payload = Arc::from(*b"new");
        new.touched = probe.now();
        new.expires = new.ends;
        probe
            .finds(&new, "that took another's place, and was changed")
            .await?;
        let deleted = probe.delete_all(&owner, Which::Only(new.family)).await?;
        answers("delete_all of the family that was put there", 1, deleted)?;
    }
    Ok(())
}

pub(super) async fn fault_12_a_chain_of_replaces_is_seen_at_once(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let mut record = probe.record_of(&owner);
    probe.insert(&record).await?;
    for number in 1..=20 {
        let next = Record {
            version: number,
            ..probe.record_of(&owner)
        };
        let replaced = probe.replace(&record.key, number - 1, &next).await?;
        answers(format!("replace number {number}"), Replaced::Done, replaced)?;
        let when = format!("right after replace number {number}");
        probe.finds(&next, &when).await?;
        probe.lacks(&record.key, &when).await?;
        probe.lists(&owner, probe.now(), [&next], &when).await?;
        record = next;
    }
    Ok(())
}

pub(super) async fn b6_a_replace_at_another_version_leaves_both_as_they_were(
    probe: Probe,
) -> Verdict {
    let mut record = Record {
        version: 3,
        ..probe.record()
    };
    probe.insert(&record).await?;
    let new = probe.record();
    let late = async |record: &Record, wrong| {
        let did = format!(
            "replace at version {wrong} of a record at version {}",
            record.version
        );
        let replaced = probe.replace(&record.key, wrong, &new).await?;
        answers(&did, Replaced::Conflict, replaced)?;
        is_left(&probe, record, &format!("after a {did}")).await?;
        is_missing(&probe, &new, &format!("after a {did}")).await
    };
    for wrong in [2, 4, 0, u64::MAX] {
        late(&record, wrong).await?;
    }
    let updated = probe.update(&record.key, 3, b"new", probe.now()).await?;
    answers("update", Outcome::Done, updated)?;
    record.version = 4;
    record.payload = Arc::from(*b"new");
    late(&record, 3).await?;
    // The new key is still free.
    let replaced = probe.replace(&record.key, 4, &new).await?;
    answers(
        "replace at the version of an update",
        Replaced::Done,
        replaced,
    )?;
    is_missing(&probe, &record, "after a replace that was Done").await?;
    is_left(&probe, &new, "after a replace that was Done").await
}

pub(super) async fn fault_10_a_replace_of_what_is_gone_leaves_nothing(probe: Probe) -> Verdict {
    let never_there = probe.record();
    let deleted = probe.inserted().await?;
    let outcome = probe.delete(&deleted.key, None).await?;
    answers("delete", Outcome::Done, outcome)?;
    let logged_out = probe.inserted().await?;
    let owner = logged_out.owner.clone().unwrap_or_default();
    let count = probe.delete_all(&owner, Which::All).await?;
    answers("delete_all of an owner with one record", 1, count)?;
    let replaced = probe.inserted().await?;
    let next = probe.record();
    let outcome = probe.replace(&replaced.key, 0, &next).await?;
    answers("replace", Replaced::Done, outcome)?;
    for (old, what) in [
        (&never_there, "that was never there"),
        (&deleted, "that was deleted"),
        (&logged_out, "that a delete_all took"),
        (&replaced, "that was replaced before"),
    ] {
        for version in [0, 1] {
            let new = probe.record();
            let did = format!("replace at version {version} of a record {what}");
            let outcome = probe.replace(&old.key, version, &new).await?;
            answers(&did, Replaced::Gone, outcome)?;
            let when = format!("after a {did}");
            is_missing(&probe, &new, &when).await?;
            is_missing(&probe, old, &when).await?;
        }
    }
    is_left(&probe, &next, "beside replaces that were late").await
}

pub(super) async fn fault_13_what_has_expired_can_be_replaced(probe: Probe) -> Verdict {
    let old = Record {
        created: probe.now() - 3 * HOUR,
        touched: probe.now() - 2 * HOUR,
        expires: probe.now() - HOUR,
        ..probe.record()
    };
    probe.insert(&old).await?;
    let new = probe.record();
    let did = "replace of an expired record";
    let replaced = probe.replace(&old.key, 0, &new).await?;
    // It may have been cleared away.
    answers_one_of(did, &[Replaced::Done, Replaced::Gone], &replaced)?;
    // It stays dead if the clock goes back.
    probe.lacks(&old.key, format!("after a {did}")).await?;
    let owner = old.owner.unwrap_or_default();
    let before = old.expires - 1;
    probe
        .lists(&owner, before, [], format!("after a {did}"))
        .await?;
    if replaced == Replaced::Done {
        is_left(&probe, &new, "that took an expired one's place").await
    } else {
        is_missing(&probe, &new, "of an expired one's that was Gone").await
    }
}

pub(super) async fn a6_a_replace_never_overwrites(probe: Probe) -> Verdict {
    let old = probe.inserted().await?;
    let taken = probe.inserted().await?;
    let other = Record {
        key: taken.key,
        ..probe.record()
    };
    // Also where it would look like the one that is there.
    for new in [&other, &taken] {
        let did = "replace by a record whose key is taken";
        let replaced = probe.replace(&old.key, 0, new).await?;
        answers(did, Replaced::Exists, replaced)?;
        is_left(&probe, &old, &format!("after a {did}")).await?;
        is_left(&probe, &taken, &format!("after a {did}")).await?;
    }
    let owner = other.owner.unwrap_or_default();
    let when = "of an owner whose record answered Exists";
    probe.lists(&owner, probe.now(), [], when).await?;
    let new = probe.record();
    let replaced = probe.replace(&old.key, 0, &new).await?;
    answers("the same by a free key", Replaced::Done, replaced)?;
    is_left(
        &probe,
        &new,
        "after a replace that answered Exists, and another",
    )
    .await
}

pub(super) async fn a6_no_record_takes_its_own_place(probe: Probe) -> Verdict {
    let there = probe.inserted().await?;
    let other = Record {
        version: 5,
        ..there.clone()
    };
    let did = "replace by a record with the same key";
    for new in [&there, &other] {
        let replaced = probe.replace(&there.key, 0, new).await?;
        answers(did, Replaced::Exists, replaced)?;
        is_left(&probe, &there, &format!("after a {did}")).await?;
    }
    let missing = probe.record();
    let replaced = probe.replace(&missing.key, 0, &missing).await?;
    let both = [Replaced::Exists, Replaced::Gone];
    answers_one_of(format!("{did}, that isn't there"), &both, &replaced)?;
    is_missing(&probe, &missing, "after a replace by itself").await
}

/// The record is there, and it alone on its owner's list.
pub(super) async fn is_left(probe: &Probe, record: &Record, when: &str) -> Verdict {
    probe.finds(record, when).await?;
    match &record.owner {
        Some(owner) => probe.lists(owner, probe.now(), [record], when).await,
        None => Ok(()),
    }
}

/// Neither the record is there, nor anything on its owner's list.
pub(super) async fn is_missing(probe: &Probe, record: &Record, when: &str) -> Verdict {
    probe.lacks(&record.key, when).await?;
    match &record.owner {
        Some(owner) => probe.lists(owner, probe.now(), [], when).await,
        None => Ok(()),
    }
}
