//! Many at once on one record.

use std::sync::Arc;

use tokio::task::yield_now;

use super::{
    answer::{Verdict, answers},
    probe::Probe,
    together::{RACERS, together},
};
use crate::store::{Created, Outcome, Record};

pub(super) async fn b6_of_64_updates_at_one_version_one_is_done(probe: Probe) -> Verdict {
    let record = probe.inserted().await?;
    let outcomes = together(0..RACERS as u8, |number| {
        let (probe, key) = (probe.clone(), record.key);
        async move { probe.update(&key, 0, &[number], probe.now()).await }
    })
    .await?;
    let winner = the_only_one(&outcomes, &Outcome::Done, &Outcome::Conflict)
        .map_err(|what| format!("64 updates at one version: {what}"))?;
    let record = Record {
        version: 1,
        payload: Arc::from([winner as u8]),
        ..record
    };
    probe
        .finds(&record, "after 64 updates at one version, one of them Done")
        .await
}

pub(super) async fn b6_64_tasks_that_update_one_record_lose_nothing(probe: Probe) -> Verdict {
    let record = Record {
        payload: Arc::from([0; RACERS]),
        ..probe.record()
    };
    probe.insert(&record).await?;
    together(0..RACERS, |number| {
        let (probe, key) = (probe.clone(), record.key);
        async move {
            loop {
                let found = probe.load(&key).await?;
                let found = found.ok_or("load during updates: the record is missing")?;
                let mut payload = found.payload.to_vec();
                if let Some(byte) = payload.get_mut(number) {
                    *byte += 1;
                }
                // The others read what this one is about to replace.
                yield_now().await;
                match probe
                    .update(&key, found.version, &payload, probe.now())
                    .await?
                {
                    Outcome::Done => return Ok(()),
                    Outcome::Conflict => yield_now().await,
                    Outcome::Gone => {
                        return Err("update of a record that nobody deleted: Gone".into());
                    }
                }
            }
        }
    })
    .await?;
    let record = Record {
        version: RACERS as u64,
        payload: Arc::from([1; RACERS]),
        ..record
    };
    probe
        .finds(
            &record,
            "after 64 tasks have each changed a byte of their own",
        )
        .await
}

pub(super) async fn a6_of_64_creates_of_one_key_one_is_done(probe: Probe) -> Verdict {
    let key = probe.key();
    let records: Vec<_> = (0..RACERS)
        .map(|_| Record {
            key,
            ..probe.record()
        })
        .collect();
    let created = together(records.clone(), |record| {
        let probe = probe.clone();
        async move { probe.create(&record).await }
    })
    .await?;
    let winner = the_only_one(&created, &Created::Done, &Created::Exists)
        .map_err(|what| format!("64 creates of one key: {what}"))?;
    for (number, record) in records.iter().enumerate() {
        let owner = record.owner.clone().unwrap_or_default();
        if number == winner {
            probe.finds(record, "of the one that was created").await?;
            let when = "of the owner whose create was Done";
            probe.lists(&owner, probe.now(), [record], when).await?;
        } else {
            let when = "of an owner whose create answered Exists";
            probe.lists(&owner, probe.now(), [], when).await?;
        }
    }
    Ok(())
}

pub(super) async fn fault_18_of_64_deletes_one_is_done(probe: Probe) -> Verdict {
    for version in [None, Some(0)] {
        let record = probe.inserted().await?;
        let outcomes = together(0..RACERS, |_| {
            let (probe, key) = (probe.clone(), record.key);
            async move { probe.delete(&key, version).await }
        })
        .await?;
        the_only_one(&outcomes, &Outcome::Done, &Outcome::Gone)
            .map_err(|what| format!("64 deletes of one record at {version:?}: {what}"))?;
        probe.lacks(&record.key, "after 64 deletes").await?;
    }
    Ok(())
}

pub(super) async fn fault_19_of_an_update_and_a_versioned_delete_one_is_done(
    probe: Probe,
) -> Verdict {
    let mut records = Vec::new();
    for _ in 0..RACERS / 2 {
        records.push(probe.inserted().await?);
    }
    let racers: Vec<_> = records
        .iter()
        .flat_map(|record| [(record.key, true), (record.key, false)])
        .collect();
    let outcomes = together(racers, |(key, updates)| {
        let probe = probe.clone();
        async move {
            if updates {
                probe.update(&key, 0, b"new", probe.now()).await
            } else {
                probe.delete(&key, Some(0)).await
            }
        }
    })
    .await?;
    for (record, outcome) in records.into_iter().zip(outcomes.chunks(2)) {
        match outcome {
            [Outcome::Done, Outcome::Conflict] => {
                let record = Record {
                    version: 1,
                    payload: Arc::from(*b"new"),
                    ..record
                };
                probe
                    .finds(&record, "after an update that won against a delete")
                    .await?;
            }
            [Outcome::Gone, Outcome::Done] => {
                let when = "after a delete that won against an update";
                probe.lacks(&record.key, when).await?;
            }
            other => {
                return Err(format!(
                    "update and delete at one version at once: promised is [Done, Conflict] or [Gone, Done], came {other:?}"
                ));
            }
        }
    }
    Ok(())
}

pub(super) async fn b11_touches_and_updates_at_once_lose_nothing(probe: Probe) -> Verdict {
    let record = probe.inserted().await?;
    let (longest, updates) = (record.expires + RACERS as i64, RACERS / 2);
    together(0..RACERS, |number| {
        let (probe, key, expires) = (probe.clone(), record.key, record.expires);
        async move {
            if number >= updates {
                let touched = probe.touch(&key, probe.now(), expires + 1 + number as i64);
                return answers("touch beside updates", Outcome::Done, touched.await?);
            }
            loop {
                let found = probe.load(&key).await?;
                let version = found.map_or(0, |record| record.version);
                match probe.update(&key, version, b"new", probe.now()).await? {
                    Outcome::Done => return Ok(()),
                    Outcome::Conflict => yield_now().await,
                    Outcome::Gone => return Err("update beside touches: Gone".to_owned()),
                }
            }
        }
    })
    .await?;
    let record = Record {
        version: updates as u64,
        payload: Arc::from(*b"new"),
        expires: longest,
        ..record
    };
    probe
        .finds(&record, "after 32 updates and 32 touches at once")
        .await
}

pub(super) async fn owners_do_not_get_into_each_others_way(probe: Probe) -> Verdict {
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
                let updated = probe.update(&first.key, 0, b"new", probe.now()).await?;
                answers(format!("update {when}"), Outcome::Done, updated)?;
                first.version = 1;
                first.payload = Arc::from(*b"new");
                second.expires += 1;
                let touched = probe.touch(&second.key, second.touched, second.expires);
                answers(format!("touch {when}"), Outcome::Done, touched.await?)?;
                let deleted = probe.delete(&third.key, Some(0)).await?;
                answers(format!("delete {when}"), Outcome::Done, deleted)?;
            }
            records.remove(2);
            probe.lists(&owner, probe.now(), &records, when).await?;
            let deleted = probe.delete_all(&owner, crate::store::Which::All).await?;
            answers(format!("delete_all {when}"), 3, deleted)?;
            probe.lists(&owner, probe.now(), [], when).await
        }
    })
    .await
    .map(drop)
}

/// Which one was it? All the others have to have got the other answer.
pub(super) fn the_only_one<T: PartialEq + std::fmt::Debug>(
    came: &[T],
    one: &T,
    others: &T,
) -> Result<usize, String> {
    let winners: Vec<_> = (0..).zip(came).filter(|(_, came)| *came == one).collect();
    let odd = came.iter().find(|came| *came != one && *came != others);
    match (&*winners, odd) {
        ([(winner, _)], None) => Ok(*winner),
        (winners, odd) => Err(format!(
            "promised is one {one:?} and for the others {others:?}, came {} times {one:?}{}",
            winners.len(),
            odd.map_or_else(String::new, |odd| format!(" and a {odd:?}"))
        )),
    }
}
