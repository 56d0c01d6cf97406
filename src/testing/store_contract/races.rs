//! Many tasks at once on one record.

use tokio::task::yield_now;

use super::{
    outcome::{Verdict, expect},
    probe::{Probe, with_payload},
    together::{RACERS, together},
};
use crate::store::{CreateOutcome, Outcome, SessionRecord};

pub(super) async fn one_of_64_updates_at_one_version_is_done(probe: Probe) -> Verdict {
    let record = probe.inserted().await?;
    let outcomes = together(0..RACERS as u8, |number| {
        let (probe, new) = (probe.clone(), with_payload(&record, &[number]));
        async move { probe.update(&new, probe.now()).await }
    })
    .await?;
    let winner = the_only_one(&outcomes, &Outcome::Done, &Outcome::Conflict)
        .map_err(|what| format!("64 updates at one version: {what}"))?;
    let record = SessionRecord {
        version: 1,
        ..with_payload(&record, &[winner as u8])
    };
    probe
        .finds(&record, "after 64 updates at one version, one of them Done")
        .await
}

pub(super) async fn a_counter_raised_by_64_tasks_is_exact(probe: Probe) -> Verdict {
    let record = with_payload(&probe.record(), &[0; 4]);
    probe.insert(&record).await?;
    together(0..RACERS, |_| {
        let (probe, id) = (probe.clone(), record.id);
        async move {
            loop {
                let found = probe.load(&id).await?;
                let found = found.ok_or("load during updates: the record is missing")?;
                let count = found.payload.first_chunk().copied().unwrap_or_default();
                let count = u32::from_be_bytes(count).wrapping_add(1).to_be_bytes();
                // Let the other tasks read the version that this one is about to replace.
                yield_now().await;
                let new = with_payload(&found, &count);
                match probe.update(&new, probe.now()).await? {
                    Outcome::Done => return Ok(()),
                    Outcome::Conflict => yield_now().await,
                    Outcome::Gone => {
                        return Err("update of a record that was never deleted: Gone".into());
                    }
                }
            }
        }
    })
    .await?;
    let record = SessionRecord {
        version: RACERS as u64,
        ..with_payload(&record, &(RACERS as u32).to_be_bytes())
    };
    probe
        .finds(&record, "after 64 tasks have each raised a counter by one")
        .await
}

pub(super) async fn one_of_64_creates_of_one_id_is_done(probe: Probe) -> Verdict {
    let id = probe.id();
    let records: Vec<_> = (0..RACERS)
        .map(|_| SessionRecord {
            id,
            ..probe.record()
        })
        .collect();
    let created = together(records.clone(), |record| {
        let probe = probe.clone();
        async move { probe.create(&record).await }
    })
    .await?;
    let winner = the_only_one(&created, &CreateOutcome::Done, &CreateOutcome::Exists)
        .map_err(|what| format!("64 creates of one id: {what}"))?;
    for (number, record) in records.iter().enumerate() {
        let owner = record.owner.clone().unwrap_or_default();
        if number == winner {
            probe.finds(record, "of the one that was created").await?;
            let when = "of the owner whose create was Done";
            probe.lists(&owner, probe.now(), [record], when).await?;
        } else {
            let when = "of an owner whose create returned Exists";
            probe.lists(&owner, probe.now(), [], when).await?;
        }
    }
    Ok(())
}

pub(super) async fn one_of_64_deletes_is_done(probe: Probe) -> Verdict {
    for version in [None, Some(0)] {
        let record = probe.inserted().await?;
        let outcomes = together(0..RACERS, |_| {
            let (probe, id) = (probe.clone(), record.id);
            async move { probe.delete(&id, version).await }
        })
        .await?;
        the_only_one(&outcomes, &Outcome::Done, &Outcome::Gone)
            .map_err(|what| format!("64 deletes of one record at {version:?}: {what}"))?;
        probe.lacks(&record.id, "after 64 deletes").await?;
    }
    Ok(())
}

pub(super) async fn one_of_an_update_and_a_delete_is_done(probe: Probe) -> Verdict {
    let mut records = Vec::new();
    for _ in 0..RACERS / 2 {
        records.push(probe.inserted().await?);
    }
    let racers: Vec<_> = records
        .iter()
        .flat_map(|record| [(record.clone(), true), (record.clone(), false)])
        .collect();
    let outcomes = together(racers, |(record, updates)| {
        let probe = probe.clone();
        async move {
            if updates {
                let new = with_payload(&record, b"new");
                probe.update(&new, probe.now()).await
            } else {
                probe.delete(&record.id, Some(0)).await
            }
        }
    })
    .await?;
    for (record, outcome) in records.into_iter().zip(outcomes.chunks(2)) {
        match outcome {
            [Outcome::Done, Outcome::Conflict] => {
                let record = SessionRecord {
                    version: 1,
                    ..with_payload(&record, b"new")
                };
                probe
                    .finds(&record, "after an update that won against a delete")
                    .await?;
            }
            [Outcome::Gone, Outcome::Done] => {
                let when = "after a delete that won against an update";
                probe.lacks(&record.id, when).await?;
            }
            other => {
                return Err(format!(
                    "update and delete at one version at once: expected [Done, Conflict] or \
                     [Gone, Done], got {other:?}"
                ));
            }
        }
    }
    Ok(())
}

pub(super) async fn touches_and_updates_at_once_are_all_kept(probe: Probe) -> Verdict {
    let record = SessionRecord {
        touched: probe.now() - 1000,
        ..probe.record()
    };
    probe.insert(&record).await?;
    let updates = RACERS / 2;
    together(0..RACERS, |number| {
        let (probe, record) = (probe.clone(), record.clone());
        async move {
            let at = record.touched + number as i64;
            if number >= updates {
                let touched = probe.touch(&record.id, at, record.expires).await?;
                return expect("touch beside updates", Outcome::Done, touched);
            }
            let mut new = with_payload(&record, b"new");
            loop {
                let found = probe.load(&new.id).await?;
                new.version = found.map_or(0, |record| record.version);
                match probe.update(&new, probe.now()).await? {
                    Outcome::Done => return Ok(()),
                    Outcome::Conflict => yield_now().await,
                    Outcome::Gone => return Err("update beside touches: Gone".to_owned()),
                }
            }
        }
    })
    .await?;
    let record = SessionRecord {
        version: updates as u64,
        touched: record.touched + RACERS as i64 - 1,
        ..with_payload(&record, b"new")
    };
    probe
        .finds(&record, "after 32 updates and 32 touches at once")
        .await
}

pub(super) async fn touches_at_once_keep_the_latest(probe: Probe) -> Verdict {
    // In one of 64 rounds, the latest touch is by chance the last.
    for _ in 0..4 {
        touch_at_once(&probe).await?;
    }
    Ok(())
}

async fn touch_at_once(probe: &Probe) -> Verdict {
    let record = probe.inserted().await?;
    together(0..RACERS, |number| {
        let (probe, record) = (probe.clone(), record.clone());
        async move {
            let later = (number as i64 * 37) % RACERS as i64;
            let (now, expires) = (record.touched + later, record.expires + later);
            let touched = probe.touch(&record.id, now, expires).await?;
            expect("touch beside touches", Outcome::Done, touched)
        }
    })
    .await?;
    let latest = RACERS as i64 - 1;
    let record = SessionRecord {
        touched: record.touched + latest,
        expires: record.expires + latest,
        ..record
    };
    probe.finds(&record, "after 64 touches at once").await
}

pub(super) async fn owners_do_not_disturb_each_other(probe: Probe) -> Verdict {
    together(0..RACERS, |_| {
        let probe = probe.clone();
        async move {
            let owner = probe.owner();
            let mut records = Vec::new();
            for _ in 0..4 {
                let record = probe.record_of(&owner);
                probe.insert(&record).await?;
                records.push(record);
            }
            let when = "of one of 64 owners at once";
            if let [first, second, third, _] = &mut *records {
                *first = probe.updated(first, b"new").await?;
                second.expires += 1;
                let touched = probe.touch(&second.id, second.touched, second.expires);
                expect(format!("touch {when}"), Outcome::Done, touched.await?)?;
                let deleted = probe.delete(&third.id, Some(0)).await?;
                expect(format!("delete {when}"), Outcome::Done, deleted)?;
            }
            records.remove(2);
            probe.lists(&owner, probe.now(), &records, when).await?;
            let deleted = probe.delete_all(&owner, None).await?;
            expect(format!("delete_all {when}"), 3, deleted)?;
            probe.lists(&owner, probe.now(), [], when).await
        }
    })
    .await
    .map(drop)
}

/// The position of the only `one`. All other elements must be `others`.
fn the_only_one<T: PartialEq + std::fmt::Debug>(
    got: &[T],
    one: &T,
    others: &T,
) -> Result<usize, String> {
    let winners: Vec<_> = (0..).zip(got).filter(|(_, got)| *got == one).collect();
    let odd = got.iter().find(|got| *got != one && *got != others);
    match (&*winners, odd) {
        ([(winner, _)], None) => Ok(*winner),
        (winners, odd) => Err(format!(
            "expected {one:?} once and {others:?} for the others, got {} times {one:?}{}",
            winners.len(),
            odd.map_or_else(String::new, |odd| format!(" and {odd:?}"))
        )),
    }
}
