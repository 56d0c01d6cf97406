//! `delete_expired`. These are the only checks that touch other records.
//!
//! Expired records may be removed at the same time by other cleanups, by other checks, or by the
//! store itself. So the checks do not fail if an expired record is removed early, only if one
//! remains or a live record is removed.

use super::{
    outcome::{Verdict, expect},
    probe::{HOUR, Probe},
    together::together,
};
use crate::{
    clock::{Clock, Millis},
    store::{Outcome, SessionRecord},
};

/// How often a check is repeated that another cleanup of the same store may disturb.
const AGAIN: usize = 30;

pub(super) async fn delete_expired_keeps_to_its_limit(probe: Probe) -> Verdict {
    let deleted = probe.delete_expired(probe.now(), 0).await?;
    expect("delete_expired with limit 0", 0, deleted)?;
    let mut taken = 0;
    // Another cleanup may remove the rest in between, but not every time.
    for _ in 0..AGAIN {
        let records = expired(&probe, 40).await?;
        let before = still_there(&probe, &records).await?;
        let deleted = probe.delete_expired(probe.now(), 7).await?;
        if deleted > 7 {
            return Err(format!("delete_expired with limit 7 returned {deleted}"));
        }
        taken = before - still_there(&probe, &records).await?;
        if taken <= 7 {
            return Ok(());
        }
    }
    Err(format!(
        "delete_expired with limit 7 deleted {taken}, {AGAIN} times in a row"
    ))
}

pub(super) async fn a_short_batch_of_delete_expired_was_the_last(probe: Probe) -> Verdict {
    let mut left = 0;
    // Two cleanups at once may share a batch, but not every time.
    for limit in [3, 5, 7].into_iter().cycle().take(AGAIN) {
        let records = expired(&probe, 40).await?;
        delete_all_expired(&probe, probe.now(), limit).await?;
        left = still_there(&probe, &records).await?;
        if left == 0 {
            return Ok(());
        }
    }
    Err(format!(
        "delete_expired returned less than its limit and left {left} of 40 expired records, \
         {AGAIN} times in a row"
    ))
}

pub(super) async fn delete_expired_is_exact_to_the_millisecond(probe: Probe) -> Verdict {
    let records = expired(&probe, 5).await?;
    let at = probe.now() - HOUR;
    for _ in 0..AGAIN {
        delete_all_expired(&probe, at, 1000).await?;
        if still_there(&probe, &records).await? == 0 {
            return Ok(());
        }
    }
    Err("delete_expired left records that expire in the very millisecond of its `now`".to_owned())
}

pub(super) async fn delete_expired_knows_records_ended_early(probe: Probe) -> Verdict {
    let mut records = Vec::new();
    for _ in 0..5 {
        let mut record = probe.inserted().await?;
        (record.expires, record.ends) = (probe.now() - HOUR, probe.now() - HOUR);
        let updated = probe.update(&record, probe.now()).await?;
        expect("update that ends a record at once", Outcome::Done, updated)?;
        records.push(record);
    }
    for _ in 0..AGAIN {
        delete_all_expired(&probe, probe.now(), 1000).await?;
        if still_there(&probe, &records).await? == 0 {
            return Ok(());
        }
    }
    Err("delete_expired left records that an update had ended an hour ago".to_owned())
}

pub(super) async fn delete_expired_spares_live_records(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let live = probe.records_of(&owner, 10).await?;
    let anonymous = SessionRecord {
        owner: None,
        ..probe.record()
    };
    probe.insert(&anonymous).await?;
    // These records had expired long ago when they were created, and are extended later. A cleanup
    // may remove them before that, but never after.
    let mut extended = Vec::new();
    for (number, mut record) in expired(&probe, 6).await?.into_iter().enumerate() {
        let (then, expires) = (record.expires - 1, probe.now() + HOUR);
        let is_touched = number % 2 == 0;
        (record.touched, record.expires) = (then, expires);
        let outcome = if is_touched {
            probe.touch(&record.id, then, expires).await?
        } else {
            probe.update(&record, then).await?
        };
        if outcome == Outcome::Done {
            record.version = u64::from(!is_touched);
            extended.push(record);
        }
    }
    delete_all_expired(&probe, probe.now(), 7).await?;
    for record in live.iter().chain([&anonymous]) {
        let when = "of a live record after delete_expired";
        probe.finds(record, when).await?;
    }
    for record in &extended {
        let when = "of an extended record after delete_expired";
        probe.finds(record, when).await?;
    }
    let when = "of live records after delete_expired";
    probe.lists(&owner, probe.now(), &live, when).await
}

pub(super) async fn delete_expired_spares_the_last_millisecond(probe: Probe) -> Verdict {
    // The records are live by any clock while the check runs. If the store is slower than that, the
    // check proves nothing.
    let expires = Clock::System.now() + 10_000;
    let record = SessionRecord {
        expires,
        ..probe.record()
    };
    probe.insert(&record).await?;
    delete_all_expired(&probe, expires - 1, 1000).await?;
    let found = probe.load(&record.id).await?;
    if found.is_none() && Clock::System.now() < expires {
        return Err("delete_expired took a record a millisecond before it expired".to_owned());
    }
    Ok(())
}

pub(super) async fn a_record_removed_as_expired_is_not_listed(probe: Probe) -> Verdict {
    let records = expired(&probe, 5).await?;
    let Some(owner) = records.first().and_then(|record| record.owner.clone()) else {
        return Ok(());
    };
    for _ in 0..3 {
        delete_all_expired(&probe, probe.now(), 1000).await?;
    }
    let before = probe.now() - HOUR - 1;
    let when = "of removed records, before they expired";
    probe.lists(&owner, before, [], when).await?;
    let new = probe.records_of(&owner, 2).await?;
    let when = "of new records of an owner whose old ones were removed";
    probe.lists(&owner, probe.now(), &new, when).await
}

pub(super) async fn ten_nodes_may_delete_expired_at_once(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let live = probe.records_of(&owner, 10).await?;
    let records = expired(&probe, 100).await?;
    together(0..10, |_| {
        let probe = probe.clone();
        async move { delete_all_expired(&probe, probe.now(), 7).await }
    })
    .await?;
    delete_all_expired(&probe, probe.now(), 1000).await?;
    let left = still_there(&probe, &records).await?;
    let did = "delete_expired by ten nodes at once: expired records left";
    expect(did, 0, left)?;
    let when = "after delete_expired by ten nodes at once";
    probe.lists(&owner, probe.now(), &live, when).await
}

/// Creates records of one owner that expired exactly an hour ago. Removes other expired records
/// first, since small batches would take long for them.
async fn expired(probe: &Probe, count: usize) -> Result<Vec<SessionRecord>, String> {
    delete_all_expired(probe, probe.now(), 1000).await?;
    let owner = probe.owner();
    let records: Vec<_> = (0..count)
        .map(|_| SessionRecord {
            created: probe.now() - 3 * HOUR,
            touched: probe.now() - 2 * HOUR,
            expires: probe.now() - HOUR,
            ..probe.record_of(&owner)
        })
        .collect();
    probe.insert_all(&records).await?;
    Ok(records)
}

/// Deletes batch after batch, as an application does.
async fn delete_all_expired(probe: &Probe, now: Millis, limit: usize) -> Verdict {
    loop {
        let deleted = probe.delete_expired(now, limit).await?;
        if deleted > limit as u64 {
            return Err(format!(
                "delete_expired with limit {limit} returned {deleted}"
            ));
        }
        if deleted < limit as u64 {
            return Ok(());
        }
    }
}

async fn still_there(probe: &Probe, records: &[SessionRecord]) -> Result<usize, String> {
    let mut count = 0;
    for record in records {
        count += usize::from(probe.load(&record.id).await?.is_some());
    }
    Ok(count)
}
