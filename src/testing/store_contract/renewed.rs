//! A logout everywhere beside a renewal.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::task::yield_now;

use super::{
    answer::{Broken, Verdict},
    probe::Probe,
    together::together,
};
use crate::store::{Outcome, Record, RecordKey, Which};

pub(super) async fn p16_a_delete_all_catches_a_session_that_is_being_renewed(
    probe: Probe,
) -> Verdict {
    for round in 0..9 {
        let owner = probe.owner();
        let family = probe.family();
        let which = match round % 3 {
            0 => Which::All,
            1 => Which::Only(family),
            _ => Which::Except(probe.family()),
        };
        // Most of them lie idle, so that a store that goes from one to the next takes its time.
        let records: Vec<_> = (0..150)
            .map(|_| Record {
                family,
                ..probe.record_of(&owner)
            })
            .collect();
        probe.insert_all(&records).await?;
        let is_over = Arc::new(AtomicBool::new(false));
        let sessions = records.into_iter().take(8).map(Some);
        let ends = together(sessions.chain([None]).collect::<Vec<_>>(), |session| {
            let (probe, owner) = (probe.clone(), Arc::clone(&owner));
            let is_over = Arc::clone(&is_over);
            async move {
                if let Some(record) = session {
                    return keep_renewing(&probe, record, &is_over).await.map(Some);
                }
                for _ in 0..round {
                    yield_now().await;
                }
                probe.delete_all(&owner, which).await?;
                is_over.store(true, Ordering::SeqCst);
                Ok(None)
            }
        })
        .await?;
        let when = format!("after a delete_all({which:?}) during renewals");
        for key in ends.into_iter().flatten().flatten() {
            probe.lacks(&key, &when).await?;
        }
        probe.lists(&owner, probe.now(), [], &when).await?;
    }
    Ok(())
}

/// As the crate does it: creates the next record, then deletes the one before, and takes the next one back where the one
/// before was gone. Ends there, or after a renewal that began after the `delete_all` was answered. Answers the last keys.
async fn keep_renewing(
    probe: &Probe,
    mut record: Record,
    is_over: &AtomicBool,
) -> Result<[RecordKey; 2], Broken> {
    loop {
        let is_late = is_over.load(Ordering::SeqCst);
        let next = Record {
            key: probe.key(),
            ..record.clone()
        };
        probe.insert(&next).await?;
        yield_now().await;
        let last = [record.key, next.key];
        match probe.delete(&record.key, Some(record.version)).await? {
            Outcome::Done if is_late => return Ok(last),
            Outcome::Done => record = next,
            Outcome::Gone => {
                probe.delete(&next.key, None).await.map(drop)?;
                return Ok(last);
            }
            Outcome::Conflict => {
                return Err("delete of a record that nobody updated: Conflict".into());
            }
        }
        yield_now().await;
    }
}
