//! Late changes revive nothing, and the list has every live record.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::task::yield_now;

use super::{
    outcome::{Broken, Verdict, expect, same_records},
    probe::{Probe, with_payload},
    together::{RACERS, together},
};
use crate::store::{Outcome, SessionRecord};

pub(super) async fn no_update_revives_a_deleted_record(probe: Probe) -> Verdict {
    for round in 0..9 {
        no_change_revives(&probe, Change::Update, round).await?;
    }
    Ok(())
}

pub(super) async fn no_touch_revives_a_deleted_record(probe: Probe) -> Verdict {
    for round in 0..9 {
        no_change_revives(&probe, Change::Touch, round).await?;
    }
    Ok(())
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Update,
    Touch,
}

/// Fifteen tasks keep changing a record while one deletes it, at a different time in each round.
async fn no_change_revives(probe: &Probe, change: Change, round: usize) -> Verdict {
    let record = probe.inserted().await?;
    let owner = record.owner.clone().unwrap_or_default();
    let is_deleted = Arc::new(AtomicBool::new(false));
    together(0..16, |number| {
        let (probe, record) = (probe.clone(), record.clone());
        let (owner, is_deleted) = (Arc::clone(&owner), Arc::clone(&is_deleted));
        async move {
            if number > 0 {
                return keep_changing(&probe, &record, change, &is_deleted).await;
            }
            for _ in 0..round {
                yield_now().await;
            }
            match round % 3 {
                0 => {
                    let deleted = probe.delete(&record.id, None).await?;
                    expect("delete during changes", Outcome::Done, deleted)?;
                }
                1 => {
                    let deleted = probe.delete_all(&owner, None).await?;
                    expect("delete_all during changes", 1, deleted)?;
                }
                _ => delete_at_its_version(&probe, &record).await?,
            }
            is_deleted.store(true, Ordering::SeqCst);
            probe
                .lacks(&record.id, "right after a delete during changes")
                .await
        }
    })
    .await?;
    let when = format!("after a delete during changes ({change:?})");
    probe.lacks(&record.id, &when).await?;
    probe.lists(&owner, probe.now(), [], &when).await
}

async fn delete_at_its_version(probe: &Probe, record: &SessionRecord) -> Verdict {
    loop {
        let found = probe.load(&record.id).await?;
        let found = found.ok_or("load during changes: the record is missing")?;
        match probe.delete(&record.id, Some(found.version)).await? {
            Outcome::Done => return Ok(()),
            Outcome::Conflict => yield_now().await,
            Outcome::Gone => return Err("the only delete during changes: Gone".to_owned()),
        }
    }
}

/// Stops after a change that began after the delete had returned.
async fn keep_changing(
    probe: &Probe,
    record: &SessionRecord,
    change: Change,
    is_deleted: &AtomicBool,
) -> Verdict {
    let mut new = with_payload(record, b"new");
    loop {
        let is_late = is_deleted.load(Ordering::SeqCst);
        let outcome = match change {
            Change::Update => probe.update(&new, probe.now()).await?,
            Change::Touch => probe.touch(&record.id, probe.now(), record.ends).await?,
        };
        if is_late {
            let did = format!("{change:?} that began after a delete had returned");
            return expect(did, Outcome::Gone, outcome);
        }
        if let Some(found) = probe.load(&record.id).await? {
            new.version = found.version;
        }
        yield_now().await;
    }
}

pub(super) async fn no_live_record_is_missing_from_the_list(probe: Probe) -> Verdict {
    for round in 0..8 {
        let owner = probe.owner();
        let records: Vec<_> = (0..RACERS).map(|_| probe.record_of(&owner)).collect();
        // Every fourth task calls `delete_all` after its create, so that creates and deletes run in
        // any order.
        together(
            records.clone().into_iter().enumerate(),
            |(number, record)| {
                let (probe, owner) = (probe.clone(), Arc::clone(&owner));
                async move {
                    probe.insert(&record).await?;
                    if number % 4 == round % 4 {
                        probe.delete_all(&owner, None).await?;
                    }
                    Ok(())
                }
            },
        )
        .await?;
        let live = live(&probe, &records).await?;
        let when = "after concurrent calls of create and delete_all for one owner";
        probe.lists(&owner, probe.now(), &live, when).await?;
        let deleted = probe.delete_all(&owner, None).await?;
        expect(format!("delete_all {when}"), live.len() as u64, deleted)?;
    }
    Ok(())
}

pub(super) async fn no_record_outlives_a_later_delete_all(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let spared = probe.records_of(&owner, 1).await?;
    let except = spared.first().map(|record| record.id);
    together(0..RACERS, |_| {
        let (probe, owner) = (probe.clone(), Arc::clone(&owner));
        async move {
            for _ in 0..4 {
                let record = probe.record_of(&owner);
                probe.insert(&record).await?;
                probe.delete_all(&owner, except).await?;
                let when = "after a delete_all that began after its create";
                probe.lacks(&record.id, when).await?;
            }
            Ok(())
        }
    })
    .await?;
    let when = "of the excepted record, after many concurrent calls of delete_all";
    probe.lists(&owner, probe.now(), &spared, when).await
}

/// Records are created one after the other during a `delete_all`. It must delete those created up
/// to some moment, and none created after it.
pub(super) async fn delete_all_beside_creates_equals_one_order(probe: Probe) -> Verdict {
    const CREATES: usize = 24;
    for round in 0..12 {
        let owner = probe.owner();
        let before = probe.records_of(&owner, 20).await?;
        let chains = together(0..4, |number| {
            let (probe, owner) = (probe.clone(), Arc::clone(&owner));
            async move {
                let mut chain = Vec::new();
                if number == 0 {
                    for _ in 0..round {
                        yield_now().await;
                    }
                    probe.delete_all(&owner, None).await?;
                    return Ok(chain);
                }
                for _ in 0..CREATES {
                    let record = probe.record_of(&owner);
                    probe.insert(&record).await?;
                    chain.push(record);
                    yield_now().await;
                }
                Ok(chain)
            }
        })
        .await?;
        let when = "after a delete_all beside creates";
        for record in &before {
            probe.lacks(&record.id, when).await?;
        }
        let mut left = Vec::new();
        for chain in chains {
            let mut survived = false;
            for record in &chain {
                match probe.load(&record.id).await? {
                    Some(found) if found == *record => survived = true,
                    Some(_) => return Err(format!("load {when}: the record has changed")),
                    None if survived => {
                        return Err(
                            "delete_all beside creates, one after the other: a record is gone, and \
                             one that was created before it is not"
                                .to_owned(),
                        );
                    }
                    None => continue,
                }
                left.push(record.clone());
            }
        }
        probe.lists(&owner, probe.now(), &left, when).await?;
        let deleted = probe.delete_all(&owner, None).await?;
        expect(format!("delete_all {when}"), left.len() as u64, deleted)?;
    }
    Ok(())
}

pub(super) async fn a_list_during_deletes_has_all_others(probe: Probe) -> Verdict {
    let owner = probe.owner();
    let stay = probe.records_of(&owner, 20).await?;
    let go = probe.records_of(&owner, 20).await?;
    let (stay, go) = (Arc::new(stay), Arc::new(go));
    together(0..8, |number| {
        let (probe, owner) = (probe.clone(), Arc::clone(&owner));
        let (stay, go) = (Arc::clone(&stay), Arc::clone(&go));
        async move {
            if number % 2 == 0 {
                for record in go.iter().skip(number / 2).step_by(4) {
                    probe.delete(&record.id, None).await.map(drop)?;
                }
                return Ok(());
            }
            for _ in 0..10 {
                let found = probe.list_all(&owner, probe.now()).await?;
                let stays = |record: &SessionRecord| go.iter().all(|other| other.id != record.id);
                let found: Vec<_> = found.into_iter().filter(stays).collect();
                same_records(&stay.iter().collect::<Vec<_>>(), &found).map_err(|what| {
                    format!("list while other records of the owner are deleted: {what}")
                })?;
            }
            Ok(())
        }
    })
    .await
    .map(drop)
}

async fn live(probe: &Probe, records: &[SessionRecord]) -> Result<Vec<SessionRecord>, Broken> {
    let mut live = Vec::new();
    for record in records {
        live.extend(probe.load(&record.id).await?);
    }
    Ok(live)
}
