//! Dropping a call, and the state of the record afterwards.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use tokio::time::{Instant, sleep};

use super::{
    outcome::{Broken, Verdict, difference, finished, same_records},
    probe::Probe,
};
use crate::{error::BoxError, store::SessionRecord};

/// Polls a call whenever it is woken, `polls` times, and drops it.
pub(super) async fn dropped<T>(
    verb: &str,
    mut polls: usize,
    call: impl Future<Output = Result<T, BoxError>>,
) -> Verdict {
    let mut call = pin!(call);
    let hung_up = poll_fn(|cx| {
        if polls == 0 {
            return Poll::Ready(Ok(()));
        }
        polls -= 1;
        match call.as_mut().poll(cx) {
            Poll::Ready(outcome) => Poll::Ready(outcome.map(drop)),
            Poll::Pending if polls == 0 => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        }
    });
    finished(verb, hung_up).await
}

/// Checks that the record is in one of these states, and that its owner's list agrees.
pub(super) async fn is_whole(
    probe: &Probe,
    record: &SessionRecord,
    states: &[Option<SessionRecord>],
    polls: usize,
) -> Verdict {
    let patience = Patience::new();
    while let Err(what) = looks_whole(probe, record, states).await? {
        if !patience.lasts().await {
            return Err(format!(
                "after a call that was dropped after {polls} polls: {what}"
            ));
        }
    }
    Ok(())
}

async fn looks_whole(
    probe: &Probe,
    record: &SessionRecord,
    states: &[Option<SessionRecord>],
) -> Result<Verdict, Broken> {
    let found = probe.load(&record.id).await?;
    let owner = record.owner.clone().unwrap_or_default();
    let listed = probe.list_all(&owner, probe.now()).await?;
    if !states.contains(&found) {
        return Ok(Err(half_done(states, found.as_ref())));
    }
    let found: Vec<_> = found.iter().collect();
    Ok(same_records(&found, &listed).map_err(|what| format!("list beside load: {what}")))
}

fn half_done(states: &[Option<SessionRecord>], found: Option<&SessionRecord>) -> Broken {
    match (states.iter().flatten().next(), found) {
        (Some(expected), Some(found)) => format!(
            "load: the record is neither as before nor as after; {}",
            difference(expected, found)
        ),
        (_, None) => "load: the record is lost".to_owned(),
        (None, Some(_)) => "load: the record is still there".to_owned(),
    }
}

/// A dropped call may still be in flight, so the expected state has two seconds to appear.
pub(super) struct Patience(Instant);

impl Patience {
    pub(super) fn new() -> Self {
        Self(Instant::now() + Duration::from_secs(2))
    }

    pub(super) async fn lasts(&self) -> bool {
        sleep(Duration::from_millis(10)).await;
        Instant::now() < self.0
    }
}
