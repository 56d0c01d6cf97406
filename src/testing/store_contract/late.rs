//! Who comes late revives nothing, and the list knows of everything that lives.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::task::yield_now;

use super::{
    answer::{Broken, Verdict, answers, answers_one_of, same_records},
    probe::Probe,
    together::{RACERS, together},
};
use crate::store::{Created, Outcome, Record, Replaced, Which};

pub(super) async fn b6_no_update_revives_what_a_delete_removed(probe: Probe) -> Verdict {
    for round in 0..9 {
        no_change_revives(&probe, Change::Update, round).await?;
    }
    Ok(())
}

pub(super) async fn b6_no_touch_revives_what_a_delete_removed(probe: Probe) -> Verdict {
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

/// Fifteen keep changing a record while one deletes it, at another moment in each round.
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
                    let deleted = probe.delete(&record.key, None).await?;
                    answers("delete during changes", Outcome::Done, deleted)?;
                }
                1 => {
                    let deleted = probe.delete_all(&owner, Which::All).await?;
                    answers("delete_all during changes", 1, deleted)?;
                }
                _ => replace_it(&probe, &record).await?,
            }
            is_deleted.store(true, Ordering::SeqCst);
            probe
                .lacks(&record.key, "right after a delete during changes")
                .await
        }
    })
    .await?;
    let when = format!("after a delete during changes ({change:?})");
    probe.lacks(&record.key, &when).await?;
    probe.lists(&owner, probe.now(), [], &when).await
}

/// By one of another owner, at whatever version it has come to.
async fn replace_it(probe: &Probe, record: &Record) -> Verdict {
    let (mut version, new) = (0, probe.record());
    loop {
        match probe.replace(&record.key, version, &new).await? {
            Replaced::Done => return probe.finds(&new, "after a replace during changes").await,
            Replaced::Conflict => {}
            odd => return Err(format!("replace of a record that nobody deletes: {odd:?}")),
        }
        let found = probe.load(&record.key).await?;
        version = found.map_or(version, |record| record.version);
    }
}

/// Until it has begun a change after the delete was answered.
async fn keep_changing(
    probe: &Probe,
    record: &Record,
    change: Change,
    is_deleted: &AtomicBool,
) -> Verdict {
    let mut version = 0;
    loop {
        let is_late = is_deleted.load(Ordering::SeqCst);
        let outcome = match change {
            Change::Update => {
                probe
                    .update(&record.key, version, b"new", probe.now())
                    .await?
            }
            Change::Touch => probe.touch(&record.key, probe.now(), record.ends).await?,
        };
        if is_late {
            let did = format!("{change:?} that began after a delete was answered Done");
            return answers(did, Outcome::Gone, outcome);
        }
        if let Some(found) = probe.load(&record.key).await? {
            version = found.version;
        }
        yield_now().await;
    }
}

pub(super) async fn no_live_record_is_missing_from_its_owners_list(probe: Probe) -> Verdict {
    for round in 0..8 {
        let owner = probe.owner();
        let records: Vec<_> = (0..RACERS).map(|_| probe.record_of(&owner)).collect();
        // Every fourth deletes all after its create, so that creates and deletes meet in any order.
        together(
            records.clone().into_iter().enumerate(),
            |(number, record)| {
                let (probe, owner) = (probe.clone(), Arc::clone(&owner));
                async move {
                    probe.insert(&record).await?;
                    if number % 4 == round % 4 {
                        probe.delete_all(&owner, Which::All).await?;
                    }
                    Ok(())
                }
            },
        )
        .await?;
        let live = live(&probe, &records).await?;
        let when = "after creates and delete_alls of one owner at once";
        probe.lists(&owner, probe.now(), &live, when).await?;
        let deleted = probe.delete_all(&owner, Which::All).await?;
        answers(format!("delete_all {when}"), live.len() as u64, deleted)?;
    }
    Ok(())
}

pub(super) async fn p16_nothing_that_was_there_before_outlives_a_delete_all(
    probe: Probe,
) -> Verdict {
    let owner = probe.owner();
    let family = probe.family();
    let nobody_else = probe.records_of(&owner, 1).await?;
    together(0..RACERS, |_| {
        let (probe, owner) = (probe.clone(), Arc::clone(&owner));
        async move {
            for _ in 0..4 {
                let record = Record {
                    family,
                    ..probe.record_of(&owner)
                };
                probe.insert(&record).await?;
                probe.delete_all(&owner, Which::Only(family)).await?;
                probe
                    .lacks(
                        &record.key,
                        "after a delete_all that began after its create",
                    )
                    .await?;
            }
            Ok(())
        }
    })
    .await?;
    let when = "of the other family, after many delete_alls at once";
    probe.lists(&owner, probe.now(), &nobody_else, when).await
}

pub(super) async fn a_key_that_comes_and_goes_is_listed_when_it_is_there(probe: Probe) -> Verdict {
    let owner = probe.owner();
    for _ in 0..8 {
        let record = probe.record_of(&owner);
        together(0..16, |_| {
            let (probe, record) = (probe.clone(), record.clone());
            async move {
                for _ in 0..8 {
                    let deleted = probe.delete(&record.key, None).await?;
                    let both = [Outcome::Done, Outcome::Gone];
                    answers_one_of("delete beside creates", &both, &deleted)?;
                    let created = probe.create(&record).await?;
                    let both = [Created::Done, Created::Exists];
                    answers_one_of("create beside deletes", &both, &created)?;
                }
                Ok(())
            }
        })
        .await?;
        // Each ended with a create, so the last call of all was one.
        probe
            .finds(&record, "after creates and deletes of one key at once")
            .await?;
        let when = "after creates and deletes of one key at once";
        probe.lists(&owner, probe.now(), [&record], when).await?;
        let deleted = probe.delete_all(&owner, Which::All).await?;
        answers(format!("delete_all {when}"), 1, deleted)?;
    }
    Ok(())
}

pub(super) async fn a_list_during_deletes_lacks_nobody_else(probe: Probe) -> Verdict {
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
                    probe.delete(&record.key, None).await.map(drop)?;
                }
                return Ok(());
            }
            for _ in 0..10 {
                let found = probe.list_all(&owner, probe.now()).await?;
                let is_stable = |record: &Record| go.iter().all(|other| other.key != record.key);
                let found: Vec<_> = found.into_iter().filter(is_stable).collect();
                same_records(&stay.iter().collect::<Vec<_>>(), &found).map_err(|what| {
                    format!("list while others of the owner's are deleted: {what}")
                })?;
            }
            Ok(())
        }
    })
    .await
    .map(drop)
}

async fn live(probe: &Probe, records: &[Record]) -> Result<Vec<Record>, Broken> {
    let mut live = Vec::new();
    for record in records {
        live.extend(probe.load(&record.key).await?);
    }
    Ok(live)
}
