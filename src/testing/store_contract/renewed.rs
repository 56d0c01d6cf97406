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
use crate::store::{Outcome, Record, RecordKey, Replaced, Which};

pub(super) async fn p16_a_delete_all_catches_a_session_that_is_being_renewed(
    probe: Probe,
) -> Verdict {
    is_caught(&probe, Renewal::ByHand).await
}

pub(super) async fn p16_a_delete_all_catches_a_session_that_is_being_replaced(
    probe: Probe,
) -> Verdict {
    is_caught(&probe, Renewal::ByReplace).await
}

/// How a session gets its next record.
#[derive(Clone, Copy)]
enum Renewal {
    /// Creates it, then deletes the one before, and takes it back where the one before was gone.
    ByHand,
    ByReplace,
}

async fn is_caught(probe: &Probe, renewal: Renewal) -> Verdict {
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
                    return keep_renewing(&probe, record, renewal, &is_over)
                        .await
                        .map(Some);
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

/// Ends where the session is gone, or after a renewal that began after the `delete_all` was answered. Answers the last keys.
async fn keep_renewing(
    probe: &Probe,
    mut record: Record,
    renewal: Renewal,
    is_over: &AtomicBool,
) -> Result<[RecordKey; 2], Broken> {
    loop {
        let is_late = is_over.load(Ordering::SeqCst);
        let next = Record {
            key: probe.key(),
            ..record.clone()
        };
        let last = [record.key, next.key];
        let outcome = match renewal {
            Renewal::ByHand => renew(probe, &record, &next).await?,
            Renewal::ByReplace => probe.replace(&record.key, record.version, &next).await?,
        };
        match outcome {
            Replaced::Done if is_late => return Ok(last),
            Replaced::Done => record = next,
            Replaced::Gone => return Ok(last),
            odd => return Err(format!("renewal of a record that nobody updates: {odd:?}")),
        }
        yield_now().await;
    }
}

async fn renew(probe: &Probe, record: &Record, next: &Record) -> Result<Replaced, Broken> {
    probe.insert(next).await?;
    yield_now().await;
    let replaced = match probe.delete(&record.key, Some(record.version)).await? {
        Outcome::Done => return Ok(Replaced::Done),
        Outcome::Conflict => Replaced::Conflict,
        Outcome::Gone => Replaced::Gone,
    };
    probe.delete(&next.key, None).await.map(drop)?;
    Ok(replaced)
}
