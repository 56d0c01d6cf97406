//! Calls that are dropped half-way, as when the client hangs up or the deadline has passed.

use super::{
    hang_up::{Patience, dropped, is_whole},
    outcome::{Broken, Verdict, expect, expect_one_of, same_records},
    probe::{HOUR, Probe, with_payload},
    together::{RACERS, together},
};
use crate::store::{CreateOutcome, Outcome, Page, SessionRecord};

/// A call is dropped before the first poll, after the first, and so on: at each place where it may
/// wait.
const POLLS: usize = 20;

pub(super) async fn a_dropped_create_did_all_or_nothing(probe: Probe) -> Verdict {
    for polls in 0..=POLLS {
        let record = probe.record();
        dropped("create", polls, probe.store().create(record.clone())).await?;
        is_whole(&probe, &record, &[None, Some(record.clone())], polls).await?;
        let created = probe.create(&record).await?;
        let did = format!("create after one that was dropped after {polls} polls");
        let both = [CreateOutcome::Done, CreateOutcome::Exists];
        expect_one_of(&did, &both, &created)?;
        is_whole(&probe, &record, &[Some(record.clone())], polls).await?;
    }
    Ok(())
}

pub(super) async fn a_dropped_update_did_all_or_nothing(probe: Probe) -> Verdict {
    for polls in 0..=POLLS {
        let old = probe.inserted().await?;
        let new = SessionRecord {
            touched: old.touched + 1,
            expires: old.ends + 1,
            ends: old.ends + 2,
            ..with_payload(&old, &super::round_trips::all_bytes(5000))
        };
        let stored = SessionRecord {
            version: 1,
            ..new.clone()
        };
        let call = probe.store().update(new.clone(), probe.now());
        dropped("update", polls, call).await?;
        let states = [Some(old.clone()), Some(stored.clone())];
        is_whole(&probe, &old, &states, polls).await?;
        // The dropped update may still win; then this one finds another version.
        let updated = probe.update(&new, probe.now()).await?;
        let did = format!("update after one that was dropped after {polls} polls");
        expect_one_of(did, &[Outcome::Done, Outcome::Conflict], &updated)?;
        is_whole(&probe, &old, &[Some(stored.clone())], polls).await?;
        probe.updated(&stored, b"next").await?;
    }
    Ok(())
}

pub(super) async fn a_dropped_touch_did_all_or_nothing(probe: Probe) -> Verdict {
    for polls in 0..=POLLS {
        let old = probe.inserted().await?;
        let new = SessionRecord {
            touched: probe.now() + 1,
            expires: old.expires + 1,
            ..old.clone()
        };
        let call = || probe.store().touch(&old.id, new.touched, new.expires);
        dropped("touch", polls, call()).await?;
        is_whole(&probe, &old, &[Some(old.clone()), Some(new.clone())], polls).await?;
        let touched = probe.touch(&old.id, new.touched, new.expires).await?;
        let did = format!("touch after one that was dropped after {polls} polls");
        expect(did, Outcome::Done, touched)?;
        is_whole(&probe, &old, &[Some(new)], polls).await?;
    }
    Ok(())
}

pub(super) async fn a_dropped_delete_did_all_or_nothing(probe: Probe) -> Verdict {
    for polls in 0..=POLLS {
        let record = probe.inserted().await?;
        let version = (polls % 2 == 0).then_some(0);
        dropped("delete", polls, probe.store().delete(&record.id, version)).await?;
        is_whole(&probe, &record, &[None, Some(record.clone())], polls).await?;
        let deleted = probe.delete(&record.id, version).await?;
        let did = format!("delete after one that was dropped after {polls} polls");
        expect_one_of(did, &[Outcome::Done, Outcome::Gone], &deleted)?;
        is_whole(&probe, &record, &[None], polls).await?;
    }
    Ok(())
}

pub(super) async fn a_dropped_delete_all_did_all_or_nothing(probe: Probe) -> Verdict {
    for polls in 0..=POLLS {
        let owner = probe.owner();
        let records = probe.records_of(&owner, 5).await?;
        dropped("delete_all", polls, probe.store().delete_all(&owner, None)).await?;
        let patience = Patience::new();
        while let Err(what) = all_or_none(&probe, &owner, &records).await? {
            if !patience.lasts().await {
                return Err(format!(
                    "delete_all that was dropped after {polls} polls: {what}"
                ));
            }
        }
        let deleted = probe.delete_all(&owner, None).await?;
        let did = format!("delete_all after one that was dropped after {polls} polls");
        expect_one_of(did, &[0, 5], &deleted)?;
        for record in &records {
            probe.lacks(&record.id, "after delete_all").await?;
        }
        probe
            .lists(&owner, probe.now(), [], "after delete_all")
            .await?;
    }
    Ok(())
}

pub(super) async fn dropped_reads_and_cleanups_do_no_harm(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let records = probe.records_of(&owner, 5).await?;
    let page = Page {
        after: None,
        limit: 3,
    };
    for polls in 0..=POLLS {
        for record in &records {
            dropped("load", polls, probe.store().load(&record.id)).await?;
            dropped("load_fresh", polls, probe.store().load_fresh(&record.id)).await?;
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

async fn all_or_none(
    probe: &Probe,
    owner: &str,
    records: &[SessionRecord],
) -> Result<Verdict, Broken> {
    let mut found = Vec::new();
    for record in records {
        found.extend(probe.load(&record.id).await?);
    }
    let listed = probe.list_all(owner, probe.now()).await?;
    if !found.is_empty() && found.len() < records.len() {
        let (some, all) = (found.len(), records.len());
        return Ok(Err(format!("{some} of {all} records are left")));
    }
    Ok(same_records(&found.iter().collect::<Vec<_>>(), &listed))
}

/// Drops more calls than a pool has connections.
pub(super) async fn many_dropped_calls_at_once_do_no_harm(probe: Probe) -> Verdict {
    for polls in 0..6 {
        let record = probe.inserted().await?;
        let new = with_payload(&record, b"new");
        together(0..RACERS, |number| {
            let (probe, new) = (probe.clone(), new.clone());
            async move {
                match number % 4 {
                    0 => dropped("load", polls, probe.store().load(&new.id)).await,
                    1 => {
                        let call = probe.store().update(new, probe.now());
                        dropped("update", polls, call).await
                    }
                    2 => {
                        let call = probe.store().create(probe.record());
                        dropped("create", polls, call).await
                    }
                    _ => {
                        let other = probe.inserted().await?;
                        let call = probe.store().delete(&other.id, Some(0));
                        dropped("delete", polls, call).await
                    }
                }
            }
        })
        .await?;
        let new = SessionRecord { version: 1, ..new };
        is_whole(&probe, &record, &[Some(record.clone()), Some(new)], polls).await?;
        let deleted = probe.delete(&record.id, None).await?;
        expect("delete after 64 dropped calls", Outcome::Done, deleted)?;
    }
    Ok(())
}
