//! `delete_expired`: the only checks that touch what isn't theirs.
//!
//! Others may clear away at the same time, these checks among them, and a store may do so by itself. So nothing is said
//! of an expired record that is gone early, only of one that stays and of a live one that goes.

use super::{
    answer::{Verdict, answers},
    probe::{HOUR, Probe},
    together::together,
};
use crate::{
    clock::{Clock, Millis},
    store::{Outcome, Record},
};

/// How often a check is repeated that others may disturb who clear away on the same store.
const AGAIN: usize = 30;

pub(super) async fn b24_clearing_away_keeps_to_its_limit(probe: Probe) -> Verdict {
    let deleted = probe.delete_expired(probe.now(), 0).await?;
    answers("delete_expired with limit 0", 0, deleted)?;
    let mut taken = 0;
    // That others took the rest in between happens now and then, not every time.
    for _ in 0..AGAIN {
        let records = expired(&probe, 40).await?;
        let before = still_there(&probe, &records).await?;
        let deleted = probe.delete_expired(probe.now(), 7).await?;
        if deleted > 7 {
            return Err(format!("delete_expired with limit 7 answered {deleted}"));
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

pub(super) async fn b24_a_batch_that_is_not_full_was_the_last(probe: Probe) -> Verdict {
    let mut left = 0;
    // Two that clear away at once may share a batch: that happens now and then, not every time.
    for limit in [3, 5, 7].into_iter().cycle().take(AGAIN) {
        let records = expired(&probe, 40).await?;
        to_the_end(&probe, probe.now(), limit).await?;
        left = still_there(&probe, &records).await?;
        if left == 0 {
            return Ok(());
        }
    }
    Err(format!(
        "delete_expired answered less than its limit and left {left} expired records of 40, {AGAIN} times in a row"
    ))
}

pub(super) async fn b24_expired_is_due_from_the_very_millisecond(probe: Probe) -> Verdict {
    let records = expired(&probe, 5).await?;
    let at = probe.now() - HOUR;
    for _ in 0..AGAIN {
        to_the_end(&probe, at, 1000).await?;
        if still_there(&probe, &records).await? == 0 {
            return Ok(());
        }
    }
    Err("delete_expired left records that expired at the very millisecond of its `now`".to_owned())
}

pub(super) async fn fault_37_a_live_record_is_never_cleared_away(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let live = probe.records_of(&owner, 10).await?;
    let nobodys = Record {
        owner: None,
        ..probe.record()
    };
    probe.insert(&nobodys).await?;
    // Made to be due long ago, moved on since: it may be cleared away before the touch, never after.
    let mut moved_on = Vec::new();
    for mut record in expired(&probe, 5).await? {
        let (then, expires) = (record.expires - 1, probe.now() + HOUR);
        if probe.touch(&record.key, then, expires).await? == Outcome::Done {
            record.touched = then;
            record.expires = expires;
            moved_on.push(record);
        }
    }
    to_the_end(&probe, probe.now(), 7).await?;
    for record in live.iter().chain([&nobodys]) {
        probe
            .finds(record, "of a live record after delete_expired")
            .await?;
    }
    for record in &moved_on {
        let when = "of a record that a touch had moved on, after delete_expired";
        probe.finds(record, when).await?;
    }
    let when = "of live records after delete_expired";
    probe.lists(&owner, probe.now(), &live, when).await
}

pub(super) async fn fault_37_the_last_millisecond_is_not_cleared_away(probe: Probe) -> Verdict {
    // Live by everybody's clock while the check looks. Where the store is that slow, nothing can be said.
    let expires = Clock::System.now() + 10_000;
    let record = Record {
        expires,
        ..probe.record()
    };
    probe.insert(&record).await?;
    to_the_end(&probe, expires - 1, 1000).await?;
    let found = probe.load(&record.key).await?;
    if found.is_none() && Clock::System.now() < expires {
        return Err("delete_expired took a record a millisecond before it expired".to_owned());
    }
    Ok(())
}

pub(super) async fn b24_what_was_cleared_away_is_off_the_list(probe: Probe) -> Verdict {
    let records = expired(&probe, 5).await?;
    let Some(owner) = records.first().and_then(|record| record.owner.clone()) else {
        return Ok(());
    };
    for _ in 0..3 {
        to_the_end(&probe, probe.now(), 1000).await?;
    }
    let before = probe.now() - HOUR - 1;
    probe
        .lists(
            &owner,
            before,
            [],
            "of what was cleared away, before it expired",
        )
        .await?;
    let new = probe.records_of(&owner, 2).await?;
    let when = "of new records whose owner's old ones were cleared away";
    probe.lists(&owner, probe.now(), &new, when).await
}

pub(super) async fn fault_37_ten_nodes_may_clear_away_at_once(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let live = probe.records_of(&owner, 10).await?;
    let records = expired(&probe, 100).await?;
    together(0..10, |_| {
        let probe = probe.clone();
        async move { to_the_end(&probe, probe.now(), 7).await }
    })
    .await?;
    to_the_end(&probe, probe.now(), 1000).await?;
    let left = still_there(&probe, &records).await?;
    answers(
        "delete_expired by ten at once: expired records left",
        0,
        left,
    )?;
    let when = "after delete_expired by ten at once";
    probe.lists(&owner, probe.now(), &live, when).await
}

/// Dead since an hour to the millisecond, of one owner. Those of others go first: small batches would be long about them.
async fn expired(probe: &Probe, count: usize) -> Result<Vec<Record>, String> {
    to_the_end(probe, probe.now(), 1000).await?;
    let owner = probe.owner();
    let records: Vec<_> = (0..count)
        .map(|_| Record {
            created: probe.now() - 3 * HOUR,
            touched: probe.now() - 2 * HOUR,
            expires: probe.now() - HOUR,
            ..probe.record_of(&owner)
        })
        .collect();
    probe.insert_all(&records).await?;
    Ok(records)
}

/// Batch after batch, as an application does.
async fn to_the_end(probe: &Probe, now: Millis, limit: usize) -> Verdict {
    loop {
        let deleted = probe.delete_expired(now, limit).await?;
        if deleted > limit as u64 {
            return Err(format!(
                "delete_expired with limit {limit} answered {deleted}"
            ));
        }
        if deleted < limit as u64 {
            return Ok(());
        }
    }
}

async fn still_there(probe: &Probe, records: &[Record]) -> Result<usize, String> {
    let mut count = 0;
    for record in records {
        count += usize::from(probe.load(&record.key).await?.is_some());
    }
    Ok(count)
}
