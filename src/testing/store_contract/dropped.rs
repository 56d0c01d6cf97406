//! Calls that are dropped half-way: the client has hung up, the deadline has passed.

use std::sync::Arc;

use super::{
    answer::{Broken, Verdict, answers, answers_one_of, same_records},
    hang_up::{Patience, dropped, is_whole},
    probe::{HOUR, Probe},
    together::{RACERS, together},
};
use crate::store::{Created, Outcome, Page, Record, Replaced, Which};

/// Dropped before the first look, after the first, and so on: at each place where a call may wait.
const POLLS: usize = 20;

pub(super) async fn fault_24_a_dropped_create_made_all_of_it_or_nothing(probe: Probe) -> Verdict {
    for polls in 0..=POLLS {
        let record = probe.record();
        dropped("create", polls, probe.store().create(record.clone())).await?;
        is_whole(&probe, &record, &[None, Some(record.clone())], polls).await?;
        let created = probe.create(&record).await?;
        let did = format!("create after one that was dropped after {polls} polls");
        answers_one_of(&did, &[Created::Done, Created::Exists], &created)?;
        is_whole(&probe, &record, &[Some(record.clone())], polls).await?;
    }
    Ok(())
}

pub(super) async fn fault_24_a_dropped_update_made_all_of_it_or_nothing(probe: Probe) -> Verdict {
    for polls in 0..=POLLS {
        let old = probe.inserted().await?;
        let payload: Arc<[u8]> = super::round_trips::all_bytes(5000).into();
        let new = Record {
            version: 1,
            payload: Arc::clone(&payload),
            ..old.clone()
        };
        let call = probe
            .store()
            .update(&old.key, 0, Arc::clone(&payload), probe.now());
        dropped("update", polls, call).await?;
        is_whole(&probe, &old, &[Some(old.clone()), Some(new.clone())], polls).await?;
        // The dropped one may win yet; then this one meets its version.
        let updated = probe.update(&old.key, 0, &payload, probe.now()).await?;
        let did = format!("update after one that was dropped after {polls} polls");
        answers_one_of(did, &[Outcome::Done, Outcome::Conflict], &updated)?;
        is_whole(&probe, &old, &[Some(new)], polls).await?;
        let updated = probe.update(&old.key, 1, b"next", probe.now()).await?;
        answers("update at the version that it made", Outcome::Done, updated)?;
    }
    Ok(())
}

pub(super) async fn fault_24_a_dropped_touch_made_all_of_it_or_nothing(probe: Probe) -> Verdict {
    for polls in 0..=POLLS {
        let old = probe.inserted().await?;
        let new = Record {
            touched: probe.now() + 1,
            expires: old.expires + 1,
            ..old.clone()
        };
        let call = || probe.store().touch(&old.key, new.touched, new.expires);
        dropped("touch", polls, call()).await?;
        is_whole(&probe, &old, &[Some(old.clone()), Some(new.clone())], polls).await?;
        let touched = probe.touch(&old.key, new.touched, new.expires).await?;
        let did = format!("touch after one that was dropped after {polls} polls");
        answers(did, Outcome::Done, touched)?;
        is_whole(&probe, &old, &[Some(new)], polls).await?;
    }
    Ok(())
}

pub(super) async fn fault_24_a_dropped_delete_made_all_of_it_or_nothing(probe: Probe) -> Verdict {
    for polls in 0..=POLLS {
        let record = probe.inserted().await?;
        let version = (polls % 2 == 0).then_some(0);
        dropped("delete", polls, probe.store().delete(&record.key, version)).await?;
        is_whole(&probe, &record, &[None, Some(record.clone())], polls).await?;
        let deleted = probe.delete(&record.key, version).await?;
        let did = format!("delete after one that was dropped after {polls} polls");
        answers_one_of(did, &[Outcome::Done, Outcome::Gone], &deleted)?;
        is_whole(&probe, &record, &[None], polls).await?;
    }
    Ok(())
}

pub(super) async fn fault_24_a_dropped_replace_leaves_one_of_them_at_least(
    probe: Probe,
) -> Verdict {
    for polls in 0..=POLLS {
        let (old, new) = (probe.inserted().await?, probe.record());
        let call = probe.store().replace(&old.key, 0, new.clone());
        dropped("replace", polls, call).await?;
        // The old one first: where it is gone, the new one has come before.
        let is_old = probe.load(&old.key).await?.is_some();
        if !is_old && probe.load(&new.key).await?.is_none() {
            return Err(format!(
                "after a replace that was dropped after {polls} polls: neither is there"
            ));
        }
        is_whole(&probe, &old, &[Some(old.clone()), None], polls).await?;
        is_whole(&probe, &new, &[Some(new.clone()), None], polls).await?;
        let newer = probe.record();
        let replaced = probe.replace(&old.key, 0, &newer).await?;
        let did = format!("replace after one that was dropped after {polls} polls");
        answers_one_of(&did, &[Replaced::Done, Replaced::Gone], &replaced)?;
        probe.lacks(&old.key, &did).await?;
        if replaced == Replaced::Done {
            probe.finds(&newer, &did).await?;
        } else {
            probe.finds(&new, &did).await?;
            probe.lacks(&newer.key, &did).await?;
        }
    }
    Ok(())
}

pub(super) async fn fault_24_a_dropped_delete_all_made_all_of_it_or_nothing(
    probe: Probe,
) -> Verdict {
    for polls in 0..=POLLS {
        let owner = probe.owner();
        let records = probe.records_of(&owner, 5).await?;
        dropped(
            "delete_all",
            polls,
            probe.store().delete_all(&owner, Which::All),
        )
        .await?;
        let patience = Patience::new();
        while let Err(what) = all_or_none(&probe, &owner, &records).await? {
            if !patience.lasts().await {
                return Err(format!(
                    "delete_all that was dropped after {polls} polls: {what}"
                ));
            }
        }
        let deleted = probe.delete_all(&owner, Which::All).await?;
        let did = format!("delete_all after one that was dropped after {polls} polls");
        answers_one_of(did, &[0, 5], &deleted)?;
        for record in &records {
            probe.lacks(&record.key, "after delete_all").await?;
        }
        probe
            .lists(&owner, probe.now(), [], "after delete_all")
            .await?;
    }
    Ok(())
}

pub(super) async fn fault_24_dropped_reads_and_cleanups_leave_a_store_that_works(
    probe: Probe,
) -> Verdict {
    let owner = probe.owner();
    let records = probe.records_of(&owner, 5).await?;
    let page = Page {
        after: None,
        limit: 3,
    };
    for polls in 0..=POLLS {
        for record in &records {
            dropped("load", polls, probe.store().load(&record.key)).await?;
        }
        dropped("list", polls, probe.store().list(&owner, page, probe.now())).await?;
        let call = probe.store().delete_expired(probe.now() - HOUR, 3);
        dropped("delete_expired", polls, call).await?;
        let when = format!("after calls that were dropped after {polls} polls");
        probe.lists(&owner, probe.now(), &records, when).await?;
        probe.delete_expired(probe.now() - HOUR, 3).await?;
    }
    Ok(())
}

async fn all_or_none(probe: &Probe, owner: &str, records: &[Record]) -> Result<Verdict, Broken> {
    let mut found = Vec::new();
    for record in records {
        found.extend(probe.load(&record.key).await?);
    }
    let listed = probe.list_all(owner, probe.now()).await?;
    if !found.is_empty() && found.len() < records.len() {
        let (some, all) = (found.len(), records.len());
        return Ok(Err(format!("{some} of {all} records are left")));
    }
    Ok(same_records(&found.iter().collect::<Vec<_>>(), &listed))
}

/// More of them than a pool has connections.
pub(super) async fn fault_24_64_hang_ups_at_once_leave_a_store_that_works(probe: Probe) -> Verdict {
    for polls in 0..6 {
        let record = probe.inserted().await?;
        together(0..RACERS, |number| {
            let (probe, key) = (probe.clone(), record.key);
            async move {
                match number % 4 {
                    0 => dropped("load", polls, probe.store().load(&key)).await,
                    1 => {
                        let call = probe
                            .store()
                            .update(&key, 0, Arc::from(*b"new"), probe.now());
                        dropped("update", polls, call).await
                    }
                    2 => {
                        let call = probe.store().create(probe.record());
                        dropped("create", polls, call).await
                    }
                    _ => {
                        let old = probe.inserted().await?;
                        let call = probe.store().replace(&old.key, 0, probe.record());
                        dropped("replace", polls, call).await
                    }
                }
            }
        })
        .await?;
        let new = Record {
            version: 1,
            payload: Arc::from(*b"new"),
            ..record.clone()
        };
        is_whole(&probe, &record, &[Some(record.clone()), Some(new)], polls).await?;
        let deleted = probe.delete(&record.key, None).await?;
        answers("delete after 64 hang-ups", Outcome::Done, deleted)?;
    }
    Ok(())
}
